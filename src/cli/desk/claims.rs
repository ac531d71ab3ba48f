//! Claims: every verb that writes holds an OS file lock a cluster beside the store, and the store's claim, for as long
//! as it works. All are taken before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::io::Write as _;
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
use crate::domain::run_event::What;
use crate::engine::run::{Crew, CrewError, RunContext, Teller, fleet_pace};
use crate::engine::seal::Sealer;
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
    beside(invocation, &fleet.state)
}

/// Largest key file that is read: a key has 44 letters.
const KEY_FILE_MAX: u64 = 4096;

/// The sealing key, if one is set: `REFIT_SEAL_KEY`, else the file of `[seal] key_file` beside fleet.toml. A file that
/// is not there is no key; one that does not read is an error.
pub fn sealer(invocation: &Invocation, fleet: &Fleet) -> Result<Option<Arc<Sealer>>, CliError> {
    let flaw = |source: &str, why: &dyn std::fmt::Display| {
        CliError::new(
            ErrorCode::ConfigInvalid,
            format!("the sealing key of {source} does not read"),
        )
        .because(why.to_string())
    };
    let of = |source: &str, text: &str| {
        let sealer = Sealer::new(text).map_err(|error| flaw(source, &error))?;
        Ok(Some(Arc::new(sealer)))
    };
    if let Some(key) = &invocation.env.seal_key {
        return of("REFIT_SEAL_KEY", &key.0);
    }
    let Some(file) = &fleet.seal_key_file else {
        return Ok(None);
    };
    let path = beside(invocation, file);
    let shown = path.display().to_string();
    let size = match std::fs::metadata(&path) {
        Ok(size) => size,
        // No key yet: whatever needs one is held, and says how to make it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(flaw(&shown, &error)),
    };
    if is_open_to_others(&size) {
        let why = format!("anybody on this machine may read or change it: chmod 600 {shown}");
        return Err(flaw(&shown, &why));
    }
    if size.len() > KEY_FILE_MAX {
        return Err(flaw(&shown, &"it is too long for a key"));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| flaw(&shown, &error))?;
    of(&shown, &zeroize::Zeroizing::new(text))
}

/// May others read the key, or others and the group change it? A group may read it: so files of a mounted Secret are.
fn is_open_to_others(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.permissions().mode() & 0o027 != 0
}

/// A path of fleet.toml, which is meant beside it.
fn beside(invocation: &Invocation, path: &Path) -> PathBuf {
    let folder = invocation
        .globals
        .fleet
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    folder.join(path)
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
    /// What goes on with it, if the operator stops it at once.
    pub again: Next,
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
        again,
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
        seal: sealer(invocation, fleet)?,
        teller: Teller::new(run.clone(), desk.adapters.clock(), events),
        stop: stop_signal(again.command()),
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
fn stop_signal(again: String) -> watch::Receiver<bool> {
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
                let last = format!(
                    "\nStopped at once; the journal knows what was under way.\nNext: {again}\n"
                );
                // The terminal may be gone; there is nothing left to do about it.
                let _ = std::io::stderr().write_all(last.as_bytes());
                std::process::exit(INTERRUPTED);
            }
            let _ = told.send(true);
        }
    });
    stop
}

/// Tells once that the operator asked to stop; never ends by itself.
pub async fn announce_stop(context: &RunContext) -> Infallible {
    let mut stop = context.stop.clone();
    if stop.wait_for(|asked| *asked).await.is_ok() {
        let rows = context.journal.attempts(Some(&context.run)).await;
        let open = rows.map_or(0, |rows| {
            rows.iter().filter(|row| row.outcome.is_none()).count()
        });
        let in_hand = u32::try_from(open).unwrap_or(u32::MAX);
        context
            .teller
            .tell(None, None, What::Stopping { in_hand })
            .await;
    }
    std::future::pending().await
}

/// 128 + SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;
