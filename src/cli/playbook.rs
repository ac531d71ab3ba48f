//! `refit playbook`: which playbooks there are, and what one says.

use serde_json::{Value, json};

use super::context::Ctx;
use super::desk::invalid;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use crate::playbook::{Facts, Listed, Origin, Playbook, PlaybookError, Text};
use crate::render::screen::settings::rows;
use crate::render::{Column, Document, Next, Record, Role, Span, Table};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Which there are, built in and in the folder playbooks/ beside fleet.toml
  refit playbook list

  # What one does, in words
  refit playbook show canary

  # Make one of your own: it takes the place of the built-in one
  refit playbook show canary --source > playbooks/canary.toml";

/// Playbooks: shape of waves, gates, soak, budgets and what happens on failure, to choose from. Needs no cluster; 0 writes.
///
/// fleet.toml names one (`[fleet] playbook`) and overrides what it likes. A file in the folder playbooks/ beside fleet.toml
/// is a playbook too; one with the name of a built-in one takes its place.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with playbooks.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum What {
    /// Lists every playbook, with the flaws of those that cannot be used
    List,
    /// Shows what a playbook says, or all flaws of its file
    Show {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// The file's text instead, to begin one of your own with
        #[arg(long)]
        source: bool,
    },
}

/// Carries it out.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let library = ctx.backend().playbooks(&ctx.invocation)?;
    match &args.what {
        What::List => {
            ctx.show(&list(library.all()))?;
            Ok(ctx.findings(library.all().iter().any(|it| it.read.is_err())))
        }
        What::Show { name, source } => {
            let playbook = library.get(name).map_err(refused)?;
            if *source {
                ctx.console.out(&playbook.source)?;
            } else {
                ctx.show(&show(playbook)?)?;
            }
            Ok(Exit::Ok)
        }
    }
}

fn refused(error: PlaybookError) -> CliError {
    match error {
        PlaybookError::Invalid { source, .. } => invalid(&source),
        unknown @ PlaybookError::Unknown { .. } => {
            CliError::new(ErrorCode::ConfigInvalid, unknown.to_string()).next(Next::PlaybookList)
        }
    }
}

/// Where a playbook is from, in a word for a cell.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::BuiltIn => "built-in".to_owned(),
        Origin::Own { file, .. } => file.clone(),
    }
}

fn list(all: &[Listed]) -> Document {
    let records = all.iter().map(|it| {
        let (summary, flaws) = match &it.read {
            Ok(playbook) => (playbook.summary.clone(), 0),
            Err(error) => (
                format!("{error}: refit playbook show {}", it.name),
                error.count(),
            ),
        };
        let role = if flaws > 0 { Role::Bad } else { Role::Plain };
        Record {
            cells: vec![
                Span::with(&it.name, Role::Strong),
                Span::plain(origin(&it.origin)),
                Span::with(&summary, role),
            ],
            json: json!({
                "name": it.name,
                "origin": origin(&it.origin),
                "overridesBuiltIn": is_override(&it.origin),
                "summary": it.read.as_ref().ok().map(|it| it.summary.as_str()),
                "when": it.read.as_ref().ok().map(|it| it.when.as_str()),
                "flaws": it.read.as_ref().err().map(crate::config::ConfigInvalid::lines),
            }),
            name: Some(it.name.clone()),
            only_wide: false,
        }
    });
    let columns = vec![
        Column::new("NAME"),
        Column::new("FROM").narrow(1),
        Column::new("SUMMARY"),
    ];
    let mut document = Document::new("PlaybookList").listing(columns, records);
    for it in all.iter().filter(|it| is_override(&it.origin)) {
        document = document.warning(overrides(&it.name, &it.origin));
    }
    document.next(
        Next::PlaybookShow {
            name: all.first().map_or_else(String::new, |it| it.name.clone()),
        },
        "what it does, in words",
    )
}

const fn is_override(origin: &Origin) -> bool {
    matches!(
        origin,
        Origin::Own {
            overrides: true,
            ..
        }
    )
}

fn overrides(name: &str, origin: &Origin) -> String {
    format!(
        "{} takes the place of the built-in playbook {name}",
        origin.file(name)
    )
}

fn show(playbook: &Playbook) -> Result<Document, CliError> {
    let mut table = Table::new([Column::new("ABOUT"), Column::new("WHAT-HOLDS")]);
    for (about, what) in rows(&playbook.settings) {
        table.row([Span::with(about, Role::Strong), Span::plain(what)]);
    }
    for (about, limit) in [
        ("fleet-writes/s", playbook.limits.writes_per_second),
        (
            "cluster-writes/s",
            playbook.limits.cluster_writes_per_second,
        ),
        ("cluster-in-flight", playbook.limits.in_flight),
    ] {
        if let Some(limit) = limit {
            table.row([
                Span::with(about, Role::Strong),
                Span::plain(limit.to_string()),
            ]);
        }
    }
    let mut said = serde_json::Map::new();
    let mut texts = Table::new([Column::new("TEXT"), Column::new("FOR-EXAMPLE")]);
    for text in Text::ALL {
        let failed = |error| CliError::of(ErrorCode::ConfigInvalid, &error);
        if let Some(line) = playbook.say(text, &Facts::example(text)).map_err(failed)? {
            texts.row([Span::with(text.key(), Role::Strong), Span::plain(line)]);
        }
        if let Some(template) = playbook.texts.get(&text) {
            said.insert(text.key().to_owned(), Value::String(template.clone()));
        }
    }
    let mut document = Document::new("Playbook")
        .field("name", playbook.name.as_str())
        .field("origin", origin(&playbook.origin))
        .field("overridesBuiltIn", is_override(&playbook.origin))
        .field("summary", playbook.summary.as_str())
        .field("when", playbook.when.as_str())
        .field("settings", json!(playbook.settings))
        .field("texts", Value::Object(said))
        .names([playbook.name.clone()])
        .line([
            Span::with(&playbook.name, Role::Strong),
            Span::plain(format!("   {}", playbook.summary)),
        ])
        .text(format!("for {}", playbook.when))
        .gap()
        .table(table);
    if !texts.is_empty() {
        document = document.gap().table(texts);
    }
    if is_override(&playbook.origin) {
        document = document.warning(overrides(&playbook.name, &playbook.origin));
    }
    Ok(document.next(
        Next::PlaybookSource {
            name: playbook.name.clone(),
        },
        "its file, to begin one of your own with",
    ))
}
