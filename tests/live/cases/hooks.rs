//! Hooks that stay behind, and objects that Helm kept.

use super::case::{Case, Same};

macro_rules! beside {
    ($hook:expr) => {
        concat!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: x}\n---\n",
            $hook
        )
    };
}

const RECREATED: &str = beside!(
    r#"{apiVersion: v1, kind: ConfigMap, metadata: {name: hook, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}, data: {a: "{{ .Values.value }}"}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: hook, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: hook, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: "registry.example/c:{{ .Values.value }}"}]}}}
"#
);

const LEFT: &str = beside!(
    r#"{apiVersion: v1, kind: ConfigMap, metadata: {name: hook, annotations: {helm.sh/hook: "post-install,post-upgrade", helm.sh/hook-delete-policy: hook-failed}}, data: {a: "{{ .Values.value }}"}}
"#
);

const LEFT_JOB: &str = beside!(
    r#"apiVersion: batch/v1
kind: Job
metadata: {name: hook, annotations: {helm.sh/hook: "post-install", helm.sh/hook-delete-policy: hook-failed}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: registry.example/c:1}]}}}
"#
);

const GENERATED: &str = beside!(
    r#"apiVersion: v1
kind: ConfigMap
metadata: {generateName: hook-, annotations: {helm.sh/hook: "post-install,post-upgrade", helm.sh/hook-delete-policy: hook-failed}}
data: {a: x}
"#
);

const KEPT: &str = beside!(
    r#"{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, annotations: {helm.sh/resource-policy: keep}}, data: {a: one}}
"#
);

const WITHOUT: &str = beside!("");

pub const CASES: &[Case] = &[
    Case::new("hook-recreated", RECREATED)
        .silent(&["left-over-hook"])
        .same(Same::Writes("it makes the hooks' objects anew")),
    // Adopted with the release: Helm 4 applies the hook again without a trace, and with another value.
    Case::new("hook-left-map", LEFT)
        .noted(&["left-over-hook"])
        .afterwards(|site| {
            let hook = site.core("configmaps/hook");
            assert_eq!(site.managers(&hook), ["helm/Apply"]);
            assert_eq!(site.api().get(&hook).unwrap()["data"]["a"], "b");
        }),
    Case::new("hook-left-job", LEFT_JOB)
        .noted(&["left-over-hook"])
        .afterwards(|site| {
            let job = site.group("batch/v1", "jobs/hook");
            assert!(!site.managers(&job).contains(&"helm/Apply".to_owned()));
        }),
    // Somebody else holds the hook's field with another value: told, not adopted, and nothing is held for it.
    Case::new("hook-left-theirs", LEFT)
        .noted(&["left-over-hook"])
        .drift(|site| {
            let hook = site.core("configmaps/hook?fieldManager=operator");
            let theirs = serde_json::json!({"data": {"a": "theirs"}});
            site.api().merge_patch(&hook, &theirs).unwrap();
        })
        .same(Same::Refused("conflict")),
    Case::new("hook-generated", GENERATED).held(&["invalid-manifest"]),
    Case::new("hook-kept", KEPT)
        .noted(&["kept-orphan"])
        .drift(|site| {
            site.template(WITHOUT);
            site.upgrade3(&[]);
            assert_eq!(
                site.managers(&site.core("configmaps/kept")),
                ["helm/Update"]
            );
        })
        .afterwards(|site| {
            let kept = site.core("configmaps/kept");
            assert_eq!(site.managers(&kept), ["helm/Apply"]);
            site.template(&KEPT.replace("one", "two"));
            let done = site.upgrade4(&[]);
            assert!(done.success, "{}", done.stderr);
            assert_eq!(site.api().get(&kept).unwrap()["data"]["a"], "two");
        }),
];
