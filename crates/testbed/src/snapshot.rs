//! Every object of a cluster as JSON, managedFields included, and the differences of two such pictures.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::{Api, Error};

/// What moves by itself: leases and nodes beat, events come and go, endpoints follow them.
const MOVING: [&str; 6] = [
    "events",
    "leases",
    "endpointslices",
    "endpoints",
    "nodes",
    "componentstatuses",
];

/// Every object of every resource that can be listed, but events, leases, endpoints and nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// By `<group/version>/<resource>/<namespace>/<name>`; the namespace of cluster-scoped objects is `-`.
    pub objects: BTreeMap<String, Value>,
}

/// One difference of two snapshots.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Key of the object.
    pub object: String,
    /// JSON pointer to the value that differs; empty for the whole object.
    pub pointer: String,
    /// Left value; `None` if it is not there.
    pub left: Option<Value>,
    /// Right value; `None` if it is not there.
    pub right: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| match value {
            None => "<none>".to_owned(),
            Some(_) if self.object.starts_with("v1/secrets/") => "<secret>".to_owned(),
            Some(value) => value.to_string().chars().take(200).collect(),
        };
        write!(
            f,
            "{}{}: {} -> {}",
            self.object,
            self.pointer,
            show(&self.left),
            show(&self.right)
        )
    }
}

/// 503.
const UNAVAILABLE: u16 = 503;

impl Snapshot {
    /// Lists everything at each group's preferred version.
    pub(crate) fn take(api: &Api) -> Result<Self, Error> {
        let mut objects = BTreeMap::new();
        for (group_version, path) in group_versions(api)? {
            let resources = match api.get(&path) {
                // An aggregated API whose server is away has no objects to show.
                Err(error) if error.status() == Some(UNAVAILABLE) => continue,
                answer => answer?,
            };
            for resource in items(&resources["resources"]) {
                let name = text(&resource["name"]);
                let listable = items(&resource["verbs"]).iter().any(|verb| verb == "list");
                if listable && !name.contains('/') && !MOVING.contains(&name) {
                    let list = api.get(&format!("{path}/{name}"))?;
                    for item in items(&list["items"]) {
                        let meta = &item["metadata"];
                        let namespace = meta["namespace"].as_str().unwrap_or("-");
                        let key =
                            format!("{group_version}/{name}/{namespace}/{}", text(&meta["name"]));
                        objects.insert(key, item.clone());
                    }
                }
            }
        }
        Ok(Self { objects })
    }

    /// The objects whose key passes the test.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&str) -> bool) -> Self {
        let objects = self.objects.iter().filter(|(key, _)| keep(key));
        Self {
            objects: objects
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }
    }

    /// Without what controllers write by themselves at any time: status, and who wrote it.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        let mut rest = self.clone();
        for object in rest.objects.values_mut() {
            let Some(object) = object.as_object_mut() else {
                continue;
            };
            object.remove("status");
            let entries = object
                .get_mut("metadata")
                .and_then(|metadata| metadata.get_mut("managedFields"))
                .and_then(Value::as_array_mut);
            if let Some(entries) = entries {
                entries.retain(|entry| {
                    entry.get("subresource").and_then(Value::as_str) != Some("status")
                });
            }
        }
        rest
    }

    /// Only the objects in this namespace.
    #[must_use]
    pub fn namespace(&self, namespace: &str) -> Self {
        self.filter(|key| key.rsplit('/').nth(1) == Some(namespace))
    }
}

/// Where two snapshots differ, down to the smallest values; with `ignore_rv` resource versions do not count.
pub fn diff(left: &Snapshot, right: &Snapshot, ignore_rv: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut keys: Vec<&String> = left.objects.keys().chain(right.objects.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        compare(
            key,
            String::new(),
            left.objects.get(key),
            right.objects.get(key),
            &mut found,
        );
    }
    found.retain(|difference| !(ignore_rv && difference.pointer == "/metadata/resourceVersion"));
    found
}

fn compare(
    object: &str,
    pointer: String,
    left: Option<&Value>,
    right: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (left, right) {
        (left, right) if left == right => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                compare(
                    object,
                    format!("{pointer}/{escaped}"),
                    a.get(key),
                    b.get(key),
                    found,
                );
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                compare(object, format!("{pointer}/{at}"), Some(a), Some(b), found);
            }
        }
        (left, right) => found.push(Difference {
            object: object.into(),
            pointer,
            left: left.cloned(),
            right: right.cloned(),
        }),
    }
}

/// Each group's preferred version and its path.
fn group_versions(api: &Api) -> Result<Vec<(String, String)>, Error> {
    let mut all = vec![("v1".to_owned(), "/api/v1".to_owned())];
    for group in items(&api.get("/apis")?["groups"]) {
        let version = text(&group["preferredVersion"]["groupVersion"]);
        all.push((version.to_owned(), format!("/apis/{version}")));
    }
    Ok(all)
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Value) -> Snapshot {
        Snapshot {
            objects: BTreeMap::from([("v1/configmaps/a/b".to_owned(), value)]),
        }
    }

    #[test]
    fn a_difference_is_named_down_to_its_value() {
        let left =
            of(json!({"metadata": {"resourceVersion": "1", "labels": {"a/b": "x"}}, "l": [1, 2]}));
        let right =
            of(json!({"metadata": {"resourceVersion": "2", "labels": {"a/b": "y"}}, "l": [1, 3]}));
        let pointers: Vec<String> = diff(&left, &right, true)
            .into_iter()
            .map(|d| d.pointer)
            .collect();
        assert_eq!(pointers, ["/l/1", "/metadata/labels/a~1b"]);
        assert_eq!(diff(&left, &right, false).len(), 3);
        assert_eq!(
            diff(
                &left,
                &Snapshot {
                    objects: BTreeMap::new()
                },
                true
            )[0]
            .pointer,
            ""
        );
        assert!(left.namespace("a") == left && left.namespace("b").objects.is_empty());
    }
}
