//! What to do next: state and observation in, entries, requests or reads out.

use jiff::Timestamp;

use super::attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell};
use super::entry::{Direction, Entry, Guard, Intent, IntentNo, Job, ObjectRequest, Step, Target};
use super::observation::{Observation, View};
use super::outcome::Outcome;
use super::records::Reading;
use super::resolve::{resolve, turn_after_loss};
use super::{backward, forward};

/// What to read before the next decision. Objects first, then records (rule 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Objects to read, by their place.
    pub objects: Vec<u32>,
    /// Read the payload of these revisions too, if they exist; of all others metadata is enough.
    pub contents: Vec<crate::domain::ids::Revision>,
}

/// What an attempt waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// The undo's lock stays until then.
    Dwell {
        /// When.
        until: Timestamp,
    },
    /// A foreign pending revision above ours.
    Foreign {
        /// Which, and whose, for the screen.
        what: String,
    },
}

/// The next thing to do for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Read this, then decide again with the view.
    Look(Look),
    /// Append these entries in one transaction, apply them, decide again.
    Append(Vec<Entry>),
    /// Send these open intents, all of which are in the journal; then decide with the replies.
    Send(Vec<IntentNo>),
    /// Wait, then decide again with [`Observation::Nothing`].
    Wait(WaitFor),
    /// The attempt is closed.
    Closed,
}

/// Where an attempt stands between two requests: what it will look at and do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The lock is not made.
    Lock,
    /// Objects are as before.
    Adopt,
    /// All objects are migrated; the commit is next.
    Commit,
    /// Committed; N is not superseded yet.
    Supersede,
    /// Committed; whoever is above is looked at.
    Settle,
    /// An undo after Done turns the records.
    RecordsBack,
    /// The records are turned; was N pruned meanwhile? Then the objects.
    BaseBack,
    /// Objects are put back.
    ObjectsBack,
    /// The lock goes.
    Unlock,
    /// Nothing of ours is left to put back.
    End,
}

impl Phase {
    pub fn of(attempt: &Attempt) -> Self {
        let has = |wanted: fn(&ObjectCell) -> bool| {
            attempt.objects.iter().any(|slot| wanted(&slot.state))
        };
        let undo = attempt.opened.job == Job::Undo;
        match (&attempt.lock.state, attempt.direction) {
            (LockCell::Free, _) => Self::Lock,
            (_, Direction::Forward) if attempt.is_committed() => {
                if attempt.base.state == BaseCell::Untouched {
                    Self::Supersede
                } else {
                    Self::Settle
                }
            }
            (_, Direction::Forward)
                if has(|cell| {
                    matches!(cell, ObjectCell::Before { .. } | ObjectCell::Valued { .. })
                }) =>
            {
                Self::Adopt
            }
            (_, Direction::Forward) => Self::Commit,
            (_, Direction::Back)
                if undo && matches!(attempt.commit.state, CommitCell::Deployed { .. }) =>
            {
                Self::RecordsBack
            }
            (_, Direction::Back)
                if undo
                    && matches!(
                        attempt.base.state,
                        BaseCell::ContentRestored { .. } | BaseCell::Restored { .. }
                    ) =>
            {
                Self::BaseBack
            }
            (_, Direction::Back) if has(ObjectCell::is_changed) => Self::ObjectsBack,
            (LockCell::Held { .. } | LockCell::Released { .. }, Direction::Back) => Self::Unlock,
            (_, Direction::Back) => Self::End,
        }
    }

    /// The objects that must be read in this phase.
    pub fn objects(self, attempt: &Attempt) -> Vec<u32> {
        match self {
            Self::Adopt => attempt.places(|cell| {
                matches!(
                    cell,
                    ObjectCell::Before { request: None } | ObjectCell::Valued { .. }
                )
            }),
            Self::BaseBack | Self::ObjectsBack => attempt.places(ObjectCell::is_changed),
            _ => Vec::new(),
        }
    }
}

/// Decides. Pure; costs one pass over the attempt's objects and the records seen.
///
/// What it returns follows from the state alone: every entry is one that [`Attempt::apply`] accepts, every intent to
/// send is open in the state.
pub fn decide(attempt: &Attempt, seen: &Observation) -> Decision {
    if attempt.outcome.is_some() {
        return Decision::Closed;
    }
    let open = attempt.open_intents();
    if !open.is_empty() {
        if let Observation::Replies(replies) = seen {
            let entries = resolve(attempt, replies);
            if !entries.is_empty() {
                return Decision::Append(entries);
            }
        }
        return Decision::Send(open.iter().map(|intent| intent.no).collect());
    }
    if let Some(entry) = standing(attempt) {
        return Decision::Append(vec![entry]);
    }
    let phase = Phase::of(attempt);
    let Observation::View(view) = seen else {
        return look(phase.objects(attempt), Vec::new());
    };
    let reading = Reading { attempt, view };
    let unseen = phase
        .objects(attempt)
        .iter()
        .any(|place| reading.object(*place).is_none());
    if unseen {
        return look(phase.objects(attempt), Vec::new());
    }
    match phase {
        Phase::Lock => forward::lock(reading),
        Phase::Adopt => forward::adopt(reading),
        Phase::Commit => forward::commit(reading),
        Phase::Supersede => forward::supersede(reading),
        Phase::Settle => forward::settle(reading),
        Phase::RecordsBack => backward::records(reading),
        Phase::BaseBack => backward::base(reading),
        Phase::ObjectsBack => backward::objects(reading),
        Phase::Unlock => backward::unlock(reading),
        Phase::End => backward::end(reading),
    }
}

/// What follows from the state alone.
fn standing(attempt: &Attempt) -> Option<Entry> {
    if let LockCell::Busy { who } = &attempt.lock.state {
        return Some(Entry::Closed {
            outcome: Outcome::Busy { who: who.clone() },
        });
    }
    turn_after_loss(attempt)
}

pub(super) fn look(objects: Vec<u32>, contents: Vec<crate::domain::ids::Revision>) -> Decision {
    Decision::Look(Look { objects, contents })
}

pub(super) fn close(outcome: Outcome) -> Decision {
    Decision::Append(vec![Entry::Closed { outcome }])
}

/// Makes intents with consecutive numbers.
pub(super) struct Intents {
    next: u32,
    at: Timestamp,
}

impl Intents {
    pub fn new(attempt: &Attempt, view: &View) -> Self {
        Self {
            next: attempt.next_intent,
            at: view.now,
        }
    }

    fn make(&mut self, step: Step, target: Target, guard: Guard) -> Intent {
        let no = IntentNo(self.next);
        self.next = self.next.saturating_add(1);
        Intent {
            no,
            step,
            target,
            guard,
            wish: None,
            inverse: None,
            at: self.at,
        }
    }

    /// A request for the record that a step writes.
    pub fn record(&mut self, attempt: &Attempt, step: Step, guard: Guard) -> Entry {
        let target = Target::Record(attempt.revision_of(step));
        Entry::Intent(self.make(step, target, guard))
    }

    /// A request for an object.
    pub fn object(&mut self, step: Step, place: u32, request: &ObjectRequest) -> Entry {
        let guard = Guard::Version {
            uid: request.uid.clone(),
            resource_version: request.resource_version.clone(),
        };
        let mut intent = self.make(step, Target::Object(place), guard);
        intent.wish = Some(request.wish.clone());
        intent.inverse =
            matches!(step, Step::Value | Step::Forward).then(|| request.inverse.clone());
        Entry::Intent(intent)
    }
}
