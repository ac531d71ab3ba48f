//! Lives answered by Kubernetes' own Go library, line by line.
//!
//! `life` leads them, `by_hand` has cases that random lives seldom meet, `text` is about `fieldsV1` texts, `oracle` is the
//! Go program (`tests/tools/oracle`).

pub mod by_hand;
pub mod life;
pub mod oracle;
pub mod text;

use std::path::Path;

use crate::report::Report;
use life::Worlds;
use oracle::Oracle;

/// Lives lives until there were so many cases, beginning with this seed. The oracle is built into `dir`.
pub fn run(dir: &Path, cases: usize, seed: u64) -> Report {
    let worlds = Worlds::load();
    let mut oracle = Oracle::start(dir);
    let mut report = Report::default();
    let mut seeds = seed..;
    while report.cases < cases {
        life::live(
            &worlds,
            &mut oracle,
            seeds.next().unwrap_or(seed),
            &mut report,
        );
    }
    for disagreement in &mut report.disagreements {
        life::shrink(&worlds, &mut oracle, disagreement);
    }
    report
}
