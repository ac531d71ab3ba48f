//! Playbooks: shape of waves, gates, soak, budgets, and what is said and done on failure, as files to choose from.
//!
//! | decisions (here) | effects (`cli`) |
//! |---|---|
//! | text of a file → [`Playbook`], or all its flaws with places | reading the folder `playbooks/` beside fleet.toml |
//! | built-in and own ones → [`Library`]; an own one takes the place of a built-in one of its name | the note about that |
//! | a text and [`Facts`] → a line for people ([`Playbook::say`]) | printing it |
//!
//! The sections of a playbook are those of fleet.toml and lie below them: what fleet.toml says holds.

mod built_in;
mod library;
mod read;
mod texts;
pub mod triage;

pub use built_in::BUILT_IN;
pub use library::{Library, Listed, Origin, OwnFile, PlaybookError};
#[cfg(test)]
pub(crate) use read::sections;
pub use texts::{BudgetFacts, Facts, FleetFacts, PlanFacts, Text, TextFailed, WaveFacts};

use std::collections::BTreeMap;

use crate::domain::fleet::PlanSettings;

/// A playbook without a flaw.
#[derive(Debug, Clone, PartialEq)]
pub struct Playbook {
    /// Its name: that of its file without `.toml`.
    pub name: String,
    /// Where it is from.
    pub origin: Origin,
    /// What it is, in a line.
    pub summary: String,
    /// For which fleets, in a line.
    pub when: String,
    /// Templates of its texts.
    pub texts: BTreeMap<Text, String>,
    /// What it alone tells the planner, over no defaults.
    pub settings: PlanSettings,
    /// What it says about limits.
    pub limits: crate::toml_file::settings::LimitsRead,
    /// The file's text.
    pub source: String,
}

#[cfg(test)]
mod tests;
