//! What the engine saw, in the terms that decisions need.

use jiff::Timestamp;

use super::entry::{IntentNo, ObjectRequest, Token};
use crate::domain::ids::{Digest, ResourceVersion, Revision, Uid};

/// What [`decide`](super::decide()) is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Nothing new: say what to look at, or what to send.
    Nothing,
    /// A view of the release, read in the order of rule 6: objects first, then records.
    View(View),
    /// Answers to intents that were sent, each with the live state where it was refused.
    Replies(Vec<Reply>),
}

/// A reading of the release at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// When the reading began.
    pub now: Timestamp,
    /// By the object's place in `Opened::objects`; places that were not asked for may be missing.
    pub objects: Vec<(u32, ObjectSeen)>,
    /// All records of the release, by revision. Always read, always after the objects.
    pub records: Vec<RecordSeen>,
    /// An operator or a spent budget wants the attempt undone (heeded before the commit only).
    pub undo_wished: Option<String>,
    /// How long a foreign pending revision has been waited for is over: close without having settled.
    pub waited_enough: bool,
}

/// One object, compared with what the attempt knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectSeen {
    /// 404.
    Gone,
    /// Another uid.
    Recreated,
    /// Not ours yet: no Apply entry of ours, canonical Update entries as in the before-image or smaller.
    /// The request would adopt it as it is now, or set its values if policies change some; it has been dry-run at this
    /// resourceVersion.
    Before {
        /// The forward request made from the live object.
        forward: ObjectRequest,
    },
    /// Our Apply entry is there, as written or smaller because somebody took fields, **and it carries the time that
    /// our request wrote**: an equal set with another time is another run's or Helm's own ([`Self::Rewritten`]).
    /// The request puts it back three-way: what others took stays theirs. Where policies set values, one of them is
    /// there still, and the request puts the content back.
    After {
        /// uid and resourceVersion as seen.
        version: (Uid, ResourceVersion),
        /// The backward request made from the live object, if the attempt knows the inverse.
        back: Option<ObjectRequest>,
    },
    /// The values that policies set are there, our Apply entry is not.
    Valued {
        /// uid and resourceVersion as seen.
        version: (Uid, ResourceVersion),
        /// On the way forward the adoption made from the live object; on the way back the request that puts its
        /// content back. `None` if it is not known.
        next: Option<ObjectRequest>,
    },
    /// None of the values that policies set is there (any more), but owners are not as before either.
    Unvalued {
        /// uid and resourceVersion as seen.
        version: (Uid, ResourceVersion),
        /// Our Apply entry is there: it was migrated.
        adopted: bool,
        /// The request that puts its owners back, if it is known.
        back: Option<ObjectRequest>,
    },
    /// Canonical entries that are neither: Helm or an alias wrote.
    Rewritten {
        /// Whose entry, for the report.
        by: String,
    },
    /// The dry run of the request was refused or would change more than ownership (rule R1).
    Refused {
        /// Why, without values.
        why: String,
    },
}

/// One record of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSeen {
    /// Its revision.
    pub revision: Revision,
    /// uid of its object.
    pub uid: Uid,
    /// resourceVersion of its object.
    pub resource_version: ResourceVersion,
    /// Label `status` (Helm keeps it in step with the JSON): `deployed`, `superseded`, `pending-upgrade`, …
    pub status: String,
    /// The annotation `refit.dev/lock`, if any.
    pub token: Option<Token>,
    /// What its payload says; `None` if only metadata was read. If it was read, uid, version, status and token are
    /// those of the same reading.
    pub content: Option<Content>,
}

/// What a record's payload says, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `info.status`.
    pub status: String,
    /// Does `apply_method` say `ssa`?
    pub ssa: bool,
    /// Identity of the content without status and apply method.
    pub identity: Digest,
    /// Does `info.description` carry the words of *this attempt's run* (they name the run)? Another run's do not count.
    pub ours: bool,
}

/// An answer to an intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Which intent.
    pub intent: IntentNo,
    /// The server's answer.
    pub answer: Answer,
    /// The target as read after a refusal; `Seen::NotRead` after a success.
    pub live: Seen,
}

/// The live target of a refused intent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Not read, because the answer was a success.
    NotRead,
    /// An object.
    Object(ObjectSeen),
    /// A record with its content, or `None` if it does not exist.
    Record(Option<RecordSeen>),
}

/// An answer that settles a request. 429, 5xx and cut connections are not among them: the engine sends again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// 2xx and as wished. `(uid, resourceVersion)` after it; `None` after a DELETE.
    Accepted {
        /// HTTP status.
        code: u16,
        /// Version after the request.
        version: Option<(Uid, ResourceVersion)>,
    },
    /// 2xx, but the response is not what was wished: a webhook changed it, or the server ignored a part of it.
    Different {
        /// What differs, without values.
        why: String,
        /// Version after the request.
        version: (Uid, ResourceVersion),
    },
    /// 409 on a POST: the name is taken.
    Exists,
    /// 404, 409 or 422 by the guard: every copy of the request is dead.
    Refused {
        /// HTTP status.
        code: u16,
    },
    /// Refused by policy, quota or permission (403, 422 not by the guard, 400): it did not take effect and will not
    /// as long as that stands.
    Denied {
        /// HTTP status.
        code: u16,
        /// The server's words, without values.
        why: String,
    },
}
