//! Where an attempt stands, in the protocol's words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell};
use super::entry::{Direction, Job};
use super::outcome::Outcome;

/// Where an attempt stands. The last seven are ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// The journal knows it; its lock may be out.
    Opened,
    /// The lock is held.
    Locked,
    /// Objects are being adopted.
    Adopting,
    /// All objects are adopted; the check before the commit is next.
    Adopted,
    /// The commit is done: from here it goes forward only.
    Committed,
    /// Something is being put back.
    Undoing,
    /// All is put back; the undo's lock stays a while for those who listed before it.
    Dwelling,
    /// Whoever else is at work on the release is waited for.
    Settling,
    /// After, exactly.
    Done,
    /// Before, exactly.
    Undone,
    /// Nothing done: somebody holds the release.
    Busy,
    /// Nothing done: it changed since the plan.
    Stale,
    /// Nothing done: it needs something else first.
    Held,
    /// Somebody else went on.
    MovedOn,
    /// Only a person can decide.
    Stuck,
}

impl Stage {
    /// The stage's one word, the same on screen, in JSON and in the docs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "Opened",
            Self::Locked => "Locked",
            Self::Adopting => "Adopting",
            Self::Adopted => "Adopted",
            Self::Committed => "Committed",
            Self::Undoing => "Undoing",
            Self::Dwelling => "Dwelling",
            Self::Settling => "Settling",
            Self::Done => "Done",
            Self::Undone => "Undone",
            Self::Busy => "Busy",
            Self::Stale => "Stale",
            Self::Held => "Held",
            Self::MovedOn => "MovedOn",
            Self::Stuck => "Stuck",
        }
    }

    /// Is it an end?
    pub fn is_end(self) -> bool {
        self >= Self::Done
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl From<&Outcome> for Stage {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Undone { .. } => Self::Undone,
            Outcome::Busy { .. } => Self::Busy,
            Outcome::Stale { .. } => Self::Stale,
            Outcome::Held { .. } => Self::Held,
            Outcome::MovedOn { .. } => Self::MovedOn,
            Outcome::Stuck { .. } => Self::Stuck,
        }
    }
}

impl Attempt {
    /// Where it stands.
    pub fn stage(&self) -> Stage {
        if let Some(outcome) = &self.outcome {
            return outcome.into();
        }
        if matches!(self.lock.state, LockCell::Free | LockCell::Busy { .. }) {
            return Stage::Opened;
        }
        let migrated = |cell: &ObjectCell| matches!(cell, ObjectCell::Migrated { .. });
        let held = self.lock_version().is_some();
        match self.direction {
            Direction::Forward if self.is_committed() => match self.base.state {
                BaseCell::Untouched => Stage::Committed,
                _ => Stage::Settling,
            },
            Direction::Forward if self.verified.is_none() => Stage::Locked,
            Direction::Forward if self.objects.iter().all(|slot| migrated(&slot.state)) => {
                Stage::Adopted
            }
            Direction::Forward => Stage::Adopting,
            Direction::Back => {
                let undo = self.opened.job == Job::Undo;
                let objects = self.objects.iter().any(|slot| slot.state.is_changed());
                let records = undo && matches!(self.commit.state, CommitCell::Deployed { .. });
                let turned = !objects && !records;
                if undo && turned && held && self.lock.open.is_none() {
                    Stage::Dwelling
                } else if undo && turned && !held {
                    Stage::Settling
                } else {
                    Stage::Undoing
                }
            }
        }
    }
}
