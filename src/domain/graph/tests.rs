//! Edges by kind of inference, and the laws of the graph on random ones.
#![cfg(test)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "objects are written in place"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::fleet::PlacedGlob;
use crate::domain::object::ObjectRef;
use crate::domain::release::Driver;

/// A release in `shop` (or `namespace/name`) with these objects.
pub(crate) fn sight(id: &str, objects: &[Value]) -> Sight {
    let release: ReleaseId = match id.matches('/').count() {
        0 => format!("eu-1/shop/{id}").parse().unwrap(),
        1 => format!("eu-1/{id}").parse().unwrap(),
        _ => id.parse().unwrap(),
    };
    let chart = ChartRef {
        name: release.name.as_str().to_owned(),
        version: "1.0.0".to_owned(),
    };
    let home = release.namespace.clone();
    let mut sight = Sight::new(release, Some(chart), Driver::Secret);
    for body in objects {
        let text = |key: &str| body.pointer(key).and_then(Value::as_str);
        let kind = text("/kind").unwrap();
        let cluster_scoped = kind.ends_with("Class")
            || kind.starts_with("Cluster")
            || kind.ends_with("Configuration")
            || matches!(
                kind,
                "Namespace" | "CustomResourceDefinition" | "APIService" | "PersistentVolume"
            );
        let object = ObjectRef {
            api_version: text("/apiVersion").unwrap().to_owned(),
            kind: kind.to_owned(),
            namespace: (!cluster_scoped)
                .then(|| text("/metadata/namespace").map_or_else(|| home.clone(), Into::into)),
            name: text("/metadata/name").unwrap().to_owned(),
        };
        let plural = match kind.to_lowercase() {
            it if it.ends_with('s') => format!("{it}es"),
            it if it.ends_with('y') => format!("{}ies", it.trim_end_matches('y')),
            it => format!("{it}s"),
        };
        sight.object(&object, &plural, body);
    }
    sight.finish();
    sight
}

/// An object of a kind.
fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut body = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    let merged = body.as_object_mut().unwrap();
    for (key, value) in rest.as_object().cloned().unwrap_or_default() {
        match (key.as_str(), merged.get_mut(&key)) {
            ("metadata", Some(Value::Object(old))) => {
                old.extend(value.as_object().unwrap().clone());
            }
            _ => {
                merged.insert(key, value);
            }
        }
    }
    body
}

fn pod(spec: Value) -> Value {
    object(
        "apps/v1",
        "Deployment",
        "web",
        json!({"spec": {"template": {"spec": spec}}}),
    )
}

fn graph_of(releases: Vec<Sight>) -> ReleaseGraph {
    let mut clusters: BTreeMap<String, ClusterSight> = BTreeMap::new();
    for sight in releases {
        let name = sight.release.cluster.clone();
        clusters
            .entry(name.as_str().to_owned())
            .or_insert_with(|| ClusterSight::new(name))
            .releases
            .push(sight);
    }
    build(
        clusters.into_values().collect(),
        &[],
        &ReadScope::default(),
        false,
    )
    .unwrap()
}

/// Edges in words, without the cluster.
pub(crate) fn told(graph: &ReleaseGraph) -> Vec<String> {
    let name = |at: u32| {
        let id = &graph.node(at).unwrap().release;
        format!("{}/{}", id.namespace, id.name)
    };
    let line = |edge: &Edge| {
        let more = if edge.more > 0 {
            format!(" +{}", edge.more)
        } else {
            String::new()
        };
        format!(
            "{} -> {}: {} {} {}{more}",
            name(edge.from),
            name(edge.to),
            edge.kind,
            edge.reason,
            edge.confidence
        )
    };
    graph.edges.iter().map(line).collect()
}

/// What `web` needs of `base`, which holds `held`.
fn between(needs: Value, held: &[Value]) -> Vec<String> {
    let graph = graph_of(vec![sight("web", &[needs]), sight("base", held)]);
    assert_eq!(graph.nodes[0].release.name.as_str(), "base");
    assert!(
        graph
            .edges
            .iter()
            .all(|edge| (edge.from, edge.to) == (1, 0))
    );
    let edges = graph.edges.iter();
    edges
        .map(|edge| format!("{} {} {}", edge.kind, edge.reason, edge.confidence))
        .collect()
}

