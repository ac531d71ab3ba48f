//! `refit shadow --manifest` against `helm upgrade`: what is forecast of a rendered chart is what Helm 4 then meets.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage};
use testbed::{ControlPlane, Helm, Options};

/// A chart whose next version changes replicas, image and data, drops a key and a Service, and brings a ConfigMap.
const TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata: { name: {{ .Release.Name }} }
spec:
  replicas: {{ .Values.replicas }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers:
      - name: app
        image: registry.example/app:{{ .Values.tag }}
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
data:
  a: {{ .Values.tag | quote }}
  b: fixed
{{- if eq .Values.tag "1" }}
  gone: soon
{{- end }}
---
apiVersion: v1
kind: Secret
metadata: { name: {{ .Release.Name }} }
stringData: { password: {{ .Values.tag | quote }} }
---
{{- if eq .Values.tag "1" }}
apiVersion: v1
kind: Service
metadata: { name: {{ .Release.Name }} }
spec:
  selector: { app: x }
  ports: [{ port: 80 }]
{{- else }}
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }}-new }
data: { c: d }
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: { "helm.sh/hook": test }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: a, image: registry.example/a:1 }]
"#;

const NEXT: [&str; 4] = ["--set-string", "tag=2", "--set", "replicas=3"];

fn stage() -> (Stage, String) {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let chart = refit.folder().join("shop");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let file = |name: &str, text: &str| std::fs::write(chart.join(name), text).unwrap();
    file("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    file("values.yaml", "tag: \"1\"\nreplicas: 2\n");
    file("templates/all.yaml", TEMPLATE);
    let stage = Stage {
        planes,
        releases: Vec::new(),
        refit,
    };
    (stage, chart.display().to_string())
}

/// What others do to the objects of a release.
fn meddle(plane: &ControlPlane, release: &str) {
    let api = plane.api();
    let patch = |path: String, manager: &str, body: Value| {
        api.merge_patch(&format!("{path}?fieldManager={manager}"), &body)
            .unwrap();
    };
    let deployment = format!("/apis/apps/v1/namespaces/default/deployments/{release}");
    let config = format!("/api/v1/namespaces/default/configmaps/{release}");
    match release {
        "scaled" => patch(
            format!("{deployment}/scale"),
            "autoscaler",
            json!({"spec": {"replicas": 7}}),
        ),
        "edited" => {
            patch(config, "kubectl-edit", json!({"data": {"a": "by hand"}}));
            let secret = format!("/api/v1/namespaces/default/secrets/{release}");
            patch(secret, "rotator", json!({"data": {"password": "eA=="}}));
        }
        "set" => {
            let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/app:1-p1"}]}}}});
            let path = format!("{deployment}?fieldManager=kubectl-set");
            let kind = "application/strategic-merge-patch+json";
            let answer = api
                .send("PATCH", &path, kind, image.to_string().as_bytes())
                .unwrap();
            assert!(answer.status < 300, "{}", answer.body);
        }
        "alias" => {
            // An older Helm wrote this one under another name.
            let mut entries = api.get(&config).unwrap()["metadata"]["managedFields"].clone();
            entries[0]["manager"] = json!("Go-http-client");
            let body =
                json!([{"op": "replace", "path": "/metadata/managedFields", "value": entries}]);
            api.json_patch(&config, &body).unwrap();
        }
        // Somebody else's object stands where the new chart puts one.
        "taken" => {
            let body = json!({"metadata": {"name": "taken-new"}, "data": {}});
            api.post("/api/v1/namespaces/default/configmaps", &body)
                .unwrap();
        }
        _ => {}
    }
}

/// Manager and field of each conflict in Helm's words.
fn conflicts(words: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut rest = words;
    while let Some(at) = rest
        .find("conflict with \"")
        .or_else(|| rest.find("conflicts with \""))
    {
        rest = &rest[at..];
        let head = rest.find(": .").into_iter().chain(rest.find(":\n- ")).min();
        let Some(end) = head else { break };
        let mut quoted = rest[..end].split('"').skip(1).step_by(2);
        let manager: Vec<&str> = quoted.by_ref().take(2).collect();
        let manager = manager.join("/");
        if rest[end..].starts_with(": .") {
            let field = rest[end + 2..]
                .split_whitespace()
                .next()
                .unwrap_or_default();
            found.insert((manager, field.to_owned()));
        } else {
            for line in rest[end + 2..]
                .lines()
                .take_while(|line| line.starts_with("- "))
            {
                let field = line.trim_start_matches("- ");
                let field = field.split(" && ").next().unwrap_or_default();
                found.insert((manager.clone(), field.to_owned()));
            }
        }
        rest = &rest[end + 1..];
    }
    found
}

