//! Forecasts of releases, for `shadow` and for `plan`. Zero writes.

use std::sync::Arc;

use super::{Desk, scope};
use crate::cli::backend::Shadow;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::Fleet;
use crate::domain::ids::ReleaseId;
use crate::domain::policy::Book;
use crate::engine::plan::{Planned, collect};

/// Forecasts every release in scope that is `wanted`. An error if no cluster answers.
pub async fn shadow(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    wanted: &(dyn Fn(&ReleaseId) -> bool + Send + Sync),
) -> Result<Shadow, CliError> {
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let book = Book::new(&fleet.policies)
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?
        .with_values(super::claims::sealer(invocation, fleet)?.is_some());
    let connected = desk.connect(&fleet.clusters).await;
    let clusters: Vec<Planned> = fleet
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
        .collect();
    let (clock, dice) = (desk.adapters.clock(), desk.adapters.dice());
    let scope = scope(invocation)?;
    let collected = collect(
        &clusters,
        &scope,
        &managers,
        &book,
        clock.as_ref(),
        dice.as_ref(),
        wanted,
    )
    .await;
    let shadow = Shadow {
        releases: collected.candidates,
        unread: collected.unread.into_iter().collect(),
        dry_runs: collected.dry_runs,
        sights: collected.sights,
    };
    if shadow.unread.len() < fleet.clusters.len() {
        return Ok(shadow);
    }
    let mut made = CliError::new(
        ErrorCode::Unreachable,
        format!("none of {} clusters answered", shadow.unread.len()),
    );
    for (cluster, why) in &shadow.unread {
        made = made.at(format!("{cluster}: {why}"));
    }
    Err(made)
}
