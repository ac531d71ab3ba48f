//! What became of runs, as the store knows it.

use std::collections::BTreeMap;

use super::Desk;
use super::adapters::Stores;
use super::claims::{look, store_error};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::ids::{ReleaseId, RunId};
use crate::domain::plan::Plan;
use crate::domain::report::{ReleaseReport, RunReport, RunState, Totals, WaveReport};
use crate::domain::run::{Job, Outcome};
use crate::engine::run::read_attempt;
use crate::render::Next;
use crate::store::{AttemptRow, RunRow, State};

/// All runs, newest first; or the one.
pub async fn runs(
    desk: &Desk,
    invocation: &Invocation,
    run: Option<&RunId>,
) -> Result<Vec<RunReport>, CliError> {
    let fleet = super::look::fleet(desk, invocation)?;
    let stores = look(desk, invocation, &fleet).await?;
    let rows = match run {
        Some(run) => vec![row(stores.state.as_ref(), run).await?],
        None => stores
            .state
            .runs()
            .await
            .map_err(|error| store_error(&error))?,
    };
    let mut reports = Vec::new();
    for row in rows {
        reports.push(report(&stores, &row, None).await?);
    }
    Ok(reports)
}

/// A run by its name.
pub async fn row(state: &dyn State, run: &RunId) -> Result<RunRow, CliError> {
    let found = state.run(run).await.map_err(|error| store_error(&error))?;
    found.ok_or_else(|| {
        CliError::new(
            ErrorCode::RunNotFound,
            format!("the store knows no run {run}"),
        )
        .next(Next::StatusAll)
    })
}

/// The plan of a run, as it was when the run began.
pub fn plan_of(row: &RunRow) -> Result<Plan, CliError> {
    let text = String::from_utf8_lossy(&row.plan);
    Plan::parse(&text).map_err(|error| CliError::of(ErrorCode::StoreFailed, &error))
}

/// Words of run states in the store.
const STATES: [RunState; 7] = [
    RunState::Running,
    RunState::Waiting,
    RunState::Stopped,
    RunState::Interrupted,
    RunState::BudgetSpent,
    RunState::LockLost,
    RunState::Complete,
];

/// A run's state out of its word in the store.
pub fn state_of(word: &str) -> RunState {
    STATES
        .into_iter()
        .find(|state| state.word() == word)
        .unwrap_or(RunState::Stopped)
}

/// The latest attempt at each release of a run that says how the release stands.
pub fn latest(rows: Vec<AttemptRow>) -> BTreeMap<ReleaseId, AttemptRow> {
    let mut latest: BTreeMap<ReleaseId, AttemptRow> = BTreeMap::new();
    for row in rows {
        // An undo that could do nothing leaves the migration as it was.
        let idle = row.job == Job::Undo && row.token.is_empty();
        if !(idle && latest.contains_key(&row.release)) {
            latest.insert(row.release.clone(), row);
        }
    }
    latest
}

/// A run's report. `why` says why it stopped, where the caller knows.
pub async fn report(
    stores: &Stores,
    row: &RunRow,
    why: Option<String>,
) -> Result<RunReport, CliError> {
    let plan = plan_of(row)?;
    let rows = stores
        .journal
        .attempts(Some(&row.run))
        .await
        .map_err(|error| store_error(&error))?;
    let mut writes: BTreeMap<ReleaseId, u32> = BTreeMap::new();
    for attempt in rows.iter().filter(|attempt| !attempt.token.is_empty()) {
        let folded = read_attempt(stores.journal.as_ref(), &attempt.release, attempt.attempt).await;
        let folded = folded.map_err(|error| CliError::of(ErrorCode::StoreFailed, &error))?;
        *writes.entry(attempt.release.clone()).or_default() +=
            folded.map_or(0, |attempt| attempt.writes());
    }
    let latest = latest(rows);
    let end = |release: &ReleaseId| -> Option<Outcome> { latest.get(release)?.outcome.clone() };
    let mut waves = Vec::new();
    let mut releases = Vec::new();
    let mut current = 0;
    for wave in &plan.waves {
        let ends: Vec<Option<Outcome>> = wave
            .releases
            .iter()
            .map(|planned| end(&planned.release))
            .collect();
        let begun = wave
            .releases
            .iter()
            .any(|planned| latest.contains_key(&planned.release));
        if begun {
            current = wave.number;
        }
        let totals = Totals::of(ends.iter().map(Option::as_ref));
        waves.push(WaveReport {
            number: wave.number,
            name: wave.name.clone(),
            totals,
            started: None,
            ended: None,
        });
        releases.extend(
            wave.releases
                .iter()
                .zip(ends)
                .map(|(planned, end)| ReleaseReport {
                    release: planned.release.clone(),
                    wave: wave.number,
                    end,
                    writes: writes.get(&planned.release).copied().unwrap_or(0),
                }),
        );
    }
    Ok(RunReport {
        run: row.run.clone(),
        fleet: row.fleet.clone(),
        plan_digest: row.plan_digest.clone(),
        state: state_of(&row.state),
        holder: row.holder.who.clone(),
        started: row.started,
        wave: current,
        why,
        until: None,
        waves,
        releases,
        value_changes: 0,
    })
}
