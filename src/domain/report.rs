//! What came of a run, or of an undo: the values behind `status` and the last line of `run`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{Digest, ReleaseId, Revision, RunId};
use super::run::Outcome;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunState {
    /// A process works on it.
    Running,
    /// It waits: `why` and `until` say for what and until when.
    Waiting,
    /// It stopped before its end, at a safe point; resumable.
    Stopped,
    /// The operator stopped it; resumable.
    Interrupted,
    /// A wave failed too often.
    BudgetSpent,
    /// Another process took a cluster over.
    LockLost,
    /// Every release of the plan has an outcome.
    Complete,
}

impl RunState {
    /// Its one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Waiting => "Waiting",
            Self::Stopped => "Stopped",
            Self::Interrupted => "Interrupted",
            Self::BudgetSpent => "BudgetSpent",
            Self::LockLost => "LockLost",
            Self::Complete => "Complete",
        }
    }
}

/// How releases ended, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Done.
    pub migrated: u32,
    /// Busy, Stale or Held: nothing was done.
    pub handed_back: u32,
    /// Undone.
    pub undone: u32,
    /// MovedOn.
    pub moved_on: u32,
    /// Stuck.
    pub stuck: u32,
    /// Not ended yet.
    pub open: u32,
}

impl Totals {
    /// Counts the ends of these releases; `None` has not ended.
    pub fn of<'a>(ends: impl IntoIterator<Item = Option<&'a Outcome>>) -> Self {
        let mut totals = Self::default();
        for end in ends {
            let counter = match end {
                None => &mut totals.open,
                Some(Outcome::Done) => &mut totals.migrated,
                Some(Outcome::Undone { .. }) => &mut totals.undone,
                Some(Outcome::MovedOn { .. }) => &mut totals.moved_on,
                Some(Outcome::Stuck { .. }) => &mut totals.stuck,
                Some(Outcome::Busy { .. } | Outcome::Stale { .. } | Outcome::Held { .. }) => {
                    &mut totals.handed_back
                }
            };
            *counter = counter.saturating_add(1);
        }
        totals
    }

    /// All of them.
    pub const fn releases(&self) -> u32 {
        self.migrated
            .saturating_add(self.handed_back)
            .saturating_add(self.undone)
            .saturating_add(self.moved_on)
            .saturating_add(self.stuck)
            .saturating_add(self.open)
    }

    /// Those that ended otherwise than migrated.
    pub const fn not_done(&self) -> u32 {
        self.handed_back
            .saturating_add(self.undone)
            .saturating_add(self.moved_on)
            .saturating_add(self.stuck)
    }
}

/// One wave of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaveReport {
    /// From 1.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// How its releases ended.
    pub totals: Totals,
    /// Its first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// Its last outcome, once all have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// One release of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseReport {
    /// Which.
    pub release: ReleaseId,
    /// In which wave.
    pub wave: u32,
    /// How it ended; absent while it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Outcome>,
    /// Writes that took effect.
    pub writes: u32,
}

/// A run, as its store knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Which.
    pub run: RunId,
    /// The fleet's name.
    pub fleet: String,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// Where it is.
    pub state: RunState,
    /// Who works on it, or did last: `kim@bastion-1`.
    pub holder: String,
    /// When it began.
    pub started: Timestamp,
    /// The wave that it is in, or was in last; 0 before the first.
    pub wave: u32,
    /// For what it waits, or why it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Until when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Its waves.
    pub waves: Vec<WaveReport>,
    /// Its releases, by wave and order in it.
    pub releases: Vec<ReleaseReport>,
    /// Values that changed: 0 in mode `adopt`, or the run is broken.
    pub value_changes: u32,
    /// Objects of migrated releases whose owners a rule rewrote for good.
    #[serde(default)]
    pub irreversible: u32,
}

impl RunReport {
    /// How the plan's releases ended.
    pub fn totals(&self) -> Totals {
        Totals::of(self.releases.iter().map(|release| release.end.as_ref()))
    }
}

/// One release of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoItem {
    /// Which.
    pub release: ReleaseId,
    /// How it ended. Absent in a preview: it will be put back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Outcome>,
    /// Objects put back, or to be.
    pub objects: u32,
    /// Of them, those whose values go back too.
    #[serde(default)]
    pub valued: u32,
    /// What is not put back, in words: owners that nobody can write any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unrestored: Vec<String>,
    /// Writes that took effect, or are needed.
    pub writes: u32,
    /// The revision that is deployed before the undo.
    pub from: Revision,
    /// The revision that is deployed after it; the same if the record stays.
    pub to: Revision,
}

/// What an undo did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UndoReport {
    /// Of which run; absent for `settle` over all runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The fleet's name.
    pub fleet: String,
    /// Where it is; [`RunState::Complete`] if every release has an outcome.
    pub state: RunState,
    /// Its releases, by cluster, namespace, name.
    pub items: Vec<UndoItem>,
    /// From its start; absent in a preview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_counted_once() {
        let ends = [
            None,
            Some(Outcome::Done),
            Some(Outcome::Held { why: "x".into() }),
            Some(Outcome::Busy { who: "x".into() }),
            Some(Outcome::Stale { what: "x".into() }),
            Some(Outcome::Undone { why: "x".into() }),
        ];
        let totals = Totals::of(ends.iter().map(Option::as_ref));
        assert_eq!(totals.releases(), 6);
        assert_eq!((totals.handed_back, totals.not_done()), (3, 4));
    }
}
