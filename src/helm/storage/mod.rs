//! The Secret or ConfigMap around a release record: its name, its labels, and what refit keeps in it.
//!
//! Helm reads the label `status` to find the deployed revision, so labels and JSON must say the same
//! (source: Helm v4 `pkg/storage/storage.go`, `pkg/storage/driver/secrets.go`, `cfgmaps.go`). Every rewrite by Helm drops
//! annotations and foreign data keys and keeps labels that are not its own; this decides where refit keeps its marks.
mod error;
mod image;
mod name;

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

pub use error::StorageError;
pub use image::RecordImage;
pub use name::{object_name, parse_object_name};

use super::record::{Record, RecordError};
use crate::domain::release::Driver;

/// Type of the Secrets that hold Helm's records.
pub const SECRET_TYPE: &str = "helm.sh/release.v1";
/// Label selector of all records of a namespace or cluster.
pub const OWNER_SELECTOR: &str = "owner=helm";
/// Data key of the record.
pub const RELEASE_KEY: &str = "release";
/// Data key of the undo copy in a lock.
pub const UNDO_COPY_KEY: &str = "refit";
/// Data key of the record as it was before refit marked it.
pub const BEFORE_KEY: &str = "refit.before";
/// Annotation of a lock: `store/run/attempt`. Not a label: Helm would copy that to its next revision.
pub const LOCK_ANNOTATION: &str = "refit.dev/lock";
/// Annotation in which `kubectl apply` keeps a copy of the whole object, data and all: so on records that were restored
/// from a backup by hand.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Finalizer of an undo lock in a release whose history Helm prunes to two revisions or less.
pub const LOCK_FINALIZER: &str = "refit.dev/lock";

/// The labels that Helm writes itself; all others are the user's.
const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

/// A stored record as the API gave it: the whole object, so that a rewrite keeps what refit does not know.
#[derive(Clone, PartialEq)]
pub struct StoredRecord {
    driver: Driver,
    object: Map<String, Value>,
}

impl fmt::Debug for StoredRecord {
    /// Names only: the data is secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredRecord")
            .field("driver", &self.driver)
            .field("namespace", &self.namespace())
            .field("name", &self.name())
            .field("uid", &self.uid())
            .field("resource_version", &self.resource_version())
            .finish_non_exhaustive()
    }
}

impl StoredRecord {
    /// Takes an object from a GET, a LIST (whose items lack `kind`) or the answer to a write.
    pub fn from_api(driver: Driver, object: Value) -> Result<Self, StorageError> {
        let Value::Object(object) = object else {
            return Err(StorageError::Missing {
                kind: driver.kind(),
                name: String::new(),
                what: "fields at all",
            });
        };
        let stored = Self { driver, object };
        for (what, value) in [
            ("metadata.name", stored.name()),
            ("metadata.namespace", stored.namespace()),
        ] {
            if value.is_empty() {
                return Err(StorageError::Missing {
                    kind: driver.kind(),
                    name: stored.name().to_owned(),
                    what,
                });
            }
        }
        Ok(stored)
    }

    /// Where it is kept.
    pub fn driver(&self) -> Driver {
        self.driver
    }

    /// The object as it was read.
    pub fn object(&self) -> &Map<String, Value> {
        &self.object
    }

    /// The same without its payload and managedFields, for who has the record and will not write: they are the most of it.
    #[must_use]
    pub fn without_payload(mut self) -> Self {
        self.object.remove("data");
        self.object.remove("binaryData");
        if let Some(Value::Object(metadata)) = self.object.get_mut("metadata") {
            metadata.remove("managedFields");
        }
        self
    }

    /// Name of the object (not of the release).
    pub fn name(&self) -> &str {
        self.meta("name")
    }

    /// Namespace of the object, which is that of the release.
    pub fn namespace(&self) -> &str {
        self.meta("namespace")
    }

    /// Its uid; empty before the server made one.
    pub fn uid(&self) -> &str {
        self.meta("uid")
    }

    /// Its resourceVersion; empty before the server made one.
    pub fn resource_version(&self) -> &str {
        self.meta("resourceVersion")
    }

