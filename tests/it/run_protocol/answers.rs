//! Answers that no guard gives: refusals by policy, permission or quota, and responses that a webhook changed.

use refit::domain::ids::{ResourceVersion, Uid};
use refit::domain::run::{Answer, Direction, ObjectCell, Outcome, Side, Stage};

use super::counterexamples::replay;
use super::search::{Kind, successors};
use super::world::{Config, World};

fn denied() -> Answer {
    Answer::Denied {
        code: 403,
        why: "exceeded quota: secrets".into(),
    }
}

fn different(world: &World) -> Answer {
    let rv = world.clock + 1;
    Answer::Different {
        why: "metadata.labels.team was added".into(),
        version: (Uid::new("3"), ResourceVersion::new(rv.to_string())),
    }
}

/// Nobody interferes any more.
fn to_the_end(config: &Config, mut world: World) -> World {
    let calm = Config {
        choice: false,
        ..config.clone()
    };
    while let Some(step) = successors(&world, &calm)
        .into_iter()
        .find(|step| step.kind == Kind::Free)
    {
        assert_eq!(
            step.world
                .check_state()
                .or_else(|| step.world.check_close(&world, config)),
            None
        );
        world = step.world;
    }
    world
}

fn outcome(world: &World) -> Outcome {
    world.runs[0].outcome().expect("an end").clone()
}

const ADOPTING: [&str; 3] = ["P1: opens", "arrives: Lock ok", "P1: Forward"];
const ADOPTED: [&str; 5] = [
    "P1: opens",
    "arrives: Lock ok",
    "P1: Forward",
    "arrives: Forward o0 ok",
    "arrives: Forward o1 ok",
];

#[test]
fn a_denied_lock_holds_the_release() {
    let config = Config::default();
    let world = replay(&config, &["P1: opens"]).answer(&config, "Lock", &denied());
    let Outcome::Held { why } = outcome(&world) else {
        panic!("{:?}", outcome(&world))
    };
    assert!(
        why.contains("revision 5") && why.contains("exceeded quota"),
        "{why}"
    );
}

/// The POST's first copy used up the quota: its second one is refused, yet the lock is ours.
#[test]
fn a_lock_that_used_up_the_quota_is_held() {
    let config = Config::default();
    let world = replay(
        &config,
        &[
            "P1: opens",
            "INTERRUPT P1 (still",
            "late: Lock ok",
            "P1: again: Lock",
        ],
    );
    let world = to_the_end(&config, world.answer(&config, "Lock", &denied()));
    assert_eq!(outcome(&world), Outcome::Done);
}

#[test]
fn a_denied_patch_turns_back() {
    let config = Config::default();
    let world = replay(&config, &ADOPTING).answer(&config, "Forward o1", &denied());
    let attempt = world.runs[0].attempt.as_deref().unwrap();
    assert_eq!(
        (attempt.direction, attempt.stage()),
        (Direction::Back, Stage::Undoing)
    );
    let Outcome::Undone { why } = outcome(&to_the_end(&config, world)) else {
        panic!()
    };
    assert!(
        why.contains("Deployment/db in shop") && why.contains("quota"),
        "{why}"
    );
}

/// The patch took effect; what the webhook added is not ours to take away, but the ownership goes back.
#[test]
fn a_patch_that_a_webhook_changed_is_put_back() {
    let config = Config::default();
    let world = replay(&config, &ADOPTING);
    let world = world.answer(&config, "Forward o0", &different(&world));
    let attempt = world.runs[0].attempt.as_deref().unwrap();
    assert!(matches!(
        attempt.objects[0].state,
        ObjectCell::Migrated { .. }
    ));
    assert_eq!(attempt.direction, Direction::Back);
    let Outcome::Undone { why } = outcome(&to_the_end(&config, world)) else {
        panic!()
    };
    assert!(why.contains("metadata.labels.team"), "{why}");
}

