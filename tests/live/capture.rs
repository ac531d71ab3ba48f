//! A saved fleet: forecast from the file as from the clusters, without one, and no value of a Secret in it.
//!
//! Known secrets are planted wherever a fleet keeps some: a look into the file must find none of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use testbed::demo::{Answer, Refit, Stage};
use testbed::{ControlPlane, Helm, Options, Seed};

use crate::support::assert_unmoved;

/// A value so short may stand in a file by chance.
const TELLING: usize = 5;

/// Every planted secret begins so, and the file must not know the word.
const PLANTED: &str = "planted-";

/// May read all but ConfigMaps, and send no dry run.
const LOOKER: &str = "looker";

/// The release of the planted secrets.
const KEEPER: &str = "demo-1/default/keeper";

const CHART: &str = r#"# {{ .Values.password }} planted-in-a-comment
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-plain
stringData: { password: {{ .Values.password }}, own: planted-in-string-data }
data: { more: {{ "planted-in-data" | b64enc }}, lines: "{{ "planted-in-two-lines" | b64enc }}\n" }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Secret
    metadata: { name: {{ .Release.Name }}-listed, annotations: { note: planted-in-an-annotation } }
    stringData: { password: planted-in-a-list }
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-misspelt
stringdata: { password: planted-and-misspelt }
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-hook
  annotations: { "helm.sh/hook": "post-install", "helm.sh/hook-delete-policy": hook-failed }
stringData: { password: planted-in-a-hook }
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data: { key: open }
{{- if .Values.kept }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-kept
  annotations: { "helm.sh/resource-policy": keep }
stringData: { password: planted-and-kept }
{{- end }}
"#;

fn plant(stage: &Stage) {
    let chart = stage.refit.folder().join("keeper");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let file = |name: &str, text: &str| std::fs::write(chart.join(name), text).unwrap();
    file(
        "Chart.yaml",
        "apiVersion: v2\nname: keeper\nversion: 1.0.0\ndescription: planted-in-a-chart\n",
    );
    file(
        "values.yaml",
        "password: planted-in-values-yaml\nkept: true\nunused: planted-and-unused\n",
    );
    file("templates/all.yaml", CHART);
    file(
        "templates/NOTES.txt",
        "The password is {{ .Values.password }}, planted-in-notes.\n",
    );
    let chart = chart.display().to_string();
    let helm = Helm::v3(&stage.planes[0]).unwrap();
    for args in [
        &[
            "install",
            "keeper",
            &chart,
            "--set",
            "password=planted-in-old-values",
        ][..],
        &[
            "upgrade",
            "keeper",
            &chart,
            "--set",
            "password=planted-in-values,kept=false",
            "--description",
            "planted-in-a-description",
        ],
    ] {
        helm.run(
            "default",
            [args, &["--disable-openapi-validation"]].concat(),
        )
        .unwrap();
    }
    let api = stage.planes[0].api();
    let secret = |name: &str, body: &Value| {
        let path = format!("/api/v1/namespaces/default/secrets/{name}?fieldManager=kubectl-edit");
        api.merge_patch(&path, body).unwrap();
    };
    let copy = json!({"kind": "Secret", "data": {"p": STANDARD.encode("planted-in-a-copy")}, "stringData": {"p": "planted-in-a-copy"}});
    secret(
        "keeper-listed",
        &json!({"data": {"password": STANDARD.encode("planted-by-hand")}}),
    );
    secret(
        "keeper-plain",
        &json!({"data": {"more": STANDARD.encode("planted-by-hand-too")}}),
    );
    secret(
        "keeper-plain",
        &json!({"metadata": {"annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": copy.to_string(), "kapp.k14s.io/original": copy.to_string(),
        }}}),
    );
    // Every adoption of a Secret is rehearsed: so answers of dry runs hold values too.
    let group = "/apis/admissionregistration.k8s.io/v1";
    let spec = json!({
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"]}]},
        "validations": [{"expression": "true"}],
    });
    let policy = json!({"metadata": {"name": "looks-at-secrets"}, "spec": spec});
    api.post(&format!("{group}/validatingadmissionpolicies"), &policy)
        .unwrap();
}

/// Every text of a document, what it holds encoded too, releases unpacked.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => decoded(text, found),
        Value::Array(items) => items.iter().for_each(|it| texts(it, found)),
        Value::Object(map) => map.iter().for_each(|(key, it)| {
            found.insert(key.clone());
            texts(it, found);
        }),
        _ => {}
    }
}

