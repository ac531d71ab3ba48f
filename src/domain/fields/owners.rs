//! From managedFields to a tree of owned fields.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use managed_fields::entry::{DecodeError, Item, decode_lossless};
use managed_fields::{ManagedFieldsEntry, PathElement};
use serde_json::Value;

use super::value::{Values, child};
use super::{FieldOwners, Node, Owner, Subject};
use crate::domain::ids::Namespace;

/// Why an object's owners cannot be said.
#[derive(Debug, thiserror::Error)]
pub enum FieldsError {
    /// It is no Kubernetes object.
    #[error("not a Kubernetes object: it lacks {0}")]
    NotAnObject(&'static str),
    /// It says nothing of owners.
    #[error("the object has no metadata.managedFields")]
    NoManagedFields,
    /// Its managedFields are no list.
    #[error("metadata.managedFields cannot be read")]
    Unreadable(#[source] DecodeError),
}

#[derive(Default)]
struct Sketch {
    owners: BTreeSet<usize>,
    children: BTreeMap<PathElement, Sketch>,
}

/// The owners of an object. O(n log n) in the number of owned fields.
///
/// An entry that does not read is named, and the others are still shown.
pub fn field_owners(object: &Value) -> Result<FieldOwners, FieldsError> {
    let subject = subject(object)?;
    let managed = object
        .pointer("/metadata/managedFields")
        .ok_or(FieldsError::NoManagedFields)?;
    let mut owners: Vec<Owner> = Vec::new();
    let mut unreadable = Vec::new();
    let mut root = Sketch::default();
    let items = decode_lossless(managed).map_err(FieldsError::Unreadable)?;
    for (index, item) in items.iter().enumerate() {
        match item {
            Item::Entry(entry) => {
                let owner = owner(entry);
                let place = owners.iter().position(|known| *known == owner);
                let place = place.unwrap_or_else(|| {
                    owners.push(owner);
                    owners.len() - 1
                });
                for path in entry.fields() {
                    let mut at = &mut root;
                    for element in path.iter() {
                        at = at.children.entry(element.clone()).or_default();
                    }
                    at.owners.insert(place);
                }
            }
            Item::Unreadable { raw, error } => {
                let manager = raw.get("manager").and_then(Value::as_str).unwrap_or("?");
                unreadable.push(format!("managedFields[{index}] ({manager}): {error}"));
            }
        }
    }
    let values = Values::of(object);
    Ok(FieldOwners {
        object: subject,
        roots: nodes(root, "", Some(object), &values),
        owners,
        unreadable,
    })
}

fn nodes(sketch: Sketch, prefix: &str, at: Option<&Value>, values: &Values) -> Vec<Node> {
    let children = sketch.children.into_iter();
    children
        .map(|(element, below)| {
            let step = element.to_string();
            let path = format!("{prefix}{step}");
            let value = at.and_then(|at| child(at, &element));
            let owners = below.owners.iter().copied().collect();
            let children = nodes(below, &path, value, values);
            Node {
                value: value
                    .filter(|_| children.is_empty())
                    .map(|value| values.shown(value)),
                step,
                path,
                owners,
                children,
            }
        })
        .collect()
}

fn owner(entry: &ManagedFieldsEntry) -> Owner {
    let since = entry.time().map(managed_fields::Time::as_unix);
    Owner {
        manager: entry.manager().to_owned(),
        subresource: entry.subresource().to_owned(),
        operation: entry.operation().as_str(),
        api_version: entry.api_version().to_owned(),
        since: since.and_then(|seconds| Timestamp::from_second(seconds).ok()),
    }
}

fn subject(object: &Value) -> Result<Subject, FieldsError> {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let needed = |pointer, name| text(pointer).ok_or(FieldsError::NotAnObject(name));
    Ok(Subject {
        api_version: needed("/apiVersion", "apiVersion")?.to_owned(),
        kind: needed("/kind", "kind")?.to_owned(),
        namespace: text("/metadata/namespace").map(Namespace::new),
        name: needed("/metadata/name", "metadata.name")?.to_owned(),
        generation: object
            .pointer("/metadata/generation")
            .and_then(Value::as_i64),
    })
}
