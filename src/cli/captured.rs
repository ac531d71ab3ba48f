//! `--from` a saved inventory: forecasts, graphs and plans are made from it without a cluster.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::backend::{LookAt, SavedFleet};
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::files;
use crate::domain::fleet::Fleet;
use crate::domain::ids::Namespace;
use crate::domain::plan::digest_of;
use crate::engine::capture::{CaptureError, FleetCapture, MEMBER, Members};
use crate::render::{Document, Next, text};

/// Kind of the documents that hold one.
const KIND: &str = "ReleaseList";

/// A file that a verb takes beside clusters.
pub enum Taken {
    /// A saved inventory.
    Inventory(SavedFleet),
    /// A document of another kind.
    Other(Value),
}

/// What is looked at, and the fleet in scope: of the clusters, or of `--from`. Reads files only.
pub fn open(from: Option<&Path>, ctx: &mut Ctx) -> Result<(LookAt, Fleet), CliError> {
    let saved = from.map(|path| read(path, ctx)).transpose()?;
    opened(saved, ctx)
}

/// The same of a file that was read.
pub fn opened(saved: Option<SavedFleet>, ctx: &mut Ctx) -> Result<(LookAt, Fleet), CliError> {
    let backend = ctx.backend();
    let Some(saved) = saved else {
        return Ok((LookAt::Clusters, backend.fleet(&ctx.invocation)?));
    };
    let fleet = backend.fleet_of(&ctx.invocation, &saved)?;
    say_held(&saved, &fleet, ctx);
    Ok((LookAt::Saved(Box::new(saved)), fleet))
}

/// Reads a saved inventory, and refuses what is none, or no longer what was written.
fn read(path: &Path, ctx: &mut Ctx) -> Result<SavedFleet, CliError> {
    let (file, bytes) = bytes(path, ctx)?;
    let members = files::members(&file, &bytes)?;
    inventory(file, &bytes, &members)
}

/// Reads a saved inventory, or a document of one of these kinds, of which the first is the wanted one in messages.
pub fn read_any(path: &Path, kinds: &[&str], ctx: &mut Ctx) -> Result<Taken, CliError> {
    let (file, bytes) = bytes(path, ctx)?;
    let members = files::members(&file, &bytes)?;
    if about(&members)["kind"] == KIND {
        return inventory(file, &bytes, &members).map(Taken::Inventory);
    }
    files::document_of(&file, kinds, &bytes).map(Taken::Other)
}

fn bytes(path: &Path, ctx: &mut Ctx) -> Result<(String, Vec<u8>), CliError> {
    let file = files::name(path);
    ctx.say(&format!("reading {file} ..."));
    let bytes = files::bytes(path)?;
    Ok((file, bytes))
}

/// `apiVersion` and `kind` of a document, as far as they read.
fn about(members: &Members<'_>) -> Value {
    let texts = ["apiVersion", "kind"].into_iter().filter_map(|key| {
        let value = serde_json::from_str(members.get(key)?.get()).ok()?;
        Some((key.to_owned(), value))
    });
    Value::Object(texts.collect())
}

fn inventory(file: String, bytes: &[u8], members: &Members<'_>) -> Result<SavedFleet, CliError> {
    files::checked(&file, KIND, about(members))?;
    match FleetCapture::read(members) {
        Ok(capture) => Ok(SavedFleet {
            digest: digest_of(bytes),
            file,
            capture,
        }),
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

/// Says which clusters are read; of a file that was said when it was opened.
pub fn say_reading(at: &LookAt, fleet: &Fleet, ctx: &mut Ctx) {
    if at.saved().is_none() {
        ctx.say_reading(fleet);
    }
}

/// Says what the file does not hold of what could be looked for, and what it holds beside the fleet.
fn say_held(saved: &SavedFleet, fleet: &Fleet, ctx: &mut Ctx) {
    let held = &saved.capture.scope.namespaces;
    if !held.is_empty() && ctx.scope().namespaces().is_empty() {
        let names: Vec<&str> = held.iter().map(Namespace::as_str).collect();
        let line = format!("note: {} holds only -n {}", saved.file, names.join(" -n "));
        ctx.say(&line);
    }
    let clusters = &saved.capture.clusters;
    let left_out = clusters.len().saturating_sub(fleet.clusters.len());
    if left_out > 0 && !ctx.scope().narrows_clusters() {
        let clusters = text::counted(left_out as u64, "cluster");
        ctx.say(&format!(
            "note: {} holds {clusters} that fleet {} does not name",
            saved.file, fleet.name
        ));
    }
}

/// When what is looked at was as it is shown.
pub fn taken_at(at: &LookAt, ctx: &Ctx) -> Timestamp {
    at.saved()
        .map_or_else(|| ctx.now(), |it| it.capture.taken_at)
}