/// The same of a forecast.
fn forecast(item: &Value) -> BTreeSet<(String, String)> {
    let objects = item["objects"].as_array().unwrap().iter();
    let conflicts = objects.flat_map(|it| it["conflicts"].as_array().into_iter().flatten());
    conflicts
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap().to_owned();
            (text("owner"), text("field"))
        })
        .collect()
}

fn outcomes(item: &Value, word: &str) -> Vec<String> {
    let objects = item["objects"].as_array().unwrap().iter();
    objects
        .filter(|it| it["outcome"]["type"] == word)
        .map(|it| {
            format!(
                "{}/{}",
                it["object"]["kind"].as_str().unwrap(),
                it["object"]["name"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn the_next_upgrade_meets_what_was_forecast() {
    let (stage, chart) = stage();
    let plane = &stage.planes[0];
    let (v3, v4) = (Helm::v3(plane).unwrap(), Helm::v4(plane).unwrap());
    let all = [
        "clean", "scaled", "edited", "set", "alias", "taken", "native",
    ];
    for release in all {
        // One was never client-side.
        let helm = if release == "native" { &v4 } else { &v3 };
        helm.run("default", ["install", release, &chart]).unwrap();
        meddle(plane, release);
    }
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let mut told = Vec::new();
    for release in all {
        let mut args = vec!["template", release, &chart];
        args.extend(NEXT);
        let rendered = v4.run("default", args).unwrap();
        let file = stage.refit.folder().join(format!("{release}.yaml"));
        std::fs::write(&file, rendered).unwrap();
        let file = file.display().to_string();
        let glob = format!("*/default/{release}");
        let answer = stage
            .refit
            .call(&[
                "shadow",
                "--manifest",
                &file,
                &glob,
                "--detailed-exitcode",
                "-o",
                "json",
            ])
            .unwrap();
        assert_eq!(answer.value["summary"]["hooks"], 1, "{}", answer.stderr);
        told.push((answer.code, answer.value["items"][0].clone()));
    }
    assert_eq!(stage.snapshots().unwrap(), before);
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
    let mut met_conflicts = 0;
    for (release, (code, item)) in all.iter().zip(&told) {
        let mut args = vec!["upgrade", release, &chart, "--server-side=true"];
        args.extend(NEXT);
        let met = v4.try_run("default", args).unwrap();
        let words = met.stderr;
        let (met_fields, told_fields) = (conflicts(&words), forecast(item));
        assert_eq!(met_fields, told_fields, "{release}: {words}\n{item:#}");
        let passes = v4
            .run("default", ["status", release, "-o", "json"])
            .unwrap();
        let status: Value = serde_json::from_str(&passes).unwrap();
        let deployed = status["info"]["status"] == "deployed" && status["version"] == 2;
        assert_eq!(
            deployed,
            item["outcome"] == "Ready",
            "{release}: {words}\n{item:#}"
        );
        assert_eq!(*code, if deployed { 0 } else { 2 }, "{release}");
        met_conflicts += met_fields.len();
        let gone = outcomes(item, "deleted");
        assert_eq!(gone, [format!("Service/{release}")], "{item:#}");
        if *release == "taken" {
            assert_eq!(
                outcomes(item, "invalid"),
                ["ConfigMap/taken-new"],
                "{item:#}"
            );
            assert!(words.contains("cannot be imported"), "{words}");
        } else {
            assert_eq!(
                outcomes(item, "created"),
                [format!("ConfigMap/{release}-new")],
                "{item:#}"
            );
        }
        if deployed {
            let config = plane
                .api()
                .get(&format!("/api/v1/namespaces/default/configmaps/{release}"))
                .unwrap();
            assert_eq!(config["data"], json!({"a": "2", "b": "fixed"}));
            assert!(item.to_string().contains("\".data.gone\""), "{item:#}");
        }
    }
    eprintln!(
        "{} upgrades, {met_conflicts} conflicts, all as forecast",
        all.len()
    );
    assert!(met_conflicts >= 4, "{met_conflicts}");
}