#[test]
fn a_custom_resource_waits_for_its_definition() {
    let definition = |name: &str| {
        object(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            name,
            json!({"spec": {"group": "cert-manager.io", "names": {"kind": "Certificate"}}}),
        )
    };
    let certificate = object(
        "cert-manager.io/v1",
        "Certificate",
        "web",
        json!({"spec": {"secretName": "web-tls"}}),
    );
    assert_eq!(
        between(
            certificate.clone(),
            &[definition("certificates.cert-manager.io")]
        ),
        ["crd Certificate cert-manager.io/v1 1.0"]
    );
    // A definition of one's own is nothing to wait for, even if another release holds it too.
    let own = sight("web", &[certificate.clone(), definition("a")]);
    let graph = graph_of(vec![own, sight("base", &[definition("a")])]);
    assert_eq!(told(&graph), [""; 0]);
    // A definition in the chart's crds/ folder is in no manifest, and a little less sure.
    let mut bundled = sight("base", &[]);
    bundled.bundled_definition(&definition("a"));
    let graph = graph_of(vec![sight("web", &[certificate]), bundled]);
    assert_eq!(
        told(&graph),
        ["shop/web -> shop/base: crd Certificate cert-manager.io/v1 0.9"]
    );
}

#[test]
fn a_secret_that_an_operator_makes_is_its_makers() {
    let certificate = object(
        "cert-manager.io/v1",
        "Certificate",
        "web",
        json!({"spec": {"secretName": "web-tls"}}),
    );
    let ingress = object(
        "networking.k8s.io/v1",
        "Ingress",
        "web",
        json!({"spec": {"tls": [{"secretName": "web-tls"}]}}),
    );
    assert_eq!(
        between(ingress, &[certificate]),
        ["secret Secret web-tls 0.6"]
    );
    let sealed = object("bitnami.com/v1alpha1", "SealedSecret", "db", json!({}));
    let env = pod(json!({"containers": [{"envFrom": [{"secretRef": {"name": "db"}}]}]}));
    assert_eq!(between(env, &[sealed]), ["secret Secret db 0.8"]);
}

