//! Drives one attempt to its end: the loop of the run protocol, for live work and for recovery alike.
//!
//! | decisions (`domain::run`) | effects (here) |
//! |---|---|
//! | what to look at, what to journal, what to send | reads, durable appends, requests, waits |

use std::time::Duration;

use super::hands::{DriveError, FOREIGN_PATIENCE, Hands, Task};
use super::ledger::Images;
use super::patience::Patience;
use super::request::send;
use super::sight::{Memory, opens, view};
use crate::domain::run::{Attempt, Decision, Entry, Observation, WaitFor, decide};

/// How often a wait looks again.
const POLL: Duration = Duration::from_millis(500);

/// Drives `attempt` until it is closed.
///
/// Cancel safe: dropped at any point, the journal holds every request that may be under way, and a later call with
/// the attempt folded from the journal goes on.
pub async fn drive(
    hands: &Hands,
    task: &Task<'_>,
    mut attempt: Attempt,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Attempt, DriveError> {
    let release = attempt.opened.release.clone();
    if attempt.outcome.is_none() {
        opens(hands, &attempt, images).await?;
    }
    let mut seen = Observation::Nothing;
    let mut lazy: Vec<Entry> = Vec::new();
    let mut foreign_since = None;
    let mut slot = hands.pacer.slot().await;
    loop {
        match decide(&attempt, &seen) {
            Decision::Closed => {
                flush(hands, &attempt, &mut lazy, images).await?;
                return Ok(attempt);
            }
            Decision::Look(look) => {
                let waited_enough = foreign_since.is_some_and(|since: jiff::Timestamp| {
                    elapsed(since, hands.clock.now()) >= FOREIGN_PATIENCE
                });
                let mut patience = Patience::new(hands);
                let mut view = loop {
                    match view(hands, task, &attempt, &look, images, memory).await {
                        Ok(view) => break view,
                        Err(error) => patience.pause(hands, error).await?,
                    }
                };
                view.undo_wished = (task.undo_wished)();
                view.waited_enough = waited_enough;
                seen = Observation::View(view);
            }
            Decision::Append(entries) => {
                for entry in &entries {
                    attempt = attempt.apply(entry).map_err(|source| DriveError::Illegal {
                        release: release.clone(),
                        source,
                    })?;
                }
                let sync = entries.iter().any(Entry::is_sync);
                lazy.extend(entries);
                if sync {
                    flush(hands, &attempt, &mut lazy, images).await?;
                }
                seen = Observation::Nothing;
            }
            Decision::Send(intents) => {
                let mut replies = Vec::new();
                for no in intents {
                    replies.push(send(hands, task, &attempt, no, images, memory).await?);
                }
                seen = Observation::Replies(replies);
            }
            Decision::Wait(wait) => {
                flush(hands, &attempt, &mut lazy, images).await?;
                let pause = match wait {
                    WaitFor::Dwell { until } => elapsed(hands.clock.now(), until)
                        .min(POLL * 4)
                        .max(POLL / 10),
                    WaitFor::Foreign { .. } => {
                        foreign_since.get_or_insert_with(|| hands.clock.now());
                        POLL
                    }
                };
                // Waiting costs latency, not throughput: other releases use the place meanwhile.
                drop(slot.take());
                tokio::time::sleep(pause).await;
                slot = hands.pacer.slot().await;
                seen = Observation::Nothing;
            }
        }
    }
}

async fn flush(
    hands: &Hands,
    attempt: &Attempt,
    lazy: &mut Vec<Entry>,
    images: &mut Images,
) -> Result<(), DriveError> {
    if !lazy.is_empty() {
        hands
            .ledger
            .append(attempt, lazy, images.take_fresh())
            .await?;
        lazy.clear();
    }
    Ok(())
}

fn elapsed(from: jiff::Timestamp, to: jiff::Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}
