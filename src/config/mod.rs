//! fleet.toml to a validated [`Fleet`]: every error at once, each with its place.
//!
//! Reads no file and no kubeconfig itself: the text and the contexts are arguments ([`Contexts`]). Nothing is written.

mod assemble;
mod audit;
mod cluster_what_if;
mod clusters;
mod contexts;
mod defaults;
mod depends;
mod policy;
mod schema;
mod view;
mod warning;
mod what_if;

#[cfg(test)]
mod tests;

pub use crate::toml_file::{ConfigInvalid, Problem, ProblemKind};
use assemble::Around;
pub use contexts::{Contexts, KubeContexts, from_contexts};
pub use defaults::Defaults;
pub use view::{Setting, default_values};
pub use warning::Warning;
pub use what_if::override_text;

use crate::domain::fleet::Fleet;

/// Cap on fleet.toml, in bytes: 5,000 clusters listed one by one take half of it.
const MAX_FLEET_BYTES: usize = 1 << 20;

/// Name of overrides in messages.
const WHAT_IF: &str = "--what-if";

/// Sections of fleet.toml with their keys, for its schema; the file itself has an empty name.
#[cfg(test)]
pub(crate) fn sections() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    schema::ALL.iter().map(|shape| (shape.section, shape.now))
}

/// A playbook, as text: its sections lie below those of fleet.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybookText {
    /// Its name.
    pub name: String,
    /// Its file, for places.
    pub file: String,
    /// What is in it.
    pub text: String,
}

/// Finds a playbook by its name. An error is a text for the user.
pub type Playbooks<'a> = dyn Fn(&str) -> Result<PlaybookText, String> + 'a;

/// A fleet, and what its owner should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The fleet.
    pub fleet: Fleet,
    /// Lawful, but maybe not meant.
    pub warnings: Vec<Warning>,
    /// Every value that holds, and where it is from.
    pub values: Vec<Setting>,
}

/// Reads a fleet.toml that names no playbook. `file` is its name in messages; `contexts` says which contexts a kubeconfig
/// offers. Either a fleet without a flaw, or all flaws.
pub fn load(text: &str, file: &str, contexts: &Contexts<'_>) -> Result<Loaded, ConfigInvalid> {
    let none = |name: &str| Err(format!("no playbook is named {name}: there are none here"));
    load_over(text, file, contexts, &none, &[])
}

/// Reads fleet.toml over its playbook, and overrides ([`override_text`]) over both.
pub fn load_over(
    text: &str,
    file: &str,
    contexts: &Contexts<'_>,
    playbooks: &Playbooks<'_>,
    what_if: &[String],
) -> Result<Loaded, ConfigInvalid> {
    if text.len() > MAX_FLEET_BYTES {
        return Err(ConfigInvalid::whole_file(
            file,
            format!(
                "the file has {} bytes; at most {MAX_FLEET_BYTES} are read",
                text.len()
            ),
        ));
    }
    let around = Around {
        contexts,
        playbooks,
        what_if,
    };
    assemble::assemble(text, file, &around, &Defaults::built_in()?)
}
