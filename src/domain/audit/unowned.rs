//! Fields of the manifest that a live object has and nobody owns.
//!
//! Without a schema. What structure a list has is told by those who own something of it: keys (`k:{"name":"web"}`),
//! values, or the whole. That decides everything but this, which counts so:
//!
//! - what somebody owns as a whole (an atomic map or list, or an empty one) is owned with everything below it;
//! - a list of which nobody owns anything is one field, whatever is in it; so is an item that nobody knows;
//! - `status` is nobody's business here: a server resets it, or a controller writes it.

use managed_fields::{FieldSet, Key, KeyField, Path, PathElement, value};
use serde_json::{Map, Value};

/// Members of an object that no manager ever owns, or that Helm's apply does not set.
const NOT_AT_ROOT: [&str; 3] = ["apiVersion", "kind", "status"];

/// The same of its metadata (apimachinery, `managedfields/internal/stripmeta.go`).
const NOT_IN_METADATA: [&str; 9] = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "managedFields",
];

/// The leaf fields that `manifest` names, that `live` has, and that are not in `owned`, the union of all entries. A
/// field that `live` lacks is no such field: it is drift. Linear in the manifest, but for lists: items × items.
pub fn unowned(manifest: &Value, live: &Value, owned: &FieldSet) -> Vec<Path> {
    let mut found = Vec::new();
    let mut at = Path::root();
    if let (Value::Object(manifest), Value::Object(live)) = (manifest, live) {
        members(manifest, live, Some(owned), &mut at, &mut found);
    }
    found
}

fn members(
    wanted: &Map<String, Value>,
    live: &Map<String, Value>,
    owned: Option<&FieldSet>,
    at: &mut Path,
    found: &mut Vec<Path>,
) {
    for (name, wanted) in wanted {
        let Some(live) = live.get(name) else { continue };
        if is_nobodys(at, name) {
            continue;
        }
        step(
            PathElement::field(name.as_str()),
            wanted,
            live,
            owned,
            at,
            found,
        );
    }
}

/// Is it a member that managedFields never name?
fn is_nobodys(at: &Path, name: &str) -> bool {
    match at.first().and_then(PathElement::as_field) {
        None => NOT_AT_ROOT.contains(&name),
        Some("metadata") if at.len() == 1 => NOT_IN_METADATA.contains(&name),
        Some(_) => false,
    }
}

fn step(
    element: PathElement,
    wanted: &Value,
    live: &Value,
    owned: Option<&FieldSet>,
    at: &mut Path,
    found: &mut Vec<Path>,
) {
    let one = std::slice::from_ref(&element);
    let is_member = owned.is_some_and(|owned| owned.has(one));
    let below = owned.and_then(|owned| owned.below(one));
    if below.is_none() && is_member {
        return;
    }
    at.push(element);
    match (wanted, live, below) {
        (Value::Object(wanted), Value::Object(live), below) if !wanted.is_empty() => {
            members(wanted, live, below, at, found);
        }
        (Value::Array(wanted), Value::Array(live), Some(below)) => {
            for wanted in wanted {
                item(wanted, live, below, at, found);
            }
        }
        // Nothing below it is owned, and it is not itself; else somebody owns what stands in an empty map of ours.
        (wanted, _, None) if !wanted.is_null() => found.push(at.clone()),
        _ => {}
    }
    at.pop();
}

