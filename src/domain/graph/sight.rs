//! What the graph is made of: of each release what it holds, what it needs and what it writes. Names only, no values.

use std::collections::{BTreeMap, BTreeSet};

use super::edge::{Confidence, EdgeKind};
use super::gate::Gate;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::release::ChartRef;

/// Labels of an object or a namespace.
pub type Labels = BTreeMap<String, String>;

/// Something that one release may hold and another may need, within one cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The definition of a kind: group and kind.
    Definition(String, String),
    /// The registration of an aggregated API: group and version.
    Aggregated(String, String),
    /// An object: group, kind, namespace (empty if it has none), name.
    Object(String, String, String, String),
    /// A release of a chart: namespace and chart.
    Chart(String, String),
    /// A release by name: namespace and name.
    Release(String, String),
}

/// Something that a release holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Provided {
    /// What.
    pub key: Key,
    /// At most so sure is an edge that leads here.
    pub at_most: Confidence,
}

/// Something that a release needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    /// What.
    pub key: Key,
    /// What kind of edge it makes.
    pub kind: EdgeKind,
    /// How sure.
    pub confidence: Confidence,
    /// In words.
    pub reason: String,
}

/// A write that adopting the release takes: what admission would be asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Written {
    /// API group.
    pub group: String,
    /// Plural.
    pub resource: String,
    /// Kind, for words.
    pub kind: String,
    /// Its namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its labels.
    pub labels: Labels,
}

/// What is seen of one release. Made by [`Sight::new`] and fed object by object ([`Sight::object`]).
#[derive(Debug, Clone)]
pub struct Sight {
    /// Which release.
    pub release: ReleaseId,
    /// Its chart, if its record reads.
    pub chart: Option<ChartRef>,
    pub(super) provides: Vec<Provided>,
    pub(super) needs: Vec<Need>,
    pub(super) gates: Vec<Gate>,
    pub(super) writes: BTreeSet<Written>,
    pub(super) namespaces: BTreeMap<String, Labels>,
}

/// What is seen of one cluster.
#[derive(Debug, Clone)]
pub struct ClusterSight {
    /// The fleet's name of it.
    pub name: ClusterName,
    /// Its releases.
    pub releases: Vec<Sight>,
    /// Labels of its live namespaces; what was not listed is not here.
    pub namespaces: BTreeMap<String, Labels>,
    /// Flux's live HelmReleases.
    pub flux: Vec<FluxRelease>,
}

/// A HelmRelease of Flux: its name, the Helm release it makes, and what it says it depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FluxRelease {
    /// Namespace and name of the HelmRelease.
    pub id: (String, String),
    /// Namespace of the records and name of the Helm release.
    pub helm: (String, String),
    /// Namespaces and names of other HelmReleases.
    pub depends_on: Vec<(String, String)>,
}

impl ClusterSight {
    /// A cluster of which nothing was seen yet.
    pub fn new(name: ClusterName) -> Self {
        Self {
            name,
            releases: Vec::new(),
            namespaces: BTreeMap::new(),
            flux: Vec::new(),
        }
    }
}
