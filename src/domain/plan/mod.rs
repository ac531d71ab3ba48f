//! The plan: what migrates when, and what is held and why. Immutable, with a digest of its content.

mod assemble;
mod calendar;
mod canary;
mod canonical;
mod check;
mod clusters;
mod cover;
mod dependencies;
mod diff;
mod digest;
mod facts;
mod file;
mod fill;
mod index;
mod intake;
mod lint;
mod lists;
mod names;
mod needs;
mod notes;
mod order;
mod planner;
mod requests;
mod risk;
mod schedule;
mod seals;
pub mod settings;
mod signature;
mod unblock;
mod words;

#[cfg(test)]
mod fleet_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod times_tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::fleet::{Limits, Managers, PlanSettings, PolicyRule};
use super::ids::{ClusterName, Digest, ReleaseId, Revision, Uid};
use super::policy::Decision;
use super::release::{ChartRef, Driver};
use super::shadow::{Forecast, Reason, ReleaseOutcome};

pub use calendar::NoSuchZone;
pub use check::{CheckedPlan, PlanRefused};
pub use dependencies::{Dependencies, Edge, EdgeInvalid, EdgeReason};
pub use diff::{
    Change, ClusterChange, Place, PlanDiff, PlanTotals, RelaxationChange, ReleaseChange,
    SettingChange, WaveChange, WaveFacts,
};
pub use digest::digest_of;
pub use facts::{ClusterFacts, Facts, Risk};
pub use file::{API_VERSION, KIND, PlanUnreadable};
pub use lint::{Finding, lint};
pub use planner::{PlanError, PlanRequest, plan, start_before};
pub use requests::{RequestEstimate, Requests};
pub use schedule::{Calendar, Coverage, Late, Relaxation, Span, Untested, WaitsFor};
pub use seals::Seals;

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

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
    /// Signatures that the first wave does not show, by the wave that shows them first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untested: Vec<Untested>,
    /// When it is done, if it has a calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// What would make it sooner, the greatest gain first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relaxations: Vec<Relaxation>,
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
    /// When its clusters were read, if that was before: it is made from a saved inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
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
    /// The last day, as the fleet has it.
    pub deadline: Date,
    /// IANA name of the zone for times without one.
    pub timezone: String,
    /// What the planner was told.
    pub settings: PlanSettings,
    /// Labels, zone and windows of each cluster, as far as settings look at them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clusters: BTreeMap<ClusterName, ClusterFacts>,
    /// The policies: a run decides by them, whatever fleet.toml says by then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRule>,
    /// Labels of clusters, where policies ask for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<ClusterName, BTreeMap<String, String>>,
}

/// A batch of releases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wave {
    /// From 1.
    pub number: u32,
    /// `canary`, `wave-2`, …, or the stage's: `non-prod`, `prod-a`.
    pub name: String,
    /// Place of its stage, from 1; 0 is the canary that comes before all stages.
    #[serde(default)]
    pub stage: u32,
    /// Which of its stage's waves it is, from 1.
    #[serde(default)]
    pub part: u32,
    /// The lane that it belongs to, such as `eu-1`; none if waves are of the whole fleet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Numbers of the waves that are done and soaked before it starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// When it starts, at the earliest and if nothing goes wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// When its last write is done; the soak follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// How long it is watched before the next, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub soak: u32,
    /// Somebody other than the author approves it before it starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approval: bool,
    /// Signatures seen when it is done.
    #[serde(default)]
    pub coverage: Coverage,
    /// What it waits for between the soak of the wave before it and its start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<WaitsFor>,
    /// When it writes, in order: long waves rest between windows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// Its releases, in the order they start.
    pub releases: Vec<PlannedRelease>,
}

impl Wave {
    /// When it has been watched; `None` without a calendar, or if it never writes.
    pub fn soaked(&self) -> Option<Timestamp> {
        let soak = SignedDuration::from_secs(i64::from(self.soak));
        self.ends.map(|ends| ends.checked_add(soak).unwrap_or(ends))
    }
}

impl Plan {
    /// When all that a wave comes after has been watched: what it waits for then is a window, a freeze, an approval.
    pub fn ready(&self, wave: &Wave) -> Timestamp {
        let before = self
            .waves
            .iter()
            .filter(|it| wave.after.contains(&it.number));
        let soaked = before.filter_map(Wave::soaked).max();
        soaked.unwrap_or(self.metadata.made_at)
    }
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
    /// Writes: one an object, one more where its values change, and three of records.
    pub writes: u32,
    /// Why in this wave.
    pub reason: String,
    /// Labels of its own; those of its cluster are in the metadata.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its risk.
    #[serde(default, skip_serializing_if = "Risk::is_none")]
    pub risk: Risk,
    /// Releases of the plan that it needs, and that migrate before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<ReleaseId>,
    /// Latent conflicts, drops, missing objects, left-over hooks: reported, hold nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Reason>,
    /// What policies decided about its conflicts and drops, rule by rule. A run does at most this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// Objects that get one more write: their values change before their owners.
fn valued_objects(decisions: &[Decision]) -> usize {
    let changes = decisions.iter().filter(|it| it.changes_a_value());
    let objects: BTreeSet<_> = changes.map(|it| &it.object).collect();
    objects.len()
}

impl PlannedRelease {
    /// Objects whose values change: each gets one more write.
    pub fn valued_objects(&self) -> u32 {
        u32::try_from(valued_objects(&self.decisions)).unwrap_or(u32::MAX)
    }

    /// Objects of which a rule rewrites owners that no undo puts back.
    pub fn irreversible_objects(&self) -> u32 {
        let done = self.decisions.iter().filter(|it| it.irreversible);
        let objects: BTreeSet<_> = done.map(|it| &it.object).collect();
        u32::try_from(objects.len()).unwrap_or(u32::MAX)
    }

    /// Values that its policies change.
    pub fn value_changes(&self) -> u32 {
        let changes = self.decisions.iter().filter(|it| it.changes_a_value());
        u32::try_from(changes.count()).unwrap_or(u32::MAX)
    }
}

impl Plan {
    /// Objects of which a rule rewrites owners that no undo puts back.
    pub fn irreversible_objects(&self) -> u32 {
        let releases = self.waves.iter().flat_map(|wave| &wave.releases);
        releases.map(PlannedRelease::irreversible_objects).sum()
    }
}

/// A release that the plan does not touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRelease {
    /// Which.
    pub release: ReleaseId,
    /// `NeedsChoice` or `Blocked`; `Ready` if only a release that it needs is held.
    pub outcome: ReleaseOutcome,
    /// Why, gravest first.
    pub reasons: Vec<Reason>,
    /// What would set it free: `refit triage: answer image set by hand`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
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
    /// Ready releases that are held because one that they need is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiting: u32,
    /// Releases that are done.
    pub done: u32,
    /// Objects to adopt.
    pub objects: u32,
    /// Writes in all.
    pub writes: u32,
    /// Values that will change, as policies (`take`, `prune`) or `mode = "enforce"` say; else 0.
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
    /// What else the planner weighs.
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
}
