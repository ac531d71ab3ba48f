//! Planning: forecasts of all releases, then the planner. Zero writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Desk, scope};
use crate::cli::VERSION;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{Digest, ReleaseId};
use crate::domain::plan::{Plan, PlanRequest, digest_of, plan as make};
use crate::domain::release::Inventory;
use crate::engine::plan::{Planned, collect};

/// Makes a plan; only for the releases of `from`, if given.
pub async fn plan(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    from: Option<Inventory>,
) -> Result<Plan, CliError> {
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
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
            })
        })
        .collect();
    let only: Option<BTreeSet<ReleaseId>> = from.as_ref().map(|inventory| {
        inventory
            .releases
            .iter()
            .map(|release| release.id.clone().into())
            .collect()
    });
    let wanted = |release: &ReleaseId| only.as_ref().is_none_or(|only| only.contains(release));
    let (clock, dice) = (desk.adapters.clock(), desk.adapters.dice());
    let scope = scope(invocation)?;
    let collected = collect(
        &clusters,
        &scope,
        &managers,
        clock.as_ref(),
        dice.as_ref(),
        &wanted,
    )
    .await;
    let unread: BTreeMap<_, _> = collected.unread.into_iter().collect();
    if unread.len() == fleet.clusters.len() {
        let mut made = CliError::new(
            ErrorCode::Unreachable,
            format!("none of {} clusters answered", unread.len()),
        );
        for (cluster, why) in &unread {
            made = made.at(format!("{cluster}: {why}"));
        }
        return Err(made);
    }
    let request = PlanRequest {
        fleet,
        now: clock.now(),
        tool: VERSION,
        inputs: inputs(invocation, from.as_ref()),
        unread,
    };
    make(collected.candidates, &request).map_err(|error| CliError::of(ErrorCode::Internal, &error))
}

/// Digests of what the plan was made from.
fn inputs(invocation: &Invocation, from: Option<&Inventory>) -> BTreeMap<String, Digest> {
    let mut inputs = BTreeMap::new();
    let file = super::look::fleet_file(&invocation.globals);
    if let Some(bytes) = file.and_then(|path| std::fs::read(path).ok()) {
        inputs.insert("fleet.toml".to_owned(), digest_of(&bytes));
    }
    if let Some(bytes) = from.and_then(|inventory| serde_json::to_vec(inventory).ok()) {
        inputs.insert("inventory".to_owned(), digest_of(&bytes));
    }
    inputs
}
