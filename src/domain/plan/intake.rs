//! Candidates, one by one, into what the planner works on: texts once, numbers for everything that is compared.

use std::collections::BTreeMap;

use super::clusters::Clusters;
use super::index::Index;
use super::lists::Lists;
use super::names::{Names, Who};
use super::notes::{notes, objects_to_adopt};
use super::risk::risk;
use super::signature::{SetId, Signatures};
use super::unblock::until;
use super::{Candidate, HeldRelease, PlanError, PlanRequest, PlannedRelease, Risk};
use crate::domain::fleet::Selector;
use crate::domain::fleet::settings::Key;
use crate::domain::ids::{ReleaseId, Revision, Uid};
use crate::domain::policy::Decision;
use crate::domain::release::Driver;
use crate::domain::shadow::{Reason, ReleaseOutcome};

/// Writes of a release's records: the lock, the commit, the old revision's mark (run protocol).
const RECORD_WRITES: usize = 3;

/// What is compared of a ready release.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Place of the cluster in natural order.
    pub(super) cluster: u32,
    /// Number of the chart with its version.
    pub(super) chart: u32,
    /// Its signatures.
    pub(super) set: SetId,
    /// Number of its labels; 0 are none.
    pub(super) labels: u32,
    /// Objects to adopt.
    pub(super) objects: u32,
    /// How many notes.
    pub(super) notes: u32,
    /// Its risk.
    pub(super) risk: Risk,
}

/// What only the plan itself shows of a ready release.
struct Record {
    uid: Uid,
    revision: Revision,
    driver: Driver,
    writes: u32,
    /// Most releases have none.
    found: Option<Box<Found>>,
}

/// Notes and decisions.
#[derive(Default)]
struct Found {
    notes: Vec<Reason>,
    decisions: Vec<Decision>,
}

/// Everything taken in. Ready releases are in release order, and one piece of each in the same place of every list.
pub(super) struct Intake<'a> {
    pub(super) clusters: Clusters<'a>,
    names: Names,
    /// Who is ready.
    pub(super) ready: Vec<Who>,
    /// What is compared of them.
    pub(super) rows: Vec<Row>,
    /// The rest; taken out when their wave is made.
    records: Vec<Option<Record>>,
    pub(super) held: Vec<HeldRelease>,
    pub(super) done: Vec<ReleaseId>,
    pub(super) signatures: Signatures,
    /// The first are none.
    labels: Index<BTreeMap<String, String>>,
}

impl<'a> Intake<'a> {
    /// Takes all. `O(n log n)` for `n` releases.
    pub(super) fn of(
        candidates: impl IntoIterator<Item = Candidate>,
        request: &PlanRequest<'a>,
    ) -> Result<Self, PlanError> {
        let mut intake = Self {
            clusters: Clusters::of(request.fleet),
            names: Names::default(),
            ready: Vec::new(),
            rows: Vec::new(),
            records: Vec::new(),
            held: Vec::new(),
            done: Vec::new(),
            signatures: Signatures::default(),
            labels: Index::default(),
        };
        intake.labels.insert(BTreeMap::new());
        for candidate in candidates {
            intake.take(candidate, request)?;
        }
        intake.sort();
        intake.no_doubles()?;
        Ok(intake)
    }

    fn take(
        &mut self,
        mut candidate: Candidate,
        request: &PlanRequest<'a>,
    ) -> Result<(), PlanError> {
        let release = &candidate.forecast.release;
        let Some(cluster) = self.clusters.place(&release.cluster) else {
            return Err(PlanError::ForeignCluster(candidate.forecast.release));
        };
        let who = self.names.number(cluster, release);
        match candidate.forecast.outcome {
            ReleaseOutcome::Done => self.done.extend(self.release(who)),
            ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice => {
                if let Some(shared) = self.release(who) {
                    candidate.forecast.release = shared;
                }
                self.held.push(kept(candidate));
            }
            ReleaseOutcome::Ready => {
                let (chart, set) = self.signatures.of(&candidate);
                let own = &candidate.facts.labels;
                let labels = if own.is_empty() {
                    0
                } else {
                    self.labels.number(own, || own.clone())
                };
                let rule = &request.fleet.planning.risk;
                let tier = self.label(cluster, labels, &rule.tier_label);
                let risk = risk(rule, &candidate, tier, request.now);
                let notes = notes(&candidate.forecast, &candidate.decisions);
                let objects = objects_to_adopt(&candidate.forecast);
                let writes = objects
                    .saturating_add(RECORD_WRITES)
                    .saturating_add(super::valued_objects(&candidate.decisions));
                self.ready.push(who);
                self.rows.push(Row {
                    cluster,
                    chart,
                    set,
                    labels,
                    objects: count(objects)?,
                    notes: count(notes.len())?,
                    risk,
                });
                self.records.push(Some(Record {
                    uid: candidate.record_uid,
                    revision: candidate.revision,
                    driver: candidate.driver,
                    writes: count(writes)?,
                    found: Found::of(notes, candidate.decisions),
                }));
            }
        }
        Ok(())
    }

