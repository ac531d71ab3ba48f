//! What the API server itself counted: requests that changed something, by verb and resource, dry runs apart.
//!
//! Counted are all clients, so what the controllers of a cluster at rest do by themselves is counted first and left out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use testbed::ControlPlane;
use testbed::demo::Stage;

/// Verbs of the metric that change something.
const MUTATING: [&str; 6] = [
    "POST",
    "PUT",
    "PATCH",
    "APPLY",
    "DELETE",
    "DELETECOLLECTION",
];

/// Written by servers, controllers and nodes all the time, at no fixed pace.
const HEARTBEATS: [&str; 2] = ["leases", "events"];

/// The controllers' slowest round (autoscalers) is 15 s.
const AT_REST: Duration = Duration::from_secs(20);

/// Verb, resource, subresource.
type Key = (String, String, String);

/// Counters of one kind of request: mutating for good, mutating as a dry run, all others.
#[derive(Default)]
struct Counted {
    written: BTreeMap<Key, u64>,
    dry_runs: u64,
    others: u64,
}

fn label(line: &str, name: &str) -> String {
    let found = line.split_once(&format!("{name}=\""));
    let value = found.and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(value, _)| value.to_owned()).unwrap_or_default()
}

fn counted(plane: &ControlPlane) -> Counted {
    let answer = plane
        .api()
        .send("GET", "/metrics", "text/plain", &[])
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut all = Counted::default();
    let lines = answer.body.as_str().unwrap_or_default().lines();
    for line in lines.filter(|line| line.starts_with("apiserver_request_total{")) {
        let number = line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a counter is a whole number"
        )]
        let number = number as u64;
        let (verb, resource) = (label(line, "verb"), label(line, "resource"));
        // Reviews are POSTs that store nothing.
        let reads = !MUTATING.contains(&&*verb) || resource.ends_with("reviews");
        if reads || HEARTBEATS.contains(&&*resource) {
            all.others += number;
        } else if label(line, "dry_run").is_empty() {
            let key = (verb, resource, label(line, "subresource"));
            *all.written.entry(key).or_default() += number;
        } else {
            all.dry_runs += number;
        }
    }
    all
}

/// What was counted up between the two.
fn between(before: &Counted, after: &Counted) -> BTreeMap<Key, u64> {
    let more = after.written.iter().filter_map(|(key, count)| {
        let more = count - before.written.get(key).copied().unwrap_or_default();
        (more > 0).then(|| (key.clone(), more))
    });
    more.collect()
}

/// Every verb that looks, over the stage's fleet: the servers count no request that changes anything.
pub fn looking_is_counted_as_reading(stage: &Stage) {
    let start: Vec<Counted> = stage.planes.iter().map(counted).collect();
    std::thread::sleep(AT_REST);
    let rest: Vec<Counted> = stage.planes.iter().map(counted).collect();
    for args in [
        &["inventory"][..],
        &["inventory", "--save", "metrics.inv.json"],
        &["shadow"],
        &["shadow", "--confirm", "3"],
        &["triage"],
        &["graph"],
        &["audit"],
        &["plan", "--save", "metrics.plan.json"],
    ] {
        let answer = stage.refit.call(&[args, &["-o", "json"]].concat()).unwrap();
        assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr);
    }
    for (plane, (start, rest)) in stage.planes.iter().zip(start.iter().zip(&rest)) {
        let end = counted(plane);
        let by_themselves: BTreeSet<Key> = between(start, rest).into_keys().collect();
        let mut written = between(rest, &end);
        eprintln!(
            "{}: {} reads and heartbeats, {} dry runs, written by controllers at rest {:?}, while refit looked {written:?}",
            plane.context(),
            end.others - rest.others,
            end.dry_runs - rest.dry_runs,
            by_themselves,
        );
        written.retain(|key, _| !by_themselves.contains(key));
        assert!(written.is_empty(), "{}: {written:?}", plane.context());
        assert!(end.others - rest.others > 100, "the metrics do not count");
        assert!(end.dry_runs > rest.dry_runs, "--confirm sends dry runs");
    }
}
