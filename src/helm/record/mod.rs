//! A release record: what Helm stores of one revision. Decode, read, edit, encode.
//!
//! The stored text is base64 of gzip of JSON (plain JSON was stored once, and is still read); Helm 3 and 4 agree on it.
//! refit keeps the JSON as text and edits single members of it, so fields that it does not know come through unchanged
//! (source: Helm v4 `pkg/storage/driver/util.go`, `pkg/release/v1/release.go`).
mod edit;
mod error;
mod facts;
mod parts;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod words;

use std::fmt;

use serde::Deserialize;

pub use edit::Edit;
pub use error::RecordError;
pub use facts::RecordFacts;
pub use parts::{ChartId, Hook, Info};
pub use text::ENCODED_MAX;
pub use words::{ApplyMethod, Status};

use super::json_text::{Members, read};
use parts::ChartText;

/// The fields of a record in the order in which Helm writes them.
const FIELDS: [&str; 9] = [
    "name",
    "info",
    "chart",
    "config",
    "manifest",
    "hooks",
    "version",
    "namespace",
    "apply_method",
];

/// The fields of `info` in the order in which Helm writes them.
const INFO_FIELDS: [&str; 8] = [
    "first_deployed",
    "last_deployed",
    "deleted",
    "description",
    "status",
    "rollback_revision",
    "notes",
    "resources",
];

/// One revision of a release, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    json: String,
    /// Name of the release.
    pub name: String,
    /// Namespace of the release; empty if the record does not say.
    pub namespace: String,
    /// Number of the revision, from 1.
    pub revision: u32,
    /// State of the revision.
    pub status: Status,
    /// How it was applied; none means client-side.
    pub apply_method: Option<ApplyMethod>,
    /// Chart it was rendered from, if the record says.
    pub chart: Option<ChartId>,
    /// Times and description.
    pub info: Info,
    /// The rendered objects, YAML documents in Helm's order of installation; empty if the record has none.
    pub manifest: String,
    /// The hooks.
    pub hooks: Vec<Hook>,
}

impl fmt::Debug for Record {
    /// Identity and state only: values, manifest and templates may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .field("revision", &self.revision)
            .field("status", &self.status)
            .field("apply_method", &self.apply_method)
            .field("chart", &self.chart)
            .finish_non_exhaustive()
    }
}

impl Record {
    /// Reads the JSON of a record. O(n), and 2n of memory.
    pub fn from_json(json: String) -> Result<Self, RecordError> {
        let members = Members::parse(&json).map_err(RecordError::Json)?;
        refuse_lookalike(&members, &FIELDS)?;
        let info_text = present(&members, "info").ok_or(RecordError::Missing { field: "info" })?;
        let info_members = Members::parse(info_text).map_err(|fault| RecordError::Field {
            field: "info",
            fault,
        })?;
        refuse_lookalike(&info_members, &INFO_FIELDS)?;
        let name: String = field(&members, "name", "name")?;
        let revision: u32 = field(&members, "version", "version")?;
        let status: String = field(&info_members, "status", "info.status")?;
        for (field, absent) in [
            ("name", name.is_empty()),
            ("version", revision == 0),
            ("info.status", status.is_empty()),
        ] {
            if absent {
                return Err(RecordError::Missing { field });
            }
        }
        let chart: ChartText = field(&members, "chart", "chart")?;
        let apply_method: String = field(&members, "apply_method", "apply_method")?;
        let info = Info {
            first_deployed: field(&info_members, "first_deployed", "info.first_deployed")?,
            last_deployed: field(&info_members, "last_deployed", "info.last_deployed")?,
            deleted: field(&info_members, "deleted", "info.deleted")?,
            description: field(&info_members, "description", "info.description")?,
            rollback_revision: field(&info_members, "rollback_revision", "info.rollback_revision")?,
        };
        Ok(Self {
            name,
            namespace: field(&members, "namespace", "namespace")?,
            revision,
            status: Status::from(status),
            apply_method: Some(apply_method)
                .filter(|word| !word.is_empty())
                .map(ApplyMethod::from),
            chart: chart.metadata,
            info,
            manifest: field(&members, "manifest", "manifest")?,
            hooks: field(&members, "hooks", "hooks")?,
            json,
        })
    }

    /// The same without its JSON, for who only reads its fields: chart and values in it are the most of it. It cannot be
    /// edited or encoded any more.
    #[must_use]
    pub fn without_json(mut self) -> Self {
        self.json = String::new();
        self
    }

    /// The JSON of the record, byte for byte as it was decoded or edited.
    pub fn json(&self) -> &str {
        &self.json
    }
}

/// The text of a member that is neither absent nor null.
fn present<'m>(members: &'m Members<'_>, key: &str) -> Option<&'m str> {
    members.get(key).filter(|text| *text != "null")
}

/// A member as a value; absent and null are Go's zero value.
fn field<T: for<'de> Deserialize<'de> + Default>(
    members: &Members<'_>,
    key: &str,
    path: &'static str,
) -> Result<T, RecordError> {
    let Some(text) = present(members, key) else {
        return Ok(T::default());
    };
    read(text).map_err(|fault| RecordError::Field { field: path, fault })
}

fn refuse_lookalike(members: &Members<'_>, known: &[&str]) -> Result<(), RecordError> {
    match members.lookalike(known) {
        Some(key) => Err(RecordError::Lookalike {
            key: key.to_owned(),
        }),
        None => Ok(()),
    }
}
