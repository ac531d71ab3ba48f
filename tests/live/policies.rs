//! Policies against a real server: conflicts of a scaler and of kubectl, and drops, are settled by rules; the migration
//! moves owners only, Helm 4 goes on as was forecast, and undo puts every owner back.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage};
use testbed::{ControlPlane, Helm, Options};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments/";

const TEMPLATE: &str = r"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: { team: {{ .Values.team }} }
spec:
  {{- if .Values.replicas }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  selector: { matchLabels: { app: {{ .Release.Name }} } }
  template:
    metadata: { labels: { app: {{ .Release.Name }} } }
    spec:
      containers:
        - name: app
          image: {{ .Values.image }}
          env:
            - { name: MODE, value: {{ .Values.mode }} }
";

const VALUES: &str = "replicas: 2\nimage: registry.example/app:1\nteam: payments\nmode: fast\n";

const RULES: &str = r#"
[[policy]]
field = ".spec.replicas"
owner = "*/scale"
chart = "scaled"
conflict = "yield"
why = "autoscaled"

[[policy]]
field = ".spec.replicas"
conflict = "adopt-live"
why = "scaled by hand, once"

[[policy]]
kind = "Deployment"
field = ".spec.template.spec.containers[name=app].image"
owner = "kubectl-set"
conflict = "adopt-live"
why = "a hot fix that the next release has"

[[policy]]
field = ".metadata.labels"
owner = "kubectl-*"
conflict = "adopt-live"
why = "labels are the chart's"

[[policy]]
field = ".data.old"
drop = "prune-next"
why = "nobody reads it"

[[policy]]
field = ".data.pinned"
drop = "pin"
why = "still read"

[[policy]]
field = ".spec.replicas"
chart = "shedding"
drop = "shed"
why = "the next version leaves replicas to the autoscaler"

[[policy]]
field = ".data.waits"
conflict = "retry"
why = "a controller is about to let go"
"#;

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

fn chart(stage: &Stage, name: &str, template: &str, values: &str) -> String {
    let chart = stage.refit.folder().join("charts").join(name);
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    std::fs::write(chart.join("Chart.yaml"), about).unwrap();
    std::fs::write(chart.join("values.yaml"), values).unwrap();
    std::fs::write(chart.join("templates/all.yaml"), template).unwrap();
    chart.display().to_string()
}

fn add_rules(stage: &Stage, rules: &str) {
    let file = stage.refit.folder().join("fleet.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text + rules).unwrap();
}

fn state_of<'a>(report: &'a Value, release: &str) -> &'a Value {
    let id = format!("demo-1/default/{release}");
    let items = report["items"].as_array().unwrap();
    let item = items.iter().find(|it| it["release"] == id.as_str());
    &item.unwrap_or_else(|| panic!("{id} is not in {report:#}"))["state"]
}

/// Who owns a field, by `refit fields`.
fn owners(stage: &Stage, object: &str, field: &str) -> Vec<String> {
    let found = stage
        .refit
        .call(&["fields", object, "--who", field, "--no-headers"])
        .unwrap();
    let mut owners: Vec<String> = found
        .stdout
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some(format!("{}/{}", words.next()?, words.next()?))
        })
        .collect();
    owners.sort();
    owners
}

