//! The list in `metadata.managedFields`: reading, writing, the server's order.

use std::cmp::Ordering;

use serde_json::Value;

use super::{EntryError, ManagedFieldsEntry};
use crate::time::Time;

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
    each(list(managed_fields)?, ManagedFieldsEntry::from_value)
}

/// [`decode`] for who asks what entries say and does not write them back: they forget how they were written, which saves
/// a copy of each.
pub fn decode_canonical(managed_fields: &[Value]) -> Result<Vec<ManagedFieldsEntry>, DecodeError> {
    each(managed_fields, ManagedFieldsEntry::canonical)
}

fn each(
    items: &[Value],
    read: impl Fn(&Value) -> Result<ManagedFieldsEntry, EntryError>,
) -> Result<Vec<ManagedFieldsEntry>, DecodeError> {
    items
        .iter()
        .enumerate()
        .map(|(index, json)| {
            read(json).map_err(|source| {
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

pub(crate) fn list(managed_fields: &Value) -> Result<&[Value], DecodeError> {
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
