//! Cases that random lives seldom meet, each answered by Kubernetes and by us.

use managed_fields::{FieldManager, Kind, Schema, Time, value};
use serde_json::{Value, json};

use super::oracle::Oracle;

/// Name, fields of the live `spec`, what `helm` applied before, what it applies now.
fn cases() -> Vec<(&'static str, Value, Value, Value)> {
    let items = |items: Value| json!({"items": items});
    vec![
        (
            "doubled items are replaced, not merged",
            items(
                json!([{"name": "a", "value": "1", "count": 5}, {"name": "b"}, {"name": "a", "value": "2"}]),
            ),
            json!({}),
            items(json!([{"name": "a", "value": "3"}])),
        ),
        (
            "doubled items that nobody applies stay",
            items(json!([{"name": "a", "count": 1}, {"name": "a", "count": 2}])),
            items(json!([{"name": "b"}])),
            items(json!([{"name": "c"}])),
        ),
        (
            "null does not delete maps and granular lists, but scalars and atomic values",
            json!({"title": "t", "labels": {"a": "b"}, "items": [{"name": "a"}], "atomicList": ["x"], "atomicMap": {"x": "y"}}),
            json!({}),
            json!({"title": null, "labels": null, "items": null, "atomicList": null, "atomicMap": null}),
        ),
        (
            "empty lists and maps",
            json!({"size": 1}),
            json!({}),
            json!({"items": [], "labels": {}, "atomicList": [], "atomicMap": {}, "granularMap": {}, "setStrings": []}),
        ),
        (
            "the last child goes and leaves null",
            json!({"free": {"a": {"b": 1}}, "partlyFree": {"sub": {"k": "v"}}}),
            json!({"free": {"a": {"b": 1}}, "partlyFree": {"sub": {"k": "v"}}}),
            json!({"free": {"c": 1}}),
        ),
        (
            "a map becomes a list, a list a scalar, a scalar a map",
            json!({"anything": {"a": 1}, "free": {"x": [1], "y": "s", "z": {"k": 1}}}),
            json!({"anything": {"a": 1}, "free": {"x": [1], "z": {"k": 1}}}),
            json!({"anything": [1], "free": {"x": 1, "y": {"m": 1}, "z": [2]}}),
        ),
        (
            "defaults of keys, and keys that are left out",
            json!({"ports": [{"port": 80, "name": "old"}, {"port": 80, "protocol": "UDP"}], "optionalKeys": [{"a": "x"}, {"b": 1}]}),
            json!({}),
            json!({"ports": [{"port": 80, "protocol": "TCP", "name": "new"}], "optionalKeys": [{"b": 1.0, "v": "w"}]}),
        ),
        (
            "the order of items",
            json!({"setStrings": ["a", "b", "c", "d", "e"]}),
            json!({}),
            json!({"setStrings": ["d", "x", "b", "y"]}),
        ),
        (
            "numbers",
            json!({"setNumbers": [1, 2.5, 1e21], "ratio": 1, "percent": 1, "size": 9_007_199_254_740_993_i64}),
            json!({}),
            json!({"setNumbers": [1.0, 2.5, 1e-7], "ratio": 1.0, "percent": "1", "size": 9_007_199_254_740_992_i64}),
        ),
        (
            "a granular reference to an atomic type",
            json!({"selector": {"matchLabels": {"a": "b"}}, "granularSelector": {"matchLabels": {"a": "b"}}}),
            json!({}),
            json!({"selector": {"matchLabels": {"c": "d"}}, "granularSelector": {"matchLabels": {"c": "d"}}}),
        ),
    ]
}

/// Panics at the first difference.
pub fn compare(oracle: &mut Oracle) {
    let (file, document) = crate::fixture("widget.json");
    let schema = Schema::from_openapi([&document]).unwrap();
    let endpoint =
        FieldManager::new(&schema, Kind::new("example.dev/v1", "Widget"), "").with_reset([].into());
    let now = Time::from_unix(2_000_000_000).unwrap();
    let widget = |spec: &Value| json!({"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "o"}, "spec": spec});
    for (name, live, before, config) in cases() {
        for force in [false, true] {
            // Somebody else made what is there, helm applied some of it.
            let mut stored = endpoint
                .update(None, &widget(&live), "other", now)
                .unwrap()
                .object;
            if before != json!({}) {
                stored = endpoint
                    .apply(Some(&stored), &widget(&before), "helm", true, now)
                    .unwrap()
                    .object;
            }
            let config = widget(&config);
            let answer = oracle.ask(&json!({
                "op": "apply", "openapi": [file], "manager": "helm", "force": force, "live": stored, "config": config,
            }));
            let ours = endpoint.apply(Some(&stored), &config, "helm", force, now);
            match (answer["error"].as_str(), ours) {
                (Some(theirs), Err(ours)) => assert_eq!(theirs, ours.server_message(), "{name}"),
                (None, Ok(ours)) => {
                    let timeless = |object: &Value| {
                        let mut object = object.clone();
                        for entry in object["metadata"]["managedFields"]
                            .as_array_mut()
                            .into_iter()
                            .flatten()
                        {
                            entry.as_object_mut().unwrap().remove("time");
                        }
                        object
                    };
                    let (theirs, ours) = (timeless(&answer["object"]), timeless(&ours.object));
                    assert_eq!(theirs["metadata"], ours["metadata"], "{name}");
                    assert!(
                        value::equals(&theirs, &ours),
                        "{name}\nKubernetes {theirs}\nours {ours}"
                    );
                }
                (_, ours) => panic!("{name}\nKubernetes {answer}\nours {ours:?}"),
            }
        }
    }
}
