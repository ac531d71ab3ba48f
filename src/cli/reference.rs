//! The reference pages under docs/reference, made of the command tree and the enums.
//!
//! The pages are checked in and compared by a test: `REFIT_BLESS=1 cargo test -p refit --lib reference` writes them.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};

use super::error::ErrorCode;
use super::exit::Exit;
use super::pages::{NOT_ENDS, OUTCOMES, one_paragraph};
use crate::domain::graph::EdgeKind;

/// The first line of every page.
const MADE: &str = "<!-- Made of the source: REFIT_BLESS=1 cargo test -p refit --lib reference. Do not edit. -->\n\n";

fn cli_page() -> String {
    let mut command = super::Cli::command().term_width(100);
    command.build();
    let mut out = format!("{MADE}# Command line\n\n");
    let about = command
        .get_long_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let _ = writeln!(out, "{}\n", about.trim());
    out.push_str("| Verb | |\n|---|---|\n");
    for verb in command.get_subcommands() {
        let name = verb.get_name();
        let about = verb
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        let _ = writeln!(out, "| [{name}](#refit-{name}) | {} |", escape(&about));
    }
    out.push_str("\n## Global options\n\nEvery verb takes these.\n\n");
    options(
        &mut out,
        command.get_arguments().filter(|arg| arg.is_global_set()),
    );
    for verb in command.get_subcommands() {
        verb_section(&mut out, verb.get_name(), verb);
        for below in verb.get_subcommands().filter(|it| it.get_name() != "help") {
            let name = format!("{} {}", verb.get_name(), below.get_name());
            verb_section(&mut out, &name, below);
        }
    }
    out
}

fn verb_section(out: &mut String, name: &str, verb: &Command) {
    let _ = writeln!(out, "\n## refit {name}\n");
    let about = verb.get_long_about().or_else(|| verb.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "{}\n", about.trim());
    let aliases: Vec<&str> = verb.get_visible_aliases().collect();
    if !aliases.is_empty() {
        let _ = writeln!(out, "Alias: `{}`.\n", aliases.join("`, `"));
    }
    let usage = verb.clone().render_usage().to_string();
    let _ = writeln!(
        out,
        "```\n{}\n```\n",
        usage.trim_start_matches("Usage: ").trim()
    );
    let own =
        |arg: &&Arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    options(out, verb.get_arguments().filter(own));
    if let Some(examples) = verb.get_after_help() {
        let _ = writeln!(out, "\n```\n{}\n```", examples.to_string().trim());
    }
}

fn options<'a>(out: &mut String, args: impl Iterator<Item = &'a Arg>) {
    let args: Vec<&Arg> = args.collect();
    if args.is_empty() {
        return;
    }
    out.push_str("| Option | |\n|---|---|\n");
    for arg in args {
        let mut names = Vec::new();
        names.extend(arg.get_short().map(|short| format!("-{short}")));
        names.extend(arg.get_long().map(|long| format!("--{long}")));
        names.extend(
            arg.get_all_aliases()
                .unwrap_or_default()
                .iter()
                .map(|alias| format!("--{alias}")),
        );
        let value = arg
            .get_value_names()
            .filter(|_| arg.get_action().takes_values());
        let value = value.map_or_else(String::new, |names| format!(" {}", names.join(" ")));
        let name = if names.is_empty() {
            value.trim().to_owned()
        } else {
            format!("{}{value}", names.join(", "))
        };
        let mut help = arg
            .get_long_help()
            .or_else(|| arg.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let words: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| arg.get_action().takes_values())
            .map(|word| match word.get_help() {
                Some(help) => format!("`{}`: {help}", word.get_name()),
                None => format!("`{}`", word.get_name()),
            })
            .collect();
        if !words.is_empty() {
            let _ = write!(help, ". {}", words.join("; "));
        }
        let default: Vec<String> = arg
            .get_default_values()
            .iter()
            .map(|value| value.to_string_lossy().into_owned())
            .collect();
        if !default.is_empty() && arg.get_action().takes_values() {
            let _ = write!(help, ". Default: `{}`", default.join(" "));
        }
        let _ = writeln!(out, "| `{name}` | {} |", escape(&help));
    }
}

