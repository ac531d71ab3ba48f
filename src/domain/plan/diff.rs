//! What differs between two plans of a fleet: places of releases, waves, settings.
//!
//! A wave is known by its name: a wave put in between renumbers the later ones, and moves nobody.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Plan, PlanSummary, PlannedRelease, Relaxation, Wave};
use crate::domain::fleet::release_order;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::shadow::ReleaseOutcome;

/// Fields of the metadata that differ between any two plans: when and by whom, not what.
const NEVER_SETTINGS: [&str; 5] = ["digest", "madeAt", "startBefore", "tool", "inputs"];

/// What differs between two plans. Empty for equal ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanDiff {
    /// Waves that are not the same, in the order of the later plan; those that are gone at the end.
    pub waves: Vec<WaveChange>,
    /// Releases that have another place or other facts, in the fleet's order.
    pub releases: Vec<ReleaseChange>,
    /// Settings, by their path in the plan's metadata.
    pub settings: Vec<SettingChange>,
    /// Clusters that were read for one of the two only.
    pub clusters: Vec<ClusterChange>,
    /// What would make a plan sooner, and is not the same for the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relaxations: Vec<RelaxationChange>,
    /// The earlier plan as a whole.
    pub before: PlanTotals,
    /// The later plan as a whole.
    pub after: PlanTotals,
    /// Do the totals differ by more than the time that lies between the plans?
    #[serde(skip)]
    totals: bool,
}

/// A plan as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanTotals {
    /// Counts.
    #[serde(flatten)]
    pub summary: PlanSummary,
    /// Waves.
    pub waves: u32,
    /// When the last wave has soaked; `None` without a calendar, or if that is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Timestamp>,
    /// Days from there to the deadline; negative is late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_days: Option<i32>,
    /// Releases that miss the deadline.
    pub late: u32,
}

impl PlanTotals {
    fn of(plan: &Plan) -> Self {
        let calendar = plan.calendar.as_ref();
        Self {
            summary: plan.summary,
            waves: u32::try_from(plan.waves.len()).unwrap_or(u32::MAX),
            finish: calendar.and_then(|it| it.done),
            slack_days: calendar.and_then(|it| it.slack_days),
            late: calendar.map_or(0, |it| it.late.iter().map(|late| late.releases).sum()),
        }
    }

    fn is_same(&self, later: &Self, shift: SignedDuration) -> bool {
        (self.summary, self.waves, self.late) == (later.summary, later.waves, later.late)
            && same_time(self.finish, later.finish, shift)
    }
}

/// One way to be sooner done, in two plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelaxationChange {
    /// The change of settings: `soak.prod 72h -> 48h`.
    pub change: Vec<String>,
    /// What it gave for the earlier plan; `None` if it was no way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Relaxation>,
    /// What it gives for the later plan; `None` if it is no way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Relaxation>,
}

/// One wave in two plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaveChange {
    /// Its name.
    pub name: String,
    /// In the earlier plan; `None` if it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<WaveFacts>,
    /// In the later plan; `None` if it is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<WaveFacts>,
    /// Releases that are in it now and were not.
    pub came: u32,
    /// Releases that were in it and are not now.
    pub left: u32,
}

/// What a wave is, without its releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaveFacts {
    /// From 1.
    pub number: u32,
    /// How many releases.
    pub releases: u32,
    /// Objects to adopt.
    pub objects: u64,
    /// Writes.
    pub writes: u64,
    /// When it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// When its last write is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// How long it is watched, in seconds.
    pub soak: u32,
    /// Somebody approves it.
    pub approval: bool,
}

/// One release in two plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseChange {
    /// Which.
    pub release: ReleaseId,
    /// What happened, in a word.
    pub change: Change,
    /// Where it was; `None` if the earlier plan does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Place>,
    /// Where it is; `None` if the later plan does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Place>,
    /// Facts that changed: `revision 4 -> 5`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
}

