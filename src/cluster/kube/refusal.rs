//! From an answer that is not a success to an [`Error`] whose kind says what to do next.

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::call::Call;
use super::credentials::Credentials;
use super::limits::MESSAGE_CHARS;
use super::redact::redact;
use crate::cluster::{Error, ErrorKind, FieldConflict};

/// `metav1.Status`, as far as we read it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    kind: String,
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Details {
    name: String,
    kind: String,
    causes: Option<Vec<Cause>>,
    retry_after_seconds: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

impl Status {
    /// The body, if it is a Status at all: proxies and the server's own mux answer in plain text.
    fn read(body: &[u8]) -> Option<Self> {
        let status: Self = serde_json::from_slice(body).ok()?;
        (status.kind == "Status").then_some(status)
    }

    fn causes(&self) -> &[Cause] {
        self.details
            .as_ref()
            .and_then(|details| details.causes.as_deref())
            .unwrap_or_default()
    }

    /// The server gives the managers in a random order, so it is put in order here; fields of one manager keep theirs.
    fn field_conflicts(&self) -> Vec<FieldConflict> {
        let mut conflicts: Vec<FieldConflict> = self
            .causes()
            .iter()
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| FieldConflict {
                message: cause.message.clone(),
                field: cause.field.clone(),
            })
            .collect();
        conflicts.sort_by(|a, b| a.message.cmp(&b.message));
        conflicts
    }
}

/// What the server's refusal means.
pub(super) fn refusal(
    call: &Call,
    code: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    credentials: &Credentials,
) -> Error {
    let status = Status::read(body);
    let kind = kind(call, code, status.as_ref());
    let mut message = match &status {
        Some(status) if !status.message.is_empty() => words(call, &kind, &status.message),
        Some(status) if !status.reason.is_empty() => status.reason.clone(),
        _ => bare(call, code, headers, body),
    };
    match kind {
        ErrorKind::Unauthorized => message = credentials.refused(&message),
        ErrorKind::WrongUid => {
            message = format!("it has another uid than expected, so it was recreated ({message})");
        }
        ErrorKind::UnknownKind => message = format!("the cluster does not serve it ({message})"),
        _ => {}
    }
    let mut error = call.error(kind, code.as_u16(), message);
    error.retry_after = retry_after(headers, status.as_ref());
    error
}

fn kind(call: &Call, code: StatusCode, status: Option<&Status>) -> ErrorKind {
    match code.as_u16() {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => not_found(status),
        409 => conflict(call, status),
        // The list gives up and starts over; a page asked for once more is as good as new.
        410 => ErrorKind::Server,
        422 if is_failed_test(call, status) => ErrorKind::WrongUid,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Invalid,
        500 if status.is_some_and(is_apply_machinery) => ErrorKind::Invalid,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Malformed,
    }
}

/// An object's 404 is a Status that names it. The mux's own (`404 page not found`, plain text) means that the path is not served.
fn not_found(status: Option<&Status>) -> ErrorKind {
    match status.and_then(|status| status.details.as_ref()) {
        Some(details) if !details.name.is_empty() => ErrorKind::NotFound,
        _ => ErrorKind::UnknownKind,
    }
}

fn conflict(call: &Call, status: Option<&Status>) -> ErrorKind {
    let Some(status) = status else {
        return ErrorKind::Conflict;
    };
    let fields = status.field_conflicts();
    if !fields.is_empty() {
        return ErrorKind::FieldConflict(fields);
    }
    if status.reason == "AlreadyExists" {
        return ErrorKind::AlreadyExists;
    }
    // Quota admission lost a race of its own: nothing was decided about our object.
    let kind = status.details.as_ref().map_or("", |details| &details.kind);
    if kind == "resourcequotas" && !call.path.contains("/resourcequotas") {
        return ErrorKind::Server;
    }
    ErrorKind::Conflict
}

/// The API server tells nothing about the operation that failed: k8s.io/apiserver `endpoints/handlers/patch.go` answers every
/// error of the patch library by a generic 422 without name, kind or causes. Validation and policies always name the object.
/// Of the operations that we send, only a `test` can fail.
fn is_failed_test(call: &Call, status: Option<&Status>) -> bool {
    call.tests_uid
        && status.is_some_and(|status| {
            status.reason == "Invalid"
                && status.causes().is_empty()
                && status
                    .details
                    .as_ref()
                    .is_none_or(|details| details.name.is_empty() && details.kind.is_empty())
        })
}

/// Plain Go errors of `structuredmerge.go` reach the client as a 500 without a reason: the manifest (or the live object) does not
/// fit the schema, and never will. A failing webhook is a 500 with reason `InternalError` and may pass next time.
fn is_apply_machinery(status: &Status) -> bool {
    status.reason.is_empty()
        && [
            "failed to create typed patch object",
            "failed to create typed live object",
            "failed to create manager for existing fields: failed to convert new object",
        ]
        .iter()
        .any(|start| status.message.starts_with(start))
}

/// The server's words, cut and, for Secrets, without values. Conflicts name managers and fields only.
fn words(call: &Call, kind: &ErrorKind, message: &str) -> String {
    let message = match (&call.redact, kind) {
        (Some(known), kind) if !matches!(kind, ErrorKind::FieldConflict(_)) => {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            redact(message, &known)
        }
        _ => message.to_owned(),
    };
    cut(&message)
}

/// Words for an answer without a Status.
fn bare(call: &Call, code: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    let reason = code.canonical_reason().unwrap_or("unknown status");
    let plain = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/plain"));
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if plain && call.redact.is_none() && !text.is_empty() {
        return cut(text);
    }
    format!("{} {reason}, and no words of an API server", code.as_u16())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARS) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

/// Seconds of the header, else of the Status. (The header's date form is not used by API servers.)
fn retry_after(headers: &HeaderMap, status: Option<&Status>) -> Option<Duration> {
    let header = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok());
    let body = status
        .and_then(|status| status.details.as_ref())
        .map(|details| details.retry_after_seconds)
        .filter(|seconds| *seconds > 0);
    header.or(body).map(Duration::from_secs)
}
