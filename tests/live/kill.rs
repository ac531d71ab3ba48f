//! `kill -9` at random moments, fifty times: every release is before or after, nothing else differs.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::Value;
use testbed::demo::{Stage, changes};
use testbed::{Seed, Snapshot, snapshot};

use crate::support::verify_journal;

/// Kills of one test.
const KILLS: usize = 50;

/// Longest life of a process that is killed: about as long as it takes to migrate half of the releases.
const LONGEST_LIFE_MS: u64 = 1_200;

/// A small generator: the same kills at the same ages, as far as a machine's load allows.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn stage(seed: u64, releases: usize) -> Stage {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    Stage::build(refit, 1, Seed { seed, releases }).unwrap()
}

/// Starts refit in a process of its own.
fn start(stage: &Stage, args: &[&str]) -> Child {
    stage
        .refit
        .command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the process after a while; true if it was still alive.
fn kill(child: &mut Child, after: Duration) -> bool {
    std::thread::sleep(after);
    let alive = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    alive
}

fn the_run(stage: &Stage) -> Option<String> {
    let runs = stage.refit.call(&["status", "-o", "json"]).unwrap().value;
    Some(runs.pointer("/items/0/run")?.as_str()?.to_owned())
}

fn without_run_records(snapshot: &Snapshot) -> Snapshot {
    snapshot.filter(|key| !key.contains("/sh.helm.release.v1."))
}

#[test]
fn fifty_kills_leave_every_release_before_or_after() {
    let stage = stage(11, 14);
    let before = stage.snapshots().unwrap().remove(0);
    let mut rng = Rng(42);
    let mut kills = 0;
    let mut rounds = 0;
    while kills < KILLS {
        rounds += 1;
        stage
            .refit
            .json(&["plan", "--save", "kill.plan.json", "-o", "json"])
            .unwrap();
        let known = the_run(&stage);
        let run = loop {
            let mut child = start(&stage, &["run", "kill.plan.json", "--yes"]);
            kills += usize::from(kill(
                &mut child,
                Duration::from_millis(rng.below(LONGEST_LIFE_MS)),
            ));
            match the_run(&stage) {
                Some(run) if known.as_ref() != Some(&run) => break run,
                // Killed before it had journaled anything: nothing began.
                _ => {}
            }
        };
        // A few successors die too.
        for _ in 0..4 {
            let mut child = start(&stage, &["resume", &run, "--yes"]);
            kills += usize::from(kill(
                &mut child,
                Duration::from_millis(rng.below(LONGEST_LIFE_MS)),
            ));
        }
        let report = stage
            .refit
            .json(&["resume", &run, "--yes", "-o", "json"])
            .unwrap()
            .value;
        let states: Vec<&str> = items(&report)
            .filter_map(|item| item["state"].as_str())
            .collect();
        assert!(
            states.iter().all(|state| *state == "Done"),
            "round {rounds}: {report:#}"
        );
        let after = stage.snapshots().unwrap().remove(0);
        let changes = changes(&before, &after);
        assert_eq!(changes.content, Vec::<String>::new());
        assert_eq!(changes.generation, Vec::<String>::new());
        assert_eq!(changes.gone_or_new, Vec::<String>::new());
        // Back again, and the undo is killed as well.
        for _ in 0..3 {
            let mut child = start(&stage, &["undo", &run, "--yes"]);
            kills += usize::from(kill(
                &mut child,
                Duration::from_millis(rng.below(2 * LONGEST_LIFE_MS)),
            ));
        }
        let undone = stage
            .refit
            .json(&["undo", &run, "--yes", "-o", "json"])
            .unwrap()
            .value;
        let left = items(&undone)
            .filter(|item| item["state"] != "Undone")
            .count();
        assert_eq!(left, 0, "round {rounds}: {undone:#}");
        let back = stage.snapshots().unwrap().remove(0);
        let different = snapshot::diff(&before, &back, true);
        assert!(different.is_empty(), "round {rounds}: {different:?}");
        assert_eq!(
            without_run_records(&before).objects.len(),
            without_run_records(&back).objects.len()
        );
    }
    let entries = verify_journal(stage.refit.folder(), "demo-1");
    eprintln!("{kills} kills in {rounds} rounds; a journal of {entries} entries, chain whole");
}

fn items(report: &Value) -> impl Iterator<Item = &Value> {
    report
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
