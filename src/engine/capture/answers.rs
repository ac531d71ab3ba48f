//! What is kept of one cluster: requests as texts, and the answers that they got.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cluster::{self, ErrorKind, FieldConflict, Kind, RecordHead};
use crate::domain::ids::{Namespace, ResourceVersion, Uid};
use crate::domain::object::ObjectRef;
use crate::domain::release::Driver;

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

/// A kind of discovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KindRow {
    api_version: String,
    kind: String,
    plural: String,
    namespaced: bool,
    verbs: Vec<String>,
}

impl KindRow {
    /// To be kept.
    pub fn of(kind: &Kind) -> Self {
        Self {
            api_version: kind.api_version.clone(),
            kind: kind.kind.clone(),
            plural: kind.plural.clone(),
            namespaced: kind.namespaced,
            verbs: kind.verbs.clone(),
        }
    }

    /// As it came.
    pub fn again(&self) -> Kind {
        Kind {
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            plural: self.plural.clone(),
            namespaced: self.namespaced,
            verbs: self.verbs.clone(),
        }
    }
}

/// A record's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeadRow {
    /// Where it is kept.
    pub driver: Driver,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its object's name.
    pub name: String,
    uid: Uid,
    resource_version: ResourceVersion,
    labels: BTreeMap<String, String>,
}

impl HeadRow {
    /// To be kept; annotations may hold an undo copy and are not needed.
    pub fn of(driver: Driver, head: &RecordHead) -> Self {
        Self {
            driver,
            namespace: head.namespace.clone(),
            name: head.name.clone(),
            uid: head.uid.clone(),
            resource_version: head.resource_version.clone(),
            labels: head.labels.clone(),
        }
    }

    /// As it came.
    pub fn again(&self) -> RecordHead {
        RecordHead {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
            resource_version: self.resource_version.clone(),
            labels: self.labels.clone(),
            annotations: BTreeMap::new(),
        }
    }
}

/// Everything that a cluster answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answers {
    /// The server's version.
    pub version: String,
    /// Discovery.
    pub kinds: Vec<KindRow>,
    /// Heads of records.
    pub heads: Vec<HeadRow>,
    /// Records by driver, namespace and name.
    pub records: BTreeMap<String, Value>,
    /// Lists by apiVersion and kind, of what manifests name or admission and autoscalers need.
    pub lists: BTreeMap<String, Answer<Vec<Value>>>,
    /// Objects that were read by themselves.
    pub objects: BTreeMap<String, Answer<Option<Value>>>,
    /// Hashes of schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Answer<BTreeMap<String, String>>>,
    /// Schemas by group-version: digests of documents.
    pub schemas: BTreeMap<String, Answer<Option<String>>>,
    /// Dry runs by request.
    pub rehearsals: BTreeMap<String, Answer<Value>>,
}

/// The manager of a kept dry run: a throw-away name, put in again.
pub const PROBE: &str = "refit-capture";

/// `apps/v1 Deployment`.
pub fn list_key(api_version: &str, kind: &str) -> String {
    format!("{api_version} {kind}")
}

/// `apps/v1 Deployment shop/web`.
pub fn object_key(object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref().map_or("", Namespace::as_str);
    format!(
        "{} {} {namespace}/{}",
        object.api_version, object.kind, object.name
    )
}

/// A record's.
pub fn record_key(driver: Driver, namespace: &Namespace, name: &str) -> String {
    format!("{driver:?} {namespace}/{name}")
}

/// Of a dry run of an apply.
pub fn apply_key(object: &ObjectRef) -> String {
    format!("apply {}", object_key(object))
}

/// Of a dry run of an adoption: names of fields and managers, no value. `None` for a patch that changes values: those are not
/// kept, for a digest of a short value can be guessed.
pub fn patch_key(object: &ObjectRef, patch: &Value) -> Option<String> {
    let mut wish = None;
    for operation in patch.as_array()? {
        match operation.get("path")?.as_str()? {
            "/metadata/managedFields" => wish = Some(timeless(operation.get("value")?)),
            "/metadata/uid" | "/metadata/resourceVersion" => {}
            _ => return None,
        }
    }
    let hash = Sha256::digest(wish?.to_string().as_bytes());
    let hex = hex(&hash);
    Some(format!("patch {} {hex}", object_key(object)))
}

/// managedFields without times.
pub fn timeless(entries: &Value) -> Value {
    let mut entries = entries.clone();
    for entry in entries.as_array_mut().into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
    }
    entries
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 0xf)]);
    let pairs = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    pairs.collect()
}
