//! The way forward: lock, adopt, commit, supersede, settle.

use super::attempt::{CommitCell, ObjectCell};
use super::decide::{Decision, Intents, WaitFor, close, look};
use super::entry::{Direction, Entry, Guard, Job, Step, Target};
use super::observation::ObjectSeen;
use super::outcome::Outcome;
use super::records::{
    DEPLOYED, Reading, SUPERSEDED, guard_of, is_before, is_image, is_version, name,
};
use super::resolve::rewritten;

/// How often an object's request may be refused because somebody else wrote the object first. Controllers that settle
/// write a few times within a second; an object that never rests is not refit's to move.
pub(super) const TRIES: u32 = 16;

/// Why the way leads back.
struct Turn {
    why: String,
    moved: bool,
}

impl From<Turn> for Decision {
    fn from(turn: Turn) -> Self {
        Decision::Append(vec![Entry::Decided {
            direction: Direction::Back,
            why: turn.why,
            moved: turn.moved,
        }])
    }
}

/// The lock's name was taken, and is free again: once more, if the release is as it was.
pub(super) fn lock(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let opened = &attempt.opened;
    if let Some(why) = &reading.view.undo_wished {
        return close(Outcome::Undone { why: why.clone() });
    }
    let above = reading
        .top()
        .filter(|top| top.revision >= opened.lock)
        .map(|top| format!("{} was made meanwhile", name(top)));
    let base = (!reading.base_is_as_found()).then(|| reading.changed(opened.base.revision));
    let committed = opened
        .committed
        .as_ref()
        .filter(|image| {
            reading
                .at(image.revision)
                .is_none_or(|record| !is_image(record, image))
        })
        .map(|image| reading.changed(image.revision));
    match (above.or(base).or(committed), opened.job) {
        (Some(what), Job::Migrate) => close(Outcome::Stale { what }),
        (Some(what), Job::Undo) => close(Outcome::MovedOn {
            why: vec![what],
            settled: true,
        }),
        (None, _) => {
            let mut intents = Intents::new(attempt, reading.view);
            Decision::Append(vec![intents.record(attempt, Step::Lock, Guard::NameFree)])
        }
    }
}

/// Before each write: N unchanged, the lock ours and highest, nobody wants the release back.
fn verify(reading: Reading<'_>) -> Result<(), Turn> {
    let held = reading.lock().is_some() && !reading.is_stacked_upon();
    if !(held && reading.base_is_as_found()) {
        return Err(Turn {
            why: reading.why_moved(),
            moved: true,
        });
    }
    match &reading.view.undo_wished {
        Some(why) => Err(Turn {
            why: why.clone(),
            moved: false,
        }),
        None => Ok(()),
    }
}

/// A request for each object that is as before: the one that is ready, or one made from the object as it is now.
pub(super) fn adopt(reading: Reading<'_>) -> Decision {
    match adopt_all(reading) {
        Ok(entries) => Decision::Append(entries),
        Err(turn) => turn.into(),
    }
}

fn adopt_all(reading: Reading<'_>) -> Result<Vec<Entry>, Turn> {
    verify(reading)?;
    let attempt = reading.attempt;
    let mut intents = Intents::new(attempt, reading.view);
    let mut entries = vec![Entry::Verified {
        at: reading.view.now,
    }];
    for ((place, slot), tries) in (0..).zip(&attempt.objects).zip(&attempt.tries) {
        let (request, valued) = match &slot.state {
            ObjectCell::Before { request } => (request.as_ref(), false),
            ObjectCell::Valued { .. } => (None, true),
            _ => continue,
        };
        let step = if attempt.has_values(place) && !valued {
            Step::Value
        } else {
            Step::Forward
        };
        let turn = |why: &str, moved| Turn {
            why: format!("{}: {why}", attempt.object_name(place)),
            moved,
        };
        let request = match (request, reading.object(place)) {
            (Some(request), _) => request,
            (None, Some(ObjectSeen::Before { forward })) if !valued && *tries < TRIES => forward,
            (
                None,
                Some(ObjectSeen::Valued {
                    next: Some(next), ..
                }),
            ) if valued && *tries < TRIES => next,
            (None, Some(seen)) => {
                return Err(match seen {
                    ObjectSeen::Before { .. } | ObjectSeen::Valued { .. } if *tries >= TRIES => {
                        turn(
                            &format!("it was written by others {tries} times while refit tried to"),
                            true,
                        )
                    }
                    ObjectSeen::Before { .. } | ObjectSeen::Unvalued { .. } => {
                        turn("its values were changed by somebody else", true)
                    }
                    ObjectSeen::Valued { .. } => turn("its values were set by somebody else", true),
                    ObjectSeen::After { .. } => turn("it was adopted by somebody else", true),
                    ObjectSeen::Gone => turn("it was deleted", true),
                    ObjectSeen::Recreated => {
                        turn("it was deleted and made again by somebody else", true)
                    }
                    ObjectSeen::Rewritten { by } => turn(&rewritten(by), true),
                    ObjectSeen::Refused { why } => turn(&format!("the rehearsal: {why}"), false),
                });
            }
            (None, None) => return Err(turn("it was not looked at", false)),
        };
        entries.push(intents.object(step, place, request));
    }
    Ok(entries)
}