    /// A ready release of the plan, by its numbers; none if they are of no release.
    pub(super) fn release(&self, who: Who) -> Option<ReleaseId> {
        self.names.release(&self.clusters, who)
    }

    /// The ready release at a place.
    pub(super) fn release_at(&self, at: u32) -> Option<ReleaseId> {
        self.release(*self.ready.get(at as usize)?)
    }

    /// The numbers of a release; none if nothing that was taken in has its texts.
    pub(super) fn find(&self, release: &ReleaseId) -> Option<Who> {
        self.names.find(&self.clusters, release)
    }

    /// Adds a note to a ready release.
    pub(super) fn note(&mut self, at: u32, note: Reason) {
        let at = at as usize;
        if let (Some(row), Some(Some(record))) = (self.rows.get_mut(at), self.records.get_mut(at)) {
            row.notes = row.notes.saturating_add(1);
            record.found.get_or_insert_default().notes.push(note);
        }
    }

    /// The ready release as the plan has it, without what its wave says of it. Once each.
    pub(super) fn planned(&mut self, at: u32) -> Option<PlannedRelease> {
        let at = at as usize;
        let record = self.records.get_mut(at)?.take()?;
        let row = self.rows.get(at)?;
        let found = record.found.map_or_else(Found::default, |it| *it);
        Some(PlannedRelease {
            release: self.release(*self.ready.get(at)?)?,
            chart: self.signatures.chart(row.chart)?.clone(),
            driver: record.driver,
            revision: record.revision,
            record_uid: record.uid,
            objects: row.objects,
            writes: record.writes,
            reason: String::new(),
            labels: self.labels.get(row.labels).cloned().unwrap_or_default(),
            risk: row.risk,
            needs: Vec::new(),
            notes: found.notes,
            decisions: found.decisions,
        })
    }

    /// Of all ready releases objects, writes, and values that change. None if a sum is too large.
    pub(super) fn totals(&self) -> Option<(u32, u32, u32)> {
        let (mut objects, mut writes, mut changes) = (0_u32, 0_u32, 0_u32);
        for (row, record) in self.rows.iter().zip(self.records.iter().flatten()) {
            objects = objects.checked_add(row.objects)?;
            writes = writes.checked_add(record.writes)?;
            let decisions = record.found.iter().flat_map(|it| &it.decisions);
            let own = decisions.filter(|it| it.changes_a_value()).count();
            changes = changes.checked_add(u32::try_from(own).ok()?)?;
        }
        Some((objects, writes, changes))
    }

    /// Takes ready releases out, and holds them for these reasons.
    pub(super) fn hold(&mut self, mut why: BTreeMap<u32, Vec<Reason>>) {
        let all: Vec<u32> = (0..).take(self.ready.len()).collect();
        let (out, kept): (Vec<u32>, Vec<u32>) =
            all.into_iter().partition(|at| why.contains_key(at));
        for at in out {
            let (Some(release), Some(reasons)) = (self.release_at(at), why.remove(&at)) else {
                continue;
            };
            self.held.push(HeldRelease {
                until: until(ReleaseOutcome::Ready, &reasons),
                release,
                outcome: ReleaseOutcome::Ready,
                reasons,
            });
        }
        self.keep(&kept);
        self.sort_held();
    }

    /// Ready releases become those at these places, in this order.
    fn keep(&mut self, places: &[u32]) {
        let places = || places.iter().map(|at| *at as usize);
        self.ready = places().map(|at| self.ready[at]).collect();
        self.rows = places().map(|at| self.rows[at]).collect();
        self.records = places().map(|at| self.records[at].take()).collect();
    }

    fn sort_held(&mut self) {
        let clusters = &self.clusters;
        self.held
            .sort_by(|a, b| clusters.by_release(&a.release, &b.release));
    }

    /// Into release order.
    fn sort(&mut self) {
        let clusters = &self.clusters;
        self.done.sort_by(|a, b| clusters.by_release(a, b));
        self.sort_held();
        // Clusters first, by number alone: the texts are compared inside a cluster only.
        let of_clusters = Lists::of(
            self.clusters.len(),
            self.ready.iter().map(|who| who.cluster).zip(0..),
        );
        let mut order = Vec::with_capacity(self.ready.len());
        for cluster in (0..).take(of_clusters.len()) {
            let from = order.len();
            order.extend_from_slice(of_clusters.get(cluster));
            let who = |at: u32| self.ready[at as usize];
            order[from..].sort_by(|a, b| self.names.compare(who(*a), who(*b)));
        }
        self.keep(&order);
    }