#[test]
fn pods_wait_for_what_they_name() {
    let held: Vec<Value> = [
        ("v1", "ServiceAccount", "runner"),
        ("v1", "ConfigMap", "settings"),
        ("v1", "Secret", "db"),
        ("v1", "PersistentVolumeClaim", "data"),
        ("scheduling.k8s.io/v1", "PriorityClass", "high"),
        ("node.k8s.io/v1", "RuntimeClass", "gvisor"),
    ]
    .map(|(version, kind, name)| object(version, kind, name, json!({})))
    .into();
    for (spec, wanted) in [
        (
            json!({"serviceAccountName": "runner"}),
            "account ServiceAccount runner 0.9",
        ),
        (json!({"serviceAccountName": "default"}), ""),
        (
            json!({"priorityClassName": "high"}),
            "class PriorityClass high 0.9",
        ),
        (
            json!({"runtimeClassName": "gvisor"}),
            "class RuntimeClass gvisor 0.9",
        ),
        (
            json!({"imagePullSecrets": [{"name": "db"}]}),
            "secret Secret db 0.6",
        ),
        (
            json!({"containers": [{"envFrom": [{"configMapRef": {"name": "settings"}}]}]}),
            "config ConfigMap settings 0.8",
        ),
        (
            json!({"containers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "a", "optional": true}}}]}]}),
            "secret Secret db 0.4",
        ),
        (
            json!({"volumes": [{"secret": {"secretName": "db"}}]}),
            "secret Secret db 0.8",
        ),
        (
            json!({"volumes": [{"configMap": {"name": "settings"}}]}),
            "config ConfigMap settings 0.8",
        ),
        (
            json!({"volumes": [{"projected": {"sources": [{"secret": {"name": "db"}}]}}]}),
            "secret Secret db 0.8",
        ),
        (
            json!({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}),
            "volume PersistentVolumeClaim data 0.9",
        ),
        (
            json!({"volumes": [{"csi": {"driver": "x", "nodePublishSecretRef": {"name": "db"}}}]}),
            "secret Secret db 0.8",
        ),
        (json!({"containers": [{"name": "db"}]}), ""),
    ] {
        let wanted: Vec<&str> = wanted.split('\n').filter(|it| !it.is_empty()).collect();
        assert_eq!(between(pod(spec.clone()), &held), wanted, "{spec}");
    }
    // Another namespace's Secret of that name is another Secret.
    let graph = graph_of(vec![
        sight("web", &[pod(json!({"imagePullSecrets": [{"name": "db"}]}))]),
        sight("data/base", &[object("v1", "Secret", "db", json!({}))]),
    ]);
    assert_eq!(told(&graph), [""; 0]);
}

#[test]
fn names_elsewhere_are_found_too() {
    let service = object(
        "v1",
        "Service",
        "db",
        json!({"metadata": {"namespace": "data"}}),
    );
    let local = object("v1", "Service", "api", json!({}));
    for (needs, held, wanted) in [
        (
            object(
                "networking.k8s.io/v1",
                "Ingress",
                "web",
                json!({"spec": {
                "ingressClassName": "nginx",
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "api"}}}]}}]}}),
            ),
            vec![
                local.clone(),
                object("networking.k8s.io/v1", "IngressClass", "nginx", json!({})),
            ],
            vec!["class IngressClass nginx 0.9", "service Service api 0.6"],
        ),
        (
            pod(
                json!({"containers": [{"env": [{"name": "DB", "value": "postgres://db.data.svc.cluster.local:5432/x"}]}]}),
            ),
            vec![service.clone()],
            vec!["service Service data/db 0.6"],
        ),
        (
            object(
                "v1",
                "ConfigMap",
                "c",
                json!({"data": {"url": "é db.data.svc, db.data.svcs"}}),
            ),
            vec![service],
            vec!["service Service data/db 0.6"],
        ),
        (
            object(
                "apps/v1",
                "StatefulSet",
                "s",
                json!({"spec": {"serviceName": "api",
                "volumeClaimTemplates": [{"spec": {"storageClassName": "fast"}}]}}),
            ),
            vec![
                local,
                object("storage.k8s.io/v1", "StorageClass", "fast", json!({})),
            ],
            vec!["class StorageClass fast 0.9", "service Service api 0.6"],
        ),
        (
            object(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                "b",
                json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "reader"},
                "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": "shop"}]}),
            ),
            vec![
                object(
                    "rbac.authorization.k8s.io/v1",
                    "ClusterRole",
                    "reader",
                    json!({}),
                ),
                object("v1", "ServiceAccount", "runner", json!({})),
            ],
            vec!["rbac ClusterRole reader 0.6 +1"],
        ),
        (
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "h",
                json!({"spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}),
            ),
            vec![pod(json!({}))],
            vec!["reference Deployment web 0.6"],
        ),
        (
            object(
                "cert-manager.io/v1",
                "Certificate",
                "c",
                json!({"spec": {
                "issuerRef": {"name": "le", "kind": "ClusterIssuer"}}}),
            ),
            vec![object(
                "cert-manager.io/v1",
                "ClusterIssuer",
                "le",
                json!({}),
            )],
            vec!["reference ClusterIssuer le 0.6"],
        ),
        (
            object(
                "gateway.networking.k8s.io/v1",
                "Gateway",
                "g",
                json!({"spec": {"listeners": [{"tls": {"certificateRefs": [{"name": "tls"}]}}]}}),
            ),
            vec![object("v1", "Secret", "tls", json!({}))],
            vec!["secret Secret tls 0.8"],
        ),
        (
            object(
                "apps/v1",
                "Deployment",
                "d",
                json!({"metadata": {"namespace": "new"}}),
            ),
            vec![object("v1", "Namespace", "new", json!({}))],
            vec!["namespace Namespace new 1.0"],
        ),
        (
            object("metrics.example.com/v1", "Thing", "t", json!({})),
            vec![object(
                "apiregistration.k8s.io/v1",
                "APIService",
                "v1.metrics.example.com",
                json!({
                "spec": {"group": "metrics.example.com", "version": "v1", "service": {"name": "x"}}}),
            )],
            vec!["apiservice APIService v1.metrics.example.com 1.0"],
        ),
        (
            object(
                "v1",
                "ConfigMap",
                "c",
                json!({"metadata": {"annotations": {"refit.dev/needs": "base, other/x"}}}),
            ),
            vec![],
            vec!["needs refit.dev/needs: base 0.9"],
        ),
    ] {
        let graph = graph_of(vec![
            sight("web", std::slice::from_ref(&needs)),
            sight("base", &held),
        ]);
        let lines: Vec<String> = told(&graph)
            .iter()
            .map(|line| line.replace("shop/web -> shop/base: ", ""))
            .collect();
        assert_eq!(lines, wanted, "{needs}");
    }
}

