//! Every interleaving of small configurations.

use super::search::explore;
use super::world::{Config, Op, World};

/// Upgrade, rollback, uninstall, and Flux's unlock with its upgrade.
pub const ALL: &[Op] = &[Op::Upgrade, Op::Rollback, Op::Uninstall, Op::Unlock];

/// Enough for every configuration here; more would mean that one grew.
const LIMIT: usize = 3_000_000;

fn holds(name: &str, config: &Config) {
    let found = explore(World::start(config), config, false, LIMIT);
    println!("{name}: {} states, ends {:?}", found.states, found.ends);
    if let Some((bad, trace)) = found.violation {
        panic!("{name}: {bad}\n{}", trace.join("\n"));
    }
    assert!(!found.cut, "{name}: more than {LIMIT} states");
}

#[test]
fn faults() {
    holds(
        "faults",
        &Config {
            interrupts: 3,
            ..Config::default()
        },
    );
}

#[test]
fn foreign_moves() {
    holds(
        "foreign",
        &Config {
            foreign: 1,
            ..Config::default()
        },
    );
}

#[test]
fn helm() {
    holds(
        "helm",
        &Config {
            helm: 1,
            ops: ALL,
            ..Config::default()
        },
    );
}

#[test]
fn undo() {
    holds(
        "undo",
        &Config {
            undo: true,
            interrupts: 2,
            foreign: 1,
            ..Config::default()
        },
    );
}

#[test]
fn undo_and_helm() {
    holds(
        "undo and helm",
        &Config {
            undo: true,
            helm: 1,
            ops: ALL,
            ..Config::default()
        },
    );
}

#[test]
fn two_stores() {
    holds(
        "two stores",
        &Config {
            stores: 2,
            interrupts: 1,
            ..Config::default()
        },
    );
}
