//! Planning: forecasts of all releases, then the planner. Zero writes.

use std::collections::{BTreeMap, BTreeSet};

use super::Desk;
use super::shadow::shadow;
use crate::cli::VERSION;
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{Digest, ReleaseId};
use crate::domain::plan::{Dependencies, Plan, PlanRequest, digest_of, plan as make};
use crate::domain::release::Inventory;

/// Makes a plan; only for the releases of `from`, if given.
pub async fn plan(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    from: Option<Inventory>,
) -> Result<Plan, CliError> {
    let only: Option<BTreeSet<ReleaseId>> = from.as_ref().map(|inventory| {
        inventory
            .releases
            .iter()
            .map(|release| release.id.clone().into())
            .collect()
    });
    let wanted = |release: &ReleaseId| only.as_ref().is_none_or(|only| only.contains(release));
    let forecast = shadow(desk, invocation, fleet, &wanted).await?;
    let request = PlanRequest {
        fleet,
        dependencies: &Dependencies::default(),
        now: desk.adapters.clock().now(),
        tool: VERSION,
        inputs: inputs(invocation, from.as_ref()),
        unread: forecast.unread,
    };
    make(forecast.releases, &request).map_err(|error| CliError::of(ErrorCode::Internal, &error))
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
