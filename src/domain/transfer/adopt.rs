//! Adoption: the managedFields that one write shall leave, and what undo needs to take it back.

use managed_fields::entry::{DecodeError, decode, sort};
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Time, fields_v1};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::owners::is_own;
use crate::domain::fleet::ManagerMatcher;

/// What the server folds more than ten Update managers into. Holds Helm's old set too, so the apply set is taken out
/// of it; the entry itself stays (rule R9).
const ANCIENT_CHANGES: &str = "ancient-changes";

/// The fields that the stored manifest, with what Helm adds when it applies, would own.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplySet {
    /// The manifest's apiVersion: paths are of this version.
    pub api_version: String,
    /// The fields.
    pub fields: FieldSet,
}

/// managedFields that do not read, or a wish that would leave none.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The live entries do not read.
    #[error("the live managedFields do not read")]
    Live(#[source] DecodeError),
    /// A saved image does not read.
    #[error("a saved image of managedFields does not read")]
    Saved(#[source] DecodeError),
    /// The apply set is empty: the server would drop the entry and the object would be left without managedFields,
    /// which makes the next apply own everything as `before-first-apply` (rule R10).
    #[error("the apply set is empty, so managedFields would be left empty")]
    Empty,
}

/// The smallest inverse of one adoption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inverse {
    /// Our entry as written.
    pub written: Value,
    /// Own entries that went, as they were.
    pub removed: Vec<Value>,
    /// Foreign entries that lost fields: `ancient-changes` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trimmed: Vec<Trimmed>,
}

/// A foreign entry that lost the fields that are ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trimmed {
    /// As it was.
    pub before: Value,
    /// As it is now; absent if nothing was left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// An adoption, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Adoption {
    /// The managedFields to write, in the server's order.
    pub wish: Vec<Value>,
    /// How to take it back.
    pub inverse: Inverse,
}

impl ApplySet {
    /// Reads the entry of `manager` with operation Apply out of managedFields: what a forced dry run of an apply
    /// under a throw-away manager leaves is the exact apply set.
    pub fn of_manager(
        managed_fields: &[Value],
        manager: &str,
    ) -> Result<Option<Self>, TransferError> {
        let entries = read(managed_fields).map_err(TransferError::Live)?;
        Ok(entries
            .into_iter()
            .find(|entry| {
                entry.manager() == manager
                    && entry.operation() == Operation::Apply
                    && entry.subresource().is_empty()
            })
            .map(|entry| Self {
                api_version: entry.api_version().to_owned(),
                fields: entry.fields().clone(),
            }))
    }

    /// As JSON, for the store.
    pub fn to_value(&self) -> Value {
        json!({ "apiVersion": self.api_version, "fieldsV1": fields_v1::encode_value(&self.fields) })
    }

    /// From JSON, as [`ApplySet::to_value`] writes it.
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            api_version: value.get("apiVersion")?.as_str()?.to_owned(),
            fields: fields_v1::decode_value(value.get("fieldsV1")?).ok()?,
        })
    }
}

/// Decodes a list of entries.
pub(super) fn read(managed_fields: &[Value]) -> Result<Vec<ManagedFieldsEntry>, DecodeError> {
    decode(&Value::Array(managed_fields.to_vec()))
}

/// The adoption of an object with these managedFields; `None` if it is adopted already.
///
/// `at` is the time of the new entry. Linear in the size of managedFields.
pub fn adopt(
    live: &[Value],
    apply_set: &ApplySet,
    managers: &ManagerMatcher,
    at: Time,
) -> Result<Option<Adoption>, TransferError> {
    if apply_set.fields.is_empty() {
        return Err(TransferError::Empty);
    }
    let entries = read(live).map_err(TransferError::Live)?;
    let ours = ManagedFieldsEntry::new(
        managers.canonical(),
        Operation::Apply,
        apply_set.api_version.as_str(),
        apply_set.fields.clone(),
    )
    .with_time(Some(at));
    let mut wish = vec![ours.clone()];
    let mut inverse = Inverse {
        written: ours.to_value(),
        removed: Vec::new(),
        trimmed: Vec::new(),
    };
    let mut adopted = false;
    for entry in entries {
        if is_own(&entry, managers) {
            adopted = entry.identity() == ours.identity()
                && entry.api_version() == ours.api_version()
                && entry.fields() == ours.fields();
            inverse.removed.push(entry.to_value());
        } else if entry.manager() == ANCIENT_CHANGES && entry.subresource().is_empty() {
            let left = entry.fields().difference(&apply_set.fields);
            if left == *entry.fields() {
                wish.push(entry);
                continue;
            }
            let before = entry.to_value();
            let after = (!left.is_empty()).then(|| entry.with_fields(left));
            inverse.trimmed.push(Trimmed {
                before,
                after: after.as_ref().map(ManagedFieldsEntry::to_value),
            });
            wish.extend(after);
        } else {
            wish.push(entry);
        }
    }
    if adopted && inverse.removed.len() == 1 && inverse.trimmed.is_empty() {
        return Ok(None);
    }
    sort(&mut wish);
    Ok(Some(Adoption {
        wish: wish.iter().map(ManagedFieldsEntry::to_value).collect(),
        inverse,
    }))
}
