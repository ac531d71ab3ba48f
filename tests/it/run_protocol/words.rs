//! What the operator reads: who moved what.

use refit::domain::run::Outcome;

use super::configurations::ALL;
use super::counterexamples::replay;
use super::search::{Kind, successors};
use super::world::{Config, Status, World};

fn ends(config: &Config, script: &[&str]) -> Outcome {
    let world = end(config, replay(config, script));
    world.runs[0].outcome().expect("an end").clone()
}

fn end(config: &Config, mut world: World) -> World {
    let calm = Config {
        choice: false,
        ..config.clone()
    };
    while let Some(step) = successors(&world, &calm)
        .into_iter()
        .find(|step| step.kind == Kind::Free)
    {
        world = step.world;
    }
    world
}

fn moved(config: &Config, script: &[&str], words: &[&str]) {
    let outcome = ends(config, script);
    let Outcome::MovedOn { why, settled: true } = &outcome else {
        panic!("{outcome:?}");
    };
    for word in words {
        assert!(
            why.iter().any(|line| line.contains(word)),
            "no {word:?} in {why:#?}"
        );
    }
}

/// One Helm beside us that does anything once.
fn with_helm() -> Config {
    Config {
        helm: 1,
        ops: ALL,
        ..Config::default()
    }
}

const ROLLBACK: [&str; 2] = ["helm Rollback: LIST", "helm Rollback: POST N+2"];

const ADOPTED: [&str; 5] = [
    "P1: opens",
    "arrives: Lock ok",
    "P1: Forward",
    "arrives: Forward o0 ok",
    "arrives: Forward o1 ok",
];

#[test]
fn an_object_made_again_is_named() {
    let config = Config {
        foreign: 1,
        ..Config::default()
    };
    let script = [
        &ADOPTED[..],
        &["P1: back (the operator", "foreign: recreates o0"],
    ]
    .concat();
    moved(
        &config,
        &script,
        &["Deployment/web in shop: it was deleted and made again by somebody else"],
    );
}

#[test]
fn a_deleted_object_is_named() {
    let config = Config {
        foreign: 1,
        ..Config::default()
    };
    moved(
        &config,
        &[
            "P1: opens",
            "arrives: Lock ok",
            "P1: Forward",
            "foreign: deletes o1",
        ],
        &["Deployment/db in shop: it was deleted"],
    );
}

#[test]
fn a_rollback_upon_the_lock_is_named() {
    let config = with_helm();
    let script = [&ADOPTED[..], &ROLLBACK[..]].concat();
    moved(
        &config,
        &script,
        &["revision 6 (pending-rollback, written by Helm) was put upon the lock"],
    );
}

#[test]
fn a_lock_deleted_by_hand_is_named() {
    let config = Config {
        human: 1,
        ..Config::default()
    };
    let script = [&ADOPTED[..], &["human: deletes the lock"]].concat();
    moved(&config, &script, &["the lock, revision 5, was deleted"]);
}

#[test]
fn the_revision_that_governs_is_named() {
    let config = with_helm();
    let script = [
        &ADOPTED[..],
        &[
            "P1: Commit",
            "arrives: Commit ok",
            "P1: Supersede",
            "arrives: Supersede ok",
            "helm Upgrade: LIST, last is N+1",
            "helm Upgrade: POST",
        ],
    ]
    .concat();
    moved(
        &config,
        &script,
        &["revision 6 (deployed, written by Helm) governs the release"],
    );
}

#[test]
fn the_holder_of_the_lock_is_named() {
    let config = Config {
        stores: 2,
        ..Config::default()
    };
    let world = replay(
        &config,
        &[
            "P2: opens",
            "P1: opens",
            "arrives: Lock ok",
            "arrives: Lock refused",
            "P1: closes Busy",
        ],
    );
    let Some(Outcome::Busy { who }) = world.runs[0].outcome().cloned() else {
        panic!("{:?}", world.runs[0].outcome());
    };
    assert_eq!(who, "the refit run store-2/run-2/1, by revision 5");
}

#[test]
fn a_clean_way_back_says_why() {
    let outcome = ends(
        &Config::default(),
        &[&ADOPTED[..], &["P1: back (the operator"]].concat(),
    );
    assert_eq!(
        outcome,
        Outcome::Undone {
            why: "the operator asks for it".into()
        }
    );
}

/// A gap among the revisions would break a bare `helm rollback`: the lock stays, as failed.
#[test]
fn a_lock_with_a_revision_upon_it_stays_as_failed() {
    let config = with_helm();
    let script = [&ADOPTED[..], &ROLLBACK[..]].concat();
    let world = end(&config, replay(&config, &script));
    assert_eq!(
        world.records[1].map(|record| record.status),
        Some(Status::Failed)
    );
}

#[test]
fn a_lock_that_helm_wrote_before_it_was_deleted_is_named() {
    let config = with_helm();
    let script = [
        "P1: opens",
        "arrives: Lock ok",
        "P1: back (the operator",
        "P1: Unlock",
        "helm Unlock: LIST",
        "helm Unlock: PUT",
        "arrives: Unlock refused",
    ];
    moved(&config, &script, &["the lock: Helm wrote it"]);
}

/// Somebody labels N while objects are adopted: it is not N as it was found any more.
#[test]
fn a_changed_n_is_named() {
    let config = Config::default();
    let mut world = replay(&config, &ADOPTED);
    let base = world.records[0].expect("N");
    world.put(0, base);
    let world = end(&config, world);
    let Some(Outcome::MovedOn { why, .. }) = world.runs[0].outcome() else {
        panic!("{:?}", world.runs[0].outcome());
    };
    assert!(why[0].starts_with("revision 4 (deployed"), "{why:?}");
    assert!(
        world
            .objects
            .iter()
            .flatten()
            .all(|object| object.entry == 0)
    );
}
