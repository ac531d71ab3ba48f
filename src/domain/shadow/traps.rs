//! Notes about values that the manifest does not name, or names in vain: rules R7 and R3.
//!
//! A default of the server that the manifest does not name is nobody's after adoption, and an apply removes only what its
//! manager owned. So a chart that later switches a union (a strategy, a volume's source) is refused (R7).
//! A few kinds compare specs before the store drops empty values, so they count up at every apply (R3).

use serde_json::Value;

use super::Reason;
use crate::domain::object::ObjectRef;

/// A switch that will be refused.
pub const SWITCH_TRAP: &str = "switch-trap";

/// An object that every apply writes.
pub const EMPTY_CHURN: &str = "empty-churn";

/// Kinds with an update strategy, and where the default of its rolling form stands.
const STRATEGIES: [(&str, &str); 3] = [
    ("Deployment", "strategy"),
    ("StatefulSet", "updateStrategy"),
    ("DaemonSet", "updateStrategy"),
];

/// Kinds whose strategies compare specs literally.
const LITERAL: [(&str, &str, &str); 3] = [
    ("networking.k8s.io", "NetworkPolicy", "spec"),
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "webhooks",
    ),
    (
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "webhooks",
    ),
];

/// The notes about one object, from what Helm applies and what is live. Linear in the sizes of both.
pub fn trap_notes(object: &ObjectRef, body: &Value, live: &Value) -> Vec<Reason> {
    let note = |cause: &str, detail: String| Reason {
        cause: cause.to_owned(),
        object: Some(object.clone()),
        detail,
    };
    let mut notes = Vec::new();
    for path in switch_traps(object, body, live) {
        let detail = format!(
            "{path} is a default that the manifest does not name: after adoption nobody owns it, and a switch to another \
             type is refused"
        );
        notes.push(note(SWITCH_TRAP, detail));
    }
    for path in empty_churn(object, body, live) {
        let detail = format!("{path} is empty and not stored: every server-side apply is a write");
        notes.push(note(EMPTY_CHURN, detail));
    }
    notes
}

fn named<'a>(at: &'a Value, key: &str) -> Option<&'a Value> {
    at.get(key).filter(|value| !value.is_null())
}

fn below<'a>(at: &'a Value, steps: &[&str]) -> Option<&'a Value> {
    steps.iter().try_fold(at, |at, step| named(at, step))
}