#[test]
fn rules_settle_conflicts_and_drops_and_undo_puts_every_owner_back() {
    let stage = stage();
    let api = stage.planes[0].api();
    let v3 = Helm::v3(&stage.planes[0]).unwrap();
    let v4 = Helm::v4(&stage.planes[0]).unwrap();
    let web = chart(&stage, "web", TEMPLATE, VALUES);
    let scaled = chart(&stage, "scaled", TEMPLATE, VALUES);
    let targeted = chart(&stage, "targeted", TEMPLATE, VALUES);
    for (release, chart) in [("web", &web), ("scaled", &scaled), ("targeted", &targeted)] {
        v3.run("default", ["install", release, chart]).unwrap();
        let path = format!("{DEPLOYMENT}{release}");
        let by = |manager: &str| format!("{path}?fieldManager={manager}");
        let scale = format!("{path}/scale?fieldManager=kubectl");
        api.merge_patch(&scale, &json!({"spec": {"replicas": 5}}))
            .unwrap();
        if release == "web" {
            let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "registry.example/app:1-fix"}]}}}});
            let body = image.to_string();
            let answer = api
                .send(
                    "PATCH",
                    &by("kubectl-set"),
                    "application/strategic-merge-patch+json",
                    body.as_bytes(),
                )
                .unwrap();
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            // The same value: a latent conflict.
            let label =
                json!([{"op": "replace", "path": "/metadata/labels/team", "value": "other"}]);
            api.json_patch(&by("kubectl-label"), &label).unwrap();
            let label =
                json!([{"op": "replace", "path": "/metadata/labels/team", "value": "payments"}]);
            api.json_patch(&by("kubectl-label"), &label).unwrap();
        }
    }
    let scaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "targeted"},
        "spec": {"minReplicas": 1, "maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "targeted"}},
    });
    api.post(
        "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
        &scaler,
    )
    .unwrap();
    // A ConfigMap with fields that Helm owns and the manifest has not: made by hand under Helm's name.
    let keys = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: keys\ndata:\n  kept: a\n  changed: {{ .Values.changed | quote }}\n";
    let keys = chart(&stage, "keys", keys, "changed: a\n");
    v3.run("default", ["install", "keys", &keys]).unwrap();
    let map = "/api/v1/namespaces/default/configmaps/keys";
    let more = json!({"data": {"old": "1", "pinned": "2", "gone": "3"}});
    api.merge_patch(&format!("{map}?fieldManager=helm"), &more)
        .unwrap();
    let waits = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: waits\ndata:\n  waits: a\n";
    let waits = chart(&stage, "waits", waits, "");
    v3.run("default", ["install", "waits", &waits]).unwrap();
    let other = json!({"data": {"waits": "b"}});
    api.merge_patch(
        "/api/v1/namespaces/default/configmaps/waits?fieldManager=operator",
        &other,
    )
    .unwrap();

    let shedding = chart(&stage, "shedding", TEMPLATE, VALUES);
    v3.run("default", ["install", "shedding", &shedding])
        .unwrap();

    // Without rules all of them but two are held.
    let held = stage.refit.json(&["plan", "-o", "json"]).unwrap().value;
    assert_eq!(held["summary"]["needsChoice"], 4, "{held:#}");

    add_rules(&stage, RULES);
    let explained = stage
        .refit
        .json(&["policy", "explain", "default/web", "-o", "json"])
        .unwrap()
        .value;
    assert_eq!(explained["kind"], "DecisionList");
    let about = |field: &str| -> Value {
        let items = explained["items"].as_array().unwrap();
        let item = items.iter().find(|it| it["field"] == field);
        item.cloned()
            .unwrap_or_else(|| panic!("{field}: {explained:#}"))
    };
    assert_eq!(
        about(".spec.replicas")["rule"]["why"],
        "scaled by hand, once"
    );
    assert_eq!(about(".metadata.labels.team")["subject"], "latent");
    let refused = stage
        .refit
        .text(&["policy", "explain", "default/targeted"])
        .unwrap();
    assert!(
        refused.contains("HorizontalPodAutoscaler targeted") && refused.contains("0 writes"),
        "{refused}"
    );

    let plan = stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap()
        .value;
    assert_eq!(plan["summary"]["needsChoice"], 1, "{plan:#}");
    assert_eq!(plan["summary"]["migrate"], 5, "{plan:#}");
    assert_eq!(plan["summary"]["valueChanges"], 0);

    let before = stage.snapshots().unwrap().remove(0);
    let run = stage
        .refit
        .call(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 3, "{}", run.stderr);
    for release in ["web", "scaled", "keys", "shedding"] {
        assert_eq!(state_of(&run.value, release), "Done", "{:#}", run.value);
    }
    assert_eq!(state_of(&run.value, "waits"), "Busy", "{:#}", run.value);
    let after = stage.snapshots().unwrap().remove(0);
    assert_eq!(
        testbed::demo::changes(&before, &after).content,
        Vec::<String>::new()
    );

    // Owners are as the rules say.
    let deployment = |release: &str| format!("demo-1/default/deployment/{release}");
    let image = ".spec.template.spec.containers[name=\"app\"].image";
    assert_eq!(
        owners(&stage, &deployment("web"), ".spec.replicas"),
        ["helm/Apply"]
    );
    assert_eq!(owners(&stage, &deployment("web"), image), ["helm/Apply"]);
    assert_eq!(
        owners(&stage, &deployment("web"), ".metadata.labels.team"),
        ["helm/Apply"]
    );
    assert_eq!(
        owners(&stage, &deployment("scaled"), ".spec.replicas"),
        ["kubectl/scale/Update"]
    );
    let keys_of = |field: &str| owners(&stage, "demo-1/default/configmap/keys", field);
    assert_eq!(keys_of(".data.old"), ["helm/Apply"]);
    assert_eq!(keys_of(".data.pinned"), ["refit-pin/Apply"]);
    assert_eq!(keys_of(".data.gone"), Vec::<String>::new());

    let none: [String; 0] = [];
    assert_eq!(
        owners(&stage, &deployment("shedding"), ".spec.replicas"),
        none
    );

    // Undo: every owner, every byte.
    let id = run
        .value
        .pointer("/metadata/run")
        .and_then(Value::as_str)
        .unwrap();
    let undone = stage
        .refit
        .call(&["undo", id, "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    let back = stage.snapshots().unwrap().remove(0);
    let differences = testbed::snapshot::diff(&before, &back, true);
    assert!(differences.is_empty(), "{differences:?}");

    // Again, and on with Helm 4, as was forecast.
    stage
        .refit
        .json(&["plan", "--save", "q.json", "-o", "json"])
        .unwrap();
    let again = stage
        .refit
        .call(&["run", "q.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(state_of(&again.value, "web"), "Done", "{:#}", again.value);
    let upgraded = v4.run("default", ["upgrade", "web", &web, "--set", "mode=slow"]);
    upgraded.unwrap();
    let live = api.get(&format!("{DEPLOYMENT}web")).unwrap();
    assert_eq!(
        live["spec"]["replicas"], 2,
        "adopted live: the next upgrade sets the chart's value"
    );
    let yielded = v4.run(
        "default",
        ["upgrade", "scaled", &scaled, "--set", "mode=slow"],
    );
    assert!(
        yielded.is_err(),
        "yielded: refused until the chart drops the field"
    );
    v4.run(
        "default",
        ["upgrade", "scaled", &scaled, "--set", "replicas=null"],
    )
    .unwrap();
    let live = api.get(&format!("{DEPLOYMENT}scaled")).unwrap();
    assert_eq!(live["spec"]["replicas"], 5);
    v4.run(
        "default",
        ["upgrade", "shedding", &shedding, "--set", "replicas=null"],
    )
    .unwrap();
    let live = api.get(&format!("{DEPLOYMENT}shedding")).unwrap();
    assert_eq!(
        live["spec"]["replicas"], 2,
        "shed: dropped from the chart, its value stays"
    );
    v4.run("default", ["upgrade", "keys", &keys, "--set", "changed=b"])
        .unwrap();
    let live = api.get(map).unwrap();
    assert_eq!(
        live["data"],
        json!({"kept": "a", "changed": "b", "pinned": "2", "gone": "3"})
    );
}
