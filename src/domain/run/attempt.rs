//! The state of one attempt: the fold of its journal entries.

use super::entry::{Direction, Intent, IntentNo, Job, ObjectRequest, Opened};
use super::outcome::Outcome;
use crate::domain::ids::{ResourceVersion, Revision, Uid};

/// A cell of the attempt's state, with the intent that is open on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot<S> {
    /// What is known to be done.
    pub state: S,
    /// A request whose outcome is not known yet.
    pub open: Option<Intent>,
}

/// The lock record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockCell {
    /// Not made.
    Free,
    /// Ours, at this version.
    Held {
        /// uid and resourceVersion.
        version: (Uid, ResourceVersion),
    },
    /// Ours, its finalizer is removed; only its DELETE is left.
    Released {
        /// uid and resourceVersion.
        version: (Uid, ResourceVersion),
    },
    /// Somebody else's.
    Busy {
        /// Who.
        who: String,
    },
    /// Removed, or no longer ours.
    Gone,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectCell {
    /// Not migrated; `request` is ready to send (the first one comes from `Opened`), or must be made afresh.
    Before {
        /// The next forward request, if one is ready.
        request: Option<ObjectRequest>,
    },
    /// Its values are set, its owners are as before; the adoption is next, or the way back.
    Valued {
        /// Image of the inverse, as far as it was known before the adoption.
        inverse: crate::domain::ids::Digest,
    },
    /// Migrated; undo uses the inverse of the request that landed.
    Migrated {
        /// Image of the inverse.
        inverse: crate::domain::ids::Digest,
    },
    /// Its values are put back, its owners are not yet.
    Unvalued {
        /// Image of the inverse.
        inverse: crate::domain::ids::Digest,
    },
    /// Put back.
    Restored,
    /// Left to others.
    Left {
        /// Why.
        why: String,
    },
}

/// Record N.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaseCell {
    /// As found.
    Untouched,
    /// `superseded` and `ssa`, by us.
    Superseded,
    /// Content as before; its managedFields are not yet.
    ContentRestored {
        /// uid and resourceVersion after the PUT.
        version: (Uid, ResourceVersion),
    },
    /// As before.
    Restored {
        /// uid and resourceVersion after our last write.
        version: (Uid, ResourceVersion),
    },
    /// As before, and looked at since: nobody pruned it.
    Settled {
        /// uid and resourceVersion after our last write: it is ours to supersede again only as long as it has these.
        version: (Uid, ResourceVersion),
    },
    /// We made it deployed, somebody above is deployed too, we superseded it again.
    Demoted,
    /// Changed by others: history.
    Left,
}

/// Record N+1 of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitCell {
    /// Not committed.
    Pending,
    /// `deployed`, `ssa`: committed, at this version.
    Deployed {
        /// uid and resourceVersion.
        version: (Uid, ResourceVersion),
    },
    /// Deleted by the undo.
    Deleted,
    /// Superseded again by us: somebody above is deployed.
    Demoted,
    /// Changed by others.
    Left,
}

/// The state of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it was opened with.
    pub opened: Opened,
    /// Which way it goes.
    pub direction: Direction,
    /// The lock.
    pub lock: Slot<LockCell>,
    /// The objects, in the order of `opened.objects`.
    pub objects: Vec<Slot<ObjectCell>>,
    /// N.
    pub base: Slot<BaseCell>,
    /// N+1.
    pub commit: Slot<CommitCell>,
    /// When the records were first found verified under the lock: the undo's dwell counts from here, since the
    /// lock's own intent may be older than the moment at which its POST landed.
    pub verified: Option<jiff::Timestamp>,
    /// How many requests of each object did not land: bounds the attempts at an object that never rests.
    pub tries: Vec<u32>,
    /// The check before the commit passed.
    pub checked: bool,
    /// Somebody else moved the release; each line says what.
    pub moved: Vec<String>,
    /// Why the direction turned.
    pub why_back: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Number of the next intent.
    pub next_intent: u32,
    /// Requests that took effect.
    pub landed: u32,
}

impl ObjectCell {
    /// Image of the inverse of what has landed on the object and is not put back.
    pub fn inverse(&self) -> Option<&crate::domain::ids::Digest> {
        match self {
            Self::Valued { inverse } | Self::Migrated { inverse } | Self::Unvalued { inverse } => {
                Some(inverse)
            }
            Self::Before { .. } | Self::Restored | Self::Left { .. } => None,
        }
    }

    /// Is something of ours on it, to be put back?
    pub fn is_changed(&self) -> bool {
        self.inverse().is_some()
    }
}

impl<S> Slot<S> {
    fn closed(state: S) -> Self {
        Self { state, open: None }
    }
}

