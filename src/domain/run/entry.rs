//! The journal's vocabulary for one attempt at one release.
//!
//! An entry says what is about to be done or what came of it; free text in it never holds object values.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::Outcome;
use crate::domain::ids::{AttemptNo, Digest, ReleaseId, ResourceVersion, Revision, RunId, Uid};
use crate::domain::object::ObjectRef;

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Job {
    /// Move the release to server-side apply. Its lock is revision N+1.
    Migrate,
    /// Put a release that is Done back. Its lock is revision N+2.
    Undo,
}

/// Which way an attempt goes. It turns at most once, from `Forward` to `Back`, by a `Decided` entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Towards the commit.
    Forward,
    /// Towards the state before.
    Back,
}

/// The annotation `refit.dev/lock` of a record that refit holds pending: `store/run/attempt`.
///
/// Two tokens are *kin* if store and run agree: written by this run, whichever attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The token of one attempt of one run of one store.
    pub fn new(store: &str, run: &RunId, attempt: AttemptNo) -> Self {
        Self(format!("{store}/{run}/{attempt}"))
    }

    /// Wraps an annotation's text as found.
    pub fn from_annotation(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Same store and run?
    pub fn is_kin(&self, other: &Self) -> bool {
        fn run(token: &str) -> &str {
            token.rsplit_once('/').map_or(token, |(run, _)| run)
        }
        run(&self.0) == run(&other.0)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record (one stored revision) as it was when we looked: what guards and comparisons need of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordImage {
    /// Which revision.
    pub revision: Revision,
    /// Its object's uid.
    pub uid: Uid,
    /// Its object's resourceVersion.
    pub resource_version: ResourceVersion,
    /// Identity of its content without status and apply method (`helm::record`): survives Helm's own rewrites.
    pub identity: Digest,
    /// Image of its labels, annotations and managedFields, for a byte-equal restore.
    pub metadata: Digest,
}

/// A guarded PATCH of one object's managedFields, ready to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRequest {
    /// The object must still have this uid (a JSON patch `test`: else 422).
    pub uid: Uid,
    /// The object must still have this resourceVersion (a JSON patch `replace`: else 409).
    pub resource_version: ResourceVersion,
    /// Image of the managedFields to write, whole.
    pub wish: Digest,
    /// Image of the inverse: what undo needs of the state before (smallest inverse, run protocol §8).
    pub inverse: Digest,
}

/// The guard under which a request takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Guard {
    /// POST: the name must be free.
    NameFree,
    /// PUT, PATCH, DELETE: uid and resourceVersion must be these.
    Version {
        /// `metadata.uid`.
        uid: Uid,
        /// `metadata.resourceVersion`.
        resource_version: ResourceVersion,
    },
}

/// What a request aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A record of the release.
    Record(Revision),
    /// An object, by its place in [`Opened::objects`] (Helm's install order).
    Object(u32),
}

/// The requests of the protocol. Names follow `run protocol` §3 and §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// POST the pending revision (N+1 `pending-upgrade`, for an undo N+2 `pending-rollback`).
    Lock,
    /// PATCH an object's content, before its adoption: the values that policies set.
    Value,
    /// PATCH an object's managedFields: adopt.
    Forward,
    /// PUT N+1 `deployed`, `ssa`: the commit point.
    Commit,
    /// PUT N `superseded`, `ssa`, with its former payload under `refit.before`.
    Supersede,
    /// PATCH an object's content back, before its managedFields.
    Unvalue,
    /// PATCH an object's managedFields back.
    Back,
    /// PUT N as before (undo after Done).
    Restore,
    /// PATCH N's managedFields as before: the second request that makes it byte-equal.
    RestoreOwners,
    /// DELETE N+1 (undo after Done).
    DropCommit,
    /// POST N again: Helm pruned it while the undo deleted N+1.
    Renew,
    /// DELETE the lock.
    Unlock,
    /// PUT the lock without its finalizer (only where the release stores at most two revisions).
    Release,
    /// PUT the lock `failed`: somebody stacked a revision upon it, a gap would break `helm rollback`.
    Retire,
    /// PUT our own deployed revision `superseded`: somebody's newer one is deployed.
    Demote,
}

/// Number of an intent inside its attempt, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentNo(pub u32);

/// A request, journaled before it is sent: everything that sending it again needs.
///
/// Bodies of records hold values and are not journaled: they are made again from the record that the guard names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Number inside the attempt.
    pub no: IntentNo,
    /// Which request.
    pub step: Step,
    /// What it aims at.
    pub target: Target,
    /// Its guard.
    pub guard: Guard,
    /// For objects: image of the managedFields to write; of a `Value` or `Unvalue` the sealed image of its patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Digest>,
    /// For `Value` and `Forward`: image of the inverse, as far as managedFields go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<Digest>,
    /// The time that the request writes into labels and records.
    pub at: Timestamp,
}

impl Intent {
    /// The first intent of every attempt: the POST of its lock.
    pub fn lock(revision: Revision, at: Timestamp) -> Self {
        Self {
            no: IntentNo(1),
            step: Step::Lock,
            target: Target::Record(revision),
            guard: Guard::NameFree,
            wish: None,
            inverse: None,
            at,
        }
    }
}

