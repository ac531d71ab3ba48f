//! Nothing outlives its owner, however the owner ends; and what is meant to stay, stays until it is ended.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testbed::{ControlPlane, Helm, Options, Seed, fleet};

/// Whether a process with this id runs and names this directory.
fn runs(id: &str, dir: &str) -> bool {
    fs::read(format!("/proc/{id}/cmdline"))
        .is_ok_and(|args| String::from_utf8_lossy(&args).contains(dir))
}

fn eventually(what: &str, test: impl Fn() -> bool) {
    let start = Instant::now();
    while !test() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "not in time: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_killed_owner_leaves_no_process_and_its_files_go_with_the_next_start() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .arg("--api-only")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap())
        .lines()
        .take(3)
        .map(Result::unwrap);
    let told: Vec<String> = lines
        .map(|line| line.split_once(' ').unwrap().1.trim().to_owned())
        .collect();
    let (dir, ids) = (&told[0], told[2].split(' ').collect::<Vec<_>>());
    assert_eq!(ids.len(), 2);
    assert!(ids.iter().all(|id| runs(id, dir)));

    owner.kill().unwrap();
    owner.wait().unwrap();
    for id in ids {
        eventually("the kernel ends the servers", || !runs(id, dir));
    }
    let next = ControlPlane::start(Options::new("next").api_only()).unwrap();
    assert!(!Path::new(dir).exists(), "what a kill left is swept");
    assert!(next.dir().exists());
}

#[test]
fn three_start_together_and_know_nothing_of_each_other() {
    let options = ["one", "two", "three"].map(|name| Options::new(name).api_only());
    let planes = ControlPlane::start_all(options).unwrap();
    let path = "/api/v1/namespaces/default/configmaps";
    let map = serde_json::json!({"metadata": {"name": "mine"}, "data": {"a": "b"}});
    planes[1].api().post(path, &map).unwrap();
    let found = planes
        .iter()
        .map(|plane| plane.api().get(&format!("{path}/mine")).is_ok());
    assert_eq!(found.collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(planes[2].context(), "three");
}

#[test]
fn an_api_server_comes_back_at_its_address_with_its_objects() {
    let mut plane = ControlPlane::start(Options::new("again").api_only()).unwrap();
    let path = "/api/v1/namespaces/default/configmaps";
    plane
        .api()
        .post(path, &serde_json::json!({"metadata": {"name": "mine"}}))
        .unwrap();
    let before = plane.settled_snapshot().unwrap();
    plane.stop_apiserver();
    assert!(plane.api().get(path).is_err());
    plane.start_apiserver().unwrap();
    assert!(plane.api().get(&format!("{path}/mine")).is_ok());
    let differences = testbed::snapshot::diff(&before, &plane.settled_snapshot().unwrap(), true);
    let moved =
        |d: &&testbed::snapshot::Difference| d.object.starts_with("v1/configmaps/default/mine");
    assert_eq!(
        differences.iter().filter(moved).count(),
        0,
        "{differences:?}"
    );
}

#[test]
fn a_fleet_stays_until_it_is_ended() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("fleet");
    let seed = Seed {
        seed: 3,
        releases: 2,
    };
    let up = fleet::up(&dir, 1, seed).unwrap();
    assert!(fleet::up(&dir, 1, seed).is_err(), "it is there already");
    let pids: Vec<String> = fs::read_dir(dir.join("demo-1/pid"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let plane_dir = dir.join("demo-1").display().to_string();
    assert_eq!(pids.len(), 5);
    assert!(pids.iter().all(|id| runs(id, &plane_dir)));
    // Its kubeconfig serves a client that knows nothing else of it: here, Helm of another control plane.
    let other = ControlPlane::start(Options::new("demo-1").api_only()).unwrap();
    let helm = Helm::v3(&other)
        .unwrap()
        .with_kubeconfig(up.kubeconfig.clone());
    let list = helm
        .run("default", ["list", "--all-namespaces", "--short"])
        .unwrap();
    assert_eq!(list.lines().count(), 2, "{list}");

    assert_eq!(fleet::down(&dir).unwrap(), 5);
    assert!(pids.iter().all(|id| !runs(id, &plane_dir)));
    assert!(!dir.exists() && fleet::down(&dir).is_err());
}
