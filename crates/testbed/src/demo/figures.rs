//! The figures of a demo.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Stage;
use super::compare::{Changes, is_record};
use super::upgrade::Upgrade;
use crate::{AuditLog, Snapshot};

/// What a demo came to.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Releases of the fleet.
    pub releases: usize,
    /// Releases that the plan holds, by cause.
    pub held: BTreeMap<String, Vec<String>>,
    /// Releases that were on server-side apply before.
    pub done_before: usize,
    /// Writes of the verbs that only look: inventory, plan, show, audit.
    pub looking_writes: usize,
    /// Releases that the first run migrated.
    pub migrated: usize,
    /// Their names.
    pub migrated_ids: BTreeSet<String>,
    /// Releases that the first run handed back.
    pub handed_back: usize,
    /// Objects of which something besides ownership changed.
    pub content_changes: Vec<String>,
    /// Objects whose generation moved.
    pub generation_moves: Vec<String>,
    /// Objects that were patched.
    pub objects: usize,
    /// Writes of objects that took effect.
    pub object_writes: usize,
    /// Writes of records that took effect.
    pub record_writes: usize,
    /// Mutating requests that were refused: they changed nothing.
    pub refused: usize,
    /// Dry runs.
    pub dry_runs: usize,
    /// Dry runs answered 409: repeated, and counted apart.
    pub dry_runs_refused: usize,
    /// Migrated releases that Helm 3 lists and shows.
    pub helm3_shown: usize,
    /// Objects and records that the run changed and the undo put back byte for byte.
    pub undo_equal: usize,
    /// Those that are different.
    pub undo_different: usize,
    /// Which.
    pub different: Vec<String>,
    /// Releases that the second run migrated.
    pub again: usize,
    /// Helm 4 upgrades that succeeded.
    pub upgrades_ok: usize,
    /// Helm 4 upgrades that failed although the plan lists no latent conflict of the release.
    pub upgrades_failed: Vec<String>,
    /// Helm 4 upgrades that failed where the plan lists one.
    pub upgrades_failed_as_forecast: Vec<String>,
    /// Releases that an undo after the upgrades reports as moved on.
    pub moved_on: usize,
    /// Writes of that undo.
    pub writes_after_moved_on: usize,
}

/// Releases of a run report that ended in a state.
pub fn ids(report: &Value, state: &str) -> BTreeSet<String> {
    let items = report
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    items
        .filter(|item| item.get("state").and_then(Value::as_str) == Some(state))
        .filter_map(|item| Some(item.get("release")?.as_str()?.to_owned()))
        .collect()
}