fn webhook(rest: Value) -> Value {
    let mut hook = json!({
        "name": "v.example",
        "clientConfig": {"service": {"namespace": "shop", "name": "guard"}},
        "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE", "UPDATE"]}],
    });
    let merged = hook.as_object_mut().unwrap();
    merged.extend(rest.as_object().unwrap().clone());
    object(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "guard",
        json!({"webhooks": [hook]}),
    )
}

#[test]
fn a_webhook_stands_before_the_writes_that_its_rules_name() {
    let deployment = pod(json!({}));
    let on = "webhook ValidatingWebhookConfiguration guard on Deployment";
    let selector =
        |key: &str, value: &str| json!({"namespaceSelector": {"matchLabels": {key: value}}});
    for (rest, wanted) in [
        (json!({}), format!("{on} 0.9")),
        (json!({"failurePolicy": "Ignore"}), format!("{on} 0.5")),
        (
            json!({"matchConditions": [{"name": "x", "expression": "true"}]}),
            format!("{on} 0.4"),
        ),
        (
            selector("kubernetes.io/metadata.name", "shop"),
            format!("{on} 0.9"),
        ),
        (
            selector("kubernetes.io/metadata.name", "other"),
            String::new(),
        ),
        // Nobody listed the namespace's labels: it may stand there or not.
        (selector("team", "a"), format!("{on} 0.3")),
        (
            json!({"objectSelector": {"matchLabels": {"a": "b"}}}),
            String::new(),
        ),
        (
            json!({"objectSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}}),
            format!("{on} 0.9"),
        ),
        (
            json!({"rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "operations": ["CREATE"]}]}),
            String::new(),
        ),
        (
            json!({"rules": [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "operations": ["*"]}]}),
            String::new(),
        ),
        (
            json!({"rules": [{"apiGroups": ["*"], "resources": ["*/*"], "operations": ["*"], "scope": "Namespaced"}]}),
            format!("{on} 0.9 +1"),
        ),
        (
            json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "operations": ["*"], "scope": "Cluster"}]}),
            String::new(),
        ),
        (
            json!({"rules": [{"apiGroups": [""], "resources": ["secrets"], "operations": ["UPDATE"]}]}),
            "webhook ValidatingWebhookConfiguration guard on Secret 0.9".to_owned(),
        ),
    ] {
        let graph = graph_of(vec![
            sight("web", std::slice::from_ref(&deployment)),
            sight("guard", &[webhook(rest.clone())]),
        ]);
        let lines: Vec<String> = told(&graph)
            .iter()
            .map(|it| it.replace("shop/web -> shop/guard: ", ""))
            .collect();
        let wanted: Vec<String> = Some(wanted)
            .filter(|it| !it.is_empty())
            .into_iter()
            .collect();
        assert_eq!(lines, wanted, "{rest}");
    }
    // Labels of live namespaces decide.
    let mut cluster = ClusterSight::new("eu-1".into());
    cluster.releases = vec![
        sight("web", &[deployment]),
        sight("guard", &[webhook(selector("team", "a"))]),
    ];
    for (team, edges) in [("a", 1), ("b", 0)] {
        cluster.namespaces = [(
            "shop".to_owned(),
            [("team".to_owned(), team.to_owned())].into(),
        )]
        .into();
        let graph = build(vec![cluster.clone()], &[], &ReadScope::default(), false).unwrap();
        assert_eq!(graph.edges.len(), edges, "{team}");
    }
}

