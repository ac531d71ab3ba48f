//! `undo` and `settle`: previews look and rehearse, then the engine goes back.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::claims::{Claim, Work, announce_stop, claim, crew_error, look, store_error};
use super::report::{plan_of, row};
use super::{driver, prod};
use crate::cli::backend::{Events, UndoPreview, UndoScope};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ClusterName, ReleaseId, RunId};
use crate::domain::plan::Plan;
use crate::domain::release::Driver;
use crate::domain::report::{RunState, UndoItem, UndoReport};
use crate::domain::run::Outcome;
use crate::engine::run::{DriveError, Eyes, sweep};
use crate::engine::undo::{self, UndoEnd, UndoTarget, Unsettled, unsettled};
use crate::render::Next;
use crate::store::Journal;

/// Everything of a run that is in scope and can be put back, or could be if nobody had moved it.
async fn wanted(
    journal: &dyn Journal,
    invocation: &Invocation,
    fleet: &Fleet,
    plan: &Plan,
    scope: &UndoScope,
) -> Result<Vec<UndoTarget>, CliError> {
    let known: BTreeMap<ReleaseId, (u32, Driver)> = plan
        .waves
        .iter()
        .flat_map(|wave| {
            wave.releases
                .iter()
                .map(move |planned| (wave.number, planned))
        })
        .map(|(wave, planned)| (planned.release.clone(), (wave, planned.driver)))
        .collect();
    for release in &scope.releases {
        if !known.contains_key(release) {
            return Err(CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("{release} is not in {}", scope.run),
            )
            .next(Next::Status {
                run: scope.run.to_string(),
            }));
        }
    }
    let driver_of = {
        let known = known.clone();
        move |release: &ReleaseId| {
            known
                .get(release)
                .map_or(Driver::Secret, |(_, driver)| *driver)
        }
    };
    let all = undo::targets(journal, &scope.run, &driver_of)
        .await
        .map_err(|error| crew_error(&error))?;
    let clusters: BTreeSet<&ClusterName> =
        fleet.clusters.iter().map(|cluster| &cluster.name).collect();
    let in_scope = invocation.scope();
    let mut targets: Vec<(u32, UndoTarget)> = Vec::new();
    for target in all {
        let release = &target.release;
        let wave = known.get(release).map_or(0, |(wave, _)| *wave);
        let named = scope.releases.is_empty() || scope.releases.contains(release);
        let right_wave = scope.wave.is_none_or(|wanted| wanted == wave);
        if !named
            || !right_wave
            || !clusters.contains(&release.cluster)
            || !in_scope.has_release(release)
        {
            continue;
        }
        if let Some(since) = scope.since {
            let entries = journal.attempt_entries(release, target.row.attempt).await;
            let entries = entries.map_err(|error| store_error(&error))?;
            if entries.last().is_none_or(|last| last.at < since) {
                continue;
            }
        }
        targets.push((wave, target));
    }
    // Later waves go back first.
    targets.sort_by_key(|(wave, _)| *wave);
    Ok(targets.into_iter().map(|(_, target)| target).collect())
}

/// What an undo would do: looks at every release and rehearses every patch; zero writes.
pub async fn prepare(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    scope: &UndoScope,
) -> Result<UndoPreview, CliError> {
    let stores = look(desk, invocation, fleet).await?;
    let run = row(stores.state.as_ref(), &scope.run).await?;
    let plan = plan_of(&run)?;
    let targets = wanted(stores.journal.as_ref(), invocation, fleet, &plan, scope).await?;
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let clock = desk.adapters.clock();
    let seal = super::claims::sealer(invocation, fleet)?;
    let mut items = Vec::new();
    let clusters: BTreeSet<ClusterName> = targets
        .iter()
        .map(|target| target.release.cluster.clone())
        .collect();
    for name in &clusters {
        let cluster = desk.connected(fleet, name).await?;
        let eyes = Eyes {
            reader: cluster.as_ref(),
            rehearser: cluster.as_ref(),
            journal: stores.journal.as_ref(),
            managers: &managers,
            clock: clock.as_ref(),
            seal: seal.as_deref(),
        };
        let of_cluster: Vec<&UndoTarget> = targets
            .iter()
            .filter(|target| target.release.cluster == *name)
            .collect();
        let at_once = fleet
            .clusters
            .iter()
            .find(|cluster| cluster.name == *name)
            .map_or(1, |cluster| cluster.limits.in_flight);
        for end in undo::previews(&eyes, &of_cluster, at_once as usize).await {
            items.push(item(end.map_err(|error| drive_error(&error))?));
        }
    }
    let writes = fleet
        .clusters
        .iter()
        .filter(|cluster| clusters.contains(&cluster.name))
        .map(|cluster| cluster.limits.writes_per_second)
        .min();
    Ok(UndoPreview {
        prod: prod(fleet, &clusters),
        report: UndoReport {
            run: Some(scope.run.clone()),
            fleet: fleet.name.clone(),
            state: RunState::Stopped,
            items,
            seconds: None,
        },
        writes_per_second: writes.unwrap_or(1),
    })
}