    /// Its labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        strings(self.metadata().get("labels"))
    }

    /// Its labels without Helm's own: what a new revision inherits.
    pub fn user_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels();
        labels.retain(|key, _| !SYSTEM_LABELS.contains(&key.as_str()));
        labels
    }

    /// Its annotations.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        strings(self.metadata().get("annotations"))
    }

    /// The token of the lock, if this is one of refit's.
    pub fn token(&self) -> Option<&str> {
        self.metadata()
            .get("annotations")?
            .get(LOCK_ANNOTATION)?
            .as_str()
    }

    /// Helm's stored text: input of [`Record::decode`].
    pub fn payload(&self) -> Result<Vec<u8>, StorageError> {
        self.data(RELEASE_KEY)?
            .ok_or_else(|| self.missing("data.release"))
    }

    /// The stored text as it was before refit marked the record, if it is kept here.
    pub fn before(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.data(BEFORE_KEY)
    }

    /// The undo copy of a lock, if it is kept here.
    pub fn undo_copy(&self) -> Result<Option<Vec<u8>>, StorageError> {
        self.data(UNDO_COPY_KEY)
    }

    /// The record inside. Refused if it does not belong under the object's name.
    pub fn record(&self) -> Result<Record, StorageError> {
        self.decode(&self.payload()?)
    }

    /// Reads `payload` as the record of this object, as [`Self::record`] does.
    pub(super) fn decode(&self, payload: &[u8]) -> Result<Record, StorageError> {
        let record = Record::decode(payload).map_err(|source| self.fault(source))?;
        if object_name(&record.name, record.revision) != self.name() {
            return Err(StorageError::Misplaced {
                kind: self.driver.kind(),
                name: self.name().to_owned(),
                release: record.name,
                revision: record.revision,
            });
        }
        Ok(record)
    }

    /// The labels of Helm's that say something else than the record: Helm finds revisions by label and then trusts the JSON.
    pub fn out_of_step(&self, record: &Record) -> Vec<&'static str> {
        let labels = self.labels();
        let revision = record.revision.to_string();
        let expected = [
            ("name", record.name.as_str()),
            ("owner", "helm"),
            ("status", record.status.as_str()),
            ("version", &revision),
        ];
        expected
            .into_iter()
            .filter(|(key, value)| labels.get(*key).map(String::as_str) != Some(value))
            .map(|(key, _)| key)
            .collect()
    }

    /// Everything but the record, to put it back exactly.
    pub fn image(&self) -> RecordImage {
        let metadata = self.metadata();
        let list = |key| {
            metadata
                .get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        RecordImage {
            driver: self.driver,
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
            uid: self.uid().to_owned(),
            resource_version: self.resource_version().to_owned(),
            labels: self.labels(),
            annotations: {
                let mut annotations = self.annotations();
                // kubectl keeps a copy of the whole record in it, values and all: that stays on the cluster.
                annotations.remove(LAST_APPLIED);
                annotations
            },
            finalizers: list("finalizers"),
            owner_references: list("ownerReferences"),
            managed_fields: list("managedFields"),
        }
    }

    /// Bytes of all data, as the API server counts them against its limit.
    pub(super) fn data_size(&self) -> usize {
        let of = |key, encoded: bool| {
            let values = self
                .object
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::values);
            values
                .filter_map(Value::as_str)
                .map(|text| {
                    if encoded {
                        text.len() / 4 * 3
                    } else {
                        text.len()
                    }
                })
                .sum::<usize>()
        };
        of("data", self.driver == Driver::Secret) + of("binaryData", true)
    }

    /// A fault of the record inside, with the name of the object.
    pub fn fault(&self, source: RecordError) -> StorageError {
        StorageError::Record {
            kind: self.driver.kind(),
            name: self.name().to_owned(),
            source,
        }
    }

    /// The same object with another payload.
    pub fn with_payload(mut self, payload: &[u8]) -> Result<Self, StorageError> {
        let text = data_text(self.driver, payload);
        let data = self.object.entry("data").or_insert_with(|| json!({}));
        let data = data.as_object_mut().ok_or(StorageError::Missing {
            kind: self.driver.kind(),
            name: String::new(),
            what: "data",
        })?;
        data.insert(RELEASE_KEY.to_owned(), text);
        Ok(self)
    }

    fn missing(&self, what: &'static str) -> StorageError {
        StorageError::Missing {
            kind: self.driver.kind(),
            name: self.name().to_owned(),
            what,
        }
    }

    fn data(&self, key: &'static str) -> Result<Option<Vec<u8>>, StorageError> {
        let text = |part: &str| {
            self.object
                .get(part)
                .and_then(|data| data.get(key))
                .and_then(Value::as_str)
        };
        if let (Driver::ConfigMap, Some(plain)) = (self.driver, text("data")) {
            return Ok(Some(plain.as_bytes().to_vec()));
        }
        let encoded = if self.driver == Driver::Secret {
            text("data")
        } else {
            text("binaryData")
        };
        let fault = |_| StorageError::Base64 {
            kind: self.driver.kind(),
            name: self.name().to_owned(),
            key,
        };
        encoded
            .map(|text| STANDARD.decode(text).map_err(fault))
            .transpose()
    }

    fn metadata(&self) -> &Map<String, Value> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        self.object
            .get("metadata")
            .and_then(Value::as_object)
            .unwrap_or(&EMPTY)
    }

    fn meta(&self, key: &str) -> &str {
        self.metadata()
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// A JSON object of strings; anything else in it is skipped.
fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    members
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The labels that Helm would give to `record`, beside the user's and those with times.
pub(super) fn system_labels(record: &Record) -> [(&'static str, String); 4] {
    [
        ("name", record.name.clone()),
        ("owner", "helm".to_owned()),
        ("status", record.status.as_str().to_owned()),
        ("version", record.revision.to_string()),
    ]
}

/// A data value as the driver stores text.
pub(super) fn data_text(driver: Driver, text: &[u8]) -> Value {
    match driver {
        Driver::Secret => json!(STANDARD.encode(text)),
        Driver::ConfigMap => json!(String::from_utf8_lossy(text)),
    }
}

/// A data value as the driver stores bytes, with the part of the object where it goes.
pub(super) fn data_bytes(driver: Driver, bytes: &[u8]) -> (&'static str, Value) {
    match driver {
        Driver::Secret => ("data", json!(STANDARD.encode(bytes))),
        Driver::ConfigMap => ("binaryData", json!(STANDARD.encode(bytes))),
    }
}
