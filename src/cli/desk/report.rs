//! What became of runs, as the store knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Desk;
use super::adapters::Stores;
use super::claims::{look, store_error, store_path};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::ids::{ClusterName, ReleaseId, RunId};
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
    let path = store_path(invocation, &fleet);
    for mut row in rows {
        let mut why = None;
        if state_of(&row.state) == RunState::Running && !is_alive(desk, &path, &row)? {
            RunState::Stopped.word().clone_into(&mut row.state);
            why = Some(format!(
                "its process (pid {}) died or was stopped at once",
                row.holder.pid
            ));
        }
        reports.push(report(&stores, &row, why).await?);
    }
    Ok(reports)
}

/// Does the process of a run that calls itself running still hold one of its clusters?
fn is_alive(desk: &Desk, path: &Path, row: &RunRow) -> Result<bool, CliError> {
    let plan = plan_of(row)?;
    let clusters: BTreeSet<&ClusterName> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| &planned.release.cluster)
        .collect();
    Ok(clusters.into_iter().any(|cluster| {
        let holder = desk.adapters.holder(path, cluster);
        holder.is_some_and(|holder| holder.run == row.run)
    }))
}

/// Releases that are named in a line; the others are counted.
const NAMED: usize = 3;

/// The releases with an open attempt, in words: as long as they are, their locks refuse `helm upgrade`.
pub fn in_hand<'a>(rows: impl IntoIterator<Item = &'a AttemptRow>) -> Option<String> {
    let open: Vec<String> = rows
        .into_iter()
        .filter(|row| row.outcome.is_none())
        .map(|row| row.release.to_string())
        .collect();
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", {more} more"),
    };
    let named = open.iter().take(NAMED).map(String::as_str);
    (!open.is_empty()).then(|| {
        let named: Vec<&str> = named.collect();
        format!(
            "left in hand, locked against helm upgrade: {}{more}",
            named.join(", ")
        )
    })
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
    let running = state_of(&row.state) == RunState::Running;
    let left = (!running).then(|| in_hand(&rows)).flatten();
    let why = match (why, left) {
        (Some(why), Some(left)) => Some(format!("{why}; {left}")),
        (why, left) => why.or(left),
    };
    let latest = latest(rows);
    let end = |release: &ReleaseId| -> Option<Outcome> { latest.get(release)?.outcome.clone() };
    let mut waves = Vec::new();
    let mut releases = Vec::new();
    let mut current = 0;
    let mut value_changes = 0;
    let mut irreversible = 0;
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
        let done = wave.releases.iter().zip(&ends);
        for (planned, _) in done.filter(|(_, end)| matches!(end, Some(Outcome::Done))) {
            value_changes += planned.value_changes();
            irreversible += planned.irreversible_objects();
        }
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
        value_changes,
        irreversible,
    })
}