fn switch_traps(object: &ObjectRef, body: &Value, live: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    if object.group() == "apps"
        && let Some((_, field)) = STRATEGIES.iter().find(|(kind, _)| *kind == object.kind)
    {
        let steps = ["spec", field, "rollingUpdate"];
        if below(live, &steps).is_some() && below(body, &steps).is_none() {
            paths.push(format!(".{}", steps.join(".")));
        }
    }
    let pod: &[&str] = match (object.group(), object.kind.as_str()) {
        ("", "Pod") => &["spec"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        ("apps" | "batch", _) | ("", "ReplicationController") => &["spec", "template", "spec"],
        _ => return paths,
    };
    let volumes = |of| -> Vec<&Value> {
        let all = below(of, pod).and_then(|pod| named(pod, "volumes")?.as_array());
        all.into_iter().flatten().collect()
    };
    let in_manifest = volumes(body);
    for volume in volumes(live) {
        let name = volume.get("name");
        let is_trap = named(volume, "emptyDir").is_some()
            && in_manifest
                .iter()
                .any(|it| it.get("name") == name && named(it, "emptyDir").is_none());
        if is_trap && let Some(name) = name.and_then(Value::as_str) {
            let path = pod.join(".");
            paths.push(format!(".{path}.volumes[name=\"{name}\"].emptyDir"));
        }
    }
    paths
}

fn empty_churn(object: &ObjectRef, body: &Value, live: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    if object.group().is_empty() && object.kind == "Secret" {
        let data = body.get("data").and_then(Value::as_object);
        let nulls = data.into_iter().flatten().filter(|(_, it)| it.is_null());
        paths.extend(nulls.map(|(key, _)| format!(".data.{key}")));
    }
    let literal = LITERAL
        .iter()
        .find(|(group, kind, _)| *group == object.group() && *kind == object.kind);
    if let Some((_, _, root)) = literal
        && let (Some(body), Some(live)) = (body.get(*root), live.get(*root))
    {
        walk(body, Some(live), &mut format!(".{root}"), &mut paths);
    }
    paths
}

/// Empty lists and maps of the manifest that are not stored.
fn walk(body: &Value, live: Option<&Value>, path: &mut String, paths: &mut Vec<String>) {
    let length = path.len();
    match (body, live) {
        (Value::Object(fields), _) if fields.is_empty() && live.is_none() => {
            paths.push(path.clone());
        }
        (Value::Array(items), _) if items.is_empty() && live.is_none() => paths.push(path.clone()),
        (Value::Object(fields), Some(live)) => {
            for (key, value) in fields {
                path.push('.');
                path.push_str(key);
                walk(value, named(live, key), path, paths);
                path.truncate(length);
            }
        }
        (Value::Array(items), Some(Value::Array(live))) => {
            for (index, (item, live)) in items.iter().zip(live).enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(item, Some(live), path, paths);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(api_version: &str, kind: &str, body: &Value, live: &Value) -> Vec<(String, String)> {
        let object = ObjectRef {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace: Some("shop".into()),
            name: "web".into(),
        };
        let notes = trap_notes(&object, body, live);
        let path = |note: &Reason| note.detail.split(' ').next().unwrap().to_owned();
        notes
            .iter()
            .map(|note| (note.cause.clone(), path(note)))
            .collect()
    }

    fn one(cause: &str, path: &str) -> Vec<(String, String)> {
        vec![(cause.to_owned(), path.to_owned())]
    }

    #[test]
    fn a_default_of_a_union_that_the_manifest_does_not_name_is_a_trap() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}});
        let path = ".spec.strategy.rollingUpdate";
        for body in [
            json!({"spec": {}}),
            json!({"spec": {"strategy": {}}}),
            json!({"spec": {"strategy": {"rollingUpdate": null}}}),
        ] {
            let found = told("apps/v1", "Deployment", &body, &live);
            assert_eq!(found, one(SWITCH_TRAP, path), "{body}");
        }
        let full = json!({"spec": {"strategy": {"rollingUpdate": {"maxSurge": "25%"}}}});
        assert_eq!(told("apps/v1", "Deployment", &full, &live), []);
        let recreate = json!({"spec": {"strategy": {"type": "Recreate"}}});
        assert_eq!(
            told("apps/v1", "Deployment", &json!({"spec": {}}), &recreate),
            []
        );
        let live = json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}});
        let path = ".spec.updateStrategy.rollingUpdate";
        let found = told("apps/v1", "StatefulSet", &json!({"spec": {}}), &live);
        assert_eq!(found, one(SWITCH_TRAP, path));
        assert_eq!(
            told("example.dev/v1", "Deployment", &json!({"spec": {}}), &live),
            []
        );
    }

    #[test]
    fn a_volume_without_a_source_is_a_trap_and_somebody_elses_is_not() {
        let volumes = |list: Value| json!({"spec": {"template": {"spec": {"volumes": list}}}});
        let live =
            volumes(json!([{"name": "a", "emptyDir": {}}, {"name": "injected", "emptyDir": {}}]));
        let body = volumes(json!([{"name": "a"}]));
        let path = ".spec.template.spec.volumes[name=\"a\"].emptyDir";
        assert_eq!(
            told("apps/v1", "Deployment", &body, &live),
            one(SWITCH_TRAP, path)
        );
        let named = volumes(json!([{"name": "a", "emptyDir": {}}]));
        assert_eq!(told("apps/v1", "Deployment", &named, &live), []);
        let job = |of: &Value| json!({"spec": {"jobTemplate": of}});
        let found = told("batch/v1", "CronJob", &job(&body), &job(&live));
        let path = ".spec.jobTemplate.spec.template.spec.volumes[name=\"a\"].emptyDir";
        assert_eq!(found, one(SWITCH_TRAP, path));
    }

    #[test]
    fn what_is_empty_and_not_stored_churns_and_what_is_stored_does_not() {
        let policy = |spec: Value| json!({"spec": spec});
        let live = policy(json!({"podSelector": {}, "ingress": [{}], "policyTypes": ["Egress"]}));
        for (spec, path) in [
            (json!({"podSelector": {}, "egress": []}), ".spec.egress"),
            (
                json!({"podSelector": {"matchLabels": {}}}),
                ".spec.podSelector.matchLabels",
            ),
            (
                json!({"ingress": [{"ports": []}]}),
                ".spec.ingress[0].ports",
            ),
        ] {
            let found = told(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                &policy(spec),
                &live,
            );
            assert_eq!(found, one(EMPTY_CHURN, path));
        }
        let fine = policy(json!({"podSelector": {}, "ingress": [{}], "egress": null}));
        assert_eq!(
            told("networking.k8s.io/v1", "NetworkPolicy", &fine, &live),
            []
        );
        let secret = json!({"data": {"x": null, "y": "eA=="}});
        let found = told("v1", "Secret", &secret, &json!({"data": {"y": "eA=="}}));
        assert_eq!(found, one(EMPTY_CHURN, ".data.x"));
        assert_eq!(told("v1", "ConfigMap", &secret, &json!({"data": {}})), []);
    }
}
