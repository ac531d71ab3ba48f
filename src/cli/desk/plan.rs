//! Planning: forecasts of all releases, then the planner. Zero writes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Desk;
use super::shadow::shadow;
use crate::cli::VERSION;
use crate::cli::backend::Shadow;
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
    let forecast = forecast(desk, invocation, fleet, from.as_ref()).await?;
    let now = desk.adapters.clock().now();
    made(invocation, fleet, from.as_ref(), forecast, now)
}

/// Two plans of one forecast: the fleet's, and the one with overrides of fleet.toml.
pub async fn what_if(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    from: Option<Inventory>,
    overrides: &[String],
) -> Result<(Plan, Plan), CliError> {
    // First of all: a wrong override must not cost a forecast.
    let other = super::look::what_if(desk, invocation, overrides)?;
    let forecast = forecast(desk, invocation, fleet, from.as_ref()).await?;
    let now = desk.adapters.clock().now();
    let plan = made(invocation, fleet, from.as_ref(), forecast.clone(), now)?;
    let what_if = made(invocation, &other, from.as_ref(), forecast, now)?;
    Ok((plan, what_if))
}

async fn forecast(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    from: Option<&Inventory>,
) -> Result<Shadow, CliError> {
    let only: Option<BTreeSet<ReleaseId>> = from.map(|inventory| {
        inventory
            .releases
            .iter()
            .map(|release| release.id.clone().into())
            .collect()
    });
    let wanted = |release: &ReleaseId| only.as_ref().is_none_or(|only| only.contains(release));
    shadow(desk, invocation, fleet, &wanted).await
}

fn made(
    invocation: &Invocation,
    fleet: &Fleet,
    from: Option<&Inventory>,
    forecast: Shadow,
    now: Timestamp,
) -> Result<Plan, CliError> {
    let request = PlanRequest {
        fleet,
        dependencies: &Dependencies::default(),
        now,
        tool: VERSION,
        inputs: inputs(invocation, from),
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
