//! Every interleaving of small configurations.

use super::search::explore;
use super::world::{Config, Op, World};

/// Upgrade, rollback, uninstall, and Flux's unlock with its upgrade.
pub const ALL: &[Op] = &[Op::Upgrade, Op::Rollback, Op::Uninstall, Op::Unlock];

/// Without uninstall.
const KEEP: &[Op] = &[Op::Upgrade, Op::Rollback, Op::Unlock];

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

/// Many more faults and foreign moves: some ten million states, three minutes. Too many for a debug build, so they run
/// in a release build only: `cargo test --release --test it`.
#[cfg(not(debug_assertions))]
mod full {
    use super::*;

    macro_rules! full {
        ($($name:ident: $($field:ident = $value:expr),*;)*) => {
            $(#[test]
            fn $name() {
                holds(stringify!($name), &Config { $($field: $value,)* ..Config::default() });
            })*
        };
    }

    const INSTALL: &[Op] = &[
        Op::Upgrade,
        Op::Rollback,
        Op::Uninstall,
        Op::Unlock,
        Op::Install,
    ];

    full! {
        faults: interrupts = 6;
        foreign: interrupts = 2, foreign = 2;
        helm: interrupts = 3, helm = 1, ops = ALL;
        helm_twice: interrupts = 2, helm = 2, ops = INSTALL;
        helm_dies: interrupts = 2, helm = 2, ops = ALL, helm_dies = true;
        helm_and_foreign: interrupts = 2, helm = 1, foreign = 1, ops = ALL;
        history_max_2: interrupts = 2, helm = 1, history_max = 2, ops = KEEP;
        human_and_helm: interrupts = 2, helm = 1, human = 1, ops = ALL;
        human_helm_and_foreign: interrupts = 1, helm = 1, human = 1, foreign = 1, ops = ALL;
        two_stores: stores = 2, interrupts = 3;
        two_stores_and_human: stores = 2, interrupts = 2, human = 1;
        two_stores_and_foreign: stores = 2, interrupts = 1, foreign = 1;
        two_stores_and_helm: stores = 2, interrupts = 1, helm = 1, ops = ALL;
        undo: undo = true, interrupts = 4, foreign = 2;
        undo_and_helm: undo = true, interrupts = 2, helm = 1, ops = ALL, foreign = 1;
        undo_and_helm_twice: undo = true, interrupts = 2, helm = 2, ops = ALL;
        undo_helm_dies: undo = true, interrupts = 1, helm = 2, ops = ALL, helm_dies = true;
        undo_and_human: undo = true, interrupts = 2, helm = 1, human = 1, ops = &[Op::Rollback, Op::Uninstall];
        undo_history_max_2_twice: undo = true, interrupts = 1, helm = 2, history_max = 2, finalizer = true, ops = KEEP;
        undo_history_max_2: undo = true, interrupts = 2, helm = 1, history_max = 2, finalizer = true, ops = KEEP;
    }
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

#[test]
fn history_max_2() {
    holds(
        "history-max 2",
        &Config {
            helm: 1,
            history_max: 2,
            ops: KEEP,
            ..Config::default()
        },
    );
}

#[test]
fn undo_history_max_2_and_helm_twice() {
    let config = Config {
        undo: true,
        interrupts: 0,
        helm: 2,
        history_max: 2,
        finalizer: true,
        ops: KEEP,
        ..Config::default()
    };
    holds("undo, history-max 2, helm twice", &config);
}

#[test]
fn human_and_helm() {
    holds(
        "human and helm",
        &Config {
            interrupts: 0,
            helm: 1,
            human: 1,
            ops: ALL,
            ..Config::default()
        },
    );
}

#[test]
fn two_stores_and_human() {
    holds(
        "two stores and human",
        &Config {
            stores: 2,
            interrupts: 0,
            human: 1,
            ..Config::default()
        },
    );
}

#[test]
fn values() {
    let config = Config {
        values: true,
        interrupts: 2,
        foreign: 1,
        ..Config::default()
    };
    holds("values", &config);
}

#[test]
fn values_and_helm() {
    let config = Config {
        values: true,
        interrupts: 1,
        helm: 1,
        ops: ALL,
        ..Config::default()
    };
    holds("values and helm", &config);
}

#[test]
fn values_undo() {
    let config = Config {
        values: true,
        undo: true,
        interrupts: 2,
        foreign: 1,
        ..Config::default()
    };
    holds("values, undo", &config);
}

#[test]
fn values_undo_and_helm() {
    let config = Config {
        values: true,
        undo: true,
        helm: 1,
        ops: ALL,
        ..Config::default()
    };
    holds("values, undo and helm", &config);
}
