//! The dispatcher: hands on every cluster, waves in order, clusters of a wave side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::join_all;
use tokio::sync::watch;

use super::drive::drive;
use super::hands::{DriveError, Hands, Task};
use super::ledger::{Images, Ledger, LedgerError, read_attempt};
use super::needs::{Needs, Verdict};
use super::open::{Opening, open_migration};
use super::pace::{FleetPace, Pacer};
use super::patience::{Patience, is_away};
use super::sight::Memory;
use super::tell::Teller;
use crate::cluster::Cluster;
use crate::domain::fleet::{Limits, ManagerMatcher};
use crate::domain::ids::{ClusterName, ReleaseId, RunId};
use crate::domain::plan::{Plan, PlannedRelease, Wave};
use crate::domain::policy::Book;
use crate::domain::release::Driver;
use crate::domain::report::Totals;
use crate::domain::run::{Attempt, Job, Outcome};
use crate::domain::run_event::{Share, What};
use crate::engine::bounded::bounded;
use crate::engine::chain::chain;
use crate::engine::ports::{Clock, Dice};
use crate::engine::shadow::{AtHand, Library, LiveProbe, OfflineForecaster, Schemas, Settling};
use crate::store::{self, AttemptRow, Holder, Journal};

/// Record writes of a migration: lock, commit, supersede.
pub const RECORD_WRITES: u32 = 3;

/// What all releases of a run share.
pub struct RunContext {
    /// The run.
    pub run: RunId,
    /// The store's uuid: part of every lock token.
    pub store: String,
    /// Whose entries are Helm's own.
    pub managers: ManagerMatcher,
    /// How long an undo's lock stays.
    pub dwell_seconds: u32,
    /// Journal.
    pub journal: Arc<dyn Journal>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub dice: Arc<dyn Dice>,
    /// Events.
    pub teller: Teller,
    /// Turns true when the operator wants to stop: releases in hand are finished, none is begun.
    pub stop: watch::Receiver<bool>,
}

/// Hands on every cluster of a run.
pub struct Crew {
    hands: BTreeMap<ClusterName, Hands>,
}

/// Why a run cannot go on at all.
#[derive(Debug, thiserror::Error)]
pub enum CrewError {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The journal.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Crew {
    /// Claims every cluster in the store: appends of older holders are refused from here on.
    pub async fn claim(
        context: &RunContext,
        holder: &Holder,
        clusters: BTreeMap<ClusterName, (Arc<dyn Cluster>, Limits)>,
        fleet: &FleetPace,
    ) -> Result<Self, CrewError> {
        let mut hands = BTreeMap::new();
        let library = Arc::<Library>::default();
        for (name, (cluster, limits)) in clusters {
            let epoch = context
                .journal
                .claim(&name, holder, context.clock.now())
                .await?;
            let ledger = Ledger::new(
                Arc::clone(&context.journal),
                name.clone(),
                epoch,
                context.run.clone(),
                Arc::clone(&context.clock),
            );
            let pacer = Pacer::new(limits, Arc::clone(fleet));
            let clock = Arc::clone(&context.clock);
            hands.insert(
                name,
                Hands {
                    cluster,
                    ledger,
                    managers: context.managers.clone(),
                    pacer,
                    clock,
                    library: Arc::clone(&library),
                    away: AtomicBool::new(false),
                },
            );
        }
        Ok(Self { hands })
    }

    /// The hands on a cluster.
    pub fn on(&self, cluster: &ClusterName) -> Option<&Hands> {
        self.hands.get(cluster)
    }

    /// All hands.
    pub fn all(&self) -> impl Iterator<Item = (&ClusterName, &Hands)> {
        self.hands.iter()
    }
}

/// What came of the releases that a process worked on.
#[derive(Debug, Default)]
pub struct Ends {
    /// Errors that left releases open, by release.
    pub errors: BTreeMap<ReleaseId, DriveError>,
    /// Dry runs, repeats at busy objects apart.
    pub dry_runs: u32,
    /// Repeats.
    pub repeats: u32,
}

impl Ends {
    fn add(&mut self, other: Self) {
        self.errors.extend(other.errors);
        self.dry_runs += other.dry_runs;
        self.repeats += other.repeats;
    }

