//! Entries of `metadata.managedFields`: who owns which fields, since when, through which operation and version.
//!
//! `mod` holds one entry, `identity` says when two are the same, `list` reads and writes all of an object.

mod identity;
mod list;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fields_v1::{self, FieldsV1Error};
use crate::gotext;
use crate::set::FieldSet;
use crate::time::{Time, TimeError};

pub use identity::{Identity, Operation};
pub(crate) use list::list;
pub use list::{
    DecodeError, Item, decode, decode_canonical, decode_lossless, encode, server_order, sort,
};

/// One entry of `metadata.managedFields`.
///
/// An entry that was read and not changed is written back exactly as it was read ([`ManagedFieldsEntry::to_value`]),
/// unknown keys and odd spellings included.
///
/// ```
/// use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path, Time};
///
/// let set = FieldSet::of([Path::of_fields(["spec", "replicas"])])?;
/// let entry = ManagedFieldsEntry::new("helm", Operation::Apply, "apps/v1", set)
///     .with_time(Some(Time::parse("2026-03-01T00:30:00Z")?));
/// assert_eq!(
///     entry.to_json(),
///     r#"{"manager":"helm","operation":"Apply","apiVersion":"apps/v1","time":"2026-03-01T00:30:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{"f:replicas":{}}}}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManagedFieldsEntry {
    manager: Arc<str>,
    operation: Operation,
    api_version: Arc<str>,
    subresource: Arc<str>,
    time: Option<Time>,
    fields: FieldSet,
    /// What it was read from, as long as nothing was changed.
    raw: Option<Arc<Value>>,
}

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The entry is not a JSON object.
    #[error("the entry is not an object")]
    NotAnObject,
    /// A field that holds a text holds something else.
    #[error("{field} is not a string")]
    NotAString {
        /// The name of the field.
        field: &'static str,
    },
    /// The operation is neither Apply nor Update.
    #[error("operation must be Apply or Update, not {found:?}")]
    Operation {
        /// What stands there.
        found: String,
    },
    /// There is no API version.
    #[error("apiVersion is missing")]
    ApiVersion,
    /// The fields are in a form that this crate (and the server) does not know.
    #[error("fieldsType must be FieldsV1, not {found:?}")]
    FieldsType {
        /// What stands there.
        found: String,
    },
    /// The time cannot be read.
    #[error("time {found:?} cannot be read")]
    Time {
        /// What stands there.
        found: String,
        /// Why not.
        source: TimeError,
    },
    /// The fields cannot be read.
    #[error("the fields cannot be read")]
    Fields(#[from] FieldsV1Error),
}

impl ManagedFieldsEntry {
    /// An entry of the main resource, without time.
    pub fn new(
        manager: impl Into<Arc<str>>,
        operation: Operation,
        api_version: impl Into<Arc<str>>,
        fields: FieldSet,
    ) -> Self {
        Self {
            manager: manager.into(),
            operation,
            api_version: api_version.into(),
            subresource: "".into(),
            time: None,
            fields,
            raw: None,
        }
    }

    /// The same entry for a subresource.
    #[must_use]
    pub fn with_subresource(mut self, subresource: impl Into<Arc<str>>) -> Self {
        self.subresource = subresource.into();
        self.raw = None;
        self
    }

    /// The same entry with another time, or none.
    #[must_use]
    pub fn with_time(mut self, time: Option<Time>) -> Self {
        self.time = time;
        self.raw = None;
        self
    }

    /// The same entry with other fields.
    #[must_use]
    pub fn with_fields(mut self, fields: FieldSet) -> Self {
        self.fields = fields;
        self.raw = None;
        self
    }

    /// The same entry under another manager and operation.
    #[must_use]
    pub fn with_manager(mut self, manager: impl Into<Arc<str>>, operation: Operation) -> Self {
        self.manager = manager.into();
        self.operation = operation;
        self.raw = None;
        self
    }

    /// The same entry at another API version.
    #[must_use]
    pub fn with_api_version(mut self, api_version: impl Into<Arc<str>>) -> Self {
        self.api_version = api_version.into();
        self.raw = None;
        self
    }

    /// The manager's name; may be empty.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The version of the API in which the paths of the fields are written, such as `apps/v1`.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The subresource through which the fields were set; empty for the main resource.
    pub fn subresource(&self) -> &str {
        &self.subresource
    }

    /// When the entry was last changed.
    pub fn time(&self) -> Option<Time> {
        self.time
    }

