//! A small blocking HTTPS client of one control plane.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::http::Request;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::Error;

/// A LIST of a seeded cluster is some megabytes; ureq's own bound of ten is too low for releases.
const BODY_LIMIT: u64 = 512 * 1024 * 1024;

/// Too many requests, or a storage that is not ready yet.
const BUSY: u16 = 429;

/// How long a busy server is asked again, and how often.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

/// No answer for this long is a fault of the server: watches are not sent here.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A client with one user's token. Cheap to clone; its connections are shared.
#[derive(Debug, Clone)]
pub struct Api {
    agent: ureq::Agent,
    server: Arc<str>,
    token: Arc<str>,
}

/// One answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; a string where it is no JSON.
    pub body: Value,
}

impl Api {
    pub(crate) fn new(server: &str, ca_pem: &str, token: &str) -> Result<Self, Error> {
        let ca = Certificate::from_pem(ca_pem.as_bytes()).map_err(|source| Error::Http {
            method: "CONNECT",
            path: server.into(),
            source: Box::new(source),
        })?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent("testbed")
            // A proxy of the environment has no business on loopback.
            .proxy(None)
            .build()
            .into();
        Ok(Self {
            agent,
            server: server.into(),
            token: token.into(),
        })
    }

    /// Sends one request and gives the answer of whatever status. `path` starts with a slash.
    pub fn send(
        &self,
        method: &'static str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Answer, Error> {
        let fail = |source: ureq::Error| Error::Http {
            method,
            path: path.into(),
            source: Box::new(source),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Accept", "application/json")
            .header("Content-Type", content_type);
        let answer = if body.is_empty() {
            let request = request.body(()).map_err(|e| fail(e.into()))?;
            self.agent.run(request)
        } else {
            let request = request.body(body).map_err(|e| fail(e.into()))?;
            self.agent.run(request)
        };
        let mut answer = answer.map_err(fail)?;
        let text = answer
            .body_mut()
            .with_config()
            .limit(BODY_LIMIT)
            .read_to_string()
            .map_err(fail)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer {
            status: answer.status().as_u16(),
            body,
        })
    }

    /// The body of a 2xx answer.
    fn accepted(
        &self,
        method: &'static str,
        path: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<Value, Error> {
        let answer = self.send(method, path, content_type, body)?;
        if (200..300).contains(&answer.status) {
            return Ok(answer.body);
        }
        let message = answer.body["message"]
            .as_str()
            .map_or_else(|| answer.body.to_string(), str::to_owned);
        Err(Error::Refused {
            method,
            path: path.into(),
            status: answer.status,
            message,
        })
    }

    /// GET.
    ///
    /// A 429 is asked again: the server gives one while a new kind's storage starts.
    pub fn get(&self, path: &str) -> Result<Value, Error> {
        let started = Instant::now();
        loop {
            match self.accepted("GET", path, "application/json", &[]) {
                Err(error) if error.status() == Some(BUSY) && started.elapsed() < PATIENCE => {
                    std::thread::sleep(PAUSE);
                }
                done => return done,
            }
        }
    }

    /// POST of an object.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.accepted(
            "POST",
            path,
            "application/json",
            body.to_string().as_bytes(),
        )
    }

    /// PUT of an object.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.accepted("PUT", path, "application/json", body.to_string().as_bytes())
    }

    /// JSON patch (RFC 6902): `patch` is the array of operations.
    pub fn json_patch(&self, path: &str, patch: &Value) -> Result<Value, Error> {
        self.accepted(
            "PATCH",
            path,
            "application/json-patch+json",
            patch.to_string().as_bytes(),
        )
    }

    /// JSON merge patch.
    pub fn merge_patch(&self, path: &str, patch: &Value) -> Result<Value, Error> {
        self.accepted(
            "PATCH",
            path,
            "application/merge-patch+json",
            patch.to_string().as_bytes(),
        )
    }

    /// Server-side apply of an object by `manager`.
    pub fn apply(
        &self,
        path: &str,
        manager: &str,
        force: bool,
        object: &Value,
    ) -> Result<Value, Error> {
        let path = format!("{path}?fieldManager={manager}&force={force}");
        self.accepted(
            "PATCH",
            &path,
            "application/apply-patch+yaml",
            object.to_string().as_bytes(),
        )
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Result<Value, Error> {
        self.accepted("DELETE", path, "application/json", &[])
    }

    /// The server's address, without a slash at the end.
    pub fn server(&self) -> &str {
        &self.server
    }
}
