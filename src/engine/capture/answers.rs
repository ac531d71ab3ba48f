//! What is kept of one cluster: requests as texts, and the answers that they got, without values of Secrets.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::refusal::Answer;
use crate::cluster::{Kind, RecordHead};
use crate::domain::hex::hex;
use crate::domain::ids::{Namespace, ResourceVersion, Uid};
use crate::domain::object::ObjectRef;
use crate::domain::release::Driver;

/// JSON as text: a tenth of what its tree takes, and a tree is wanted only while it is looked at.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(Box<RawValue>);

impl Text {
    /// Of a value.
    pub fn of(value: &Value) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// As it stands in the file.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value.
    pub fn read(&self) -> serde_json::Result<Value> {
        serde_json::from_str(self.0.get())
    }
}

impl From<Box<RawValue>> for Text {
    fn from(text: Box<RawValue>) -> Self {
        Self(text)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
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

/// A release record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordRow {
    /// The object around it: its metadata.
    pub object: Text,
    /// What is inside.
    pub inside: Inside,
}

/// What is inside of a record's object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Inside {
    /// The record's JSON, with what a forecast needs of it.
    Record(Text),
    /// It does not read; this does not either, in the same words where that can be had. `None`: there is no payload.
    Unreadable(Option<String>),
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
    pub records: BTreeMap<String, RecordRow>,
    /// Lists by apiVersion and kind, of what manifests name or admission and autoscalers need; objects by namespace and name.
    pub lists: BTreeMap<String, Answer<BTreeMap<String, Text>>>,
    /// Objects of those lists of which not all is kept: that they are there is known, and who asks for one is told so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, BTreeSet<String>>,
    /// Objects that were read by themselves.
    pub objects: BTreeMap<String, Answer<Option<Text>>>,
    /// Hashes of schemas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Answer<BTreeMap<String, String>>>,
    /// Schemas by group-version: digests of documents.
    pub schemas: BTreeMap<String, Answer<Option<String>>>,
    /// Dry runs by request.
    pub rehearsals: BTreeMap<String, Answer<Text>>,
}

/// The manager of a kept dry run: a throw-away name, put in again.
pub const PROBE: &str = "refit-capture";

/// `apps/v1 Deployment`.
pub fn list_key(api_version: &str, kind: &str) -> String {
    format!("{api_version} {kind}")
}

/// `shop/web`, `/web` of an object without a namespace: sorts as the server's list does.
pub fn place_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// The same of an object.
pub fn place_of(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let namespace = text("/metadata/namespace").unwrap_or_default();
    place_key(namespace, text("/metadata/name").unwrap_or_default())
}

/// The same of a reference.
pub fn place_named(object: &ObjectRef) -> String {
    let namespace = object.namespace.as_ref().map_or("", Namespace::as_str);
    place_key(namespace, &object.name)
}

/// `apps/v1 Deployment shop/web`.
pub fn object_key(object: &ObjectRef) -> String {
    let list = list_key(&object.api_version, &object.kind);
    format!("{list} {}", place_named(object))
}

/// A record's.
pub fn record_key(driver: Driver, namespace: &Namespace, name: &str) -> String {
    format!("{} {namespace}/{name}", driver.kind())
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
