//! Releases as numbers: the text of each namespace and name once, however many releases have it.
//!
//! A fleet has the same releases on many clusters. Three numbers are compared and hashed where they lie; a text is
//! somewhere else in memory, and with a million releases each look at one is a miss of the cache.

use std::cmp::Ordering;

use super::clusters::Clusters;
use super::index::Index;
use crate::domain::ids::{Namespace, ReleaseId, ReleaseName};

/// A release by numbers: equal exactly if the release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Who {
    /// Place of the cluster in natural order.
    pub(super) cluster: u32,
    namespace: u32,
    name: u32,
}

/// The texts.
#[derive(Default)]
pub(super) struct Names {
    namespaces: Index<Namespace>,
    names: Index<ReleaseName>,
}

impl Names {
    /// Numbers of a release on the cluster at a place.
    pub(super) fn number(&mut self, cluster: u32, release: &ReleaseId) -> Who {
        let (namespace, name) = (&release.namespace, &release.name);
        Who {
            cluster,
            namespace: self.namespaces.number(namespace, || namespace.clone()),
            name: self.names.number(name, || name.clone()),
        }
    }

    /// The numbers, if each text has one.
    pub(super) fn find(&self, clusters: &Clusters<'_>, release: &ReleaseId) -> Option<Who> {
        Some(Who {
            cluster: clusters.place(&release.cluster)?,
            namespace: self.namespaces.find(&release.namespace)?,
            name: self.names.find(&release.name)?,
        })
    }

    /// The release of numbers, which shares its texts with all others. `None` if they are of no release.
    pub(super) fn release(&self, clusters: &Clusters<'_>, who: Who) -> Option<ReleaseId> {
        Some(ReleaseId {
            cluster: clusters.get(who.cluster)?.name.clone(),
            namespace: self.namespaces.get(who.namespace)?.clone(),
            name: self.names.get(who.name)?.clone(),
        })
    }

    /// The namespace.
    pub(super) fn namespace(&self, who: Who) -> Option<&str> {
        self.namespaces.get(who.namespace).map(Namespace::as_str)
    }

    /// The release's name.
    pub(super) fn name(&self, who: Who) -> Option<&str> {
        self.names.get(who.name).map(ReleaseName::as_str)
    }

    /// By place of the cluster, then namespace and name. Texts of equal numbers are not looked at.
    pub(super) fn compare(&self, a: Who, b: Who) -> Ordering {
        if a.cluster != b.cluster {
            a.cluster.cmp(&b.cluster)
        } else if a.namespace != b.namespace {
            self.namespace(a).cmp(&self.namespace(b))
        } else if a.name != b.name {
            self.name(a).cmp(&self.name(b))
        } else {
            Ordering::Equal
        }
    }
}
