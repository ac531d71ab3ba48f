//! Sends one request, once, and reads the whole answer.
//!
//! Nothing here repeats a request: kube-rs's own retries are switched off in `connect`, and hyper sends again only
//! what never left (a pooled connection that turned out to be closed before the first byte).

use std::error::Error as StdError;

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_util::client::legacy;
use kube::client::Body;
use serde::de::DeserializeOwned;

use super::KubeCluster;
use super::call::{Call, Effect};
use super::limits::ANSWER_BYTES;
use super::refusal::refusal;
use crate::cluster::{Error, ErrorKind, Result};

/// The error of an answer that is larger than our cap, for the list that asks for less.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than {} MiB", ANSWER_BYTES >> 20)]
pub(super) struct TooLarge;

impl KubeCluster {
    /// Sends `call` and reads its answer as JSON.
    ///
    /// Dropping the future closes the connection; the request may still take effect.
    pub(super) async fn send<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let (code, body) = self.send_bytes(call).await?;
        serde_json::from_slice(&body).map_err(|source| {
            // serde_json may quote the text that it met: its place is enough.
            let message = format!(
                "the answer is not the JSON that the API promises (at byte {} of line {})",
                source.column(),
                source.line()
            );
            unreadable(call, code.as_u16(), message)
        })
    }

    async fn send_bytes(&self, call: &Call) -> Result<(StatusCode, Vec<u8>)> {
        let request = request(call)?;
        let answer = tokio::time::timeout(call.within(), async {
            let response = self
                .client
                .send(request)
                .await
                .map_err(|source| self.not_sent_or_cut(call, source))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES)
                .collect()
                .await
                .map_err(|source| broken_body(call, parts.status, source))?;
            Ok((parts.status, parts.headers, body.to_bytes()))
        })
        .await;
        let (code, headers, body) = match answer {
            Ok(answer) => answer?,
            Err(_) => return Err(timed_out(call)),
        };
        if code.is_success() {
            return Ok((code, body.into()));
        }
        if code.is_redirection() {
            return Err(redirected(call, code, &headers));
        }
        Err(refusal(call, code, &headers, &body, &self.credentials))
    }

    /// Tells what surely never left from what may have arrived.
    fn not_sent_or_cut(&self, call: &Call, source: kube::Error) -> Error {
        if let Some(auth) = find::<kube::client::AuthError>(&source) {
            return super::connect::no_credentials(&call.operation, &self.credentials, auth);
        }
        let connect = find::<legacy::Error>(&source).is_some_and(legacy::Error::is_connect);
        let (kind, what) = if connect {
            (ErrorKind::Unreachable, "no connection to")
        } else {
            (
                ErrorKind::Cut,
                "the connection broke before an answer came from",
            )
        };
        let message = format!("{what} {}: {}", self.server, root_cause(&source));
        let mut error = call.error(kind, 0, message);
        error.source = Some(Box::new(source));
        error
    }
}

fn request(call: &Call) -> Result<Request<Body>> {
    let mut builder = Request::builder()
        .method(call.method.clone())
        .uri(call.uri())
        .header(ACCEPT, call.accept);
    let body = match &call.body {
        Some((content_type, bytes)) => {
            builder = builder.header(CONTENT_TYPE, *content_type);
            Body::from(bytes.clone())
        }
        None => Body::empty(),
    };
    builder.body(body).map_err(|source| {
        let mut error = call.error(ErrorKind::Invalid, 0, "no URL can be made of its names");
        error.source = Some(Box::new(source));
        error
    })
}

fn timed_out(call: &Call) -> Error {
    let message = format!(
        "no whole answer within {} s, so we do not know whether it took effect",
        call.within().as_secs()
    );
    call.error(ErrorKind::Cut, 0, message)
}

fn broken_body(call: &Call, code: StatusCode, source: Box<dyn StdError + Send + Sync>) -> Error {
    if source.is::<LengthLimitError>() {
        let mut error = unreadable(call, code.as_u16(), TooLarge.to_string());
        error.source = Some(Box::new(TooLarge));
        return error;
    }
    let message = format!("the answer broke off: {}", root_cause(source.as_ref()));
    let mut error = call.error(ErrorKind::Cut, code.as_u16(), message);
    error.source = Some(source);
    error
}

/// A success that cannot be read. Of a write it says no more than a cut: it took effect, or something between us answered for the server.
fn unreadable(call: &Call, code: u16, message: String) -> Error {
    let kind = match call.effect {
        Effect::Write => ErrorKind::Cut,
        Effect::Read | Effect::DryRun => ErrorKind::Malformed,
    };
    call.error(kind, code, message)
}

fn redirected(call: &Call, code: StatusCode, headers: &HeaderMap) -> Error {
    // Only the host: a login page's URL may carry a ticket.
    let host = headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<http::Uri>().ok())
        .and_then(|uri| uri.host().map(str::to_owned))
        .map_or_else(String::new, |host| format!(" to {host}"));
    let message = format!("redirected{host}: is the server's address that of an API server?");
    call.error(ErrorKind::Malformed, code.as_u16(), message)
}

