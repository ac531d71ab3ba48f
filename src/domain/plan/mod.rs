//! The plan: what migrates when, and what is held and why. Immutable, with a digest of its content.

mod check;
mod digest;
mod file;
mod lint;
mod notes;
mod order;
mod planner;
mod seals;
mod sizes;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fleet::{Limits, Managers, PolicyRule, WaveSizes};
use super::ids::{ClusterName, Digest, ReleaseId, Revision, Uid};
use super::policy::Decision;
use super::release::{ChartRef, Driver};
use super::shadow::{Forecast, Reason, ReleaseOutcome};

pub use check::{CheckedPlan, PlanRefused};
pub use digest::digest_of;
pub use file::{API_VERSION, KIND, PlanUnreadable};
pub use lint::{Finding, lint};
pub use planner::{PlanError, PlanRequest, plan};
pub use seals::Seals;

/// A plan as its file has it (without `apiVersion` and `kind`, which [`Plan::to_json`] adds).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// What it was made of.
    pub metadata: PlanMetadata,
    /// The waves, in order; the first is the canary.
    pub waves: Vec<Wave>,
    /// Releases that are not in a wave, each with its reasons.
    pub held: Vec<HeldRelease>,
    /// Releases that are on server-side apply already.
    pub done: Vec<ReleaseId>,
    /// Clusters that could not be read: their releases are unknown.
    pub unread: BTreeMap<ClusterName, String>,
    /// Totals.
    pub summary: PlanSummary,
    /// Short checksums of the parts: they say where a plan was edited. That it was, the digest says.
    pub seals: Seals,
}

/// Where a plan comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanMetadata {
    /// The fleet's name.
    pub fleet: String,
    /// SHA-256 of the plan's canonical JSON with this field empty.
    pub digest: Digest,
    /// refit's version: `run` refuses another's plan.
    pub tool: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// `run` must start before.
    pub start_before: Timestamp,
    /// Digests of what it was made from: fleet.toml, inventory.
    pub inputs: BTreeMap<String, Digest>,
    /// Who owns fields afterwards.
    pub managers: Managers,
    /// Limits by cluster.
    pub limits: BTreeMap<ClusterName, Limits>,
    /// Writes per second of the whole fleet.
    pub writes_per_second: u32,
    /// Sizes that the waves were cut by.
    pub sizes: WaveSizes,
    /// The policies: a run decides by them, whatever fleet.toml says by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRule>,
    /// Labels of clusters, where policies ask for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<ClusterName, BTreeMap<String, String>>,
}

/// A batch of releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wave {
    /// From 1.
    pub number: u32,
    /// `canary`, `wave-2`, ….
    pub name: String,
    /// Its releases, in the order they start.
    pub releases: Vec<PlannedRelease>,
}

/// A release that the plan migrates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedRelease {
    /// Which.
    pub release: ReleaseId,
    /// Its chart.
    pub chart: ChartRef,
    /// Where its records are.
    pub driver: Driver,
    /// The deployed revision that the plan saw, and its record's uid: another one is Stale.
    pub revision: Revision,
    /// uid of the record.
    pub record_uid: Uid,
    /// Objects to adopt.
    pub objects: u32,
    /// Writes: one an object and three of records.
    pub writes: u32,
    /// Why in this wave.
    pub reason: String,
    /// Latent conflicts, drops, missing objects, left-over hooks: reported, hold nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// What policies decided about its conflicts and drops, rule by rule. A run does at most this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// A release that the plan does not touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRelease {
    /// Which.
    pub release: ReleaseId,
    /// `NeedsChoice` or `Blocked`.
    pub outcome: ReleaseOutcome,
    /// Why, gravest first.
    pub reasons: Vec<Reason>,
}

/// Totals of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    /// Releases to migrate.
    pub migrate: u32,
    /// Releases that need a choice.
    pub needs_choice: u32,
    /// Releases that are blocked.
    pub blocked: u32,
    /// Releases that are done.
    pub done: u32,
    /// Objects to adopt.
    pub objects: u32,
    /// Writes in all.
    pub writes: u32,
    /// Values that will change: always 0 in mode `adopt`.
    pub value_changes: u32,
}

/// What the planner is given for one release: its forecast and the facts of its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The forecast, under the decisions.
    pub forecast: Forecast,
    /// What policies decided.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// Its chart.
    pub chart: ChartRef,
    /// Where its records are.
    pub driver: Driver,
    /// The deployed revision.
    pub revision: Revision,
    /// uid of its record.
    pub record_uid: Uid,
}
