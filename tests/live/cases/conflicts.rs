//! Owners: none, the server's own names, older names of Helm, too many, other tools, admission.

use serde_json::{Value, json};

use super::case::{Case, Same};
use super::site::Site;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: \"{{ .Values.value }}\", b: fixed}\n";

const IT: &str = "configmaps/it";

fn rename(site: &Site<'_>, name: &str) {
    site.owners(&site.core(IT), |entries| {
        for entry in entries.iter_mut().filter(|it| it["manager"] == "helm") {
            entry["manager"] = json!(name);
        }
    });
}

/// An entry of somebody who owns a field that Helm does not.
fn somebody(number: usize) -> Value {
    json!({
        "manager": format!("somebody-{number:02}"), "operation": "Update", "apiVersion": "v1",
        "time": format!("2026-01-02T03:04:{number:02}Z"),
        "fieldsType": "FieldsV1", "fieldsV1": { "f:data": { format!("f:k{number:02}"): {} } },
    })
}

/// A policy for the case's namespace only.
fn policy(site: &Site<'_>, kind: &str, spec: &Value, binding: &Value) {
    let name = json!({ "name": site.name });
    let version = "admissionregistration.k8s.io/v1";
    let mut spec = spec.clone();
    spec["matchConstraints"] = json!({
        "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": site.name } },
        "resourceRules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"],
        }],
    });
    let mut bound = binding.clone();
    bound["policyName"] = json!(site.name);
    for (kind, spec) in [(kind.to_owned(), spec), (format!("{kind}Binding"), bound)] {
        let object = json!({ "apiVersion": version, "kind": kind, "metadata": name, "spec": spec });
        site.kubectl_with(&["create", "-f", "-"], &object.to_string());
    }
}

/// Waits until an update in the case's namespace shows that its policy is in force.
fn until_in_force(site: &Site<'_>, shows: impl Fn(&testbed::api::Answer) -> bool) {
    let canary = json!({ "metadata": { "name": "canary" }, "data": { "a": "x" } });
    let path = site.core("configmaps?dryRun=All");
    site.until("the policy", || {
        let body = canary.to_string();
        let answer = site
            .api()
            .send("POST", &path, "application/json", body.as_bytes());
        shows(&answer.unwrap())
    });
}

const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: it}\nspec: {containers: [{name: c, image: registry.example/c:1, securityContext: {privileged: true}}]}\n";

const DEAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: x, b: \"{{ .Values.value }}\"}\n";

