//! Which workloads an autoscaler targets: adopting replicas from it would be undone at its next step, and refused (409)
//! at the next upgrade.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::object::ObjectRef;

/// Kinds of autoscalers that name their target in `spec.scaleTargetRef`, with the versions that are asked for, the best
/// first. KEDA's defaults to a Deployment.
pub const SCALER_KINDS: [(&str, &[&str]); 2] = [
    (
        "HorizontalPodAutoscaler",
        &["autoscaling/v2", "autoscaling/v1"],
    ),
    ("ScaledObject", &["keda.sh/v1alpha1"]),
];

/// What KEDA takes for a target without a kind.
const DEFAULT_KIND: &str = "Deployment";

/// Targets of autoscalers: (namespace, kind, name) → who scales it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScaleTargets {
    targets: BTreeMap<(String, String, String), String>,
}

impl ScaleTargets {
    /// Adds an autoscaler's target. An object that names none adds nothing.
    pub fn add(&mut self, scaler: &Value) {
        let text = |path: &str| scaler.pointer(path).and_then(Value::as_str);
        let (Some(namespace), Some(target)) = (
            text("/metadata/namespace"),
            text("/spec/scaleTargetRef/name"),
        ) else {
            return;
        };
        let kind = text("/spec/scaleTargetRef/kind").unwrap_or(DEFAULT_KIND);
        let who = format!(
            "{} {}",
            text("/kind").unwrap_or("autoscaler"),
            text("/metadata/name").unwrap_or("?")
        );
        self.targets.insert(
            (namespace.to_owned(), kind.to_owned(), target.to_owned()),
            who,
        );
    }

    /// Who scales this object?
    pub fn scaler_of(&self, object: &ObjectRef) -> Option<&str> {
        let namespace = object.namespace.as_ref()?.as_str().to_owned();
        self.targets
            .get(&(namespace, object.kind.clone(), object.name.clone()))
            .map(String::as_str)
    }
}