#[test]
fn a_denied_commit_turns_back() {
    let config = Config::default();
    let script = [&ADOPTED[..], &["P1: Commit"]].concat();
    let world = replay(&config, &script).answer(&config, "Commit", &denied());
    assert_eq!(outcome(&to_the_end(&config, world)).word(), "Undone");
}

#[test]
fn after_the_commit_a_refusal_is_for_a_person() {
    let config = Config::default();
    let script = [
        &ADOPTED[..],
        &["P1: Commit", "arrives: Commit ok", "P1: Supersede"],
    ]
    .concat();
    let world = replay(&config, &script).answer(&config, "Supersede", &denied());
    let Outcome::Stuck { why, side } = outcome(&world) else {
        panic!("{:?}", outcome(&world))
    };
    assert_eq!(side, Side::After);
    assert!(why.contains("revision 4"), "{why}");
}

#[test]
fn a_way_back_that_is_denied_is_for_a_person() {
    let config = Config::default();
    let script = [&ADOPTED[..], &["P1: back (the operator", "P1: Back"]].concat();
    let world = replay(&config, &script).answer(&config, "Back o0", &denied());
    // The other object's request is still out: its answer is heard before the end.
    assert_eq!(world.runs[0].outcome(), None);
    let both = world.answer(&config, "Back o1", &denied());
    let Outcome::Stuck { side, .. } = outcome(&both) else {
        panic!("{:?}", outcome(&both))
    };
    assert_eq!(side, Side::Between);
}

#[test]
fn a_lock_that_may_not_be_deleted_is_for_a_person() {
    let config = Config::default();
    let world = replay(
        &config,
        &[
            "P1: opens",
            "arrives: Lock ok",
            "P1: back (the operator",
            "P1: Unlock",
        ],
    );
    let world = world.answer(&config, "Unlock", &denied());
    let Outcome::Stuck { why, side } = outcome(&world) else {
        panic!("{:?}", outcome(&world))
    };
    assert_eq!(side, Side::Before);
    assert!(why.contains("revision 5"), "{why}");
}

/// A way through all stages, and back.
#[test]
fn stages() {
    let stage = |world: &World| {
        world.runs[0]
            .attempt
            .as_deref()
            .map(refit::domain::run::Attempt::stage)
    };
    let config = Config::default();
    let committed = [&ADOPTED[..], &["P1: Commit", "arrives: Commit ok"]].concat();
    let settling = [&committed[..], &["P1: Supersede", "arrives: Supersede ok"]].concat();
    for (script, wanted) in [
        (&ADOPTED[..1], Stage::Opened),
        (&ADOPTED[..2], Stage::Locked),
        (&ADOPTED[..4], Stage::Adopting),
        (&ADOPTED[..5], Stage::Adopted),
        (&committed[..], Stage::Committed),
        (&settling[..], Stage::Settling),
        (&[&settling[..], &["P1: closes Done"]].concat(), Stage::Done),
    ] {
        assert_eq!(stage(&replay(&config, script)), Some(wanted));
    }
    let undo = Config {
        undo: true,
        ..Config::default()
    };
    let turned = [
        "P1: opens",
        "arrives: Lock ok",
        "P1: Restore",
        "arrives: Restore ok",
        "P1: RestoreOwners",
        "arrives: RestoreOwners ok",
        "P1: DropCommit",
        "arrives: DropCommit ok",
    ];
    let back = [
        &turned[..],
        &[
            "P1: settled",
            "P1: Back",
            "arrives: Back o1 ok",
            "arrives: Back o0 ok",
        ],
    ]
    .concat();
    let unlocked = [&back[..], &["P1: Unlock", "arrives: Unlock ok"]].concat();
    for (script, wanted) in [
        (&turned[..], Stage::Undoing),
        (&back[..], Stage::Dwelling),
        (&unlocked[..], Stage::Settling),
        (
            &[&unlocked[..], &["P1: closes Undone"]].concat(),
            Stage::Undone,
        ),
    ] {
        assert_eq!(stage(&replay(&undo, script)), Some(wanted));
    }
}
