//! The transition function: one journal entry, one step of the state. Live writes and replay both go through it.

use super::attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell, Slot};
use super::entry::{Direction, Entry, Guard, Intent, IntentNo, Job, Step, Target, Verdict};
use super::outcome::Outcome;
use crate::domain::ids::{ResourceVersion, Revision, Uid};

/// An entry that cannot follow this state: the journal is damaged, or written by another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {entry} cannot follow: {why}")]
pub struct IllegalEntry {
    /// Which kind of entry.
    pub entry: &'static str,
    /// Why not.
    pub why: &'static str,
}

type Why = &'static str;

/// The state after a whole journal of one attempt; `None` for an empty one. Every prefix of a journal folds.
pub fn fold<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<Option<Attempt>, IllegalEntry> {
    let mut entries = entries.into_iter();
    let Some(first) = entries.next() else {
        return Ok(None);
    };
    let Entry::Opened(opened) = first else {
        return Err(IllegalEntry {
            entry: first.kind(),
            why: "a journal begins with Opened",
        });
    };
    let attempt = Attempt::open((**opened).clone());
    entries.try_fold(attempt, Attempt::apply).map(Some)
}

impl Attempt {
    /// The state after one more entry. The same function serves live writes and replay.
    pub fn apply(mut self, entry: &Entry) -> Result<Self, IllegalEntry> {
        let done = if self.outcome.is_some() {
            Err("the attempt is closed")
        } else {
            self.step(entry)
        };
        match done {
            Ok(()) => Ok(self),
            Err(why) => Err(IllegalEntry {
                entry: entry.kind(),
                why,
            }),
        }
    }

    fn step(&mut self, entry: &Entry) -> Result<(), Why> {
        match entry {
            Entry::Opened(_) => Err("the attempt is open already"),
            Entry::Verified { at } => {
                ensure(self.holds_lock(), "the lock is not held")?;
                self.verified.get_or_insert(*at);
                Ok(())
            }
            Entry::Intent(intent) => self.admit(intent),
            Entry::Result {
                intent, verdict, ..
            } => {
                self.landed += u32::from(matches!(verdict, Verdict::Landed { .. }));
                self.settle(*intent, verdict)
            }
            Entry::Checked => {
                ensure(self.all_migrated(), "not every object is migrated")?;
                self.checked = true;
                Ok(())
            }
            Entry::Decided {
                direction,
                why,
                moved,
            } => self.turn(*direction, why, *moved),
            Entry::Left { target, why } => self.leave(*target, why),
            Entry::Settled { revision } => self.settle_base(*revision),
            Entry::LockLost { why } => {
                ensure(self.holds_lock(), "the lock is not held")?;
                ensure(self.direction == Direction::Back, "it goes forward")?;
                self.lock.state = LockCell::Gone;
                self.moved
                    .push(format!("revision {}, the lock: {why}", self.opened.lock));
                Ok(())
            }
            Entry::Closed { outcome } => self.close(outcome),
        }
    }

    /// Is the lock ours, with no request out for it?
    fn holds_lock(&self) -> bool {
        self.lock.open.is_none() && self.lock_version().is_some()
    }

    fn all_migrated(&self) -> bool {
        self.objects
            .iter()
            .all(|slot| slot.open.is_none() && matches!(slot.state, ObjectCell::Migrated { .. }))
    }

    fn turn(&mut self, direction: Direction, why: &str, moved: bool) -> Result<(), Why> {
        ensure(direction == Direction::Back, "an attempt turns back only")?;
        ensure(
            self.direction == Direction::Forward,
            "the direction turned already",
        )?;
        ensure(
            self.commit.open.is_none() && !self.is_committed(),
            "the commit is behind it, or may be",
        )?;
        self.direction = Direction::Back;
        self.why_back = Some(why.to_owned());
        if moved {
            self.moved.push(why.to_owned());
        }
        Ok(())
    }