    /// Did this process lose its claim on some cluster?
    pub fn fenced(&self) -> bool {
        self.errors.values().any(DriveError::is_fenced)
    }
}

/// Drives what an earlier process left open, in its journaled direction. Forward is the default: a crash is no
/// reason to undo.
pub async fn resume_open(
    context: &RunContext,
    crew: &Crew,
    driver_of: &(dyn Fn(&ReleaseId) -> Driver + Send + Sync),
    undo_wished: &(dyn Fn() -> Option<String> + Send + Sync),
    wanted: &(dyn Fn(&ReleaseId) -> bool + Send + Sync),
) -> Result<Ends, CrewError> {
    let rows = context.journal.attempts(Some(&context.run)).await?;
    let open = rows
        .into_iter()
        .filter(|row| row.outcome.is_none() && wanted(&row.release));
    let mut by_cluster: BTreeMap<ClusterName, Vec<AttemptRow>> = BTreeMap::new();
    for row in open {
        by_cluster
            .entry(row.release.cluster.clone())
            .or_default()
            .push(row);
    }
    let work = by_cluster
        .into_iter()
        .filter_map(|(cluster, rows)| Some((crew.on(&cluster)?, rows)));
    let all = join_all(work.map(|(hands, rows)| async move {
        let mut work = Vec::new();
        for row in &rows {
            work.push(
                async move {
                    let task = Task {
                        driver: driver_of(&row.release),
                        undo_wished,
                    };
                    go_on(context, hands, &task, row).await
                }
                .boxed(),
            );
        }
        let mut sum = Ends::default();
        for (row, end) in rows.iter().zip(bounded(rows.len(), work).await) {
            if let Err(error) = end {
                sum.errors.insert(row.release.clone(), error);
            }
        }
        sum
    }))
    .await;
    let mut sum = Ends::default();
    for ends in all {
        sum.add(ends);
    }
    Ok(sum)
}

async fn go_on(
    context: &RunContext,
    hands: &Hands,
    task: &Task<'_>,
    row: &AttemptRow,
) -> Result<(), DriveError> {
    let Some(attempt) = read_attempt(hands.ledger.journal(), &row.release, row.attempt).await?
    else {
        return Ok(());
    };
    let started = context.clock.now();
    let objects = attempt.objects.len();
    tell_start(context, None, &row.release, objects).await;
    let (mut images, mut memory) = (Images::default(), Memory::default());
    let attempt = drive(hands, task, attempt, &mut images, &mut memory).await?;
    tell_end(context, None, &attempt, started).await;
    Ok(())
}

/// Runs the waves: releases for which `todo` says yes, each wave after the one before it.
pub async fn run_waves(
    context: &RunContext,
    crew: &Crew,
    plan: &Plan,
    todo: &BTreeSet<ReleaseId>,
    resumed: bool,
) -> Ends {
    let waves: Vec<Share<u32>> = plan
        .waves
        .iter()
        .map(|wave| share(wave.number, wave, todo))
        .collect();
    let what = What::RunStarted {
        plan: plan.metadata.digest.clone(),
        resumed,
        waves,
    };
    context.teller.tell(None, None, what).await;
    let needs = Needs::of(plan, todo, &earlier(context).await, &|cluster| {
        crew.on(cluster).is_some()
    });
    let needs = &needs;
    let mut sum = Ends::default();
    for wave in &plan.waves {
        if *context.stop.borrow() || sum.fenced() {
            break;
        }
        let mut by_cluster: BTreeMap<&ClusterName, Vec<&PlannedRelease>> = BTreeMap::new();
        for planned in wave
            .releases
            .iter()
            .filter(|planned| todo.contains(&planned.release))
        {
            by_cluster
                .entry(&planned.release.cluster)
                .or_default()
                .push(planned);
        }
        if by_cluster.is_empty() {
            continue;
        }
        let started = context.clock.now();
        let clusters = by_cluster
            .iter()
            .map(|(cluster, releases)| Share {
                of: (*cluster).clone(),
                releases: count(releases.len()),
                writes: releases.iter().map(|planned| planned.writes).sum(),
            })
            .collect();
        context
            .teller
            .tell(
                Some(wave.number),
                None,
                What::WaveStarted {
                    name: wave.name.clone(),
                    clusters,
                },
            )
            .await;
        let work = by_cluster
            .into_iter()
            .filter_map(|(cluster, releases)| Some((crew.on(cluster)?, releases)));
        let done = join_all(work.map(|(hands, releases)| {
            on_cluster(context, hands, wave.number, releases, plan, needs)
        }))
        .await;
        let mut totals = Totals::default();
        for (ends, of) in done {
            sum.add(ends);
            totals = add(totals, of);
        }
        let seconds = seconds_since(context, started);
        context
            .teller
            .tell(Some(wave.number), None, What::WaveDone { totals, seconds })
            .await;
    }
    sum
}

fn share(of: u32, wave: &Wave, todo: &BTreeSet<ReleaseId>) -> Share<u32> {
    let mut share = Share {
        of,
        releases: 0,
        writes: 0,
    };
    for planned in wave
        .releases
        .iter()
        .filter(|planned| todo.contains(&planned.release))
    {
        share.releases += 1;
        share.writes += planned.writes;
    }
    share
}

async fn on_cluster(
    context: &RunContext,
    hands: &Hands,
    wave: u32,
    releases: Vec<&PlannedRelease>,
    plan: &Plan,
    needs: &Needs<'_>,
) -> (Ends, Totals) {
    let cluster = releases
        .first()
        .map(|planned| planned.release.cluster.clone());
    let limit = cluster
        .as_ref()
        .and_then(|cluster| plan.metadata.limits.get(cluster))
        .map_or(1, |limits| limits.in_flight);
    let probe = LiveProbe {
        reader: hands.cluster.as_ref(),
        rehearser: hands.cluster.as_ref(),
        managers: &context.managers,
        clock: context.clock.as_ref(),
        dice: context.dice.as_ref(),
    };
    // Hashes of schemas are read anew for each wave: between two of them a CRD may change.
    let schemas = Schemas::new(Arc::clone(&hands.library));
    let probe = OfflineForecaster {
        probe,
        at_hand: AtHand {
            schemas: &schemas,
            lives: None,
            admission: None,
        },
    };
    // A plan whose rules do not read was refused before; without rules every conflict is held.
    let book = Book::new(&plan.metadata.policies).unwrap_or_default();
    let none = BTreeMap::new();
    let labels = cluster
        .as_ref()
        .and_then(|cluster| plan.metadata.labels.get(cluster));
    let settling = Settling {
        forecaster: &probe,
        reader: hands.cluster.as_ref(),
        rehearser: hands.cluster.as_ref(),
        managers: &context.managers,
        clock: context.clock.as_ref(),
        book: &book,
        labels: labels.unwrap_or(&none),
    };
    let settling = &settling;
    let mut work = Vec::new();
    for planned in releases {
        work.push(
            async move {
                let mut ends = Ends::default();
                let verdict = needs.wait(planned).await;
                if *context.stop.borrow() || hands.away.load(Ordering::Relaxed) {
                    needs.ended(&planned.release, None);
                    return (ends, None);
                }
                let end = match verdict {
                    Verdict::Go => {
                        migrate(context, hands, settling, wave, planned, &mut ends).await
                    }
                    Verdict::Never(why) => {
                        hand_back(context, hands, wave, planned, Outcome::Held { why }).await
                    }
                    Verdict::Later(why) => {
                        needs.ended(&planned.release, None);
                        let why = format!("{} is not begun: {why}", planned.release);
                        let what = What::Waiting { why, until: None };
                        let cluster = &planned.release.cluster;
                        context.teller.tell(Some(wave), Some(cluster), what).await;
                        return (ends, None);
                    }
                };
                needs.ended(&planned.release, end.as_ref().ok());
                match end {
                    Ok(outcome) => (ends, Some(outcome)),
                    Err(error) => {
                        if is_away(&error) && !hands.away.swap(true, Ordering::Relaxed) {
                            let why =
                                format!("no release is begun there any more: {}", chain(&error));
                            let what = What::Waiting { why, until: None };
                            let cluster = &planned.release.cluster;
                            context.teller.tell(Some(wave), Some(cluster), what).await;
                        }
                        ends.errors.insert(planned.release.clone(), error);
                        (ends, None)
                    }
                }
            }
            .boxed(),
        );
    }
    let ends: Vec<(Ends, Option<Outcome>)> = bounded(limit as usize, work).await;
    let totals = Totals::of(ends.iter().map(|(_, outcome)| outcome.as_ref()));
    let mut sum = Ends::default();
    for (ends, _) in ends {
        sum.add(ends);
    }
    (sum, totals)
}

async fn migrate(
    context: &RunContext,
    hands: &Hands,
    settling: &Settling<'_>,
    wave: u32,
    planned: &PlannedRelease,
    ends: &mut Ends,
) -> Result<Outcome, DriveError> {
    let started = context.clock.now();
    let mut patience = Patience::new(hands);
    let opening = loop {
        // Until its attempt is in the journal, which is the last thing that opening does, nothing but reads was sent.
        match open_migration(
            hands,
            settling,
            &context.store,
            planned,
            context.dwell_seconds,
        )
        .await
        {
            Ok(opening) => break opening,
            Err(error) => patience.pause(hands, error).await?,
        }
    };
    let ready = match opening {
        Opening::Opened(ready) => *ready,
        Opening::HandedBack(outcome) => {
            return hand_back(context, hands, wave, planned, outcome).await;
        }
    };
    tell_start(
        context,
        Some(wave),
        &planned.release,
        ready.attempt.objects.len(),
    )
    .await;
    ends.dry_runs += ready.dry_runs;
    ends.repeats += ready.repeats;
    let task = Task {
        driver: planned.driver,
        undo_wished: &|| None,
    };
    let (mut images, mut memory) = (ready.images, ready.memory);
    let attempt = drive(hands, &task, ready.attempt, &mut images, &mut memory).await?;
    ends.repeats += memory.rehearsals;
    tell_end(context, Some(wave), &attempt, started).await;
    Ok(attempt.outcome.unwrap_or(Outcome::Done))
}

/// Journals and tells that a release is handed back untouched.
async fn hand_back(
    context: &RunContext,
    hands: &Hands,
    wave: u32,
    planned: &PlannedRelease,
    outcome: Outcome,
) -> Result<Outcome, DriveError> {
    hands
        .ledger
        .hand_back(&planned.release, Job::Migrate, outcome.clone())
        .await?;
    let what = What::ReleaseHandedBack {
        release: planned.release.clone(),
        outcome: outcome.word().to_owned(),
        why: why(&outcome),
    };
    context
        .teller
        .tell(Some(wave), Some(&planned.release.cluster), what)
        .await;
    Ok(outcome)
}

/// What came of releases in this run before now. If the store does not say, nothing is known, and what needs them is not
/// begun.
async fn earlier(context: &RunContext) -> BTreeMap<ReleaseId, Outcome> {
    let rows = context.journal.attempts(Some(&context.run)).await;
    let mut rows: Vec<AttemptRow> = rows.unwrap_or_default();
    rows.sort_by_key(|row| row.attempt);
    let mut ends = BTreeMap::new();
    for row in rows {
        match row.outcome.filter(|_| row.job == Job::Migrate) {
            Some(outcome) => ends.insert(row.release, outcome),
            None => ends.remove(&row.release),
        };
    }
    ends
}

/// Tells that work at a release begins.
pub async fn tell_start(
    context: &RunContext,
    wave: Option<u32>,
    release: &ReleaseId,
    objects: usize,
) {
    let what = What::ReleaseStarted {
        release: release.clone(),
        objects: count(objects),
    };
    context
        .teller
        .tell(wave, Some(&release.cluster), what)
        .await;
}

/// Tells how an attempt ended.
pub async fn tell_end(
    context: &RunContext,
    wave: Option<u32>,
    attempt: &Attempt,
    started: jiff::Timestamp,
) {
    let opened = &attempt.opened;
    let release = opened.release.clone();
    let seconds = seconds_since(context, started);
    let writes = attempt.writes();
    let objects = count(attempt.objects.len());
    let what = match &attempt.outcome {
        None => return,
        Some(Outcome::Done) => What::ReleaseMigrated {
            release,
            objects,
            revision: opened.lock,
            writes,
            seconds,
        },
        Some(Outcome::Undone { why }) => What::ReleaseUndone {
            release,
            why: why.clone(),
            writes,
            seconds,
        },
        Some(Outcome::MovedOn { why, settled }) => What::ReleaseMovedOn {
            release,
            why: why.join("; "),
            settled: *settled,
        },
        Some(Outcome::Stuck { why, side }) => What::ReleaseStuck {
            release,
            why: why.clone(),
            side: *side,
        },
        Some(outcome) => What::ReleaseHandedBack {
            release,
            outcome: outcome.word().to_owned(),
            why: why(outcome),
        },
    };
    context
        .teller
        .tell(wave, Some(&opened.release.cluster), what)
        .await;
}

/// An outcome's reason, in words.
pub fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => String::new(),
        Outcome::Undone { why } | Outcome::Held { why } | Outcome::Stuck { why, .. } => why.clone(),
        Outcome::Busy { who } => who.clone(),
        Outcome::Stale { what } => what.clone(),
        Outcome::MovedOn { why, .. } => why.join("; "),
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn seconds_since(context: &RunContext, started: jiff::Timestamp) -> f64 {
    context.clock.now().duration_since(started).as_secs_f64()
}

fn add(left: Totals, right: Totals) -> Totals {
    Totals {
        migrated: left.migrated + right.migrated,
        handed_back: left.handed_back + right.handed_back,
        undone: left.undone + right.undone,
        moved_on: left.moved_on + right.moved_on,
        stuck: left.stuck + right.stuck,
        open: left.open + right.open,
    }
}