fn escape(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn exit_codes_page() -> String {
    let mut out = format!("{MADE}# Exit codes\n\n| Code | Means | What to do |\n|---|---|---|\n");
    for exit in Exit::ALL {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            exit.code(),
            escape(exit.meaning()),
            escape(exit.remedy())
        );
    }
    let order: Vec<String> = Exit::PRECEDENCE
        .iter()
        .map(|exit| exit.code().to_string())
        .collect();
    let _ = writeln!(
        out,
        "\nIf several hold, the first of these is the process's: {}.",
        order.join(", ")
    );
    out.push_str("\n## Error codes\n\nThe word at the end of an error's first line, `code` in its JSON form (`-o json`).\n\n");
    out.push_str("| Code | Exit | Means |\n|---|---|---|\n");
    for code in ErrorCode::ALL {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            code.word(),
            code.exit().code(),
            escape(&one_paragraph(*code))
        );
    }
    out
}

fn outcomes_page() -> String {
    let mut out = format!(
        "{MADE}# Outcomes\n\nHow an attempt at one release ends. The word is the same on screen and in JSON (`state`).\n\n"
    );
    out.push_str(
        "| Outcome | The release is | The operator reads | Exit code |\n|---|---|---|---|\n",
    );
    let row = |out: &mut String, row: &super::pages::OutcomeRow| {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.word,
            row.means,
            escape(row.reads),
            row.exit.code()
        );
    };
    for it in OUTCOMES {
        row(&mut out, it);
    }
    out.push_str("\nNot ends:\n\n| State | The release is | The operator reads | Exit code |\n|---|---|---|---|\n");
    for it in NOT_ENDS {
        row(&mut out, it);
    }
    out
}

fn graph_page() -> String {
    let mut out = format!(
        "{MADE}# Dependency graph\n\n`refit graph` shows which releases wait for which others; `refit plan` keeps to it. \
         An edge leads from the release that waits to the one that it waits for.\n\n\
         ![The graph of two clusters](graph.svg)\n\n## Kinds of edges\n\n| Kind | Means |\n|---|---|\n"
    );
    for kind in EdgeKind::ALL {
        let _ = writeln!(out, "| `{kind}` | {} |", escape(kind.meaning().trim()));
    }
    out.push_str(
        "\n## Confidence\n\n1.0: the server refuses the one without the other, or somebody declared it. 0.9: it would not start. \
         0.8: it would not start, but the other may come from elsewhere. 0.6: it would start, and miss it. Below: a sign, no more.\n\n\
         ## Declared edges\n\nIn `fleet.toml`, each under `[[depends]]`: `release` waits for `on`, both globs over \
         `cluster/namespace/name`. The same text in the cluster's place of both (`*` and `*`, `eu-*` and `eu-*`) means one cluster \
         at a time; different texts (`**` and `*`, `us-1` and `hub`) mean every pair. A glob that matches no release is an error, \
         unless what it speaks of was not read.\n\n\
         ## Cycles\n\nReleases that wait for each other have no order: exit code 1, each edge named, the weakest last. \
         `[graph] cut_inferred = true` cuts the weakest inferred edge of each cycle and says so; declared edges are never cut.\n",
    );
    out
}

#[test]
fn reference_pages_are_as_the_source_has_them() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let pages = [
        (
            "causes.md",
            format!("{MADE}{}", super::triage::page::causes_page()),
        ),
        ("cli.md", cli_page()),
        ("exit-codes.md", exit_codes_page()),
        ("outcomes.md", outcomes_page()),
        ("graph.md", graph_page()),
        ("graph.svg", crate::render::screen::graph::tests::picture()),
    ];
    let pages = pages.into_iter().chain(super::schema::pages());
    #[expect(clippy::disallowed_methods, reason = "a switch of this test only")]
    let bless = std::env::var("REFIT_BLESS").is_ok_and(|value| value == "1");
    for (name, made) in pages {
        let path = folder.join(name);
        if bless {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &made).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            stored == made,
            "docs/reference/{name} is not what the source says: REFIT_BLESS=1 cargo test -p refit --lib reference"
        );
    }
}
