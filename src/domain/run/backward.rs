//! The way back, in strict reverse: records, objects, lock.

use super::attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell};
use super::decide::{Decision, Intents, WaitFor, close, look};
use super::entry::{Entry, Guard, Job, Step, Target};
use super::forward::TRIES;
use super::observation::ObjectSeen;
use super::outcome::Outcome;
use super::records::{Reading, guard_of, is_before, name};
use super::resolve::{rewritten, stuck};

/// An undo after Done: N deployed again, then N+1 away, so that some revision is always deployed.
pub(super) fn records(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let base = &attempt.opened.base;
    let mut intents = Intents::new(attempt, reading.view);
    // N is made whole even if the release moved meanwhile: whether it is ours to supersede again depends on it.
    if let (BaseCell::ContentRestored { version }, Some(record)) =
        (&attempt.base.state, reading.base())
    {
        let before = match &record.content {
            _ if reading.base_is_at(version) => true,
            None => return look(Vec::new(), vec![base.revision]),
            Some(content) => is_before(content, base),
        };
        if before {
            let owners = intents.record(attempt, Step::RestoreOwners, guard_of(record));
            return Decision::Append(vec![owners]);
        }
    }
    let held = reading.lock().is_some() && !reading.is_stacked_upon();
    if !(held && reading.commit_is_as_left()) {
        return retire(reading);
    }
    let entry = match (&attempt.base.state, reading.base()) {
        (BaseCell::Superseded, Some(record)) if reading.base_is_as_found() => {
            return Decision::Append(vec![
                Entry::Verified {
                    at: reading.view.now,
                },
                intents.record(attempt, Step::Restore, guard_of(record)),
            ]);
        }
        (BaseCell::Restored { version }, Some(_)) if reading.base_is_at(version) => {
            match reading.commit() {
                Some(record) => intents.record(attempt, Step::DropCommit, guard_of(record)),
                None => return retire(reading),
            }
        }
        _ => return retire(reading),
    };
    Decision::Append(vec![entry])
}

/// Somebody moved the release under the undo: everything that is not turned yet stays.
fn retire(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let why = reading.why_moved();
    let left = |target| Entry::Left {
        target,
        why: format!("it stays migrated: {why}"),
    };
    let base = attempt.opened.base.revision;
    let mut entries = vec![left(Target::Record(attempt.commit_revision()))];
    match attempt.base.state {
        BaseCell::Superseded => entries.push(left(Target::Record(base))),
        BaseCell::ContentRestored { .. } | BaseCell::Restored { .. } => {
            entries.push(Entry::Settled { revision: base });
        }
        _ => {}
    }
    let changed = attempt.places(ObjectCell::is_changed);
    entries.extend(
        changed
            .into_iter()
            .rev()
            .map(|place| left(Target::Object(place))),
    );
    Decision::Append(entries)
}

/// N was restored and N+1 is away: Helm may have pruned N meanwhile, then nothing is deployed and N is made again.
pub(super) fn base(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    // Only where we took N+1 away ourselves: if it was left to others, so is the release.
    let pruned = attempt.commit.state == CommitCell::Deleted
        && reading.base().is_none()
        && !reading.other_is_deployed();
    let installed = !reading
        .view
        .objects
        .iter()
        .any(|(_, seen)| *seen == ObjectSeen::Gone);
    if pruned && installed {
        if let Some(record) = reading.busy().filter(|_| !reading.view.waited_enough) {
            return Decision::Wait(WaitFor::Foreign { what: name(record) });
        }
        let mut intents = Intents::new(attempt, reading.view);
        return Decision::Append(vec![intents.record(attempt, Step::Renew, Guard::NameFree)]);
    }
    Decision::Append(vec![Entry::Settled {
        revision: attempt.opened.base.revision,
    }])
}

/// Objects in reverse order, each three-way as it is now; what is not ours any more is left.
pub(super) fn objects(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let unread = reading.unread_others();
    if !unread.is_empty() {
        return look(attempt.places(ObjectCell::is_changed), unread);
    }
    let governor = reading.governor().map(name);
    // A Helm that listed the committed revision may be about to make this name: its server-side upgrade needs our
    // entries. As long as the name is taken, whoever took it, it cannot.
    let lock = attempt.opened.lock;
    let free = attempt.opened.job == Job::Undo && reading.at(lock).is_none();
    let needs = match governor {
        Some(governor) => Some(format!("it stays migrated: {governor} needs it so")),
        None if free => Some(format!("it stays migrated: {}", reading.why_lock_lost())),
        None => None,
    };
    let mut intents = Intents::new(attempt, reading.view);
    let mut entries = Vec::new();
    let mut refused = None;
    let slots = (0..).zip(&attempt.objects).zip(&attempt.tries);
    for ((place, slot), tries) in slots.collect::<Vec<_>>().into_iter().rev() {
        if !slot.state.is_changed() {
            continue;
        }
        let why = match (reading.object(place), &needs) {
            (Some(ObjectSeen::Gone), _) => "it was deleted".to_owned(),
            (_, Some(why)) => why.clone(),
            (Some(ObjectSeen::Recreated), _) => {
                "it was deleted and made again by somebody else".to_owned()
            }
            (Some(ObjectSeen::Rewritten { by }), _) => rewritten(by),
            (Some(ObjectSeen::Before { .. }), _) => "somebody else took our entry away".to_owned(),
            (
                Some(
                    seen @ (ObjectSeen::After {
                        back: Some(request),
                        ..
                    }
                    | ObjectSeen::Valued {
                        next: Some(request),
                        ..
                    }
                    | ObjectSeen::Unvalued {
                        back: Some(request),
                        ..
                    }),
                ),
                _,
            ) => {
                if *tries < TRIES {
                    // Content first, owners second: the owners' request takes the traces of the content's with it.
                    let owners =
                        !attempt.has_values(place) || matches!(seen, ObjectSeen::Unvalued { .. });
                    let step = if owners { Step::Back } else { Step::Unvalue };
                    entries.push(intents.object(step, place, request));
                    continue;
                }
                format!("it was written by others {tries} times while refit tried to")
            }
            (
                Some(
                    ObjectSeen::After { .. }
                    | ObjectSeen::Valued { .. }
                    | ObjectSeen::Unvalued { .. },
                )
                | None,
                _,
            ) => {
                refused.get_or_insert(unable(attempt, place, "its state before is not known"));
                continue;
            }
            (Some(ObjectSeen::Refused { why }), _) => {
                refused.get_or_insert(unable(attempt, place, why));
                continue;
            }
        };
        entries.push(Entry::Left {
            target: Target::Object(place),
            why,
        });
    }
    // What can be put back is put back first; then the rest is for a person.
    if entries.is_empty() {
        entries.extend(refused.map(|why| stuck(attempt, why)));
    }
    Decision::Append(entries)
}

