//! The release's records in one view, in the attempt's terms: whose each is, what it says, how it is named to people.

use super::attempt::{Attempt, CommitCell, LockCell};
use super::entry::{Guard, Job, RecordImage, Target, Token};
use super::observation::{Content, ObjectSeen, RecordSeen, View};
use crate::domain::ids::{ResourceVersion, Revision, Uid};

/// A view, read against what the attempt knows.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub attempt: &'a Attempt,
    pub view: &'a View,
}

impl<'a> Reading<'a> {
    /// The record of a revision.
    pub fn at(self, revision: Revision) -> Option<&'a RecordSeen> {
        self.view
            .records
            .iter()
            .find(|record| record.revision == revision)
    }

    /// N.
    pub fn base(self) -> Option<&'a RecordSeen> {
        self.at(self.attempt.opened.base.revision)
    }

    /// N+1.
    pub fn commit(self) -> Option<&'a RecordSeen> {
        self.at(self.attempt.commit_revision())
    }

    /// The lock, if it is ours still: pending, and with our token, which every rewrite by Helm drops.
    pub fn lock(self) -> Option<&'a RecordSeen> {
        self.at(self.attempt.opened.lock).filter(|record| {
            is_pending(record)
                && (record.token.as_ref() == Some(&self.attempt.opened.token)
                    || self
                        .attempt
                        .lock_version()
                        .is_some_and(|version| is_version(record, version)))
        })
    }

    /// The highest revision.
    pub fn top(self) -> Option<&'a RecordSeen> {
        self.view
            .records
            .iter()
            .max_by_key(|record| record.revision)
    }

    /// Has somebody stacked a revision upon the lock?
    pub fn is_stacked_upon(self) -> bool {
        self.top()
            .is_some_and(|top| top.revision > self.attempt.opened.lock)
    }

    /// Is N exactly as the attempt was opened with it?
    pub fn base_is_as_found(self) -> bool {
        self.base()
            .is_some_and(|record| is_image(record, &self.attempt.opened.base))
    }

    /// Is N at this version?
    pub fn base_is_at(self, version: &(Uid, ResourceVersion)) -> bool {
        self.base()
            .is_some_and(|record| is_version(record, version))
    }

    /// Is N+1 exactly as this attempt, or for an undo the migration, left it?
    pub fn commit_is_as_left(self) -> bool {
        let left = match (&self.attempt.commit.state, &self.attempt.opened.committed) {
            (CommitCell::Deployed { version }, _) => Some(version.clone()),
            (_, Some(image)) => Some((image.uid.clone(), image.resource_version.clone())),
            _ => None,
        };
        left.is_some_and(|left| {
            self.commit()
                .is_some_and(|record| is_version(record, &left))
        })
    }

    /// The revisions above N that are not ours.
    pub fn others(self) -> impl Iterator<Item = &'a RecordSeen> {
        let opened = &self.attempt.opened;
        self.view
            .records
            .iter()
            .filter(move |record| record.revision > opened.base.revision && !self.is_ours(record))
    }

    fn is_ours(self, record: &RecordSeen) -> bool {
        let opened = &self.attempt.opened;
        if record.revision == self.attempt.commit_revision() && self.commit_is_as_left() {
            return true;
        }
        if record.revision != opened.lock {
            return false;
        }
        let kin = record
            .token
            .as_ref()
            .is_some_and(|token| token.is_kin(&opened.token));
        kin || self.lock().is_some()
            || (self.attempt.commit.state == CommitCell::Demoted && opened.job == Job::Migrate)
    }

    /// Others' revisions that are not at rest: their owner may still be at work.
    pub fn busy(self) -> Option<&'a RecordSeen> {
        self.others().find(|record| is_busy(record))
    }

    /// Is a revision of somebody else deployed?
    pub fn other_is_deployed(self) -> bool {
        self.others().any(|record| record.status == DEPLOYED)
    }

    /// Others' revisions whose payload says who governs, and has not been read yet.
    pub fn unread_others(self) -> Vec<Revision> {
        self.others()
            .filter(|record| record.token.is_none() && record.content.is_none())
            .map(|record| record.revision)
            .collect()
    }

    /// Somebody else's revision that governs the release by server-side apply: it needs our entries where they are.
    pub fn governor(self) -> Option<&'a RecordSeen> {
        self.others().find(|record| {
            record.token.is_some() || record.content.as_ref().is_some_and(|content| content.ssa)
        })
    }

    /// What was seen of an object; `None` if it was not looked at.
    pub fn object(self, place: u32) -> Option<&'a ObjectSeen> {
        self.view
            .objects
            .iter()
            .find_map(|(at, seen)| (*at == place).then_some(seen))
    }

    /// Why the records are not as the attempt needs them while it holds the lock.
    pub fn why_moved(self) -> String {
        let opened = &self.attempt.opened;
        if self.lock().is_none() {
            return self.why_lock_lost();
        }
        if let Some(top) = self.top().filter(|top| top.revision > opened.lock) {
            return format!("{} was put upon the lock", name(top));
        }
        if opened.job == Job::Undo && !self.commit_is_as_left() {
            return self.changed(self.attempt.commit_revision());
        }
        self.changed(opened.base.revision)
    }

    /// What became of the lock.
    pub fn why_lock_lost(self) -> String {
        let lock = self.attempt.opened.lock;
        match self.at(lock) {
            None if self.attempt.lock.state == LockCell::Free => {
                format!("revision {lock} is not there")
            }
            None => format!("the lock, revision {lock}, was deleted"),
            Some(record) => format!("the lock was taken: {} stands there", name(record)),
        }
    }

    /// What became of a record that was to stay as it was.
    pub fn changed(self, revision: Revision) -> String {
        match self.at(revision) {
            None => format!("revision {revision} was deleted"),
            Some(record) => format!("{} was changed since by somebody else", name(record)),
        }
    }

    /// A line for each revision of somebody else.
    pub fn other_lines(self) -> impl Iterator<Item = String> {
        self.others().map(|record| match record.status.as_str() {
            DEPLOYED => format!("{} governs the release", name(record)),
            _ => format!("{} was made meanwhile", name(record)),
        })
    }
}

