//! Holds this crate against Kubernetes' own library: random lives of random objects, every step answered by both.
//!
//! A failure prints the seed and the request. More cases: `MANAGED_FIELDS_CASES=20000`; one seed again:
//! `MANAGED_FIELDS_SEED=<seed>`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod generate;
mod life;
mod oracle;
mod rng;
mod text;

use std::path::Path;

use serde_json::Value;

/// So many cases take about half a minute, so that they can run with every change.
const DEFAULT_CASES: usize = 20_000;

#[expect(clippy::disallowed_methods, reason = "a test's knobs")]
fn knob(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}"))
    })
}

fn fixture(name: &str) -> (String, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (
        path.to_str().unwrap().to_owned(),
        serde_json::from_str(&text).unwrap(),
    )
}

#[test]
fn every_answer_is_kubernetes_own() {
    let cases = knob("MANAGED_FIELDS_CASES").map_or(DEFAULT_CASES, |n| usize::try_from(n).unwrap());
    let worlds = life::Worlds::load();
    let mut oracle = oracle::Oracle::start();
    let mut tally = life::Tally::default();
    if let Some(seed) = knob("MANAGED_FIELDS_SEED") {
        life::live(&worlds, &mut oracle, seed, &mut tally);
        return;
    }
    let mut seed = 0;
    while tally.cases < cases {
        life::live(&worlds, &mut oracle, seed, &mut tally);
        seed += 1;
    }
    println!("{tally:?} from {seed} seeds");
    tally.assert_worth();
}

#[test]
fn field_set_texts_are_kubernetes_own() {
    let cases = knob("MANAGED_FIELDS_CASES").map_or(DEFAULT_CASES, |n| usize::try_from(n).unwrap());
    text::compare(&mut oracle::Oracle::start(), cases);
}
