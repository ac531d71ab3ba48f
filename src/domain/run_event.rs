//! What a run tells while it goes on: events, for screens and for `--events`.
//!
//! Events are for people and scripts; the journal is the truth. Losing one loses nothing.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, Digest, ReleaseId, Revision, RunId};
use super::report::{RunState, Totals};
use super::run::Side;

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// In which run.
    pub run: RunId,
    /// Counts the events of one process, from 1, without a gap.
    pub seq: u64,
    /// In which wave; absent if it is about the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u32>,
    /// On which cluster; absent if it is about all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// A wave's share of the plan, or a cluster's share of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share<Of> {
    /// Whose.
    pub of: Of,
    /// Releases that it has to migrate from now on.
    pub releases: u32,
    /// Writes that these need.
    pub writes: u32,
}

/// What happened. Free text never holds object values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all_fields = "camelCase")]
pub enum What {
    /// The run begins, or goes on.
    RunStarted {
        /// The plan's digest.
        plan: Digest,
        /// Another process had begun it.
        resumed: bool,
        /// What each wave still has to do, in order.
        waves: Vec<Share<u32>>,
    },
    /// A wave begins.
    WaveStarted {
        /// Its name.
        name: String,
        /// What each cluster has to do in it.
        clusters: Vec<Share<ClusterName>>,
    },
    /// A release is being migrated, or put back.
    ReleaseStarted {
        /// Which.
        release: ReleaseId,
        /// Its objects.
        objects: u32,
    },
    /// After, exactly.
    ReleaseMigrated {
        /// Which.
        release: ReleaseId,
        /// Objects adopted.
        objects: u32,
        /// The revision that is deployed now.
        revision: Revision,
        /// Writes that took effect.
        writes: u32,
        /// From its start.
        seconds: f64,
    },
    /// Nothing was done: Busy, Stale or Held.
    ReleaseHandedBack {
        /// Which.
        release: ReleaseId,
        /// `Busy`, `Stale` or `Held`.
        outcome: String,
        /// Why.
        why: String,
    },
    /// Before, exactly: what had been done was put back.
    ReleaseUndone {
        /// Which.
        release: ReleaseId,
        /// Why.
        why: String,
        /// Writes that took effect, there and back.
        writes: u32,
        /// From its start.
        seconds: f64,
    },
    /// Somebody else went on; ours is removed where that hurts nobody.
    ReleaseMovedOn {
        /// Which.
        release: ReleaseId,
        /// Who or what moved.
        why: String,
        /// False: `refit settle` must look again.
        settled: bool,
    },
    /// Only a person can decide.
    ReleaseStuck {
        /// Which.
        release: ReleaseId,
        /// Why.
        why: String,
        /// Which side it is on.
        side: Side,
    },
    /// A late lock of an earlier attempt was removed.
    LockSwept {
        /// Of which release.
        release: ReleaseId,
    },
    /// Nothing is written until something holds.
    Waiting {
        /// For what.
        why: String,
        /// Until when; absent if it depends on somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A cluster is written to more slowly.
    Throttled {
        /// Why: `3 x 429 from the server`.
        why: String,
        /// Writes per second from now on.
        writes_per_second: f64,
        /// When it is tried faster again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A wave's budget is spent.
    BudgetSpent {
        /// Which: `undone`, `failed`.
        budget: String,
        /// How many it allows.
        allowed: u32,
        /// How many there are.
        counted: u32,
        /// What is done now: `stop`, `undo-wave`.
        then: String,
    },
    /// A wave is over.
    WaveDone {
        /// How its releases ended.
        totals: Totals,
        /// From its start.
        seconds: f64,
    },
    /// A claim on a cluster was lost; this process writes to it no more.
    Fenced {
        /// Who has it now.
        by: String,
    },
    /// The operator asked to stop; releases in hand are finished.
    Stopping {
        /// Releases in hand.
        in_hand: u32,
    },
    /// The process ends its work on the run.
    RunComplete {
        /// In which state.
        state: RunState,
        /// How the plan's releases ended.
        totals: Totals,
    },
}

impl What {
    /// The event's one word, the same on screen and in JSON (`reason`).
    pub const fn word(&self) -> &'static str {
        match self {
            Self::RunStarted { .. } => "RunStarted",
            Self::WaveStarted { .. } => "WaveStarted",
            Self::ReleaseStarted { .. } => "ReleaseStarted",
            Self::ReleaseMigrated { .. } => "ReleaseMigrated",
            Self::ReleaseHandedBack { .. } => "ReleaseHandedBack",
            Self::ReleaseUndone { .. } => "ReleaseUndone",
            Self::ReleaseMovedOn { .. } => "ReleaseMovedOn",
            Self::ReleaseStuck { .. } => "ReleaseStuck",
            Self::LockSwept { .. } => "LockSwept",
            Self::Waiting { .. } => "Waiting",
            Self::Throttled { .. } => "Throttled",
            Self::BudgetSpent { .. } => "BudgetSpent",
            Self::WaveDone { .. } => "WaveDone",
            Self::Fenced { .. } => "Fenced",
            Self::Stopping { .. } => "Stopping",
            Self::RunComplete { .. } => "RunComplete",
        }
    }

    /// The release that it is about.
    pub const fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::ReleaseStarted { release, .. }
            | Self::ReleaseMigrated { release, .. }
            | Self::ReleaseHandedBack { release, .. }
            | Self::ReleaseUndone { release, .. }
            | Self::ReleaseMovedOn { release, .. }
            | Self::ReleaseStuck { release, .. }
            | Self::LockSwept { release } => Some(release),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_the_json_reason() {
        let event = Event {
            time: "2026-11-25T08:01:04Z".parse().unwrap(),
            run: "run-7k3f".into(),
            seq: 3,
            wave: Some(2),
            cluster: Some("dev-1".into()),
            what: What::ReleaseMigrated {
                release: "dev-1/shop/web".parse().unwrap(),
                objects: 9,
                revision: Revision(32),
                writes: 12,
                seconds: 3.1,
            },
        };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["reason"], event.what.word());
        assert_eq!(json["release"], "dev-1/shop/web");
        assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
    }
}
