//! `run` and `resume`: claims first, then what was left open, then the waves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Desk;
use super::adapters::Stores;
use super::claims::{Claim, Work, announce_stop, claim, crew_error, holder, look, store_error};
use super::report::{latest, plan_of, report, row, state_of};
use super::{prod, unreachable_cluster};
use crate::cli::VERSION;
use crate::cli::backend::{Events, RunPreview};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::cli::plan_file::refused;
use crate::cluster::RecordScope;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ClusterName, ReleaseId, RunId};
use crate::domain::plan::{Plan, PlannedRelease};
use crate::domain::release::Driver;
use crate::domain::report::{RunReport, RunState, Totals};
use crate::domain::run::{Job, Outcome};
use crate::domain::run_event::What;
use crate::engine::chain::chain;
use crate::engine::records;
use crate::engine::run::preflight::{Needs, forbidden};
use crate::engine::run::{Ends, RECORD_WRITES, resume_open, run_waves, sweep};
use crate::render::Next;
use crate::render::screen::run::{Resumed, Work as Amount};
use crate::store::{AttemptRow, Holder, RunRow};

/// Letters of a run's name: a billion names, short enough to type.
const RUN_WORD: usize = 6;

/// Checks a plan and what has moved since.
pub async fn prepare(
    desk: &Desk,
    invocation: &Invocation,
    plan: Plan,
    file: &str,
) -> Result<RunPreview, CliError> {
    let fleet = super::look::fleet(desk, invocation)?;
    let now = desk.adapters.clock().now();
    let checked = plan
        .check(None, VERSION, Some(now))
        .map_err(|error| refused(&error, file))?;
    let plan = checked.plan().clone();
    if plan.metadata.fleet != fleet.name {
        return Err(CliError::new(
            ErrorCode::PlanEdited,
            format!(
                "{file} is a plan of fleet {}; this is fleet {}",
                plan.metadata.fleet, fleet.name
            ),
        ));
    }
    let moved = moved_since(desk, &fleet, &plan).await?;
    let planned: Vec<&PlannedRelease> = plan.waves.iter().flat_map(|wave| &wave.releases).collect();
    let clusters: BTreeSet<&ClusterName> = planned
        .iter()
        .map(|planned| &planned.release.cluster)
        .collect();
    let prod = prod(&fleet, clusters);
    let work = amount(&plan, &|_| true);
    let run = RunId::new(format!("run-{}", desk.adapters.dice().word(RUN_WORD)));
    Ok(RunPreview {
        run,
        plan,
        work,
        moved,
        prod,
        resumed: None,
    })
}

/// How much there is to do for the releases for which `todo` says yes.
fn amount(plan: &Plan, todo: &dyn Fn(&ReleaseId) -> bool) -> Amount {
    let mut amount = Amount::default();
    let mut clusters = BTreeSet::new();
    for wave in &plan.waves {
        let mut any = false;
        for planned in wave
            .releases
            .iter()
            .filter(|planned| todo(&planned.release))
        {
            any = true;
            clusters.insert(&planned.release.cluster);
            amount.releases += 1;
            amount.objects += planned.objects;
            amount.record_writes += RECORD_WRITES;
        }
        amount.waves += u32::from(any);
    }
    amount.clusters = u32::try_from(clusters.len()).unwrap_or(u32::MAX);
    amount
}

/// Releases whose last revision is not the planned one any more. Metadata only.
async fn moved_since(desk: &Desk, fleet: &Fleet, plan: &Plan) -> Result<u32, CliError> {
    let planned: Vec<&PlannedRelease> = plan.waves.iter().flat_map(|wave| &wave.releases).collect();
    let clusters: BTreeSet<&ClusterName> = planned
        .iter()
        .map(|planned| &planned.release.cluster)
        .collect();
    let mut moved = 0;
    for name in clusters {
        let cluster = desk.connected(fleet, name).await?;
        let drivers: BTreeSet<Driver> = planned
            .iter()
            .filter(|planned| planned.release.cluster == *name)
            .map(|planned| planned.driver)
            .collect();
        for driver in drivers {
            let listed = records::list(cluster.as_ref(), name, driver, &RecordScope::All).await;
            let listed = listed.map_err(|error| unreachable_cluster(name, &error))?;
            for planned in planned
                .iter()
                .filter(|it| it.release.cluster == *name && it.driver == driver)
            {
                // Listed in the order of their ids.
                let as_planned = listed
                    .binary_search_by(|records| records.id.cmp(&planned.release))
                    .ok()
                    .and_then(|place| listed.get(place))
                    .is_some_and(|records| {
                        records.last().is_some_and(|last| {
                            last.revision == planned.revision
                                && last.head.uid == planned.record_uid
                                && last.status == "deployed"
                        })
                    });
                moved += u32::from(!as_planned);
            }
        }
    }
    Ok(moved)
}

