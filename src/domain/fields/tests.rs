//! The tree of owners: by example, and as laws over any object.

use managed_fields::entry::decode;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn checkout() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "checkout", "namespace": "shop", "generation": 41,
            "labels": {"app.kubernetes.io/managed-by": "Helm", "team": "payments"},
            "managedFields": [
                {"manager": "helm", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-08-19T10:00:00Z",
                 "fieldsType": "FieldsV1", "fieldsV1": {
                    "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/managed-by": {}, "f:team": {}}},
                    "f:spec": {"f:template": {"f:spec": {"f:args": {}, "f:containers": {r#"k:{"name":"app"}"#: {
                        ".": {}, "f:image": {},
                        "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}},
                    }}}}}}},
                {"manager": "kubectl-label", "operation": "Update", "apiVersion": "apps/v1",
                 "time": "2026-11-11T10:00:00Z", "fieldsType": "FieldsV1",
                 "fieldsV1": {"f:metadata": {"f:labels": {"f:team": {}}}}},
                {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "apps/v1",
                 "subresource": "scale", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            ],
        },
        "spec": {"replicas": 7, "template": {"spec": {"args": ["a", "b"], "containers": [
            {"name": "side", "image": "side:1"},
            {"name": "app", "image": "checkout:3.4.1", "ports": [{"containerPort": 80, "protocol": "TCP"}]},
        ]}}},
    })
}

fn labels(owners: &FieldOwners, node: &Node) -> Vec<String> {
    owners.owners_of(node).map(Owner::label).collect()
}

#[test]
fn every_owned_field_has_its_owners_and_its_value() {
    let owners = field_owners(&checkout()).unwrap();
    assert_eq!(
        (owners.owners.len(), owners.fields(), owners.shared()),
        (3, 6, 1)
    );
    let found: Vec<(String, Vec<String>, Option<Value>)> = owners
        .nodes()
        .into_iter()
        .filter(|node| node.is_field())
        .map(|node| (node.path.clone(), labels(&owners, node), node.value.clone()))
        .collect();
    let one = |path: &str, who: &[&str], value: Value| {
        (
            path.to_owned(),
            who.iter().map(|&it| it.to_owned()).collect(),
            Some(value),
        )
    };
    assert_eq!(
        found,
        [
            one(
                ".metadata.labels.app.kubernetes.io/managed-by",
                &["helm"],
                json!("Helm")
            ),
            one(
                ".metadata.labels.team",
                &["helm", "kubectl-label"],
                json!("payments")
            ),
            one(
                ".spec.replicas",
                &["kube-controller-manager/scale"],
                json!(7)
            ),
            one(".spec.template.spec.args", &["helm"], json!(["a", "b"])),
            one(
                r#".spec.template.spec.containers[name="app"].image"#,
                &["helm"],
                json!("checkout:3.4.1")
            ),
            one(
                r#".spec.template.spec.containers[name="app"].ports[containerPort=80,protocol="TCP"].containerPort"#,
                &["helm"],
                json!(80)
            ),
        ]
    );
}

#[test]
fn a_path_may_be_typed_as_a_shell_leaves_it() {
    let owners = field_owners(&checkout()).unwrap();
    let image = r#".spec.template.spec.containers[name="app"].image"#;
    for typed in [
        image,
        ".spec.template.spec.containers[name=app].image",
        "spec.template.spec.containers[app].image",
    ] {
        let Who::Owned(found) = owners.who(typed) else {
            panic!("{typed} is owned");
        };
        assert_eq!(found[0].path, image, "{typed}");
    }
    let Who::Owned(found) = owners.who(".metadata.labels") else {
        panic!("helm keeps the labels");
    };
    assert_eq!(labels(&owners, found[0]), ["helm"]);
    let port = ".spec.template.spec.containers[app].ports[80,TCP].containerPort";
    assert!(matches!(owners.who(port), Who::Owned(_)));
}

#[test]
fn nobody_is_nobody_and_what_is_near_is_named() {
    let owners = field_owners(&checkout()).unwrap();
    let near = |typed| match owners.who(typed) {
        Who::Nobody(near) => near,
        Who::Owned(found) => panic!("{typed} is owned: {found:?}"),
    };
    assert_eq!(near(".status"), Near::default());
    assert_eq!(near(".spec.template").below[0].path, ".spec.template");
    assert_eq!(
        near(".spec.template.spec.args[0]").above.unwrap().path,
        ".spec.template.spec.args"
    );
    assert_eq!(near(".spec.replicasX"), Near::default());
    assert_eq!(near(""), Near::default());
}

