//! The question before a write: what is shown, what counts as an answer, and what happens without a terminal.

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::globals::WriteArgs;
use crate::domain::ids::ClusterName;
use crate::render::document::line_text;
use crate::render::{Next, Span};

/// What must be typed. Both carry the fleet's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The fleet's name: production is written to.
    FleetName(String),
    /// `yes`.
    Yes(String),
}

/// What to do about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is answered by flags.
    Go,
    /// Ask.
    Ask,
    /// It cannot be asked, or a flag gives the wrong answer.
    Refuse(CliError),
}

impl Question {
    /// The fleet's name if production clusters are written to, else yes.
    pub fn for_clusters(fleet: &str, prod: &[ClusterName]) -> Self {
        if prod.is_empty() {
            Self::Yes(fleet.to_owned())
        } else {
            Self::FleetName(fleet.to_owned())
        }
    }

    /// The prompt; `purpose` is a verb: `start`, `put 23 releases back`.
    fn prompt(&self, purpose: &str) -> String {
        match self {
            Self::FleetName(_) => format!("Type the fleet's name to {purpose}: "),
            Self::Yes(_) => format!("Type yes to {purpose}; only 'yes' will be accepted: "),
        }
    }

    /// Is this the answer?
    fn accepts(&self, answer: &str) -> bool {
        match self {
            Self::FleetName(name) => answer == name,
            Self::Yes(_) => answer == "yes",
        }
    }

    /// What flags and terminal make of it. `with_flags` is the command that needs no question.
    pub fn decide(&self, write: &WriteArgs, interactive: bool, with_flags: Next) -> Decision {
        let (Self::FleetName(fleet) | Self::Yes(fleet)) = self;
        if let Some(named) = &write.confirm
            && named != fleet
        {
            return Decision::Refuse(
                CliError::new(
                    ErrorCode::NotConfirmed,
                    format!("--confirm {named} is not the name of this fleet, {fleet}"),
                )
                .because("nothing was written"),
            );
        }
        let answered = match self {
            Self::FleetName(_) => write.yes && write.confirm.is_some(),
            Self::Yes(_) => write.yes,
        };
        if answered {
            return Decision::Go;
        }
        if interactive {
            return Decision::Ask;
        }
        let why = match self {
            Self::FleetName(_) if write.yes => {
                "clusters labelled env=prod are written to: --yes alone is not enough"
            }
            _ => "nothing was written",
        };
        Decision::Refuse(
            CliError::new(
                ErrorCode::NoTerminal,
                "a question must be answered and there is no terminal",
            )
            .because(why)
            .next(with_flags),
        )
    }
}

/// Shows what would be done on stderr, and asks unless flags have answered. Ok is yes.
pub fn ask(
    ctx: &mut Ctx,
    lines: &[Vec<Span>],
    purpose: &str,
    question: &Question,
    write: &WriteArgs,
    with_flags: Next,
) -> Result<(), CliError> {
    let frame = ctx.console.err_frame();
    let text: String = lines.iter().map(|line| line_text(line, &frame)).collect();
    ctx.console.err(&text);
    match question.decide(write, ctx.console.is_interactive(), with_flags) {
        Decision::Go => Ok(()),
        Decision::Refuse(error) => Err(error),
        Decision::Ask => {
            ctx.console.err(&question.prompt(purpose));
            match ctx.console.answer() {
                Some(answer) if question.accepts(&answer) => Ok(()),
                Some(_) => Err(not_confirmed("the answer was another one")),
                None => {
                    ctx.console.err("\n");
                    Err(not_confirmed("there was no answer"))
                }
            }
        }
    }
}

fn not_confirmed(why: &str) -> CliError {
    CliError::new(
        ErrorCode::NotConfirmed,
        "not confirmed: nothing was written",
    )
    .because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(
        question: &Question,
        yes: bool,
        confirm: Option<&str>,
        interactive: bool,
    ) -> &'static str {
        let write = WriteArgs {
            yes,
            confirm: confirm.map(str::to_owned),
        };
        match question.decide(&write, interactive, Next::StatusAll) {
            Decision::Go => "go",
            Decision::Ask => "ask",
            Decision::Refuse(error) => error.code.word(),
        }
    }

    #[test]
    fn production_needs_its_name() {
        let prod = Question::for_clusters("acme", &["eu-1".into()]);
        assert_eq!(decide(&prod, true, Some("acme"), false), "go");
        assert_eq!(decide(&prod, true, None, false), "NoTerminal");
        assert_eq!(decide(&prod, true, None, true), "ask");
        assert_eq!(decide(&prod, false, Some("acme"), true), "ask");
        assert_eq!(decide(&prod, false, Some("acme"), false), "NoTerminal");
        assert_eq!(decide(&prod, true, Some("acne"), true), "NotConfirmed");
        assert!(prod.accepts("acme") && !prod.accepts("yes") && !prod.accepts("Acme"));
    }

    #[test]
    fn elsewhere_yes_will_do() {
        let question = Question::for_clusters("acme", &[]);
        assert_eq!(decide(&question, true, None, false), "go");
        assert_eq!(decide(&question, false, None, false), "NoTerminal");
        assert_eq!(decide(&question, false, None, true), "ask");
        assert_eq!(
            decide(&question, true, Some("other"), false),
            "NotConfirmed"
        );
        assert!(question.accepts("yes"));
        for wrong in ["y", "Yes", "YES", "", "yes please", "acme"] {
            assert!(!question.accepts(wrong), "{wrong} was taken");
        }
    }
}
