//! What a plan says that a run will ask of each cluster, against the servers' audit logs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use testbed::demo::Stage;
use testbed::{AuditLog, Seed};

fn tally(log: &AuditLog) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for entry in &log.entries {
        let dry = if entry.is_dry_run() { " dry" } else { "" };
        let place = if entry.resource.is_empty() {
            entry.uri.split('?').next().unwrap_or_default()
        } else {
            &entry.resource
        };
        *tally
            .entry(format!("{} {place}{dry} {}", entry.verb, entry.code))
            .or_default() += 1;
    }
    tally
}

#[test]
fn measure() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 11,
        releases: 40,
    };
    let stage = Stage::build(refit, 2, seed).unwrap();
    stage.refit.text(&["plan", "--save", "p.json"]).unwrap();
    let plan = stage.refit.json(&["show", "p.json", "-o", "json"]).unwrap();
    for (at, marks) in [("run", stage.marks().unwrap())] {
        stage
            .refit
            .json(&["run", "p.json", "--yes", "-o", "json"])
            .unwrap();
        for (plane, log) in stage.planes.iter().zip(stage.requests(&marks).unwrap()) {
            eprintln!("== {at} {} {:#?}", plane.context(), tally(&log));
        }
    }
    for wave in plan.value["waves"].as_array().unwrap() {
        for it in wave["releases"].as_array().unwrap() {
            eprintln!("{} {} {}", it["release"], it["objects"], it["writes"]);
        }
    }
}
