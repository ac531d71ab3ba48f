//! What surrounds a record, kept to put it back exactly.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::release::Driver;

/// What surrounds a record in its object. Holds no data, so it may be journaled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordImage {
    /// Where it is kept.
    pub driver: Driver,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion at that time.
    pub resource_version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its finalizers.
    pub finalizers: Vec<Value>,
    /// Its owners.
    pub owner_references: Vec<Value>,
    /// Its managedFields, which a second request puts back (one request moves a `time`).
    pub managed_fields: Vec<Value>,
}
