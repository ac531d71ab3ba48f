//! What the planner weighs beside the forecast: risk, signatures, labels.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Facts of one release, as far as they were read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// Minor version of its cluster's server: `1.36`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Managers that own fields of its objects, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<String>,
    /// Admission webhooks and policies that look at its objects, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admission: Vec<String>,
    /// Replicas of its workloads.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub replicas: u32,
    /// Hooks in its record.
    #[serde(skip_serializing_if = "super::is_zero")]
    pub hooks: u32,
    /// When its deployed revision was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<Timestamp>,
    /// Labels of the release itself: they come before those of its cluster.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

impl Facts {
    /// Was nothing read?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A score with its parts: `risk 34 = dependents 12 + replicas 8 + hooks 9 + drift 5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Risk {
    /// The sum.
    pub score: u32,
    /// Releases that depend on it.
    #[serde(skip_serializing_if = "no_points")]
    pub dependents: u8,
    /// Replicas of its workloads.
    #[serde(skip_serializing_if = "no_points")]
    pub replicas: u8,
    /// Its tier.
    #[serde(skip_serializing_if = "no_points")]
    pub tier: u8,
    /// Drift, conflicts, drops.
    #[serde(skip_serializing_if = "no_points")]
    pub drift: u8,
    /// Hooks.
    #[serde(skip_serializing_if = "no_points")]
    pub hooks: u8,
    /// Long since its last upgrade.
    #[serde(skip_serializing_if = "no_points")]
    pub age: u8,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn no_points(points: &u8) -> bool {
    *points == 0
}

impl Risk {
    /// Each part with its name, greatest first; parts of nothing left out.
    pub fn parts(self) -> Vec<(&'static str, u8)> {
        let mut parts = vec![
            ("dependents", self.dependents),
            ("replicas", self.replicas),
            ("tier", self.tier),
            ("drift", self.drift),
            ("hooks", self.hooks),
            ("age", self.age),
        ];
        parts.retain(|(_, points)| *points > 0);
        parts.sort_by_key(|(_, points)| std::cmp::Reverse(*points));
        parts
    }

    /// Nothing to say.
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What the settings look at in a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterFacts {
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Its zone, if it is not the fleet's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Its windows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<String>,
}