    /// A release that is there twice is an error.
    fn no_doubles(&self) -> Result<(), PlanError> {
        let twice =
            |release: Option<ReleaseId>| release.map_or(Ok(()), |it| Err(PlanError::Twice(it)));
        let equal = self
            .ready
            .windows(2)
            .find(|pair| pair.first() == pair.last());
        twice(equal.and_then(|pair| self.release(*pair.first()?)))?;
        let held = || self.held.iter().map(|it| &it.release);
        twice(repeated(held()).cloned())?;
        twice(repeated(self.done.iter()).cloned())?;
        let mut apart: Index<Who> = Index::default();
        for release in held().chain(&self.done) {
            // Each was numbered when it came in.
            if let Some(who) = self.find(release)
                && !apart.insert(who)
            {
                return Err(PlanError::Twice(release.clone()));
            }
        }
        let among = self.ready.iter().find(|who| apart.find(*who).is_some());
        twice(among.and_then(|who| self.release(*who)))
    }

    /// A label of a release, or else of its cluster.
    fn label(&self, cluster: u32, labels: u32, key: &str) -> Option<&str> {
        self.labels
            .get(labels)
            .and_then(|own| own.get(key))
            .map(String::as_str)
            .or_else(|| self.clusters.label(cluster, key))
    }

    /// What selectors and caps see of a ready release.
    pub(super) fn value(&self, at: usize, key: &str) -> Option<&str> {
        let (row, who) = (self.rows.get(at)?, *self.ready.get(at)?);
        match key {
            "cluster" => Some(self.clusters.get(who.cluster)?.name.as_str()),
            "namespace" => self.names.namespace(who),
            "release" => self.names.name(who),
            "chart" => Some(&self.signatures.chart(row.chart)?.name),
            label => self.label(row.cluster, row.labels, label),
        }
    }

    /// Does a ready release satisfy a selector?
    pub(super) fn satisfies(&self, at: usize, selector: &Selector) -> bool {
        selector.matches_with(|key| self.value(at, key))
    }

    /// A number for the group that each ready release is in, equal for equal values.
    pub(super) fn groups(&self, key: &Key) -> Vec<Option<u32>> {
        let text = match key {
            Key::Fleet => return vec![Some(0); self.rows.len()],
            Key::Cluster => return self.rows.iter().map(|row| Some(row.cluster)).collect(),
            Key::Chart => return self.charts().map(Some).collect(),
            Key::Namespace => "namespace",
            Key::Release => "release",
            Key::Label(label) => label,
        };
        let with_cluster = *key == Key::Namespace;
        let mut numbers: Index<(u32, &str)> = Index::default();
        let mut last: Option<(u32, u32, Option<u32>)> = None;
        (0..self.rows.len())
            .map(|at| {
                let row = &self.rows[at];
                if let (Key::Label(_), Some((cluster, labels, group))) = (key, last)
                    && (cluster, labels) == (row.cluster, row.labels)
                {
                    return group;
                }
                let cluster = if with_cluster { row.cluster } else { 0 };
                let value = match key {
                    // A label of that name, not what selectors call so.
                    Key::Label(label) => self.label(row.cluster, row.labels, label),
                    _ => self.value(at, text),
                };
                let group = value.map(|it| numbers.number(&(cluster, it), || (cluster, it)));
                last = Some((row.cluster, row.labels, group));
                group
            })
            .collect()
    }

    /// A number for the name of each ready release's chart, whatever its version.
    pub(super) fn charts(&self) -> impl Iterator<Item = u32> {
        let mut numbers: Index<&str> = Index::default();
        let mut known: Vec<Option<u32>> = vec![None; self.signatures.charts()];
        self.rows.iter().map(move |row| {
            let number = known.get(row.chart as usize).copied().flatten();
            number.unwrap_or_else(|| {
                let name = self.signatures.chart(row.chart);
                let name = name.map_or("", |chart| chart.name.as_str());
                let number = numbers.number(name, || name);
                if let Some(known) = known.get_mut(row.chart as usize) {
                    *known = Some(number);
                }
                number
            })
        })
    }
}

impl Found {
    fn of(notes: Vec<Reason>, decisions: Vec<Decision>) -> Option<Box<Self>> {
        let any = !(notes.is_empty() && decisions.is_empty());
        any.then(|| Box::new(Self { notes, decisions }))
    }
}

fn count(number: usize) -> Result<u32, PlanError> {
    u32::try_from(number).map_err(|_| PlanError::TooLarge)
}

fn kept(candidate: Candidate) -> HeldRelease {
    let mut reasons = candidate.forecast.reasons;
    if reasons.is_empty() {
        reasons.push(Reason {
            cause: "unknown".to_owned(),
            object: None,
            detail: "the forecast holds it without a reason: look again with refit shadow"
                .to_owned(),
        });
    }
    HeldRelease {
        until: until(candidate.forecast.outcome, &reasons),
        release: candidate.forecast.release,
        outcome: candidate.forecast.outcome,
        reasons,
    }
}

/// The first of sorted releases that is there again.
fn repeated<'a>(sorted: impl Iterator<Item = &'a ReleaseId> + Clone) -> Option<&'a ReleaseId> {
    let mut pairs = sorted.clone().zip(sorted.skip(1));
    pairs.find(|(a, b)| a == b).map(|(a, _)| a)
}