/// What happened to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// It was not in the earlier plan.
    New,
    /// It is not in the later plan.
    Gone,
    /// It is in another wave.
    Moved,
    /// It was in a wave and is held.
    Held,
    /// It was held and is in a wave.
    Freed,
    /// It is on server-side apply now.
    Done,
    /// It was on server-side apply and is not any more.
    SlidBack,
    /// It stands where it stood, with other facts.
    Changed,
}

impl Change {
    /// All of them, as they are counted.
    pub const ALL: [Self; 8] = [
        Self::Moved,
        Self::New,
        Self::Gone,
        Self::Held,
        Self::Freed,
        Self::Done,
        Self::SlidBack,
        Self::Changed,
    ];
}

/// Where a plan has a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "in")]
pub enum Place {
    /// In a wave.
    Wave {
        /// From 1.
        number: u32,
        /// Its name.
        name: String,
    },
    /// Held.
    Held {
        /// `NeedsChoice` or `Blocked`.
        outcome: ReleaseOutcome,
        /// The gravest cause.
        cause: String,
    },
    /// On server-side apply already.
    Done,
}

/// One setting in two plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettingChange {
    /// `limits.eu-1.writesPerSecond`.
    pub setting: String,
    /// What it was; `None` if it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is; `None` if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A cluster that was read for one plan only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterChange {
    /// Which.
    pub cluster: ClusterName,
    /// Why it was not read for the earlier plan; `None` if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Why it was not read for the later plan; `None` if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl WaveFacts {
    fn is_same(&self, later: &Self, shift: SignedDuration) -> bool {
        let times = Self {
            starts: later.starts,
            ends: later.ends,
            ..self.clone()
        };
        times == *later
            && same_time(self.starts, later.starts, shift)
            && same_time(self.ends, later.ends, shift)
    }
}

/// How much later a plan was made.
fn shift(before: &Plan, after: &Plan) -> SignedDuration {
    after
        .metadata
        .made_at
        .duration_since(before.metadata.made_at)
}

/// At the same time, or as long after the plan was made: to a second, as plans begin with a whole one.
fn same_time(was: Option<Timestamp>, is: Option<Timestamp>, shift: SignedDuration) -> bool {
    match (was, is) {
        (Some(was), Some(is)) => {
            let moved = is.duration_since(was);
            moved.is_zero() || (moved - shift).abs() <= SignedDuration::from_secs(1)
        }
        (was, is) => was == is,
    }
}

impl PlanDiff {
    /// Compares an earlier plan with a later one. `O(n log n)` in their releases. A plan made an hour later is done an hour
    /// later if nothing else holds it up: that is no difference.
    pub fn of(before: &Plan, after: &Plan) -> Self {
        let shift = shift(before, after);
        let (was, is) = (PlanTotals::of(before), PlanTotals::of(after));
        Self {
            totals: !was.is_same(&is, shift),
            waves: waves(before, after, shift),
            releases: releases(before, after),
            settings: settings(before, after),
            clusters: clusters(before, after),
            relaxations: relaxations(before, after, shift),
            before: was,
            after: is,
        }
    }

    /// Do both plans do the same?
    pub fn is_empty(&self) -> bool {
        self.waves.is_empty()
            && self.releases.is_empty()
            && self.settings.is_empty()
            && self.clusters.is_empty()
            && self.relaxations.is_empty()
            && !self.totals
    }

    /// How many releases changed in this way.
    pub fn count(&self, change: Change) -> usize {
        self.releases
            .iter()
            .filter(|it| it.change == change)
            .count()
    }
}

/// A release as one plan has it.
struct Seen<'a> {
    place: Place,
    facts: Option<&'a PlannedRelease>,
}

fn seen(plan: &Plan) -> BTreeMap<&ReleaseId, Seen<'_>> {
    let planned = plan.waves.iter().flat_map(|wave| {
        wave.releases.iter().map(|it| {
            let place = Place::Wave {
                number: wave.number,
                name: wave.name.clone(),
            };
            let facts = Some(it);
            (&it.release, Seen { place, facts })
        })
    });
    let held = plan.held.iter().map(|it| {
        let cause = it.reasons.first().map_or("unknown", |it| it.cause.as_str());
        let place = Place::Held {
            outcome: it.outcome,
            cause: cause.to_owned(),
        };
        (&it.release, Seen { place, facts: None })
    });
    let done = plan.done.iter().map(|it| {
        let place = Place::Done;
        (it, Seen { place, facts: None })
    });
    planned.chain(held).chain(done).collect()
}