/// The commit point.
pub(super) fn commit(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    match (verify(reading), reading.lock()) {
        (Err(turn), _) => turn.into(),
        (Ok(()), Some(lock)) => {
            let mut intents = Intents::new(attempt, reading.view);
            Decision::Append(vec![
                Entry::Verified {
                    at: reading.view.now,
                },
                Entry::Checked,
                intents.record(attempt, Step::Commit, guard_of(lock)),
            ])
        }
        (Ok(()), None) => look(Vec::new(), Vec::new()),
    }
}

/// N becomes history: if its JSON is still N's and deployed, whoever wrote it last.
pub(super) fn supersede(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let base = &attempt.opened.base;
    let history = |why: String| {
        Decision::Append(vec![Entry::Left {
            target: Target::Record(base.revision),
            why,
        }])
    };
    let Some(record) = reading.base() else {
        return history("pruned or deleted since the commit".to_owned());
    };
    let fits = match &record.content {
        _ if is_image(record, base) => true,
        Some(content) => is_before(content, base),
        None => return look(Vec::new(), vec![base.revision]),
    };
    if !fits {
        return history(format!("{} since the commit", name(record)));
    }
    let mut intents = Intents::new(attempt, reading.view);
    Decision::Append(vec![intents.record(
        attempt,
        Step::Supersede,
        guard_of(record),
    )])
}

/// After the commit: whoever is above ours is waited for, and ours gives way to what is deployed there.
pub(super) fn settle(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let ours = reading.commit();
    let untouched = match &attempt.commit.state {
        CommitCell::Deployed { version } => ours.filter(|record| is_version(record, version)),
        _ => None,
    };
    let mut others = reading.others().filter(|record| Some(*record) != ours);
    let superseded = reading
        .base()
        .is_none_or(|record| record.status == SUPERSEDED);
    if others.next().is_none() && superseded {
        match ours {
            Some(_) if untouched.is_some() => return close(Outcome::Done),
            Some(record) if record.status == DEPLOYED && is_deployed_cell(reading) => {
                match &record.content {
                    None => return look(Vec::new(), vec![record.revision]),
                    // Written again with the same content, by a label or an annotation for example.
                    Some(content) if content.ours && content.ssa => return close(Outcome::Done),
                    Some(_) => {}
                }
            }
            _ => {}
        }
    }
    let busy = reading.busy();
    if let Some(record) = busy.filter(|_| !reading.view.waited_enough) {
        return Decision::Wait(WaitFor::Foreign { what: name(record) });
    }
    if let Some(record) = untouched.filter(|_| reading.other_is_deployed()) {
        let mut intents = Intents::new(attempt, reading.view);
        return Decision::Append(vec![intents.record(
            attempt,
            Step::Demote,
            guard_of(record),
        )]);
    }
    let mut why = attempt.moved.clone();
    if ours.is_none() {
        why.push(reading.changed(attempt.commit_revision()));
    }
    if let Some(record) = reading.base().filter(|_| !superseded) {
        why.push(format!(
            "{} stands although ours was committed",
            name(record)
        ));
    }
    why.extend(reading.other_lines());
    close(Outcome::MovedOn {
        why,
        settled: busy.is_none(),
    })
}

fn is_deployed_cell(reading: Reading<'_>) -> bool {
    matches!(reading.attempt.commit.state, CommitCell::Deployed { .. })
}
