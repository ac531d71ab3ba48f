//! What is right validates, what is wrong does not, and no key is forgotten.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use testbed::json_schema::violations;

use super::{fleet_schema, plan_schema};
use crate::render::screen::plan::tests::acme;

const EXAMPLE: &str = include_str!("../../../fleet.toml.example");

/// TOML as the schema sees it: dates are texts.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, json_of(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => json!(truth),
    }
}

fn example() -> Value {
    let table: toml::Table = EXAMPLE.parse().unwrap();
    json_of(toml::Value::Table(table))
}

fn plan() -> Value {
    serde_json::from_str(&acme().to_json().unwrap()).unwrap()
}

#[test]
fn the_example_and_a_plan_are_valid() {
    assert_eq!(violations(&fleet_schema(), &example()), [""; 0]);
    assert_eq!(violations(&plan_schema(), &plan()), [""; 0]);
}

#[test]
fn wrong_ones_are_not() {
    let fleet = |change: &dyn Fn(&mut Value)| {
        let mut value = example();
        change(&mut value);
        violations(&fleet_schema(), &value)
    };
    for (flaws, place) in [
        (fleet(&|it| it["fleet"]["nmae"] = json!("x")), "/fleet/nmae"),
        (
            fleet(&|it| it["limits"]["in_flight"] = json!("4")),
            "/limits/in_flight",
        ),
        (
            fleet(&|it| it["policy"][0]["conflict"] = json!("pin")),
            "/policy/0/conflict",
        ),
        (
            fleet(&|it| it["waves"]["canary"]["max"] = json!(1)),
            "/waves/canary",
        ),
        (fleet(&|it| it["clusters"] = json!({})), "/clusters"),
        (
            fleet(&|it| {
                it["fleet"].as_object_mut().unwrap().remove("name");
            }),
            "/fleet",
        ),
    ] {
        assert!(
            flaws.iter().any(|it| it.starts_with(place)),
            "{place}: {flaws:?}"
        );
    }
    let plan_with = |change: &dyn Fn(&mut Value)| {
        let mut value = plan();
        change(&mut value);
        violations(&plan_schema(), &value)
    };
    assert!(!plan_with(&|it| it["kind"] = json!("Fleet")).is_empty());
    assert!(!plan_with(&|it| it["waves"][0]["hidden"] = json!(1)).is_empty());
    assert!(!plan_with(&|it| it["summary"]["migrate"] = json!(-1)).is_empty());
    assert!(!plan_with(&|it| it["held"][0]["outcome"] = json!("Done")).is_empty());
}

/// The reader's tables and the schema's say the same, key by key.
#[test]
fn no_key_of_the_file_is_forgotten() {
    let schema = fleet_schema();
    for (section, keys) in crate::config::sections() {
        let name = if section.is_empty() { "Fleet" } else { section };
        let properties = schema["$defs"][name]["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("the schema has no [{section}]"));
        let here: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(here, read, "[{section}]");
    }
}

/// Every name that a schema refers to is one of its types, and every type is referred to.
#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                    into.insert(name.trim_start_matches("#/$defs/").to_owned());
                }
                map.values().for_each(|it| references(it, into));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, into)),
            _ => {}
        }
    }
    for schema in [plan_schema(), fleet_schema()] {
        let mut named = BTreeSet::new();
        references(&schema, &mut named);
        let types: BTreeSet<String> = schema["$defs"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(named, types);
    }
}
