//! Candidates, one by one, into what the planner works on: texts once, numbers for everything that is compared.

use std::collections::BTreeMap;

use super::index::Index;
use super::notes::{notes, objects_to_adopt};
use super::risk::risk;
use super::signature::{SetId, Signatures};
use super::unblock::until;
use super::{Candidate, HeldRelease, PlanError, PlanRequest, PlannedRelease, Risk};
use crate::domain::fleet::settings::Key;
use crate::domain::fleet::{Fleet, Selector, natural_order};
use crate::domain::ids::{ClusterName, Namespace, ReleaseId};
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
    /// Its risk.
    pub(super) risk: Risk,
}

/// The fleet's clusters, by their place in natural order.
pub(super) struct Clusters<'a> {
    all: Vec<&'a crate::domain::fleet::FleetCluster>,
    places: Index<&'a str>,
}

impl<'a> Clusters<'a> {
    pub(super) fn of(fleet: &'a Fleet) -> Self {
        let mut all: Vec<_> = fleet.clusters.iter().collect();
        all.sort_by(|a, b| natural_order(a.name.as_str(), b.name.as_str()));
        let mut places = Index::with_capacity(all.len());
        for cluster in &all {
            places.insert(cluster.name.as_str());
        }
        Self { all, places }
    }

    pub(super) fn get(&self, place: u32) -> Option<&'a crate::domain::fleet::FleetCluster> {
        self.all.get(place as usize).copied()
    }

    pub(super) fn place(&self, name: &ClusterName) -> Option<u32> {
        self.places.find(name.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// By place of the cluster, then namespace and name.
    fn by_release(&self, a: &ReleaseId, b: &ReleaseId) -> std::cmp::Ordering {
        let place = |release: &ReleaseId| self.place(&release.cluster);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.namespace.cmp(&b.namespace))
            .then_with(|| a.name.cmp(&b.name))
    }

    fn label(&self, place: u32, key: &str) -> Option<&'a str> {
        self.get(place)?.labels.get(key).map(String::as_str)
    }

    /// Is it labelled `env=prod`?
    pub(super) fn is_prod(&self, place: u32) -> bool {
        self.label(place, "env") == Some("prod")
    }
}