#[test]
fn nothing_of_a_secret_is_shown() {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg=="},
        "metadata": {"name": "s", "annotations": {"last": "hunter2"}, "managedFields": [{
            "manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:password": {}}, "f:metadata": {"f:annotations": {"f:last": {}}}, "f:type": {}},
        }]},
    });
    let owners = field_owners(&secret).unwrap();
    let values: Vec<&Option<Value>> = owners
        .nodes()
        .iter()
        .filter(|it| it.is_field())
        .map(|it| &it.value)
        .collect();
    assert_eq!(values, [&Some(json!(HIDDEN)), &Some(json!(HIDDEN)), &None]);
}

#[test]
fn what_does_not_read_is_named_and_the_rest_is_shown() {
    let mut object = checkout();
    object["metadata"]["managedFields"][1]["operation"] = json!("Merge");
    let owners = field_owners(&object).unwrap();
    assert_eq!(owners.owners.len(), 2);
    assert_eq!(owners.unreadable.len(), 1);
    assert!(
        owners.unreadable[0].starts_with("managedFields[1] (kubectl-label): "),
        "{:?}",
        owners.unreadable
    );
    object["metadata"]["managedFields"] = json!({});
    assert!(matches!(
        field_owners(&object),
        Err(FieldsError::Unreadable(_))
    ));
    object["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    assert!(matches!(
        field_owners(&object),
        Err(FieldsError::NoManagedFields)
    ));
    assert!(matches!(
        field_owners(&json!([])),
        Err(FieldsError::NotAnObject("apiVersion"))
    ));
}

/// Any JSON, with keys that managedFields have.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("FieldsV1")),
        Just(json!("Apply")),
        Just(json!("2026-08-19T10:00:00Z")),
    ];
    leaf.prop_recursive(6, 48, 5, |inner| {
        let key = prop_oneof![
            "[a-c]{1,2}".prop_map(|name| format!("f:{name}")),
            Just(r#"k:{"name":"a"}"#.to_owned()),
            Just(r#"v:"a""#.to_owned()),
            Just("i:0".to_owned()),
            Just(".".to_owned()),
            "[a-c]{1,2}",
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// Any fieldsV1.
fn any_fields() -> impl Strategy<Value = Value> {
    Just(json!({})).prop_recursive(5, 40, 5, |inner| {
        let key = prop_oneof![
            "[a-c]{1,2}".prop_map(|name| format!("f:{name}")),
            "[ab]".prop_map(|name| format!(r#"k:{{"name":"{name}"}}"#)),
            "[ab]".prop_map(|value| format!(r#"v:"{value}""#)),
            (0..3u8).prop_map(|index| format!("i:{index}")),
            Just(".".to_owned()),
        ];
        prop::collection::vec((key, inner), 0..5)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    })
}

proptest! {
    #[test]
    fn no_object_panics(body in any_json(), managed in any_json(), fields in any_json(), typed in any::<String>()) {
        let entry = json!({"manager": "m", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
        for managed in [managed, json!([entry])] {
            let mut object = json!({"apiVersion": "v1", "kind": "X", "a": body, "b": [body]});
            object["metadata"] = json!({"name": "x", "managedFields": managed, "a": body});
            let _ = field_owners(&body);
            if let Ok(owners) = field_owners(&object) {
                let _ = owners.who(&typed);
                prop_assert!(owners.shared() <= owners.fields());
            }
        }
    }

    /// The tree holds exactly what the entries hold.
    #[test]
    fn the_tree_is_the_entries(first in any_fields(), second in any_fields()) {
        let entry = |manager: &str, fields: &Value| json!({
            "manager": manager, "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        let managed = json!([entry("a", &first), entry("b", &second)]);
        let object = json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "managedFields": managed}});
        let owners = field_owners(&object).unwrap();
        for (place, entry) in decode(&managed).unwrap().iter().enumerate() {
            let mut wanted: Vec<String> = entry.fields().iter().map(|path| path.to_string()).collect();
            let mut found: Vec<String> = owners.nodes().iter()
                .filter(|node| node.owners.contains(&place)).map(|node| node.path.clone()).collect();
            wanted.sort();
            found.sort();
            prop_assert_eq!(wanted, found);
        }
    }
}