/// How a result came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// The request was answered with success.
    Reply,
    /// The request was refused, so every copy of it is dead; the live state was compared then.
    Resolved,
}

/// What came of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It took effect. The target's uid and resourceVersion after it, if it still exists.
    Landed {
        /// `(uid, resourceVersion)` after the request; `None` after a DELETE.
        version: Option<(Uid, ResourceVersion)>,
    },
    /// It did not and never will; the cell is as before the intent, a new attempt may be made.
    NotLanded,
    /// The lock's name is taken by somebody else.
    Busy {
        /// Who: a token of another run, or Helm's status.
        who: String,
    },
    /// The target is no longer ours to touch: gone, recreated, or written by Helm. It stays as it is.
    Left {
        /// Why, in words for the report.
        why: String,
    },
    /// The lock is gone, or rewritten by others: nothing of ours is left to remove.
    Gone {
        /// Somebody else wrote it (then the release has moved on).
        moved: bool,
    },
}

/// The first entry of an attempt. Carries everything that recovery needs, and the open intent of the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opened {
    /// The release.
    pub release: ReleaseId,
    /// Its attempt's number.
    pub attempt: AttemptNo,
    /// The run.
    pub run: RunId,
    /// What for.
    pub job: Job,
    /// Token of the lock.
    pub token: Token,
    /// N as found: for [`Job::Migrate`] the deployed revision, for [`Job::Undo`] the superseded one *as it was
    /// before the migration* except uid and resourceVersion, which are today's.
    pub base: RecordImage,
    /// For [`Job::Undo`]: N+1 as the migration left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<RecordImage>,
    /// The lock's revision (Migrate: N+1, Undo: N+2).
    pub lock: Revision,
    /// The objects in Helm's install order.
    pub objects: Vec<OpenedObject>,
    /// For [`Job::Undo`]: seconds that the lock stays after it was made, so that a `helm upgrade` that listed before
    /// us meets "already exists" (run protocol §5, row 27).
    pub dwell_seconds: u32,
    /// The release stores at most two revisions: the undo's lock carries a finalizer.
    #[serde(default)]
    pub finalizer: bool,
    /// What no way back restores; an undo has what its migration told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrestored: Vec<Unrestored>,
    /// The open intent of the lock ([`IntentNo`] 1).
    pub intent: Intent,
}

/// Owners of an object that nobody can write any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unrestored {
    /// The object's place in the migration.
    pub place: u32,
    /// Which, in words.
    pub what: String,
}

/// One object of an attempt, as it was when the attempt was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenedObject {
    /// Which object.
    pub object: ObjectRef,
    /// Image of the apply set (FieldsV1) with the entry's apiVersion: what our entry shall own.
    pub apply_set: Digest,
    /// Migrate: the first request, rehearsed. Undo: the inverse image is that of the migration, `wish` is not used
    /// (the three-way image is made from what is live then).
    pub request: ObjectRequest,
    /// Sealed image of the values that policies change: then `request` is the patch of the content, and the adoption
    /// is a request of its own after it. Absent in every release whose ownership alone moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Digest>,
}

/// A journal entry of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Entry {
    /// The attempt begins; the lock's intent is open.
    Opened(Box<Opened>),
    /// The records were listed: N unchanged, the lock ours and highest.
    Verified {
        /// When the reading began, so at a time when the lock surely was there.
        at: Timestamp,
    },
    /// A request is about to be sent.
    Intent(Intent),
    /// What came of it.
    Result {
        /// Which intent.
        intent: IntentNo,
        /// HTTP status of the answer that settled it.
        code: u16,
        /// How it is known.
        how: How,
        /// What came of it.
        verdict: Verdict,
    },
    /// The check before the commit passed: every response equalled its wish.
    Checked,
    /// The direction turns.
    Decided {
        /// Always [`Direction::Back`]: forward is how an attempt begins.
        direction: Direction,
        /// Why, for the report.
        why: String,
        /// Did somebody else move the release (then the end is `MovedOn`)?
        moved: bool,
    },
    /// A target is left to others without a request.
    Left {
        /// Which.
        target: Target,
        /// Why.
        why: String,
    },
    /// Records were looked at and found settled where no request is needed: N as before already, or back for good.
    Settled {
        /// Which record.
        revision: Revision,
    },
    /// The lock is not ours any more; nothing to remove.
    LockLost {
        /// Why.
        why: String,
    },
    /// The end.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
}

impl Entry {
    /// The kind's name, as in the journal.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Opened(_) => "Opened",
            Self::Verified { .. } => "Verified",
            Self::Intent(_) => "Intent",
            Self::Result { .. } => "Result",
            Self::Checked => "Checked",
            Self::Decided { .. } => "Decided",
            Self::Left { .. } => "Left",
            Self::Settled { .. } => "Settled",
            Self::LockLost { .. } => "LockLost",
            Self::Closed { .. } => "Closed",
        }
    }

    /// Must the append be durable before anything else happens? Results and the end may ride with the next append:
    /// a lost one is found again by sending the intent again. What is left to others is not found again: half of it
    /// would lead back over what the other half says is theirs.
    pub fn is_sync(&self) -> bool {
        !matches!(
            self,
            Self::Result { .. } | Self::Closed { .. } | Self::Settled { .. }
        )
    }
}
