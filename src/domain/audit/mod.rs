//! Audit: who owns Helm's fields, cluster by cluster, and is it one manager everywhere?
//!
//! | room | holds |
//! |---|---|
//! | `capture` | what is read, and kept by `--save`: [`Capture`]; names of fields, no values |
//! | `census` | a capture → [`Audit`]: rows, outliers, totals |
//! | `groups` | the same releases by chart and by owner; every manager with what it holds |
//! | `class` | one entry, one object, one release → [`Ownership`] |
//! | `slide` | releases that were on server-side apply, and who took them off it |
//! | `gate` | what a fleet must be |
//! | `unowned` | fields of the manifest that nobody owns, without a schema |
//! | `diff` | two captures → [`AuditDiff`] |
//!
//! Pure functions of what was read. Objects decide, not records: a record may say `ssa` over objects that were never
//! applied.

mod capture;
mod census;
mod class;
mod diff;
mod gate;
mod groups;
mod slide;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unowned;

use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, ReleaseId, Revision};
use super::object::ObjectRef;
use super::release::{ChartRef, DrivenBy, EntryHead};

pub use capture::{Capture, EntryFacts, ObjectFacts, RecordFacts, ReleaseFacts};
pub use census::audit;
pub use class::of_object as object_class;
pub use diff::{
    AuditDiff, Change, DiffTotals, EntryId, FieldMove, ObjectChange, Presence, RecordState,
    ReleaseChange, diff,
};
pub use gate::ONE_MANAGER;
pub use groups::{GroupRow, ManagerClass, ManagerRow};
pub use unowned::unowned;

/// Who owns Helm's fields of a release: the gravest of its objects counts. In ascending gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ownership {
    /// The canonical manager, by server-side apply: where everything should be.
    Apply,
    /// Nobody.
    Unowned,
    /// The canonical manager, by client-side apply.
    Update,
    /// An older name of the canonical manager.
    Alias,
    /// Another applier.
    Foreign,
    /// Not read.
    Unknown,
}

/// The census of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// One row a cluster, in natural order.
    pub clusters: Vec<GroupRow>,
    /// One row a chart, in natural order.
    pub charts: Vec<GroupRow>,
    /// One row an owner: `helm` where nobody else drives the release, else the driver.
    pub owners: Vec<GroupRow>,
    /// Every manager that holds fields of a release's objects (status writers not counted), most releases first.
    pub managers: Vec<ManagerRow>,
    /// Sums of the rows; those of clusters, charts and owners are the same.
    pub summary: Counts,
    /// Managers that should not be there, by cluster in natural order, then by releases downwards.
    pub outliers: Vec<Outlier>,
    /// Releases that were on server-side apply and are not any more.
    pub slid_back: Vec<SlidBack>,
    /// Every release with its class, by cluster, namespace, name.
    pub releases: Vec<AuditedRelease>,
    /// What was asked of the fleet.
    pub gates: Vec<Gate>,
}

/// Releases by [`Ownership`]. `apply` to `unknown` add up to `releases`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// All.
    pub releases: u32,
    /// Under the canonical manager's server-side apply.
    pub apply: u32,
    /// With fields under its client-side apply.
    pub update: u32,
    /// With fields under an older name of it.
    pub alias: u32,
    /// That another tool applies.
    pub foreign: u32,
    /// With an object in which nobody owns any of Helm's fields.
    pub unowned: u32,
    /// Not read.
    pub unknown: u32,
    /// No releases but fields: those of manifests that nobody owns, over all releases.
    pub unowned_fields: u64,
}

/// A manager that should not own Helm's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlier {
    /// Where.
    pub cluster: ClusterName,
    /// The manager; of an alias its glob.
    pub manager: String,
    /// On how many releases.
    pub releases: u32,
    /// The driver of all of them, if it is one and the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driven_by: Option<DrivenBy>,
}

/// A release that left server-side apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlidBack {
    /// Which.
    pub release: ReleaseId,
    /// Its newest revision: the one that says so.
    pub revision: Revision,
    /// When that was written, as Helm records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Who did it, as far as records and managedFields tell: `Helm 3, as helm`.
    pub by: String,
    /// The newest revision that was written by server-side apply, if one is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ssa: Option<Revision>,
    /// Objects with both an Apply and an Update entry of Helm's: what the slide left in managedFields.
    pub objects: Vec<SlidObject>,
    /// What tells, in words.
    pub evidence: String,
}

/// What a slide left on an object: the newest client-side entry of Helm's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlidObject {
    /// Which.
    pub object: ObjectRef,
    /// The entry.
    pub entry: EntryHead,
    /// How many fields it holds.
    pub fields: u64,
}

/// A release with its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedRelease {
    /// Which.
    pub release: ReleaseId,
    /// Its chart, if its record reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartRef>,
    /// Its class.
    pub ownership: Ownership,
    /// Objects of that class.
    pub objects: u32,
    /// Fields of its manifest that nobody owns.
    pub unowned_fields: u64,
    /// Who else drives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driven_by: Option<DrivenBy>,
}

/// A gate and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// `one-manager`.
    pub name: String,
    /// Did it hold?
    pub result: GateResult,
    /// Releases that break it.
    pub releases: Vec<GateFinding>,
    /// Clusters that could not be read: what is not known does not pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<ClusterName>,
    /// Releases that were not asked: their drivers are meant to stay.
    pub expected: u32,
}

/// Did a gate hold?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GateResult {
    /// It held.
    Pass,
    /// It did not.
    Fail,
}

/// A release that breaks a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateFinding {
    /// Which.
    pub release: ReleaseId,
    /// Its class.
    pub ownership: Ownership,
    /// Did it slide back? Then that is the reason, whatever its class.
    pub slid_back: bool,
    /// Why, in words.
    pub why: String,
}
