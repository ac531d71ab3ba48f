//! Saved inventories that hold a capture: forecasts are made from them without a cluster.

use std::path::Path;

use serde_json::Value;

use super::backend::{Captured, Shadow};
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::files;
use crate::domain::fleet::Fleet;
use crate::domain::ids::ReleaseId;
use crate::domain::release::Inventory;
use crate::engine::capture::FleetCapture;
use crate::render::Next;
use crate::render::screen::inventory::read_inventory;

/// Where a saved inventory keeps it.
const KEY: &str = "capture";

/// A saved inventory.
pub struct Saved {
    inventory: Inventory,
    /// What its clusters answered; files of older versions have none.
    pub capture: Option<FleetCapture>,
}

impl Saved {
    /// Its releases.
    pub fn releases(&self) -> Vec<ReleaseId> {
        let releases = self.inventory.releases.iter();
        releases.map(|it| it.id.clone().into()).collect()
    }
}

/// Reads a saved inventory.
pub fn read(path: &Path) -> Result<Saved, CliError> {
    of(
        &files::name(path),
        &files::read_any(path, &["ReleaseList"])?,
    )
}

/// The same of a document that was read.
pub fn of(file: &str, value: &Value) -> Result<Saved, CliError> {
    let refused = |why: String| {
        CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is not a ReleaseList that this refit understands"),
        )
        .because(why)
    };
    let inventory = read_inventory(value).map_err(|error| refused(error.to_string()))?;
    let capture = value.get(KEY).map(FleetCapture::read).transpose();
    let capture = capture.map_err(|error| {
        refused(error.to_string())
            .at(format!("{file}: {}", error.place()))
            .next(Next::InventorySave {
                inventory: file.to_owned(),
            })
    })?;
    Ok(Saved { inventory, capture })
}

/// Puts a capture into the document of an inventory.
pub fn put(document: &mut Value, capture: &FleetCapture) -> Result<(), CliError> {
    let made = capture
        .to_json()
        .map_err(|error| CliError::internal(error.to_string()))?;
    if let Some(document) = document.as_object_mut() {
        document.insert(KEY.to_owned(), made);
    }
    Ok(())
}

/// Forecasts from a capture, of its clusters that are in the fleet's scope; with how many those are.
pub async fn forecast(
    fleet: &Fleet,
    mut capture: FleetCapture,
    ctx: &mut Ctx,
) -> Result<(Shadow, usize), CliError> {
    let all = capture.clusters.len();
    capture
        .clusters
        .retain(|name, _| fleet.clusters.iter().any(|it| it.name == *name));
    let left = capture.clusters.len();
    if left == 0 {
        return Err(CliError::new(
            ErrorCode::ContextNotFound,
            "no cluster of the file is in scope",
        )
        .because(format!(
            "it holds {all}, the scope has {}",
            fleet.clusters.len()
        )));
    }
    let of = Captured {
        fleet: fleet.clone(),
        capture,
    };
    let backend = ctx.backend();
    Ok((backend.shadow_of(&ctx.invocation, of).await?, left))
}
