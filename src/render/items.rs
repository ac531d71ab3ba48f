//! The records of a listing while they wait to be printed: items as text, not as trees of values, and a document that is written
//! item by item. A fleet has ten thousands of them (ADR 17).

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::document::Record;
use super::paint::Span;

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<Span>,
    /// Compact JSON; `None` for a row that is no item.
    item: Option<Box<str>>,
    pub(super) name: Option<String>,
    pub(super) only_wide: bool,
}

impl From<Record> for Row {
    fn from(record: Record) -> Self {
        let is_item = !record.json.is_null();
        Self {
            cells: record.cells,
            item: is_item.then(|| record.json.to_string().into_boxed_str()),
            name: record.name,
            only_wide: record.only_wide,
        }
    }
}

impl Row {
    /// The item; `Null` if it is none.
    pub(super) fn json(&self) -> Value {
        let item = self.item.as_deref();
        item.and_then(|item| serde_json::from_str(item).ok())
            .unwrap_or_default()
    }
}

/// A document: fields, and rows in the place of the field `items`.
pub(super) struct Whole<'a> {
    pub(super) fields: Map<String, Value>,
    pub(super) rows: &'a [Row],
}

/// The field that holds a listing.
pub(super) const ITEMS: &str = "items";

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (name, value) in &self.fields {
            if name == ITEMS {
                map.serialize_entry(name, &Items(self.rows))?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

struct Items<'a>(&'a [Row]);

impl Serialize for Items<'_> {
    /// Memory: one item.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(None)?;
        for item in self.0.iter().filter_map(|row| row.item.as_deref()) {
            let item: Value = serde_json::from_str(item).map_err(S::Error::custom)?;
            items.serialize_element(&item)?;
        }
        items.end()
    }
}
