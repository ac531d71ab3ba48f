//! What a live API server was seen to do at its endpoints, beyond the library that computes ownership.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use managed_fields::manager::reset;
use managed_fields::manager::scale::ScaleEntries;
use managed_fields::{
    FieldManager, FieldSet, Kind, ManagedFieldsEntry, Operation, Path, Schema, Time,
};
use serde_json::{Value, json};

fn schema(fixture: &str) -> Schema {
    let path = format!("{}/tests/fixtures/{fixture}", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    Schema::from_openapi([&document]).unwrap()
}

fn second(n: i64) -> Time {
    Time::from_unix(1_700_000_000 + n).unwrap()
}

fn paths(entry: &ManagedFieldsEntry) -> Vec<String> {
    entry.fields().iter().map(|path| path.to_string()).collect()
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "strategy": {"type": "Recreate"},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "i"}]}},
        },
    })
}

const OF_A_NEW_DEPLOYMENT: [&str; 7] = [
    ".spec.selector",
    ".spec.strategy.type",
    ".spec.template.metadata.labels",
    ".spec.template.metadata.labels.app",
    ".spec.template.spec.containers[name=\"a\"]",
    ".spec.template.spec.containers[name=\"a\"].image",
    ".spec.template.spec.containers[name=\"a\"].name",
];

fn sorted(mut paths: Vec<String>) -> Vec<String> {
    paths.sort();
    paths
}

#[test]
fn who_creates_a_built_in_object_does_not_own_its_structs() {
    let schema = schema("builtin.json");
    let endpoint = FieldManager::new(&schema, Kind::new("apps/v1", "Deployment"), "");
    let made = endpoint
        .update(None, &deployment(), "kubectl-create", second(0))
        .unwrap();
    assert_eq!(sorted(paths(&made.entries[0])), OF_A_NEW_DEPLOYMENT);
}

#[test]
fn nor_does_before_first_apply() {
    let schema = schema("builtin.json");
    let endpoint = FieldManager::new(&schema, Kind::new("apps/v1", "Deployment"), "");
    let mut live = deployment();
    live["metadata"]["uid"] = json!("1");
    let mut config = deployment();
    config["spec"]["replicas"] = json!(2);
    let after = endpoint
        .apply(Some(&live), &config, "helm", false, second(0))
        .unwrap();
    let first = after
        .entries
        .iter()
        .find(|entry| entry.manager() == "before-first-apply")
        .unwrap();
    assert_eq!(sorted(paths(first)), OF_A_NEW_DEPLOYMENT);
}

#[test]
fn who_creates_a_custom_resource_owns_all_of_it() {
    let schema = schema("widget.json");
    let endpoint = FieldManager::new(&schema, Kind::new("example.dev/v1", "Widget"), "");
    let widget = json!({"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
    let made = endpoint
        .update(None, &widget, "kubectl-create", second(0))
        .unwrap();
    assert_eq!(paths(&made.entries[0]), [".spec", ".spec.size"]);
}

#[test]
fn a_status_request_resets_spec_for_entries_of_every_version() {
    let schema = schema("widget.json");
    let at = |version: &str| format!("example.dev/{version}");
    let widget = |version: &str, size: u64| json!({"apiVersion": at(version), "kind": "Widget", "metadata": {"name": "w", "uid": "1"}, "spec": {"size": size}});
    let main = FieldManager::new(&schema, Kind::new(&at("v1"), "Widget"), "");
    let mut live = main
        .apply(None, &widget("v1", 1), "helm", false, second(0))
        .unwrap()
        .object;
    live["apiVersion"] = json!(at("v1beta1"));
    let status =
        FieldManager::new(&schema, Kind::new(&at("v1beta1"), "Widget"), "status").with_reset(
            reset::of_custom_status(["example.dev/v1", "example.dev/v1beta1"]),
        );
    let after = status
        .update(Some(&live), &widget("v1beta1", 2), "operator", second(1))
        .unwrap();
    assert_eq!(after.entries.len(), 1, "{:?}", after.entries);
    assert_eq!(paths(&after.entries[0]), [".spec.size"]);
}

#[test]
fn scaling_takes_replicas_from_who_does_not_keep_it() {
    let replicas = Path::of_fields(["spec", "replicas"]);
    let paused = Path::of_fields(["spec", "paused"]);
    let scale = ScaleEntries::new("apps/v1", [("apps/v1".to_owned(), replicas.clone())].into());
    let entry = |manager: &str, operation, version: &str, paths: &[&Path]| {
        let fields = FieldSet::of(paths.iter().map(|path| (*path).clone())).unwrap();
        ManagedFieldsEntry::new(manager, operation, version, fields).with_time(Some(second(0)))
    };
    let parent = [
        entry("argo", Operation::Apply, "apps/v1", &[&replicas]),
        entry("helm", Operation::Apply, "apps/v1", &[&replicas, &paused]),
        entry("make", Operation::Update, "apps/v1", &[&replicas, &paused]),
        entry("old", Operation::Update, "extensions/v1beta1", &[&replicas]),
    ];
    let in_scale = scale.to_scale(&parent);
    let managers = |entries: &[ManagedFieldsEntry]| -> Vec<String> {
        entries.iter().map(ManagedFieldsEntry::to_json).collect()
    };
    assert_eq!(in_scale.len(), 3, "{:?}", managers(&in_scale));

    // An autoscaler writes another number: who updated or applied it loses it.
    let hpa =
        entry("hpa", Operation::Update, "autoscaling/v1", &[&replicas]).with_subresource("scale");
    let after = scale.to_parent(&parent, &[hpa]);
    let told: Vec<(&str, Vec<String>, bool)> = after
        .iter()
        .map(|entry| (entry.manager(), paths(entry), entry.time().is_some()))
        .collect();
    let paused = || vec![".spec.paused".to_owned()];
    assert_eq!(
        told,
        [
            ("helm", paused(), true),
            ("hpa", vec![".spec.replicas".to_owned()], false),
            ("make", paused(), true),
        ]
    );

    // The same number again: who applied it keeps it, who updated it has it in an entry of its own.
    let after = scale.to_parent(&parent, &in_scale);
    let told: Vec<(&str, usize)> = after
        .iter()
        .map(|entry| (entry.manager(), entry.fields().len()))
        .collect();
    assert_eq!(told, [("argo", 1), ("helm", 2), ("make", 1), ("make", 1)]);
}
