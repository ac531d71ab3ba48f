//! Fleets that are kept in a file: made with the clusters at hand, looked at without them.

use std::path::Path;
use std::sync::Arc;

use super::ground::{Ground, planned};
use super::shadow::rules;
use super::{Desk, look, scope};
use crate::cli::backend::SavedFleet;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::config::{KubeContexts, from_contexts};
use crate::domain::fleet::{Fleet, Limits};
use crate::domain::ids::{ClusterName, Namespace};
use crate::engine::capture::{At, FleetCapture, Means, capture as record};
use crate::engine::inventory::Scope;
use crate::render::{Next, text};

/// Nothing waits for a file: so many releases at once keep two cores busy.
const LIMITS: Limits = Limits {
    writes_per_second: 1,
    in_flight: 8,
};

/// Captures the fleet in scope.
pub async fn capture(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
) -> Result<FleetCapture, CliError> {
    let (managers, book) = rules(invocation, fleet)?;
    let clusters = planned(desk, fleet).await;
    let dice = desk.adapters.dice();
    let means = Means {
        fleet,
        scope: &scope(invocation)?,
        managers: &managers,
        book: &book,
        now: invocation.now(),
        dice: dice.as_ref(),
    };
    record(&clusters, &means)
        .await
        .map_err(|error| CliError::of(ErrorCode::Internal, &error))
}

/// The fleet in scope, of a saved one; with `overrides` of fleet.toml.
pub fn fleet(
    invocation: &Invocation,
    saved: &SavedFleet,
    overrides: &[String],
) -> Result<Fleet, CliError> {
    let has_file = look::fleet_file(&invocation.globals).is_some();
    let fleet = if has_file || !overrides.is_empty() {
        let contexts = |kubeconfig: Option<&Path>| Ok(contexts_in(saved, kubeconfig));
        look::configured_by(invocation, overrides, &contexts, &|| None)?.fleet
    } else {
        without_file(saved)?
    };
    let fleet = look::narrowed(invocation, fleet).map_err(|error| told(error, saved))?;
    let held = &saved.capture.clusters;
    match fleet
        .clusters
        .iter()
        .find(|it| !held.contains_key(&it.name))
    {
        None => Ok(fleet),
        Some(absent) => Err(told(
            CliError::new(
                ErrorCode::ContextNotFound,
                format!("{} does not hold cluster {}", saved.file, absent.name),
            ),
            saved,
        )),
    }
}

/// What the file holds, and how to get more into it.
fn told(error: CliError, saved: &SavedFleet) -> CliError {
    let names: Vec<&str> = saved
        .capture
        .clusters
        .keys()
        .map(ClusterName::as_str)
        .collect();
    error
        .because(format!(
            "{} of {} holds {}",
            saved.file,
            text::minute(saved.capture.taken_at),
            names.join(", ")
        ))
        .next(Next::InventorySave {
            inventory: saved.file.clone(),
        })
}

/// The contexts that stand for a kubeconfig. A file that names none is that of all who name none.
fn contexts_in(saved: &SavedFleet, kubeconfig: Option<&Path>) -> KubeContexts {
    let file = kubeconfig
        .and_then(Path::file_name)
        .map(|it| it.to_string_lossy().into_owned());
    let clusters = saved.capture.clusters.values();
    let of_file = clusters.clone().filter(|it| it.kubeconfig == file);
    let mut names: Vec<String> = of_file.map(|it| it.context.clone()).collect();
    if names.is_empty() && file.is_none() {
        // They were read with --kubeconfig.
        names = clusters.map(|it| it.context.clone()).collect();
    }
    KubeContexts {
        names,
        origin: saved.file.clone(),
    }
}

/// Without fleet.toml: the clusters of the file under their names there.
fn without_file(saved: &SavedFleet) -> Result<Fleet, CliError> {
    let held = &saved.capture.clusters;
    let names = |_: Option<&Path>| {
        Ok(KubeContexts {
            names: held.keys().map(ToString::to_string).collect(),
            origin: saved.file.clone(),
        })
    };
    let everything = ["*".to_owned()];
    let mut fleet = from_contexts(&saved.capture.fleet, &everything, None, &names)
        .map_err(|error| look::invalid(&error))?;
    for cluster in &mut fleet.clusters {
        cluster.name = ClusterName::new(&cluster.context);
        if let Some(held) = held.get(&cluster.name) {
            cluster.context.clone_from(&held.context);
            cluster.labels.clone_from(&held.labels);
        }
    }
    Ok(fleet)
}

/// The clusters of a saved fleet: they answer what they answered then, at the time of then.
pub fn ground(
    invocation: &Invocation,
    fleet: &Fleet,
    saved: SavedFleet,
) -> Result<Ground, CliError> {
    let scope = taken(invocation, &saved)?;
    let mut capture = saved.capture;
    capture
        .clusters
        .retain(|name, _| fleet.cluster(name).is_some());
    let labels = |name: &ClusterName| {
        let known = fleet.cluster(name);
        known.map(|it| it.labels.clone()).unwrap_or_default()
    };
    Ok(Ground {
        clock: Arc::new(At(capture.taken_at)),
        clusters: capture.into_planned(LIMITS, &labels),
        scope,
    })
}

/// The namespaces that are asked for, among those that were read; the driver is the one that was.
fn taken(invocation: &Invocation, saved: &SavedFleet) -> Result<Scope, CliError> {
    let held = &saved.capture.scope;
    let asked = invocation.scope();
    let asked: Vec<Namespace> = asked.namespaces().iter().map(Namespace::new).collect();
    let is_held = |it: &&Namespace| held.namespaces.is_empty() || held.namespaces.contains(it);
    if let Some(absent) = asked.iter().find(|it| !is_held(it)) {
        let names: Vec<&str> = held.namespaces.iter().map(Namespace::as_str).collect();
        let what = format!("{} was saved without namespace {absent}", saved.file);
        return Err(CliError::new(ErrorCode::NothingFound, what)
            .because(format!(
                "it holds {}: it was saved with -n",
                names.join(", ")
            ))
            .next(Next::InventorySave {
                inventory: saved.file.clone(),
            }));
    }
    Ok(Scope {
        driver: held.driver,
        namespaces: if asked.is_empty() {
            held.namespaces.clone()
        } else {
            asked
        },
    })
}
