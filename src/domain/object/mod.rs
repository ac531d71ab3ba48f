//! Kubernetes objects as refit names and reads them.

mod difference;
mod quantity;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{Namespace, ResourceVersion, Uid};

pub use difference::changed_paths;
pub use quantity::{NotAQuantity, Quantity, same_quantity};

/// An object by version, kind and name. `namespace` is `None` for cluster-scoped kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// `apps/v1`, `v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Namespace, if the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Name.
    pub name: String,
}

impl ObjectRef {
    /// An item of the list of a kind: named by the list's version, whatever the item says.
    pub fn listed(api_version: &str, kind: &str, item: &LiveObject) -> Self {
        let text = |key| item.json.pointer(key).and_then(Value::as_str);
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: text("/metadata/namespace").map(Into::into),
            name: text("/metadata/name").unwrap_or_default().to_owned(),
        }
    }

    /// The API group: empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// What names the object, whatever version of its group does: group, kind, namespace, name.
    pub fn key(&self) -> (&str, &str, Option<&Namespace>, &str) {
        (
            self.group(),
            &self.kind,
            self.namespace.as_ref(),
            &self.name,
        )
    }

    /// The key under which two releases share an object: without the version (adoption rule R4).
    pub fn identity(&self) -> (String, String, Option<Namespace>, String) {
        let (group, kind, namespace, name) = self.key();
        (
            group.to_owned(),
            kind.to_owned(),
            namespace.cloned(),
            name.to_owned(),
        )
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{} in {namespace}", self.kind, self.name),
            None => write!(f, "{}/{}", self.kind, self.name),
        }
    }
}

/// A live object: its JSON as the server gave it, with the parts that guards need.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.resourceVersion`.
    pub resource_version: ResourceVersion,
    /// The whole object.
    pub json: Value,
}

/// An answer that is not an object: it lacks a part of the metadata that every stored object has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's answer is no stored object: it lacks metadata.{0}")]
pub struct NotAnObject(&'static str);

impl LiveObject {
    /// Reads the guards out of an object's JSON.
    pub fn new(json: Value) -> Result<Self, NotAnObject> {
        let text = |key| {
            json.pointer(&format!("/metadata/{key}"))
                .and_then(Value::as_str)
        };
        Ok(Self {
            uid: Uid::new(text("uid").ok_or(NotAnObject("uid"))?),
            resource_version: ResourceVersion::new(
                text("resourceVersion").ok_or(NotAnObject("resourceVersion"))?,
            ),
            json,
        })
    }

    /// `metadata.managedFields` as the server gave it; empty if there is none.
    pub fn managed_fields(&self) -> &[Value] {
        self.json
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    /// `metadata.generation`, for kinds that count it.
    pub fn generation(&self) -> Option<i64> {
        self.json
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
    }

    /// Is it on its way out (`metadata.deletionTimestamp`)?
    pub fn is_being_deleted(&self) -> bool {
        self.json.pointer("/metadata/deletionTimestamp").is_some()
    }

    /// The object without `managedFields` and `resourceVersion`: what an adoption must leave as it is
    /// (generation included).
    #[must_use]
    pub fn content(&self) -> Value {
        let mut json = self.json.clone();
        if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
            metadata.remove("resourceVersion");
        }
        json
    }
}
