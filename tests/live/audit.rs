//! `refit audit` after a migration: the gate holds, Helm 3 comes back and slides one release back, and the audit names
//! it, who did it, and what changed since.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage};
use testbed::{ControlPlane, Helm, Options};

const CHART: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata: { a: {{ .Values.a }}, b: fixed }\n---\n\
                     apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\nstringData: { password: hunter2 }\n";

/// Three releases that Helm 3 installed, all migrated.
fn stage() -> (Stage, String) {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = Refit::beside(refit, &planes).unwrap();
    let chart = refit.folder().join("ledger");
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let file = |name: &str, text: &str| std::fs::write(chart.join(name), text).unwrap();
    file(
        "Chart.yaml",
        "apiVersion: v2\nname: ledger\nversion: 1.0.0\n",
    );
    file("values.yaml", "a: one\n");
    file("templates/all.yaml", CHART);
    let chart = chart.display().to_string();
    for name in ["ledger", "cart", "mail"] {
        Helm::v3(&planes[0])
            .unwrap()
            .run("default", ["install", name, &chart])
            .unwrap();
    }
    let stage = Stage {
        planes,
        releases: Vec::new(),
        refit,
    };
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    let run = stage
        .refit
        .json(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap();
    assert_eq!(run.code, 0, "{}", run.stderr);
    (stage, chart)
}

const GATE: [&str; 5] = ["audit", "--gate", "one-manager", "-o", "json"];

#[test]
fn a_release_that_slid_back_is_named_with_who_did_it() {
    let (stage, chart) = stage();
    let marks = stage.marks().unwrap();
    let clean = stage.refit.call(&GATE).unwrap();
    assert_eq!(clean.code, 0, "{}", clean.stderr);
    assert_eq!(clean.value["summary"]["apply"], 3, "{:#}", clean.value);
    assert_eq!(
        clean.value["summary"]["unownedFields"], 0,
        "{:#}",
        clean.value
    );
    assert_eq!(clean.value["gates"][0]["result"], "Pass");
    stage
        .refit
        .json(&["audit", "--save", "monday.json"])
        .unwrap();
    let kept = std::fs::read_to_string(stage.refit.folder().join("monday.json")).unwrap();
    assert!(
        kept.contains("f:password") && kept.contains("f:b"),
        "{kept}"
    );
    for value in ["hunter2", "aHVudGVyMg", "fixed"] {
        assert!(!kept.contains(value), "{value} is in the capture");
    }

    let helm = Helm::v3(&stage.planes[0]).unwrap();
    helm.run("default", ["upgrade", "ledger", &chart, "--set", "a=two"])
        .unwrap();
    // Nobody owns `.data.b` of cart any more.
    let api = stage.planes[0].api();
    let cart = "/api/v1/namespaces/default/configmaps/cart";
    let mut entries = api.get(cart).unwrap()["metadata"]["managedFields"].clone();
    entries[0]["fieldsV1"]["f:data"]
        .as_object_mut()
        .unwrap()
        .remove("f:b")
        .unwrap();
    let shed = json!([{ "op": "replace", "path": "/metadata/managedFields", "value": entries }]);
    api.json_patch(cart, &shed).unwrap();

    let slid = stage.refit.call(&GATE).unwrap();
    assert_eq!(slid.code, 2, "{}", slid.stderr);
    let found = &slid.value["slidBack"][0];
    assert_eq!(found["release"], "demo-1/default/ledger");
    assert_eq!(
        (&found["revision"], &found["lastSsa"]),
        (&json!(3), &json!(1)),
        "{found:#}"
    );
    assert_eq!(found["by"], "Helm 3");
    let evidence = found["evidence"].as_str().unwrap();
    assert!(
        evidence.contains("records no apply method: Helm 3 wrote it"),
        "{evidence}"
    );
    // The Secret did not change, so Helm 3 sent nothing for it.
    assert_eq!(found["objects"].as_array().unwrap().len(), 1, "{found:#}");
    assert_eq!(found["objects"][0]["object"]["kind"], "ConfigMap");
    assert_eq!(found["objects"][0]["entry"]["manager"], "helm");
    let names: Vec<&str> = slid.value["gates"][0]["releases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|it| it["release"].as_str())
        .collect();
    assert_eq!(names, ["demo-1/default/ledger"]);
    assert_eq!(
        slid.value["summary"]["unownedFields"], 1,
        "{:#}",
        slid.value
    );
    let wide = stage
        .refit
        .text(&["audit", "default/cart", "-o", "wide"])
        .unwrap();
    assert!(
        wide.contains("1 field of the manifest without an owner"),
        "{wide}"
    );
    let one = stage.refit.text(&["audit", "default/ledger"]).unwrap();
    assert!(
        one.contains("ConfigMap/ledger in default: helm/Update wrote"),
        "{one}"
    );
    let managers = stage.refit.text(&["audit", "--by", "manager"]).unwrap();
    assert!(managers.contains("canonical   3"), "{managers}");

    stage
        .refit
        .json(&["audit", "--save", "friday.json"])
        .unwrap();
    let diff = ["audit", "diff", "monday.json", "friday.json", "-o", "json"];
    let diff = stage
        .refit
        .call(&[&diff[..], &["--detailed-exitcode"]].concat())
        .unwrap();
    assert_eq!(diff.code, 2, "{}", diff.stderr);
    assert_eq!(diff.value["summary"]["changed"], 2, "{:#}", diff.value);
    let cart = &diff.value["items"][0]["objects"][0];
    assert_eq!(
        cart["fields"],
        json!([{ "before": ["helm/Apply"], "after": [], "fields": [".data.b"] }])
    );
    let ledger = &diff.value["items"][1];
    assert_eq!(
        ledger["ownership"],
        json!({ "before": "Apply", "after": "Update" })
    );
    assert_eq!(
        ledger["objects"][0]["fields"][0]["fields"],
        json!([".data.a"]),
        "{ledger:#}"
    );

    // Helm 3 takes the mark off what it supersedes: after four more upgrades only the objects tell.
    for value in ["three", "four", "five", "six"] {
        let value = format!("a={value}");
        helm.run("default", ["upgrade", "ledger", &chart, "--set", &value])
            .unwrap();
    }
    let later = stage.refit.call(&["audit", "-o", "json"]).unwrap();
    assert_eq!(later.code, 0, "{}", later.stderr);
    let found = &later.value["slidBack"][0];
    assert_eq!(
        (&found["revision"], &found["lastSsa"]),
        (&json!(7), &Value::Null),
        "{found:#}"
    );

    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
}