/// Finds a run to go on with.
pub async fn prepare_resume(
    desk: &Desk,
    invocation: &Invocation,
    run: Option<&RunId>,
    take_over: bool,
) -> Result<RunPreview, CliError> {
    // Whoever holds the OS lock lives, and is asked by name; a dead process holds none. So there is nothing to take
    // over by force on one machine.
    let _ = take_over;
    let fleet = super::look::fleet(desk, invocation)?;
    let stores = look(desk, invocation, &fleet).await?;
    let row = match run {
        Some(run) => row(stores.state.as_ref(), run).await?,
        None => only_open(&stores).await?,
    };
    let plan = plan_of(&row)?;
    let rows = stores
        .journal
        .attempts(Some(&row.run))
        .await
        .map_err(|error| store_error(&error))?;
    let in_hand = rows
        .iter()
        .filter(|attempt| attempt.outcome.is_none())
        .count();
    let mut todo = todo(&plan, rows.clone());
    let in_scope = |name: &ClusterName| fleet.clusters.iter().any(|cluster| cluster.name == *name);
    todo.retain(|release| in_scope(&release.cluster));
    let latest = latest(rows);
    let ends: Vec<Option<Outcome>> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| {
            latest
                .get(&planned.release)
                .and_then(|row| row.outcome.clone())
        })
        .collect();
    let work = amount(&plan, &|release| todo.contains(release));
    let clusters: BTreeSet<&ClusterName> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| &planned.release.cluster)
        .collect();
    let prod = prod(&fleet, clusters);
    let resumed = Resumed {
        totals: Totals::of(ends.iter().map(Option::as_ref)),
        in_hand: u32::try_from(in_hand).unwrap_or(u32::MAX),
        taken_from: None,
    };
    Ok(RunPreview {
        run: row.run,
        plan,
        work,
        moved: 0,
        prod,
        resumed: Some(resumed),
    })
}

async fn only_open(stores: &Stores) -> Result<RunRow, CliError> {
    let runs = stores
        .state
        .runs()
        .await
        .map_err(|error| store_error(&error))?;
    let mut open: Vec<RunRow> = runs
        .into_iter()
        .filter(|row| state_of(&row.state) != RunState::Complete)
        .collect();
    match (open.pop(), open.len()) {
        (Some(row), 0) => Ok(row),
        (None, _) => {
            Err(CliError::new(ErrorCode::RunNotFound, "no run is open").next(Next::StatusAll))
        }
        (Some(last), more) => Err(CliError::new(
            ErrorCode::RunNotFound,
            format!("{} runs are open: name one", more + 1),
        )
        .next(Next::Resume {
            run: last.run.to_string(),
        })),
    }
}

/// Releases that a run still has to migrate: never begun, put back, or held by somebody at the time. One that was
/// handed back as Stale or Held needs a new plan.
fn todo(plan: &Plan, rows: Vec<AttemptRow>) -> BTreeSet<ReleaseId> {
    let latest = latest(rows);
    let planned = plan.waves.iter().flat_map(|wave| &wave.releases);
    planned
        .filter(|planned| match latest.get(&planned.release) {
            None => true,
            Some(row) => match &row.outcome {
                Some(Outcome::Undone { .. } | Outcome::Busy { .. }) => true,
                // An open undo is finished first; then the release is as before.
                None => row.job == Job::Undo,
                _ => false,
            },
        })
        .map(|planned| planned.release.clone())
        .collect()
}

