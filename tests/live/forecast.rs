//! `refit shadow`, `refit fields` and `refit fields simulate` against a real server: they say what is, and write nothing.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage};
use testbed::{ControlPlane, Helm, Options};

const CONFIG_MAP: &str = "/api/v1/namespaces/default/configmaps/settings";

/// A release with a ConfigMap and a Secret; afterwards the ConfigMap is edited by hand, and so is the Secret.
fn stage() -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let chart = refit.folder().join("settings");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    std::fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: settings\nversion: 1.0.0\n",
    )
    .unwrap();
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  labels: { team: payments }\ndata: { a: chart, b: chart }\n---\n\
                    apiVersion: v1\nkind: Secret\nmetadata:\n  name: settings\nstringData: { password: hunter2 }\n";
    std::fs::write(chart.join("templates/all.yaml"), template).unwrap();
    let chart = chart.display().to_string();
    Helm::v3(&planes[0])
        .unwrap()
        .run("default", ["install", "settings", &chart])
        .unwrap();
    let api = planes[0].api();
    let by = |path: &str| format!("{path}?fieldManager=kubectl-edit");
    api.merge_patch(&by(CONFIG_MAP), &json!({"data": {"a": "hand"}}))
        .unwrap();
    let secret = "/api/v1/namespaces/default/secrets/settings";
    api.merge_patch(
        &by(secret),
        &json!({"data": {"password": "Y29ycmVjdCBob3JzZQ=="}}),
    )
    .unwrap();
    Stage {
        planes,
        releases: Vec::new(),
        refit,
    }
}

/// Asks `refit fields simulate`, one answer a request.
fn simulate(stage: &Stage, requests: &[Value]) -> Vec<Value> {
    let mut child = stage
        .refit
        .command(&["fields", "simulate", "--jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for request in requests {
        writeln!(stdin, "{request}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// managedFields without times.
fn timeless(managed: &Value) -> Vec<Value> {
    let mut entries = managed.as_array().cloned().unwrap_or_default();
    for entry in &mut entries {
        entry.as_object_mut().unwrap().remove("time");
    }
    entries.sort_by_key(Value::to_string);
    entries
}

#[test]
fn forecasts_and_owners_are_the_servers_and_nothing_is_written() {
    let stage = stage();
    let api = stage.planes[0].api();
    let list = stage
        .refit
        .call(&["shadow", "--save", "s.json", "-o", "json"])
        .unwrap();
    assert_eq!(list.code, 0, "{}", list.stderr);
    let release = &list.value["items"][0];
    assert_eq!(
        (&list.value["kind"], &release["outcome"]),
        (&json!("ForecastList"), &json!("NeedsChoice"))
    );
    let objects = release["objects"].as_array().unwrap();
    let active = |kind: &str| {
        let object = objects
            .iter()
            .find(|it| it["object"]["kind"] == kind)
            .unwrap();
        object["active"].clone()
    };
    let conflict = &active("ConfigMap")[0];
    assert_eq!(
        (
            &conflict["field"],
            &conflict["owner"],
            &conflict["theirs"],
            &conflict["ours"]
        ),
        (
            &json!(".data.a"),
            &json!("kubectl-edit"),
            &json!("hand"),
            &json!("chart")
        )
    );
    assert!(conflict["since"].is_string());
    assert!(
        !list.stdout.contains("hunter2") && !list.stdout.contains("Y29ycmVjd"),
        "{}",
        list.stdout
    );
    assert!(!list.stdout.contains("aHVudGVyMg"), "{}", list.stdout);
    let conflicts: usize = objects
        .iter()
        .map(|it| it["active"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(list.value["summary"]["active"], conflicts);
    assert_eq!(
        list.value["summary"]["clusters"][0],
        json!({"name": "demo-1", "conflicted": 1, "releases": 1})
    );
    let one = stage.refit.text(&["shadow", "default/settings"]).unwrap();
    assert!(
        one.contains("hand -> chart") && one.contains("0 writes"),
        "{one}"
    );
    let held =
        stage.refit.json(&["plan", "-o", "json"]).unwrap().value["held"][0]["reasons"].clone();
    assert_eq!(held, release["reasons"], "plan and shadow disagree");

    let who = |object: &str, path: &str| {
        stage
            .refit
            .call(&["fields", object, "--who", path])
            .unwrap()
    };
    let found = who("demo-1/default/cm/settings", ".data.a");
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(
        found
            .stdout
            .starts_with(".data.a   kubectl-edit   Update   20"),
        "{}",
        found.stdout
    );
    assert_eq!(who("demo-1/default/configmap/settings", ".data.c").code, 2);
    assert_eq!(who("demo-1/default/cm/nothing", ".data").code, 1);
    assert_eq!(
        who(
            "demo-1/namespace/default",
            ".metadata.labels.kubernetes.io/metadata.name"
        )
        .code,
        0
    );
    assert_eq!(who("demo-1/cm/settings", ".data").code, 1);
    let secret = stage
        .refit
        .call(&["fields", "demo-1/default/secrets/settings", "-o", "json"])
        .unwrap();
    assert!(
        secret.stdout.contains("<hidden>") && !secret.stdout.contains("Y29ycmVjd"),
        "{}",
        secret.stdout
    );

    let openapi = stage.refit.folder().join("v1.json");
    std::fs::write(&openapi, api.get("/openapi/v3/api/v1").unwrap().to_string()).unwrap();
    let live = api.get(CONFIG_MAP).unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"},
        "data": {"a": "chart", "b": "other"},
    });
    let request = |force: bool| json!({"op": "apply", "openapi": ["v1.json"], "manager": "me", "force": force, "live": live, "config": config});
    let csa = json!({"op": "csa", "manager": "helm", "csaManagers": ["helm"], "live": live});
    let answers = simulate(
        &stage,
        &[request(false), json!({"op": "sing"}), request(true), csa],
    );
    assert_eq!(answers.len(), 4);
    let apply = |force: bool| -> Value {
        let path = format!("{CONFIG_MAP}?dryRun=All&fieldManager=me&force={force}");
        let body = config.to_string();
        let answer = api
            .send(
                "PATCH",
                &path,
                "application/apply-patch+yaml",
                body.as_bytes(),
            )
            .unwrap();
        answer.body
    };
    let (refused, forced) = (apply(false), apply(true));
    assert_eq!(answers[0]["error"], refused["message"]);
    let told = |list: &Value| -> BTreeSet<(String, String)> {
        let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
        list.as_array()
            .unwrap()
            .iter()
            .map(|it| (text(it, "message"), text(it, "field")))
            .collect()
    };
    assert_eq!(
        told(&answers[0]["conflicts"]),
        told(&refused["details"]["causes"])
    );
    assert_eq!(told(&answers[0]["conflicts"]).len(), 2);
    assert!(answers[1]["error"].as_str().unwrap().contains("sing"));
    assert_eq!(
        timeless(&answers[2]["managedFields"]),
        timeless(&forced["metadata"]["managedFields"])
    );
    assert_eq!(answers[2]["object"]["data"], forced["data"]);
    let upgraded = api
        .json_patch(&format!("{CONFIG_MAP}?dryRun=All"), &answers[3]["patch"])
        .unwrap();
    assert_eq!(
        timeless(&upgraded["metadata"]["managedFields"]),
        timeless(&answers[3]["patch"][0]["value"])
    );

    let log = stage.planes[0].audit().unwrap();
    let by_refit = log.by_agent("refit/");
    assert!(!by_refit.is_empty());
    assert_eq!(by_refit.writes().len(), 0);
}