fn releases(before: &Plan, after: &Plan) -> Vec<ReleaseChange> {
    let mut was = seen(before);
    let mut changes = Vec::new();
    for (release, is) in seen(after) {
        match was.remove(release) {
            None => changes.push(ReleaseChange {
                release: release.clone(),
                change: Change::New,
                before: None,
                after: Some(is.place),
                facts: Vec::new(),
            }),
            Some(was) => changes.extend(change(release, was, is)),
        }
    }
    changes.extend(was.into_iter().map(|(release, was)| ReleaseChange {
        release: release.clone(),
        change: Change::Gone,
        before: Some(was.place),
        after: None,
        facts: Vec::new(),
    }));
    changes.sort_by(|a, b| release_order(&a.release, &b.release));
    changes
}

fn change(release: &ReleaseId, was: Seen<'_>, is: Seen<'_>) -> Option<ReleaseChange> {
    let facts = match (was.facts, is.facts) {
        (Some(was), Some(is)) => facts(was, is),
        _ => Vec::new(),
    };
    let change = match (&was.place, &is.place) {
        (Place::Wave { name: a, .. }, Place::Wave { name: b, .. }) if a != b => Change::Moved,
        (Place::Wave { .. }, Place::Wave { .. }) | (Place::Done, Place::Done) => {
            if facts.is_empty() {
                return None;
            }
            Change::Changed
        }
        (Place::Held { .. }, Place::Held { .. }) => {
            if was.place == is.place {
                return None;
            }
            Change::Changed
        }
        (Place::Done, _) => Change::SlidBack,
        (_, Place::Done) => Change::Done,
        (Place::Wave { .. }, Place::Held { .. }) => Change::Held,
        (Place::Held { .. }, Place::Wave { .. }) => Change::Freed,
    };
    Some(ReleaseChange {
        release: release.clone(),
        change,
        before: Some(was.place),
        after: Some(is.place),
        facts,
    })
}

/// Facts of a planned release that say that it is not the same any more.
fn facts(was: &PlannedRelease, is: &PlannedRelease) -> Vec<String> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, was: String, is: String| {
        if was != is {
            facts.push(format!("{name} {was} -> {is}"));
        }
    };
    let chart = |it: &PlannedRelease| format!("{}-{}", it.chart.name, it.chart.version);
    fact("chart", chart(was), chart(is));
    fact(
        "revision",
        was.revision.to_string(),
        is.revision.to_string(),
    );
    fact("objects", was.objects.to_string(), is.objects.to_string());
    let notes = |it: &PlannedRelease| it.notes.len().to_string();
    fact("notes", notes(was), notes(is));
    if was.record_uid != is.record_uid && was.revision == is.revision {
        facts.push("its record is another one".to_owned());
    }
    if was.driver != is.driver {
        facts.push("its records are kept elsewhere".to_owned());
    }
    facts
}

fn waves(before: &Plan, after: &Plan, shift: SignedDuration) -> Vec<WaveChange> {
    let was: BTreeMap<&str, &Wave> = before.waves.iter().map(|it| (&*it.name, it)).collect();
    let mut changes: Vec<WaveChange> = after
        .waves
        .iter()
        .filter_map(|is| wave_change(was.get(&*is.name).copied(), Some(is), shift))
        .collect();
    let gone = before
        .waves
        .iter()
        .filter(|was| !after.waves.iter().any(|is| is.name == was.name));
    changes.extend(gone.filter_map(|was| wave_change(Some(was), None, shift)));
    changes
}

