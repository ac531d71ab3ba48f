//! Odd and hostile input: errors, never a panic, and a small thread's stack is enough.

use managed_fields::manager::ManagerError;
use managed_fields::typed::{Duplicates, TypedError};
use managed_fields::{FieldManager, Kind, MAX_DEPTH, Schema, Time, csa};
use proptest::prelude::*;
use serde_json::{Value, json};

fn json_soup() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "apiVersion",
        "kind",
        "metadata",
        "managedFields",
        "components",
        "schemas",
        "properties",
        "items",
        "type",
        "object",
        "array",
        "string",
        "$ref",
        "#/components/schemas/A",
        "A",
        "allOf",
        "additionalProperties",
        "default",
        "x-kubernetes-list-type",
        "map",
        "set",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-map-type",
        "atomic",
        "granular",
        "x-kubernetes-group-version-kind",
        "group",
        "version",
        "v1",
        "x-kubernetes-preserve-unknown-fields",
        "format",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Value>()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_schema_meets_any_object(mut model in json_soup(), live in json_soup(), mut config in json_soup(), managed in json_soup()) {
        let Ok(now) = Time::from_unix(0) else { return Ok(()) };
        if let Some(model) = model.as_object_mut() {
            model.insert("x-kubernetes-group-version-kind".into(), json!([{"group": "", "version": "v1", "kind": "A"}]));
        }
        let document = json!({"components": {"schemas": {"A": model}}});
        if let Some(config) = config.as_object_mut() {
            config.insert("apiVersion".into(), "v1".into());
            config.insert("kind".into(), "A".into());
        }
        let mut stored = config.clone();
        if let (Some(stored), Some(live)) = (stored.as_object_mut(), live.as_object()) {
            stored.extend(live.iter().filter(|(key, _)| !["apiVersion", "kind"].contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())));
            stored.insert("metadata".into(), json!({"managedFields": managed}));
        }
        let schemas = [Schema::from_openapi([&document]), Ok(Schema::deduced())];
        for schema in schemas.into_iter().flatten() {
            let endpoint = FieldManager::new(&schema, Kind::new("v1", "A"), "");
            let _ = endpoint.apply(Some(&stored), &config, "m", true, now);
            let _ = endpoint.apply(None, &stored, "m", false, now);
            let _ = endpoint.update(Some(&config), &stored, "m", now);
            let _ = endpoint.apply_set(&live);
            let _ = schema.faults_of(&Kind::new("v1", "A"));
        }
        let names = ["a".to_owned()].into();
        let wish = csa::Upgrade { csa_managers: &names, ssa_manager: "b", subresource: "", flavor: csa::Flavor::Fixed };
        let _ = csa::upgrade(&stored, &wish);
        let _ = Schema::from_openapi([&live, &managed]);
    }
}

#[test]
fn too_deep_an_object_is_an_error() {
    let mut object = json!(1);
    for _ in 0..=MAX_DEPTH {
        object = json!({"a": object});
    }
    object["apiVersion"] = json!("v1");
    object["kind"] = json!("A");
    let schema = Schema::deduced();
    assert!(matches!(
        schema.typed(object, Duplicates::Refused),
        Err(TypedError::Invalid(_))
    ));
}

#[test]
fn the_deepest_object_fits_into_a_small_stack() {
    // The entry that says who owns it lies some levels deeper than the object itself.
    let work = || {
        let mut config = json!(1);
        for _ in 0..MAX_DEPTH - 8 {
            config = json!({"a": config});
        }
        config["apiVersion"] = json!("v1");
        config["kind"] = json!("A");
        let schema = Schema::deduced();
        let endpoint = FieldManager::new(&schema, Kind::new("v1", "A"), "");
        let now = Time::from_unix(0).unwrap();
        let live = endpoint
            .apply(None, &config, "a", false, now)
            .unwrap()
            .object;
        let empty = json!({"apiVersion": "v1", "kind": "A"});
        let after = endpoint
            .apply(Some(&live), &empty, "a", false, now)
            .unwrap();
        assert!(after.changed && after.object.get("a").is_none_or(Value::is_null));
    };
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn too_deep_a_schema_is_a_fault() {
    let mut model = json!({"type": "string"});
    for _ in 0..MAX_DEPTH + 2 {
        model = json!({"type": "array", "items": model});
    }
    model["x-kubernetes-group-version-kind"] = json!([{"group": "", "version": "v1", "kind": "A"}]);
    let document = json!({"components": {"schemas": {"A": model}}});
    let schema = Schema::from_openapi([&document]).unwrap();
    assert_eq!(schema.faults_of(&Kind::new("v1", "A")).len(), 1);
    assert!(Schema::from_openapi([&json!({"swagger": "2.0"})]).is_err());
}

#[test]
fn a_fault_is_that_of_the_kinds_that_need_it() {
    let kind = |name: &str| json!([{"group": "", "version": "v1", "kind": name}]);
    let document = json!({"components": {"schemas": {
        "Bad": {"type": "array"},
        "A": {"type": "object", "properties": {"b": {"allOf": [{"$ref": "#/components/schemas/Bad"}]}}, "x-kubernetes-group-version-kind": kind("A")},
        "B": {"type": "object", "x-kubernetes-group-version-kind": kind("B")},
    }}});
    let schema = Schema::from_openapi([&document]).unwrap();
    let faults: Vec<String> = schema
        .faults_of(&Kind::new("v1", "A"))
        .into_iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(faults, ["Bad: `items` must be specified on arrays"]);
    assert!(schema.faults_of(&Kind::new("v1", "B")).is_empty());
}

#[test]
fn errors_speak_as_the_server() {
    let schema = Schema::deduced();
    let endpoint = FieldManager::new(&schema, Kind::new("apps/v1", "Deployment"), "");
    let now = Time::from_unix(0).unwrap();
    let config = json!({"apiVersion": "apps/v1beta1", "kind": "Deployment"});
    let error = endpoint.apply(None, &config, "a", false, now).unwrap_err();
    assert_eq!(
        error.server_message(),
        "invalid object type: apps/v1beta1, Kind=Deployment"
    );
    let config =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"managedFields": []}});
    let error = endpoint.apply(None, &config, "a", false, now).unwrap_err();
    assert!(matches!(error, ManagerError::ManagedFieldsInConfig));
    let live = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"managedFields": [{"manager": "x"}]}});
    let error = endpoint
        .apply(Some(&live), &live, "a", false, now)
        .unwrap_err();
    assert!(matches!(error, ManagerError::Decode(_)));
}

#[test]
fn a_float_keeps_its_last_digit() {
    // Found by fuzzing: the float beside 4.5e24 prints as 4.4999999999999997e+24, which is another field.
    let set = managed_fields::fields_v1::decode(r#"{"v:4.5e24":{}}"#).unwrap();
    let text = managed_fields::fields_v1::encode(&set);
    assert_eq!(text, r#"{"v:4.5e+24":{}}"#);
    let again = managed_fields::fields_v1::decode(&text).unwrap();
    assert_eq!(managed_fields::fields_v1::encode(&again), text);
}
