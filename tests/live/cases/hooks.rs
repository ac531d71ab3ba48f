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
    Case::new("hook-left-map", LEFT)
        .noted(&["left-over-hook"])
        .same(Same::Writes(
            "it applies the hook's object beside Helm 3's entry",
        ))
        .changed_is_refused("conflict"),
    Case::new("hook-left-job", LEFT_JOB).noted(&["left-over-hook"]),
    Case::new("hook-generated", GENERATED).held(&["invalid-manifest"]),
    Case::new("hook-kept", KEPT)
        .drift(|site| {
            site.template(WITHOUT);
            site.upgrade3(&[]);
            assert_eq!(
                site.managers(&site.core("configmaps/kept")),
                ["helm/Update"]
            );
        })
        .afterwards(|site| {
            site.template(&KEPT.replace("one", "two"));
            let done = site.upgrade4(&[]);
            assert!(
                !done.success && done.stderr.contains("conflict"),
                "{}",
                done.stderr
            );
        }),
];
