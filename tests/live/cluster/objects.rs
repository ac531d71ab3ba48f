//! GET, LIST and PATCH of objects.

use std::collections::BTreeSet;

use refit::cluster::{ErrorKind, Reader, Rehearser, Writer};
use refit::domain::object::ObjectRef;
use serde_json::json;

use super::{config_map, given_config_map, guarded, object};
use crate::support::{admin, asked, eventually, namespace, plane};

#[tokio::test]
async fn an_object_is_read_whole_and_a_missing_one_is_none() {
    let (cluster, ns) = (admin().await, namespace("get"));
    let stored = given_config_map(&ns, "one");
    let live = cluster
        .object(&config_map(&ns, "one"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(live.json, stored);
    assert_eq!(live.managed_fields().len(), 1);
    assert_eq!(cluster.object(&config_map(&ns, "two")).await.unwrap(), None);
    let unserved = cluster
        .object(&object("extensions/v1beta1", "Ingress", &ns, "one"))
        .await
        .unwrap_err();
    assert_eq!(unserved.kind, ErrorKind::UnknownKind);
    assert_eq!(
        unserved.to_string(),
        format!(
            "get extensions/v1beta1 Ingress {ns}/one: the cluster serves no Ingress in extensions/v1beta1"
        )
    );
}

#[tokio::test]
async fn names_of_every_kind_find_their_object() {
    let cluster = admin().await;
    let role = ObjectRef {
        api_version: "rbac.authorization.k8s.io/v1".into(),
        kind: "ClusterRole".into(),
        // Cluster-scoped: a namespace that a manifest carries has no meaning.
        namespace: Some("ignored".into()),
        name: "system:aggregate-to-view".into(),
    };
    assert!(cluster.object(&role).await.unwrap().is_some());
    let ns = namespace("names");
    for name in ["a/b", "..", "", "one/status", "a%2fb"] {
        let error = cluster.object(&config_map(&ns, name)).await.unwrap_err();
        assert_eq!(
            (error.kind, error.code),
            (ErrorKind::Invalid, 0),
            "{name:?}"
        );
    }
    let mut nowhere = config_map(&ns, "one");
    nowhere.namespace = None;
    assert_eq!(
        cluster.object(&nowhere).await.unwrap_err().kind,
        ErrorKind::Invalid
    );
    assert!(asked(&ns).is_empty());
}

#[tokio::test]
async fn a_list_has_all_namespaces_and_says_what_its_items_are() {
    let cluster = admin().await;
    let (one, two) = (namespace("list"), namespace("list"));
    let first = given_config_map(&one, "x");
    given_config_map(&two, "x");
    let all = cluster.objects("v1", "ConfigMap").await.unwrap();
    let find = |ns: &str| {
        all.iter().find(|live| {
            live.json["metadata"]["namespace"] == ns && live.json["metadata"]["name"] == "x"
        })
    };
    assert_eq!(
        find(one.as_str()).unwrap().json,
        first,
        "as a GET would give it, kind included"
    );
    assert!(find(two.as_str()).is_some());
}

#[tokio::test]
async fn a_guarded_patch_lands_once_and_is_told_apart_when_it_does_not() {
    let (cluster, ns) = (admin().await, namespace("patch"));
    given_config_map(&ns, "one");
    let target = config_map(&ns, "one");
    let before = cluster.object(&target).await.unwrap().unwrap();
    let (uid, rv) = (before.uid.as_str(), before.resource_version.as_str());

    let after = cluster
        .patch(&target, &guarded(uid, rv, "1"))
        .await
        .unwrap();
    assert_eq!(after.json["metadata"]["labels"]["touched"], "1");
    assert_ne!(after.resource_version, before.resource_version);
    // A set: the server sorts entries by their second before their name.
    let managers: BTreeSet<&str> = after
        .managed_fields()
        .iter()
        .filter_map(|entry| entry["manager"].as_str())
        .collect();
    assert_eq!(managers, BTreeSet::from(["refit", "testbed"]));

    let stale = cluster
        .patch(&target, &guarded(uid, rv, "2"))
        .await
        .unwrap_err();
    assert_eq!(
        (stale.kind.clone(), stale.code),
        (ErrorKind::Conflict, 409),
        "{stale}"
    );
    let now = after.resource_version.as_str();
    let other = cluster
        .patch(
            &target,
            &guarded("11111111-2222-3333-4444-555555555555", now, "3"),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (other.kind.clone(), other.code),
        (ErrorKind::WrongUid, 422),
        "{other}"
    );
    // Both guards off: the test of the uid is looked at first.
    let both = cluster
        .patch(&target, &guarded("1", rv, "3"))
        .await
        .unwrap_err();
    assert_eq!(both.kind, ErrorKind::WrongUid);
    let gone = cluster
        .patch(&config_map(&ns, "two"), &guarded(uid, rv, "4"))
        .await
        .unwrap_err();
    assert_eq!((gone.kind, gone.code), (ErrorKind::NotFound, 404));
    let invalid = json!([{"op": "test", "path": "/metadata/uid", "value": uid}, {"op": "add", "path": "/data/no good", "value": "x"}]);
    let invalid = cluster.patch(&target, &invalid).await.unwrap_err();
    assert_eq!(
        (invalid.kind.clone(), invalid.code),
        (ErrorKind::Invalid, 422),
        "{invalid}"
    );

    assert_eq!(
        cluster.object(&target).await.unwrap().unwrap(),
        after,
        "refusals change nothing"
    );
    let log = asked(&ns);
    assert_eq!(
        log.count("patch", "configmaps"),
        6,
        "each patch was sent once: {log:#?}"
    );
    assert_eq!(log.writes().len(), 1);
    for entry in log.filter(|entry| entry.verb == "patch").entries {
        assert!(
            entry.uri.ends_with("?timeout=10s&fieldManager=refit"),
            "{}",
            entry.uri
        );
        assert_eq!(
            entry.user_agent,
            concat!("refit/", env!("CARGO_PKG_VERSION"))
        );
    }
}

#[tokio::test]
async fn a_webhook_that_is_away_may_come_back() {
    let (cluster, ns) = (admin().await, namespace("webhook"));
    given_config_map(&ns, "one");
    let target = config_map(&ns, "one");
    let live = cluster.object(&target).await.unwrap().unwrap();
    let hook = json!({"metadata": {"name": ns}, "webhooks": [{
        "name": "away.refit.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 1,
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"]}]}]});
    let hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
    plane().api().post(hooks, &hook).unwrap();
    let patch = guarded(live.uid.as_str(), live.resource_version.as_str(), "1");
    // A patch that passes before the webhook is known would move the object; a dry run does not.
    eventually("the webhook is known", async || {
        cluster.rehearse_patch(&target, &patch).await.is_err()
    })
    .await;
    let error = cluster.patch(&target, &patch).await.unwrap_err();
    plane().api().delete(&format!("{hooks}/{ns}")).unwrap();
    assert_eq!(
        (error.kind.clone(), error.code),
        (ErrorKind::Server, 500),
        "{error}"
    );
    assert!(error.is_undecided());
    assert!(error.message.contains("away.refit.dev"), "{error}");
}
