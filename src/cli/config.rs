//! `refit config view`: every value that holds, and where it is from.

use serde_json::json;

use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use crate::render::{Column, Cut, Document, Next, Record, Role, Span};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # The merged result: defaults, playbook, fleet.toml
  refit config view

  # What fleet.toml itself says
  refit config view | grep fleet.toml:";

/// What fleet.toml, its playbook and the defaults make together. Needs no cluster; 0 writes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What to do with the configuration.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum What {
    /// Shows every value that holds, and where it is from: default, the playbook's or fleet.toml's line
    View,
}

/// Carries it out.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let What::View = args.what;
    let configured = ctx.backend().configured(&ctx.invocation)?;
    let records = configured.values.iter().map(|it| Record {
        cells: vec![
            Span::with(&it.key, Role::Strong),
            Span::plain(&it.origin),
            Span::plain(&it.value),
        ],
        json: json!({"key": it.key, "value": it.value, "origin": it.origin}),
        name: Some(it.key.clone()),
        only_wide: false,
    });
    let names: Vec<&str> = configured
        .fleet
        .clusters
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    let mut document = Document::new("ConfigView")
        .field(
            "metadata",
            json!({"fleet": configured.fleet.name, "file": configured.file, "clusters": names}),
        )
        .listing(
            vec![
                Column::new("KEY"),
                Column::new("ORIGIN").at_most(40, Cut::Middle),
                Column::new("VALUE"),
            ],
            records,
        );
    if configured.file.is_none() {
        document = document.warning("there is no fleet.toml: these are the defaults");
    }
    let playbook = &configured.fleet.planning.playbook;
    if !playbook.is_empty() {
        let name = playbook.clone();
        document = document.next(
            Next::PlaybookShow { name },
            "what the playbook does, in words",
        );
    }
    ctx.show(&document)?;
    Ok(Exit::Ok)
}