    fn leave(&mut self, target: Target, why: &str) -> Result<(), Why> {
        let back = self.direction == Direction::Back;
        match target {
            Target::Object(place) => {
                ensure(back, "an object is left on the way back only")?;
                let name = self.object_name(place);
                let slot = object(&mut self.objects, place)?;
                ensure(slot.open.is_none(), "a request is out for the object")?;
                ensure(
                    slot.state.is_changed(),
                    "only an object that we wrote can be left",
                )?;
                slot.state = ObjectCell::Left {
                    why: why.to_owned(),
                };
                self.moved.push(format!("{name}: {why}"));
            }
            Target::Record(revision) if revision == self.opened.base.revision => {
                ensure(self.base.open.is_none(), "a request is out for the record")?;
                let legal = match self.base.state {
                    BaseCell::Untouched => self.is_committed() || back,
                    BaseCell::Superseded => back,
                    _ => false,
                };
                ensure(legal, "the record is not at a point where it is left")?;
                self.base.state = BaseCell::Left;
                if back {
                    self.moved.push(format!("revision {revision}: {why}"));
                }
            }
            Target::Record(revision) if revision == self.commit_revision() => {
                ensure(
                    back && self.opened.job == Job::Undo,
                    "a commit is left by an undo only",
                )?;
                ensure(
                    self.commit.open.is_none(),
                    "a request is out for the record",
                )?;
                ensure(
                    matches!(self.commit.state, CommitCell::Deployed { .. }),
                    "the commit is not deployed",
                )?;
                self.commit.state = CommitCell::Left;
                self.moved.push(format!("revision {revision}: {why}"));
            }
            Target::Record(_) => return Err("no record of this attempt"),
        }
        Ok(())
    }

    fn settle_base(&mut self, revision: Revision) -> Result<(), Why> {
        ensure(
            revision == self.opened.base.revision,
            "no record of this attempt",
        )?;
        ensure(self.base.open.is_none(), "a request is out for the record")?;
        self.base.state = match &self.base.state {
            BaseCell::ContentRestored { version } | BaseCell::Restored { version } => {
                BaseCell::Settled {
                    version: version.clone(),
                }
            }
            _ => return Err("the record was not restored"),
        };
        Ok(())
    }