#[test]
fn an_injected_bundle_and_a_conversion_webhook_are_waited_for() {
    let issuer = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "c",
        json!({"spec": {"group": "cert-manager.io", "names": {"kind": "Certificate"}}}),
    );
    let injected = object(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        "ingress",
        json!({"metadata": {"annotations": {"cert-manager.io/inject-ca-from": "shop/ca"}}}),
    );
    assert_eq!(
        between(injected, &[issuer]),
        ["webhook ValidatingWebhookConfiguration takes its caBundle 0.9"]
    );
    let converted = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "d",
        json!({"spec": {
            "group": "example.com", "names": {"kind": "Thing"},
            "versions": [{"schema": {"openAPIV3Schema": {"properties": {"serviceAccountName": {"type": "string"}, "secretName": "db"}}}}],
            "conversion": {"webhook": {"clientConfig": {"service": {"namespace": "shop", "name": "convert"}}}}}}),
    );
    let held = [
        object("v1", "Service", "convert", json!({})),
        object("v1", "Secret", "db", json!({})),
    ];
    assert_eq!(between(converted, &held), ["service Service convert 0.8"]);
}

#[test]
fn umbrellas_wait_for_the_neighbour_of_a_chart_that_they_switch_off() {
    let mut umbrella = sight("platform", &[]);
    umbrella.chart_dependency("postgresql", true);
    umbrella.chart_dependency("common", false);
    let mut database = sight("db", &[]);
    database.chart = None;
    let release: ReleaseId = "eu-1/shop/db".parse().unwrap();
    let chart = ChartRef {
        name: "postgresql".to_owned(),
        version: "15.0.0".to_owned(),
    };
    let database = |name: &str| {
        let id = ReleaseId {
            name: name.into(),
            ..release.clone()
        };
        Sight::new(id, Some(chart.clone()), Driver::Secret)
    };
    let graph = graph_of(vec![umbrella.clone(), database("db")]);
    assert_eq!(
        told(&graph),
        ["shop/platform -> shop/db: umbrella chart postgresql is listed and switched off 0.5"]
    );
    // Which of two, nobody can tell.
    assert_eq!(
        told(&graph_of(vec![umbrella, database("db"), database("db2")])),
        [""; 0]
    );
}

#[test]
fn flux_says_it_itself() {
    let flux = |name: &str, release: &str, on: &[&str]| FluxRelease {
        id: ("flux".to_owned(), name.to_owned()),
        helm: ("shop".to_owned(), release.to_owned()),
        depends_on: on
            .iter()
            .map(|it| ("flux".to_owned(), (*it).to_owned()))
            .collect(),
    };
    let mut cluster = ClusterSight::new("eu-1".into());
    cluster.releases = vec![sight("web", &[]), sight("db", &[])];
    cluster.flux = vec![flux("a", "web", &["b", "gone"]), flux("b", "db", &[])];
    let graph = build(vec![cluster], &[], &ReadScope::default(), false).unwrap();
    assert_eq!(
        told(&graph),
        ["shop/web -> shop/db: flux HelmRelease flux/a dependsOn 0.9"]
    );
}

fn depends(release: &str, on: &str) -> Depends {
    let placed = |glob: &str, place: &str| PlacedGlob {
        glob: glob.to_owned(),
        place: format!("fleet.toml:{place}"),
    };
    Depends {
        release: placed(release, "7:11"),
        on: placed(on, "8:6"),
    }
}

fn declared(release: &str, on: &str, read: &ReadScope) -> Result<Vec<String>, GraphError> {
    let mut clusters = Vec::new();
    for name in ["eu-10", "eu-2", "us-1"] {
        let mut cluster = ClusterSight::new(name.into());
        for release in ["shop/web", "shop/api", "ingress/nginx"] {
            cluster
                .releases
                .push(sight(&format!("{name}/{release}"), &[]));
        }
        clusters.push(cluster);
    }
    let graph = build(clusters, &[depends(release, on)], read, false)?;
    let id = |at: u32| graph.node(at).unwrap().release.to_string();
    let edges = graph.edges.iter();
    assert!(
        edges
            .clone()
            .all(|it| &*it.reason == "fleet.toml:7:11" && it.is_declared())
    );
    Ok(edges
        .map(|it| format!("{} {}", id(it.from), id(it.to)))
        .collect())
}

