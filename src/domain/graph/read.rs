//! From an object of a manifest to what its release holds, needs and writes.

use serde_json::Value;

use super::edge::{Confidence, EdgeKind};
use super::gate::{gates, labels};
use super::refs::References;
use super::sight::{Key, Need, Provided, Sight, Written};
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::{ChartRef, Driver};

/// The annotation that names what a release needs: `name`, `namespace/name`, `cluster/namespace/name`, by commas.
pub const NEEDS_ANNOTATION: &str = "refit.dev/needs";

impl Sight {
    /// A release of which no object was seen yet. Its records are written too: `driver` says as what.
    pub fn new(release: ReleaseId, chart: Option<ChartRef>, driver: Driver) -> Self {
        let namespace = release.namespace.as_str().to_owned();
        let owner = [("owner".to_owned(), "helm".to_owned())];
        let mut sight = Self {
            provides: Vec::new(),
            needs: Vec::new(),
            gates: Vec::new(),
            writes: [Written {
                group: String::new(),
                resource: driver.resource().to_owned(),
                kind: driver.kind().to_owned(),
                namespace: Some(namespace.clone()),
                labels: owner.into(),
            }]
            .into(),
            namespaces: std::collections::BTreeMap::new(),
            chart: chart.clone(),
            release,
        };
        sight.provide(
            Key::Release(namespace.clone(), sight.release.name.as_str().to_owned()),
            10,
        );
        if let Some(chart) = chart {
            sight.provide(Key::Chart(namespace.clone(), chart.name), 10);
        }
        sight.need_namespace(&namespace);
        sight
    }

    /// Takes in an object of the manifest. `resource` is its plural. Linear in the object.
    pub fn object(&mut self, object: &ObjectRef, resource: &str, body: &Value) {
        let group = object.group().to_owned();
        let namespace = object
            .namespace
            .as_ref()
            .map(|namespace| namespace.as_str().to_owned());
        self.provide(
            Key::Object(
                group.clone(),
                object.kind.clone(),
                namespace.clone().unwrap_or_default(),
                object.name.clone(),
            ),
            10,
        );
        if let Some(namespace) = &namespace {
            self.need_namespace(namespace);
        }
        let version = object.api_version.rsplit('/').next().unwrap_or_default();
        if group.contains('.') {
            let reason = format!("{} {}", object.kind, object.api_version);
            let definition = Key::Definition(group.clone(), object.kind.clone());
            self.need(definition, EdgeKind::Crd, 10, reason);
            let reason = format!("APIService {version}.{group}");
            let aggregated = Key::Aggregated(group.clone(), version.to_owned());
            self.need(aggregated, EdgeKind::ApiService, 10, reason);
        }
        self.writes.insert(Written {
            group: group.clone(),
            resource: resource.to_owned(),
            kind: object.kind.clone(),
            namespace: namespace.clone(),
            labels: labels(body),
        });
        match (group.as_str(), object.kind.as_str()) {
            ("apiextensions.k8s.io", "CustomResourceDefinition") => self.definition(body, 10),
            ("apiregistration.k8s.io", "APIService") => {
                let text = |key: &str| body.pointer(key).and_then(Value::as_str);
                if let (Some(group), Some(version)) = (text("/spec/group"), text("/spec/version")) {
                    let key = Key::Aggregated(group.to_owned(), version.to_owned());
                    // Without a service the API server serves it itself: nobody is waited for.
                    if body.pointer("/spec/service/name").is_some() {
                        self.provide(key, 10);
                    }
                }
            }
            (
                "admissionregistration.k8s.io",
                kind @ ("ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration"),
            ) => self.gates.extend(gates(kind, &object.name, body)),
            ("", "Namespace") => {
                self.namespaces.insert(object.name.clone(), labels(body));
            }
            _ => self.made_secret(&group, &object.kind, namespace.as_deref(), body),
        }
        self.annotations(&object.kind, body);
        let home = namespace
            .as_deref()
            .unwrap_or(self.release.namespace.as_str());
        let mut references = References::new(&group, &object.kind, home);
        references.read(body);
        self.needs.extend(references.found);
    }