    fn admit(&mut self, intent: &Intent) -> Result<(), Why> {
        ensure(
            intent.no.0 == self.next_intent,
            "intents are numbered in order",
        )?;
        let post = matches!(intent.step, Step::Lock | Step::Renew);
        ensure(
            post == (intent.guard == Guard::NameFree),
            "a POST is guarded by its name, every other request by a version",
        )?;
        let undo = self.opened.job == Job::Undo;
        let back = self.direction == Direction::Back;
        let uncommitted = matches!(self.commit.state, CommitCell::Pending);
        let deployed = matches!(self.commit.state, CommitCell::Deployed { .. });
        let verified = self.verified.is_some();
        let at_rest = |slot: &Slot<ObjectCell>| slot.open.is_none() && !slot.state.is_changed();
        match (intent.step, intent.target) {
            (Step::Value | Step::Forward, Target::Object(place)) => {
                ensure(
                    self.holds_lock() && verified && !back && !undo && uncommitted,
                    "an object is adopted under a verified lock, before the commit",
                )?;
                ensure(self.commit.open.is_none(), "the commit is under way")?;
                ensure(
                    intent.wish.is_some() && intent.inverse.is_some(),
                    "the request's images are missing",
                )?;
                let has_values = self.has_values(place);
                let slot = object(&mut self.objects, place)?;
                let legal = match slot.state {
                    ObjectCell::Before { .. } => (intent.step == Step::Value) == has_values,
                    ObjectCell::Valued { .. } => intent.step == Step::Forward,
                    _ => false,
                };
                ensure(legal, "the object is not at the point of this step")?;
                open(slot, intent)?;
            }
            (Step::Unvalue, Target::Object(place)) => {
                ensure(
                    back && !(undo && deployed),
                    "objects go back after the records",
                )?;
                ensure(intent.wish.is_some(), "the request's image is missing")?;
                ensure(
                    self.has_values(place),
                    "no value of the object was to be set",
                )?;
                let slot = object(&mut self.objects, place)?;
                ensure(
                    matches!(
                        slot.state,
                        ObjectCell::Valued { .. } | ObjectCell::Migrated { .. }
                    ),
                    "the object's values are not ours",
                )?;
                open(slot, intent)?;
            }
            (Step::Back, Target::Object(place)) => {
                ensure(
                    back && !(undo && deployed),
                    "objects go back after the records",
                )?;
                ensure(intent.wish.is_some(), "the request's image is missing")?;
                let slot = object(&mut self.objects, place)?;
                ensure(slot.state.is_changed(), "nothing of ours is on the object")?;
                open(slot, intent)?;
            }
            (_, Target::Object(_)) => return Err("this step aims at a record"),
            (step, Target::Record(revision)) => {
                ensure(
                    revision == self.revision_of(step),
                    "this step aims at another record",
                )?;
                let legal = match step {
                    Step::Lock => self.lock.state == LockCell::Free,
                    Step::Commit => {
                        self.holds_lock()
                            && !back
                            && uncommitted
                            && self.checked
                            && self.all_migrated()
                    }
                    Step::Supersede => {
                        self.is_committed() && self.base.state == BaseCell::Untouched
                    }
                    Step::Restore => {
                        undo && deployed
                            && self.holds_lock()
                            && verified
                            && self.base.state == BaseCell::Superseded
                    }
                    Step::RestoreOwners => {
                        undo && matches!(self.base.state, BaseCell::ContentRestored { .. })
                    }
                    Step::DropCommit => {
                        undo && deployed && matches!(self.base.state, BaseCell::Restored { .. })
                    }
                    Step::Renew => {
                        undo && !deployed && matches!(self.base.state, BaseCell::Restored { .. })
                    }
                    Step::Unlock => {
                        back && self.objects.iter().all(at_rest)
                            && match self.lock.state {
                                LockCell::Held { .. } => !self.opened.finalizer,
                                LockCell::Released { .. } => true,
                                _ => false,
                            }
                    }
                    Step::Release => {
                        back && self.opened.finalizer
                            && self.objects.iter().all(at_rest)
                            && matches!(self.lock.state, LockCell::Held { .. })
                    }
                    Step::Retire => {
                        back && self.objects.iter().all(at_rest) && self.lock_version().is_some()
                    }
                    Step::Demote if undo => matches!(self.base.state, BaseCell::Settled { .. }),
                    Step::Demote => self.is_committed(),
                    Step::Value | Step::Forward | Step::Unvalue | Step::Back => {
                        return Err("this step aims at an object");
                    }
                };
                ensure(legal, "the record is not at the point of this step")?;
                match step {
                    Step::Lock | Step::Unlock | Step::Release | Step::Retire => {
                        open(&mut self.lock, intent)?;
                    }
                    Step::Commit | Step::DropCommit => open(&mut self.commit, intent)?,
                    Step::Demote if !undo => open(&mut self.commit, intent)?,
                    _ => open(&mut self.base, intent)?,
                }
            }
        }
        self.next_intent = self.next_intent.saturating_add(1);
        Ok(())
    }

    /// The record that a step writes.
    pub(super) fn revision_of(&self, step: Step) -> Revision {
        match step {
            Step::Supersede | Step::Restore | Step::RestoreOwners | Step::Renew => {
                self.opened.base.revision
            }
            Step::Demote if self.opened.job == Job::Undo => self.opened.base.revision,
            Step::Commit | Step::DropCommit | Step::Demote => self.commit_revision(),
            Step::Lock
            | Step::Unlock
            | Step::Release
            | Step::Retire
            | Step::Value
            | Step::Forward
            | Step::Unvalue
            | Step::Back => self.opened.lock,
        }
    }

