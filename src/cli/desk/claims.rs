//! Claims: every verb that writes holds an OS file lock a cluster beside the store, and the store's claim, for as long
//! as it works. All are taken before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use super::Desk;
use super::adapters::{Lock, Stores};
use crate::cli::backend::Events;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::cluster::Cluster;
use crate::domain::fleet::{Fleet, Limits};
use crate::domain::ids::{ClusterName, RunId};
use crate::engine::run::{Crew, CrewError, RunContext, Teller, fleet_pace};
use crate::render::Next;
use crate::store::{self, Holder};

/// A verb that writes, at work.
pub struct Work {
    /// What all releases share.
    pub context: RunContext,
    /// Hands on the clusters.
    pub crew: Crew,
    /// The store.
    pub stores: Stores,
    locks: Vec<Box<dyn Lock>>,
}

impl Work {
    /// How many clusters are held.
    pub fn clusters(&self) -> usize {
        self.locks.len()
    }
}

/// Where the store is: beside fleet.toml.
pub fn store_path(invocation: &Invocation, fleet: &Fleet) -> PathBuf {
    let folder = invocation
        .globals
        .fleet
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    folder.join(&fleet.state)
}

/// Opens the store to look; no store is an error that says so.
pub async fn look(desk: &Desk, invocation: &Invocation, fleet: &Fleet) -> Result<Stores, CliError> {
    desk.adapters
        .open_existing(&store_path(invocation, fleet))
        .await
        .map_err(|error| store_error(&error))
}

/// A store's failure, for people.
pub fn store_error(error: &store::Error) -> CliError {
    match error {
        store::Error::Fenced { .. } => CliError::of(ErrorCode::Fenced, error),
        store::Error::NoStore { .. } => {
            CliError::of(ErrorCode::RunNotFound, error).next(Next::Plan)
        }
        _ => CliError::of(ErrorCode::StoreFailed, error),
    }
}

/// The same for the engine's.
pub fn crew_error(error: &CrewError) -> CliError {
    match error {
        CrewError::Store(error) => store_error(error),
        CrewError::Ledger(error) => CliError::of(ErrorCode::StoreFailed, error),
    }
}

/// What a writing verb is about.
pub struct Claim<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The run.
    pub run: &'a RunId,
    /// The clusters that it may write to.
    pub clusters: &'a BTreeSet<ClusterName>,
    /// Where events go.
    pub events: Events,
}

/// Connects, locks and claims all clusters, or none.
pub async fn claim(
    desk: &Desk,
    invocation: &Invocation,
    claim: Claim<'_>,
) -> Result<Work, CliError> {
    let Claim {
        fleet,
        run,
        clusters,
        events,
    } = claim;
    let mut connected: BTreeMap<ClusterName, (Arc<dyn Cluster>, Limits)> = BTreeMap::new();
    for name in clusters {
        let limits = fleet
            .clusters
            .iter()
            .find(|cluster| cluster.name == *name)
            .map(|cluster| cluster.limits);
        let cluster = desk.connected(fleet, name).await?;
        let limits = limits.unwrap_or(Limits {
            writes_per_second: 1,
            in_flight: 1,
        });
        connected.insert(name.clone(), (cluster, limits));
    }
    let path = store_path(invocation, fleet);
    let holder = holder(invocation, run);
    let mut locks = Vec::new();
    for name in clusters {
        let lock = desk
            .adapters
            .lock(&path, name, &holder)
            .map_err(|error| lock_error(&error))?;
        locks.push(lock);
    }
    let stores = desk
        .adapters
        .open(&path)
        .await
        .map_err(|error| store_error(&error))?;
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let context = RunContext {
        run: run.clone(),
        store: stores
            .state
            .uuid()
            .await
            .map_err(|error| store_error(&error))?,
        managers,
        dwell_seconds: fleet.undo_dwell_seconds,
        journal: Arc::clone(&stores.journal),
        clock: desk.adapters.clock(),
        dice: desk.adapters.dice(),
        teller: Teller::new(run.clone(), desk.adapters.clock(), events),
        stop: stop_signal(),
    };
    let pace = fleet_pace(fleet.writes_per_second);
    let crew = Crew::claim(&context, &holder, connected, &pace)
        .await
        .map_err(|error| crew_error(&error))?;
    Ok(Work {
        context,
        crew,
        stores,
        locks,
    })
}

/// Who we are, for the store and for other operators.
pub fn holder(invocation: &Invocation, run: &RunId) -> Holder {
    Holder {
        run: run.clone(),
        who: invocation.env.who.clone(),
        pid: std::process::id(),
    }
}

fn lock_error(error: &store::lock::Error) -> CliError {
    match error {
        store::lock::Error::Held { holder, .. } => {
            let made = CliError::of(ErrorCode::LockHeld, error);
            match holder {
                Some(holder) => made.next(Next::Status {
                    run: holder.run.to_string(),
                }),
                None => made,
            }
        }
        store::lock::Error::File { .. } => CliError::of(ErrorCode::StoreFailed, error),
    }
}

/// Turns true at the first Ctrl-C or SIGTERM: releases in hand are finished, none is begun. The second one ends the
/// process; the journal knows what was under way.
fn stop_signal() -> watch::Receiver<bool> {
    let (told, stop) = watch::channel(false);
    tokio::spawn(async move {
        let mut term =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let mut asked = 0;
        loop {
            let terminated = async {
                match term.as_mut() {
                    Some(term) => drop(term.recv().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                () = terminated => {}
            }
            asked += 1;
            if asked > 1 {
                std::process::exit(INTERRUPTED);
            }
            let _ = told.send(true);
        }
    });
    stop
}

/// 128 + SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;
