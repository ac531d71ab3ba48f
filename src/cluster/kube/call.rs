//! One request, as data: what is sent, how it is called in errors, and what it may do to the cluster.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::limits::{READ_WITHIN, SERVER_TIMEOUT, WRITE_WITHIN};
use super::path;
use crate::cluster::{Error, ErrorKind};

/// The manager under which refit's own writes appear in managedFields.
pub(super) const MANAGER: &str = "refit";

pub(super) const JSON: &str = "application/json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
/// JSON is YAML: the server takes it under this type, and under no other as an apply before 1.32.
pub(super) const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// Bytes of `\u007f`.
const ESCAPE_LEN: usize = 6;

/// What a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Stores nothing.
    Read,
    /// Runs admission, stores nothing.
    DryRun,
    /// Changes the cluster.
    Write,
}

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub accept: &'static str,
    pub body: Option<(&'static str, Vec<u8>)>,
    pub effect: Effect,
    /// For errors: `patch apps/v1 Deployment shop/web`.
    pub operation: String,
    /// The object is a Secret or a release record: the server's words lose quoted values, except these names.
    pub redact: Option<Vec<String>>,
    /// The body is a JSON patch with a `test` of the uid, so that a 422 of the patch itself means another uid.
    pub tests_uid: bool,
}

impl Call {
    /// A read of a path.
    pub(super) fn get(path: impl Into<String>, operation: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            accept: JSON,
            body: None,
            effect: Effect::Read,
            operation: operation.into(),
            redact: None,
            tests_uid: false,
        }
    }

    /// A question that is asked by POST and stores nothing (reviews).
    pub(super) fn review(path: &str, body: &Value, operation: impl Into<String>) -> Self {
        let mut call = Self::get(path, operation);
        call.method = Method::POST;
        call.body = Some((JSON, body.to_string().into_bytes()));
        call
    }

    /// A write, or the dry run of one: both carry the server-side time-out and a field manager.
    pub(super) fn change(
        method: Method,
        effect: Effect,
        path: String,
        body: (&'static str, &Value),
        operation: impl Into<String>,
    ) -> Self {
        let mut call = Self::get(path, operation);
        call.tests_uid = body.0 == JSON_PATCH && tests_uid(body.1);
        let text = body.1.to_string();
        let text = match body.0 {
            APPLY_PATCH => readable_as_yaml(text),
            _ => text,
        };
        call.body = Some((body.0, text.into_bytes()));
        call.query.push(("timeout", SERVER_TIMEOUT.to_owned()));
        if effect == Effect::DryRun {
            call.query.push(("dryRun", "All".to_owned()));
        }
        // DELETE has no manager.
        if method != Method::DELETE {
            call.query.push(("fieldManager", MANAGER.to_owned()));
        }
        call.method = method;
        call.effect = effect;
        call
    }

    /// Path and query.
    pub(super) fn uri(&self) -> String {
        format!("{}{}", self.path, path::query(&self.query))
    }

    /// How long we wait for the whole answer.
    pub(super) fn within(&self) -> Duration {
        match self.effect {
            Effect::Read => READ_WITHIN,
            Effect::DryRun | Effect::Write => WRITE_WITHIN,
        }
    }

    /// An error of this request.
    pub(super) fn error(&self, kind: ErrorKind, code: u16, message: impl Into<String>) -> Error {
        error(&self.operation, kind, code, message)
    }
}

/// An error that names its operation.
pub(super) fn error(
    operation: &str,
    kind: ErrorKind,
    code: u16,
    message: impl Into<String>,
) -> Error {
    Error {
        kind,
        code,
        operation: operation.to_owned(),
        message: message.into(),
        retry_after: None,
        source: None,
    }
}

/// The same JSON with DEL, C1 controls and the other characters that YAML does not take as they are, as escapes. An apply's
/// body is read as YAML: raw, U+007F is a 400. They stand only inside strings, where an escape says the same.
fn readable_as_yaml(json: String) -> String {
    // YAML 1.2, `c-printable`, beyond what JSON escapes by itself; and the line breaks of YAML 1.1.
    let odd = |c: char| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    if !json.contains(odd) {
        return json;
    }
    let mut text = String::with_capacity(json.len() + ESCAPE_LEN);
    for c in json.chars() {
        if odd(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

fn tests_uid(patch: &Value) -> bool {
    patch.as_array().is_some_and(|operations| {
        operations
            .iter()
            .any(|one| one["op"] == "test" && one["path"] == "/metadata/uid")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(method: Method, effect: Effect) -> Call {
        let patch = json!([{"op": "test", "path": "/metadata/uid", "value": "u"}]);
        Call::change(
            method,
            effect,
            "/api/v1/x".into(),
            (JSON_PATCH, &patch),
            "patch x",
        )
    }

    #[test]
    fn a_dry_run_says_so_and_a_write_does_not() {
        let dry = change(Method::PATCH, Effect::DryRun);
        assert_eq!(
            dry.uri(),
            "/api/v1/x?timeout=10s&dryRun=All&fieldManager=refit"
        );
        let wet = change(Method::PATCH, Effect::Write);
        assert_eq!(wet.uri(), "/api/v1/x?timeout=10s&fieldManager=refit");
        assert!(wet.tests_uid);
    }

    #[test]
    fn an_apply_escapes_what_yaml_does_not_take() {
        let body =
            json!({"data": {"a\u{7f}": "\u{85}\u{9f}\u{2028}\u{feff}\u{ffff} \u{a0}é😀\n\\"}});
        let text = |kind| {
            let call = Call::change(
                Method::PATCH,
                Effect::DryRun,
                "/x".into(),
                (kind, &body),
                "x",
            );
            String::from_utf8(call.body.unwrap().1).unwrap()
        };
        let applied = text(APPLY_PATCH);
        assert_eq!(
            applied,
            "{\"data\":{\"a\\u007f\":\"\\u0085\\u009f\\u2028\\ufeff\\uffff \u{a0}é😀\\n\\\\\"}}"
        );
        assert_eq!(serde_json::from_str::<Value>(&applied).unwrap(), body);
        assert_eq!(text(JSON), body.to_string());
    }

    #[test]
    fn our_time_out_is_above_the_servers() {
        let server: u64 = SERVER_TIMEOUT.trim_end_matches('s').parse().unwrap();
        let server = Duration::from_secs(server) + super::super::limits::CONNECT_WITHIN;
        assert!(change(Method::PATCH, Effect::Write).within() > server);
    }
}
