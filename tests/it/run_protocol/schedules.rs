//! Random schedules through the real functions: longer ones, with more faults than a search can bear, and with crashes
//! that lose the tail of the journal that was not synchronous.

use std::rc::Rc;

use proptest::prelude::*;
use refit::domain::ids::{ResourceVersion, Uid};
use refit::domain::run::{
    Answer, Attempt, Decision, Entry, Observation, Reply, Seen, View, decide, fold,
};

use super::configurations::ALL;
use super::search::{Kind, Successor, successors};
use super::world::{Config, Op, World};

/// More steps than a run ever takes once faults have stopped.
const TO_THE_END: usize = 400;

fn configs() -> impl Strategy<Value = Config> {
    let plain = (0u8..6, 0u8..3, 0u8..3, 0u8..2, any::<bool>(), 1usize..3).prop_map(
        |(interrupts, helm, foreign, human, helm_dies, stores)| Config {
            interrupts,
            helm,
            foreign,
            human,
            helm_dies,
            stores,
            ops: ALL,
            ..Config::default()
        },
    );
    let undo = (0u8..6, 0u8..3, 0u8..3, any::<bool>(), any::<bool>()).prop_map(
        |(interrupts, helm, foreign, helm_dies, two)| Config {
            undo: true,
            interrupts,
            helm,
            foreign,
            helm_dies,
            history_max: if two { 2 } else { 0 },
            finalizer: two,
            ops: if two {
                &[Op::Upgrade, Op::Rollback, Op::Unlock]
            } else {
                ALL
            },
            ..Config::default()
        },
    );
    prop_oneof![plain, undo]
}

fn start(config: &Config) -> World {
    let mut world = World::start(config);
    for run in &mut world.runs {
        run.journal = Some(Rc::default());
    }
    world
}

/// The process of a run dies: its journal keeps what was synchronous, and of the rest what `choice` says.
fn crash(world: &World, at: usize, choice: usize) -> Option<World> {
    let run = world.runs.get(at)?;
    let journal = run.journal.as_ref().filter(|journal| !journal.is_empty())?;
    let durable = 1 + journal.iter().rposition(Entry::is_sync)?;
    let kept = durable + choice % (journal.len() - durable + 1);
    let mut next = world.clone();
    let attempt = fold(&journal[..kept]).expect("every prefix folds")?;
    for message in next.net.iter_mut().filter(|message| message.run == at) {
        message.reply = false;
    }
    next.runs[at].journal = Some(Rc::new(journal[..kept].to_vec()));
    next.runs[at].attempt = Some(Rc::new(attempt));
    Some(next)
}

/// Every prefix of each journal folds, and the whole of it to the state that the run went on with.
fn replays(world: &World) -> Result<(), TestCaseError> {
    for run in &world.runs {
        let (Some(journal), Some(attempt)) = (&run.journal, &run.attempt) else {
            continue;
        };
        for kept in 0..=journal.len() {
            prop_assert!(fold(&journal[..kept]).is_ok());
        }
        let text = serde_json::to_string(&**journal).expect("entries serialize");
        let read: Vec<Entry> = serde_json::from_str(&text).expect("entries read what they write");
        let folded = fold(&read).unwrap();
        prop_assert_eq!(folded.as_ref(), Some(&**attempt));
    }
    Ok(())
}

fn check(
    before: &World,
    step: &Successor,
    config: &Config,
    trail: &mut Vec<String>,
) -> Result<World, TestCaseError> {
    trail.push(step.label.clone());
    let bad = step
        .world
        .check_state()
        .or_else(|| step.world.check_close(before, config));
    prop_assert!(
        bad.is_none(),
        "{}\n{}",
        bad.unwrap_or_default(),
        trail.join("\n")
    );
    Ok(step.world.clone())
}

/// Walks at random, then without faults to the end.
fn walk(config: &Config, choices: &[u16], crashes: bool) -> Result<World, TestCaseError> {
    let mut world = start(config);
    let mut trail = Vec::new();
    for choice in choices {
        let choice = usize::from(*choice);
        if crashes
            && choice % 7 == 0
            && let Some(next) = crash(&world, choice / 7 % world.runs.len(), choice / 50)
        {
            trail.push("CRASH".to_owned());
            world = next;
            continue;
        }
        let steps = successors(&world, config);
        if steps.is_empty() {
            break;
        }
        world = check(&world, &steps[choice % steps.len()], config, &mut trail)?;
    }
    for _ in 0..TO_THE_END {
        let steps = successors(&world, config);
        let Some(step) = steps.iter().find(|step| step.kind == Kind::Free) else {
            break;
        };
        world = check(&world, step, config, &mut trail)?;
    }
    let bad = world.check_quiet(config, crashes);
    prop_assert!(
        bad.is_none(),
        "{}\n{}",
        bad.unwrap_or_default(),
        trail.join("\n")
    );
    replays(&world)?;
    Ok(world)
}

