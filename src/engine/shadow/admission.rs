//! Which kinds admission looks at when an object is updated: for those only a dry run shows what it would do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::cluster::{self, ErrorKind, Reader};

const GROUP: &str = "admissionregistration.k8s.io/";

/// What may refuse or change an update. Policies may be served at several versions: the first will do.
const KINDS: [&str; 4] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "MutatingAdmissionPolicy",
    "ValidatingAdmissionPolicy",
];

/// Groups and resources whose updates admission looks at.
///
/// Selectors and conditions are not followed, so this is rather too much than too little. What is compiled into a
/// server is listed nowhere: the rehearsal of the run still meets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Whose rules they are, as `ValidatingAdmissionPolicy/name`.
    rules: BTreeMap<(String, String), BTreeSet<String>>,
    /// Something may not be listed.
    unread: bool,
}

impl Admission {
    /// Reads what the cluster has: at most four LISTs of few objects.
    pub async fn read(reader: &dyn Reader) -> cluster::Result<Self> {
        let served = reader.kinds(false).await?;
        let mut admission = Self::default();
        for kind in KINDS {
            let Some(kind) = served
                .iter()
                .find(|it| it.kind == kind && it.api_version.starts_with(GROUP))
            else {
                continue;
            };
            match reader.objects(&kind.api_version, &kind.kind).await {
                Ok(found) => found.iter().for_each(|it| {
                    let name = it.json.pointer("/metadata/name").and_then(Value::as_str);
                    let name = format!("{}/{}", kind.kind, name.unwrap_or_default());
                    admission.take(&name, &it.json);
                }),
                Err(error) if error.kind == ErrorKind::Forbidden => admission.unread = true,
                Err(error) if error.kind == ErrorKind::UnknownKind => {}
                Err(error) => return Err(error),
            }
        }
        Ok(admission)
    }

    /// May something look at an update of this resource (its plural)?
    pub fn may_look_at(&self, group: &str, resource: &str) -> bool {
        self.unread || self.names(group, resource).next().is_some()
    }

    /// What looks at an update of this resource, as `MutatingWebhookConfiguration/name`; a name may come twice.
    pub fn names(&self, group: &str, resource: &str) -> impl Iterator<Item = &str> {
        let is = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        let rules = self.rules.iter().filter(move |((groups, resources), _)| {
            is(groups, group) && (is(resources, resource) || resources == "*/*")
        });
        rules.flat_map(|(_, names)| names).map(String::as_str)
    }

    fn take(&mut self, name: &str, json: &Value) {
        let webhooks = json.get("webhooks").and_then(Value::as_array);
        let of_webhooks = webhooks
            .into_iter()
            .flatten()
            .filter_map(|webhook| webhook.get("rules"));
        let of_policy = json.pointer("/spec/matchConstraints/resourceRules");
        let rules = of_webhooks.chain(of_policy).filter_map(Value::as_array);
        for rule in rules.flatten() {
            let texts = |key: &str| {
                let all = rule.get(key).and_then(Value::as_array);
                all.into_iter().flatten().filter_map(Value::as_str)
            };
            if !texts("operations").any(|it| it == "*" || it == "UPDATE") {
                continue;
            }
            for group in texts("apiGroups") {
                for resource in texts("resources") {
                    let place = (group.to_owned(), resource.to_owned());
                    let names = self.rules.entry(place).or_default();
                    names.insert(name.to_owned());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_of_updates_count_and_others_do_not() {
        let mut admission = Admission::default();
        admission.take("hooks", &json!({"webhooks": [
            {"rules": [{"operations": ["CREATE"], "apiGroups": ["*"], "resources": ["*"]}]},
            {"rules": [{"operations": ["CREATE", "UPDATE"], "apiGroups": ["apps"], "resources": ["deployments", "deployments/scale"]}]},
        ]}));
        admission.take(
            "policy",
            &json!({"spec": {"matchConstraints": {"resourceRules": [
                {"operations": ["*"], "apiGroups": [""], "resources": ["*/*"]},
            ]}}}),
        );
        assert!(admission.may_look_at("apps", "deployments"));
        assert!(!admission.may_look_at("apps", "statefulsets"));
        assert!(admission.may_look_at("", "configmaps"));
        let names = |group, resource| admission.names(group, resource).collect::<Vec<_>>();
        assert_eq!(names("apps", "deployments"), ["hooks"]);
        assert_eq!(names("", "configmaps"), ["policy"]);
        assert!(names("apps", "statefulsets").is_empty());
        assert!(!Admission::default().may_look_at("", "configmaps"));
        let unread = Admission {
            unread: true,
            ..Admission::default()
        };
        assert!(unread.may_look_at("", "configmaps"));
    }
}
