//! Records: failed and missing revisions, full quotas, and the life of a release after its migration.

use serde_json::json;

use super::case::Case;
use super::site::Site;

const MAP: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: \"{{ .Values.value }}\"}\n";

/// An object of the release's own name, so that two releases fit into a namespace.
const NAMED: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Release.Name }}\"}\ndata: {a: x}\n";

/// The server refuses the second object.
const BAD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: it}\ndata: {a: b}\n---\n\
                   apiVersion: v1\nkind: Service\nmetadata: {name: it}\nspec: {ports: [{port: 700000}]}\n";

fn method(site: &Site<'_>, revision: &str) -> String {
    let out = site.helm4(&[
        "get",
        "metadata",
        site.name,
        "--revision",
        revision,
        "-o",
        "json",
    ]);
    assert!(out.success, "{}", out.stderr);
    let value: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    value["applyMethod"].as_str().unwrap_or("csa").to_owned()
}

fn revisions(site: &Site<'_>) -> usize {
    let path = site.core("secrets?labelSelector=owner%3Dhelm");
    let list = site.api().get(&path).unwrap();
    list["items"].as_array().unwrap().len()
}

fn passes(site: &Site<'_>, out: &testbed::helm::Output, what: &str) {
    assert!(out.success, "{}: {what}: {}", site.name, out.stderr);
}

