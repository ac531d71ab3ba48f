//! `refit graph` against a real server: the edges that a seeded fleet has and no others, wrong declarations refused with
//! their places, and nothing written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testbed::demo::{Answer, Stage};
use testbed::{Helm, Seed};

/// One of each chart, on one cluster.
const RELEASES: usize = 24;

/// What a platform team ships: a namespace, a class, a webhook before ConfigMaps of the team's namespace.
const BASE: &str = "\
apiVersion: v1
kind: Namespace
metadata: { name: team-x, labels: { team: x } }
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: gold }
value: 7
---
apiVersion: v1
kind: Secret
metadata: { name: shared, namespace: team-x }
stringData: { password: hunter2 }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: gate }
webhooks:
  - name: gate.testbed.example
    admissionReviewVersions: [v1]
    sideEffects: None
    failurePolicy: Ignore
    timeoutSeconds: 1
    clientConfig: { service: { namespace: default, name: nobody, path: /a } }
    namespaceSelector: { matchLabels: { team: x } }
    rules: [{ apiGroups: [\"\"], apiVersions: [v1], resources: [configmaps], operations: [UPDATE] }]
";

/// What a team ships on top of it.
const APP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: { name: app, namespace: team-x }
data: { peer: \"http://app.default.svc:80\" }
---
apiVersion: testbed.example/v1
kind: Gadget
metadata: { name: app, namespace: team-x }
spec: { size: 1 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: app, namespace: team-x }
spec:
  replicas: 0
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      priorityClassName: gold
      containers:
        - name: app
          image: registry.example/app:1
          env: [{ name: PASSWORD, valueFrom: { secretKeyRef: { name: shared, key: password } } }]
";

fn install(stage: &Stage, name: &str, template: &str) {
    let chart = stage.refit.folder().join("charts").join(name);
    fs::create_dir_all(chart.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    fs::write(chart.join("Chart.yaml"), about).unwrap();
    fs::write(chart.join("templates/all.yaml"), template).unwrap();
    let chart = chart.display().to_string();
    let helm = Helm::v3(&stage.planes[0]).unwrap();
    helm.run("default", ["install", name, &chart]).unwrap();
}

/// `from to kind reason confidence`.
fn edges(graph: &Value) -> BTreeSet<String> {
    let edges = graph["edges"].as_array().unwrap().iter();
    let name = |id: &Value| id.as_str().unwrap().to_owned();
    edges
        .map(|it| {
            let (from, to) = (name(&it["from"]), name(&it["to"]));
            let (kind, reason) = (it["kind"].as_str().unwrap(), it["reason"].as_str().unwrap());
            format!("{from} {to} {kind} {reason} {}", it["confidence"])
        })
        .collect()
}

fn declare(folder: &Path, fleet: &str, more: &str) -> usize {
    let text = format!("{fleet}\n{more}");
    fs::write(folder.join("fleet.toml"), &text).unwrap();
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| line.starts_with("release ="))
        .map(|(at, _)| at + 1)
        .last()
        .unwrap()
}

#[test]
fn the_seeded_fleet_has_the_edges_that_it_should_and_no_others() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 7,
        releases: RELEASES,
    };
    let stage = Stage::build(refit, 1, seed).unwrap();
    let id = |chart: &str| -> Vec<String> {
        let of_chart = stage.releases.iter().filter(|it| it.chart == chart);
        of_chart
            .map(|it| format!("{}/{}", it.namespace, it.name))
            .collect()
    };
    let marks = stage.marks().unwrap();
    let call = |args: &[&str]| -> Answer { stage.refit.call(args).unwrap() };
    let first = call(&["graph", "-o", "json"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let cluster = first.value["nodes"][0]["release"].as_str().unwrap();
    let cluster = cluster.split('/').next().unwrap().to_owned();
    let (definitions, widgets) = (id("widget-crds"), id("widgets"));
    assert!(definitions.len() == 1 && !widgets.is_empty());
    let named = |from: &str, to: &str, why: &str| format!("{cluster}/{from} {cluster}/{to} {why}");
    let wanted: BTreeSet<String> = widgets
        .iter()
        .map(|it| named(it, &definitions[0], "crd Widget testbed.example/v1 1.0"))
        .collect();
    assert_eq!(edges(&first.value), wanted);
    assert_eq!(first.value["summary"]["releases"], RELEASES);

    install(&stage, "base", BASE);
    install(&stage, "app", APP);
    let gadgets = id("gadgets");
    let second = call(&["graph", "-o", "json", "--save", "g.json"]);
    let app = |to: &str, why: &str| named("default/app", to, why);
    let mut wanted = wanted;
    wanted.extend([
        app("default/base", "namespace Namespace team-x 1.0"),
        app("default/base", "class PriorityClass gold 0.9"),
        app("default/base", "secret Secret team-x/shared 0.8"),
        app(
            "default/base",
            "webhook ValidatingWebhookConfiguration gate on ConfigMap 0.5",
        ),
    ]);
    for gadget in gadgets.iter().take(4) {
        wanted.insert(app(gadget, "crd Gadget testbed.example/v1 0.9"));
    }
    let secret = |it: &String| it.replace("Secret team-x/shared", "Secret shared");
    let plain: BTreeSet<String> = wanted.iter().map(secret).collect();
    assert_eq!(edges(&second.value), plain);
    let everything = format!("{}{}", second.stdout, second.stderr);
    assert!(!everything.contains("hunter2"));

    // Piped text, DOT and SVG tell the same; a saved graph needs no cluster.
    let lines = call(&["graph", "--no-headers"]).stdout.lines().count();
    assert_eq!(lines, wanted.len());
    let dot = call(&["graph", "--from", "g.json", "-o", "dot"]).stdout;
    assert_eq!(dot.matches(" -> ").count(), wanted.len());
    let svg = call(&["graph", "--from", "g.json", "-o", "svg"]).stdout;
    assert!(
        svg.starts_with("<svg ") && svg.contains(">base</text>"),
        "{svg}"
    );
    let target = format!("{cluster}/default/app");
    let near = call(&["graph", &target, "--depth", "1", "-o", "name"]);
    assert!(near.stdout.contains(&format!("{cluster}/default/base\n")));

    // Declarations, right and wrong.
    let folder = stage.refit.folder();
    let fleet = fs::read_to_string(folder.join("fleet.toml")).unwrap();
    let rule =
        |release: &str, on: &str| format!("[[depends]]\nrelease = \"{release}\"\non = \"{on}\"\n");
    declare(
        folder,
        &fleet,
        &rule("*/default/base", &format!("*/{}", widgets[0])),
    );
    let third = call(&["graph", "-o", "json"]);
    assert_eq!(third.value["summary"]["declared"], 1, "{}", third.stderr);
    let line = declare(folder, &fleet, &rule("*/default/base", "*/default/app"));
    for verb in ["graph", "plan"] {
        let cycle = call(&[verb]);
        assert_eq!(cycle.code, 1, "{verb}: {}", cycle.stderr);
        for words in [
            "2 releases wait for each other   Cycle, exit 1".to_owned(),
            format!("{cluster}/default/base -> {cluster}/default/app"),
            format!("declared   fleet.toml:{line}:11"),
            "(the weakest)".to_owned(),
            format!(
                "next:  remove fleet.toml:{line}:11, or let the weakest go: graph.cut_inferred = true"
            ),
        ] {
            assert!(
                cycle.stderr.contains(&words),
                "{verb}: {words}\n{}",
                cycle.stderr
            );
        }
    }
    let cut = format!(
        "{}[graph]\ncut_inferred = true\n",
        rule("*/default/base", "*/default/app")
    );
    declare(folder, &fleet, &cut);
    let cut = call(&["graph", "-o", "json"]);
    assert_eq!(cut.code, 0, "{}", cut.stderr);
    assert_eq!(cut.value["cut"].as_array().map(Vec::len), Some(4));
    let line = declare(folder, &fleet, &rule("*/default/bas", "*/default/app"));
    for verb in ["graph", "plan"] {
        let unknown = call(&[verb]);
        assert_eq!(unknown.code, 1);
        let wanted = format!(
            "fleet.toml:{line}:11   release = \"*/default/bas\"   close: {cluster}/default/base"
        );
        assert!(unknown.stderr.contains(&wanted), "{}", unknown.stderr);
    }
    let asked = stage.requests(&marks).unwrap();
    assert!(asked.iter().all(|log| !log.is_empty()));
    assert_eq!(asked.iter().map(|log| log.writes().len()).sum::<usize>(), 0);
}
