//! The adapter `cluster::kube`: every method of its three traits, and every kind of refusal, against a real API server.

mod access;
mod objects;
mod records;
mod rehearse;
mod secrets;

use refit::domain::ids::Namespace;
use refit::domain::object::ObjectRef;
use serde_json::{Value, json};

fn object(api_version: &str, kind: &str, namespace: &Namespace, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: Some(namespace.clone()),
        name: name.into(),
    }
}

fn config_map(namespace: &Namespace, name: &str) -> ObjectRef {
    object("v1", "ConfigMap", namespace, name)
}

/// POSTs a ConfigMap with `data.k = v`, as the manager `testbed`.
fn given_config_map(namespace: &Namespace, name: &str) -> Value {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps");
    let body = json!({"metadata": {"name": name}, "data": {"k": "v"}});
    crate::support::plane().api().post(&path, &body).unwrap()
}

/// The patch that the run protocol sends: guarded by uid and resourceVersion.
fn guarded(uid: &str, resource_version: &str, label: &str) -> Value {
    json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "add", "path": "/metadata/labels", "value": {"touched": label}},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
    ])
}
