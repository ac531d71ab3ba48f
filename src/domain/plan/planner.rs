//! The planner: Ready releases into waves, a reason for everything.
//!
//! decisions | effects
//! ---|---
//! order, waves, reasons, digest | none: the plan is a value

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::digest::content_digest;
use super::notes::{notes, objects_to_adopt};
use super::order::{Place, order};
use super::sizes::wave_lengths;
use super::{
    Candidate, Dependencies, HeldRelease, Plan, PlanMetadata, PlanSummary, PlannedRelease, Risk,
    Seals, Wave,
};
use crate::domain::fleet::settings::Cut;
use crate::domain::fleet::{Fleet, release_order};
use crate::domain::ids::{ClusterName, Digest, ReleaseId};
use crate::domain::shadow::{Reason, ReleaseOutcome};

/// Writes of a release's records: the lock, the commit, the old revision's mark (run protocol).
const RECORD_WRITES: usize = 3;

/// What a plan is made with, beside the candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRequest<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// What must not come after what.
    pub dependencies: &'a Dependencies,
    /// An earlier plan: its releases stay in their waves, as far as rules allow.
    pub base: Option<&'a Plan>,
    /// When the plan is made.
    pub now: Timestamp,
    /// refit's version.
    pub tool: &'a str,
    /// Digests of fleet.toml and inventory.
    pub inputs: BTreeMap<String, Digest>,
    /// Clusters that could not be read, and why.
    pub unread: BTreeMap<ClusterName, String>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two forecasts of one release.
    #[error("{0} is among the releases twice")]
    Twice(ReleaseId),
    /// A release of a cluster that the fleet does not have.
    #[error("{0} is on a cluster that the fleet does not have: take its inventory again")]
    ForeignCluster(ReleaseId),
    /// No sizes, or a size of nothing.
    #[error("the sizes of the waves must be at least one, and none of them 0")]
    Sizes,
    /// More than counts can hold.
    #[error("the plan has more than {} writes", u32::MAX)]
    TooLarge,
    /// It cannot be written as JSON.
    #[error("the plan cannot be written: {0}")]
    Encode(String),
}

/// Makes the plan. The same arguments give the same bytes, in whatever order the candidates come.
pub fn plan(mut candidates: Vec<Candidate>, request: &PlanRequest<'_>) -> Result<Plan, PlanError> {
    let fleet = request.fleet;
    candidates.sort_by(|a, b| release_order(&a.forecast.release, &b.forecast.release));
    check_candidates(&candidates, fleet)?;

    let mut held: Vec<HeldRelease> = Vec::new();
    let mut done: Vec<ReleaseId> = Vec::new();
    let mut ready: Vec<PlannedRelease> = Vec::new();
    for candidate in candidates {
        match candidate.forecast.outcome {
            ReleaseOutcome::Done => done.push(candidate.forecast.release),
            ReleaseOutcome::Ready => ready.push(planned(candidate)?),
            ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice => held.push(kept(candidate)),
        }
    }
    // Stable: by release within an outcome.
    held.sort_by_key(|release| release.outcome);

    let summary = totals(&ready, &held, &done)?;
    let prod = prod_clusters(fleet);
    let sequence = {
        let facts: Vec<Place<'_>> = ready.iter().map(|it| facts(it, &prod)).collect();
        order(&facts)
    };
    let Some(Cut::Sizes(sizes)) = fleet.planning.stages.first().map(|it| &it.cut) else {
        return Err(PlanError::Sizes);
    };
    let lengths = wave_lengths(sizes, ready.len()).ok_or(PlanError::Sizes)?;
    let waves = waves(ready, &sequence, &lengths, &prod)?;

    let mut plan = Plan {
        metadata: metadata(request),
        waves,
        held,
        done,
        unread: request.unread.clone(),
        untested: Vec::new(),
        calendar: None,
        relaxations: Vec::new(),
        summary,
        seals: Seals::default(),
    };
    let encode = |error: serde_json::Error| PlanError::Encode(error.to_string());
    plan.seals = Seals::of(&plan).map_err(encode)?;
    plan.metadata.digest = content_digest(&plan).map_err(encode)?;
    Ok(plan)
}

/// Candidates are sorted: doubles stand side by side.
fn check_candidates(candidates: &[Candidate], fleet: &Fleet) -> Result<(), PlanError> {
    let clusters: BTreeSet<&ClusterName> = fleet.clusters.iter().map(|it| &it.name).collect();
    for candidate in candidates {
        let release = &candidate.forecast.release;
        if !clusters.contains(&release.cluster) {
            return Err(PlanError::ForeignCluster(release.clone()));
        }
    }
    for pair in candidates.windows(2) {
        if let [a, b] = pair
            && a.forecast.release == b.forecast.release
        {
            return Err(PlanError::Twice(a.forecast.release.clone()));
        }
    }
    Ok(())
}

fn prod_clusters(fleet: &Fleet) -> BTreeSet<ClusterName> {
    let is_prod =
        |labels: &BTreeMap<String, String>| labels.get("env").is_some_and(|e| e == "prod");
    let prod = fleet.clusters.iter().filter(|it| is_prod(&it.labels));
    prod.map(|cluster| cluster.name.clone()).collect()
}

fn facts<'a>(release: &'a PlannedRelease, prod: &BTreeSet<ClusterName>) -> Place<'a> {
    Place {
        release: &release.release,
        chart: &release.chart.name,
        prod: prod.contains(&release.release.cluster),
        notes: release.notes.len(),
        objects: usize::try_from(release.objects).unwrap_or(usize::MAX),
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
        release: candidate.forecast.release,
        outcome: candidate.forecast.outcome,
        reasons,
        until: String::new(),
    }
}

