//! What Helm adds to each object when it applies it. It is not in the stored manifest, and it belongs to the apply set
//! (source: Helm v4 `pkg/action/validate.go`).
use serde_json::{Map, Value};

const MANAGED_BY: [(&str, &str); 1] = [("app.kubernetes.io/managed-by", "Helm")];

/// The object with Helm's label and annotations. `release` and `namespace` are those of the release.
///
/// As in Helm, a label or annotation that is null becomes an empty string, and a map with anything but strings in it is
/// replaced. Hooks and objects of `crds/` are applied without these.
#[must_use]
pub fn decorate(mut body: Value, release: &str, namespace: &str) -> Value {
    let annotations = [
        ("meta.helm.sh/release-name", release),
        ("meta.helm.sh/release-namespace", namespace),
    ];
    if let Some(object) = body.as_object_mut() {
        let metadata = object
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Some(metadata) = metadata.as_object_mut() {
            put(metadata, "labels", &MANAGED_BY);
            put(metadata, "annotations", &annotations);
        }
    }
    body
}

fn put(metadata: &mut Map<String, Value>, key: &str, pairs: &[(&str, &str)]) {
    let present = metadata.remove(key);
    let mut map = present.as_ref().and_then(strings).unwrap_or_default();
    for (name, value) in pairs {
        map.insert((*name).to_owned(), Value::from(*value));
    }
    metadata.insert(key.to_owned(), Value::Object(map));
}

/// A map of strings, nulls as empty ones; none if there is anything else in it.
fn strings(value: &Value) -> Option<Map<String, Value>> {
    let pairs = value.as_object()?.iter().map(|(name, value)| match value {
        Value::String(_) => Some((name.clone(), value.clone())),
        Value::Null => Some((name.clone(), Value::from(""))),
        _ => None,
    });
    pairs.collect()
}
