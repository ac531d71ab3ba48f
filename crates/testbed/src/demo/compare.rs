//! What a migration changed on a cluster, by comparing everything before with everything after.

use serde_json::Value;

use crate::Snapshot;

/// Part of the key of Helm's records.
const RECORD: &str = "/sh.helm.release.v1.";

/// Changes on one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Objects of which something besides ownership changed, Helm's records apart.
    pub content: Vec<String>,
    /// Objects whose generation moved.
    pub generation: Vec<String>,
    /// Objects that came or went, Helm's records apart.
    pub gone_or_new: Vec<String>,
    /// Objects whose ownership changed.
    pub ownership: usize,
}

/// Compares two snapshots.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Changes {
    let mut changes = Changes::default();
    for (key, left) in before
        .objects
        .iter()
        .filter(|(key, _)| !key.contains(RECORD))
    {
        let Some(right) = after.objects.get(key) else {
            changes.gone_or_new.push(key.clone());
            continue;
        };
        if generation(left) != generation(right) {
            changes.generation.push(key.clone());
        }
        if content(left) != content(right) {
            changes.content.push(key.clone());
        }
        changes.ownership += usize::from(owners(left) != owners(right));
    }
    let new = after
        .objects
        .keys()
        .filter(|key| !key.contains(RECORD) && !before.objects.contains_key(*key));
    changes.gone_or_new.extend(new.cloned());
    changes
}

fn generation(object: &Value) -> Option<&Value> {
    object.pointer("/metadata/generation")
}

fn owners(object: &Value) -> Option<&Value> {
    object.pointer("/metadata/managedFields")
}

fn content(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(key);
        }
    }
    object
}

/// Is this the key of one of Helm's records?
pub fn is_record(key: &str) -> bool {
    key.contains(RECORD)
}
