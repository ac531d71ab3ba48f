//! The state of one attempt: the fold of its journal entries.

use super::entry::{Direction, Entry, Intent, ObjectRequest, Opened};
use super::outcome::Outcome;
use crate::domain::ids::{ResourceVersion, Uid};

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
    /// Migrated; undo uses the inverse of the request that landed.
    Migrated {
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
}

/// An entry that cannot follow this state: the journal is damaged, or written by another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal entry {entry} cannot follow: {why}")]
pub struct IllegalEntry {
    /// Which kind of entry.
    pub entry: &'static str,
    /// Why not.
    pub why: &'static str,
}

impl Attempt {
    /// The state after an attempt's first entry.
    pub fn open(opened: Opened) -> Self {
        let _ = opened;
        todo!()
    }

    /// The state after one more entry. The same function serves live writes and replay.
    pub fn apply(self, entry: &Entry) -> Result<Self, IllegalEntry> {
        let _ = entry;
        todo!()
    }
}
