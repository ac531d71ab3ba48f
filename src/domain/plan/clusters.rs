//! The fleet's clusters as the planner sees them: by their place in natural order.

use std::cmp::Ordering;

use super::index::Index;
use crate::domain::fleet::{Fleet, FleetCluster, natural_order};
use crate::domain::ids::{ClusterName, ReleaseId};

/// The fleet's clusters, by their place in natural order.
pub(super) struct Clusters<'a> {
    all: Vec<&'a FleetCluster>,
    places: Index<&'a str>,
}

impl<'a> Clusters<'a> {
    pub(super) fn of(fleet: &'a Fleet) -> Self {
        let mut all: Vec<_> = fleet.clusters.iter().collect();
        all.sort_by(|a, b| natural_order(a.name.as_str(), b.name.as_str()));
        let mut places = Index::with_capacity(all.len());
        for cluster in &all {
            places.insert(cluster.name.as_str());
        }
        Self { all, places }
    }

    pub(super) fn get(&self, place: u32) -> Option<&'a FleetCluster> {
        self.all.get(place as usize).copied()
    }

    pub(super) fn place(&self, name: &ClusterName) -> Option<u32> {
        self.places.find(name.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// By place of the cluster, then namespace and name.
    pub(super) fn by_release(&self, a: &ReleaseId, b: &ReleaseId) -> Ordering {
        let place = |release: &ReleaseId| self.place(&release.cluster);
        place(a)
            .cmp(&place(b))
            .then_with(|| a.namespace.cmp(&b.namespace))
            .then_with(|| a.name.cmp(&b.name))
    }

    pub(super) fn label(&self, place: u32, key: &str) -> Option<&'a str> {
        self.get(place)?.labels.get(key).map(String::as_str)
    }

    /// Is it labelled `env=prod`?
    pub(super) fn is_prod(&self, place: u32) -> bool {
        self.label(place, "env") == Some("prod")
    }
}
