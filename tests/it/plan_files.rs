//! The real binary refuses a plan that is not as refit of this version made it, or too old, before it asks any cluster.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::playbooks::plan_of;

/// Nobody listens at this address: whoever asks it is seen to.
const KUBECONFIG: &str = "apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'http://127.0.0.1:1' } }]
users: [{ name: u, user: {} }]
contexts:
  - { name: acme-stage-us, context: { cluster: c, user: u } }
  - { name: acme-us-1, context: { cluster: c, user: u } }
  - { name: acme-us-2, context: { cluster: c, user: u } }
";

struct Answer {
    code: Option<i32>,
    error: Value,
}

/// `refit VERB p.json` on a plan of the built-in playbook `canary`, changed as text.
fn refit(args: &[&str], made_at: &str, change: impl Fn(String) -> String) -> Answer {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    let (fleet, plan) = plan_of("canary", made_at.parse().expect("a time"));
    write("fleet.toml", &fleet);
    write("kubeconfig", KUBECONFIG);
    write("p.json", &change(plan.to_json().expect("JSON")));
    let environment: BTreeMap<&str, &Path> = [
        ("HOME", folder.path()),
        ("KUBECONFIG", Path::new("kubeconfig")),
    ]
    .into();
    let output = Command::new(env!("CARGO_BIN_EXE_refit"))
        .args(args)
        .current_dir(folder.path())
        .env_clear()
        .envs(environment)
        .output()
        .expect("refit");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let json = stderr.find('{').map_or("", |at| &stderr[at..]);
    let error = serde_json::from_str(json).unwrap_or_else(|_| panic!("{stderr}"));
    Answer {
        code: output.status.code(),
        error,
    }
}

const RUN: &[&str] = &["run", "p.json", "--yes", "--confirm", "acme", "-o", "json"];

/// Made now, as far as a plan's start date is concerned.
const SOON: &str = "2099-01-01T00:00:00Z";

fn refused(made_at: &str, change: impl Fn(String) -> String, code: &str, place: &str) {
    let answer = refit(RUN, made_at, change);
    assert_eq!(answer.code, Some(5), "{}", answer.error);
    assert_eq!(answer.error["code"], code, "{}", answer.error);
    let found = answer.error["where"].to_string();
    assert!(found.contains(place), "{place} is not in {found}");
    let next = answer.error["next"].to_string();
    assert!(next.contains("refit plan"), "{next}");
}

#[test]
fn who_looks_at_an_edited_plan_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, plan) = plan_of("canary", SOON.parse().expect("a time"));
    let text = plan.to_json().expect("JSON");
    std::fs::write(folder.path().join("p.json"), &text).expect("a file");
    let edited = text.replacen("\"revision\": 3", "\"revision\": 4", 1);
    assert_ne!(text, edited);
    std::fs::write(folder.path().join("edited.json"), edited).expect("a file");
    let call = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_refit"))
            .args(args)
            .current_dir(folder.path())
            .env_clear()
            .output()
            .expect("refit");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), stderr)
    };
    let told = "edited.json was edited after it was made, at /waves/";
    for args in [
        &["show", "edited.json"][..],
        &["show", "edited.json", "--held"],
        &["diff", "p.json", "edited.json"],
    ] {
        let (code, stderr) = call(args);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains(told), "{args:?}: {stderr}");
    }
    for args in [&["show", "p.json"][..], &["diff", "p.json", "p.json"]] {
        let (_, stderr) = call(args);
        assert!(!stderr.contains("warning"), "{args:?}: {stderr}");
    }
    let (code, stderr) = call(&["show", "edited.json", "--html"]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("PlanEdited") && !folder.path().join("edited.html").exists());
    assert_eq!(call(&["show", "p.json", "--html"]).0, Some(0));
    assert!(folder.path().join("p.html").exists());
}

#[test]
fn an_edited_plan_is_refused_with_the_place() {
    let edit = |from: &'static str, to: &'static str| {
        move |text: String| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        }
    };
    let revision = edit("\"revision\": 3", "\"revision\": 4");
    refused(SOON, revision, "PlanEdited", "/waves/0/releases/0");
    let limit = edit("\"inFlight\": 4", "\"inFlight\": 400");
    refused(SOON, limit, "PlanEdited", "/metadata");
    let number = edit("\"migrate\": 36", "\"migrate\": 35");
    refused(SOON, number, "PlanEdited", "/summary");
    let more = edit("\"held\": [", "\"hidden\": 1, \"held\": [");
    refused(SOON, more, "PlanEdited", "/hidden");
}

#[test]
fn an_expired_plan_is_refused_with_the_place() {
    let old = "2020-01-01T00:00:00Z";
    refused(old, |text| text, "PlanExpired", "/metadata/startBefore");
}

#[test]
fn a_plan_of_another_version_is_refused_with_the_place() {
    let tool = |text: String| {
        let ours = format!("\"tool\": \"{}\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&ours));
        text.replacen(&ours, "\"tool\": \"9.9.9\"", 1)
    };
    refused(SOON, tool, "PlanOfOtherTool", "/metadata/tool");
    let format = |text: String| text.replacen("refit.dev/v1", "refit.dev/v2", 1);
    refused(SOON, format, "PlanOfOtherTool", "/apiVersion");
}

#[test]
fn a_plan_as_it_was_made_is_not_refused() {
    let answer = refit(RUN, SOON, |text| text);
    // It asks the cluster next, and nobody listens.
    assert_eq!(answer.code, Some(1), "{}", answer.error);
    assert_eq!(answer.error["code"], "Unreachable", "{}", answer.error);
}
