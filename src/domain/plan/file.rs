//! The plan's file: JSON with `apiVersion` and `kind`. Reading takes any text and never panics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Calendar, HeldRelease, Plan, PlanMetadata, PlanSummary, Relaxation, Seals, Untested, Wave,
};
use crate::domain::ids::{ClusterName, ReleaseId};

/// Version of refit's documents.
pub const API_VERSION: &str = "refit.dev/v1";

/// Kind of a plan's file.
pub const KIND: &str = "Plan";

/// A text that is no plan of this refit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanUnreadable {
    /// No JSON.
    #[error("line {line}, column {column}: no JSON: {message}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// Another document, or none of refit's.
    #[error("this is {}; a Plan is needed", found.as_ref().map_or_else(|| "no document of refit".to_owned(), |kind| format!("a {kind}")))]
    WrongKind {
        /// Its kind, if it says one.
        found: Option<String>,
    },
    /// A plan of another version of the format.
    #[error("the plan is of {found}; this refit reads {API_VERSION}")]
    WrongVersion {
        /// Its `apiVersion`.
        found: String,
    },
    /// It calls itself a plan, but parts are missing or not what they should be.
    #[error("line {line}, column {column}: {message}")]
    Shape {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// The refit that made it, if it says so: another one may have another format.
        tool: Option<String>,
    },
    /// It reads as a plan, but holds something that refit did not write.
    #[error("{place} was not written by refit: the plan was edited after it was made")]
    Foreign {
        /// JSON pointer.
        place: String,
        /// The refit that made it.
        tool: String,
    },
}

/// The document, field by field, so that errors have places.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    api_version: String,
    kind: String,
    metadata: PlanMetadata,
    summary: PlanSummary,
    waves: Vec<Wave>,
    held: Vec<HeldRelease>,
    done: Vec<ReleaseId>,
    unread: BTreeMap<ClusterName, String>,
    #[serde(default)]
    untested: Vec<Untested>,
    #[serde(default)]
    calendar: Option<Calendar>,
    #[serde(default)]
    relaxations: Vec<Relaxation>,
    seals: Seals,
}

/// The document of a plan, written where the plan lies: a plan of a million releases is not copied.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: &'a PlanMetadata,
    summary: &'a PlanSummary,
    waves: &'a [Wave],
    held: &'a [HeldRelease],
    done: &'a [ReleaseId],
    unread: &'a BTreeMap<ClusterName, String>,
    #[serde(skip_serializing_if = "<[Untested]>::is_empty")]
    untested: &'a [Untested],
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<&'a Calendar>,
    #[serde(skip_serializing_if = "<[Relaxation]>::is_empty")]
    relaxations: &'a [Relaxation],
    seals: &'a Seals,
}

impl<'a> From<&'a Plan> for Written<'a> {
    fn from(plan: &'a Plan) -> Self {
        Self {
            api_version: API_VERSION,
            kind: KIND,
            metadata: &plan.metadata,
            summary: &plan.summary,
            waves: &plan.waves,
            held: &plan.held,
            done: &plan.done,
            unread: &plan.unread,
            untested: &plan.untested,
            calendar: plan.calendar.as_ref(),
            relaxations: &plan.relaxations,
            seals: &plan.seals,
        }
    }
}

impl Plan {
    /// Reads a plan's file. The plan may be edited, expired or another tool's: [`Plan::check`] tells.
    pub fn parse(text: &str) -> Result<Self, PlanUnreadable> {
        let tree: Value = serde_json::from_str(text).map_err(|error| PlanUnreadable::NotJson {
            line: error.line(),
            column: error.column(),
            message: message(&error),
        })?;
        let field = |key: &str| tree.get(key).and_then(Value::as_str).map(str::to_owned);
        if field("kind").as_deref() != Some(KIND) {
            return Err(PlanUnreadable::WrongKind {
                found: field("kind").map(|kind| shown(&kind)),
            });
        }
        match field("apiVersion") {
            Some(found) if found == API_VERSION => {}
            found => {
                let found = found.map_or_else(|| "no apiVersion".to_owned(), |text| shown(&text));
                return Err(PlanUnreadable::WrongVersion { found });
            }
        }
        let tool = tree.pointer("/metadata/tool").and_then(Value::as_str);
        let document: Document =
            serde_json::from_str(text).map_err(|error| PlanUnreadable::Shape {
                line: error.line(),
                column: error.column(),
                message: message(&error),
                tool: tool.map(shown),
            })?;
        // Checked above, in the tree.
        let _ = (document.api_version, document.kind);
        let plan = Self {
            metadata: document.metadata,
            waves: document.waves,
            held: document.held,
            done: document.done,
            unread: document.unread,
            untested: document.untested,
            calendar: document.calendar,
            relaxations: document.relaxations,
            summary: document.summary,
            seals: document.seals,
        };
        // What the types do not hold would slip past the digest.
        let again = serde_json::to_value(Written::from(&plan)).unwrap_or(Value::Null);
        if let Some(place) = first_difference(&tree, &again) {
            return Err(PlanUnreadable::Foreign {
                place,
                tool: shown(&plan.metadata.tool),
            });
        }
        Ok(plan)
    }

    /// The plan as a file: indented JSON with `apiVersion` and `kind`, and a line end. The same plan gives the same bytes.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&Written::from(self)).map(|text| text + "\n")
    }
}

/// Longest foreign word repeated in an error.
const MAX_SHOWN: usize = 40;

/// A word of a foreign file, fit for an error message.
fn shown(text: &str) -> String {
    text.chars()
        .take(MAX_SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}

/// serde_json's message without the place, which the error has of its own.
fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_owned()
}

/// JSON pointer of the first place where two trees differ.
fn first_difference(a: &Value, b: &Value) -> Option<String> {
    if a == b {
        return None;
    }
    match (a, b) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: std::collections::BTreeSet<&String> =
                left.keys().chain(right.keys()).collect();
            keys.into_iter().find_map(|key| {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                match (left.get(key), right.get(key)) {
                    (Some(a), Some(b)) => {
                        first_difference(a, b).map(|rest| format!("/{}{rest}", shown(&escaped)))
                    }
                    _ => Some(format!("/{}", shown(&escaped))),
                }
            })
        }
        (Value::Array(left), Value::Array(right)) => {
            (0..left.len().max(right.len())).find_map(|at| match (left.get(at), right.get(at)) {
                (Some(a), Some(b)) => first_difference(a, b).map(|rest| format!("/{at}{rest}")),
                _ => Some(format!("/{at}")),
            })
        }
        _ => Some(String::new()),
    }
}
