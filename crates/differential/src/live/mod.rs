//! Lives on a running API server.
//!
//! Each request is sent as a dry run, and its answer is held against what [`managed_fields`] foretells from the live object, its
//! `managedFields` and the published schema. Many are then sent for good, so that lives go on.
//!
//! What the server does after ownership is computed (defaults, normal forms, pruning of unknown fields) is not foretold.
//! So the foretold object is stored by an ordinary request, as a dry run too: what the server makes of it must be what it makes
//! of the apply.
//!
//! `palette` says what objects are made of, `life` leads them, `judge` compares.

mod at;
mod judge;
mod life;
mod palette;
mod rehearsed;
mod scale;
mod updates;
mod world;

use testbed::Error;

use crate::report::Report;
use world::World;

/// So many lives at a time; the server uses a core too.
const WORKERS: u64 = 2;

/// Lives lives on a control plane of their own until there were so many cases, beginning with this seed.
pub fn run(cases: usize, seed: u64) -> Result<Report, Error> {
    let world = World::start()?;
    let share = cases.div_ceil(usize::try_from(WORKERS).unwrap_or(1));
    let work = |worker: u64| {
        let mut report = Report::default();
        let mut seed = seed + worker;
        while report.cases < share {
            life::live(&world, seed, &mut report);
            seed += WORKERS;
        }
        report
    };
    let report = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || work(worker)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold(Report::default(), Report::and)
    });
    Ok(report)
}