pub const CASES: &[Case] = &[
    Case::new("own-nobody", MAP).drift(|site| site.owners(&site.core(IT), Vec::clear)),
    Case::new("own-first-apply", MAP)
        .drift(|site| rename(site, "before-first-apply"))
        .silent(&["latent-conflict"]),
    Case::new("own-ancient", MAP)
        .drift(|site| {
            site.owners(&site.core(IT), |entries| {
                entries[0]["manager"] = json!("ancient-changes");
                entries[0]["fieldsV1"]["f:data"]["f:others"] = json!({});
            });
        }),
    Case::new("own-alias-go", MAP)
        .drift(|site| rename(site, "Go-http-client"))
        .silent(&["latent-conflict"]),
    Case::new("own-ten", MAP).drift(|site| {
        site.owners(&site.core(IT), |entries| entries.extend((0..9).map(somebody)));
    }),
    // With Helm's own entry back there would be eleven: the server would fold the oldest away, so nothing is written.
    Case::new("own-eleven", MAP)
        .drift(|site| {
            site.owners(&site.core(IT), |entries| entries.extend((0..9).map(somebody)));
        })
        .between(
            |site| site.patched_by("late", &site.core(IT), &json!({ "data": { "late": "x" } })),
            "Stuck",
            |site| {
                let managers = site.managers(&site.core(IT));
                assert_eq!(managers.len(), 11, "{managers:?}");
                assert!(managers.contains(&"helm/Apply".to_owned()), "{managers:?}");
                assert!(!managers.contains(&"ancient-changes/Update".to_owned()), "{managers:?}");
            },
        ),
    Case::new("own-slide-back", MAP)
        .install(|site| {
            site.install(&[]);
            let done = site.upgrade4(&["--server-side=true"]);
            assert!(done.success, "{}", done.stderr);
            site.upgrade3(&["--set", "value=c"]);
            site.upgrade3(&["--set", "value=a"]);
            assert_eq!(site.managers(&site.core(IT)), ["helm/Apply", "helm/Update"]);
        })
        .afterwards(|site| assert_eq!(site.managers(&site.core(IT)), ["helm/Apply"])),
    Case::new("own-other-applier", MAP)
        .drift(|site| {
            let object = json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "it" },
                "data": { "a": "a", "b": "fixed" },
            });
            site.api()
                .apply(&site.core(IT), "kustomize-controller", true, &object)
                .unwrap();
        })
        .held(&["foreign-applier"]),
    Case::new("own-missing", MAP)
        .drift(|site| {
            site.kubectl(&["delete", "configmap", "it"]);
        })
        .install(|site| {
            site.template(&format!("{MAP}---\n{}", MAP.replace("name: it", "name: stays")));
            site.install(&[]);
        })
        .noted(&["missing"])
        .same(Same::Writes("it creates the object")),
    Case::new("own-terminating", MAP)
        .drift(|site| {
            let finalizer = json!([{ "op": "add", "path": "/metadata/finalizers", "value": ["case.example/stay"] }]);
            site.api().json_patch(&site.core(IT), &finalizer).unwrap();
            site.api().delete(&site.core(IT)).unwrap();
        })
        .held(&["being-deleted"]),
    Case::new("own-denied", MAP)
        .drift(|site| {
            let spec = json!({ "validations": [{ "expression": "false", "message": "frozen" }] });
            policy(site, "ValidatingAdmissionPolicy", &spec, &json!({ "validationActions": ["Deny"] }));
            until_in_force(site, |answer| answer.status >= 400);
        })
        .held(&["admission"]),
    Case::new("own-warned", MAP)
        .drift(|site| {
            let spec = json!({ "validations": [{ "expression": "false", "message": "frowned upon" }] });
            policy(site, "ValidatingAdmissionPolicy", &spec, &json!({ "validationActions": ["Warn", "Audit"] }));
        }),
    Case::new("own-immutable", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: x}\n")
        .drift(|site| {
            let spec = json!({ "validations": [
                { "expression": "request.operation == 'CREATE' ? object.metadata.name != 'canary' : object.data == oldObject.data" },
            ] });
            policy(site, "ValidatingAdmissionPolicy", &spec, &json!({ "validationActions": ["Deny"] }));
            until_in_force(site, |answer| answer.status >= 400);
        }),
    Case::new("own-mutated-now", MAP)
        .drift(|site| {
            policy(site, "MutatingAdmissionPolicy", &touching(), &json!({}));
            until_in_force(site, |answer| answer.body.to_string().contains("touched"));
        })
        .held(&["admission"]),
    Case::new("own-mutated-before", MAP)
        .prepare(|site| {
            let namespace = json!({ "metadata": { "name": site.name } });
            site.api().post("/api/v1/namespaces", &namespace).unwrap();
            policy(site, "MutatingAdmissionPolicy", &touching(), &json!({}));
            until_in_force(site, |answer| answer.body.to_string().contains("touched"));
        }),
    Case::new("own-pod-security", PRIVILEGED).drift(|site| {
        site.kubectl(&["label", "namespace", site.name, "pod-security.kubernetes.io/enforce=restricted"]);
    }),
    Case::new("own-dead", DEAD)
        .drift(|site| {
            let path = site.core("configmaps/settings");
            site.patched_by("operator", &path, &json!({ "data": { "c": "theirs" } }));
            site.plant("configmaps", &path, |entries| {
                for entry in &mut *entries {
                    if entry["manager"] == "operator" {
                        entry["apiVersion"] = json!("v1beta9");
                    }
                }
                let mut older = entries[0].clone();
                older["manager"] = json!("helm");
                older["apiVersion"] = json!("v1alpha9");
                older["fieldsV1"] = json!({ "f:data": { "f:a": {} } });
                entries.insert(0, older);
            });
        })
        .noted(&["dead-entries"])
        .unrestored(
            &["helm (Update, v1alpha9)", "operator (Update, v1beta9)"],
            |site| assert_eq!(site.managers(&site.core("configmaps/settings")), ["helm/Update"]),
        ),
];

/// Adds an annotation.
fn touching() -> Value {
    json!({
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "mutations": [{
            "patchType": "ApplyConfiguration",
            "applyConfiguration": { "expression": "Object{metadata: Object.metadata{annotations: {\"touched\": \"yes\"}}}" },
        }],
    })
}
