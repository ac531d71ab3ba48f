//! Forecast: what server-side apply would do to each object and release.

mod agreement;
mod defaults;
mod next;
mod object;
pub mod offline;
mod release;
mod summary;
mod traps;

pub use agreement::{Aspect, Confirmed, Disagreement, disagreements, evenly};
pub use next::{NextFacts, NextObject, NextOutcome, NextUpgrade, judge_next, refuses_import};
pub use object::{Probe, Probed, is_built_in_group, is_custom_resource, read_entries, read_probe};
pub use release::{ACTIVE_CONFLICT, DEAD_ENTRIES, ReleaseFacts, active_conflict, judge};
pub use summary::{OwnerCount, Rate, Summary, summary};
pub use traps::{EMPTY_CHURN, SWITCH_TRAP, trap_notes};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// Path, as the server writes it: `.spec.replicas`.
    pub field: String,
    /// Who: `kubectl/scale`, `argocd-controller`.
    pub owner: String,
    /// When the owner's entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// What stands there; texts as they are, else JSON; never a Secret's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
    /// What the manifest makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
}

/// What the forecast says of one object. Facts, not a verdict: several may hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectForecast {
    /// Which.
    pub object: ObjectRef,
    /// The gravest fact.
    pub outcome: ObjectOutcome,
    /// Live value ≠ manifest value, and another manager owns the field: the next apply is a 409.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub active: Vec<Conflict>,
    /// Equal today, co-owned: a 409 the day the chart changes the field. Reported, holds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latent: Vec<Conflict>,
    /// Fields Helm owns and the manifest does not name: let go, the value stays. Reported, holds nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drops: Vec<String>,
    /// Live value ≠ manifest value, and nobody else owns it: the next apply sets it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// What stands at the fields of `drops` and `drift`, for people; a field may be missing here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Stands>,
}

/// What stands at a field that no other manager owns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stands {
    /// Which of Helm's own entries has it: `helm`, or an older name; none if nobody owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When that entry last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The live value; texts as they are, else JSON; never a Secret's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<String>,
    /// What the manifest makes of it: nothing of a drop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
}

/// The gravest fact about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum ObjectOutcome {
    /// Already owned through server-side apply by the canonical manager, alone.
    Migrated,
    /// Only ownership would change.
    OwnershipOnly,
    /// Values differ on fields that nobody else owns.
    Drift,
    /// Another manager owns fields whose values differ.
    Conflict,
    /// Not on the cluster.
    Missing,
    /// Server-side apply refuses the manifest.
    Invalid {
        /// The server's words.
        reason: String,
    },
    /// Two releases hold it.
    Shared {
        /// The others.
        with: Vec<String>,
    },
    /// managedFields of versions that the server knows no more.
    DeadEntries {
        /// Which.
        entries: Vec<String>,
    },
    /// managedFields of a version that is served and that the object does not fit: every apply is refused.
    MisfitEntries {
        /// The server's words.
        reason: String,
    },
    /// Another tool applies it.
    ForeignApplier {
        /// Which.
        manager: String,
    },
    /// On its way out.
    BeingDeleted,
    /// Admission refuses the adoption patch, or changes the object through it.
    Admission {
        /// Which, and how, without values.
        reason: String,
    },
    /// The forecast cannot say.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// Whether a release may be migrated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReleaseOutcome {
    /// Cannot be, until something else is done.
    Blocked,
    /// Can be, once somebody has decided.
    NeedsChoice,
    /// Can be.
    Ready,
    /// Is.
    Done,
}

impl ObjectOutcome {
    /// Its word, as in JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Migrated => "Migrated",
            Self::OwnershipOnly => "OwnershipOnly",
            Self::Drift => "Drift",
            Self::Conflict => "Conflict",
            Self::Missing => "Missing",
            Self::Invalid { .. } => "Invalid",
            Self::Shared { .. } => "Shared",
            Self::DeadEntries { .. } => "DeadEntries",
            Self::MisfitEntries { .. } => "MisfitEntries",
            Self::ForeignApplier { .. } => "ForeignApplier",
            Self::BeingDeleted => "BeingDeleted",
            Self::Admission { .. } => "Admission",
            Self::Unknown { .. } => "Unknown",
        }
    }
}

/// Why a release is not Ready, or a note about one that is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// A word that groups: `active-conflict`, `pending-upgrade`, `shared-object`, `driven-elsewhere`, ….
    pub cause: String,
    /// The object, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// What a person reads.
    pub detail: String,
}

/// The forecast of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// Which.
    pub release: ReleaseId,
    /// The verdict.
    pub outcome: ReleaseOutcome,
    /// Why it is held; empty if Ready or Done. Gravest first.
    pub reasons: Vec<Reason>,
    /// Left-over hooks, kept orphans, `EmptyChurn`, `SwitchTrap`: reported, hold nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// Its objects, in Helm's install order.
    pub objects: Vec<ObjectForecast>,
}
