//! The planner: Ready releases into waves, a reason for everything.
//!
//! decisions | effects
//! ---|---
//! order, waves, reasons, digest | none: the plan is a value
//!
//! Its steps: `intake` takes candidates in, `needs` resolves the graph,
//! `canary` chooses who goes first, `order` says who is preferred, `fill`
//! places each release into the first wave with room, `assemble` makes waves of it, `calendar` says when they are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::assemble::{Assembly, assemble};
use super::calendar::{self, NoSuchZone};
use super::canary::canaries;
use super::digest::Sums;
use super::fill::{self, StageCut, fill, limits};
use super::intake::Intake;
use super::needs::Needs;
use super::order::{self, order};
use super::risk::with_dependents;
use super::{
    Candidate, ClusterFacts, Dependencies, HeldRelease, Plan, PlanMetadata, PlanSummary, Seals,
};
use crate::domain::fleet::settings::{
    CanaryRule, Cut, HeldDependency, Lanes, PlanSettings, RiskOrder,
};
use crate::domain::fleet::{Fleet, WaveSize};
use crate::domain::ids::{ClusterName, Digest, ReleaseId};
use crate::domain::shadow::{Reason, ReleaseOutcome};

/// What a plan is made with, beside the candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRequest<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// What must not come after what.
    pub dependencies: &'a Dependencies,
    /// When the plan is made.
    pub now: Timestamp,
    /// When the clusters were read, if that was before.
    pub looked_at: Option<Timestamp>,
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
    /// Releases that need each other.
    #[error("releases need each other in a circle: {}", circle(.0))]
    Cycle(Vec<ReleaseId>),
    /// A zone that no clock is known of.
    #[error(transparent)]
    Zone(#[from] NoSuchZone),
    /// More than counts can hold.
    #[error("the plan has more than {} writes", u32::MAX)]
    TooLarge,
    /// It cannot be written as JSON.
    #[error("the plan cannot be written: {0}")]
    Encode(String),
}

fn circle(releases: &[ReleaseId]) -> String {
    let names = releases.iter().chain(releases.first());
    let names: Vec<String> = names.map(ToString::to_string).collect();
    names.join(" needs ")
}

/// Makes the plan. The same arguments give the same bytes, in whatever order the candidates come.
///
/// `O(n log n + e)` for `n` releases and `e` edges; candidates are taken one by one, so that a forecast of a million
/// releases need not be in memory at once.
pub fn plan(
    candidates: impl IntoIterator<Item = Candidate>,
    request: &PlanRequest<'_>,
) -> Result<Plan, PlanError> {
    let fleet = request.fleet;
    let settings = &fleet.planning;
    check_sizes(settings)?;
    let mut intake = Intake::of(candidates, request)?;
    let needs = resolve(&mut intake, request);
    for (at, row) in (0_u32..).zip(&mut intake.rows) {
        row.risk = with_dependents(&settings.risk, row.risk, needs.dependents(at));
    }
    let canaries = canaries(&settings.canary, &intake, &needs);
    let stages = stages(settings, &intake, &canaries);
    let cuts = cuts(settings, &stages);
    let preference = preference(settings, &intake, &stages, &cuts);
    let sequence = needs.order(preference).map_err(|circle| {
        let names = circle.iter().filter_map(|at| intake.release_at(*at));
        PlanError::Cycle(names.collect())
    })?;
    let limits = limits(settings, &intake);
    let lanes = match &settings.lanes {
        Lanes::Fleet => None,
        Lanes::By(key) => Some((key, intake.groups(key))),
    };
    let placing = fill::Order {
        sequence: &sequence,
        stages: &stages,
        cuts: &cuts,
        lanes: lanes.as_ref().map(|(_, lanes)| lanes.as_slice()),
        seed: settings.seed,
    };
    let filled = fill(&placing, &limits, &needs, &intake);

    let held = std::mem::take(&mut intake.held);
    let done = std::mem::take(&mut intake.done);
    let summary = totals(&intake, &held, &done)?;
    let (waves, untested) = assemble(
        &Assembly {
            settings,
            sequence: &sequence,
            slots: &filled.slots,
            moved: &filled.moved,
            limits: &limits,
            lanes,
            needs: &needs,
            canaries: &canaries,
        },
        intake,
    )?;
    drop((limits, needs, sequence, filled));
    let mut held = held;
    // Stable: by release within an outcome.
    held.sort_by_key(|release| release.outcome);
    let mut plan = Plan {
        metadata: metadata(request),
        waves,
        held,
        done,
        unread: request.unread.clone(),
        untested,
        calendar: None,
        relaxations: Vec::new(),
        summary,
        seals: Seals::default(),
    };
    calendar::write(&mut plan)?;
    let sums = Sums::of(&plan).map_err(|error| PlanError::Encode(error.to_string()))?;
    plan.seals = sums.seals;
    plan.metadata.digest = sums.digest;
    Ok(plan)
}

