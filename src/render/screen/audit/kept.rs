//! A capture as a document, and back.

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::domain::audit::Capture;
use crate::render::Document;
use crate::render::screen::Unreadable;

/// What `--save` writes: kind `AuditCapture`.
pub fn capture_document(capture: &Capture, tool: &str) -> Document {
    Document::new("AuditCapture")
        .field("tool", json!(tool))
        .fields_of(capture)
}

/// Reads it back.
pub fn read_capture(document: &Value) -> Result<Capture, Unreadable> {
    Capture::deserialize(document).map_err(|error| Unreadable(error.to_string()))
}