/// Carries a prepared run out.
pub async fn run(
    desk: &Desk,
    invocation: &Invocation,
    preview: &RunPreview,
    events: Events,
) -> Result<RunReport, CliError> {
    let fleet = super::look::fleet(desk, invocation)?;
    let plan = &preview.plan;
    let mut clusters = clusters_of(plan);
    if preview.resumed.is_none() {
        check_verbs(desk, &fleet, plan).await?;
    } else {
        // A cluster that is gone for good, or out of scope, keeps no other from being gone on with.
        let concerned = concerned(desk, invocation, &fleet, preview).await?;
        clusters.retain(|cluster| concerned.contains(cluster));
    }
    let wanted = Claim {
        fleet: &fleet,
        run: &preview.run,
        clusters: &clusters,
        events,
        again: Next::Resume {
            run: preview.run.to_string(),
        },
    };
    let work = claim(desk, invocation, wanted).await?;
    let holder = holder(invocation, &preview.run);
    let begun = begin(desk, &work, preview, &holder).await?;
    tokio::select! {
        report = carry_out(&work, preview, &begun) => report,
        never = announce_stop(&work.context) => match never {},
    }
}

fn clusters_of(plan: &Plan) -> BTreeSet<ClusterName> {
    plan.waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| planned.release.cluster.clone())
        .collect()
}

/// The clusters in scope on which a resumed run has something left to do.
async fn concerned(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    preview: &RunPreview,
) -> Result<BTreeSet<ClusterName>, CliError> {
    let stores = look(desk, invocation, fleet).await?;
    let rows = stores.journal.attempts(Some(&preview.run)).await;
    let rows = rows.map_err(|error| store_error(&error))?;
    let open: Vec<ReleaseId> = rows
        .iter()
        .filter(|row| row.outcome.is_none())
        .map(|row| row.release.clone())
        .collect();
    let in_scope = |name: &ClusterName| fleet.clusters.iter().any(|cluster| cluster.name == *name);
    Ok(open
        .into_iter()
        .chain(todo(&preview.plan, rows))
        .map(|release| release.cluster)
        .filter(in_scope)
        .collect())
}

async fn carry_out(
    work: &Work,
    preview: &RunPreview,
    begun: &RunRow,
) -> Result<RunReport, CliError> {
    let plan = &preview.plan;
    let driver_of = drivers(plan);
    let drivers: Vec<Driver> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| planned.driver)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    sweep(&work.context, &work.crew, &drivers)
        .await
        .map_err(|error| crew_error(&error))?;
    let mut ends = if preview.resumed.is_some() {
        resume_open(&work.context, &work.crew, &driver_of, &|| None, &|_| true)
            .await
            .map_err(|error| crew_error(&error))?
    } else {
        Ends::default()
    };
    let rows = work
        .context
        .journal
        .attempts(Some(&preview.run))
        .await
        .map_err(|error| store_error(&error))?;
    let todo = todo(plan, rows);
    if !ends.fenced() {
        let more = run_waves(
            &work.context,
            &work.crew,
            plan,
            &todo,
            preview.resumed.is_some(),
        )
        .await;
        ends.errors.extend(more.errors);
        ends.dry_runs += more.dry_runs;
        ends.repeats += more.repeats;
        sweep(&work.context, &work.crew, &drivers)
            .await
            .map_err(|error| crew_error(&error))?;
    }
    finish(work, begun, &ends).await
}

/// Where each release of a plan has its records.
fn drivers(plan: &Plan) -> impl Fn(&ReleaseId) -> Driver + Send + Sync + use<> {
    let known: std::collections::BTreeMap<ReleaseId, Driver> = plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .map(|planned| (planned.release.clone(), planned.driver))
        .collect();
    move |release| known.get(release).copied().unwrap_or(Driver::Secret)
}

async fn begin(
    desk: &Desk,
    work: &Work,
    preview: &RunPreview,
    holder: &Holder,
) -> Result<RunRow, CliError> {
    let state = Arc::clone(&work.stores.state);
    if preview.resumed.is_some() {
        let word = RunState::Running.word();
        let set = state.set_run_state(&preview.run, word, Some(holder)).await;
        set.map_err(|error| store_error(&error))?;
        return row(state.as_ref(), &preview.run).await;
    }
    let plan = preview
        .plan
        .to_json()
        .map_err(|error| CliError::of(ErrorCode::Internal, &error))?;
    let row = RunRow {
        run: preview.run.clone(),
        fleet: preview.plan.metadata.fleet.clone(),
        state: RunState::Running.word().to_owned(),
        holder: holder.clone(),
        started: desk.adapters.clock().now(),
        plan_digest: preview.plan.metadata.digest.clone(),
        plan: plan.into_bytes(),
    };
    state
        .create_run(&row)
        .await
        .map_err(|error| store_error(&error))?;
    Ok(row)
}