fn drive_error(error: &DriveError) -> CliError {
    let code = if error.is_fenced() {
        ErrorCode::Fenced
    } else {
        match error {
            DriveError::Ledger(_) | DriveError::Illegal { .. } => ErrorCode::StoreFailed,
            DriveError::Cluster { .. } | DriveError::Record { .. } => ErrorCode::ClusterFailed,
        }
    };
    CliError::of(code, error)
}

fn item(end: UndoEnd) -> UndoItem {
    UndoItem {
        release: end.release,
        end: end.end,
        objects: end.objects,
        valued: end.valued,
        unrestored: end.unrestored,
        writes: end.writes,
        from: end.from,
        to: end.to,
    }
}

/// Puts back what the preview names.
pub async fn undo(
    desk: &Desk,
    invocation: &Invocation,
    preview: &UndoPreview,
    events: Events,
) -> Result<UndoReport, CliError> {
    let fleet = super::look::fleet(desk, invocation)?;
    let run = preview.report.run.clone().unwrap_or_else(|| RunId::new(""));
    let touched: BTreeSet<ReleaseId> = preview
        .report
        .items
        .iter()
        .filter(|item| item.end.is_none())
        .map(|item| item.release.clone())
        .collect();
    let clusters: BTreeSet<ClusterName> = touched
        .iter()
        .map(|release| release.cluster.clone())
        .collect();
    let started = desk.adapters.clock().now();
    let work = claim(
        desk,
        invocation,
        Claim {
            fleet: &fleet,
            run: &run,
            clusters: &clusters,
            events,
            again: Next::Undo {
                run: run.to_string(),
            },
        },
    )
    .await?;
    let plan = plan_of(&row(work.stores.state.as_ref(), &run).await?)?;
    let scope = UndoScope {
        run: run.clone(),
        releases: touched.iter().cloned().collect(),
        wave: None,
        since: None,
    };
    let targets = wanted(
        work.stores.journal.as_ref(),
        invocation,
        &fleet,
        &plan,
        &scope,
    )
    .await?;
    let drivers: Vec<Driver> = targets
        .iter()
        .map(|target| target.driver)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    sweep(&work.context, &work.crew, &drivers)
        .await
        .map_err(|error| crew_error(&error))?;
    let ends = tokio::select! {
        ends = undo::undo(&work.context, &work.crew, targets) => ends,
        never = announce_stop(&work.context) => match never {},
    };
    let mut items: Vec<UndoItem> = preview
        .report
        .items
        .iter()
        .filter(|item| item.end.is_some())
        .cloned()
        .collect();
    let mut fenced = false;
    let mut open = false;
    for (release, end) in ends {
        match end {
            Ok(end) => items.push(item(end)),
            Err(error) => {
                fenced |= error.is_fenced();
                open = true;
                tracing::error!("{release}: {}", crate::engine::chain::chain(&error));
                items.extend(
                    preview
                        .report
                        .items
                        .iter()
                        .find(|item| item.release == release)
                        .cloned(),
                );
            }
        }
    }
    sweep(&work.context, &work.crew, &drivers)
        .await
        .map_err(|error| crew_error(&error))?;
    items.sort_by(|left, right| left.release.cmp(&right.release));
    let stopped = *work.context.stop.borrow() && items.iter().any(|item| item.end.is_none());
    let state = match (fenced, stopped, open) {
        (true, _, _) => RunState::LockLost,
        (false, true, _) => RunState::Interrupted,
        (false, false, true) => RunState::Stopped,
        (false, false, false) => RunState::Complete,
    };
    let seconds = desk
        .adapters
        .clock()
        .now()
        .duration_since(started)
        .as_secs();
    finish_run(&work, &run).await?;
    Ok(UndoReport {
        run: Some(run),
        fleet: fleet.name,
        state,
        items,
        seconds: Some(u64::try_from(seconds).unwrap_or(0)),
    })
}