pub(super) const DEPLOYED: &str = "deployed";
pub(super) const SUPERSEDED: &str = "superseded";
const UNINSTALLING: &str = "uninstalling";
const PENDING_PREFIX: &str = "pending-";

/// `pending-install`, `pending-upgrade`, `pending-rollback`.
pub(super) fn is_pending(record: &RecordSeen) -> bool {
    record.status.starts_with(PENDING_PREFIX)
}

fn is_busy(record: &RecordSeen) -> bool {
    is_pending(record) || record.status == UNINSTALLING
}

pub(super) fn is_version(record: &RecordSeen, version: &(Uid, ResourceVersion)) -> bool {
    record.uid == version.0 && record.resource_version == version.1
}

pub(super) fn is_image(record: &RecordSeen, image: &RecordImage) -> bool {
    record.uid == image.uid && record.resource_version == image.resource_version
}

pub(super) fn version_of(record: &RecordSeen) -> (Uid, ResourceVersion) {
    (record.uid.clone(), record.resource_version.clone())
}

pub(super) fn guard_of(record: &RecordSeen) -> Guard {
    Guard::Version {
        uid: record.uid.clone(),
        resource_version: record.resource_version.clone(),
    }
}

/// N's content as before: deployed, whoever wrote it last (Helm rewrites the same JSON from its memory).
pub(super) fn is_before(content: &Content, base: &RecordImage) -> bool {
    content.identity == base.identity && content.status == DEPLOYED
}

/// N's content as we supersede it.
pub(super) fn is_superseded(content: &Content, base: &RecordImage) -> bool {
    content.identity == base.identity && content.status == SUPERSEDED && content.ssa
}

/// A record for a report: its revision, what it says and whose it is.
pub(super) fn name(record: &RecordSeen) -> String {
    format!(
        "revision {} ({}, {})",
        record.revision,
        record.status,
        whose(record.token.as_ref())
    )
}

fn whose(token: Option<&Token>) -> String {
    token.map_or_else(
        || "written by Helm".to_owned(),
        |token| format!("of the refit run {token}"),
    )
}

/// Who holds a lock that is not ours.
pub(super) fn holder(record: &RecordSeen) -> String {
    match &record.token {
        Some(token) => format!("the refit run {token}, by revision {}", record.revision),
        None => format!(
            "a Helm operation: revision {} is {}",
            record.revision, record.status
        ),
    }
}

/// A target for a report.
pub(super) fn target_name(attempt: &Attempt, target: Target) -> String {
    match target {
        Target::Object(place) => attempt.object_name(place),
        Target::Record(revision) => format!("revision {revision}"),
    }
}