/// Lists every verb that a cluster forbids and the run needs, before anything is claimed.
async fn check_verbs(desk: &Desk, fleet: &Fleet, plan: &Plan) -> Result<(), CliError> {
    let planned: Vec<&PlannedRelease> = plan.waves.iter().flat_map(|wave| &wave.releases).collect();
    let clusters: BTreeSet<&ClusterName> = planned
        .iter()
        .map(|planned| &planned.release.cluster)
        .collect();
    let mut lines = Vec::new();
    let mut asked = 0;
    for name in clusters {
        let cluster = desk.connected(fleet, name).await?;
        let away = |error: crate::cluster::Error| unreachable_cluster(name, &error);
        let mut needs = Needs::default();
        let mut by_driver: BTreeMap<Driver, BTreeSet<&ReleaseId>> = BTreeMap::new();
        for planned in planned.iter().filter(|it| it.release.cluster == *name) {
            needs.records(planned.driver, &planned.release.namespace);
            let beside = needs.beside(cluster.as_ref(), &planned.notes).await;
            beside.map_err(away)?;
            let wanted = by_driver.entry(planned.driver).or_default();
            wanted.insert(&planned.release);
        }
        for (driver, wanted) in by_driver {
            let listed = records::list(cluster.as_ref(), name, driver, &RecordScope::All).await;
            let mut listed = listed.map_err(away)?;
            listed.retain(|records| wanted.contains(&records.id));
            needs.objects_of(cluster.as_ref(), &listed).await;
        }
        asked += needs.len();
        for access in forbidden(cluster.as_ref(), &needs).await.map_err(away)? {
            let group = if access.group.is_empty() {
                String::new()
            } else {
                format!(".{}", access.group)
            };
            let place = access
                .namespace
                .as_ref()
                .map_or(String::new(), |namespace| format!(" in {namespace}"));
            lines.push(format!(
                "{name}: {} {}{group}{place}",
                access.verb, access.resource
            ));
        }
    }
    if lines.is_empty() {
        return Ok(());
    }
    let mut made = CliError::new(
        ErrorCode::Forbidden,
        format!(
            "{} of {asked} verbs that the run needs are forbidden",
            lines.len()
        ),
    );
    for line in lines {
        made = made.at(line);
    }
    Err(made.next("let the role have these verbs, or plan without these releases (-n, --cluster)"))
}

/// The first error, and how many there are besides: each of them left a release open or not begun.
fn first_error(ends: &Ends) -> Option<String> {
    for (release, error) in &ends.errors {
        tracing::warn!(%release, "left: {}", chain(error));
    }
    let (release, error) = ends.errors.iter().next()?;
    let text = chain(error);
    let text = if text.starts_with(&release.to_string()) {
        text
    } else {
        format!("{release}: {text}")
    };
    Some(match ends.errors.len() {
        1 => text,
        2 => format!("{text}; and another release"),
        n => format!("{text}; and {} other releases", n - 1),
    })
}

async fn finish(work: &Work, begun: &RunRow, ends: &Ends) -> Result<RunReport, CliError> {
    let rows = work
        .context
        .journal
        .attempts(Some(&begun.run))
        .await
        .map_err(|error| store_error(&error))?;
    let plan = plan_of(begun)?;
    let left = rows.iter().any(|row| row.outcome.is_none()) || {
        let latest = latest(rows.clone());
        plan.waves
            .iter()
            .flat_map(|wave| &wave.releases)
            .any(|planned| !latest.contains_key(&planned.release))
    };
    let state = if ends.fenced() {
        RunState::LockLost
    } else if *work.context.stop.borrow() && left {
        RunState::Interrupted
    } else if left {
        RunState::Stopped
    } else {
        RunState::Complete
    };
    let set = work
        .stores
        .state
        .set_run_state(&begun.run, state.word(), None)
        .await;
    set.map_err(|error| store_error(&error))?;
    let why = first_error(ends);
    let row = RunRow {
        state: state.word().to_owned(),
        ..begun.clone()
    };
    let report = report(&work.stores, &row, why).await?;
    let totals = report.totals();
    work.context
        .teller
        .tell(None, None, What::RunComplete { state, totals })
        .await;
    tracing::info!(
        dry_runs = ends.dry_runs,
        repeats = ends.repeats,
        clusters = work.clusters(),
        "run ended"
    );
    Ok(report)
}