fn decoded(text: &str, found: &mut BTreeSet<String>) {
    if !found.insert(text.to_owned()) {
        return;
    }
    if let Ok(record) = refit::helm::Record::decode(text.as_bytes()) {
        found.insert(record.json().to_owned());
    }
    let Ok(bytes) = STANDARD.decode(text.trim()) else {
        return;
    };
    if let Ok(inner) = String::from_utf8(bytes) {
        decoded(&inner, found);
    }
}

/// The saved file holds no value of a Secret of the cluster, and nothing that was planted.
fn holds_no_secret(stage: &Stage, file: &Path) -> (usize, usize) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut all = BTreeSet::new();
    texts(&serde_json::from_str(&text).unwrap(), &mut all);
    let all: String = all.into_iter().collect::<Vec<_>>().join("\n");
    for form in [PLANTED, &STANDARD.encode(PLANTED)[..8]] {
        let at = text.find(form).or_else(|| all.find(form));
        let around = at.map(|_| all.lines().find(|line| line.contains(PLANTED)));
        assert_eq!(at, None, "{around:?}");
    }
    let secrets = stage.planes[0].api().get("/api/v1/secrets").unwrap();
    let mut values = 0;
    for secret in secrets["items"].as_array().unwrap() {
        let data = secret["data"].as_object().into_iter().flatten();
        for (key, value) in data {
            let value = value.as_str().unwrap();
            let plain = STANDARD.decode(value).unwrap();
            let plain = String::from_utf8_lossy(&plain).into_owned();
            if plain.len() >= TELLING {
                values += 1;
                let name = &secret["metadata"]["name"];
                assert!(!text.contains(value), "{name}/{key}");
                assert!(!all.contains(&plain), "{name}/{key}");
            }
        }
    }
    (text.len(), values)
}

/// A document without the time of reading.
fn timeless(mut document: Value) -> Value {
    let metadata = document["metadata"].as_object_mut().unwrap();
    metadata.remove("takenAt");
    document
}

/// The same but for the time, item by item.
fn same(live: Answer, from: Answer) -> Value {
    assert_eq!(live.code, 0, "{}", live.stderr);
    assert_eq!(from.code, 0, "{}", from.stderr);
    let (live, from) = (timeless(live.value), timeless(from.value));
    let items = |document: &Value| document["items"].as_array().unwrap().clone();
    assert_eq!(items(&live).len(), items(&from).len());
    for (live, from) in items(&live).iter().zip(items(&from)) {
        assert_eq!(*live, from);
    }
    assert_eq!(live.to_string(), from.to_string());
    live
}

fn json_of(refit: &Refit, args: &[&str]) -> Answer {
    refit.call(&[args, &["-o", "json"]].concat()).unwrap()
}

/// refit in a folder without fleet.toml and kubeconfig.
fn elsewhere(stage: &Stage, folder: &Path, args: &[&str]) -> std::process::Output {
    let there: Command = {
        let mut command = stage.refit.command(args);
        command.current_dir(folder).env("HOME", folder);
        command
    };
    let mut there = there;
    there.output().unwrap()
}

