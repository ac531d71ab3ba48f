//! Dry runs: what they answer, and that they store nothing.

use refit::cluster::{ErrorKind, Reader, Rehearser};
use serde_json::json;

use super::{config_map, given_config_map, guarded, object};
use crate::support::{admin, asked, namespace};

#[tokio::test]
async fn dry_runs_answer_like_the_real_thing_and_store_nothing() {
    let (cluster, ns) = (admin().await, namespace("rehearse"));
    given_config_map(&ns, "one");
    let target = config_map(&ns, "one");
    let before = cluster.object(&target).await.unwrap().unwrap();
    let body = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": {"k": value}});

    let refused = cluster
        .rehearse_apply(&target, &body("w"), "probe", false)
        .await
        .unwrap_err();
    assert_eq!(refused.code, 409);
    let ErrorKind::FieldConflict(conflicts) = refused.kind else {
        panic!("{refused:?}");
    };
    assert_eq!(conflicts.len(), 1);
    assert_eq!(conflicts[0].field, ".data.k");
    assert_eq!(conflicts[0].message, "conflict with \"testbed\" using v1");

    let forced = cluster
        .rehearse_apply(&target, &body("w"), "probe", true)
        .await
        .unwrap();
    assert_eq!(forced["data"]["k"], "w");
    let entries = forced["metadata"]["managedFields"].as_array().unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry["manager"] == "probe" && entry["operation"] == "Apply"),
        "{entries:?}"
    );

    let patch = guarded(before.uid.as_str(), before.resource_version.as_str(), "1");
    let patched = cluster.rehearse_patch(&target, &patch).await.unwrap();
    assert_eq!(patched.json["metadata"]["labels"]["touched"], "1");
    assert_eq!(patched.resource_version, before.resource_version);
    let patch = guarded("another", before.resource_version.as_str(), "1");
    assert_eq!(
        cluster
            .rehearse_patch(&target, &patch)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::WrongUid
    );
    let patch = guarded(before.uid.as_str(), "1", "1");
    assert_eq!(
        cluster
            .rehearse_patch(&target, &patch)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Conflict
    );

    // A missing object would be created.
    let absent = config_map(&ns, "two");
    let mut body = body("x");
    body["metadata"]["name"] = "two".into();
    let created = cluster
        .rehearse_apply(&absent, &body, "probe", true)
        .await
        .unwrap();
    assert_eq!(created["data"]["k"], "x");
    assert_eq!(cluster.object(&absent).await.unwrap(), None);

    assert_eq!(
        cluster.object(&target).await.unwrap().unwrap(),
        before,
        "byte for byte, resourceVersion included"
    );
    let log = asked(&ns);
    assert_eq!(log.writes().len(), 0);
    let patches = log.filter(|entry| entry.verb == "patch");
    assert_eq!(patches.len(), 6);
    assert!(
        patches
            .entries
            .iter()
            .all(|entry| entry.uri.contains("timeout=10s&dryRun=All")),
        "{patches:#?}"
    );
    let applies = patches.filter(|entry| entry.uri.contains("force="));
    assert_eq!(applies.len(), 3);
    assert!(
        applies
            .entries
            .iter()
            .all(|entry| entry.uri.contains("&fieldManager=probe&force=")
                && entry.uri.ends_with("&fieldValidation=Strict"))
    );
}

#[tokio::test]
async fn a_manifest_that_the_schema_refuses_is_invalid_for_ever() {
    let (cluster, ns) = (admin().await, namespace("invalid"));
    let target = object("apps/v1", "Deployment", &ns, "web");
    let deployment = |spec: serde_json::Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
    let container = |env: serde_json::Value| {
        json!({"selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i", "env": env}]}}})
    };
    let twice = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    for (spec, code, words) in [
        (container(twice), 500, "duplicate entries for key"),
        (json!({"replicas": "x"}), 500, "expected numeric"),
        (json!({"replicaz": 1}), 500, "field not declared in schema"),
        (json!({"replicas": 1}), 422, "spec.selector: Required value"),
    ] {
        let error = cluster
            .rehearse_apply(&target, &deployment(spec), "probe", true)
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind.clone(), error.code),
            (ErrorKind::Invalid, code),
            "{error}"
        );
        assert!(error.message.contains(words), "{error}");
        assert!(!error.is_undecided());
    }
    let fine = container(json!([{"name": "A", "value": "1"}]));
    cluster
        .rehearse_apply(&target, &deployment(fine), "probe", true)
        .await
        .unwrap();
    assert_eq!(cluster.object(&target).await.unwrap(), None);
}