pub const CASES: &[Case] = &[
    Case::new("rec-failed-last", MAP)
        .drift(|site| {
            site.template(BAD);
            assert!(!site.try_upgrade3(&[]).success);
        })
        .held(&["latest-failed"]),
    Case::new("rec-failed-install", BAD)
        .install(|site| assert!(!site.try_install(&[]).success))
        .held(&["no-deployed-revision"]),
    Case::new("rec-superseded", MAP)
        .drift(|site| {
            site.upgrade3(&[]);
            let last = format!("secrets/sh.helm.release.v1.{}.v2", site.name);
            site.api().delete(&site.core(&last)).unwrap();
        })
        .held(&["no-deployed-revision"]),
    // No room for revision N+1: nothing is touched.
    Case::new("rec-quota", MAP)
        .drift(|site| {
            let quota = json!({
                "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "full" },
                "spec": { "hard": { "count/secrets": "1" } },
            });
            site.kubectl_with(&["create", "-f", "-"], &quota.to_string());
            let path = site.core("resourcequotas/full");
            site.until("the quota's count", || {
                let live = site.api().get(&path).unwrap();
                live["status"]["used"]["count/secrets"] == "1"
            });
        })
        .handed_back("quota"),
    // Somebody took a field after the migration: undo leaves it to them.
    Case::new("rec-taken", MAP).between(
        |site| {
            site.patched_by(
                "operator",
                &site.core("configmaps/it"),
                &json!({ "data": { "a": "theirs" } }),
            );
        },
        "Undone",
        |site| {
            let path = site.core("configmaps/it");
            assert_eq!(site.managers(&path), ["helm/Update", "operator/Update"]);
            let live = site.api().get(&path).unwrap();
            assert_eq!(live["data"]["a"], "theirs");
            let entries = live["metadata"]["managedFields"].as_array().unwrap();
            let helms = entries.iter().find(|it| it["manager"] == "helm").unwrap();
            assert!(helms["fieldsV1"]["f:data"]["f:a"].is_null(), "{helms}");
        },
    ),
    // Deleted and made again: undo does not write upon another uid.
    Case::new("rec-recreated", MAP).between(
        |site| {
            site.kubectl(&["delete", "configmap", "it"]);
            site.kubectl(&["create", "configmap", "it", "--from-literal=a=x"]);
        },
        "MovedOn",
        |site| {
            assert_eq!(
                site.managers(&site.core("configmaps/it")),
                ["kubectl-create/Update"]
            );
        },
    ),
    // A rollback by Helm 3 after the migration: nothing is undone.
    Case::new("rec-rolled-back", MAP)
        .drift(|site| site.upgrade3(&[]))
        .between(
            |site| passes(site, &site.helm3(&["rollback", site.name]), "rollback"),
            "MovedOn",
            |site| assert_eq!(method(site, "4"), "csa"),
        ),
    Case::new("rec-history", MAP)
        .drift(|site| {
            for value in 2..=10 {
                site.upgrade3(&["--set", &format!("value=v{value}")]);
            }
            site.upgrade3(&[]);
            assert_eq!(revisions(site), 10);
        })
        .afterwards(|site| {
            // Helm 4 has pruned what the migration added; Helm 3 reads it all, and takes it away.
            assert_eq!(revisions(site), 10);
            for args in [
                &["history"][..],
                &["status"],
                &["get", "manifest"],
                &["get", "values"],
            ] {
                passes(site, &site.helm3(&[args, &[site.name]].concat()), args[0]);
            }
            passes(site, &site.helm3(&["uninstall", site.name]), "uninstall");
            assert!(site.api().get(&site.core("configmaps/it")).is_err());
            assert_eq!(revisions(site), 0);
        }),
    // Helm 4's flags go on with it, and a rollback to the revision before stays server-side: refit marked it.
    Case::new("rec-flags", MAP).afterwards(|site| {
        let flags = [
            "--install",
            "--take-ownership",
            "--reuse-values",
            "--labels",
            "team=payments",
        ];
        passes(site, &site.upgrade4(&flags), "--install");
        passes(
            site,
            &site.upgrade4(&["--server-side=true", "--force-conflicts"]),
            "--force-conflicts",
        );
        passes(
            site,
            &site.upgrade4(&["--rollback-on-failure", "--timeout=30s", "--set", "value=c"]),
            "--rollback-on-failure",
        );
        passes(site, &site.helm4(&["rollback", site.name, "1"]), "rollback");
        assert_eq!(method(site, "1"), "ssa");
        assert_eq!(site.managers(&site.core("configmaps/it")), ["helm/Apply"]);
        passes(
            site,
            &site.upgrade4(&["--server-side=false", "--set", "value=d"]),
            "--server-side=false",
        );
        passes(
            site,
            &site.upgrade4(&["--server-side=true", "--set", "value=e"]),
            "--server-side=true",
        );
        assert_eq!(site.managers(&site.core("configmaps/it")), ["helm/Apply"]);
        passes(site, &site.helm4(&["uninstall", site.name]), "uninstall");
    }),
    // Only revision N is marked. Back to an older one is client-side, and stays so, until a marked one is deployed again.
    Case::new("rec-unmarked", MAP)
        .drift(|site| site.upgrade3(&[]))
        .afterwards(|site| {
            let map = site.core("configmaps/it");
            assert_eq!(
                (method(site, "1"), method(site, "2")),
                ("csa".into(), "ssa".into())
            );
            assert_eq!(site.managers(&map), ["helm/Apply"]);
            passes(
                site,
                &site.helm4(&["rollback", site.name, "1"]),
                "rollback to 1",
            );
            assert_eq!(site.managers(&map), ["helm/Apply", "helm/Update"]);
            passes(site, &site.upgrade4(&["--set", "value=c"]), "auto");
            assert_eq!(site.managers(&map), ["helm/Apply", "helm/Update"]);
            passes(
                site,
                &site.helm4(&["rollback", site.name, "2"]),
                "rollback to 2",
            );
            assert_eq!(site.managers(&map), ["helm/Apply"]);
        }),
    // A namespace that Helm makes is in no manifest, so nobody adopts it: Helm 4 applies it for whichever release asks,
    // and is refused when somebody else changed what it sets.
    Case::new("rec-namespace", NAMED).afterwards(|site| {
        let chart = site.chart();
        let named = |name: &'static str| {
            let args = ["upgrade", "--install", name, &chart, "--create-namespace"];
            site.helm4(&args)
        };
        passes(site, &named("second"), "another release");
        let namespace = format!("/api/v1/namespaces/{}", site.name);
        let managers = site.managers(&namespace);
        assert!(managers.contains(&"helm/Apply".to_owned()), "{managers:?}");
        site.kubectl(&[
            "label",
            "--overwrite",
            "namespace",
            site.name,
            "name=theirs",
        ]);
        let refused = named("third");
        assert!(
            !refused.success && refused.stderr.contains("conflict"),
            "{}",
            refused.stderr
        );
    }),
    // Helm 3 comes back: the objects tell, and Helm 4 cleans up when it is told to.
    Case::new("rec-back", MAP).afterwards(|site| {
        site.upgrade3(&["--set", "value=c"]);
        assert_eq!(
            site.managers(&site.core("configmaps/it")),
            ["helm/Apply", "helm/Update"]
        );
        passes(site, &site.helm3(&["rollback", site.name]), "rollback");
        passes(site, &site.upgrade4(&["--set", "value=d"]), "auto");
        assert_eq!(
            site.managers(&site.core("configmaps/it")),
            ["helm/Apply", "helm/Update"]
        );
        passes(
            site,
            &site.upgrade4(&["--server-side=true", "--set", "value=e"]),
            "--server-side=true",
        );
        assert_eq!(site.managers(&site.core("configmaps/it")), ["helm/Apply"]);
    }),
];
