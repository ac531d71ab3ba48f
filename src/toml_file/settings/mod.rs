//! The sections that a playbook and fleet.toml have in common, read into the planner's settings.
//!
//! What is not said stays as [`PlanSettings::default`] has it: lower layers ([`Layers`](super::Layers)) say it before.

mod calendar;
mod guard;
mod limits;
mod risk;
mod shape;
mod words;

use super::problem::Problems;
use super::read::Section;
use crate::domain::fleet::settings::PlanSettings;

pub use calendar::{FREEZES, WINDOWS};
pub use guard::{BUDGET, GATES};
pub use limits::{LIMIT_BOUNDS, LIMITS, LimitsRead, limits};
pub use risk::{COST, RISK, WEIGHTS};
pub use shape::{CANARY, PEERS, STAGES, WAVES};

/// Keys of `[waves]` that exclude each other: a higher layer's takes the place of all of them.
pub const CUTS: &[&str] = &["sizes", "doubling", "shares", "stages"];

/// Sections that a playbook may have.
pub const OF_PLAYBOOKS: &[&str] = &["waves", "risk", "gates", "budget", "limits"];

/// Reads the planner's sections of a file. `playbook` is only its name, for the plan.
pub fn settings(top: &Section<'_>, playbook: &str, problems: &mut Problems) -> PlanSettings {
    let mut settings = PlanSettings {
        playbook: playbook.to_owned(),
        peers: shape::peers(top, problems),
        windows: calendar::windows(top, problems),
        freezes: calendar::freezes(top, problems),
        gates: guard::gates(top, problems),
        budget: guard::budget(top, problems),
        risk: risk::risk(top, problems),
        cost: risk::cost(top, problems),
        ..PlanSettings::default()
    };
    shape::waves(top, &mut settings, problems);
    guard::names_of_waves(top, &settings, problems);
    settings
}