/// Everything taken in, in release order.
pub(super) struct Intake<'a> {
    pub(super) clusters: Clusters<'a>,
    /// Ready releases.
    pub(super) ready: Vec<PlannedRelease>,
    /// Their rows, in the same places.
    pub(super) rows: Vec<Row>,
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
            ready: Vec::new(),
            rows: Vec::new(),
            held: Vec::new(),
            done: Vec::new(),
            signatures: Signatures::default(),
            labels: Index::default(),
        };
        intake.labels.insert(BTreeMap::new());
        let mut names = Names::default();
        for mut candidate in candidates {
            let Some(cluster) = intake.clusters.place(&candidate.forecast.release.cluster) else {
                return Err(PlanError::ForeignCluster(candidate.forecast.release));
            };
            if let Some(own) = intake.clusters.get(cluster) {
                candidate.forecast.release.cluster = own.name.clone();
            }
            names.share(&mut candidate.forecast.release.namespace);
            match candidate.forecast.outcome {
                ReleaseOutcome::Done => intake.done.push(candidate.forecast.release),
                ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice => {
                    intake.held.push(kept(candidate));
                }
                ReleaseOutcome::Ready => {
                    let (chart, set) = intake.signatures.of(&candidate);
                    let own = &candidate.facts.labels;
                    let labels = if own.is_empty() {
                        0
                    } else {
                        intake.labels.number(own, || own.clone())
                    };
                    let rule = &request.fleet.planning.risk;
                    let tier = intake.label(cluster, labels, &rule.tier_label);
                    let row = Row {
                        cluster,
                        chart,
                        set,
                        labels,
                        risk: risk(rule, &candidate, tier, request.now),
                    };
                    intake.rows.push(row);
                    intake.ready.push(planned(candidate)?);
                }
            }
        }
        intake.sort()?;
        Ok(intake)
    }

    /// Takes ready releases out, and holds them for these reasons.
    pub(super) fn hold(&mut self, mut why: BTreeMap<u32, Vec<Reason>>) {
        let ready = std::mem::take(&mut self.ready);
        let rows = std::mem::take(&mut self.rows);
        for (at, (planned, row)) in (0_u32..).zip(ready.into_iter().zip(rows)) {
            match why.remove(&at) {
                None => {
                    self.ready.push(planned);
                    self.rows.push(row);
                }
                Some(reasons) => self.held.push(HeldRelease {
                    until: until(ReleaseOutcome::Ready, &reasons),
                    release: planned.release,
                    outcome: ReleaseOutcome::Ready,
                    reasons,
                }),
            }
        }
        self.sort_held();
    }

    fn sort_held(&mut self) {
        let clusters = &self.clusters;
        self.held
            .sort_by(|a, b| clusters.by_release(&a.release, &b.release));
    }

    /// Into release order; a release that is there twice is found.
    fn sort(&mut self) -> Result<(), PlanError> {
        let clusters = &self.clusters;
        self.done.sort_by(|a, b| clusters.by_release(a, b));
        self.sort_held();
        let mut order: Vec<u32> = (0..).take(self.rows.len()).collect();
        {
            let (rows, ready) = (&self.rows, &self.ready);
            let key = |at: u32| {
                let release = &ready[at as usize].release;
                (rows[at as usize].cluster, &release.namespace, &release.name)
            };
            // Clusters first, by number alone: the texts are compared inside a cluster only.
            order.sort_by_key(|at| rows[*at as usize].cluster);
            for of_cluster in
                order.chunk_by_mut(|a, b| rows[*a as usize].cluster == rows[*b as usize].cluster)
            {
                of_cluster.sort_by(|a, b| key(*a).cmp(&key(*b)));
            }
        }
        self.rows = order.iter().map(|at| self.rows[*at as usize]).collect();
        let ready = std::mem::take(&mut self.ready);
        let mut slots: Vec<Option<PlannedRelease>> = ready.into_iter().map(Some).collect();
        let sorted = order.iter().filter_map(|at| slots[*at as usize].take());
        self.ready = sorted.collect();
        self.no_doubles()
    }

    fn no_doubles(&self) -> Result<(), PlanError> {
        let ready = self.ready.iter().map(|it| &it.release);
        let twice = |of: &mut dyn Iterator<Item = &ReleaseId>| {
            let mut last: Option<ReleaseId> = None;
            for release in of {
                if last.as_ref() == Some(release) {
                    return Err(PlanError::Twice(release.clone()));
                }
                last = Some(release.clone());
            }
            Ok(())
        };
        twice(&mut ready.clone())?;
        twice(&mut self.held.iter().map(|it| &it.release))?;
        twice(&mut self.done.iter())?;
        if self.held.is_empty() && self.done.is_empty() {
            return Ok(());
        }
        let others = self.held.iter().map(|it| &it.release).chain(&self.done);
        let mut apart: Index<&ReleaseId> = Index::default();
        for release in others {
            if !apart.insert(release) {
                return Err(PlanError::Twice(release.clone()));
            }
        }
        match ready
            .into_iter()
            .find(|release| apart.find(release).is_some())
        {
            Some(release) => Err(PlanError::Twice(release.clone())),
            None => Ok(()),
        }
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
        let (row, planned) = (self.rows.get(at)?, self.ready.get(at)?);
        match key {
            "cluster" => Some(planned.release.cluster.as_str()),
            "namespace" => Some(planned.release.namespace.as_str()),
            "release" => Some(planned.release.name.as_str()),
            "chart" => Some(&planned.chart.name),
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
            Key::Namespace => "namespace",
            Key::Chart => "chart",
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
}

/// Namespaces recur: one text for all that are equal.
#[derive(Default)]
struct Names(Index<Namespace>);

impl Names {
    fn share(&mut self, name: &mut Namespace) {
        let number = self.0.number(&*name, || name.clone());
        if let Some(known) = self.0.get(number) {
            *name = known.clone();
        }
    }
}

fn planned(candidate: Candidate) -> Result<PlannedRelease, PlanError> {
    let objects = objects_to_adopt(&candidate.forecast);
    let count = |number: usize| u32::try_from(number).map_err(|_| PlanError::TooLarge);
    Ok(PlannedRelease {
        notes: notes(&candidate.forecast, &candidate.decisions),
        decisions: candidate.decisions,
        release: candidate.forecast.release,
        chart: candidate.chart,
        driver: candidate.driver,
        revision: candidate.revision,
        record_uid: candidate.record_uid,
        objects: count(objects)?,
        writes: count(objects.saturating_add(RECORD_WRITES))?,
        reason: String::new(),
        labels: candidate.facts.labels,
        risk: Risk::default(),
        needs: Vec::new(),
    })
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