/// Waves of nothing would never end.
fn check_sizes(settings: &PlanSettings) -> Result<(), PlanError> {
    let whole = |cut: &Cut| match cut {
        Cut::Whole => true,
        Cut::Doubling { first } => *first > 0,
        Cut::Shares(shares) => !shares.is_empty() && !shares.contains(&0),
        Cut::Sizes(sizes) => {
            let nothing =
                |size: &WaveSize| matches!(size, WaveSize::Count(0) | WaveSize::Percent(0));
            !sizes.0.is_empty() && !sizes.0.iter().any(nothing)
        }
    };
    if settings.stages.iter().all(|stage| whole(&stage.cut)) {
        Ok(())
    } else {
        Err(PlanError::Sizes)
    }
}

/// The needs of the ready releases. One that needs a held release is noted or held, as the settings say; held with it
/// are those that need it in turn.
fn resolve(intake: &mut Intake<'_>, request: &PlanRequest<'_>) -> Needs {
    loop {
        let held: BTreeSet<ReleaseId> = if request.dependencies.edges().is_empty() {
            BTreeSet::new()
        } else {
            intake.held.iter().map(|it| it.release.clone()).collect()
        };
        let is_held = |release: &ReleaseId| held.contains(release);
        let resolved = Needs::resolve(request.dependencies, intake, &is_held);
        if resolved.unmet.is_empty() {
            return resolved.needs;
        }
        let reason = |on: &ReleaseId, what: &str| Reason {
            cause: "dependency-held".to_owned(),
            object: None,
            detail: format!("needs {on}, which {what}"),
        };
        match request.fleet.planning.held_dependency {
            HeldDependency::GoOn => {
                for (at, on) in resolved.unmet {
                    let note = reason(on, "this plan leaves alone");
                    intake.note(at, note);
                }
                return resolved.needs;
            }
            HeldDependency::Hold => {
                let mut why: BTreeMap<u32, Vec<Reason>> = BTreeMap::new();
                for (at, on) in resolved.unmet {
                    why.entry(at).or_default().push(reason(on, "is held"));
                }
                // Again, until nobody is left who needs a held one.
                intake.hold(why);
            }
        }
    }
}

/// The stage of each ready release: 0 for canaries by coverage, then the settings' stages from 1, then `rest`, then those
/// that are deferred.
fn stages(settings: &PlanSettings, intake: &Intake<'_>, canaries: &[u32]) -> Vec<u32> {
    let count = u32::try_from(settings.stages.len()).unwrap_or(u32::MAX - 2);
    let deferred = settings.risk.defer_low_until.is_some();
    let mut stages: Vec<u32> = intake
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            if deferred && row.risk.score < settings.risk.low {
                return count + 2;
            }
            (1..)
                .zip(&settings.stages)
                .find(|(_, stage)| stage.selector.is_all() || intake.satisfies(at, &stage.selector))
                .map_or(count + 1, |(number, _)| number)
        })
        .collect();
    for at in canaries {
        stages[*at as usize] = 0;
    }
    stages
}

/// How each stage is cut, the canaries' and the last two included.
fn cuts(settings: &PlanSettings, stages: &[u32]) -> Vec<StageCut> {
    let own = settings.stages.iter().map(|stage| &stage.cut);
    let last = settings.stages.last().map_or(&Cut::Whole, |it| &it.cut);
    let cuts: Vec<&Cut> = [&Cut::Whole]
        .into_iter()
        .chain(own)
        .chain([last, last])
        .collect();
    let mut totals = vec![0_usize; cuts.len()];
    for stage in stages {
        totals[*stage as usize] += 1;
    }
    cuts.into_iter()
        .zip(totals)
        .map(|(cut, total)| StageCut::new(cut, total))
        .collect()
}

