//! Settling: releases that ended MovedOn while somebody's revision was still pending are looked at again.

use crate::domain::ids::{ReleaseId, RunId};
use crate::domain::release::Driver;
use crate::domain::run::{Attempt, Outcome};
use crate::engine::run::{CrewError, DriveError, Hands, Images, Memory, Task, drive, reopen};
use crate::store::{AttemptRow, Journal};

/// A release that ended unsettled.
#[derive(Debug, Clone)]
pub struct Unsettled {
    /// Which.
    pub release: ReleaseId,
    /// Its run.
    pub run: RunId,
    /// The attempt.
    pub row: AttemptRow,
    /// What the attempt said.
    pub why: Vec<String>,
}

/// The releases that `settle` would look at, of all runs.
pub async fn unsettled(journal: &dyn Journal) -> Result<Vec<Unsettled>, CrewError> {
    let rows = journal.attempts(None).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| match row.outcome.clone() {
            Some(Outcome::MovedOn {
                why,
                settled: false,
            }) => Some(Unsettled {
                release: row.release.clone(),
                run: row.run.clone(),
                row,
                why,
            }),
            _ => None,
        })
        .collect())
}

/// Opens the attempt again and drives it to an end: our own deployed revision is superseded if a newer one is
/// deployed. `None`: its journal holds nothing to go on with.
///
/// Cancel safe, like every drive.
pub async fn settle(
    hands: &Hands,
    driver: Driver,
    unsettled: &Unsettled,
) -> Result<Option<Attempt>, DriveError> {
    let journal = hands.ledger.journal();
    let Some(attempt) = reopen(journal, &unsettled.release, unsettled.row.attempt).await? else {
        return Ok(None);
    };
    let task = Task {
        driver,
        undo_wished: &|| None,
    };
    let (mut images, mut memory) = (Images::default(), Memory::default());
    drive(hands, &task, attempt, &mut images, &mut memory)
        .await
        .map(Some)
}
