//! Texts of a playbook: templates, strict about every name they use.

use std::fmt;
use std::ops::Range;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::Playbook;

/// Steps that a template may take: a text is a paragraph, not a program.
const FUEL: u64 = 10_000;

/// Characters that a text may have once it is made.
const MAX_CHARS: usize = 4_000;

/// A text of a playbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// Said with a plan.
    Plan,
    /// What somebody approves.
    Approve,
    /// Said when a budget is spent.
    Failed,
    /// Said when a run is complete.
    Done,
}

impl Text {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Approve, Self::Failed, Self::Done];

    /// Its key under `[texts]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Approve => "approve",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    /// Is it about one wave?
    const fn has_wave(self) -> bool {
        matches!(self, Self::Approve | Self::Failed)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

/// What a text may name: `{{ fleet.name }}`, `{{ plan.releases }}`, `{{ wave.name }}`, `{{ budget.undone }}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The fleet.
    pub fleet: FleetFacts,
    /// The plan.
    pub plan: PlanFacts,
    /// The wave; only for `approve` and `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<WaveFacts>,
    /// The budget of a wave.
    pub budget: BudgetFacts,
}

/// A fleet, for texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FleetFacts {
    /// Its name.
    pub name: String,
    /// Its deadline: `2027-02-10`.
    pub deadline: String,
}

/// A plan, for texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFacts {
    /// Releases to migrate.
    pub releases: u32,
    /// Releases that are held.
    pub held: u32,
    /// Waves.
    pub waves: u32,
    /// Objects to adopt.
    pub objects: u32,
    /// Writes.
    pub writes: u32,
}

/// A wave, for texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaveFacts {
    /// From 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// How many releases.
    pub releases: u32,
}

/// A budget, for texts: `none` where there is no bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BudgetFacts {
    /// Releases that may fail: a number, or `any`.
    pub failed: String,
    /// Releases that may be undone: a number, or `any`.
    pub undone: String,
    /// What happens when it is spent: `stop`, `undo-cluster`, `undo-wave`.
    pub spent: String,
}

impl Facts {
    /// Facts of a small fleet, to try a text with.
    pub fn example(text: Text) -> Self {
        Self {
            fleet: FleetFacts {
                name: "acme".to_owned(),
                deadline: "2027-02-10".to_owned(),
            },
            plan: PlanFacts {
                releases: 536,
                held: 57,
                waves: 7,
                objects: 5_212,
                writes: 6_820,
            },
            wave: text.has_wave().then(|| WaveFacts {
                number: 2,
                name: "non-prod".to_owned(),
                releases: 114,
            }),
            budget: BudgetFacts {
                failed: "0".to_owned(),
                undone: "3".to_owned(),
                spent: "undo-wave".to_owned(),
            },
        }
    }
}

/// A text that cannot be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("text {text} of playbook {playbook}: {message}")]
pub struct TextFailed {
    /// The playbook.
    pub playbook: String,
    /// Which text.
    pub text: Text,
    /// Why.
    pub message: String,
}

impl Playbook {
    /// A text with these facts; `None` if the playbook does not have it.
    pub fn say(&self, text: Text, facts: &Facts) -> Result<Option<String>, TextFailed> {
        let Some(template) = self.texts.get(&text) else {
            return Ok(None);
        };
        made(template, facts).map(Some).map_err(|flaw| TextFailed {
            playbook: self.name.clone(),
            text,
            message: flaw.message,
        })
    }
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Why, for people.
    pub(super) message: String,
    /// Which part of the template.
    pub(super) at: Option<Range<usize>>,
}

/// What is wrong with a text, if anything: it is tried with an example.
pub(super) fn flaw_of(text: Text, template: &str) -> Option<Flaw> {
    made(template, &Facts::example(text)).err().map(|mut flaw| {
        if !text.has_wave() && template.contains("wave.") {
            flaw.message
                .push_str("; only approve and failed are about a wave");
        }
        flaw
    })
}

fn made(template: &str, facts: &Facts) -> Result<String, Flaw> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    let said = environment
        .render_str(
            template,
            minijinja::Value::from(minijinja::value::Serde(facts)),
        )
        .map_err(|error| Flaw {
            message: words(&error),
            at: error.range(),
        })?;
    if said.chars().count() > MAX_CHARS {
        return Err(Flaw {
            message: format!("the text has more than {MAX_CHARS} characters"),
            at: None,
        });
    }
    Ok(said.trim().to_owned())
}

/// The engine's words without its template name and line: places are the file's.
fn words(error: &minijinja::Error) -> String {
    use minijinja::ErrorKind;
    match (error.kind(), error.detail()) {
        (ErrorKind::UndefinedError, _) => {
            "no such name here; there are fleet.name, fleet.deadline, plan.releases, plan.held, plan.waves, plan.objects, \
             plan.writes, wave.number, wave.name, wave.releases, budget.failed, budget.undone, budget.spent"
                .to_owned()
        }
        (ErrorKind::OutOfFuel, _) => "the template takes too many steps".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}
