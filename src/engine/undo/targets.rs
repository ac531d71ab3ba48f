//! Which releases of a run can be put back, and putting them back, in the reverse order of their waves.

use std::collections::BTreeMap;

use futures::FutureExt as _;
use futures::future::join_all;

use super::open::{Survey, open_undo, survey};
use crate::domain::ids::{ClusterName, ReleaseId, Revision};
use crate::domain::release::Driver;
use crate::domain::run::{Attempt, Job, Outcome};
use crate::domain::run_event::What;
use crate::engine::bounded::bounded;
use crate::engine::run::{
    Crew, CrewError, DriveError, Eyes, Hands, Images, Memory, Opening, Patience, RunContext, Task,
    drive, read_attempt, tell_start,
};
use crate::store::{AttemptRow, Journal};

/// Undos under way at once on one cluster beside those in their dwell: a dwelling one does nothing, so many may wait.
const UNDOS_AT_ONCE: usize = 256;

/// Operator's wish, as the journal records it.
const ASKED: &str = "refit undo asked for it";

/// A release of a run that is not as before.
#[derive(Debug, Clone)]
pub struct UndoTarget {
    /// Which.
    pub release: ReleaseId,
    /// Where its records are.
    pub driver: Driver,
    /// Its latest attempt that moved something: open, or a migration that is Done.
    pub row: AttemptRow,
}

/// What came of one release.
#[derive(Debug, Clone)]
pub struct UndoEnd {
    /// Which.
    pub release: ReleaseId,
    /// How it ended; `None` in a preview: it will be put back.
    pub end: Option<Outcome>,
    /// Objects put back, or to be.
    pub objects: u32,
    /// Of them, those whose values go back too.
    pub valued: u32,
    /// What is not put back, in words: owners that nobody can write any more.
    pub unrestored: Vec<String>,
    /// Writes that took effect, or are needed.
    pub writes: u32,
    /// The revision that is deployed before.
    pub from: Revision,
    /// And after.
    pub to: Revision,
}

/// The releases of a run that an undo would touch: those with an open attempt, and those whose last attempt is a
/// migration that is Done.
pub async fn targets(
    journal: &dyn Journal,
    context: &crate::domain::ids::RunId,
    driver_of: &(dyn Fn(&ReleaseId) -> Driver + Send + Sync),
) -> Result<Vec<UndoTarget>, CrewError> {
    let mut latest: BTreeMap<ReleaseId, AttemptRow> = BTreeMap::new();
    for row in journal.attempts(Some(context)).await? {
        let touched = match &row.outcome {
            None | Some(Outcome::Done | Outcome::MovedOn { .. } | Outcome::Undone { .. }) => true,
            // An undo that could do nothing leaves the migration as it was.
            Some(_) => false,
        };
        let gave_up = row.job == Job::Undo
            && matches!(&row.outcome, Some(Outcome::MovedOn { .. }))
            && row.token.is_empty();
        if touched && !gave_up {
            latest.insert(row.release.clone(), row);
        }
    }
    Ok(latest
        .into_values()
        .filter(|row| {
            row.outcome.is_none() || (row.job == Job::Migrate && row.outcome == Some(Outcome::Done))
        })
        .map(|row| UndoTarget {
            release: row.release.clone(),
            driver: driver_of(&row.release),
            row,
        })
        .collect())
}

/// Looks at many releases of one cluster, `at_once` at a time; see [`preview`].
pub async fn previews(
    eyes: &Eyes<'_>,
    targets: &[&UndoTarget],
    at_once: usize,
) -> Vec<Result<UndoEnd, DriveError>> {
    let mut work = Vec::new();
    for target in targets {
        work.push(async move { preview(eyes, target).await }.boxed());
    }
    bounded(at_once, work).await
}

/// What putting back would do: looks and rehearses, zero writes.
pub async fn preview(eyes: &Eyes<'_>, target: &UndoTarget) -> Result<UndoEnd, DriveError> {
    let Some(attempt) = read_attempt(eyes.journal, &target.release, target.row.attempt).await?
    else {
        return Ok(ended(
            target,
            None,
            Some(Outcome::Undone {
                why: "nothing was begun".to_owned(),
            }),
        ));
    };
    if attempt.outcome.is_none() {
        return Ok(ended(target, Some(&attempt), None));
    }
    let mut images = Images::default();
    match survey(eyes, target.driver, &attempt, &mut images).await? {
        Survey::Possible(possible) => Ok(UndoEnd {
            objects: possible.objects(),
            writes: possible.writes(),
            ..ended(target, Some(&attempt), None)
        }),
        Survey::Not(outcome) => Ok(ended(target, Some(&attempt), Some(outcome))),
    }
}

fn ended(target: &UndoTarget, attempt: Option<&Attempt>, end: Option<Outcome>) -> UndoEnd {
    let (from, to, objects) = attempt.map_or((Revision(0), Revision(0), 0), |attempt| {
        let objects = u32::try_from(attempt.objects.len()).unwrap_or(u32::MAX);
        (attempt.opened.lock, attempt.opened.base.revision, objects)
    });
    let to = if matches!(end, None | Some(Outcome::Undone { .. })) {
        to
    } else {
        from
    };
    let valued = attempt.map_or(0, |attempt| {
        let objects = attempt.opened.objects.iter();
        objects.filter(|object| object.values.is_some()).count()
    });
    let unrestored = attempt.map_or_else(Vec::new, Attempt::unrestored);
    UndoEnd {
        release: target.release.clone(),
        unrestored: unrestored.into_iter().map(str::to_owned).collect(),
        end,
        objects,
        valued: u32::try_from(valued).unwrap_or(u32::MAX),
        writes: 0,
        from,
        to,
    }
}

