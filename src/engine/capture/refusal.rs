//! Answers that were refusals: a 403 or a 404 says something of what was asked, and a forecast from the file must meet it again.

use serde::{Deserialize, Serialize};

use crate::cluster::{self, ErrorKind, FieldConflict};

/// An answer, or the refusal that was the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Answer<T> {
    /// As it came, without values of Secrets.
    Ok(T),
    /// The server said no.
    Refused(Refusal),
}

/// A refusal that is an answer: it says something of the object, not of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// The kind's word.
    pub kind: Word,
    /// HTTP status.
    pub code: u16,
    /// What was asked.
    pub operation: String,
    /// The server's words.
    pub message: String,
    /// Causes of a conflict: message and field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<(String, String)>,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Word {
    /// 404.
    NotFound,
    /// No such kind.
    UnknownKind,
    /// 409 with causes.
    FieldConflict,
    /// 422 and the like.
    Invalid,
    /// 403.
    Forbidden,
    /// 500.
    Server,
}

impl Refusal {
    /// `None`: nothing was answered, so there is nothing to keep.
    pub fn of(error: &cluster::Error) -> Option<Self> {
        let mut conflicts = Vec::new();
        let kind = match &error.kind {
            ErrorKind::NotFound => Word::NotFound,
            ErrorKind::UnknownKind => Word::UnknownKind,
            ErrorKind::FieldConflict(causes) => {
                let texts = causes
                    .iter()
                    .map(|it| (it.message.clone(), it.field.clone()));
                conflicts.extend(texts);
                Word::FieldConflict
            }
            ErrorKind::Invalid => Word::Invalid,
            ErrorKind::Forbidden => Word::Forbidden,
            ErrorKind::Server if error.is_fault() => Word::Server,
            _ => return None,
        };
        Some(Self {
            kind,
            code: error.code,
            operation: error.operation.clone(),
            message: error.message.clone(),
            conflicts,
        })
    }

    /// The error again.
    pub fn error(&self) -> cluster::Error {
        let kind = match self.kind {
            Word::NotFound => ErrorKind::NotFound,
            Word::UnknownKind => ErrorKind::UnknownKind,
            Word::FieldConflict => {
                let causes = self.conflicts.iter().cloned();
                let causes = causes.map(|(message, field)| FieldConflict { message, field });
                ErrorKind::FieldConflict(causes.collect())
            }
            Word::Invalid => ErrorKind::Invalid,
            Word::Forbidden => ErrorKind::Forbidden,
            Word::Server => ErrorKind::Server,
        };
        cluster::Error {
            kind,
            code: self.code,
            operation: self.operation.clone(),
            message: self.message.clone(),
            retry_after: None,
            source: None,
        }
    }
}

impl<T> Answer<T> {
    /// What came, to be kept; `None` if nothing was answered.
    pub fn of<U>(came: &cluster::Result<U>, keep: impl FnOnce(&U) -> T) -> Option<Self> {
        match came {
            Ok(came) => Some(Self::Ok(keep(came))),
            Err(error) => Refusal::of(error).map(Self::Refused),
        }
    }

    /// As it came.
    pub fn again(&self) -> cluster::Result<&T> {
        match self {
            Self::Ok(kept) => Ok(kept),
            Self::Refused(refusal) => Err(refusal.error()),
        }
    }
}
