//! Adoption: the managedFields that one write shall leave, and what undo needs to take it back.

use managed_fields::entry::{DecodeError, decode, sort};
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path, Time, fields_v1};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::owners::{describe, is_own};
use super::terms::{PIN_MANAGER, Terms, leaves_named, members_named, without};
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
    /// Foreign entries that lost fields: `ancient-changes`, and those that a policy takes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trimmed: Vec<Trimmed>,
    /// The entry of pinned fields, if it got any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
}

/// The entry of pinned fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pinned {
    /// As it was, if it was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// As it is now.
    pub after: Value,
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
    /// The entry of `manager` with operation Apply: what a forced dry run of an apply under a throw-away manager leaves is
    /// the exact apply set.
    pub fn of_manager(entries: &[ManagedFieldsEntry], manager: &str) -> Option<Self> {
        let entry = entries.iter().find(|entry| {
            entry.manager() == manager
                && entry.operation() == Operation::Apply
                && entry.subresource().is_empty()
        })?;
        Some(Self {
            api_version: entry.api_version().to_owned(),
            fields: entry.fields().clone(),
        })
    }

    /// As JSON, for the store.
    pub fn to_value(&self) -> Value {
        json!({ "apiVersion": self.api_version, "fieldsV1": fields_v1::encode_value(&self.fields) })
    }

    /// As JSON with the terms that policies set, for the store.
    pub fn to_value_under(&self, terms: &Terms) -> Value {
        let mut value = self.to_value();
        if !terms.is_empty()
            && let Some(map) = value.as_object_mut()
        {
            map.insert("terms".to_owned(), json!(terms));
        }
        value
    }

    /// From JSON, as [`ApplySet::to_value`] and [`ApplySet::to_value_under`] write it.
    pub fn from_value(value: &Value) -> Option<Self> {
        Some(Self {
            api_version: value.get("apiVersion")?.as_str()?.to_owned(),
            fields: fields_v1::decode_value(value.get("fieldsV1")?).ok()?,
        })
    }

    /// The terms beside an apply set, as [`ApplySet::to_value_under`] writes them; `None` if they do not read.
    pub fn terms_from_value(value: &Value) -> Option<Terms> {
        match value.get("terms") {
            None => Some(Terms::default()),
            Some(terms) => serde_json::from_value(terms.clone()).ok(),
        }
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
    adopt_under(live, apply_set, &Terms::default(), managers, at)
}

/// The same under terms that policies set.
pub fn adopt_under(
    live: &[Value],
    apply_set: &ApplySet,
    terms: &Terms,
    managers: &ManagerMatcher,
    at: Time,
) -> Result<Option<Adoption>, TransferError> {
    let entries = read(live).map_err(TransferError::Live)?;
    let owned = entries
        .iter()
        .filter(|entry| is_own(entry, managers) && entry.api_version() == apply_set.api_version)
        .fold(FieldSet::new(), |all, entry| all.union(entry.fields()));
    let fields = ours_under(apply_set, terms, &owned);
    if fields.is_empty() {
        return Err(TransferError::Empty);
    }
    let ours = ManagedFieldsEntry::new(
        managers.canonical(),
        Operation::Apply,
        apply_set.api_version.as_str(),
        fields,
    )
    .with_time(Some(at));
    let mut wish = vec![ours.clone()];
    let mut inverse = Inverse {
        written: ours.to_value(),
        removed: Vec::new(),
        trimmed: Vec::new(),
        pinned: None,
    };
    let mut adopted = false;
    for entry in entries {
        if is_own(&entry, managers) {
            adopted = entry.identity() == ours.identity()
                && entry.api_version() == ours.api_version()
                && entry.fields() == ours.fields();
            inverse.removed.push(entry.to_value());
            continue;
        }
        let left = foreign_under(&entry, &ours, apply_set, terms);
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
    }
    let pinned = members_named(&owned, &apply_set.fields, &terms.pin);
    if !pinned.is_empty() {
        inverse.pinned = pin(&mut wish, &pinned, &apply_set.api_version, at);
    }
    let changed = !inverse.trimmed.is_empty() || inverse.pinned.is_some();
    if adopted && inverse.removed.len() == 1 && !changed {
        return Ok(None);
    }
    sort(&mut wish);
    Ok(Some(Adoption {
        wish: wish.iter().map(ManagedFieldsEntry::to_value).collect(),
        inverse,
    }))
}

/// What our entry shall hold: the apply set, less what is left to others, more what is kept to be deleted next time.
fn ours_under(apply_set: &ApplySet, terms: &Terms, owned: &FieldSet) -> FieldSet {
    let leave = terms.leave.iter().map(String::as_str).collect();
    let leave = leaves_named(&apply_set.fields, &leave);
    let fields = if leave.is_empty() {
        apply_set.fields.clone()
    } else {
        without(&apply_set.fields, &leave, |_| true)
    };
    fields.union(&members_named(owned, &apply_set.fields, &terms.keep))
}

/// What a foreign entry keeps.
fn foreign_under(
    entry: &ManagedFieldsEntry,
    ours: &ManagedFieldsEntry,
    apply_set: &ApplySet,
    terms: &Terms,
) -> FieldSet {
    if entry.manager() == ANCIENT_CHANGES && entry.subresource().is_empty() {
        return entry.fields().difference(ours.fields());
    }
    let asked = terms.taken_from(&describe(entry));
    let taken = leaves_named(entry.fields(), &asked);
    if taken.is_empty() {
        return entry.fields().clone();
    }
    without(entry.fields(), &taken, |mark| {
        apply_set.fields.has(mark)
            || apply_set.fields.below(mark).is_some()
            || asked.contains(Path::from(mark.to_vec()).to_string().as_str())
    })
}

/// Gives fields to the manager of pinned ones; `None` if it has them already.
fn pin(
    wish: &mut Vec<ManagedFieldsEntry>,
    fields: &FieldSet,
    api_version: &str,
    at: Time,
) -> Option<Pinned> {
    let made = ManagedFieldsEntry::new(PIN_MANAGER, Operation::Apply, api_version, fields.clone())
        .with_time(Some(at));
    let place = wish
        .iter()
        .position(|entry| entry.identity() == made.identity());
    let Some(entry) = place.and_then(|place| wish.get_mut(place)) else {
        let after = made.to_value();
        wish.push(made);
        return Some(Pinned {
            before: None,
            after,
        });
    };
    let all = entry.fields().union(fields);
    if all == *entry.fields() {
        return None;
    }
    let before = entry.to_value();
    *entry = entry.clone().with_fields(all);
    Some(Pinned {
        before: Some(before),
        after: entry.to_value(),
    })
}
