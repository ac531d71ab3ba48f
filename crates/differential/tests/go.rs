//! Holds `crates/managed-fields` against Kubernetes' own library: random lives of random objects, every step answered by both.
//!
//! A failure prints the seed and the request. More cases, or others: `cargo xtask differential --oracle go`.

use std::path::Path;

use differential::go::{self, by_hand, oracle::Oracle, text};

/// So many cases take about half a minute, so that they can run with every change.
const CASES: usize = 20_000;

fn dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn every_answer_is_kubernetes_own() {
    let report = go::run(dir(), CASES, 0);
    println!("{}", report.json());
    if let Some(disagreement) = report.disagreements.first() {
        panic!("{disagreement}");
    }
    // A random test that meets none of the hard cases proves nothing.
    let wanted = [
        ("conflicts", 40),
        ("no_ops", 40),
        ("invalid", 200),
        ("csa_changes", 300),
        ("folded", 300),
        ("before_first_apply", 200),
        ("other_versions", 200),
        ("pruned", 100),
    ];
    for (sort, one_in) in wanted {
        assert!(
            report.of(sort) * one_in > report.cases,
            "too few of {sort}: {}",
            report.json()
        );
    }
}

#[test]
fn cases_by_hand_are_kubernetes_own() {
    by_hand::compare(&mut Oracle::start(dir()));
}

#[test]
fn field_set_texts_are_kubernetes_own() {
    text::compare(&mut Oracle::start(dir()), CASES);
}
