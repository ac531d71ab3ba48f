//! `refit triage` on a real server: holds that look alike to the forecast are told apart, and nothing is written.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage};
use testbed::{ControlPlane, Helm, Options};

use crate::support::assert_unmoved;

const CHART: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: { team: shop }
spec:
  replicas: 2
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers:
        - name: app
          image: registry.example/app:1.0.0
          env:
            - { name: MODE, value: a }
{{- if .Values.twice }}
            - { name: MODE, value: b }
{{- end }}
";

fn stage() -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let chart = refit.folder().join("web");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let about = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    std::fs::write(chart.join("Chart.yaml"), about).unwrap();
    std::fs::write(chart.join("values.yaml"), "twice: false\n").unwrap();
    std::fs::write(chart.join("templates/all.yaml"), CHART).unwrap();
    let chart = chart.display().to_string();
    let helm = Helm::v3(&planes[0]).unwrap();
    for name in ["scaled", "byhand", "image", "label", "both", "plain"] {
        helm.run("default", ["install", name, &chart]).unwrap();
    }
    helm.run(
        "default",
        ["install", "twice", &chart, "--set", "twice=true"],
    )
    .unwrap();
    let api = planes[0].api();
    let patch = |name: &str, manager: &str, body: &Value| {
        let path =
            format!("/apis/apps/v1/namespaces/default/deployments/{name}?fieldManager={manager}");
        api.merge_patch(&path, body).unwrap();
    };
    let image = json!([{ "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "registry.example/app:1.0.1" }]);
    for name in ["image", "both"] {
        let path =
            format!("/apis/apps/v1/namespaces/default/deployments/{name}?fieldManager=kubectl-set");
        api.json_patch(&path, &image).unwrap();
    }
    let scale = json!({ "spec": { "replicas": 5 } });
    for (name, manager) in [
        ("scaled", "kube-controller-manager"),
        ("both", "kube-controller-manager"),
        ("byhand", "kubectl"),
    ] {
        patch(&format!("{name}/scale"), manager, &scale);
    }
    let label = json!({ "metadata": { "labels": { "team": "payments" } } });
    patch("label", "kubectl-label", &label);
    Stage {
        planes,
        releases: Vec::new(),
        refit,
    }
}

#[test]
fn holds_are_told_apart_and_nothing_is_written() {
    let stage = stage();
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let list = stage.refit.call(&["triage", "-o", "json"]).unwrap();
    assert_eq!(list.code, 0, "{}", list.stderr);
    let shadow = stage.refit.text(&["shadow", "--save", "s.json"]).unwrap();
    let saved = stage
        .refit
        .call(&["triage", "--from", "s.json", "-o", "json"])
        .unwrap();
    let rules = stage.refit.call(&["triage", "--rules"]).unwrap().stdout;
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
    assert_unmoved(&before, &stage.snapshots().unwrap());

    let items = list.value["items"].as_array().unwrap();
    let cause = |release: &str| {
        let id = format!("demo-1/default/{release}");
        let has = |it: &&Value| {
            it["releases"]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one == id.as_str()))
        };
        items
            .iter()
            .find(has)
            .map_or("", |it| it["cause"].as_str().unwrap())
            .to_owned()
    };
    assert_eq!(cause("scaled"), "scaler-owns-replicas", "{:#}", list.value);
    assert_eq!(cause("byhand"), "scaled-by-hand", "{:#}", list.value);
    assert_eq!(cause("image"), "image-set-by-hand");
    assert_eq!(cause("both"), "image-set-by-hand");
    assert_eq!(cause("label"), "label-by-hand");
    assert_eq!(cause("twice"), "duplicate-list-key", "{:#}", list.value);
    assert_eq!(cause("plain"), "");
    assert_eq!(list.value["summary"]["held"], 6);
    assert_eq!(saved.value["items"], list.value["items"]);
    assert!(shadow.contains("image-set-by-hand (+1)"), "{shadow}");
    assert!(
        rules.contains("owner = \"kube-controller-manager/scale\"\nconflict = \"yield\""),
        "{rules}"
    );
    assert!(rules.contains("conflict = \"adopt-live\""), "{rules}");

    // In fleet.toml the rules settle what they were printed for, and nothing else.
    let file = stage.refit.folder().join("fleet.toml");
    let mut fleet = std::fs::read_to_string(&file).unwrap();
    fleet.push_str(&rules);
    std::fs::write(&file, fleet).unwrap();
    let after = stage.refit.call(&["triage", "-o", "json"]).unwrap();
    assert_eq!(after.code, 0, "{}", after.stderr);
    assert_eq!(after.value["summary"]["held"], 4, "{:#}", after.value);
    assert_eq!(after.value["summary"]["rules"]["causes"], 0);
}
