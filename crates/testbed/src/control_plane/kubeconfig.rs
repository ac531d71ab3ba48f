//! Kubeconfig files. They are written as JSON, which every YAML reader reads.

use std::path::Path;

use serde_json::{Value, json};

/// One context: cluster, user and context share the name.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub name: &'a str,
    pub server: &'a str,
    pub ca: &'a Path,
    pub token: &'a str,
}

/// A kubeconfig of these contexts; the first is the current one.
pub fn of(entries: &[Entry<'_>]) -> Value {
    let each = |make: fn(&Entry<'_>) -> Value| entries.iter().map(make).collect::<Vec<_>>();
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": entries.first().map_or("", |entry| entry.name),
        "clusters": each(|e| json!({
            "name": e.name, "cluster": { "server": e.server, "certificate-authority": e.ca },
        })),
        "users": each(|e| json!({ "name": e.name, "user": { "token": e.token } })),
        "contexts": each(|e| json!({ "name": e.name, "context": { "cluster": e.name, "user": e.name } })),
    })
}
