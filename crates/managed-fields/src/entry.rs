//! Entries of `metadata.managedFields`: who owns which fields, since when, through which operation and version.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fields_v1::{self, FieldsV1Error};
use crate::gotext;
use crate::set::FieldSet;
use crate::time::{Time, TimeError};

/// What kind of request made an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else: create, update, the other patches.
    Update,
}

impl Operation {
    /// The word in `managedFields`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes two entries the same one.
///
/// An Update entry is known by manager, API version and subresource, an Apply entry by manager and subresource only.
/// The order is that of the server's own key, the JSON text `{"manager":…,"operation":…,"apiVersion":…,"subresource":…}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The server's key, which alone decides equality and order.
    key: Arc<str>,
    operation: Operation,
    manager: Arc<str>,
    api_version: Arc<str>,
    subresource: Arc<str>,
}

impl Identity {
    /// The identity of an entry. `api_version` does not count if the operation is Apply.
    pub fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply {
            ""
        } else {
            api_version
        };
        let mut key = String::from("{");
        let fields = [
            ("manager", manager),
            ("operation", operation.as_str()),
            ("apiVersion", api_version),
            ("subresource", subresource),
        ];
        for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            if key.len() > 1 {
                key.push(',');
            }
            gotext::push_json_string(&mut key, name);
            key.push(':');
            gotext::push_json_value(&mut key, &Value::from(text));
        }
        key.push('}');
        Self {
            key: key.into(),
            operation,
            manager: manager.into(),
            api_version: api_version.into(),
            subresource: subresource.into(),
        }
    }

    /// The manager's name.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The API version of an Update entry; empty for an Apply entry.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The subresource, empty for the main resource.
    pub fn subresource(&self) -> &str {
        &self.subresource
    }

    /// The server's key of this entry, a JSON text.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// As the server names a manager in a conflict: `"helm"`, `"kubectl-edit" using apps/v1`, `"hpa" with subresource "scale" using apps/v1`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&gotext::quote(&self.manager))?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {}", gotext::quote(&self.subresource))?;
        }
        if self.operation == Operation::Update {
            write!(f, " using {}", self.api_version)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

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

/// Why a list of entries cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// `managedFields` is neither a list nor null.
    #[error("managedFields is not a list")]
    NotAList,
    /// One entry cannot be read.
    #[error("managedFields[{index}] (manager {manager:?}) cannot be read")]
    Entry {
        /// Its place in the list, from 0.
        index: usize,
        /// Its manager, as far as it says one.
        manager: String,
        /// Why not.
        source: EntryError,
    },
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
            raw: Some(Arc::new(json.clone())),
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

/// An entry as it stands in a list that may hold unreadable ones.
#[derive(Debug)]
pub enum Item {
    /// A readable entry.
    Entry(ManagedFieldsEntry),
    /// An entry that cannot be read, kept as it is.
    Unreadable {
        /// The entry's JSON.
        raw: Value,
        /// Why it cannot be read.
        error: EntryError,
    },
}

impl Item {
    /// The entry, if it is readable.
    pub fn entry(&self) -> Option<&ManagedFieldsEntry> {
        match self {
            Self::Entry(entry) => Some(entry),
            Self::Unreadable { .. } => None,
        }
    }

    /// The entry as JSON, as it was read unless it was changed.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Entry(entry) => entry.to_value(),
            Self::Unreadable { raw, .. } => raw.clone(),
        }
    }
}

/// Reads the value of `metadata.managedFields`. Null is an empty list. The first unreadable entry is the error.
///
/// ```
/// use managed_fields::entry;
/// use serde_json::json;
///
/// let error = entry::decode(&json!([{"manager": "helm", "operation": "Merge"}])).unwrap_err();
/// assert_eq!(error.to_string(), r#"managedFields[0] (manager "helm") cannot be read"#);
/// ```
pub fn decode(managed_fields: &Value) -> Result<Vec<ManagedFieldsEntry>, DecodeError> {
    let items = list(managed_fields)?;
    items
        .iter()
        .enumerate()
        .map(|(index, json)| {
            ManagedFieldsEntry::from_value(json).map_err(|source| {
                let manager = json
                    .get("manager")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned();
                DecodeError::Entry {
                    index,
                    manager,
                    source,
                }
            })
        })
        .collect()
}

/// Reads the value of `metadata.managedFields` and keeps what cannot be read. Null is an empty list.
pub fn decode_lossless(managed_fields: &Value) -> Result<Vec<Item>, DecodeError> {
    let read = |json: &Value| match ManagedFieldsEntry::from_value(json) {
        Ok(entry) => Item::Entry(entry),
        Err(error) => Item::Unreadable {
            raw: json.clone(),
            error,
        },
    };
    Ok(list(managed_fields)?.iter().map(read).collect())
}

fn list(managed_fields: &Value) -> Result<&[Value], DecodeError> {
    match managed_fields {
        Value::Null => Ok(&[]),
        Value::Array(items) => Ok(items),
        _ => Err(DecodeError::NotAList),
    }
}

/// Writes entries as the value of `metadata.managedFields`, in the order given; unchanged ones exactly as they were read.
pub fn encode(entries: &[ManagedFieldsEntry]) -> Value {
    Value::Array(entries.iter().map(ManagedFieldsEntry::to_value).collect())
}

/// Sorts entries as the server does: Apply before Update, then by time (none first, then oldest first), manager, version, subresource.
pub fn sort(entries: &mut [ManagedFieldsEntry]) {
    entries.sort_by(server_order);
}

/// The order of [`sort`].
pub fn server_order(left: &ManagedFieldsEntry, right: &ManagedFieldsEntry) -> Ordering {
    // A missing time counts as 1970.
    let seconds = |entry: &ManagedFieldsEntry| entry.time.map_or(0, Time::as_unix);
    left.operation
        .cmp(&right.operation)
        .then_with(|| seconds(left).cmp(&seconds(right)))
        .then_with(|| left.manager.cmp(&right.manager))
        .then_with(|| left.api_version.cmp(&right.api_version))
        .then_with(|| left.subresource.cmp(&right.subresource))
}
