//! What `refit show --requests` says of a run, against the audit logs of the servers that it ran on.

use std::path::PathBuf;

use serde_json::Value;
use testbed::audit::Entry;
use testbed::demo::Stage;
use testbed::{AuditLog, Seed};

/// An object that moves between its read and its dry run is rehearsed again: as `main_job` has it, one in twenty.
const MOVED: u64 = 20;

/// An upper bound that is far too high says nothing: how high each may be, in percent of what was asked. Lists follow from the
/// protocol; reads have a part that depends on the number of group-versions, and reviews on that of kinds, which a plan does
/// not say: small clusters have fewer than the estimate takes.
const TOO_MUCH: [(&str, u64); 3] = [("lists", 125), ("gets", 150), ("reviews", 300)];

fn number(value: &Value, field: &str) -> u64 {
    value[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} of {value}"))
}

fn count(log: &AuditLog, keep: impl Fn(&Entry) -> bool) -> u64 {
    log.filter(keep).len() as u64
}

fn is_review(entry: &Entry) -> bool {
    entry.group == "authorization.k8s.io"
}

/// Helm's records, and no other Secret or ConfigMap.
fn is_of_records(entry: &Entry) -> bool {
    entry.resource == "secrets" && entry.name.starts_with("sh.helm.release.v1.")
}

#[test]
fn a_run_asks_what_its_plan_foretells() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 11,
        releases: 40,
    };
    let stage = Stage::build(refit, 2, seed).unwrap();
    stage.refit.text(&["plan", "--save", "p.json"]).unwrap();
    let shown = |args: &[&str]| stage.refit.json(args).unwrap().value;
    let foretold = shown(&["show", "p.json", "--requests", "-o", "json"]);
    let marks = stage.marks().unwrap();
    let run = shown(&["run", "p.json", "--yes", "-o", "json"]);
    let migrated = run["items"].as_array().unwrap().iter();
    let migrated = migrated.filter(|it| it["state"] == "Done").count() as u64;
    assert_eq!(
        migrated,
        number(&foretold["summary"], "releases"),
        "a release that is handed back is not written: {run:#}"
    );
    for (plane, log) in stage.planes.iter().zip(stage.requests(&marks).unwrap()) {
        let cluster = plane.context();
        let items = foretold["items"].as_array().unwrap();
        let it = items.iter().find(|it| it["cluster"] == cluster);
        let it = it.unwrap_or_else(|| panic!("{cluster} is not in {foretold:#}"));

        let writes = log.writes();
        let records = count(&writes, |entry| {
            is_of_records(entry) || (entry.resource == "secrets" && entry.verb == "create")
        });
        let objects = writes.len() as u64 - records;
        let dry_runs = count(&log, Entry::is_dry_run);
        let lists = count(&log, |entry| entry.verb == "list");
        let gets = count(&log, |entry| entry.verb == "get");
        let reviews = count(&log, is_review);
        eprintln!(
            "{cluster}: {objects} object patches, {records} record writes, {dry_runs} dry runs, {lists} lists, {gets} gets, \
             {reviews} reviews; foretold {it}"
        );
        assert_eq!(objects, number(it, "objectWrites"), "{cluster}");
        assert_eq!(records, number(it, "recordWrites"), "{cluster}");
        let rehearsed = number(it, "dryRuns");
        assert!(
            (rehearsed..=rehearsed + rehearsed / MOVED).contains(&dry_runs),
            "{cluster}: {dry_runs} dry runs, foretold {rehearsed}"
        );
        for ((what, percent), asked) in TOO_MUCH.into_iter().zip([lists, gets, reviews]) {
            let most = number(it, what);
            assert!(
                asked <= most && most * 100 <= asked * percent,
                "{cluster}: {asked} {what}, at most {most} foretold"
            );
        }
        // Nothing was asked that is in no column.
        let told = objects + records + dry_runs + lists + gets + reviews;
        assert_eq!(told, log.len() as u64, "{cluster}");
    }
}
