//! What must be held is held, with its reason, and stays as it was: shared objects, objects on their way out, admission
//! that refuses or changes the patch. And what is only reported: left-over hooks. With records in ConfigMaps as well.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage, changes};
use testbed::{ControlPlane, Helm, Options};

/// Policies take a moment to reach the admission chain.
const PATIENCE: Duration = Duration::from_secs(30);

fn stage() -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    Stage {
        planes,
        releases: Vec::new(),
        refit,
    }
}

/// A chart of one template, in a folder of the test's.
fn chart(folder: &Path, name: &str, template: &str) -> String {
    let chart = folder.join("charts").join(name);
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    std::fs::write(chart.join("Chart.yaml"), about).unwrap();
    std::fs::write(chart.join("values.yaml"), "value: a\n").unwrap();
    std::fs::write(chart.join("templates/all.yaml"), template).unwrap();
    chart.display().to_string()
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  key: {{ .Values.value }}\n";

fn install(stage: &Stage, release: &str, chart: &str, more: &[&str]) {
    let mut args = vec!["install", release, chart];
    args.extend(more);
    Helm::v3(&stage.planes[0])
        .unwrap()
        .run("default", args)
        .unwrap();
}

fn plan(stage: &Stage) -> Value {
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    stage
        .refit
        .json(&["show", "p.json", "-o", "json"])
        .unwrap()
        .value
}

/// The causes for which a release is held.
fn causes(plan: &Value, release: &str) -> Vec<String> {
    let id = format!("demo-1/default/{release}");
    let held = plan["held"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|held| held["release"] == id.as_str());
    let reasons = held
        .and_then(|held| held["reasons"].as_array())
        .cloned()
        .unwrap_or_default();
    reasons
        .iter()
        .filter_map(|reason| reason["cause"].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn shared_objects_terminating_objects_and_left_over_hooks() {
    let stage = stage();
    let folder = stage.refit.folder().to_owned();
    let api = stage.planes[0].api();
    let shared = chart(
        &folder,
        "shared",
        &CONFIG_MAP.replace("{{ .Release.Name }}", "both"),
    );
    install(&stage, "first", &shared, &[]);
    install(&stage, "second", &shared, &["--take-ownership"]);
    install(
        &stage,
        "leaving",
        &chart(&folder, "leaving", CONFIG_MAP),
        &[],
    );
    let finalizer =
        json!([{ "op": "add", "path": "/metadata/finalizers", "value": ["testbed.example/stay"] }]);
    api.json_patch("/api/v1/namespaces/default/configmaps/leaving", &finalizer)
        .unwrap();
    api.delete("/api/v1/namespaces/default/configmaps/leaving")
        .unwrap();
    let hook = format!(
        "{CONFIG_MAP}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ .Release.Name }}}}-hook\n  annotations:\n    \
         helm.sh/hook: pre-install\n    helm.sh/hook-delete-policy: hook-failed\ndata: {{ a: b }}\n"
    );
    install(&stage, "hooked", &chart(&folder, "hooked", &hook), &[]);
    let plan = plan(&stage);
    assert_eq!(causes(&plan, "first"), ["shared-object"], "{plan:#}");
    assert_eq!(causes(&plan, "second"), ["shared-object"]);
    assert_eq!(causes(&plan, "leaving"), ["being-deleted"]);
    let ready: Vec<&Value> = plan["waves"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|wave| wave["releases"].as_array().into_iter().flatten())
        .collect();
    assert_eq!(ready.len(), 1, "{plan:#}");
    let notes = ready[0]["notes"].to_string();
    assert!(
        notes.contains("left-over-hook") && notes.contains("hooked-hook"),
        "{notes}"
    );
}

/// A policy that denies, or that adds an annotation.
pub fn policy(stage: &Stage, kind: &str, spec: &Value) -> bool {
    let api = stage.planes[0].api();
    let plural = if kind == "ValidatingAdmissionPolicy" {
        "validatingadmissionpolicies"
    } else {
        "mutatingadmissionpolicies"
    };
    for version in ["v1", "v1beta1"] {
        let path = format!("/apis/admissionregistration.k8s.io/{version}/{plural}");
        let made = api.post(
            &path,
            &json!({ "metadata": { "name": "test" }, "spec": spec }),
        );
        if made.is_err() {
            continue;
        }
        let mut binding =
            json!({ "metadata": { "name": "test" }, "spec": { "policyName": "test" } });
        if kind == "ValidatingAdmissionPolicy" {
            binding["spec"]["validationActions"] = json!(["Deny"]);
        }
        let path = path.replace("policies", "policybindings");
        api.post(&path, &binding).unwrap();
        return true;
    }
    false
}

pub fn rules() -> Value {
    json!({ "resourceRules": [{
        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["configmaps"],
    }] })
}

/// Waits until the policy shows in an update of a ConfigMap that belongs to nobody.
pub fn until_in_force(stage: &Stage, shows: impl Fn(&testbed::api::Answer) -> bool) {
    let api = stage.planes[0].api();
    let _ = api.post(
        "/api/v1/namespaces/default/configmaps",
        &json!({ "metadata": { "name": "canary" } }),
    );
    let started = Instant::now();
    let mut count = 0;
    loop {
        count += 1;
        let body = json!({ "data": { "count": count.to_string() } }).to_string();
        let path = "/api/v1/namespaces/default/configmaps/canary";
        let answer = api
            .send(
                "PATCH",
                path,
                "application/merge-patch+json",
                body.as_bytes(),
            )
            .unwrap();
        if shows(&answer) {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "the policy is not in force");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn admission_that_refuses_the_patch_holds_the_release() {
    let stage = stage();
    let chart = chart(stage.refit.folder(), "web", CONFIG_MAP);
    install(&stage, "web", &chart, &[]);
    // Planned while nothing stands in the way; run while a policy does.
    let free = plan(&stage);
    assert_eq!(free["summary"]["migrate"], 1, "{free:#}");
    let spec = json!({
        "matchConstraints": rules(),
        "validations": [{ "expression": "false", "message": "frozen" }],
    });
    assert!(policy(&stage, "ValidatingAdmissionPolicy", &spec));
    until_in_force(&stage, |answer| answer.status >= 400);
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let run = stage
        .refit
        .call(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(run.value["items"][0]["state"], "Held", "{:#}", run.value);
    assert!(
        run.value["items"][0]["why"]
            .as_str()
            .is_some_and(|why| why.contains("frozen")),
        "{:#}",
        run.value
    );
    let held = plan(&stage);
    assert_eq!(causes(&held, "web"), ["admission"]);
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
    assert_eq!(stage.snapshots().unwrap()[0], before[0]);
}

#[test]
fn admission_and_labels_of_a_release_are_part_of_its_plan() {
    let stage = stage();
    let config = chart(stage.refit.folder(), "config", CONFIG_MAP);
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}\n";
    let account = chart(stage.refit.folder(), "account", account);
    install(&stage, "plain", &account, &[]);
    install(&stage, "seen", &config, &["--labels", "team=payments"]);
    // It looks at every ConfigMap and refuses none.
    let spec = json!({
        "matchConstraints": rules(),
        "validations": [{ "expression": "true" }],
    });
    assert!(policy(&stage, "ValidatingAdmissionPolicy", &spec));
    let file = stage.refit.folder().join("fleet.toml");
    let fleet = std::fs::read_to_string(&file).unwrap();
    let stages = "\n[[waves.stages]]\nname = \"others\"\nselect = \"team!=payments\"\nsizes = [1]\n\
                  \n[[waves.stages]]\nname = \"payments\"\nselect = \"team=payments\"\nsizes = [1]\n";
    std::fs::write(&file, format!("{fleet}{stages}")).unwrap();
    let plan = plan(&stage);
    let waves: Vec<(&str, &str)> = plan["waves"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wave| {
            let release = wave["releases"][0]["release"].as_str().unwrap();
            (wave["name"].as_str().unwrap(), release)
        })
        .collect();
    let [(first, plain), (second, seen)] = waves[..] else {
        panic!("{waves:?}");
    };
    assert!(
        first.starts_with("others") && plain.ends_with("/plain"),
        "{waves:?}"
    );
    assert!(
        second.starts_with("payments") && seen.ends_with("/seen"),
        "{waves:?}"
    );
    let text = plan.to_string();
    assert_eq!(
        text.matches("admission ValidatingAdmissionPolicy/test")
            .count(),
        1,
        "{plan:#}"
    );
}

#[test]
fn admission_that_changes_objects_through_the_patch_holds_the_release() {
    let stage = stage();
    let chart = chart(stage.refit.folder(), "web", CONFIG_MAP);
    install(&stage, "web", &chart, &[]);
    let spec = json!({
        "matchConstraints": rules(),
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "mutations": [{
            "patchType": "ApplyConfiguration",
            "applyConfiguration": { "expression": "Object{metadata: Object.metadata{annotations: {\"touched\": \"yes\"}}}" },
        }],
    });
    assert!(
        policy(&stage, "MutatingAdmissionPolicy", &spec),
        "this server has no MutatingAdmissionPolicy"
    );
    until_in_force(&stage, |answer| answer.body.to_string().contains("touched"));
    let before = stage.snapshots().unwrap();
    let plan = plan(&stage);
    assert_eq!(causes(&plan, "web"), ["admission"], "{plan:#}");
    assert!(
        plan.to_string().contains(".metadata.annotations"),
        "{plan:#}"
    );
    assert_eq!(
        changes(&before[0], &stage.snapshots().unwrap()[0]).content,
        Vec::<String>::new()
    );
}

#[test]
fn records_in_config_maps_go_there_and_back() {
    let stage = stage();
    let chart = chart(stage.refit.folder(), "web", CONFIG_MAP);
    let helm = Helm::v3(&stage.planes[0]).unwrap();
    let mut install = helm.command("default", ["install", "web", &chart]);
    assert!(
        install
            .env("HELM_DRIVER", "configmap")
            .status()
            .unwrap()
            .success()
    );
    let refit = |args: &[&str]| {
        let output = stage
            .refit
            .command(args)
            .env("HELM_DRIVER", "configmap")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "refit {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or(Value::Null)
    };
    let before = stage.snapshots().unwrap().remove(0);
    refit(&["plan", "--save", "p.json", "-o", "json"]);
    let run = refit(&["run", "p.json", "--yes", "-o", "json"]);
    assert_eq!(run["items"][0]["state"], "Done", "{run:#}");
    let after = stage.snapshots().unwrap().remove(0);
    assert!(
        after
            .objects
            .keys()
            .any(|key| key.ends_with("configmaps/default/sh.helm.release.v1.web.v2"))
    );
    let id = run
        .pointer("/metadata/run")
        .and_then(Value::as_str)
        .unwrap()
        .to_owned();
    refit(&["undo", &id, "--yes", "-o", "json"]);
    let back = stage.snapshots().unwrap().remove(0);
    assert!(testbed::snapshot::diff(&before, &back, true).is_empty());
}

#[test]
fn an_empty_seed_is_nothing_found() {
    let stage = stage();
    let answer = stage.refit.call(&["inventory"]).unwrap();
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(answer.stderr.contains("NothingFound"), "{}", answer.stderr);
}