#[test]
fn declared_edges_stay_in_a_cluster_where_both_sides_say_the_same() {
    let all = ReadScope::default();
    assert_eq!(
        declared("*/shop/*", "*/ingress/nginx", &all).unwrap(),
        [
            "eu-2/shop/api eu-2/ingress/nginx",
            "eu-2/shop/web eu-2/ingress/nginx",
            "eu-10/shop/api eu-10/ingress/nginx",
            "eu-10/shop/web eu-10/ingress/nginx",
            "us-1/shop/api us-1/ingress/nginx",
            "us-1/shop/web us-1/ingress/nginx",
        ]
    );
    assert_eq!(
        declared("eu-*/shop/web", "us-1/ingress/nginx", &all).unwrap(),
        [
            "eu-2/shop/web us-1/ingress/nginx",
            "eu-10/shop/web us-1/ingress/nginx"
        ]
    );
    assert_eq!(
        declared("**/shop/web", "*/ingress/nginx", &all)
            .unwrap()
            .len(),
        9
    );
    // Itself is nobody to wait for.
    assert_eq!(
        declared("eu-2/shop/*", "eu-2/shop/web", &all)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_glob_that_nobody_matches_is_refused_unless_it_was_not_read() {
    let unknown = |release: &str, on: &str, read: &ReadScope| match declared(release, on, read) {
        Err(GraphError::UnknownReleases(list)) => list,
        other => panic!("{other:?}"),
    };
    let all = ReadScope::default();
    let lost = unknown("*/shop/*", "*/ingress/ngin", &all);
    assert_eq!(
        (
            lost[0].place.as_str(),
            lost[0].key.as_str(),
            lost[0].glob.as_str()
        ),
        ("fleet.toml:8:6", "on", "*/ingress/ngin")
    );
    assert_eq!(
        lost[0].close,
        [
            "eu-10/ingress/nginx",
            "eu-2/ingress/nginx",
            "us-1/ingress/nginx"
        ]
    );
    assert_eq!(unknown("mars/a/b", "mars/c/d", &all).len(), 2);
    let unread = ReadScope {
        unread: ["ap-1".into()].into(),
        narrowed: false,
    };
    assert_eq!(
        declared("ap-*/shop/*", "eu-2/shop/web", &unread),
        Ok(vec![])
    );
    assert_eq!(unknown("eu-*/nope/*", "eu-2/shop/web", &unread).len(), 1);
    let narrowed = ReadScope {
        narrowed: true,
        ..ReadScope::default()
    };
    assert_eq!(declared("mars/a/b", "eu-2/shop/web", &narrowed), Ok(vec![]));
}

/// Random graphs as lists of `(from, to, tenths, declared)` over so many nodes.
fn any_edges() -> impl Strategy<Value = (usize, Vec<(usize, usize, u8, bool)>)> {
    (2_usize..14).prop_flat_map(|nodes| {
        let edge = (0..nodes, 0..nodes, 1_u8..=10, prop::bool::weighted(0.15));
        (Just(nodes), prop::collection::vec(edge, 0..40))
    })
}

fn nodes(count: usize) -> Vec<Node> {
    (0..count)
        .map(|at| Node {
            release: format!("eu-1/shop/r{at:02}").parse().unwrap(),
            chart: None,
            depth: 0,
        })
        .collect()
}

fn edges(list: &[(usize, usize, u8, bool)]) -> Vec<Edge> {
    let all = list
        .iter()
        .filter(|it| it.0 != it.1)
        .map(|(from, to, sure, declared)| Edge {
            from: u32::try_from(*from).unwrap(),
            to: u32::try_from(*to).unwrap(),
            kind: if *declared {
                EdgeKind::Declared
            } else {
                EdgeKind::ALL[usize::from(*sure)]
            },
            confidence: if *declared {
                Confidence::CERTAIN
            } else {
                Confidence::tenths(*sure)
            },
            reason: "x".into(),
            more: 0,
        });
    infer::folded(all.collect())
}

/// Is there a cycle? By taking leaves away: another algorithm than the product's.
fn cyclic(count: usize, edges: &[Edge]) -> bool {
    let mut left: BTreeSet<usize> = (0..count).collect();
    loop {
        let waits = |at: &usize| {
            edges
                .iter()
                .any(|it| it.from as usize == *at && left.contains(&(it.to as usize)))
        };
        let free: Vec<usize> = left.iter().copied().filter(|at| !waits(at)).collect();
        if free.is_empty() {
            return !left.is_empty();
        }
        for at in free {
            left.remove(&at);
        }
    }
}

proptest! {
    #[test]
    fn every_reported_cycle_is_one_and_its_first_edge_is_the_weakest((count, list) in any_edges()) {
        let edges = edges(&list);
        let graph = ReleaseGraph::assemble(nodes(count), edges.clone(), vec![], false);
        prop_assert_eq!(graph.is_cyclic(), cyclic(count, &edges));
        prop_assert_eq!(graph.order().is_none(), graph.is_cyclic());
        prop_assert_eq!(&graph.edges, &edges, "nothing is cut unasked");
        prop_assert_eq!(graph.cycles.is_empty(), !graph.is_cyclic());
        for cycle in &graph.cycles {
            let around = cycle.edges.iter().zip(cycle.edges.iter().cycle().skip(1));
            for (edge, next) in around {
                prop_assert_eq!(edge.to, next.from);
                prop_assert!(edges.contains(edge));
            }
            let starts: BTreeSet<u32> = cycle.edges.iter().map(|it| it.from).collect();
            prop_assert_eq!(starts.len(), cycle.edges.len(), "a release stands in its cycle once");
            let weakest = cycle.edges.iter().map(|it| (it.is_declared(), it.confidence)).min();
            let first = &cycle.edges[0];
            prop_assert_eq!(Some((first.is_declared(), first.confidence)), weakest);
            prop_assert_eq!(cycle.breakable, cycle.edges.iter().any(|it| !it.is_declared()));
        }
    }

    #[test]
    fn cutting_leaves_no_cycle_but_declared_ones_and_cuts_no_more_than_it_must((count, list) in any_edges()) {
        let edges = edges(&list);
        let graph = ReleaseGraph::assemble(nodes(count), edges.clone(), vec![], true);
        prop_assert!(graph.cut.iter().all(|it| !it.is_declared()));
        prop_assert_eq!(graph.edges.len() + graph.cut.len(), edges.len());
        let declared: Vec<Edge> = edges.iter().filter(|it| it.is_declared()).cloned().collect();
        prop_assert_eq!(graph.is_cyclic(), cyclic(count, &declared));
        prop_assert!(graph.cycles.iter().all(|it| !it.breakable));
        if !graph.is_cyclic() {
            prop_assert!(!cyclic(count, &graph.edges));
            for edge in &graph.cut {
                let mut again = graph.edges.clone();
                again.push(edge.clone());
                prop_assert!(cyclic(count, &again), "{:?} was cut for nothing", edge);
            }
        }
    }

    #[test]
    fn order_and_depth_follow_every_edge((count, list) in any_edges()) {
        let graph = ReleaseGraph::assemble(nodes(count), edges(&list), vec![], true);
        if let Some(order) = graph.order() {
            let at: BTreeMap<u32, usize> = order.iter().copied().zip(0..).collect();
            prop_assert_eq!(at.len(), count);
            for edge in &graph.edges {
                prop_assert!(at[&edge.to] < at[&edge.from]);
                prop_assert!(graph.node(edge.to).unwrap().depth < graph.node(edge.from).unwrap().depth);
            }
            for (place, node) in (0_u32..).zip(&graph.nodes) {
                let below = graph.edges.iter().filter(|it| it.from == place);
                let most = below.map(|it| graph.node(it.to).unwrap().depth + 1).max();
                prop_assert_eq!(node.depth, most.unwrap_or(0));
            }
        }
    }

    #[test]
    fn the_order_of_the_input_plays_no_part((count, list) in any_edges(), seed in any::<u64>()) {
        let mut shuffled = list.clone();
        let mut state = seed;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, usize::try_from(state >> 33).unwrap() % (at + 1));
        }
        for cut in [false, true] {
            let one = ReleaseGraph::assemble(nodes(count), edges(&list), vec![], cut);
            let other = ReleaseGraph::assemble(nodes(count), edges(&shuffled), vec![], cut);
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn a_view_holds_what_is_around_and_nothing_else((count, list) in any_edges(), at in 0_usize..14) {
        let graph = ReleaseGraph::assemble(nodes(count), edges(&list), vec![], false);
        prop_assert_eq!(&graph.view(&Focus::All, None).unwrap(), &graph);
        let release = graph.nodes[at % count].release.clone();
        let near = graph.view(&Focus::Release(release.clone()), Some(1)).unwrap();
        let place = near.place(&release).unwrap();
        let direct = graph.edges.iter().filter(|it| [it.from, it.to].contains(&graph.place(&release).unwrap()));
        let shown = near.edges.iter().filter(|it| [it.from, it.to].contains(&place));
        prop_assert_eq!(shown.count(), direct.count());
    }
}

#[test]
fn releases_and_objects_in_any_order_give_one_graph() {
    let certificate = object(
        "cert-manager.io/v1",
        "Certificate",
        "c",
        json!({"spec": {"secretName": "s"}}),
    );
    let definition = object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "d",
        json!({"spec": {"group": "cert-manager.io", "names": {"kind": "Certificate"}}}),
    );
    let web = pod(json!({"imagePullSecrets": [{"name": "s"}]}));
    let one = graph_of(vec![
        sight("web", &[web.clone(), certificate.clone()]),
        sight("a", std::slice::from_ref(&web)),
        sight("base", std::slice::from_ref(&definition)),
    ]);
    let other = graph_of(vec![
        sight("base", &[definition]),
        sight("a", std::slice::from_ref(&web)),
        sight("web", &[certificate, web]),
    ]);
    assert_eq!(one, other);
    assert_eq!(one.edges.len(), 2);
}

/// Time grows with the edges: 20,000 releases in one component and a chain of 20,000 fit into any test's time, and the
/// chain into any stack.
#[test]
fn a_large_cycle_and_a_long_chain_are_no_matter() {
    let count = 20_000_u32;
    let chain = |last: bool| {
        let ends = (0..count).map(|at| (at, (at + 1) % count));
        let edges = ends
            .filter(|(at, _)| last || at + 1 < count)
            .map(|(from, to)| Edge {
                from,
                to,
                kind: EdgeKind::Service,
                confidence: Confidence::tenths(if from == 7 { 5 } else { 6 }),
                reason: "x".into(),
                more: 0,
            });
        infer::folded(edges.collect())
    };
    let names = || {
        (0..count)
            .map(|at| Node {
                release: format!("eu-1/shop/r{at:06}").parse().unwrap(),
                chart: None,
                depth: 0,
            })
            .collect::<Vec<Node>>()
    };
    let graph = ReleaseGraph::assemble(names(), chain(false), vec![], false);
    assert_eq!(graph.nodes[0].depth, count - 1);
    let graph = ReleaseGraph::assemble(names(), chain(true), vec![], true);
    assert_eq!(graph.cut.len(), 1);
    assert_eq!(graph.cut[0].from, 7);
}

#[test]
fn foreign_graphs_are_read_or_refused() {
    let good = json!({"nodes": [{"release": "a/b/c"}, {"release": "a/b/d", "chart": {"name": "x", "version": "1"}}],
        "edges": [{"from": "a/b/c", "to": "a/b/d", "kind": "crd", "reason": "r", "confidence": 0.9}]});
    let graph = read_graph(&good).unwrap();
    assert_eq!(
        (graph.nodes[0].depth, graph.edges[0].confidence.as_tenths()),
        (1, 9)
    );
    for (pointer, wrong) in [
        ("/nodes/0/release", json!("a/b")),
        ("/nodes/1/release", json!("a/b/c")),
        ("/edges/0/to", json!("a/b/x")),
        ("/edges/0/kind", json!("love")),
        ("/edges/0/confidence", json!(7)),
        ("/nodes", json!(3)),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(read_graph(&bad).is_err(), "{pointer}");
    }
}
