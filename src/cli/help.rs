//! `refit help`: verbs, and pages that are no verb's.

use clap::CommandFactory;

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::pages;

/// Prints the help of a verb, or a page: exit-codes, outcomes, errors, or an error's code.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// A verb, exit-codes, outcomes, errors, or an error's code such as LockHeld
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

/// Prints a page.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let page = page(args.topic.as_deref())?;
    ctx.console.out(&page)?;
    Ok(Exit::Ok)
}

/// The page of a topic.
pub fn page(topic: Option<&str>) -> Result<String, CliError> {
    let Some(topic) = topic else {
        return Ok(pages::SUMMARY.to_owned());
    };
    match topic {
        "verbs" => return Ok(super::Cli::command().render_long_help().to_string()),
        "exit-codes" => return Ok(pages::exit_codes_text()),
        "outcomes" => return Ok(pages::outcomes_text()),
        "errors" => return Ok(pages::errors_text()),
        "policy" => return Ok(super::policy::page()),
        _ => {}
    }
    let code = ErrorCode::ALL
        .iter()
        .find(|code| code.word().eq_ignore_ascii_case(topic));
    if let Some(code) = code {
        return Ok(pages::error_text(*code));
    }
    let mut command = super::Cli::command();
    command.build();
    match command.find_subcommand_mut(topic) {
        Some(verb) => Ok(verb.render_long_help().to_string()),
        None => Err(super::usage::wrong_verb(topic, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_page() {
        let mut topics: Vec<String> = ["verbs", "exit-codes", "outcomes", "errors", "rollback"]
            .map(str::to_owned)
            .into();
        topics.extend(ErrorCode::ALL.iter().map(|code| code.word().to_owned()));
        topics.extend(
            super::super::Cli::command()
                .get_subcommands()
                .map(|verb| verb.get_name().to_owned()),
        );
        for topic in topics {
            assert!(
                page(Some(&topic)).is_ok_and(|text| text.len() > 40),
                "{topic}"
            );
        }
        assert!(page(Some("nope")).is_err());
    }

    #[test]
    fn refit_alone_is_twelve_lines_and_names_every_verb() {
        assert_eq!(pages::SUMMARY.lines().count(), 12);
        for verb in super::super::Cli::command().get_subcommands() {
            assert!(
                pages::SUMMARY.contains(verb.get_name()),
                "{}",
                verb.get_name()
            );
        }
    }
}
