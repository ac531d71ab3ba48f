//! Names of other objects inside an object, found by the names of the fields that hold them.
//!
//! Kubernetes spells a reference the same wherever it stands (`secretKeyRef`, `serviceAccountName`, `ingressClassName`),
//! and so do most custom resources. So one walk reads them all, built-in or not; of a custom resource a name is a sign
//! only. Values of Secrets are not looked at.

use serde_json::{Map, Value};

use super::edge::{Confidence, EdgeKind};
use super::sight::{Key, Need};

/// How deep an object is walked: deeper than any kind of Kubernetes, shallow enough for any stack.
const DEEPEST: usize = 64;

/// A text that may hold a DNS name is read so far: connection strings are short, and files in ConfigMaps are not.
const LONGEST_TEXT: usize = 64 * 1024;

/// A field of a custom resource is spelled like a reference, and may mean something else.
const CUSTOM: Confidence = Confidence::tenths(6);

/// The references of one object.
pub(super) struct References<'a> {
    group: &'a str,
    kind: &'a str,
    /// Namespace of names that stand without one.
    home: &'a str,
    /// What was found.
    pub(super) found: Vec<Need>,
}

impl<'a> References<'a> {
    pub(super) fn new(group: &'a str, kind: &'a str, home: &'a str) -> Self {
        Self {
            group,
            kind,
            home,
            found: Vec::new(),
        }
    }

