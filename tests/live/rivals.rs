//! Two runs at once: with one store the second is told who is first; with two stores releases are Busy one by one.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::Seed;
use testbed::demo::{Refit, Stage};

use crate::support::verify_journal;

/// A run's lock, where it shows.
const LOCK: &str = "/metadata/annotations/refit.dev~1lock";

/// Slow enough that a test can step in between two writes.
const SLOWLY: (&str, &str) = ("writes_per_second = 200", "writes_per_second = 2");

fn stage(releases: usize) -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    Stage::build(refit, 1, Seed { seed: 5, releases }).unwrap()
}

fn slow_down(refit: &Refit) {
    let path = refit.folder().join("fleet.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace(SLOWLY.0, SLOWLY.1)).unwrap();
}

/// Waits until a lock of refit stands on the cluster, and gives it.
fn wait_for_lock(stage: &Stage) -> Value {
    let started = Instant::now();
    loop {
        let secrets = stage.planes[0]
            .api()
            .get("/api/v1/secrets?labelSelector=owner%3Dhelm")
            .unwrap();
        let items = secrets["items"].as_array().cloned().unwrap_or_default();
        if let Some(lock) = items.into_iter().find(|item| item.pointer(LOCK).is_some()) {
            return lock;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "no lock appeared"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run under way that takes its time.
fn started(stage: &Stage) -> Child {
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    slow_down(&stage.refit);
    let mut command = stage.refit.command(&["run", "p.json", "--yes"]);
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().unwrap()
}

#[test]
fn the_second_run_of_a_store_is_told_who_holds_the_cluster() {
    let stage = stage(8);
    let mut first = started(&stage);
    wait_for_lock(&stage);
    let second = stage.refit.call(&["run", "p.json", "--yes"]).unwrap();
    assert_eq!(second.code, 7, "{}", second.stderr);
    for word in ["LockHeld", "run-", "demo@", "pid"] {
        assert!(
            second.stderr.contains(word),
            "{word} is missing in {}",
            second.stderr
        );
    }
    let resume = stage.refit.call(&["resume", "--yes"]).unwrap();
    assert_eq!(resume.code, 7, "{}", resume.stderr);
    // A dead holder holds nothing: resume goes on at once.
    first.kill().unwrap();
    first.wait().unwrap();
    let done = stage
        .refit
        .json(&["resume", "--yes", "-o", "json"])
        .unwrap()
        .value;
    assert_eq!(
        done.pointer("/summary/open").and_then(Value::as_u64),
        Some(0),
        "{done:#}"
    );
}

#[test]
fn another_store_finds_releases_busy_and_unlock_frees_them() {
    let stage = stage(8);
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    let other = Refit::beside(PathBuf::from(env!("CARGO_BIN_EXE_refit")), &stage.planes).unwrap();
    other
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    slow_down(&stage.refit);
    let mut first = stage
        .refit
        .command(&["run", "p.json", "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_lock(&stage);
    first.kill().unwrap();
    first.wait().unwrap();
    let second = other
        .json(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap()
        .value;
    let items = second["items"].as_array().cloned().unwrap_or_default();
    let busy: Vec<String> = items
        .iter()
        .filter(|item| item["state"] == "Busy")
        .map(|item| item["release"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(!busy.is_empty(), "{second:#}");
    assert!(items.iter().all(|item| item["state"] == "Busy"
        || item["state"] == "Done"
        || item["state"] == "Stale"));
    // The other store does not know the lock and touches nothing; the one that does removes it.
    for release in &busy {
        let foreign = other.call(&["unlock", release, "--yes"]).unwrap();
        assert_eq!(foreign.code, 1, "{}", foreign.stderr);
        let freed = stage.refit.call(&["unlock", release, "--yes"]).unwrap();
        assert_eq!(freed.code, 0, "{}", freed.stderr);
        let again = stage.refit.call(&["unlock", release, "--yes"]).unwrap();
        assert_eq!(again.code, 1, "{}", again.stderr);
        assert!(again.stderr.contains("not locked"), "{}", again.stderr);
    }
}

#[test]
fn a_lock_whose_post_lands_after_its_attempt_was_closed_is_swept() {
    let stage = stage(8);
    let mut first = started(&stage);
    let mut lock = wait_for_lock(&stage);
    first.kill().unwrap();
    first.wait().unwrap();
    let runs = stage.refit.json(&["status", "-o", "json"]).unwrap().value;
    let run = runs
        .pointer("/items/0/run")
        .and_then(Value::as_str)
        .unwrap()
        .to_owned();
    stage
        .refit
        .json(&["undo", &run, "--yes", "-o", "json"])
        .unwrap();
    // The same POST, late: nothing occupies the name any more.
    let metadata = lock["metadata"].as_object_mut().unwrap();
    for key in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(key);
    }
    let namespace = metadata["namespace"].as_str().unwrap().to_owned();
    lock["apiVersion"] = "v1".into();
    lock["kind"] = "Secret".into();
    let api = stage.planes[0].api();
    let path = format!("/api/v1/namespaces/{namespace}/secrets");
    api.post(&path, &lock).unwrap();
    let resumed = stage.refit.call(&["resume", &run, "--yes"]).unwrap();
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert!(resumed.stderr.contains("LockSwept"), "{}", resumed.stderr);
    let secrets = api
        .get("/api/v1/secrets?labelSelector=owner%3Dhelm")
        .unwrap();
    let left = secrets["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|item| item.pointer(LOCK).is_some());
    assert_eq!(left.count(), 0);
    assert!(verify_journal(stage.refit.folder(), "demo-1") > 0);
}