/// A run that is put back, whole or in part, can be gone on with.
async fn finish_run(work: &Work, run: &RunId) -> Result<(), CliError> {
    let set = work
        .stores
        .state
        .set_run_state(run, RunState::Stopped.word(), None)
        .await;
    set.map_err(|error| store_error(&error))
}

/// Looks at the releases that ended unsettled.
pub async fn prepare_settle(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    release: Option<&ReleaseId>,
) -> Result<UndoPreview, CliError> {
    let stores = look(desk, invocation, fleet).await?;
    let items = open_ends(stores.journal.as_ref(), invocation, release)
        .await?
        .into_iter()
        .map(|unsettled| UndoItem {
            release: unsettled.release,
            end: None,
            objects: 0,
            valued: 0,
            unrestored: Vec::new(),
            writes: 1,
            from: crate::domain::ids::Revision(0),
            to: crate::domain::ids::Revision(0),
        })
        .collect::<Vec<_>>();
    let clusters: BTreeSet<ClusterName> = items
        .iter()
        .map(|item| item.release.cluster.clone())
        .collect();
    Ok(UndoPreview {
        prod: prod(fleet, &clusters),
        report: UndoReport {
            run: None,
            fleet: fleet.name.clone(),
            state: RunState::Stopped,
            items,
            seconds: None,
        },
        writes_per_second: 1,
    })
}

async fn open_ends(
    journal: &dyn Journal,
    invocation: &Invocation,
    release: Option<&ReleaseId>,
) -> Result<Vec<Unsettled>, CliError> {
    let all = unsettled(journal)
        .await
        .map_err(|error| crew_error(&error))?;
    let scope = invocation.scope();
    Ok(all
        .into_iter()
        .filter(|unsettled| release.is_none_or(|release| *release == unsettled.release))
        .filter(|unsettled| scope.has_release(&unsettled.release))
        .collect())
}

/// Settles what the preview names.
pub async fn settle(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    preview: &UndoPreview,
    events: Events,
) -> Result<UndoReport, CliError> {
    let started = desk.adapters.clock().now();
    let named: BTreeSet<ReleaseId> = preview
        .report
        .items
        .iter()
        .map(|item| item.release.clone())
        .collect();
    let stores = look(desk, invocation, fleet).await?;
    let mut by_run: BTreeMap<RunId, Vec<Unsettled>> = BTreeMap::new();
    for unsettled in open_ends(stores.journal.as_ref(), invocation, None).await? {
        if named.contains(&unsettled.release) {
            by_run
                .entry(unsettled.run.clone())
                .or_default()
                .push(unsettled);
        }
    }
    let driver = driver(invocation)?;
    let mut items = Vec::new();
    for (run, releases) in by_run {
        let clusters: BTreeSet<ClusterName> = releases
            .iter()
            .map(|unsettled| unsettled.release.cluster.clone())
            .collect();
        let wanted = Claim {
            fleet,
            run: &run,
            clusters: &clusters,
            events: events.clone(),
            again: Next::SettleAll,
        };
        let work = claim(desk, invocation, wanted).await?;
        for unsettled in releases {
            let Some(hands) = work.crew.on(&unsettled.release.cluster) else {
                continue;
            };
            let settled = undo::settle(hands, driver, &unsettled)
                .await
                .map_err(|error| drive_error(&error))?;
            items.push(UndoItem {
                release: unsettled.release,
                end: settled
                    .as_ref()
                    .and_then(|attempt| attempt.outcome.clone())
                    .or(Some(Outcome::MovedOn {
                        why: unsettled.why,
                        settled: false,
                    })),
                objects: 0,
                valued: 0,
                unrestored: Vec::new(),
                writes: settled
                    .as_ref()
                    .map_or(0, crate::domain::run::Attempt::writes),
                from: settled
                    .as_ref()
                    .map_or(crate::domain::ids::Revision(0), |attempt| {
                        attempt.opened.lock
                    }),
                to: settled.map_or(crate::domain::ids::Revision(0), |attempt| {
                    attempt.opened.lock
                }),
            });
        }
    }
    let seconds = desk
        .adapters
        .clock()
        .now()
        .duration_since(started)
        .as_secs();
    Ok(UndoReport {
        run: None,
        fleet: fleet.name.clone(),
        state: RunState::Complete,
        items,
        seconds: Some(u64::try_from(seconds).unwrap_or(0)),
    })
}