fn wave_change(was: Option<&Wave>, is: Option<&Wave>, shift: SignedDuration) -> Option<WaveChange> {
    let ids = |wave: Option<&Wave>| {
        let releases = wave.map_or(&[][..], |wave| &wave.releases);
        let ids: std::collections::BTreeSet<ReleaseId> =
            releases.iter().map(|it| it.release.clone()).collect();
        ids
    };
    let (left, here) = (ids(was), ids(is));
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let change = WaveChange {
        name: is.or(was)?.name.clone(),
        before: was.map(wave_facts),
        after: is.map(wave_facts),
        came: count(here.difference(&left).count()),
        left: count(left.difference(&here).count()),
    };
    let same = match (&change.before, &change.after) {
        (Some(was), Some(is)) => was.is_same(is, shift),
        _ => false,
    };
    let same = same && change.came == 0 && change.left == 0;
    (!same).then_some(change)
}

fn wave_facts(wave: &Wave) -> WaveFacts {
    let sum =
        |of: fn(&PlannedRelease) -> u32| wave.releases.iter().map(|it| u64::from(of(it))).sum();
    WaveFacts {
        number: wave.number,
        releases: u32::try_from(wave.releases.len()).unwrap_or(u32::MAX),
        objects: sum(|it| it.objects),
        writes: sum(|it| it.writes),
        starts: wave.starts,
        ends: wave.ends,
        soak: wave.soak,
        approval: wave.approval,
    }
}

/// Every leaf of the metadata that is not the same. Generic, so that a new setting is compared without a word here.
fn settings(before: &Plan, after: &Plan) -> Vec<SettingChange> {
    let leaves = |plan: &Plan| {
        let mut found = BTreeMap::new();
        if let Ok(Value::Object(map)) = serde_json::to_value(&plan.metadata) {
            for (key, value) in map {
                if !NEVER_SETTINGS.contains(&key.as_str()) {
                    flatten(key, value, &mut found);
                }
            }
        }
        found
    };
    let (mut was, is) = (leaves(before), leaves(after));
    let mut changes = Vec::new();
    for (setting, after) in is {
        let before = was.remove(&setting);
        if before.as_ref() != Some(&after) {
            changes.push(SettingChange {
                setting,
                before,
                after: Some(after),
            });
        }
    }
    changes.extend(was.into_iter().map(|(setting, before)| SettingChange {
        setting,
        before: Some(before),
        after: None,
    }));
    changes.sort_by(|a, b| a.setting.cmp(&b.setting));
    changes
}

/// Objects are taken apart; lists and scalars are leaves.
fn flatten(path: String, value: Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(format!("{path}.{key}"), value, found);
            }
        }
        leaf => {
            found.insert(path, leaf);
        }
    }
}

fn clusters(before: &Plan, after: &Plan) -> Vec<ClusterChange> {
    let names = before.unread.keys().chain(after.unread.keys());
    let names: std::collections::BTreeSet<&ClusterName> = names.collect();
    names
        .into_iter()
        .filter(|name| before.unread.contains_key(*name) != after.unread.contains_key(*name))
        .map(|name| ClusterChange {
            cluster: name.clone(),
            before: before.unread.get(name).cloned(),
            after: after.unread.get(name).cloned(),
        })
        .collect()
}

/// Its day moves with the plan's own; what it gains does not.
fn relaxations(before: &Plan, after: &Plan, shift: SignedDuration) -> Vec<RelaxationChange> {
    let of = |plan: &Plan| -> BTreeMap<Vec<String>, Relaxation> {
        let all = plan.relaxations.iter();
        all.map(|it| (it.change.clone(), it.clone())).collect()
    };
    let (mut was, is) = (of(before), of(after));
    let mut changes = Vec::new();
    for (change, after) in is {
        let before = was.remove(&change);
        let same = |it: &Relaxation| {
            *it == after
                || (!shift.is_zero()
                    && (it.gain_days, it.in_time) == (after.gain_days, after.in_time))
        };
        if !before.as_ref().is_some_and(same) {
            changes.push(RelaxationChange {
                change,
                before,
                after: Some(after),
            });
        }
    }
    changes.extend(was.into_iter().map(|(change, before)| RelaxationChange {
        change,
        before: Some(before),
        after: None,
    }));
    changes.sort_by(|a, b| a.change.cmp(&b.change));
    changes
}

#[cfg(test)]
mod tests;
