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
/// fit the schema, and never will. A failing webhook may pass next time; a CRD's conversion webhook fails in the same words as a
/// conversion, and is told by its name.
fn is_apply_machinery(status: &Status) -> bool {
    status.reason.is_empty()
        && !status.message.contains("webhook")
        && [
            "failed to create typed patch object",
            "failed to create typed live object",
            "failed to convert new object",
            "request to convert CR to an invalid group/version",
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

#[cfg(test)]
mod tests {
    use http::Method;
    use kube::config::AuthInfo;
    use serde_json::{Value, json};

    use super::super::call::{Effect, JSON_PATCH};
    use super::*;

    /// A patch that tests the uid, of a Deployment.
    fn patch() -> Call {
        let patch = json!([{"op": "test", "path": "/metadata/uid", "value": "u"}]);
        Call::change(
            Method::PATCH,
            Effect::Write,
            "/apis/apps/v1/namespaces/shop/deployments/web".into(),
            (JSON_PATCH, &patch),
            "patch apps/v1 Deployment shop/web",
        )
    }

    fn of_secret() -> Call {
        let mut call = patch();
        call.redact = Some(vec!["db".into(), "Secret".into(), "secrets".into()]);
        call
    }

    fn refuse_text(call: &Call, code: u16, content_type: &str, body: &[u8]) -> Error {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        let auth: AuthInfo = serde_json::from_value(json!({"token": "t"})).unwrap();
        let credentials = Credentials::of(Some("ops"), &auth);
        refusal(
            call,
            StatusCode::from_u16(code).unwrap(),
            &headers,
            body,
            &credentials,
        )
    }

    /// A Status as kube-apiserver 1.36.3 wrote it.
    fn refuse(call: &Call, code: u16, reason: &str, message: &str, details: &Value) -> Error {
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "message": message, "details": details});
        if !reason.is_empty() {
            status["reason"] = reason.into();
        }
        refuse_text(
            call,
            code,
            "application/json",
            status.to_string().as_bytes(),
        )
    }

    #[test]
    fn an_objects_404_is_told_from_a_paths() {
        let call = patch();
        let object = refuse(
            &call,
            404,
            "NotFound",
            "deployments.apps \"web\" not found",
            &json!({"kind": "deployments", "name": "web"}),
        );
        assert_eq!(object.kind, ErrorKind::NotFound);
        let path = refuse(
            &call,
            404,
            "NotFound",
            "the server could not find the requested resource",
            &json!({}),
        );
        assert_eq!(path.kind, ErrorKind::UnknownKind);
        let mux = refuse_text(
            &call,
            404,
            "text/plain; charset=utf-8",
            b"404 page not found\n",
        );
        assert_eq!(mux.kind, ErrorKind::UnknownKind);
        assert_eq!(
            mux.to_string(),
            "patch apps/v1 Deployment shop/web: the cluster does not serve it (404 page not found)"
        );
    }

    #[test]
    fn the_four_kinds_of_409() {
        let call = patch();
        let exists = refuse(
            &call,
            409,
            "AlreadyExists",
            "secrets \"a\" already exists",
            &json!({"kind": "secrets", "name": "a"}),
        );
        assert_eq!(exists.kind, ErrorKind::AlreadyExists);
        let stale = refuse(
            &call,
            409,
            "Conflict",
            "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply your changes to the latest version and try again",
            &json!({"group": "apps", "kind": "deployments", "name": "web"}),
        );
        assert_eq!(stale.kind, ErrorKind::Conflict);
        let quota = refuse(
            &call,
            409,
            "Conflict",
            "Operation cannot be fulfilled on resourcequotas \"q\": the object has been modified; please apply your changes to the latest version and try again",
            &json!({"kind": "resourcequotas", "name": "q"}),
        );
        assert_eq!(quota.kind, ErrorKind::Server);
        assert!(quota.is_undecided());
    }

    #[test]
    fn field_conflicts_come_in_one_order() {
        let causes = [
            ("conflict with \"new\"", ".data.z"),
            ("conflict with \"helm\" using v1", ".data.k"),
            ("conflict with \"helm\" using v1", ".data.a"),
        ];
        let details = json!({"causes": causes.map(|(message, field)| json!({"reason": "FieldManagerConflict", "message": message, "field": field}))});
        // The words name managers and fields only: they stay whole, of Secrets too.
        for call in [patch(), of_secret()] {
            let error = refuse(
                &call,
                409,
                "Conflict",
                "Apply failed with 3 conflicts: conflicts with \"helm\" using v1:\n- .data.k",
                &details,
            );
            let ErrorKind::FieldConflict(fields) = &error.kind else {
                panic!("{error:?}");
            };
            let seen: Vec<&str> = fields
                .iter()
                .map(|conflict| conflict.field.as_str())
                .collect();
            assert_eq!(seen, [".data.k", ".data.a", ".data.z"]);
            assert_eq!(fields[0].message, "conflict with \"helm\" using v1");
            assert!(error.message.contains("\"helm\""));
        }
    }

    #[test]
    fn a_failed_test_of_the_uid_is_told_from_validation() {
        let generic = "the server rejected our request due to an error in our request";
        let failed = refuse(&patch(), 422, "Invalid", generic, &json!({}));
        assert_eq!(failed.kind, ErrorKind::WrongUid);
        let mut no_test = patch();
        no_test.tests_uid = false;
        assert_eq!(
            refuse(&no_test, 422, "Invalid", generic, &json!({})).kind,
            ErrorKind::Invalid
        );
        let validation = json!({"group": "apps", "kind": "Deployment", "name": "web", "causes": [
            {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"}]});
        let invalid = refuse(
            &patch(),
            422,
            "Invalid",
            "Deployment.apps \"web\" is invalid: spec.selector: Required value",
            &validation,
        );
        assert_eq!(invalid.kind, ErrorKind::Invalid);
        let policy =
            json!({"kind": "deployments", "name": "web", "causes": [{"message": "denied"}]});
        let denied = refuse(
            &patch(),
            422,
            "Invalid",
            "deployments.apps \"web\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no",
            &policy,
        );
        assert_eq!(denied.kind, ErrorKind::Invalid);
    }

    #[test]
    fn a_500_of_the_apply_machinery_will_never_pass_and_others_may() {
        let call = patch();
        for message in [
            "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"c\"].env: duplicate entries for key [name=\"A\"]",
            "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .datax: field not declared in schema",
            "failed to convert new object (shop/s; /v1, Kind=Secret) to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 7",
            "request to convert CR to an invalid group/version: case.example/v1alpha1",
        ] {
            assert_eq!(
                refuse(&call, 500, "", message, &json!(null)).kind,
                ErrorKind::Invalid,
                "{message}"
            );
        }
        for (reason, message) in [
            (
                "InternalError",
                "Internal error occurred: failed calling webhook \"down.example.com\": failed to call webhook: Post \"https://127.0.0.1:1/?timeout=1s\": dial tcp 127.0.0.1:1: connect: connection refused",
            ),
            (
                "",
                "failed to convert new object (shop/x; a.dev/v1, Kind=X) to proper version (a.dev/v2): conversion webhook for a.dev/v1, Kind=X failed: Post \"https://x/\": EOF",
            ),
            ("", "etcdserver: request timed out"),
        ] {
            assert_eq!(
                refuse(&call, 500, reason, message, &json!({})).kind,
                ErrorKind::Server,
                "{message}"
            );
        }
    }

    #[test]
    fn every_code_has_a_kind() {
        let kind = |code| refuse_text(&patch(), code, "text/html", b"<html>").kind;
        let wanted = [
            (400, ErrorKind::Invalid),
            (401, ErrorKind::Unauthorized),
            (403, ErrorKind::Forbidden),
            (405, ErrorKind::Invalid),
            (410, ErrorKind::Server),
            (413, ErrorKind::Invalid),
            (422, ErrorKind::Invalid),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Server),
            (502, ErrorKind::Server),
            (503, ErrorKind::Server),
            (504, ErrorKind::Server),
            (101, ErrorKind::Malformed),
        ];
        for (code, wanted) in wanted {
            assert_eq!(kind(code), wanted, "{code}");
        }
        let error = refuse_text(&patch(), 502, "text/html", b"<html>");
        assert_eq!(
            error.message,
            "502 Bad Gateway, and no words of an API server"
        );
    }

    #[test]
    fn the_wait_is_read_from_the_status_too() {
        let error = refuse(
            &patch(),
            429,
            "TooManyRequests",
            "too many requests",
            &json!({"retryAfterSeconds": 3}),
        );
        assert_eq!(
            (error.kind, error.retry_after),
            (ErrorKind::Throttled, Some(Duration::from_secs(3)))
        );
    }

    #[test]
    fn words_about_a_secret_lose_its_values() {
        let error = refuse(
            &of_secret(),
            422,
            "Invalid",
            "Secret \"db\" is invalid: type: Invalid value: \"hunter2\": field is immutable",
            &json!({"kind": "Secret", "name": "db"}),
        );
        assert_eq!(
            error.message,
            "Secret \"db\" is invalid: type: Invalid value: (redacted)"
        );
        let text = refuse_text(&of_secret(), 400, "text/plain", b"cannot take hunter2");
        assert_eq!(
            text.message,
            "400 Bad Request, and no words of an API server"
        );
        let plain = refuse(
            &patch(),
            422,
            "Invalid",
            "x: Invalid value: \"hunter2\"",
            &json!({"name": "web"}),
        );
        assert!(plain.message.contains("hunter2"));
    }

    #[test]
    fn a_401_names_the_user() {
        let error = refuse(&patch(), 401, "Unauthorized", "Unauthorized", &json!(null));
        assert_eq!(error.kind, ErrorKind::Unauthorized);
        assert!(
            error
                .message
                .starts_with("the token of kubeconfig user \"ops\" is expired or unknown"),
            "{error}"
        );
    }

    #[test]
    fn long_words_are_cut() {
        let error = refuse(&patch(), 500, "", &"ä".repeat(5_000), &json!(null));
        assert_eq!(error.message.chars().count(), MESSAGE_CHARS + 2);
    }
}