    /// The fields it owns.
    pub fn fields(&self) -> &FieldSet {
        &self.fields
    }

    /// What makes it one and the same entry for the server.
    pub fn identity(&self) -> Identity {
        Identity::new(
            &self.manager,
            self.operation,
            &self.api_version,
            &self.subresource,
        )
    }

    /// Reads one entry by the server's rules: a missing `fieldsV1` is an empty set, a missing manager an empty name.
    pub fn from_value(json: &Value) -> Result<Self, EntryError> {
        let mut entry = Self::canonical(json)?;
        entry.raw = Some(Arc::new(json.clone()));
        Ok(entry)
    }

    /// [`Self::from_value`] without what it was read from: the entry is written in the server's form.
    pub(super) fn canonical(json: &Value) -> Result<Self, EntryError> {
        let map = json.as_object().ok_or(EntryError::NotAnObject)?;
        let text = |field: &'static str| match map.get(field) {
            None | Some(Value::Null) => Ok(""),
            Some(Value::String(text)) => Ok(text.as_str()),
            Some(_) => Err(EntryError::NotAString { field }),
        };
        let operation = match text("operation")? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            other => {
                return Err(EntryError::Operation {
                    found: other.to_owned(),
                });
            }
        };
        let api_version = text("apiVersion")?;
        if api_version.is_empty() {
            return Err(EntryError::ApiVersion);
        }
        let fields_type = text("fieldsType")?;
        if fields_type != "FieldsV1" {
            return Err(EntryError::FieldsType {
                found: fields_type.to_owned(),
            });
        }
        let time = match map.get("time") {
            None | Some(Value::Null) => None,
            Some(_) => {
                let found = text("time")?;
                Some(Time::parse(found).map_err(|source| EntryError::Time {
                    found: found.to_owned(),
                    source,
                })?)
            }
        };
        let fields = match map.get("fieldsV1") {
            None | Some(Value::Null) => FieldSet::new(),
            Some(fields) => fields_v1::decode_value(fields)?,
        };
        Ok(Self {
            manager: text("manager")?.into(),
            operation,
            api_version: api_version.into(),
            subresource: text("subresource")?.into(),
            time,
            fields,
            raw: None,
        })
    }

    /// The entry as JSON: as it was read, if it was not changed since, else canonical.
    pub fn to_value(&self) -> Value {
        match &self.raw {
            Some(raw) => Value::clone(raw),
            None => self.to_canonical_value(),
        }
    }

    /// The entry as JSON in the server's form, with the canonical keys of [`fields_v1::encode`].
    pub fn to_canonical_value(&self) -> Value {
        let mut map = Map::new();
        for (name, text) in self.texts() {
            map.insert(name.to_owned(), Value::String(text));
        }
        map.insert("fieldsV1".to_owned(), fields_v1::encode_value(&self.fields));
        Value::Object(map)
    }

    /// The entry as the JSON text that the server would send, byte for byte.
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        let (before, after): (Vec<_>, Vec<_>) = self
            .texts()
            .into_iter()
            .partition(|(name, _)| *name != "subresource");
        for (name, text) in before {
            push_text(&mut out, name, &text);
            out.push(',');
        }
        out.push_str("\"fieldsV1\":");
        out.push_str(&fields_v1::encode(&self.fields));
        for (name, text) in after {
            out.push(',');
            push_text(&mut out, name, &text);
        }
        out.push('}');
        out
    }

    /// The texts of an entry, empty ones left out.
    fn texts(&self) -> Vec<(&'static str, String)> {
        [
            ("manager", self.manager.to_string()),
            ("operation", self.operation.to_string()),
            ("apiVersion", self.api_version.to_string()),
            (
                "time",
                self.time.map(|time| time.to_string()).unwrap_or_default(),
            ),
            ("fieldsType", "FieldsV1".to_owned()),
            ("subresource", self.subresource.to_string()),
        ]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect()
    }
}

fn push_text(out: &mut String, name: &str, text: &str) {
    gotext::push_json_string(out, name);
    out.push(':');
    gotext::push_json_value(out, &Value::from(text));
}

/// Two entries are equal if they say the same, however they were written.
impl PartialEq for ManagedFieldsEntry {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.manager,
            self.operation,
            &self.api_version,
            &self.subresource,
            self.time,
            &self.fields,
        ) == (
            &other.manager,
            other.operation,
            &other.api_version,
            &other.subresource,
            other.time,
            &other.fields,
        )
    }
}

impl Eq for ManagedFieldsEntry {}