/// All releases, stage by stage, those first that are preferred.
fn preference(
    settings: &PlanSettings,
    intake: &Intake<'_>,
    stages: &[u32],
    cuts: &[StageCut],
) -> Vec<u32> {
    let mut of_stage: Vec<Vec<order::Place>> = cuts.iter().map(|_| Vec::new()).collect();
    let rows = (0_u32..).zip(&intake.rows);
    for (((at, row), stage), chart) in rows.zip(stages).zip(intake.charts()) {
        of_stage[*stage as usize].push(order::Place {
            prod: intake.clusters.is_prod(row.cluster),
            noted: row.notes > 0,
            score: row.risk.score,
            objects: row.objects,
            notes: row.notes,
            at,
            cluster: row.cluster,
            chart,
        });
    }
    let mut preference = Vec::with_capacity(intake.rows.len());
    for (stage, (places, cut)) in of_stage.into_iter().zip(cuts).enumerate() {
        let mut sequence = if cut.is_exact() {
            order(places)
        } else {
            // By risk alone: turns would let one release more change who comes before whom (ADR 9).
            order::by_risk(places)
        };
        if settings.risk.order == RiskOrder::HighFirst && !sequence.is_empty() {
            // Without canaries the first wave of the first stage shows that it works at all: not with the greatest risk. Of the
            // first one even if it is empty: who is in a stage must not change who comes first in another.
            let shows = stage == 1 && settings.canary == CanaryRule::None;
            let first = if shows { cut.most(0) as usize } else { 0 };
            let rest = first.min(sequence.len());
            let score = |at: &u32| Reverse(intake.rows[*at as usize].risk.score);
            sequence[rest..].sort_by_key(score);
        }
        preference.append(&mut sequence);
    }
    preference
}

fn totals(
    intake: &Intake<'_>,
    held: &[HeldRelease],
    done: &[ReleaseId],
) -> Result<PlanSummary, PlanError> {
    let count = |number: usize| u32::try_from(number).map_err(|_| PlanError::TooLarge);
    let (objects, writes, value_changes) = intake.totals().ok_or(PlanError::TooLarge)?;
    let outcome =
        |outcome: ReleaseOutcome| count(held.iter().filter(|it| it.outcome == outcome).count());
    Ok(PlanSummary {
        migrate: count(intake.ready.len())?,
        needs_choice: outcome(ReleaseOutcome::NeedsChoice)?,
        blocked: outcome(ReleaseOutcome::Blocked)?,
        // Held by a dependency alone: neither.
        waiting: outcome(ReleaseOutcome::Ready)?,
        done: count(done.len())?,
        objects,
        writes,
        value_changes,
    })
}

/// A plan is to be started before this: so long after its clusters were read.
pub fn start_before(looked_at: Timestamp, within_seconds: u32) -> Timestamp {
    let wait = SignedDuration::from_secs(i64::from(within_seconds));
    looked_at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn metadata(request: &PlanRequest<'_>) -> PlanMetadata {
    let fleet = request.fleet;
    let looked_at = request.looked_at.unwrap_or(request.now);
    let limits = fleet.clusters.iter().map(|it| (it.name.clone(), it.limits));
    let facts = fleet.clusters.iter().map(|it| {
        let facts = ClusterFacts {
            labels: it.labels.clone(),
            timezone: it.timezone.clone(),
            windows: it.windows.clone(),
        };
        (it.name.clone(), facts)
    });
    PlanMetadata {
        fleet: fleet.name.clone(),
        digest: Digest::new(""),
        tool: request.tool.to_owned(),
        made_at: request.now,
        looked_at: request.looked_at,
        start_before: start_before(looked_at, fleet.start_within_seconds),
        inputs: request.inputs.clone(),
        managers: fleet.managers.clone(),
        limits: limits.collect(),
        writes_per_second: fleet.writes_per_second,
        deadline: fleet.deadline,
        timezone: fleet.timezone.clone(),
        settings: fleet.planning.clone(),
        clusters: facts
            .filter(|(_, facts)| *facts != ClusterFacts::default())
            .collect(),
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
