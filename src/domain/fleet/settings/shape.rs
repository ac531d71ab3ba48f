//! Shape of a plan: stages, sizes, canaries, caps, peers, lanes, risk.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::fleet::{Selector, WaveSizes};

/// A part of the fleet that comes before the next part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its name: the wave's, or with `-a`, `-b`, … those of its waves. Empty: `canary`, `wave-2`, ….
    pub name: String,
    /// Whose it is. Keys are labels of the release, then of its cluster; `cluster`, `namespace`, `release` and
    /// `chart` are always there.
    pub selector: Selector,
    /// How it is cut into waves.
    pub cut: Cut,
}

/// How a stage is cut into waves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cut {
    /// One wave, or as many as caps and peers need.
    #[default]
    Whole,
    /// Exact sizes, the last repeats. A new release may move others by a wave: see ADR 9.
    Sizes(WaveSizes),
    /// So many releases first, then twice as many, and so on.
    Doubling {
        /// Size of the first wave, at least 1.
        first: u32,
    },
    /// Percent of the stage, each 1 to 100, the last repeats. Who is in which wave follows from the release's name
    /// alone: sizes are met on average, and a new release moves nobody.
    Shares(Vec<u8>),
}

/// How the first releases are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum CanaryRule {
    /// The first wave of the first stage is all there is.
    #[default]
    None,
    /// A wave `canary` before all stages: the smallest set of releases of low risk that shows every signature.
    #[serde(rename_all = "camelCase")]
    Coverage {
        /// Who may be a canary; all if empty.
        #[serde(default)]
        selector: Selector,
        /// Highest risk score of a canary; `None` is any.
        #[serde(default)]
        max_risk: Option<u32>,
        /// Most canaries; those that show most come first. `None` is any number.
        #[serde(default)]
        max_releases: Option<u32>,
    },
}

/// A property of a release to count or to group by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The whole fleet is one group.
    Fleet,
    /// Its cluster.
    Cluster,
    /// Its cluster and namespace.
    Namespace,
    /// Its chart's name.
    Chart,
    /// Its name in its namespace, the same on every cluster.
    Release,
    /// A label of the release, or else of its cluster. A release without the label is in no group.
    Label(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fleet => "fleet",
            Self::Cluster => "cluster",
            Self::Namespace => "namespace",
            Self::Chart => "chart",
            Self::Release => "release",
            Self::Label(label) => label,
        })
    }
}

impl FromStr for Key {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "fleet" => Self::Fleet,
            "cluster" => Self::Cluster,
            "namespace" => Self::Namespace,
            "chart" => Self::Chart,
            "release" => Self::Release,
            label => Self::Label(label.to_owned()),
        })
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Counted {
    /// Releases.
    #[default]
    Releases,
    /// Different clusters.
    Clusters,
}

/// An upper bound of what one wave holds: `clusters_per_region = 1` counts clusters per label `region`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cap {
    /// As fleet.toml writes it: `clusters_per_region`.
    pub name: String,
    /// What is counted.
    pub count: Counted,
    /// For each value of this.
    pub per: Key,
    /// At least 1.
    pub at_most: u32,
}

/// Releases that never share a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peers {
    /// Its name, for reasons.
    pub name: String,
    /// Who.
    pub rule: PeerRule,
}

/// Which releases are peers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PeerRule {
    /// Releases of different sides never share a wave: `["cluster=eu-1", "cluster=eu-2"]`. A release is of the first
    /// side that it satisfies.
    Sides(Vec<Selector>),
    /// Releases with the same `group` and different `side`: `group = "ha-pair"`, `side = "cluster"`.
    Same {
        /// Those with the same value belong together.
        group: Key,
        /// Those with different values never share a wave.
        side: Key,
    },
}

/// What waits for what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lanes {
    /// A wave starts when the one before it has soaked, everywhere.
    #[default]
    Fleet,
    /// Releases with the same value wait for their own earlier waves only, and for the canary.
    By(Key),
}

/// What becomes of a ready release whose dependency is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeldDependency {
    /// It migrates, with a note: what the plan leaves alone does not change.
    #[default]
    GoOn,
    /// It is held too.
    Hold,
}

/// How risk is counted, and what it decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RiskRule {
    /// Most points of each part.
    pub weights: RiskWeights,
    /// Label that names a release's tier.
    pub tier_label: String,
    /// From this score on a release is of high risk.
    pub high: u32,
    /// Below this score it is of low risk.
    pub low: u32,
    /// Who goes first inside a stage.
    pub order: RiskOrder,
    /// Releases of low risk wait until this day, in the fleet's zone.
    pub defer_low_until: Option<Date>,
}

impl Default for RiskRule {
    fn default() -> Self {
        Self {
            weights: RiskWeights::default(),
            tier_label: "tier".to_owned(),
            high: 30,
            low: 10,
            order: RiskOrder::default(),
            defer_low_until: None,
        }
    }
}

/// Most points that a part of the score can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RiskWeights {
    /// Releases that depend on it, directly or not.
    pub dependents: u8,
    /// Replicas of its workloads.
    pub replicas: u8,
    /// Fields that drifted, conflicts, drops.
    pub drift: u8,
    /// Hooks in its record.
    pub hooks: u8,
    /// Long since its last upgrade.
    pub age: u8,
    /// By the value of the tier label.
    pub tiers: BTreeMap<String, u8>,
}

impl Default for RiskWeights {
    fn default() -> Self {
        Self {
            dependents: 25,
            replicas: 20,
            drift: 15,
            hooks: 15,
            age: 10,
            tiers: BTreeMap::new(),
        }
    }
}

/// Who goes first inside a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskOrder {
    /// The lowest risk, clusters and charts mixed, prod last.
    #[default]
    LowFirst,
    /// After the canaries the highest risk, so that surprises come while there is time.
    HighFirst,
}
