//! How an attempt ends, in the operator's words.

use serde::{Deserialize, Serialize};

/// Which side of the migration a stuck release is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// As before the migration.
    Before,
    /// Migrated, on server-side apply.
    After,
    /// Partly moved: in the benign mix, where the record says client-side apply.
    Between,
}

/// The end of an attempt at one release (run protocol §10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// After, exactly.
    Done,
    /// Before, exactly.
    Undone {
        /// Why it was put back.
        why: String,
    },
    /// Nothing done: somebody holds the release.
    Busy {
        /// Who.
        who: String,
    },
    /// Nothing done: it changed since the plan.
    Stale {
        /// What changed.
        what: String,
    },
    /// Nothing done: it needs something else first.
    Held {
        /// What.
        why: String,
    },
    /// Somebody else went on; ours is removed where that hurts nobody.
    MovedOn {
        /// Who or what moved, object by object.
        why: Vec<String>,
        /// False: a foreign pending revision never ended; `refit settle` looks again.
        settled: bool,
    },
    /// Only a person can decide; nothing is being written.
    Stuck {
        /// Why.
        why: String,
        /// Which side the release is on.
        side: Side,
    },
}

impl Outcome {
    /// The outcome's one word, the same on screen, in JSON and in the docs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Undone { .. } => "Undone",
            Self::Busy { .. } => "Busy",
            Self::Stale { .. } => "Stale",
            Self::Held { .. } => "Held",
            Self::MovedOn { .. } => "MovedOn",
            Self::Stuck { .. } => "Stuck",
        }
    }

    /// Nothing was written at all: the release is handed back to its owner.
    pub fn is_handed_back(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::Stale { .. } | Self::Held { .. }
        )
    }
}