/// Releases of which a plan lists a latent conflict.
pub fn latent(plan: &Value) -> BTreeSet<String> {
    planned(plan)
        .filter(|release| {
            let notes = release
                .get("notes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            notes
                .into_iter()
                .any(|note| note.get("cause").and_then(Value::as_str) == Some("latent-conflict"))
        })
        .filter_map(|release| Some(release.get("release")?.as_str()?.to_owned()))
        .collect()
}

fn planned(plan: &Value) -> impl Iterator<Item = &Value> {
    let waves = plan
        .get("waves")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    waves.flat_map(|wave| {
        wave.get("releases")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    })
}

impl Figures {
    /// What the plan says is held, and why.
    pub fn of_plan(plan: &Value, stage: &Stage) -> Self {
        let mut figures = Self {
            releases: stage.releases.len(),
            ..Self::default()
        };
        for held in plan
            .get("held")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let cause = held
                .pointer("/reasons/0/cause")
                .and_then(Value::as_str)
                .unwrap_or("unknown");
            let release = held
                .get("release")
                .and_then(Value::as_str)
                .unwrap_or_default();
            figures
                .held
                .entry(cause.to_owned())
                .or_default()
                .push(release.to_owned());
        }
        figures.done_before = plan
            .get("done")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        figures
    }

    /// Counts the run's requests.
    pub fn count_requests(&mut self, logs: &[AuditLog]) {
        for log in logs {
            let mut objects = BTreeSet::new();
            for entry in log.writes().entries {
                if entry.name.starts_with("sh.helm.release.v1.")
                    || (entry.verb == "create" && entry.resource == "secrets")
                {
                    self.record_writes += 1;
                } else {
                    self.object_writes += 1;
                    objects.insert((entry.group, entry.resource, entry.namespace, entry.name));
                }
            }
            self.objects += objects.len();
            for entry in &log.entries {
                let patch = entry.verb == "patch" || entry.verb == "apply";
                if entry.is_dry_run() {
                    self.dry_runs += usize::from(patch && entry.code != CONFLICT);
                    self.dry_runs_refused += usize::from(patch && entry.code == CONFLICT);
                } else if entry.code >= 400
                    && matches!(
                        entry.verb.as_str(),
                        "patch" | "create" | "update" | "delete"
                    )
                {
                    self.refused += 1;
                }
            }
        }
    }

    /// Counts the run's report.
    pub fn count_run(&mut self, report: &Value) {
        self.migrated_ids = ids(report, "Done");
        self.migrated = self.migrated_ids.len();
        self.handed_back = ["Busy", "Stale", "Held"]
            .iter()
            .map(|state| ids(report, state).len())
            .sum();
    }

    /// Counts one cluster's changes.
    pub fn count_changes(&mut self, changes: &Changes) {
        self.content_changes
            .extend(changes.content.iter().chain(&changes.gone_or_new).cloned());
        self.generation_moves
            .extend(changes.generation.iter().cloned());
    }

    /// Compares what the run had changed with what was before it.
    pub fn count_undo(&mut self, before: &[Snapshot], after: &[Snapshot], back: &[Snapshot]) {
        for ((before, after), back) in before.iter().zip(after).zip(back) {
            let keys: BTreeSet<&String> = before
                .objects
                .keys()
                .chain(after.objects.keys())
                .chain(back.objects.keys())
                .collect();
            for key in keys {
                let of = |snapshot: &Snapshot| snapshot.objects.get(key).map(without_version);
                let (left, middle, right) = (of(before), of(after), of(back));
                if left == right {
                    self.undo_equal +=
                        usize::from(left != middle && (left.is_some() || is_record(key)));
                } else {
                    self.undo_different += 1;
                    self.different.push(key.clone());
                }
            }
        }
    }

    /// Counts one upgrade.
    pub fn count_upgrade(&mut self, done: &Upgrade, latent: &BTreeSet<String>) {
        let line = || {
            format!(
                "{}: {}",
                done.id,
                done.said.lines().last().unwrap_or_default()
            )
        };
        if done.ok {
            self.upgrades_ok += 1;
        } else if latent.contains(&done.id) {
            self.upgrades_failed_as_forecast.push(line());
        } else {
            self.upgrades_failed.push(line());
        }
    }

    /// Does everything hold that a demo must show?
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        let held: usize = self.held.values().map(Vec::len).sum();
        check(
            self.looking_writes == 0,
            format!("looking wrote {} times", self.looking_writes),
        );
        check(self.migrated > 0, "nothing was migrated".to_owned());
        check(
            self.migrated + held + self.done_before == self.releases,
            format!(
                "{} migrated + {held} held + {} done before != {} releases",
                self.migrated, self.done_before, self.releases
            ),
        );
        check(
            self.handed_back == 0,
            format!("{} releases were handed back", self.handed_back),
        );
        check(
            self.content_changes.is_empty(),
            format!("content changed: {:?}", self.content_changes),
        );
        check(
            self.generation_moves.is_empty(),
            format!("generations moved: {:?}", self.generation_moves),
        );
        check(
            self.object_writes == self.objects,
            format!("{} writes of {} objects", self.object_writes, self.objects),
        );
        check(
            self.record_writes == 3 * self.migrated,
            format!(
                "{} record writes of {} releases",
                self.record_writes, self.migrated
            ),
        );
        check(
            self.dry_runs * 20 <= self.objects * 21,
            format!("{} dry runs of {} objects", self.dry_runs, self.objects),
        );
        check(
            self.helm3_shown == self.migrated,
            format!("Helm 3 shows {} of {}", self.helm3_shown, self.migrated),
        );
        check(
            self.undo_different == 0,
            format!("different after undo: {:?}", self.different),
        );
        check(
            self.again == self.migrated,
            format!(
                "the second run migrated {}, the first {}",
                self.again, self.migrated
            ),
        );
        check(
            self.upgrades_failed.is_empty(),
            format!("Helm 4 upgrades failed: {:?}", self.upgrades_failed),
        );
        check(
            self.moved_on == self.again,
            format!("{} of {} moved on", self.moved_on, self.again),
        );
        check(
            self.writes_after_moved_on == 0,
            format!(
                "{} writes after all had moved on",
                self.writes_after_moved_on
            ),
        );
        failures
    }

    /// One JSON object, keys in snake case as all of xtask's figures.
    pub fn json(&self) -> Value {
        let held: usize = self.held.values().map(Vec::len).sum();
        json!({
            "releases": self.releases,
            "migrated": self.migrated,
            "held": held,
            "content_changes": self.content_changes.len(),
            "generation_moves": self.generation_moves.len(),
            "writes_per_object": ratio(self.object_writes, self.objects),
            "dry_runs_per_object": ratio(self.dry_runs, self.objects),
            "record_writes_per_release": ratio(self.record_writes, self.migrated),
            "helm4_upgrades_ok": self.upgrades_ok,
            "helm4_upgrades_failed": self.upgrades_failed.len() + self.upgrades_failed_as_forecast.len(),
            "undo_equal": self.undo_equal,
            "undo_different": self.undo_different,
            "objects": self.objects,
            "refused_attempts": self.refused,
            "dry_runs_repeated": self.dry_runs_refused,
            "helm3_shown": self.helm3_shown,
            "migrated_again": self.again,
            "moved_on": self.moved_on,
            "writes_after_moved_on": self.writes_after_moved_on,
            "done_before": self.done_before,
            "looking_writes": self.looking_writes,
            "held_by_cause": self.held,
        })
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let held: usize = self.held.values().map(Vec::len).sum();
        let mut lines = vec![
            format!("releases                     {}", self.releases),
            format!(
                "migrated                     {} (done before: {})",
                self.migrated, self.done_before
            ),
            format!("held                         {held}"),
        ];
        for (cause, releases) in &self.held {
            lines.push(format!(
                "  {cause:<26} {}: {}",
                releases.len(),
                releases.join(", ")
            ));
        }
        lines.extend([
            format!("writes of looking verbs      {}", self.looking_writes),
            format!(
                "content changes              {}",
                self.content_changes.len()
            ),
            format!(
                "generations moved            {}",
                self.generation_moves.len()
            ),
            format!(
                "writes per object            {} ({} of {} objects)",
                ratio(self.object_writes, self.objects),
                self.object_writes,
                self.objects
            ),
            format!(
                "dry runs per object          {} (repeated after a 409: {})",
                ratio(self.dry_runs, self.objects),
                self.dry_runs_refused
            ),
            format!(
                "record writes per release    {}",
                ratio(self.record_writes, self.migrated)
            ),
            format!("refused attempts             {}", self.refused),
            format!(
                "Helm 3.22 lists and shows    {} of {}",
                self.helm3_shown, self.migrated
            ),
            format!(
                "undo: equal / different      {} / {}",
                self.undo_equal, self.undo_different
            ),
            format!("migrated again               {}", self.again),
            format!(
                "Helm 4.3.1 upgrades          {} ok, {} failed, {} failed as forecast",
                self.upgrades_ok,
                self.upgrades_failed.len(),
                self.upgrades_failed_as_forecast.len()
            ),
            format!(
                "undo after them              {} moved on, {} writes",
                self.moved_on, self.writes_after_moved_on
            ),
        ]);
        lines
    }
}

/// HTTP status of a race.
const CONFLICT: u16 = 409;

fn without_version(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
    object
}

fn ratio(count: usize, of: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if of == 0 {
        0.0
    } else {
        float(count) / float(of)
    }
}