    fn settle(&mut self, no: IntentNo, verdict: &Verdict) -> Result<(), Why> {
        let intent = self.open_intent(no).cloned().ok_or("no such open intent")?;
        match intent.target {
            Target::Object(place) => self.settle_object(place, &intent, verdict),
            Target::Record(_) => match intent.step {
                Step::Lock | Step::Unlock | Step::Release | Step::Retire => {
                    self.settle_lock(intent.step, verdict)
                }
                Step::Commit | Step::DropCommit => self.settle_commit(intent.step, verdict),
                Step::Demote if self.opened.job == Job::Migrate => {
                    self.settle_commit(intent.step, verdict)
                }
                _ => self.settle_record(intent.step, verdict),
            },
        }
    }

    fn settle_object(&mut self, place: u32, intent: &Intent, verdict: &Verdict) -> Result<(), Why> {
        let name = self.object_name(place);
        let slot = object(&mut self.objects, place)?;
        let given = || intent.inverse.clone().ok_or("the inverse is missing");
        match verdict {
            Verdict::Landed { .. } => {
                slot.state = match intent.step {
                    Step::Value => ObjectCell::Valued { inverse: given()? },
                    Step::Forward => ObjectCell::Migrated { inverse: given()? },
                    Step::Unvalue => ObjectCell::Unvalued {
                        inverse: slot
                            .state
                            .inverse()
                            .cloned()
                            .ok_or("nothing of ours is on the object")?,
                    },
                    _ => ObjectCell::Restored,
                };
            }
            Verdict::NotLanded => {
                if matches!(slot.state, ObjectCell::Before { .. }) {
                    slot.state = ObjectCell::Before { request: None };
                }
                if let Some(tries) = usize::try_from(place)
                    .ok()
                    .and_then(|place| self.tries.get_mut(place))
                {
                    *tries = tries.saturating_add(1);
                }
            }
            Verdict::Left { why } => {
                slot.state = ObjectCell::Left { why: why.clone() };
                self.moved.push(format!("{name}: {why}"));
            }
            Verdict::Busy { .. } | Verdict::Gone { .. } => return Err("no verdict of an object"),
        }
        slot.open = None;
        Ok(())
    }

    fn settle_lock(&mut self, step: Step, verdict: &Verdict) -> Result<(), Why> {
        self.lock.state = match (step, verdict) {
            (Step::Lock, Verdict::Landed { version }) => LockCell::Held {
                version: known(version.as_ref())?,
            },
            (Step::Lock, Verdict::Busy { who }) => LockCell::Busy { who: who.clone() },
            (
                Step::Release,
                Verdict::Landed {
                    version: Some(version),
                },
            ) => LockCell::Released {
                version: version.clone(),
            },
            (Step::Retire, Verdict::Landed { .. }) => {
                self.moved.push(format!(
                    "revision {}, the lock: somebody put a revision upon it, so it stays as failed",
                    self.opened.lock
                ));
                LockCell::Gone
            }
            (Step::Unlock | Step::Release, Verdict::Landed { .. }) => LockCell::Gone,
            (Step::Unlock | Step::Release | Step::Retire, Verdict::Gone { moved }) => {
                if *moved {
                    self.moved.push(format!(
                        "revision {}, the lock: Helm wrote it, so it is Helm's now",
                        self.opened.lock
                    ));
                }
                LockCell::Gone
            }
            (_, Verdict::NotLanded) => self.lock.state.clone(),
            _ => return Err("no verdict of this request"),
        };
        self.lock.open = None;
        Ok(())
    }