fn unable(attempt: &Attempt, place: u32, why: &str) -> String {
    format!("{} cannot be put back: {why}", attempt.object_name(place))
}

/// The undo's lock stays until a `helm upgrade` that listed before it must have met it.
fn dwell(reading: Reading<'_>) -> Option<Decision> {
    let attempt = reading.attempt;
    let since = attempt
        .verified
        .filter(|_| attempt.opened.job == Job::Undo)?;
    let dwell = jiff::SignedDuration::from_secs(attempt.opened.dwell_seconds.into());
    let until = since.saturating_add(dwell).unwrap_or(jiff::Timestamp::MAX);
    (reading.view.now < until).then_some(Decision::Wait(WaitFor::Dwell { until }))
}

/// The lock goes; if somebody stacked a revision upon it, it stays as `failed`, since a gap would break `helm rollback`.
pub(super) fn unlock(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    if let Some(wait) = dwell(reading) {
        return wait;
    }
    let Some(record) = reading.lock() else {
        let lost = Entry::LockLost {
            why: reading.why_lock_lost(),
        };
        return Decision::Append(changed_base(reading).into_iter().chain([lost]).collect());
    };
    let finalizer = attempt.opened.finalizer && matches!(attempt.lock.state, LockCell::Held { .. });
    let step = match () {
        () if reading.is_stacked_upon() => Step::Retire,
        () if finalizer => Step::Release,
        () => Step::Unlock,
    };
    let mut intents = Intents::new(attempt, reading.view);
    let mut entries = vec![intents.record(attempt, step, guard_of(record))];
    entries.extend(changed_base(reading));
    Decision::Append(entries)
}

/// N was not ours to write, and somebody else wrote it while the lock was held.
fn changed_base(reading: Reading<'_>) -> Option<Entry> {
    let attempt = reading.attempt;
    let revision = attempt.opened.base.revision;
    let changed = attempt.base.state == BaseCell::Untouched && !reading.base_is_as_found();
    changed.then(|| Entry::Left {
        target: Target::Record(revision),
        why: reading.changed(revision),
    })
}

/// Nothing of ours is left but, after an undo, N: it gives way to whoever is deployed above.
pub(super) fn end(reading: Reading<'_>) -> Decision {
    let attempt = reading.attempt;
    let mut why = attempt.moved.clone();
    let mut settled = true;
    match &attempt.base.state {
        BaseCell::Settled { version } => {
            let busy = reading.busy();
            if let Some(record) = busy.filter(|_| !reading.view.waited_enough) {
                return Decision::Wait(WaitFor::Foreign { what: name(record) });
            }
            settled = busy.is_none();
            if reading.others().next().is_some()
                && let Some(wait) = dwell(reading)
            {
                return wait;
            }
            let above = reading.other_is_deployed() || reading.commit_is_as_left();
            match reading.base() {
                Some(record) if reading.base_is_at(version) => {
                    if above {
                        let mut intents = Intents::new(attempt, reading.view);
                        let entry = intents.record(attempt, Step::Demote, guard_of(record));
                        return Decision::Append(vec![entry]);
                    }
                }
                _ => why.push(reading.changed(attempt.opened.base.revision)),
            }
        }
        BaseCell::Demoted => why.push(format!(
            "revision {} was superseded again: a newer one is deployed",
            attempt.opened.base.revision
        )),
        _ => {}
    }
    // Once all is put back and the lock is gone, who comes then comes to a release that is as before.
    if attempt.base.state != BaseCell::Untouched || !why.is_empty() {
        why.extend(reading.other_lines());
    }
    close(if why.is_empty() {
        let mut why = attempt
            .why_back
            .clone()
            .unwrap_or_else(|| "the migration was undone".to_owned());
        for what in attempt.unrestored() {
            why = format!("{why}; {what}");
        }
        Outcome::Undone { why }
    } else {
        Outcome::MovedOn { why, settled }
    })
}