/// One item of a list of which somebody owns `owned`.
fn item(wanted: &Value, live: &[Value], owned: &FieldSet, at: &mut Path, found: &mut Vec<Path>) {
    let elements = || owned.members().chain(owned.children().map(|(it, _)| it));
    let names = elements().find_map(|element| match element {
        PathElement::Key(key) => Some(key),
        _ => None,
    });
    let Some(names) = names else {
        // A set; or positions, which no modern server writes and which say nothing about a moved item.
        let is_set = elements().any(|element| matches!(element, PathElement::Value(_)));
        if is_set && live.iter().any(|item| value::equals(item, wanted)) {
            step(
                PathElement::value(wanted.clone()),
                wanted,
                wanted,
                Some(owned),
                at,
                found,
            );
        }
        return;
    };
    // Fields of the key that the manifest leaves out have a default (`protocol`): the live item tells it.
    let fits = |item: &&Value| {
        names
            .iter()
            .all(|field| match wanted.get(field.name.as_str()) {
                Some(wanted) => item
                    .get(field.name.as_str())
                    .is_some_and(|it| value::equals(it, wanted)),
                None => true,
            })
    };
    let mut fitting = live.iter().filter(fits);
    let (Some(live), None) = (fitting.next(), fitting.next()) else {
        return;
    };
    let key: Key = names
        .iter()
        .filter_map(|field| {
            Some(KeyField {
                name: field.name.clone(),
                value: live.get(field.name.as_str())?.clone(),
            })
        })
        .collect();
    let element = PathElement::Key(key);
    let known = owned.has(std::slice::from_ref(&element))
        || owned.below(std::slice::from_ref(&element)).is_some();
    if known {
        step(element, wanted, live, Some(owned), at, found);
    } else {
        at.push(element);
        found.push(at.clone());
        at.pop();
    }
}

#[cfg(test)]
mod tests {
    use managed_fields::fields_v1;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn found(manifest: &Value, live: &Value, owned: &Value) -> Vec<String> {
        let owned = fields_v1::decode_value(owned).unwrap();
        unowned(manifest, live, &owned)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_nobody_owns_is_named_leaf_by_leaf() {
        let manifest = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "status": {"a": 1},
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "tier": "x"}},
            "spec": {
                "replicas": 2, "paused": null, "gone": 1, "selector": {"matchLabels": {"app": "web"}},
                "containers": [
                    {"name": "web", "image": "a", "args": ["x"], "ports": [{"containerPort": 80}, {"containerPort": 81, "name": "m"}]},
                    {"name": "side", "image": "b"},
                ],
                "volumes": [{"name": "v"}],
                "set": ["a", "b"],
                "empty": {},
            },
        });
        let mut live = manifest.clone();
        live["spec"].as_object_mut().unwrap().remove("gone");
        live["spec"]["containers"][0]["ports"] = json!([
            {"containerPort": 80, "protocol": "TCP"}, {"containerPort": 81, "name": "m", "protocol": "TCP"}
        ]);
        let owned = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                // Atomic: owned as a whole.
                "f:selector": {},
                "f:containers": {"k:{\"name\":\"web\"}": {
                    ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                    "f:ports": {".": {}, "k:{\"containerPort\":81,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
                }},
                "f:set": {"v:\"a\"": {}},
                "f:empty": {"f:x": {}},
            },
        });
        assert_eq!(
            found(&manifest, &live, &owned),
            [
                ".metadata.labels.tier",
                r#".spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]"#,
                r#".spec.containers[name="web"].ports[containerPort=81,protocol="TCP"].name"#,
                r#".spec.containers[name="side"]"#,
                ".spec.replicas",
                r#".spec.set[="b"]"#,
                ".spec.volumes",
            ]
        );
        // Without a book nobody owns anything, and lists are one field each.
        let nobody = found(&manifest, &live, &json!({}));
        assert_eq!(nobody.len(), 8, "{nobody:?}");
        assert!(nobody.contains(&".spec.selector.matchLabels.app".to_owned()));
    }

    fn flat() -> impl Strategy<Value = Vec<(String, String)>> {
        let name = || prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned);
        prop::collection::vec((name(), name()), 0..6)
    }

    fn nested(paths: &[(String, String)]) -> Value {
        let mut object = json!({});
        for (first, second) in paths {
            object[first][second] = json!(1);
        }
        object
    }

    proptest! {
        /// Of maps alone the answer is set algebra: leaves of the manifest that are live, less what is owned.
        #[test]
        fn of_maps_it_is_a_difference(manifest in flat(), live in flat(), owned in flat()) {
            let paths = |of: &[(String, String)]| {
                FieldSet::of(of.iter().map(|(a, b)| Path::of_fields([a.as_str(), b.as_str()]))).unwrap()
            };
            let wish = paths(&manifest).intersection(&paths(&live)).difference(&paths(&owned));
            let found = unowned(&nested(&manifest), &nested(&live), &paths(&owned));
            prop_assert_eq!(FieldSet::of(found).unwrap(), wish);
        }
    }
}
