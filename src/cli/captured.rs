//! Saved inventories: forecasts are made from them without a cluster.

use std::path::Path;

use serde_json::{Map, Value};

use super::backend::{SavedFleet, Shadow};
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::files;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{Namespace, ReleaseId};
use crate::engine::capture::{CaptureError, FleetCapture, MEMBER, Members};
use crate::render::{Document, Next, text};

/// Kind of the documents that hold one.
pub const KIND: &str = "ReleaseList";

/// Reads one, and refuses what is none, or no longer what was written.
pub fn read(path: &Path, ctx: &mut Ctx) -> Result<SavedFleet, CliError> {
    let file = files::name(path);
    ctx.say(&format!("reading {file} ..."));
    let bytes = files::bytes(path)?;
    let members = files::members(&file, &bytes)?;
    files::checked(&file, KIND, about(&members))?;
    of(file, &members)
}

/// `apiVersion` and `kind` of a document, as far as they read.
pub fn about(members: &Members<'_>) -> Value {
    let texts = ["apiVersion", "kind"].into_iter().filter_map(|key| {
        let value = serde_json::from_str(members.get(key)?.get()).ok()?;
        Some((key.to_owned(), value))
    });
    Value::Object(texts.collect())
}

/// The same of a document whose kind is known.
pub fn of(file: String, members: &Members<'_>) -> Result<SavedFleet, CliError> {
    match FleetCapture::read(members) {
        Ok(capture) => Ok(SavedFleet { file, capture }),
        Err(error) => Err(refused(file, &error)),
    }
}

fn refused(file: String, error: &CaptureError) -> CliError {
    let what = match error {
        CaptureError::Absent => format!("{file} cannot be forecast from"),
        CaptureError::Format { .. } => format!("{file} was saved by another version of refit"),
        CaptureError::Unreadable { .. } => format!("{file} is damaged"),
        CaptureError::Edited { .. } => {
            format!("{file} was edited or formatted anew after it was saved")
        }
    };
    let mut made = CliError::new(ErrorCode::FileInvalid, what).because(error.to_string());
    if !matches!(error, CaptureError::Absent) {
        made = made.at(format!("{file}: {}", error.place()));
    }
    made.next(Next::InventorySave { inventory: file })
}

/// Writes the document of an inventory with the capture in it, for its owner only.
pub fn write(path: &Path, document: &Document, capture: &FleetCapture) -> Result<(), CliError> {
    let Value::Object(mut rows) = document.to_json() else {
        return Err(CliError::internal("an inventory is an object"));
    };
    rows.remove(MEMBER);
    let rows: Map<String, Value> = rows;
    files::write_private(path, &mut |to| capture.write(&rows, to))
}

/// Forecasts from a saved fleet, and says what is not in it.
pub async fn forecast(
    fleet: &Fleet,
    saved: SavedFleet,
    only: Option<Vec<ReleaseId>>,
    ctx: &mut Ctx,
) -> Result<Shadow, CliError> {
    let held = &saved.capture.scope.namespaces;
    if !held.is_empty() && ctx.scope().namespaces().is_empty() {
        let names: Vec<&str> = held.iter().map(Namespace::as_str).collect();
        let line = format!("note: {} holds only -n {}", saved.file, names.join(" -n "));
        ctx.say(&line);
    }
    let left_out = saved
        .capture
        .clusters
        .len()
        .saturating_sub(fleet.clusters.len());
    if left_out > 0 && !ctx.scope().narrows_clusters() {
        let clusters = text::counted(left_out as u64, "cluster");
        ctx.say(&format!(
            "note: {} holds {clusters} that fleet {} does not name",
            saved.file, fleet.name
        ));
    }
    let backend = ctx.backend();
    backend.shadow_of(&ctx.invocation, fleet, saved, only).await
}