/// Puts releases back. Each ends with an outcome or an error that leaves it open.
pub async fn undo(
    context: &RunContext,
    crew: &Crew,
    targets: Vec<UndoTarget>,
) -> Vec<(ReleaseId, Result<UndoEnd, DriveError>)> {
    let mut by_cluster: BTreeMap<ClusterName, Vec<UndoTarget>> = BTreeMap::new();
    for target in targets.into_iter().rev() {
        by_cluster
            .entry(target.release.cluster.clone())
            .or_default()
            .push(target);
    }
    let work = by_cluster
        .into_iter()
        .filter_map(|(cluster, targets)| Some((crew.on(&cluster)?, targets)));
    let ends = join_all(work.map(|(hands, targets)| async move {
        let mut work = Vec::new();
        for target in &targets {
            work.push(
                async move { (target.release.clone(), one(context, hands, target).await) }.boxed(),
            );
        }
        bounded(UNDOS_AT_ONCE, work).await
    }))
    .await;
    ends.into_iter().flatten().collect()
}

async fn one(
    context: &RunContext,
    hands: &Hands,
    target: &UndoTarget,
) -> Result<UndoEnd, DriveError> {
    if *context.stop.borrow() {
        // Asked to stop: what is in hand is finished, nothing is begun. It stays without an end.
        return Ok(ended(target, None, None));
    }
    let started = context.clock.now();
    let Some(mut attempt) =
        read_attempt(hands.ledger.journal(), &target.release, target.row.attempt).await?
    else {
        return Ok(ended(
            target,
            None,
            Some(Outcome::Undone {
                why: "nothing was begun".to_owned(),
            }),
        ));
    };
    let wish = || Some(ASKED.to_owned());
    let task = Task {
        driver: target.driver,
        undo_wished: &wish,
    };
    let (mut images, mut memory) = (Images::default(), Memory::default());
    if attempt.outcome.is_none() {
        tell_start(context, None, &target.release, attempt.objects.len()).await;
        attempt = drive(hands, &task, attempt, &mut images, &mut memory).await?;
        if attempt.opened.job == Job::Undo || attempt.outcome != Some(Outcome::Done) {
            return Ok(finish(context, target, &attempt, started).await);
        }
        // It was past its commit: it is migrated now, and gets an undo of its own.
    }
    let slot = hands.pacer.slot().await;
    if *context.stop.borrow() {
        return Ok(ended(target, Some(&attempt), None));
    }
    let mut patience = Patience::new(hands);
    let looked = loop {
        match survey(&hands.eyes(), target.driver, &attempt, &mut images).await {
            Ok(looked) => break looked,
            Err(error) => patience.pause(hands, error).await?,
        }
    };
    drop(slot);
    let possible = match looked {
        Survey::Possible(possible) => *possible,
        Survey::Not(outcome) => {
            hands
                .ledger
                .hand_back(&target.release, Job::Undo, outcome.clone())
                .await?;
            tell(context, target, &outcome, 0, started).await;
            return Ok(ended(target, Some(&attempt), Some(outcome)));
        }
    };
    let opening = open_undo(
        hands,
        &context.store,
        &attempt,
        possible,
        context.dwell_seconds,
        images,
    )
    .await?;
    match opening {
        Opening::HandedBack(outcome) => Ok(ended(target, Some(&attempt), Some(outcome))),
        Opening::Opened(ready) => {
            let ready = *ready;
            tell_start(context, None, &target.release, ready.attempt.objects.len()).await;
            let (mut images, mut memory) = (ready.images, ready.memory);
            let attempt = drive(hands, &task, ready.attempt, &mut images, &mut memory).await?;
            Ok(finish(context, target, &attempt, started).await)
        }
    }
}

async fn finish(
    context: &RunContext,
    target: &UndoTarget,
    attempt: &Attempt,
    started: jiff::Timestamp,
) -> UndoEnd {
    let outcome = attempt.outcome.clone().unwrap_or(Outcome::Undone {
        why: ASKED.to_owned(),
    });
    let mut end = ended(target, Some(attempt), Some(outcome.clone()));
    if attempt.opened.job == Job::Undo {
        end.from = attempt
            .opened
            .committed
            .as_ref()
            .map_or(end.from, |committed| committed.revision);
        if !matches!(outcome, Outcome::Undone { .. }) {
            end.to = end.from;
        }
    }
    end.writes = attempt.writes();
    tell(context, target, &outcome, end.writes, started).await;
    end
}

async fn tell(
    context: &RunContext,
    target: &UndoTarget,
    outcome: &Outcome,
    writes: u32,
    started: jiff::Timestamp,
) {
    let release = target.release.clone();
    let seconds = context.clock.now().duration_since(started).as_secs_f64();
    let what = match outcome {
        Outcome::Undone { why } => What::ReleaseUndone {
            release,
            why: why.clone(),
            writes,
            seconds,
        },
        Outcome::MovedOn { why, settled } => What::ReleaseMovedOn {
            release,
            why: why.join("; "),
            settled: *settled,
        },
        Outcome::Stuck { why, side } => What::ReleaseStuck {
            release,
            why: why.clone(),
            side: *side,
        },
        other => What::ReleaseHandedBack {
            release,
            outcome: other.word().to_owned(),
            why: crate::engine::run::why(other),
        },
    };
    context
        .teller
        .tell(None, Some(&target.release.cluster), what)
        .await;
}
