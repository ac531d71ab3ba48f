//! A journal that cannot be: `apply` refuses it, and never panics.

use refit::domain::ids::{ResourceVersion, Revision, Uid};
use refit::domain::run::{
    Attempt, Direction, Entry, Guard, How, Intent, IntentNo, Outcome, Step, Target, Verdict, fold,
};

use super::counterexamples::replay;
use super::world::{Config, N};

fn at(script: &[&str]) -> Attempt {
    let world = replay(&Config::default(), script);
    (**world.runs[0].attempt.as_ref().unwrap()).clone()
}

fn refused(attempt: &Attempt, entry: &Entry, why: &str) {
    let illegal = attempt.clone().apply(entry).unwrap_err();
    assert_eq!((illegal.entry, illegal.why), (entry.kind(), why));
}

fn intent(attempt: &Attempt, step: Step, target: Target) -> Entry {
    let guard = Guard::Version {
        uid: Uid::new("1"),
        resource_version: ResourceVersion::new("1"),
    };
    Entry::Intent(Intent {
        no: IntentNo(attempt.next_intent),
        step,
        target,
        guard,
        wish: Some("B10".into()),
        inverse: Some("B00".into()),
        at: jiff::Timestamp::UNIX_EPOCH,
    })
}

fn closed(outcome: Outcome) -> Entry {
    Entry::Closed { outcome }
}

const BACK: Entry = Entry::Decided {
    direction: Direction::Back,
    why: String::new(),
    moved: false,
};
const ADOPTED: [&str; 5] = [
    "P1: opens",
    "arrives: Lock ok",
    "P1: Forward",
    "arrives: Forward o0 ok",
    "arrives: Forward o1 ok",
];

#[test]
fn no_end_with_a_request_out() {
    let stuck = Outcome::Stuck {
        why: String::new(),
        side: refit::domain::run::Side::Before,
    };
    let why = "a request is out whose outcome is not known";
    refused(&at(&ADOPTED[..1]), &closed(stuck), why);
}

#[test]
fn no_end_that_the_state_denies() {
    let why = "the state does not end like that";
    refused(&at(&ADOPTED), &closed(Outcome::Done), why);
    let undone = Outcome::Undone { why: String::new() };
    refused(&at(&ADOPTED), &closed(undone), why);
}

#[test]
fn no_commit_before_all_objects_are_checked() {
    let lock = Target::Record(Revision(N + 1));
    let why = "the record is not at the point of this step";
    let attempt = at(&ADOPTED);
    refused(&attempt, &intent(&attempt, Step::Commit, lock), why);
    let attempt = at(&ADOPTED[..4]);
    refused(&attempt, &Entry::Checked, "not every object is migrated");
}

#[test]
fn no_turn_once_the_commit_is_out() {
    let script = [&ADOPTED[..], &["P1: Commit"]].concat();
    refused(&at(&script), &BACK, "the commit is behind it, or may be");
    let attempt = at(&ADOPTED).apply(&BACK).unwrap();
    refused(&attempt, &BACK, "the direction turned already");
    let forward = intent(&attempt, Step::Forward, Target::Object(0));
    let why = "an object is adopted under a verified lock, before the commit";
    refused(&attempt, &forward, why);
}

#[test]
fn no_unlock_while_an_object_is_migrated() {
    let attempt = at(&ADOPTED).apply(&BACK).unwrap();
    let unlock = intent(&attempt, Step::Unlock, Target::Record(Revision(N + 1)));
    let why = "the record is not at the point of this step";
    refused(&attempt, &unlock, why);
}

#[test]
fn no_number_twice_no_unknown_place_no_unknown_intent() {
    let attempt = at(&ADOPTED).apply(&BACK).unwrap();
    let Entry::Intent(mut again) = intent(&attempt, Step::Back, Target::Object(0)) else {
        panic!();
    };
    again.no = IntentNo(1);
    refused(
        &attempt,
        &Entry::Intent(again),
        "intents are numbered in order",
    );
    let beyond = intent(&attempt, Step::Back, Target::Object(u32::MAX));
    refused(&attempt, &beyond, "no such object");
    let result = Entry::Result {
        intent: IntentNo(99),
        code: 200,
        how: How::Reply,
        verdict: Verdict::NotLanded,
    };
    refused(&attempt, &result, "no such open intent");
}

#[test]
fn a_journal_begins_with_opened_and_ends_with_closed() {
    assert_eq!(fold([]), Ok(None));
    assert_eq!(
        fold([&BACK]).unwrap_err().why,
        "a journal begins with Opened"
    );
    let script = [
        &ADOPTED[..2],
        &[
            "P1: back (the operator",
            "P1: Unlock",
            "arrives: Unlock ok",
            "P1: closes",
        ],
    ]
    .concat();
    refused(&at(&script), &BACK, "the attempt is closed");
}
