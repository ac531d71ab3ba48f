//! Entries: lossless reading, the server's rules, identity and order.

use std::error::Error as _;

use managed_fields::entry::{self, DecodeError, EntryError, Item};
use managed_fields::{FieldSet, Identity, ManagedFieldsEntry, Operation, Path, Time};
use serde_json::{Value, json};

fn live() -> Value {
    json!([
        {"manager": "helm", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-03-01T00:30:00.123+02:00",
         "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"x:later": {}, "f:replicas": {"odd": null}}}, "future": [1]},
        {"manager": "hpa", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "subresource": "scale"},
    ])
}

#[test]
fn what_was_read_is_written_back_as_it_was() {
    let live = json!([{"x:": 1, "fieldsType": "FieldsV1", "apiVersion": "v1", "operation": "Apply",
        "fieldsV1": {"f:b": {"x:y": {}}, "f:a": null}, "time": "2026-03-01T00:30:00+02:00"}]);
    let entries = entry::decode(&live).unwrap();
    assert_eq!(entry::encode(&entries), live);
    assert_eq!(entries[0].fields().to_string(), ".a\n.b");

    let moved = entries[0].clone().with_manager("helm", Operation::Update);
    assert_eq!(
        moved.to_value(),
        json!({"manager": "helm", "operation": "Update", "apiVersion": "v1", "time": "2026-02-28T22:30:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:a": {}, "f:b": {}}})
    );
}

#[test]
fn an_unreadable_entry_names_its_index_and_is_kept() {
    let mut list = live();
    assert!(entry::decode(&list).is_err(), "`odd` has no kind");
    list[0]["fieldsV1"]["f:spec"]["f:replicas"] = json!({});
    assert_eq!(entry::decode(&list).unwrap().len(), 2);

    list[1]["fieldsType"] = json!("FieldsV2");
    let error = entry::decode(&list).unwrap_err();
    assert_eq!(
        error.to_string(),
        "managedFields[1] (manager \"hpa\") cannot be read"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "fieldsType must be FieldsV1, not \"FieldsV2\""
    );

    let items = entry::decode_lossless(&list).unwrap();
    assert!(matches!(
        &items[1],
        Item::Unreadable {
            error: EntryError::FieldsType { .. },
            ..
        }
    ));
    let back: Vec<Value> = items.iter().map(Item::to_value).collect();
    assert_eq!(Value::from(back), list);
}

#[test]
fn reads_what_the_server_reads() {
    let good = json!({"operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1"});
    let read = |key: &str, value: Value| {
        let mut entry = good.clone();
        entry[key] = value;
        ManagedFieldsEntry::from_value(&entry)
    };
    assert!(
        ManagedFieldsEntry::from_value(&good)
            .unwrap()
            .fields()
            .is_empty()
    );
    assert!(read("fieldsV1", Value::Null).unwrap().fields().is_empty());
    assert!(
        read("fieldsV1", json!({".": {}}))
            .unwrap()
            .fields()
            .is_empty()
    );
    assert!(read("manager", Value::Null).is_ok());
    assert!(matches!(
        read("operation", json!("apply")),
        Err(EntryError::Operation { .. })
    ));
    assert!(matches!(
        read("apiVersion", json!("")),
        Err(EntryError::ApiVersion)
    ));
    assert!(matches!(
        read("fieldsType", json!(null)),
        Err(EntryError::FieldsType { .. })
    ));
    assert!(matches!(
        read("fieldsV1", json!([])),
        Err(EntryError::Fields(_))
    ));
    assert!(matches!(
        read("fieldsV1", json!({"f:a": 1})),
        Err(EntryError::Fields(_))
    ));
    assert!(matches!(
        read("fieldsV1", json!({"k:{": {}})),
        Err(EntryError::Fields(_))
    ));
    assert!(matches!(
        read("time", json!("yesterday")),
        Err(EntryError::Time { .. })
    ));
    assert!(matches!(
        read("manager", json!(1)),
        Err(EntryError::NotAString { field: "manager" })
    ));
    assert!(matches!(
        ManagedFieldsEntry::from_value(&json!(1)),
        Err(EntryError::NotAnObject)
    ));
    assert!(matches!(
        entry::decode(&json!({})),
        Err(DecodeError::NotAList)
    ));
    assert!(entry::decode(&Value::Null).unwrap().is_empty());
}

#[test]
fn identity_is_the_servers_key() {
    let update = Identity::new("helm", Operation::Update, "apps/v1", "status");
    assert_eq!(
        update.key(),
        r#"{"manager":"helm","operation":"Update","apiVersion":"apps/v1","subresource":"status"}"#
    );
    assert_eq!(
        update.to_string(),
        r#""helm" with subresource "status" using apps/v1"#
    );
    let apply = Identity::new("helm", Operation::Apply, "apps/v1", "");
    assert_eq!(apply.key(), r#"{"manager":"helm","operation":"Apply"}"#);
    assert_eq!(
        apply,
        Identity::new("helm", Operation::Apply, "apps/v2", "")
    );
    assert_eq!(apply.to_string(), r#""helm""#);
    // The key's order, not the name's: a blank comes before the closing quote.
    assert!(
        Identity::new("a b", Operation::Apply, "", "")
            < Identity::new("a", Operation::Apply, "", "")
    );
}

#[test]
fn sorts_as_the_server() {
    use Operation::{Apply, Update};
    let entry = |manager: &str, operation, version: &str, seconds: Option<i64>| {
        ManagedFieldsEntry::new(manager, operation, version, FieldSet::new())
            .with_time(seconds.map(|s| Time::from_unix(s).unwrap()))
    };
    let sorted = vec![
        entry("z", Apply, "v1", Some(9)),
        entry("b", Update, "v1", None),
        entry("a", Update, "v1", Some(1)),
        entry("a", Update, "v2", Some(1)),
        entry("a", Update, "v2", Some(1)).with_subresource("status"),
        entry("b", Update, "v1", Some(1)),
        entry("a", Update, "v1", Some(2)),
    ];
    let mut entries: Vec<_> = sorted.iter().rev().cloned().collect();
    entry::sort(&mut entries);
    assert_eq!(entries, sorted);
}

#[test]
fn json_text_is_in_the_servers_order() {
    let entry = ManagedFieldsEntry::new(
        "a<b",
        Operation::Update,
        "v1",
        FieldSet::of([Path::of_fields(["x"])]).unwrap(),
    )
    .with_subresource("status");
    assert_eq!(
        entry.to_json(),
        r#"{"manager":"a\u003cb","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:x":{}},"subresource":"status"}"#
    );
}