/// Whatever it is told, `decide` appends only what `apply` takes, and sends only what the journal holds.
fn lawful(attempt: &Attempt, seen: &Observation) -> Result<(), TestCaseError> {
    match decide(attempt, seen) {
        Decision::Append(entries) => {
            prop_assert!(!entries.is_empty());
            let mut state = attempt.clone();
            for entry in &entries {
                state = state
                    .apply(entry)
                    .map_err(|illegal| TestCaseError::fail(format!("{illegal}: {entries:?}")))?;
            }
        }
        Decision::Send(numbers) => {
            prop_assert!(!numbers.is_empty());
            prop_assert!(numbers.iter().all(|no| attempt.open_intent(*no).is_some()));
        }
        Decision::Closed => prop_assert!(attempt.outcome.is_some()),
        Decision::Look(_) | Decision::Wait(_) => {}
    }
    Ok(())
}

fn answers() -> impl Strategy<Value = Answer> {
    let version = prop_oneof![
        Just(None),
        (0u32..30, 0u32..30).prop_map(|(uid, rv)| Some((
            Uid::new(uid.to_string()),
            ResourceVersion::new(rv.to_string())
        )))
    ];
    (0u8..5, version).prop_map(|(kind, version)| match (kind, version) {
        (0, version) => Answer::Accepted { code: 200, version },
        (1, Some(version)) => Answer::Different {
            why: "a webhook added a label".into(),
            version,
        },
        (1, None) | (2, _) => Answer::Denied {
            code: 403,
            why: "quota".into(),
        },
        (3, _) => Answer::Exists,
        _ => Answer::Refused { code: 409 },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_random_schedule_breaks_nothing(config in configs(), choices in prop::collection::vec(any::<u16>(), 0..80)) {
        walk(&config, &choices, false)?;
    }

    #[test]
    fn a_crash_that_loses_results_breaks_nothing(config in configs(), choices in prop::collection::vec(any::<u16>(), 0..80)) {
        walk(&config, &choices, true)?;
    }

    #[test]
    fn a_crash_between_values_and_owners_breaks_nothing(config in configs(), choices in prop::collection::vec(any::<u16>(), 0..80)) {
        walk(&Config { values: true, ..config }, &choices, true)?;
    }

    /// Views and replies of any other moment, and answers of any kind with any live state.
    #[test]
    fn decide_keeps_its_laws_whatever_it_is_told(
        config in configs(),
        choices in prop::collection::vec(any::<u16>(), 1..60),
        answers in prop::collection::vec((answers(), any::<u16>()), 1..6),
        waited in any::<bool>(),
    ) {
        let mut world = start(&config);
        let mut attempts = Vec::new();
        let mut views: Vec<View> = Vec::new();
        let mut lives: Vec<Seen> = vec![Seen::NotRead, Seen::Record(None)];
        for choice in &choices {
            let steps = successors(&world, &config);
            if steps.is_empty() {
                break;
            }
            world = steps[usize::from(*choice) % steps.len()].world.clone();
            for at in 0..world.runs.len() {
                if let Some((attempt, view)) = world.full_view(&config, at) {
                    lives.extend(view.objects.iter().map(|(_, seen)| Seen::Object(seen.clone())));
                    lives.extend(view.records.iter().map(|record| Seen::Record(Some(record.clone()))));
                    views.push(View { waited_enough: waited, ..view });
                    attempts.push(attempt);
                }
            }
        }
        for attempt in &attempts {
            lawful(attempt, &Observation::Nothing)?;
            for view in &views {
                lawful(attempt, &Observation::View(view.clone()))?;
                // What was asked for and is missing is asked for again.
                let asked = decide(attempt, &Observation::Nothing);
                if matches!(&asked, Decision::Look(look) if !look.objects.is_empty()) {
                    let blank = View { objects: Vec::new(), ..view.clone() };
                    prop_assert_eq!(decide(attempt, &Observation::View(blank)), asked);
                }
            }
            let replies = answers.iter().zip(attempt.open_intents()).map(|((answer, live), intent)| Reply {
                intent: intent.no,
                answer: answer.clone(),
                live: lives[usize::from(*live) % lives.len()].clone(),
            });
            lawful(attempt, &Observation::Replies(replies.collect()))?;
        }
    }
}
