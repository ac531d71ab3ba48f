//! Admission webhooks: which writes they stand before.

use std::collections::BTreeMap;

use serde_json::Value;

use super::edge::Confidence;
use super::sight::{Labels, Written};

/// The label that every namespace has of itself.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Admission is never asked about these (k8s.io/apiserver, admission/plugin/webhook/predicates/rules).
const NEVER_ASKED: [&str; 4] = [
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
];

/// One webhook of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gate {
    /// `ValidatingWebhookConfiguration guard`.
    pub configuration: String,
    /// Groups and resources that it is asked about on UPDATE; `*` is all.
    pub rules: Vec<Rule>,
    namespaces: Selector,
    objects: Selector,
    confidence: Confidence,
}

/// One rule of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub groups: Vec<String>,
    pub resources: Vec<String>,
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    All,
    Cluster,
    Namespaced,
}

/// The webhooks of a configuration that are asked about UPDATE: adopting a release sends nothing else to its objects.
pub(super) fn gates(kind: &str, name: &str, body: &Value) -> Vec<Gate> {
    let webhooks = body.get("webhooks").and_then(Value::as_array);
    webhooks
        .into_iter()
        .flatten()
        .filter_map(|webhook| gate(kind, name, webhook))
        .collect()
}

fn gate(kind: &str, name: &str, webhook: &Value) -> Option<Gate> {
    let list = |value: &Value, key: &str| -> Vec<String> {
        let items = value.get(key).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let rules = webhook.get("rules").and_then(Value::as_array);
    let rules: Vec<Rule> = rules
        .into_iter()
        .flatten()
        .filter(|rule| {
            let operations = list(rule, "operations");
            operations.iter().any(|it| it == "UPDATE" || it == "*")
        })
        .map(|rule| Rule {
            groups: list(rule, "apiGroups"),
            // `pods/*` and `*/scale` are about subresources, which nobody writes here; `*/*` is about all.
            resources: list(rule, "resources")
                .into_iter()
                .map(|it| if it == "*/*" { "*".to_owned() } else { it })
                .filter(|it| !it.contains('/'))
                .collect(),
            scope: match rule.get("scope").and_then(Value::as_str) {
                Some("Cluster") => Scope::Cluster,
                Some("Namespaced") => Scope::Namespaced,
                _ => Scope::All,
            },
        })
        .collect();
    if rules.is_empty() {
        return None;
    }
    let ignored = webhook.get("failurePolicy").and_then(Value::as_str) == Some("Ignore");
    let elsewhere = webhook.pointer("/clientConfig/url").is_some();
    let conditional = webhook
        .get("matchConditions")
        .and_then(Value::as_array)
        .is_some_and(|conditions| !conditions.is_empty());
    let confidence = match (conditional, ignored || elsewhere) {
        (true, _) => Confidence::tenths(4),
        (false, true) => Confidence::tenths(5),
        (false, false) => Confidence::tenths(9),
    };
    Some(Gate {
        configuration: format!("{kind} {name}"),
        rules,
        namespaces: Selector::of(webhook.get("namespaceSelector")),
        objects: Selector::of(webhook.get("objectSelector")),
        confidence,
    })
}

impl Gate {
    /// Does it stand before this write, and how sure is that? `rule` is one whose group and resource match.
    pub(super) fn stands_before(
        &self,
        rule: &Rule,
        write: &Written,
        namespaces: &dyn Fn(&str) -> Option<Labels>,
    ) -> Option<Confidence> {
        let scope = match rule.scope {
            Scope::All => true,
            Scope::Cluster => write.namespace.is_none(),
            Scope::Namespaced => write.namespace.is_some(),
        };
        if !scope || NEVER_ASKED.contains(&write.resource.as_str()) {
            return None;
        }
        if self.objects.matches(Some(&write.labels), None) != Some(true) {
            return None;
        }
        let by_namespace = match (&write.namespace, write.kind.as_str()) {
            (Some(namespace), _) => self
                .namespaces
                .matches(namespaces(namespace).as_ref(), Some(namespace)),
            // A Namespace is judged by its own labels; other cluster-scoped kinds by none.
            (None, "Namespace") => self.namespaces.matches(Some(&write.labels), None),
            (None, _) => Some(true),
        };
        match by_namespace {
            Some(true) => Some(self.confidence),
            Some(false) => None,
            None => Some(self.confidence.min(Confidence::tenths(3))),
        }
    }
}

/// A label selector of Kubernetes; an absent or empty one matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Selector(Vec<(String, Demand)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Missing,
}

impl Selector {
    fn of(value: Option<&Value>) -> Self {
        let mut demands = Vec::new();
        let labels = value.and_then(|it| it.get("matchLabels")?.as_object());
        for (key, value) in labels.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            demands.push((key.clone(), Demand::In(vec![value])));
        }
        let expressions = value.and_then(|it| it.get("matchExpressions")?.as_array());
        for expression in expressions.into_iter().flatten() {
            let text = |key: &str| expression.get(key).and_then(Value::as_str);
            let values = expression.get("values").and_then(Value::as_array);
            let values = values.into_iter().flatten().filter_map(Value::as_str);
            let values: Vec<String> = values.map(str::to_owned).collect();
            let demand = match text("operator") {
                Some("In") => Demand::In(values),
                Some("NotIn") => Demand::NotIn(values),
                Some("DoesNotExist") => Demand::Missing,
                _ => Demand::Exists,
            };
            demands.push((text("key").unwrap_or_default().to_owned(), demand));
        }
        Self(demands)
    }

    /// `None`: the labels that it asks about are not known. `name` is the namespace's, which is always known.
    fn matches(&self, labels: Option<&Labels>, name: Option<&str>) -> Option<bool> {
        let mut all = Some(true);
        for (key, demand) in &self.0 {
            let value = match (labels, name) {
                (_, Some(name)) if key == NAME_LABEL => Some(name),
                (Some(labels), _) => labels.get(key).map(String::as_str),
                (None, _) => {
                    all = None;
                    continue;
                }
            };
            let holds = match demand {
                Demand::In(values) => value.is_some_and(|it| values.iter().any(|v| v == it)),
                Demand::NotIn(values) => value.is_none_or(|it| values.iter().all(|v| v != it)),
                Demand::Exists => value.is_some(),
                Demand::Missing => value.is_none(),
            };
            if !holds {
                return Some(false);
            }
        }
        all
    }
}

/// Labels in an object's metadata.
pub(super) fn labels(body: &Value) -> Labels {
    let labels = body.pointer("/metadata/labels").and_then(Value::as_object);
    labels.map_or_else(BTreeMap::new, |labels| {
        let texts = labels
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        texts.collect()
    })
}
