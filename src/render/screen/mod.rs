//! Screens: pure functions from a value to a [`Document`](crate::render::Document), one file a verb.

pub mod audit;
mod calendar;
pub mod diff;
pub mod fields;
pub mod graph;
pub mod inventory;
pub mod next;
pub mod plan;
pub mod policy;
pub mod requests;
pub mod run;
pub mod settings;
pub mod settle;
pub mod shadow;
pub mod status;
pub mod triage;
pub mod undo;
pub mod unlock;

use serde_json::Value;

/// Why a saved document does not read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a document of this kind: {0}")]
pub struct Unreadable(String);

/// A part of a document.
fn part<T: serde::de::DeserializeOwned>(document: &Value, pointer: &str) -> Result<T, Unreadable> {
    let value = document
        .pointer(pointer)
        .ok_or_else(|| Unreadable(format!("{pointer} is missing")))?;
    T::deserialize(value).map_err(|error| Unreadable(format!("{pointer}: {error}")))
}
