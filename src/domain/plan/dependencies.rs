//! What must not come after what: the graph, as the planner takes it.
//!
//! Compact on purpose: three numbers an edge, so that millions fit. `domain::graph` makes it.

use serde::{Deserialize, Serialize};

use crate::domain::ids::ReleaseId;

/// Edges between releases.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dependencies {
    releases: Vec<ReleaseId>,
    edges: Vec<Edge>,
    reasons: Vec<EdgeReason>,
}

/// One release needs another: the one it needs migrates first. Numbers are places in [`Dependencies::releases`] and
/// [`Dependencies::reasons`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// Who needs.
    pub dependent: u32,
    /// Whom.
    pub on: u32,
    /// Why: place of the reason.
    pub reason: u32,
}

/// Why one release needs another. Few reasons serve many edges.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EdgeReason {
    /// A word that groups: `declared`, `custom-resource`, `namespace`, `webhook`, ….
    pub kind: String,
    /// What a person reads: `CRD certificates.cert-manager.io`, `fleet.toml line 52`.
    pub detail: String,
}

/// An edge that points nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EdgeInvalid {
    /// A number that is no place in the list of releases.
    #[error("edge {edge} names release number {release}, and there are {releases}")]
    NoRelease {
        /// Place of the edge.
        edge: usize,
        /// The number.
        release: u32,
        /// How many there are.
        releases: usize,
    },
    /// A number that is no place in the list of reasons.
    #[error("edge {edge} names reason number {reason}, and there are {reasons}")]
    NoReason {
        /// Place of the edge.
        edge: usize,
        /// The number.
        reason: u32,
        /// How many there are.
        reasons: usize,
    },
}

impl Dependencies {
    /// Takes edges between the releases of a list, each release once. An edge from a release to itself is a cycle, and
    /// refused by the planner.
    pub fn new(
        releases: Vec<ReleaseId>,
        edges: Vec<Edge>,
        reasons: Vec<EdgeReason>,
    ) -> Result<Self, EdgeInvalid> {
        for (at, edge) in edges.iter().enumerate() {
            for release in [edge.dependent, edge.on] {
                if release as usize >= releases.len() {
                    return Err(EdgeInvalid::NoRelease {
                        edge: at,
                        release,
                        releases: releases.len(),
                    });
                }
            }
            if edge.reason as usize >= reasons.len() {
                return Err(EdgeInvalid::NoReason {
                    edge: at,
                    reason: edge.reason,
                    reasons: reasons.len(),
                });
            }
        }
        Ok(Self {
            releases,
            edges,
            reasons,
        })
    }

    /// The releases that edges name by number.
    pub fn releases(&self) -> &[ReleaseId] {
        &self.releases
    }

    /// The edges, in no order.
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The reasons that edges name by number.
    pub fn reasons(&self) -> &[EdgeReason] {
        &self.reasons
    }

    /// A release by number.
    pub fn release(&self, number: u32) -> Option<&ReleaseId> {
        self.releases.get(number as usize)
    }

    /// An edge's reason.
    pub fn reason(&self, edge: &Edge) -> Option<&EdgeReason> {
        self.reasons.get(edge.reason as usize)
    }
}
