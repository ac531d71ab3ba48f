//! What a plan says of coverage and time.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ReleaseId;

/// Signatures seen so far, of all that the plan migrates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Seen when the wave is done.
    pub seen: u32,
    /// In the plan.
    pub total: u32,
}

/// A signature that the first wave does not show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untested {
    /// `web 1.4.0, Deployment, Kubernetes 1.36, OwnershipOnly, helm`.
    pub signature: String,
    /// Number of the wave that shows it first.
    pub wave: u32,
    /// The release that shows it first there.
    pub first: ReleaseId,
    /// Releases that have it.
    pub releases: u32,
    /// Why no canary shows it.
    pub why: String,
}

/// What a wave waits for after the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitsFor {
    /// `soak`, `window`, `freeze`, `approval`, `deferral`, or `wave` for one that is never done.
    pub kind: String,
    /// Its name, or words that go on after the kind: `office`, `year-end`, `of wave 3`.
    pub detail: String,
    /// Until when, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A stretch of time in which a wave writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// First write.
    pub from: Timestamp,
    /// Last write done.
    pub to: Timestamp,
}

/// When a plan is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// When the last wave has soaked; `None` if some wave never gets its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Timestamp>,
    /// Days from there to the end of the deadline's day; negative is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack_days: Option<i32>,
    /// Seconds in which anything is written.
    pub writing_seconds: u64,
    /// Waves that are not done in time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late: Vec<Late>,
}

/// A wave that misses the deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Late {
    /// Its number.
    pub wave: u32,
    /// Its releases that are late.
    pub releases: u32,
    /// The clusters that they are on.
    pub clusters: Vec<String>,
    /// When it is done; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Timestamp>,
}

/// A change of settings that makes the plan sooner done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relaxation {
    /// What changes: `soak.prod 72h -> 48h`. Two for a pair.
    pub change: Vec<String>,
    /// Done then; the day in the fleet's zone.
    pub done: Date,
    /// Days earlier.
    pub gain_days: i32,
    /// Is the deadline kept with it?
    pub in_time: bool,
}
