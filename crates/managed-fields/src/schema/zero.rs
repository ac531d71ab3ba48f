//! What a new object of a kind already says before anybody has written into it.
//!
//! The server keeps built-in kinds in Go structs. A new one has its inner structs, and those fields that Go writes though
//! they are empty (`spec`, `spec.template`, `containers: null`). Whoever creates the object does not *add* those, so that
//! an Update entry has no `.` there. Custom resources begin with nothing.

use serde_json::{Map, Value};

use super::{Field, Kind, Schema, TypeRef};
use crate::MAX_DEPTH;

/// Models of built-in kinds have names with these beginnings; those of custom resources begin with their own group.
const BUILTIN: [&str; 3] = [
    "io.k8s.api.",
    "io.k8s.apiextensions-apiserver.",
    "io.k8s.kube-aggregator.",
];

/// Optional lists that Go writes as null when they are empty. OpenAPI does not tell them from others.
const WRITTEN_THOUGH_EMPTY: [(&str, &str); 7] = [
    (
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus",
        "currentMetrics",
    ),
    ("io.k8s.api.resource.v1.DeviceClaim", "requests"),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
        "conditions",
    ),
    (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus",
        "storedVersions",
    ),
    ("io.k8s.api.rbac.v1.Role", "rules"),
    ("io.k8s.api.rbac.v1.ClusterRole", "rules"),
    ("io.k8s.api.discovery.v1.EndpointSlice", "ports"),
];

impl Schema {
    /// The fields of a new object of this kind, apart from `apiVersion` and `kind`.
    pub(crate) fn zero(&self, kind: &Kind) -> Map<String, Value> {
        match self.kinds.get(kind) {
            Some(name) if BUILTIN.iter().any(|prefix| name.starts_with(prefix)) => {
                self.zero_of(&TypeRef::named(name), 0)
            }
            _ => Map::new(),
        }
    }

    fn zero_of(&self, type_ref: &TypeRef, depth: usize) -> Map<String, Value> {
        let mut zero = Map::new();
        let Some(map) = self.resolve(type_ref).and_then(super::Resolved::map) else {
            return zero;
        };
        // Structs do not hold themselves, but documents may say anything.
        if depth > MAX_DEPTH {
            return zero;
        }
        let name = type_ref.name();
        for (field, declared) in &map.fields {
            if let Some(value) = self.zero_of_field(name, field, declared, depth) {
                zero.insert(field.to_string(), value);
            }
        }
        zero
    }

    /// Go's zero value of a field, if Go writes it. The default that is published for such a field is that value.
    fn zero_of_field(&self, of: &str, name: &str, field: &Field, depth: usize) -> Option<Value> {
        match &field.default {
            Some(Value::Object(fields)) if fields.is_empty() => {
                Some(Value::Object(self.zero_of(&field.type_ref, depth + 1)))
            }
            Some(value) if *value == "" || *value == 0 || *value == false => Some(value.clone()),
            None if field.required || WRITTEN_THOUGH_EMPTY.contains(&(of, name)) => {
                Some(Value::Null)
            }
            _ => None,
        }
    }
}