    /// Takes in a definition that the manifest does not have, as those of a chart's `crds/` folder, which Helm
    /// installs and then never touches.
    pub fn bundled_definition(&mut self, body: &Value) {
        if body.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition") {
            self.definition(body, 9);
        }
    }

    /// Takes in a chart that the release's own chart lists. `switched_off`: none of its objects is in the manifest.
    pub fn chart_dependency(&mut self, name: &str, switched_off: bool) {
        if switched_off {
            let key = Key::Chart(self.release.namespace.as_str().to_owned(), name.to_owned());
            let reason = format!("chart {name} is listed and switched off");
            self.need(key, EdgeKind::Umbrella, 5, reason);
        }
    }

    /// Drops what is said twice. Call it once all objects are in: it keeps a fleet in memory small.
    pub fn finish(&mut self) {
        self.needs.sort_by(|a, b| {
            (&a.key, a.kind, b.confidence, &a.reason).cmp(&(
                &b.key,
                b.kind,
                a.confidence,
                &b.reason,
            ))
        });
        self.needs
            .dedup_by(|later, first| (&later.key, later.kind) == (&first.key, first.kind));
        self.needs.shrink_to_fit();
    }

    fn provide(&mut self, key: Key, at_most: u8) {
        self.provides.push(Provided {
            key,
            at_most: Confidence::tenths(at_most),
        });
    }

    fn need(&mut self, key: Key, kind: EdgeKind, confidence: u8, reason: String) {
        self.needs.push(Need {
            key,
            kind,
            confidence: Confidence::tenths(confidence),
            reason,
        });
    }

    fn need_namespace(&mut self, namespace: &str) {
        let key = Key::Object(
            String::new(),
            "Namespace".to_owned(),
            String::new(),
            namespace.to_owned(),
        );
        self.need(
            key,
            EdgeKind::Namespace,
            10,
            format!("Namespace {namespace}"),
        );
    }

    fn definition(&mut self, body: &Value, at_most: u8) {
        let text = |key: &str| body.pointer(key).and_then(Value::as_str);
        if let (Some(group), Some(kind)) = (text("/spec/group"), text("/spec/names/kind")) {
            self.provide(Key::Definition(group.to_owned(), kind.to_owned()), at_most);
        }
    }

    /// Secrets that an operator makes of this object, so that nobody's manifest holds them.
    fn made_secret(&mut self, group: &str, kind: &str, namespace: Option<&str>, body: &Value) {
        let text = |key: &str| body.pointer(key).and_then(Value::as_str);
        let name = match (group, kind) {
            ("cert-manager.io", "Certificate") => text("/spec/secretName"),
            ("external-secrets.io", "ExternalSecret") => {
                text("/spec/target/name").or(text("/metadata/name"))
            }
            ("bitnami.com", "SealedSecret") => {
                text("/spec/template/metadata/name").or(text("/metadata/name"))
            }
            _ => None,
        };
        if let (Some(name), Some(namespace)) = (name, namespace) {
            let key = Key::Object(
                String::new(),
                "Secret".to_owned(),
                namespace.to_owned(),
                name.to_owned(),
            );
            self.provide(key, 8);
        }
    }

    fn annotations(&mut self, kind: &str, body: &Value) {
        let annotations = body
            .pointer("/metadata/annotations")
            .and_then(Value::as_object);
        let text = |key: &str| annotations.and_then(|it| it.get(key)?.as_str());
        if let Some(needs) = text(NEEDS_ANNOTATION) {
            let needs = needs.to_owned();
            self.needs_annotation(&needs);
        }
        let inject = [
            "inject-ca-from",
            "inject-ca-from-secret",
            "inject-apiserver-ca",
        ];
        let injected = inject
            .iter()
            .any(|key| text(&format!("cert-manager.io/{key}")).is_some());
        if injected {
            let key = Key::Definition("cert-manager.io".to_owned(), "Certificate".to_owned());
            let reason = format!("{kind} takes its caBundle");
            self.need(key, EdgeKind::Webhook, 9, reason);
        }
        if let Some((namespace, name)) =
            text("cert-manager.io/inject-ca-from").and_then(|it| it.split_once('/'))
        {
            let key = Key::Object(
                "cert-manager.io".to_owned(),
                "Certificate".to_owned(),
                namespace.to_owned(),
                name.to_owned(),
            );
            let reason = format!("Certificate {namespace}/{name}");
            self.need(key, EdgeKind::Webhook, 9, reason);
        }
    }

    /// `name`, `namespace/name` or `cluster/namespace/name`, by commas. Another cluster is for fleet.toml to say.
    fn needs_annotation(&mut self, needs: &str) {
        for need in needs.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let parts: Vec<&str> = need.split('/').collect();
            let (namespace, name) = match parts.as_slice() {
                [name] => (self.release.namespace.as_str(), *name),
                [namespace, name] => (*namespace, *name),
                [cluster, namespace, name] if *cluster == self.release.cluster.as_str() => {
                    (*namespace, *name)
                }
                _ => continue,
            };
            let key = Key::Release(namespace.to_owned(), name.to_owned());
            let reason = format!("{NEEDS_ANNOTATION}: {need}");
            self.need(key, EdgeKind::Needs, 9, reason);
        }
    }
}
