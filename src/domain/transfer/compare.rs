//! Is what the server answered what was wished?
//!
//! Needed because the server ignores a malformed list with HTTP 200, drops entries of versions it serves no more, and
//! may wipe the whole list (rule R2).

use std::collections::BTreeMap;

use managed_fields::ManagedFieldsEntry;
use serde_json::Value;

use super::adopt::{TransferError, read};
use super::owners::describe;

/// How two lists of entries differ, by owner; never by value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// Wished, but not there.
    pub missing: Vec<String>,
    /// There, but not wished.
    pub extra: Vec<String>,
    /// There, with other fields or another time.
    pub changed: Vec<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (what, owners) in [
            ("missing", &self.missing),
            ("extra", &self.extra),
            ("changed", &self.changed),
        ] {
            if !owners.is_empty() {
                parts.push(format!("{what} {}", owners.join(", ")));
            }
        }
        f.write_str(&parts.join("; "))
    }
}

/// Compares as sets of entries: order and FieldsV1 spelling do not count, times do.
pub fn same_entries(wish: &[Value], got: &[Value]) -> Result<Option<Difference>, TransferError> {
    fn by_identity(entries: Vec<ManagedFieldsEntry>) -> BTreeMap<String, ManagedFieldsEntry> {
        entries
            .into_iter()
            .map(|entry| (entry.identity().key().to_owned(), entry))
            .collect()
    }
    let wish = by_identity(read(wish).map_err(TransferError::Saved)?);
    let mut got = by_identity(read(got).map_err(TransferError::Live)?);
    let mut difference = Difference::default();
    let name = |entry: &ManagedFieldsEntry| format!("{}/{}", describe(entry), entry.operation());
    for (identity, wished) in &wish {
        match got.remove(identity) {
            None => difference.missing.push(name(wished)),
            Some(there) => {
                let same = there.fields() == wished.fields()
                    && there.time() == wished.time()
                    && there.api_version() == wished.api_version();
                if !same {
                    difference.changed.push(name(wished));
                }
            }
        }
    }
    difference.extra.extend(got.values().map(name));
    Ok((difference != Difference::default()).then_some(difference))
}
