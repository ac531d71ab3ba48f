//! Audit: who owns Helm's fields, cluster by cluster, and is it one manager everywhere?
//!
//! A pure function of what was read: [`audit`] takes [`AuditInput`] and gives [`Audit`]. Objects decide, not records:
//! a record may say `ssa` over objects that were never applied.

mod census;
mod class;
mod gate;
mod slide;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::fleet::Managers;
use super::ids::{ClusterName, ReleaseId, Revision};
use super::object::ObjectRef;
use super::release::{DrivenBy, EntryHead};

pub use census::audit;
pub use gate::ONE_MANAGER;

/// What an audit is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditInput {
    /// The canonical manager and its older names.
    pub managers: Managers,
    /// Every cluster of the fleet: `None` was read, else why not.
    pub clusters: BTreeMap<ClusterName, Option<String>>,
    /// Every release that was found.
    pub releases: Vec<ReleaseFacts>,
    /// Drivers that are meant to stay: they leave the gate, not the table.
    pub expect: BTreeSet<DrivenBy>,
}

/// One release as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// Which.
    pub release: ReleaseId,
    /// Who else drives it.
    pub driven_by: Option<DrivenBy>,
    /// Its stored revisions.
    pub records: Vec<RecordFacts>,
    /// Its live objects.
    pub objects: Vec<ObjectFacts>,
    /// Why it, or one of its objects, could not be read: it then counts as unknown.
    pub unread: Option<String>,
}

/// One stored revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFacts {
    /// Its number.
    pub revision: Revision,
    /// `ssa`, `csa`, or `None`: Helm 3 writes no apply method.
    pub apply_method: Option<String>,
    /// Helm's status: `deployed`, `superseded`, `pending-upgrade`, ….
    pub status: String,
    /// When it was written, as Helm records it.
    pub at: Option<String>,
}

/// One live object of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFacts {
    /// Which.
    pub object: ObjectRef,
    /// Its managers.
    pub entries: Vec<EntryFacts>,
}

/// One item of managedFields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryFacts {
    /// Who, how, when.
    pub head: EntryHead,
    /// Does it hold any of Helm's fields: of the stored manifest, or of what Helm adds?
    pub helms: bool,
}

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
    pub clusters: Vec<ClusterRow>,
    /// Sums of the rows.
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
    /// HELM/APPLY.
    pub apply: u32,
    /// HELM/UPDATE.
    pub update: u32,
    /// ALIAS.
    pub alias: u32,
    /// FOREIGN.
    pub foreign: u32,
    /// UNOWNED.
    pub unowned: u32,
    /// Not read.
    pub unknown: u32,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRow {
    /// Which.
    pub cluster: ClusterName,
    /// Its releases. Of a cluster that was not read they are unknown, which is not zero.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
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
    /// Its newest revision.
    pub revision: Revision,
    /// When that was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What tells, in words.
    pub evidence: String,
}

/// A release with its class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditedRelease {
    /// Which.
    pub release: ReleaseId,
    /// Its class.
    pub ownership: Ownership,
    /// Objects of that class.
    pub objects: u32,
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
    /// Why, in words.
    pub why: String,
}