/// The first error of type `T` in a chain of causes.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    std::iter::successors(Some(error), |error| (*error).source())
        .find_map(|error| error.downcast_ref())
}

/// The innermost cause: `connection refused` instead of the layers around it.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    std::iter::successors(Some(error), |error| (*error).source())
        .last()
        .unwrap_or(error)
        .to_string()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::{Value, json};

    use super::super::call::JSON_PATCH;
    use super::super::testing::{Reply, Seen, cluster, connect};
    use super::*;

    fn write() -> Call {
        let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": []}]);
        let path = "/api/v1/namespaces/shop/secrets/db".to_owned();
        Call::change(
            Method::PATCH,
            Effect::Write,
            path,
            (JSON_PATCH, &patch),
            "patch v1 Secret shop/db",
        )
    }

    fn unavailable() -> Reply {
        Reply::Answer {
            code: 503,
            headers: vec![("Retry-After", "7".into())],
            body: Vec::new(),
        }
    }

    fn count(seen: &Seen) -> usize {
        seen.lock().unwrap().len()
    }

    /// kube-rs retries 429, 503 and 504 by default, writes too.
    #[tokio::test]
    async fn nothing_is_sent_twice() {
        for reply in [
            unavailable(),
            Reply::json(429, &json!({})),
            Reply::json(504, &json!({})),
            Reply::Close,
            Reply::Half { code: 200 },
        ] {
            let (cluster, seen) = cluster(vec![reply.clone(); 5]).await;
            let error = cluster.send::<Value>(&write()).await.unwrap_err();
            assert!(error.is_undecided(), "{reply:?}: {error:?}");
            assert_eq!(count(&seen), 1, "{reply:?}");
        }
    }

    /// The same on a connection that was used before: hyper may send again only what never left.
    #[tokio::test]
    async fn nothing_is_sent_twice_on_a_used_connection() {
        let ok = Reply::json(200, &json!({}));
        let (cluster, seen) = cluster(vec![ok.clone(), Reply::Close, ok]).await;
        cluster.send::<Value>(&write()).await.unwrap();
        let error = cluster.send::<Value>(&write()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Cut);
        assert_eq!(count(&seen), 2);
    }

    #[tokio::test]
    async fn a_request_says_who_sends_it_and_how_long_it_may_take() {
        let (cluster, seen) = cluster(vec![Reply::json(200, &json!({}))]).await;
        cluster.send::<Value>(&write()).await.unwrap();
        let seen = seen.lock().unwrap()[0].to_lowercase();
        assert!(
            seen.starts_with(
                "patch /api/v1/namespaces/shop/secrets/db?timeout=10s&fieldmanager=refit http/1.1"
            ),
            "{seen}"
        );
        assert!(
            seen.contains(concat!("user-agent: refit/", env!("CARGO_PKG_VERSION"))),
            "{seen}"
        );
        assert!(
            seen.contains("content-type: application/json-patch+json"),
            "{seen}"
        );
    }

    #[tokio::test]
    async fn retry_after_is_read() {
        let (cluster, _) = cluster(vec![unavailable()]).await;
        let error = cluster.send::<Value>(&write()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Server);
        assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
    }

    #[tokio::test]
    async fn what_never_left_is_unreachable() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        for server in [format!("http://{free}"), format!("https://{free}")] {
            let error = connect(&server)
                .await
                .send::<Value>(&write())
                .await
                .unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
            assert!(error.message.contains(&server), "{error}");
        }
        // A server that speaks no TLS: the handshake fails, so no request was sent.
        let (plain, _) = cluster(Vec::new()).await;
        let tls = connect(&plain.server().replace("http:", "https:")).await;
        let error = tls.send::<Value>(&write()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_cut() {
        let (cluster, seen) = cluster(vec![Reply::Hang]).await;
        let call = write();
        let arrived = async {
            while count(&seen) == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            // From here on the clock jumps to the next timer, which is ours.
            tokio::time::pause();
        };
        let (answer, ()) = tokio::join!(cluster.send::<Value>(&call), arrived);
        let error = answer.unwrap_err();
        assert_eq!((error.kind, error.code), (ErrorKind::Cut, 0));
        assert!(error.message.contains("20 s"), "{}", error.message);
        assert_eq!(count(&seen), 1);
    }

    #[tokio::test]
    async fn a_success_that_cannot_be_read_is_cut_for_a_write_only() {
        let page = Reply::Answer {
            code: 200,
            headers: vec![("Content-Type", "text/html".into())],
            body: b"<html>hunter2".to_vec(),
        };
        let (cluster, _) = cluster(vec![page.clone(), page]).await;
        let error = cluster.send::<Value>(&write()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Cut);
        let error = cluster
            .send::<Value>(&Call::get("/version", "x"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_login_page_is_told_without_its_ticket() {
        let reply = Reply::Answer {
            code: 302,
            headers: vec![(
                "Location",
                "https://sso.example/login?ticket=hunter2".into(),
            )],
            body: Vec::new(),
        };
        let (cluster, _) = cluster(vec![reply]).await;
        let error = cluster
            .send::<Value>(&Call::get("/version", "x"))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Malformed);
        assert!(error.message.contains("sso.example") && !error.message.contains("hunter2"));
    }
}
