//! Who we are, what we may, what is served, and what a refused or lost connection looks like.

use refit::cluster::kube::{KubeCluster, contexts};
use refit::cluster::{Access, ErrorKind, Reader, RecordScope};
use refit::domain::release::Driver;
use serde_json::json;

use super::{config_map, given_config_map};
use crate::support::{admin, eventually, namespace, plane, user, with_kubeconfig};

#[tokio::test]
async fn version_identity_and_context() {
    let cluster = admin().await;
    assert!(cluster.version().await.unwrap().starts_with("v1."));
    assert_eq!(cluster.identity().await.unwrap(), "admin");
    assert_eq!(cluster.context(), Some("live"));
    assert_eq!(cluster.server(), plane().api().server());
    let listed = contexts(Some(&plane().kubeconfig("admin"))).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].current);
}

#[tokio::test]
async fn discovery_gives_what_kubectl_gives() {
    let kinds = admin().await.kinds(false).await.unwrap();
    let find = |api_version: &str, kind: &str| {
        kinds
            .iter()
            .find(|one| one.api_version == api_version && one.kind == kind)
    };
    let deployment = find("apps/v1", "Deployment").unwrap();
    assert_eq!(
        (deployment.plural.as_str(), deployment.namespaced),
        ("deployments", true)
    );
    assert!(deployment.verbs.contains(&"patch".to_owned()));
    let role = find("rbac.authorization.k8s.io/v1", "ClusterRole").unwrap();
    assert!(!role.namespaced);
    assert!(find("autoscaling/v1", "HorizontalPodAutoscaler").is_some());
    assert!(find("autoscaling/v2", "HorizontalPodAutoscaler").is_some());

    // The oracle asks in its own way: document by document.
    let output = plane()
        .kubectl()
        .unwrap()
        .args(["api-resources", "--no-headers", "--cached=false"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 40, "{text}");
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [.., api_version, namespaced, kind] = words.as_slice() else {
            panic!("{line}");
        };
        let ours = kinds.iter().find(|one| {
            one.api_version == *api_version && one.kind == *kind && one.plural == words[0]
        });
        let ours = ours.unwrap_or_else(|| panic!("{line}"));
        assert_eq!(ours.namespaced.to_string(), *namespaced, "{line}");
    }
}

#[tokio::test]
async fn a_new_kind_is_found_and_a_gone_one_is_unknown() {
    let (cluster, ns) = (admin().await, namespace("crd"));
    let mut object = config_map(&ns, "one");
    object.api_version = "live.refit.dev/v1".into();
    object.kind = "Widget".into();
    let unknown = cluster.object(&object).await.unwrap_err();
    assert_eq!((unknown.kind, unknown.code), (ErrorKind::UnknownKind, 0));

    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"metadata": {"name": "widgets.live.refit.dev"}, "spec": {
        "group": "live.refit.dev", "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    plane().api().post(definitions, &definition).unwrap();
    eventually("the new kind is served", async || {
        cluster
            .kinds(true)
            .await
            .unwrap()
            .iter()
            .any(|kind| kind.kind == "Widget")
    })
    .await;
    eventually("the new kind answers", async || {
        matches!(cluster.object(&object).await, Ok(None))
    })
    .await;
    assert!(
        cluster
            .objects("live.refit.dev/v1", "Widget")
            .await
            .unwrap()
            .is_empty()
    );

    plane()
        .api()
        .delete(&format!("{definitions}/widgets.live.refit.dev"))
        .unwrap();
    // Our cache still knows it: the server's own 404 of the path must not read as "no such object".
    eventually("the gone kind is unknown", async || {
        matches!(cluster.object(&object).await, Err(error) if error.kind == ErrorKind::UnknownKind)
    })
    .await;
}

#[tokio::test]
async fn a_user_may_what_was_granted() {
    let (reader, ns) = (user("reader").await, namespace("rbac"));
    given_config_map(&ns, "one");
    let object = config_map(&ns, "one");
    let access = |verb: &str, resource: &str| Access {
        verb: verb.into(),
        group: String::new(),
        resource: resource.into(),
        namespace: Some(ns.clone()),
    };
    plane()
        .grant(
            "reader",
            &json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]),
        )
        .unwrap();
    eventually("the grant holds", async || {
        reader.may(&access("get", "configmaps")).await.unwrap()
    })
    .await;
    assert!(reader.object(&object).await.unwrap().is_some());
    for (verb, resource) in [
        ("patch", "configmaps"),
        ("get", "secrets"),
        ("get", "configmaps/status"),
    ] {
        assert!(
            !reader.may(&access(verb, resource)).await.unwrap(),
            "{verb} {resource}"
        );
    }
    assert!(
        reader
            .may(&Access {
                namespace: None,
                ..access("get", "configmaps")
            })
            .await
            .unwrap()
    );

    let refused = reader.objects("v1", "ConfigMap").await.unwrap_err();
    assert_eq!((refused.kind, refused.code), (ErrorKind::Forbidden, 403));
    assert_eq!(reader.identity().await.unwrap(), "reader");
    let refused = reader
        .record_heads(Driver::Secret, &RecordScope::Namespace(ns.clone()))
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("User \"reader\" cannot list resource \"secrets\""),
        "{refused}"
    );
}

#[tokio::test]
async fn a_token_that_nobody_knows_is_unauthorized() {
    let file = plane()
        .kubeconfig_with_token("unknown", "no-such-token")
        .unwrap();
    let cluster = with_kubeconfig(file).await;
    let error = cluster.identity().await.unwrap_err();
    assert_eq!(
        (error.kind.clone(), error.code),
        (ErrorKind::Unauthorized, 401)
    );
    assert_eq!(
        error.message,
        "the token of kubeconfig user \"live\" is expired or unknown to the cluster: put a new one into the kubeconfig (Unauthorized)"
    );
    let ns = namespace("token");
    let object = config_map(&ns, "one");
    assert_eq!(
        cluster.object(&object).await.unwrap_err().kind,
        ErrorKind::Unauthorized
    );
}

#[tokio::test]
async fn a_server_that_we_do_not_trust_is_unreachable() {
    let text = std::fs::read_to_string(plane().kubeconfig("admin")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    config["clusters"][0]["cluster"]
        .as_object_mut()
        .unwrap()
        .remove("certificate-authority");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    std::fs::write(&file, config.to_string()).unwrap();
    let cluster = KubeCluster::connect(Some(&file), None).await.unwrap();
    let error = cluster.version().await.unwrap_err();
    assert_eq!(
        (error.kind.clone(), error.code),
        (ErrorKind::Unreachable, 0),
        "{error:?}"
    );
    assert!(error.message.contains("certificate"), "{error}");
}
