//! What is looked at: clusters, or a file of what they answered. Nothing here can be written to.

use std::sync::Arc;

use super::{Desk, saved, scope};
use crate::cli::backend::LookAt;
use crate::cli::context::Invocation;
use crate::cli::error::CliError;
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::Fleet;
use crate::engine::inventory::Scope;
use crate::engine::plan::Planned;
use crate::engine::ports::Clock;

/// The harmless sides of a fleet's clusters, live or saved.
pub struct Ground {
    /// The clusters in scope.
    pub clusters: Vec<Planned>,
    /// What of them is read.
    pub scope: Scope,
    /// The time of the look: of a saved fleet, that of its saving.
    pub clock: Arc<dyn Clock>,
}

/// Connects, which sends nothing; or takes the file.
pub async fn ground(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
) -> Result<Ground, CliError> {
    match at {
        LookAt::Saved(file) => saved::ground(invocation, fleet, *file),
        LookAt::Clusters => Ok(Ground {
            clusters: planned(desk, fleet).await,
            scope: scope(invocation)?,
            clock: desk.adapters.clock(),
        }),
    }
}

/// The harmless sides of every cluster.
pub async fn planned(desk: &Desk, fleet: &Fleet) -> Vec<Planned> {
    let connected = desk.connect(&fleet.clusters).await;
    fleet
        .clusters
        .iter()
        .filter_map(|cluster| {
            let found = connected.get(&cluster.name)?.clone();
            let reader = found.map(|found| -> (Arc<dyn Reader>, Arc<dyn Rehearser>) {
                (Arc::<dyn crate::cluster::Cluster>::clone(&found), found)
            });
            Some(Planned {
                name: cluster.name.clone(),
                reader,
                limits: cluster.limits,
                labels: cluster.labels.clone(),
            })
        })
        .collect()
}
