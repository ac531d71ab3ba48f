//! Why a request failed, in kinds that decide what to do next.

use std::time::Duration;

/// One cause of a server-side apply conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The server's words: `conflict with "kubectl" with subresource "scale" using apps/v1`.
    pub message: String,
    /// Field path: `.spec.replicas`.
    pub field: String,
}

/// What kind of failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// 404 of an object.
    NotFound,
    /// The cluster serves no such kind at this version.
    UnknownKind,
    /// 409 `AlreadyExists`.
    AlreadyExists,
    /// 409: resourceVersion or a DELETE precondition did not hold.
    Conflict,
    /// 409 with causes: other managers own fields.
    FieldConflict(Vec<FieldConflict>),
    /// 422, 400, or 500 of the apply machinery ("failed to create typed patch object"): this request will never pass.
    Invalid,
    /// 422 because a JSON patch `test` did not hold: the uid is another.
    WrongUid,
    /// 403.
    Forbidden,
    /// 401, or no credentials: expired or unknown token.
    Unauthorized,
    /// 429.
    Throttled,
    /// 5xx of the server itself.
    Server,
    /// No connection, so nothing was sent.
    Unreachable,
    /// Sent, but no whole answer came: it may have taken effect.
    Cut,
    /// An answer that is not what the API promises, or larger than our cap.
    Malformed,
}

/// A request that did not succeed. `Display` says what and why; the cause is in `source`.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct Error {
    /// What kind.
    pub kind: ErrorKind,
    /// HTTP status, 0 if there was no answer.
    pub code: u16,
    /// `patch apps/v1 Deployment shop/web`.
    pub operation: String,
    /// The server's words, without values of Secrets.
    pub message: String,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// "Internal Server Error".
const INTERNAL: u16 = 500;

impl Error {
    /// Is it a fault of what was asked about (a kind whose conversion webhook is down, for one) rather than of the whole
    /// server? That one says 503 or nothing at all. Others' objects can still be read.
    pub fn is_fault(&self) -> bool {
        self.kind == ErrorKind::Server && self.code == INTERNAL
    }

    /// Should the same request be sent again: nothing is decided yet (429, 5xx, cut, not connected)?
    pub fn is_undecided(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Throttled | ErrorKind::Server | ErrorKind::Unreachable | ErrorKind::Cut
        )
    }
}
