//! One object of one cluster.

use serde_json::Value;

use super::{Desk, unreachable_cluster};
use crate::cli::error::{CliError, ErrorCode};
use crate::cli::object_name::ObjectName;
use crate::domain::fleet::Fleet;
use crate::engine::fields::{LookupError, object_of_cluster};

/// Reads the object.
pub async fn object(desk: &Desk, fleet: &Fleet, name: &ObjectName) -> Result<Value, CliError> {
    let cluster = desk.connected(fleet, &name.cluster).await?;
    let read = object_of_cluster(
        cluster.as_ref(),
        &name.kind,
        name.namespace.as_ref(),
        &name.name,
    );
    read.await.map_err(|error| match &error {
        LookupError::Cluster(failed) => unreachable_cluster(&name.cluster, failed),
        LookupError::NoKind(_) | LookupError::Scope { .. } => {
            CliError::usage(error.to_string()).at(name.to_string())
        }
        LookupError::NotFound(_) => CliError::new(
            ErrorCode::NothingFound,
            format!("{error} on {}", name.cluster),
        ),
    })
}
