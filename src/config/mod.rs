//! fleet.toml to a validated [`Fleet`]: every error at once, each with its place.
//!
//! Reads no file and no kubeconfig itself: the text and the contexts are arguments ([`Contexts`]). Nothing is written.

mod assemble;
mod audit;
mod clusters;
mod contexts;
mod defaults;
mod depends;
mod policy;
mod problem;
mod read;
mod schema;
mod values;
mod warning;

#[cfg(test)]
mod tests;

pub use contexts::{Contexts, KubeContexts, from_contexts};
pub use defaults::Defaults;
pub use problem::{ConfigInvalid, Problem, ProblemKind};
pub use warning::Warning;

use crate::domain::fleet::Fleet;

/// Cap on fleet.toml, in bytes: 5,000 clusters listed one by one take half of it.
const MAX_FLEET_BYTES: usize = 1 << 20;

/// A fleet, and what its owner should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The fleet.
    pub fleet: Fleet,
    /// Lawful, but maybe not meant.
    pub warnings: Vec<Warning>,
}

/// Reads fleet.toml. `file` is its name in messages; `contexts` says which contexts a kubeconfig offers.
/// Either a fleet without a flaw, or all flaws.
pub fn load(text: &str, file: &str, contexts: &Contexts<'_>) -> Result<Loaded, ConfigInvalid> {
    if text.len() > MAX_FLEET_BYTES {
        return Err(ConfigInvalid::whole_file(
            file,
            format!(
                "the file has {} bytes; at most {MAX_FLEET_BYTES} are read",
                text.len()
            ),
        ));
    }
    assemble::assemble(text, file, contexts, &Defaults::built_in()?)
}