    fn settle_commit(&mut self, step: Step, verdict: &Verdict) -> Result<(), Why> {
        self.commit.state = match (step, verdict) {
            (Step::Commit, Verdict::Landed { version }) => CommitCell::Deployed {
                version: known(version.as_ref())?,
            },
            (Step::DropCommit, Verdict::Landed { .. }) => CommitCell::Deleted,
            (Step::Demote, Verdict::Landed { .. }) => CommitCell::Demoted,
            (Step::Commit | Step::DropCommit, Verdict::Left { why }) => {
                self.moved
                    .push(format!("revision {}: {why}", self.commit_revision()));
                CommitCell::Left
            }
            (_, Verdict::NotLanded) => self.commit.state.clone(),
            _ => return Err("no verdict of this request"),
        };
        self.commit.open = None;
        Ok(())
    }

    fn settle_record(&mut self, step: Step, verdict: &Verdict) -> Result<(), Why> {
        self.base.state = match (step, verdict) {
            (Step::Supersede, Verdict::Landed { .. }) => BaseCell::Superseded,
            // Helm may have superseded or pruned N itself since the commit: that is history, nobody moved the release.
            (Step::Supersede, Verdict::Left { .. }) => BaseCell::Left,
            (Step::Restore, Verdict::Landed { version }) => BaseCell::ContentRestored {
                version: known(version.as_ref())?,
            },
            (Step::RestoreOwners, Verdict::Landed { version }) => BaseCell::Restored {
                version: known(version.as_ref())?,
            },
            (Step::Renew, Verdict::Landed { version }) => BaseCell::Settled {
                version: known(version.as_ref())?,
            },
            (Step::Demote, Verdict::Landed { .. }) => BaseCell::Demoted,
            (Step::Restore | Step::RestoreOwners | Step::Renew, Verdict::Left { why }) => {
                self.moved
                    .push(format!("revision {}: {why}", self.opened.base.revision));
                BaseCell::Left
            }
            (_, Verdict::NotLanded) => self.base.state.clone(),
            _ => return Err("no verdict of this request"),
        };
        self.base.open = None;
        Ok(())
    }

    fn close(&mut self, outcome: &Outcome) -> Result<(), Why> {
        ensure(
            self.open_intents().is_empty(),
            "a request is out whose outcome is not known",
        )?;
        let back = self.direction == Direction::Back;
        let free = self.lock.state == LockCell::Free;
        let off = free || self.lock.state == LockCell::Gone;
        let migrated = !self
            .places(|cell| matches!(cell, ObjectCell::Migrated { .. }))
            .is_empty();
        let legal = match outcome {
            Outcome::Done => {
                self.is_committed()
                    && matches!(self.base.state, BaseCell::Superseded | BaseCell::Left)
            }
            Outcome::Undone { .. } => off && (free || (back && !migrated)),
            Outcome::Busy { .. } => matches!(self.lock.state, LockCell::Busy { .. }),
            Outcome::Stale { .. } | Outcome::Held { .. } => free,
            Outcome::MovedOn { .. } => self.is_committed() || (back && off && (free || !migrated)),
            Outcome::Stuck { .. } => true,
        };
        ensure(legal, "the state does not end like that")?;
        self.outcome = Some(outcome.clone());
        Ok(())
    }
}

fn ensure(holds: bool, why: Why) -> Result<(), Why> {
    if holds { Ok(()) } else { Err(why) }
}

fn object(objects: &mut [Slot<ObjectCell>], place: u32) -> Result<&mut Slot<ObjectCell>, Why> {
    usize::try_from(place)
        .ok()
        .and_then(|place| objects.get_mut(place))
        .ok_or("no such object")
}

fn open<S>(slot: &mut Slot<S>, intent: &Intent) -> Result<(), Why> {
    ensure(slot.open.is_none(), "a request is out for this target")?;
    slot.open = Some(intent.clone());
    Ok(())
}

fn known(version: Option<&(Uid, ResourceVersion)>) -> Result<(Uid, ResourceVersion), Why> {
    version
        .cloned()
        .ok_or("the version after the request is missing")
}