#[test]
fn a_captured_fleet_is_forecast_as_the_live_one() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 23,
        releases: 42,
    };
    let planes = vec![ControlPlane::start(Options::new("demo-1").user(LOOKER)).unwrap()];
    let releases = seed.grow(&planes).unwrap();
    let refit = Refit::beside(refit, &planes).unwrap();
    let mut stage = Stage {
        planes,
        releases,
        refit,
    };
    plant(&stage);
    let looker = stage.planes[0].kubeconfig(LOOKER).display().to_string();
    let read = |groups: &Value, resources: &Value| json!({"apiGroups": groups, "resources": resources, "verbs": ["get", "list"]});
    let core = json!([
        "secrets",
        "services",
        "serviceaccounts",
        "namespaces",
        "persistentvolumeclaims",
        "pods"
    ]);
    let others = [
        "apps",
        "batch",
        "autoscaling",
        "policy",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "admissionregistration.k8s.io",
        "testbed.example",
    ];
    stage.planes[0]
        .grant(
            LOOKER,
            &json!([
                read(&json!([""]), &core),
                read(&json!(others), &json!(["*"]))
            ]),
        )
        .unwrap();
    let folder = stage.refit.folder().to_owned();
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();

    let saved = json_of(&stage.refit, &["inventory", "--save", "fleet.inv.json"]);
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let live = json_of(&stage.refit, &["shadow"]);
    let causes = json_of(&stage.refit, &["triage"]);
    let one = json_of(&stage.refit, &["shadow", KEEPER]);

    // Under rules other dry runs are sent, and autoscalers are asked for.
    let fleet = std::fs::read_to_string(folder.join("fleet.toml")).unwrap();
    let rules = stage.refit.call(&["triage", "--rules"]).unwrap().stdout;
    std::fs::write(folder.join("ruled.toml"), fleet + &rules).unwrap();
    let ruled = ["--fleet", "ruled.toml"];
    let saved = json_of(
        &stage.refit,
        &[&["inventory", "--save", "ruled.inv.json"][..], &ruled].concat(),
    );
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let live_ruled = json_of(&stage.refit, &[&["shadow"][..], &ruled].concat());

    // Who may not read a kind is told the same by the file.
    let looking = ["--kubeconfig", &looker, "--context", "demo-1"];
    let saved = json_of(
        &stage.refit,
        &[&["inventory", "--save", "looker.inv.json"][..], &looking].concat(),
    );
    assert_eq!(saved.code, 0, "{}", saved.stderr);
    let live_looker = json_of(&stage.refit, &[&["shadow"][..], &looking].concat());

    for log in stage.requests(&marks).unwrap() {
        assert_eq!(log.writes().len(), 0);
    }
    assert_unmoved(&before, &stage.snapshots().unwrap());
    let mut figures = Vec::new();
    for file in ["fleet.inv.json", "ruled.inv.json", "looker.inv.json"] {
        figures.push(holds_no_secret(&stage, &folder.join(file)));
    }

    stage.planes[0].stop_apiserver();
    let gone = stage.refit.call(&["shadow"]).unwrap();
    assert_eq!(gone.code, 1, "the server is gone: {}", gone.stdout);
    std::fs::rename(folder.join("kubeconfig"), folder.join("no-kubeconfig")).unwrap();
    let from = |file: &str, more: &[&str]| {
        json_of(
            &stage.refit,
            &[&["shadow", "--from", file][..], more].concat(),
        )
    };

    let live = same(live, from("fleet.inv.json", &[]));
    same(
        causes,
        json_of(&stage.refit, &["triage", "--from", "fleet.inv.json"]),
    );
    let live_ruled = same(live_ruled, from("ruled.inv.json", &ruled));
    assert_ne!(live_ruled["dryRuns"], live["dryRuns"]);
    let forbidden = same(
        live_looker,
        from("looker.inv.json", &["--context", "demo-1"]),
    );
    assert!(
        forbidden.to_string().contains("forbidden: "),
        "nothing was forbidden"
    );

    // Rules that the file was not saved under: what they would rehearse is not there, and holds its release.
    let other = from("fleet.inv.json", &ruled);
    assert!(
        other
            .value
            .to_string()
            .contains("the saved inventory does not hold"),
        "{}",
        other.stderr
    );
    // A part of it, one release, and without fleet.toml or kubeconfig at all.
    same(one, from("fleet.inv.json", &[KEEPER]));
    let alone = tempfile::tempdir().unwrap();
    let file = folder.join("fleet.inv.json").display().to_string();
    let output = elsewhere(
        &stage,
        alone.path(),
        &["shadow", "--from", &file, "-o", "json"],
    );
    let words = String::from_utf8_lossy(&output.stderr);
    let there: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words}"));
    assert_eq!(timeless(there).to_string(), live.to_string());

    let keeper = live["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["release"] == KEEPER);
    let keeper = keeper.unwrap().to_string();
    for seen in [
        "left-over-hook",
        "kept-orphan",
        "keeper-misspelt",
        "kubectl-edit",
        "<hidden>",
    ] {
        assert!(keeper.contains(seen), "{seen} is not in {keeper}");
    }
    eprintln!(
        "{} releases, {} objects, {} asked, {} dry runs ({} under rules); (bytes, values of Secrets looked for) of the files: {figures:?}",
        live["summary"]["releases"],
        live["summary"]["objects"],
        live["summary"]["asked"],
        live["dryRuns"],
        live_ruled["dryRuns"],
    );
}
