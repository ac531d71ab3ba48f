//! `refit audit`: what is read for the census.

use super::look::sources;
use super::{Desk, scope};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::audit::Capture;
use crate::domain::fleet::Fleet;
use crate::domain::ids::ReleaseId;
use crate::engine::audit;

/// Reads the fleet, or one release of it.
pub async fn capture(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    only: Option<&ReleaseId>,
) -> Result<Capture, CliError> {
    let ours = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let mut scope = scope(invocation)?;
    if let Some(only) = only {
        scope.namespaces = vec![only.namespace.clone()];
    }
    let taken_at = desk.adapters.clock().now();
    let sources = sources(desk, fleet).await;
    let name = &fleet.name;
    Ok(audit::capture(
        name,
        &sources,
        &scope,
        &fleet.managers,
        &ours,
        only,
        taken_at,
    )
    .await)
}
