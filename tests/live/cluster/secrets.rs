//! No refusal of the server, in whatever words, brings a Secret's value into an error of ours.

use refit::cluster::{Error, ErrorKind, Rehearser, Writer};
use refit::domain::release::Driver;
use serde_json::json;

use super::object;
use crate::support::{admin, eventually, namespace, plane};

/// `hunter2`, as it is and as Secrets carry it.
const VALUES: [&str; 3] = ["hunter2", "aHVudGVyMg", "471147114711"];

fn assert_silent(error: &Error) {
    let text = format!("{error} {error:?}");
    for value in VALUES {
        assert!(!text.contains(value), "{text}");
    }
}

#[tokio::test]
async fn values_of_secrets_stay_out_of_errors() {
    let (cluster, ns) = (admin().await, namespace("secret"));
    let target = object("v1", "Secret", &ns, "db");
    let apply = |body: serde_json::Value| {
        let mut whole = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}});
        whole
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        whole
    };
    for body in [
        json!({"data": {"k": 471_147_114_711_u64}}),
        json!({"data": {"k": "hunter2!"}}),
        json!({"stringData": {"k": ["hunter2"]}}),
        json!({"stringData": {"k": {"hunter2": "hunter2"}}}),
        json!({"type": "hunter2 ", "immutable": "hunter2"}),
        json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "{hunter2"}}),
    ] {
        let error = cluster
            .rehearse_apply(&target, &apply(body), "probe", true)
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
        assert_silent(&error);
    }

    let path = format!("/api/v1/namespaces/{ns}/secrets");
    let stored = plane()
        .api()
        .post(
            &path,
            &apply(json!({"type": "Opaque", "stringData": {"k": "hunter2"}})),
        )
        .unwrap();
    let change = json!([{"op": "replace", "path": "/type", "value": "hunter2"}]);
    let error = cluster.patch(&target, &change).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert_silent(&error);
    assert!(
        error
            .message
            .contains("Secret \"db\" is invalid: type: Invalid value"),
        "{error}"
    );

    // A policy may quote the object in its own words; so may any webhook.
    let policy = json!({"metadata": {"name": ns}, "spec": {
        "matchConstraints": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns}},
            "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"]}]},
        "validations": [{"expression": "false", "messageExpression": "'the value is ' + string(object.data.k)"}]}});
    let binding = json!({"metadata": {"name": ns}, "spec": {"policyName": ns, "validationActions": ["Deny"]}});
    let group = "/apis/admissionregistration.k8s.io/v1";
    plane()
        .api()
        .post(&format!("{group}/validatingadmissionpolicies"), &policy)
        .unwrap();
    plane()
        .api()
        .post(
            &format!("{group}/validatingadmissionpolicybindings"),
            &binding,
        )
        .unwrap();
    let touch = super::guarded(
        stored["metadata"]["uid"].as_str().unwrap(),
        stored["metadata"]["resourceVersion"].as_str().unwrap(),
        "1",
    );
    eventually("the policy holds", async || {
        cluster.rehearse_patch(&target, &touch).await.is_err()
    })
    .await;
    let error = cluster.patch(&target, &touch).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    assert_silent(&error);
    assert!(
        error
            .message
            .contains(&format!("ValidatingAdmissionPolicy '{ns}'")),
        "the policy is named: {error}"
    );
    let error = cluster
        .patch_record(Driver::Secret, &ns, "db", &touch)
        .await
        .unwrap_err();
    assert_silent(&error);
}