impl Attempt {
    /// Writes that took effect.
    pub fn writes(&self) -> u32 {
        self.landed
    }

    /// The state after an attempt's first entry: the lock's intent is open.
    pub fn open(opened: Opened) -> Self {
        let undo = opened.job == Job::Undo;
        let objects: Vec<_> = opened
            .objects
            .iter()
            .map(|object| {
                Slot::closed(if undo {
                    ObjectCell::Migrated {
                        inverse: object.request.inverse.clone(),
                    }
                } else {
                    ObjectCell::Before {
                        request: Some(object.request.clone()),
                    }
                })
            })
            .collect();
        let commit = match (undo, &opened.committed) {
            (false, _) => CommitCell::Pending,
            (true, Some(committed)) => CommitCell::Deployed {
                version: (committed.uid.clone(), committed.resource_version.clone()),
            },
            // An undo that does not know what it undoes leaves everything as it is.
            (true, None) => CommitCell::Left,
        };
        Self {
            direction: if undo {
                Direction::Back
            } else {
                Direction::Forward
            },
            lock: Slot {
                state: LockCell::Free,
                open: Some(opened.intent.clone()),
            },
            tries: vec![0; objects.len()],
            objects,
            base: Slot::closed(if undo {
                BaseCell::Superseded
            } else {
                BaseCell::Untouched
            }),
            commit: Slot::closed(commit),
            verified: None,
            checked: false,
            moved: Vec::new(),
            why_back: None,
            outcome: None,
            landed: 0,
            next_intent: opened.intent.no.0.saturating_add(1),
            opened,
        }
    }

    /// The requests whose outcome is not known yet, in the order in which they were journaled.
    pub fn open_intents(&self) -> Vec<&Intent> {
        let objects = self.objects.iter().filter_map(|slot| slot.open.as_ref());
        let records = [&self.lock.open, &self.base.open, &self.commit.open];
        let mut open: Vec<_> = records
            .into_iter()
            .filter_map(Option::as_ref)
            .chain(objects)
            .collect();
        open.sort_by_key(|intent| intent.no);
        open
    }

    /// One of the open intents.
    pub fn open_intent(&self, no: IntentNo) -> Option<&Intent> {
        self.open_intents()
            .into_iter()
            .find(|intent| intent.no == no)
    }

    /// Is the commit point behind it? From there a migration goes forward only.
    pub fn is_committed(&self) -> bool {
        self.opened.job == Job::Migrate
            && matches!(
                self.commit.state,
                CommitCell::Deployed { .. } | CommitCell::Demoted
            )
    }

    /// Revision N+1: the lock of a migration; for an undo the revision that the migration committed.
    pub fn commit_revision(&self) -> Revision {
        match &self.opened.committed {
            Some(committed) if self.opened.job == Job::Undo => committed.revision,
            _ => self.opened.lock,
        }
    }

    /// The lock's uid and resourceVersion as last known, while it is ours.
    pub(super) fn lock_version(&self) -> Option<&(Uid, ResourceVersion)> {
        match &self.lock.state {
            LockCell::Held { version } | LockCell::Released { version } => Some(version),
            LockCell::Free | LockCell::Busy { .. } | LockCell::Gone => None,
        }
    }

    /// The places of the objects in a state that `wanted` accepts.
    pub(super) fn places(&self, wanted: impl Fn(&ObjectCell) -> bool) -> Vec<u32> {
        (0..)
            .zip(&self.objects)
            .filter_map(|(place, slot)| wanted(&slot.state).then_some(place))
            .collect()
    }

    /// Does a policy change values of the object at a place?
    pub fn has_values(&self, place: u32) -> bool {
        usize::try_from(place)
            .ok()
            .and_then(|place| self.opened.objects.get(place))
            .is_some_and(|object| object.values.is_some())
    }

    /// What is not as before although the attempt went back: owners that nobody can write any more, of objects that were
    /// written.
    pub fn unrestored(&self) -> Vec<&str> {
        let undo = self.opened.job == Job::Undo;
        let written = |place: u32| {
            let slot = usize::try_from(place).ok();
            let slot = slot.and_then(|place| self.objects.get(place));
            slot.is_some_and(|slot| !matches!(slot.state, ObjectCell::Before { .. }))
        };
        let all = self.opened.unrestored.iter();
        all.filter(|it| undo || written(it.place))
            .map(|it| it.what.as_str())
            .collect()
    }

    /// How the object at a place is named in reports.
    pub(super) fn object_name(&self, place: u32) -> String {
        usize::try_from(place)
            .ok()
            .and_then(|place| self.opened.objects.get(place))
            .map_or_else(
                || format!("object {place}"),
                |object| object.object.to_string(),
            )
    }
}
