//! The entries of an object while a request is worked on: owners by identity, with their times.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Managing, strip};
use crate::entry::{self, DecodeError, Identity, ManagedFieldsEntry, Operation};
use crate::time::Time;
use crate::updater::{Managers, Owned};

#[derive(Clone, Debug, Default)]
pub(super) struct Managed {
    pub managers: Managers,
    pub times: BTreeMap<Identity, Option<Time>>,
}

/// The value of `metadata.managedFields`.
pub(super) fn of(object: &Value) -> Option<&Value> {
    object.get("metadata")?.get("managedFields")
}

/// The object without `metadata.managedFields`.
pub(super) fn without(mut object: Value) -> Value {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    object
}

impl Managed {
    pub fn decode(managed_fields: Option<&Value>) -> Result<Self, DecodeError> {
        let items = entry::list(managed_fields.unwrap_or(&Value::Null))?;
        Ok(Self::of_entries(&entry::decode_canonical(items)?))
    }

    /// Of two entries with one identity the last one counts.
    pub fn of_entries(entries: &[ManagedFieldsEntry]) -> Self {
        let mut managed = Self::default();
        for entry in entries {
            let owned = Owned {
                fields: entry.fields().clone(),
                api_version: entry.api_version().to_owned(),
                applied: entry.operation() == Operation::Apply,
            };
            let identity = entry.identity();
            managed.times.insert(identity.clone(), entry.time());
            managed.managers.insert(identity, owned);
        }
        managed
    }

    /// The entries that an update starts from: those of the request, or those of the live object.
    pub fn of_update(live: &Value, new: &Value, is_subresource: bool) -> Self {
        let of_live = || Self::decode(of(live)).unwrap_or_default();
        if is_subresource {
            return of_live();
        }
        let requested = of(new);
        if requested
            .and_then(Value::as_array)
            .is_some_and(|entries| is_reset(entries))
        {
            return Self::default();
        }
        match Self::decode(requested) {
            Ok(managed) if !managed.is_empty() => managed,
            _ => of_live(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.managers.is_empty()
    }

    /// Takes from one manager what nobody owns.
    pub fn strip(&mut self, identity: &Identity) {
        if let Some(owned) = self.managers.get_mut(identity) {
            owned.fields = strip::strip(&owned.fields);
            if owned.fields.is_empty() {
                self.managers.remove(identity);
            }
        }
    }

    /// Gives what `current` owns to `identity`, whose time becomes `now`. Nothing happens if it owns nothing.
    pub fn rename(&mut self, current: &Identity, identity: Identity, now: Time) {
        if let Some(mut owned) = self.managers.remove(current) {
            if let Some(before) = self.managers.get(&identity) {
                owned.fields = owned.fields.union(&before.fields);
            }
            self.times.insert(identity.clone(), Some(now));
            self.managers.insert(identity, owned);
        }
    }

    pub fn into_object(self, object: Value, changed: bool) -> Managing {
        let entries = self.into_entries();
        let mut object = without(object);
        if !entries.is_empty()
            && let Value::Object(map) = &mut object
        {
            let metadata = map
                .entry("metadata")
                .or_insert_with(|| Value::Object(serde_json::Map::new()));
            if let Value::Object(metadata) = metadata {
                metadata.insert("managedFields".to_owned(), entry::encode(&entries));
            }
        }
        Managing {
            object,
            entries,
            changed,
        }
    }

    pub fn into_entries(self) -> Vec<ManagedFieldsEntry> {
        let Self { managers, times } = self;
        let mut entries: Vec<ManagedFieldsEntry> = managers
            .into_iter()
            .map(|(identity, owned)| {
                let operation = if owned.applied {
                    Operation::Apply
                } else {
                    identity.operation()
                };
                ManagedFieldsEntry::new(
                    identity.manager(),
                    operation,
                    owned.api_version,
                    owned.fields,
                )
                .with_subresource(identity.subresource())
                .with_time(times.get(&identity).copied().flatten())
            })
            .collect();
        entry::sort(&mut entries);
        entries
    }
}

/// Whether a request asks to forget all entries: an empty list, or one entry that says nothing.
fn is_reset(entries: &[Value]) -> bool {
    match entries {
        [] => true,
        [Value::Object(only)] => {
            let texts = [
                "manager",
                "operation",
                "apiVersion",
                "fieldsType",
                "subresource",
            ];
            let says_nothing = |field: &str| only.get(field).is_none_or(Value::is_null);
            texts
                .iter()
                .all(|field| says_nothing(field) || only[*field] == "")
                && says_nothing("time")
                && says_nothing("fieldsV1")
        }
        _ => false,
    }
}
