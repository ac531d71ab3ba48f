//! What an audit is made of, as it was read: releases, records, and who owns which field of which object.
//!
//! This is also what `--save` keeps, so that two days can be compared. It names fields and holds no value of an object.
//! (Names of map keys and keys of list items are names here, as they are in managedFields.)

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use managed_fields::FieldSet;
use serde::{Deserialize, Serialize};

use crate::domain::fleet::Managers;
use crate::domain::ids::{ClusterName, Namespace, ReleaseId, Revision, Uid};
use crate::domain::object::ObjectRef;
use crate::domain::release::{ChartRef, DrivenBy, EntryHead};

/// Everything that was read of a fleet for an audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// The fleet's name.
    pub fleet: String,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// The canonical manager and its older names.
    pub managers: Managers,
    /// Only these namespaces were read; empty is all.
    pub namespaces: BTreeSet<Namespace>,
    /// Every cluster of the fleet that was in scope: `None` was read, else why not.
    pub clusters: BTreeMap<ClusterName, Option<String>>,
    /// Every release that was found.
    pub releases: Vec<ReleaseFacts>,
}

/// One release as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseFacts {
    /// Which.
    pub release: ReleaseId,
    /// Its chart, if its newest record reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartRef>,
    /// Who else drives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driven_by: Option<DrivenBy>,
    /// Its newest stored revisions, ascending.
    pub records: Vec<RecordFacts>,
    /// Its live objects.
    pub objects: Vec<ObjectFacts>,
    /// Why it, or one of its objects, could not be read: it then counts as unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
}

/// One stored revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordFacts {
    /// Its number.
    pub revision: Revision,
    /// `ssa`, `csa`, or `None`: Helm 3 writes no apply method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_method: Option<String>,
    /// Helm's status: `deployed`, `superseded`, `pending-upgrade`, ….
    pub status: String,
    /// When it was written, as Helm records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The manager that created the Secret or ConfigMap of the record: the program that ran Helm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
}

/// One live object of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectFacts {
    /// Which.
    pub object: ObjectRef,
    /// Its uid: another one is another object of the same name.
    pub uid: Uid,
    /// Its managers.
    pub entries: Vec<EntryFacts>,
    /// Fields of the manifest that the object has and nobody owns, as the server writes paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unowned: Vec<String>,
}

/// One item of managedFields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryFacts {
    /// Who, how, when.
    #[serde(flatten)]
    pub head: EntryHead,
    /// The version in which it names fields.
    pub api_version: String,
    /// Does it hold any of Helm's fields: of the stored manifest, or of what Helm adds?
    pub helms: bool,
    /// Its fields. Empty if it does not read.
    #[serde(rename = "fieldsV1", with = "fields_v1")]
    pub fields: FieldSet,
}

/// Field sets in the server's own notation.
mod fields_v1 {
    use managed_fields::{FieldSet, fields_v1};
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};
    use serde_json::Value;

    pub fn serialize<S: Serializer>(set: &FieldSet, to: S) -> Result<S::Ok, S::Error> {
        fields_v1::encode_value(set).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FieldSet, D::Error> {
        fields_v1::decode_value(&Value::deserialize(from)?).map_err(D::Error::custom)
    }
}