fn totals(
    ready: &[PlannedRelease],
    held: &[HeldRelease],
    done: &[ReleaseId],
) -> Result<PlanSummary, PlanError> {
    let count = |number: usize| u32::try_from(number).map_err(|_| PlanError::TooLarge);
    let sum = |of: fn(&PlannedRelease) -> u32| {
        let mut numbers = ready.iter().map(of);
        numbers
            .try_fold(0_u32, u32::checked_add)
            .ok_or(PlanError::TooLarge)
    };
    let outcome =
        |outcome: ReleaseOutcome| count(held.iter().filter(|it| it.outcome == outcome).count());
    Ok(PlanSummary {
        migrate: count(ready.len())?,
        needs_choice: outcome(ReleaseOutcome::NeedsChoice)?,
        blocked: outcome(ReleaseOutcome::Blocked)?,
        done: count(done.len())?,
        objects: sum(|release| release.objects)?,
        writes: sum(|release| release.writes)?,
        value_changes: 0,
    })
}

fn metadata(request: &PlanRequest<'_>) -> PlanMetadata {
    let fleet = request.fleet;
    let wait = SignedDuration::from_secs(i64::from(fleet.start_within_seconds));
    let limits = fleet.clusters.iter().map(|it| (it.name.clone(), it.limits));
    PlanMetadata {
        fleet: fleet.name.clone(),
        digest: Digest::new(""),
        tool: request.tool.to_owned(),
        made_at: request.now,
        start_before: request.now.checked_add(wait).unwrap_or(Timestamp::MAX),
        inputs: request.inputs.clone(),
        managers: fleet.managers.clone(),
        limits: limits.collect(),
        writes_per_second: fleet.writes_per_second,
        deadline: fleet.deadline,
        settings: fleet.planning.clone(),
        clusters: BTreeMap::new(),
        policies: fleet.policies.clone(),
        labels: labels(fleet),
    }
}

/// Labels of clusters, if any policy asks for labels.
fn labels(fleet: &Fleet) -> BTreeMap<ClusterName, BTreeMap<String, String>> {
    if fleet.policies.iter().all(|rule| rule.labels.is_empty()) {
        return BTreeMap::new();
    }
    let clusters = fleet.clusters.iter();
    clusters
        .map(|cluster| (cluster.name.clone(), cluster.labels.clone()))
        .collect()
}

fn waves(
    ready: Vec<PlannedRelease>,
    sequence: &[usize],
    lengths: &[usize],
    prod: &BTreeSet<ClusterName>,
) -> Result<Vec<Wave>, PlanError> {
    let mut places = Places::default();
    for release in &ready {
        places.count(release);
    }
    let mut slots: Vec<Option<PlannedRelease>> = ready.into_iter().map(Some).collect();
    let mut rest = sequence.iter();
    let mut waves = Vec::with_capacity(lengths.len());
    for (at, length) in lengths.iter().enumerate() {
        let number = u32::try_from(at + 1).map_err(|_| PlanError::TooLarge)?;
        let mut releases = Vec::with_capacity(*length);
        for index in rest.by_ref().take(*length) {
            if let Some(mut release) = slots.get_mut(*index).and_then(Option::take) {
                let is_prod = prod.contains(&release.release.cluster);
                release.reason =
                    places.reason(&release, number, is_prod && prod_waits(prod, &places));
                releases.push(release);
            }
        }
        let name = match number {
            1 => "canary".to_owned(),
            number => format!("wave-{number}"),
        };
        waves.push(Wave {
            number,
            name,
            releases,
            ..Wave::default()
        });
    }
    Ok(waves)
}

/// Is there anything that prod clusters come after?
fn prod_waits(prod: &BTreeSet<ClusterName>, places: &Places) -> bool {
    places
        .clusters
        .keys()
        .any(|cluster| !prod.contains(cluster))
}

/// Which place a release has on its cluster and among those of its chart.
#[derive(Default)]
struct Places {
    clusters: BTreeMap<ClusterName, (usize, usize)>,
    charts: BTreeMap<String, (usize, usize)>,
    begun: bool,
}

impl Places {
    fn count(&mut self, release: &PlannedRelease) {
        let cluster = self.clusters.entry(release.release.cluster.clone());
        cluster.or_default().1 += 1;
        self.charts.entry(release.chart.name.clone()).or_default().1 += 1;
    }

    fn reason(&mut self, release: &PlannedRelease, wave: u32, after_others: bool) -> String {
        let place = |places: Option<&mut (usize, usize)>| {
            places.map_or((1, 1), |(taken, all)| {
                *taken += 1;
                (*taken, *all)
            })
        };
        let cluster = place(self.clusters.get_mut(&release.release.cluster));
        let chart = place(self.charts.get_mut(&release.chart.name));
        let first = !std::mem::replace(&mut self.begun, true);
        let why = match (wave, first) {
            (1, true) => "canary, the lowest risk: ",
            (1, false) => "canary: ",
            _ => "",
        };
        let notes = match release.notes.len() {
            0 => "no notes".to_owned(),
            1 => "1 note".to_owned(),
            number => format!("{number} notes"),
        };
        let plural = if release.objects == 1 { "" } else { "s" };
        let last = if after_others {
            "; prod after the others"
        } else {
            ""
        };
        format!(
            "{why}{} on {}, {} of chart {}; {} object{plural}, {notes}{last}",
            ordinal(cluster),
            release.release.cluster,
            ordinal(chart),
            release.chart.name,
            release.objects,
        )
    }
}

fn ordinal((place, all): (usize, usize)) -> String {
    match place.cmp(&1) {
        Ordering::Greater => format!("{place} of {all}"),
        _ if all == 1 => "the only one".to_owned(),
        _ => format!("first of {all}"),
    }
}
