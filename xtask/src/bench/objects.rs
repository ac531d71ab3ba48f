//! Objects as charts make them: some ordinary ones, and a Deployment of a thousand lines.

use serde_json::{Map, Value, json};

/// Lines of the long Deployment.
const LONG: usize = 1000;

/// A manifest, and where it is served.
pub struct Object {
    /// As Helm sends it.
    pub body: Value,
    /// Path of its collection.
    pub collection: String,
}

impl Object {
    fn new(root: &str, plural: &str, name: &str, mut body: Value) -> Self {
        body["metadata"] = json!({
            "name": name,
            "namespace": "default",
            "labels": {
                "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/name": name,
                "app.kubernetes.io/version": "1.4.2", "helm.sh/chart": "shop-3.1.0",
            },
            "annotations": {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "default"},
        });
        Self {
            body,
            collection: format!("{root}/namespaces/default/{plural}"),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.body["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// Its path.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection, self.name())
    }

    /// Its apiVersion.
    pub fn api_version(&self) -> &str {
        self.body["apiVersion"].as_str().unwrap_or_default()
    }

    /// Lines of its manifest as YAML.
    pub fn lines(&self) -> usize {
        lines(&self.body)
    }
}

/// Ordinary objects, then the long Deployment.
pub fn all() -> Vec<Object> {
    let core = |plural, name, body| Object::new("/api/v1", plural, name, body);
    vec![
        deployment("deployment", &[container(0, 4)]),
        core(
            "services",
            "service",
            json!({
                "apiVersion": "v1", "kind": "Service",
                "spec": {"type": "ClusterIP", "selector": {"app": "shop"}, "ports": [
                    {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"},
                    {"name": "metrics", "port": 9090, "targetPort": 9090, "protocol": "TCP"},
                ]},
            }),
        ),
        core(
            "configmaps",
            "configmap",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": texts(12)}),
        ),
        core(
            "secrets",
            "secret",
            json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"password": "aHVudGVyMg==", "user": "c2hvcA=="}}),
        ),
        core(
            "serviceaccounts",
            "serviceaccount",
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false}),
        ),
        Object::new(
            "/apis/networking.k8s.io/v1",
            "ingresses",
            "ingress",
            json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["shop.example.org"], "secretName": "tls"}], "rules": [
                    {"host": "shop.example.org", "http": {"paths": [
                        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "service", "port": {"name": "http"}}}},
                    ]}},
                ]},
            }),
        ),
        long_deployment(),
    ]
}

fn long_deployment() -> Object {
    let mut containers = Vec::new();
    loop {
        containers.push(container(containers.len(), 20));
        let object = deployment("long-deployment", &containers);
        if object.lines() >= LONG {
            return object;
        }
    }
}

fn deployment(name: &str, containers: &[Value]) -> Object {
    let labels = json!({"app": "shop", "tier": name});
    Object::new(
        "/apis/apps/v1",
        "deployments",
        name,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": labels},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {
                    "metadata": {"labels": labels, "annotations": {"checksum/config": "3f1b9c5d"}},
                    "spec": {
                        "serviceAccountName": "serviceaccount",
                        "securityContext": {"runAsNonRoot": true, "fsGroup": 1000},
                        "containers": containers,
                        "volumes": [{"name": "config", "configMap": {"name": "configmap"}}, {"name": "tmp", "emptyDir": {}}],
                    },
                },
            },
        }),
    )
}

fn container(number: usize, variables: usize) -> Value {
    let variables: Vec<Value> = (0..variables)
        .map(|at| json!({"name": format!("SETTING_{at:02}"), "value": format!("value-{at}")}))
        .collect();
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "http"}, "periodSeconds": 10, "timeoutSeconds": 2});
    json!({
        "name": format!("app-{number}"),
        "image": "registry.example.org/shop/app:1.4.2",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8080 + number, "protocol": "TCP"}],
        "env": variables,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/ready"),
        "volumeMounts": [{"name": "config", "mountPath": "/etc/shop", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}],
    })
}

fn texts(count: usize) -> Value {
    let texts: Map<String, Value> = (0..count)
        .map(|at| {
            (
                format!("setting-{at:02}"),
                json!(format!("a value of some length, number {at}")),
            )
        })
        .collect();
    Value::Object(texts)
}

fn lines(value: &Value) -> usize {
    match value {
        Value::Object(map) if !map.is_empty() => map
            .values()
            .map(|value| {
                let nested = match value {
                    Value::Object(map) => !map.is_empty(),
                    Value::Array(list) => !list.is_empty(),
                    _ => false,
                };
                if nested { 1 + lines(value) } else { 1 }
            })
            .sum(),
        Value::Array(list) if !list.is_empty() => list.iter().map(lines).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_deployment_has_a_thousand_lines() {
        let all = all();
        let long = all.last().unwrap();
        assert!((LONG..LONG + 100).contains(&long.lines()));
        assert_eq!(
            lines(&json!({"a": 1, "b": [{"c": 1, "d": {}}, 2], "e": {"f": 1}})),
            7
        );
    }
}
