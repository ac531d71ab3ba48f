//! `unlock`: a lock that its run left behind.

use super::Desk;
use super::claims::{Claim, claim, look};
use super::{driver, prod};
use crate::cli::backend::{UnlockPreview, Unlocked};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ReleaseId, Revision, RunId};
use crate::domain::run::{Attempt, Job, Outcome, Side};
use crate::engine::run::{Images, Memory, Task, drive, read_attempt, remove};
use crate::engine::undo::{LockFound, look_at_lock, parts};
use crate::render::Next;
use crate::store::AttemptRow;

/// Why an unlock undoes, as the journal records it.
const ASKED: &str = "refit unlock asked for it";

/// Events of an unlock: few, and nobody follows them.
const QUEUE: usize = 64;

/// Looks at a release's lock.
pub async fn prepare(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    release: &ReleaseId,
) -> Result<UnlockPreview, CliError> {
    let cluster = desk.connected(fleet, &release.cluster).await?;
    let stores = look(desk, invocation, fleet).await?;
    let found = look_at_lock(
        cluster.as_ref(),
        stores.journal.as_ref(),
        driver(invocation)?,
        release,
    )
    .await;
    let found = found.map_err(|error| CliError::of(ErrorCode::ClusterFailed, &error))?;
    let (lock, row) = match found {
        None => {
            return Err(CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("there is no release {release}"),
            ));
        }
        Some(LockFound::None { status }) => {
            return Err(CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("{release} is not locked"),
            )
            .because(format!("its last revision is {status}")));
        }
        Some(LockFound::Helm { revision, status }) => {
            return Err(CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("{release} is not locked by refit"),
            )
            .because(format!(
                "revision {revision} is {status} without refit's mark: it is Helm's own"
            ))
            .next(format!(
                "once nobody works on it: helm rollback {} -n {}",
                release.name, release.namespace
            )));
        }
        Some(LockFound::Foreign { lock }) => {
            let whose = parts(&lock.token).map_or_else(
                || lock.token.to_string(),
                |(store, run, _)| format!("{run} of store {store}"),
            );
            return Err(CliError::new(
                ErrorCode::RunNotFound,
                format!("{release} is locked by {whose}, which this store does not know"),
            )
            .because("only that store's journal knows what may still be under way")
            .next("refit resume, undo or unlock beside that store's fleet.toml")
            .next(format!(
                "by hand, safe at any time: kubectl delete secret {} -n {}",
                lock.head.name, release.namespace
            )));
        }
        Some(LockFound::Ours { lock, row }) => (lock, row),
    };
    let attempt = read_attempt(stores.journal.as_ref(), release, row.attempt).await;
    let attempt = attempt.map_err(|error| CliError::of(ErrorCode::StoreFailed, &error))?;
    let (moved, objects, since) = attempt
        .as_ref()
        .map_or((0, 0, desk.adapters.clock().now()), facts);
    Ok(UnlockPreview {
        release: release.clone(),
        lock: lock.revision,
        token: lock.token.to_string(),
        run: row.run.clone(),
        since,
        known: true,
        moved,
        objects,
        side: side(&row, attempt.as_ref()),
        prod: prod(fleet, [&release.cluster]),
    })
}

fn facts(attempt: &Attempt) -> (u32, u32, jiff::Timestamp) {
    let moved = attempt
        .objects
        .iter()
        .filter(|slot| slot.state.is_changed())
        .count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (
        count(moved),
        count(attempt.objects.len()),
        attempt.opened.intent.at,
    )
}

/// The side on which unlocking would leave the release.
fn side(row: &AttemptRow, attempt: Option<&Attempt>) -> Side {
    match (&row.outcome, row.job, attempt) {
        // A closed attempt moves no more: its lock goes, and the release stays where it was left.
        (Some(Outcome::Stuck { side, .. }), _, _) => *side,
        (_, Job::Migrate, Some(attempt)) if attempt.is_committed() => Side::After,
        _ => Side::Before,
    }
}

/// Removes the lock: an open attempt is undone (or finished, past its commit), a lock left after its end is deleted.
pub async fn unlock(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    preview: &UnlockPreview,
) -> Result<Unlocked, CliError> {
    let release = &preview.release;
    let clusters = [release.cluster.clone()].into();
    let (events, mut unread) = tokio::sync::mpsc::channel(QUEUE);
    tokio::spawn(async move { while unread.recv().await.is_some() {} });
    let run: &RunId = &preview.run;
    let work = claim(
        desk,
        invocation,
        Claim {
            fleet,
            run,
            clusters: &clusters,
            events,
            again: Next::Unlock {
                release: release.to_string(),
            },
        },
    )
    .await?;
    let driver = driver(invocation)?;
    let hands = work.crew.on(&release.cluster).ok_or_else(|| {
        CliError::internal(format!("{} is not among the clusters", release.cluster))
    })?;
    let found = look_at_lock(
        hands.cluster.as_ref(),
        work.stores.journal.as_ref(),
        driver,
        release,
    )
    .await;
    let found = found.map_err(|error| CliError::of(ErrorCode::ClusterFailed, &error))?;
    let Some(LockFound::Ours { lock, row }) = found else {
        return Err(CliError::new(
            ErrorCode::ReleaseNotFound,
            format!("{release} is not locked any more"),
        ));
    };
    if lock.token.as_str() != preview.token {
        return Err(CliError::new(
            ErrorCode::LockHeld,
            format!("{release} is locked by {} now", lock.token),
        )
        .next(Next::Unlock {
            release: release.to_string(),
        }));
    }
    let attempt = read_attempt(work.stores.journal.as_ref(), release, row.attempt).await;
    let attempt = attempt.map_err(|error| CliError::of(ErrorCode::StoreFailed, &error))?;
    let done = |side, deployed| Unlocked {
        lock: lock.revision,
        deployed,
        side,
    };
    match attempt {
        Some(attempt) if row.outcome.is_none() => {
            let wish = || Some(ASKED.to_owned());
            let task = Task {
                driver,
                undo_wished: &wish,
            };
            let (mut images, mut memory) = (Images::default(), Memory::default());
            let base = attempt.opened.base.revision;
            let ended = drive(hands, &task, attempt, &mut images, &mut memory).await;
            let ended = ended.map_err(|error| CliError::of(ErrorCode::ClusterFailed, &error))?;
            Ok(match ended.outcome {
                Some(Outcome::Done) => done(Side::After, Some(ended.opened.lock)),
                Some(Outcome::Undone { .. }) => done(Side::Before, Some(base)),
                _ => done(Side::Between, None),
            })
        }
        attempt => {
            let removed = remove(hands, driver, release, &lock).await;
            let removed =
                removed.map_err(|error| CliError::of(ErrorCode::ClusterFailed, &error))?;
            if !removed {
                return Err(CliError::new(
                    ErrorCode::LockHeld,
                    format!("the lock of {release} changed while it was removed"),
                )
                .because("somebody else wrote or deleted it: nothing was done")
                .next(Next::Unlock {
                    release: release.to_string(),
                }));
            }
            let side = side(&row, attempt.as_ref());
            let base: Option<Revision> = attempt.map(|attempt| attempt.opened.base.revision);
            Ok(done(side, base))
        }
    }
}
