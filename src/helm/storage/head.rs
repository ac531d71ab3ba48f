//! What a metadata-only LIST says about a record.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LOCK_ANNOTATION, parse_object_name, strings};

/// What the metadata alone say about a record: from a metadata-only LIST, which carries no payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordHead {
    /// Namespace of the release.
    pub namespace: String,
    /// Name of the release.
    pub release: String,
    /// Number of the revision.
    pub revision: u32,
    /// The label `status`; empty if it has none.
    pub status: String,
    /// Name of the object.
    pub object: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Token of the lock, if refit's.
    pub token: Option<String>,
    /// Whether somebody deleted it and a finalizer keeps it.
    pub deleting: bool,
}

impl RecordHead {
    /// Reads one item; none if its name is not that of a record. The name counts, labels can be edited.
    pub fn from_metadata(item: &Value) -> Option<Self> {
        let metadata = item.get("metadata")?;
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let object = text("name");
        let (release, revision) = parse_object_name(&object)?;
        let lock = metadata
            .get("annotations")
            .and_then(|all| all.get(LOCK_ANNOTATION))
            .and_then(Value::as_str);
        Some(Self {
            namespace: text("namespace"),
            release: release.to_owned(),
            revision,
            status: strings(metadata.get("labels"))
                .remove("status")
                .unwrap_or_default(),
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            token: lock.map(str::to_owned),
            deleting: metadata
                .get("deletionTimestamp")
                .is_some_and(Value::is_string),
            object,
        })
    }
}