    /// Reads an object.
    pub(super) fn read(&mut self, body: &Value) {
        self.annotations(body);
        let Some(object) = body.as_object() else {
            return;
        };
        match (self.group, self.kind) {
            // Schemas name fields; only the conversion webhook is one.
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                if let Some(conversion) = body.pointer("/spec/conversion") {
                    self.walk("conversion", conversion, 0);
                }
            }
            ("", "Secret") => {}
            ("", "ConfigMap") => {
                let data = object.get("data").and_then(Value::as_object);
                for text in data.into_iter().flatten().filter_map(|(_, it)| it.as_str()) {
                    self.dns_names(text);
                }
            }
            _ => {
                for (key, value) in object {
                    if !matches!(key.as_str(), "metadata" | "status" | "apiVersion" | "kind") {
                        self.walk(key, value, 0);
                    }
                }
            }
        }
    }

    fn walk(&mut self, key: &str, value: &Value, depth: usize) {
        if depth > DEEPEST || self.reference(key, value) {
            return;
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.walk(key, value, depth + 1);
                }
            }
            Value::Array(items) => {
                for item in items {
                    // An item goes by the name of its list.
                    self.walk(key, item, depth + 1);
                }
            }
            Value::String(text) if matches!(key, "value" | "args" | "command") => {
                self.dns_names(text);
            }
            _ => {}
        }
    }

    /// Takes a reference, if this is one. `true`: nothing below it is another.
    fn reference(&mut self, key: &str, value: &Value) -> bool {
        match value {
            Value::String(name) => self.by_name(key, name),
            Value::Object(map) => self.by_object(key, map),
            _ => false,
        }
    }

    fn by_name(&mut self, key: &str, name: &str) -> bool {
        let (group, kind, edge, sure, namespaced) = match key {
            "serviceAccountName" | "serviceAccount" if name != "default" => {
                ("", "ServiceAccount", EdgeKind::Account, 9, true)
            }
            "storageClassName" => ("storage.k8s.io", "StorageClass", EdgeKind::Class, 9, false),
            "ingressClassName" => (
                "networking.k8s.io",
                "IngressClass",
                EdgeKind::Class,
                9,
                false,
            ),
            "priorityClassName" => (
                "scheduling.k8s.io",
                "PriorityClass",
                EdgeKind::Class,
                9,
                false,
            ),
            "runtimeClassName" => ("node.k8s.io", "RuntimeClass", EdgeKind::Class, 9, false),
            "gatewayClassName" => (
                "gateway.networking.k8s.io",
                "GatewayClass",
                EdgeKind::Class,
                9,
                false,
            ),
            "volumeSnapshotClassName" => (
                "snapshot.storage.k8s.io",
                "VolumeSnapshotClass",
                EdgeKind::Class,
                9,
                false,
            ),
            // A Certificate's secretName is what it makes.
            "secretName" if self.kind != "Certificate" => ("", "Secret", EdgeKind::Secret, 6, true),
            "serviceName" => ("", "Service", EdgeKind::Service, 6, true),
            "volumeName" if self.kind == "PersistentVolumeClaim" => {
                ("", "PersistentVolume", EdgeKind::Volume, 9, false)
            }
            _ => return false,
        };
        let namespace = if namespaced { self.home } else { "" };
        self.need(group, kind, namespace, name, edge, sure);
        true
    }

    fn by_object(&mut self, key: &str, map: &Map<String, Value>) -> bool {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let optional = map.get("optional").and_then(Value::as_bool) == Some(true);
        let required = |sure: u8| if optional { 4 } else { sure };
        let (group, kind, namespace, name, edge, sure) = match key {
            "configMapKeyRef" | "configMapRef" | "configMap" => (
                "",
                "ConfigMap",
                text("namespace"),
                text("name"),
                EdgeKind::Config,
                required(8),
            ),
            "secretKeyRef" | "secretRef" | "secret" => (
                "",
                "Secret",
                text("namespace"),
                text("name").or(text("secretName")),
                EdgeKind::Secret,
                required(8),
            ),
            // Of CSI volumes.
            "nodePublishSecretRef"
            | "nodeStageSecretRef"
            | "nodeExpandSecretRef"
            | "controllerPublishSecretRef"
            | "controllerExpandSecretRef" => (
                "",
                "Secret",
                text("namespace"),
                text("name"),
                EdgeKind::Secret,
                8,
            ),
            "imagePullSecrets" => ("", "Secret", None, text("name"), EdgeKind::Secret, 6),
            "persistentVolumeClaim" => (
                "",
                "PersistentVolumeClaim",
                None,
                text("claimName"),
                EdgeKind::Volume,
                9,
            ),
            "service" => (
                "",
                "Service",
                text("namespace"),
                text("name"),
                EdgeKind::Service,
                if text("namespace").is_some() { 8 } else { 6 },
            ),
            "subjects" if text("kind") == Some("ServiceAccount") => (
                "",
                "ServiceAccount",
                text("namespace"),
                text("name"),
                EdgeKind::Rbac,
                6,
            ),
            "roleRef" | "scaleTargetRef" | "targetRef" | "issuerRef" | "parentRefs"
            | "parentRef" | "backendRefs" | "backendRef" | "certificateRefs" => {
                return self.typed(key, map);
            }
            _ => return false,
        };
        let Some(name) = name else { return false };
        let namespace = namespace.unwrap_or(self.home);
        self.need(group, kind, namespace, name, edge, sure);
        true
    }

    /// References that say their own kind.
    fn typed(&mut self, key: &str, map: &Map<String, Value>) -> bool {
        let text = |key: &str| map.get(key).and_then(Value::as_str);
        let Some(name) = text("name") else {
            return false;
        };
        let group = text("group")
            .or(text("apiGroup"))
            .or_else(|| Some(text("apiVersion")?.split_once('/').map_or("", |it| it.0)));
        let (group, kind, edge, sure) = match key {
            "roleRef" => (
                group.unwrap_or("rbac.authorization.k8s.io"),
                text("kind").unwrap_or("ClusterRole"),
                EdgeKind::Rbac,
                6,
            ),
            "issuerRef" => (
                group.unwrap_or("cert-manager.io"),
                text("kind").unwrap_or("Issuer"),
                EdgeKind::Reference,
                8,
            ),
            "parentRefs" | "parentRef" => (
                group.unwrap_or("gateway.networking.k8s.io"),
                text("kind").unwrap_or("Gateway"),
                EdgeKind::Reference,
                6,
            ),
            "certificateRefs" => (
                group.unwrap_or(""),
                text("kind").unwrap_or("Secret"),
                EdgeKind::Secret,
                8,
            ),
            "backendRefs" | "backendRef" => (
                group.unwrap_or(""),
                text("kind").unwrap_or("Service"),
                EdgeKind::Service,
                6,
            ),
            _ => match text("kind") {
                Some(kind) => (group.unwrap_or(""), kind, EdgeKind::Reference, 6),
                None => return false,
            },
        };
        let cluster_scoped = matches!(kind, "ClusterRole" | "ClusterIssuer");
        let namespace = if cluster_scoped {
            ""
        } else {
            text("namespace").unwrap_or(self.home)
        };
        self.need(group, kind, namespace, name, edge, sure);
        true
    }

    fn annotations(&mut self, body: &Value) {
        let annotations = body
            .pointer("/metadata/annotations")
            .and_then(Value::as_object);
        let text = |key: &str| annotations.and_then(|it| it.get(key)?.as_str());
        let home = self.home;
        for (key, group, kind, namespace, edge) in [
            (
                "kubernetes.io/ingress.class",
                "networking.k8s.io",
                "IngressClass",
                "",
                EdgeKind::Class,
            ),
            (
                "volume.beta.kubernetes.io/storage-class",
                "storage.k8s.io",
                "StorageClass",
                "",
                EdgeKind::Class,
            ),
            (
                "cert-manager.io/issuer",
                "cert-manager.io",
                "Issuer",
                home,
                EdgeKind::Reference,
            ),
            (
                "cert-manager.io/cluster-issuer",
                "cert-manager.io",
                "ClusterIssuer",
                "",
                EdgeKind::Reference,
            ),
        ] {
            if let Some(name) = text(key) {
                self.need(group, kind, namespace, name, edge, 6);
            }
        }
    }

    /// `db.data.svc`, as in `postgres://db.data.svc.cluster.local:5432`: names of Services in the cluster's DNS.
    fn dns_names(&mut self, text: &str) {
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        for (at, _) in text.match_indices(".svc") {
            let after = text[at + 4..].chars().next();
            if after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-') {
                continue;
            }
            let start = text[..at].rfind(|c: char| !in_name(c)).map_or(0, |before| {
                before + text[before..].chars().next().map_or(1, char::len_utf8)
            });
            let mut labels = text[start..at].rsplit('.');
            let (namespace, name) = (labels.next(), labels.next());
            if let (Some(namespace), Some(name)) = (namespace, name)
                && !namespace.is_empty()
                && !name.is_empty()
            {
                self.need("", "Service", namespace, name, EdgeKind::Service, 6);
            }
        }
    }

    fn need(
        &mut self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
        edge: EdgeKind,
        sure: u8,
    ) {
        if name.is_empty() {
            return;
        }
        let built_in = !self.group.contains('.') || self.group.ends_with(".k8s.io");
        let confidence = Confidence::tenths(sure);
        let reason = if namespace.is_empty() || namespace == self.home {
            format!("{kind} {name}")
        } else {
            format!("{kind} {namespace}/{name}")
        };
        self.found.push(Need {
            key: Key::Object(
                group.to_owned(),
                kind.to_owned(),
                namespace.to_owned(),
                name.to_owned(),
            ),
            kind: edge,
            confidence: if built_in {
                confidence
            } else {
                confidence.min(CUSTOM)
            },
            reason,
        });
    }
}
