//! Releases as an inventory knows them.

mod drive;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ClusterName, ReleaseId, Revision};

pub use super::fleet::DrivenBy;
pub use drive::{EntryHead, Marks, driven_by};

/// Where Helm keeps its records (`HELM_DRIVER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Secrets of type `helm.sh/release.v1`: the default.
    Secret,
    /// ConfigMaps.
    ConfigMap,
}

impl Driver {
    /// Kind of the objects.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }

    /// Their name in a URL.
    pub fn resource(self) -> &'static str {
        match self {
            Self::Secret => "secrets",
            Self::ConfigMap => "configmaps",
        }
    }
}

/// Name and version of a chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChartRef {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A manager that owns fields of a release's objects (status writers not counted).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagerSeen {
    /// Its name.
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// On how many objects of the release.
    pub objects: u32,
}

/// One release of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryRelease {
    /// Which.
    #[serde(flatten)]
    pub id: ReleaseParts,
    /// Its chart; absent if the record cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<ChartRef>,
    /// The latest revision.
    pub revision: Revision,
    /// The deployed revision, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Revision>,
    /// Status of the latest revision, or `Unreadable`.
    pub status: String,
    /// What the latest revision records: `ssa`, `csa`, or absent (Helm 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_method: Option<String>,
    /// Where its records are.
    pub driver: Driver,
    /// Owners of its objects' fields, most objects first.
    pub managers: Vec<ManagerSeen>,
    /// Who else drives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driven_by: Option<DrivenBy>,
    /// Objects in the stored manifest.
    pub objects: u32,
    /// Hooks in the record.
    pub hooks: u32,
    /// Number of stored revisions.
    pub revisions: u32,
    /// When the latest revision was written, as Helm records it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A release id as three JSON fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReleaseParts {
    /// The cluster.
    pub cluster: ClusterName,
    /// The namespace.
    pub namespace: super::ids::Namespace,
    /// The release's name.
    pub name: super::ids::ReleaseName,
}

impl From<ReleaseParts> for ReleaseId {
    fn from(parts: ReleaseParts) -> Self {
        Self {
            cluster: parts.cluster,
            namespace: parts.namespace,
            name: parts.name,
        }
    }
}

impl From<ReleaseId> for ReleaseParts {
    fn from(id: ReleaseId) -> Self {
        Self {
            cluster: id.cluster,
            namespace: id.namespace,
            name: id.name,
        }
    }
}

/// One cluster of an inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryCluster {
    /// The fleet's name.
    pub name: ClusterName,
    /// The server's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why it was not read; then its releases are unknown, which is not zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

/// What a fleet holds, at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// The fleet's name.
    pub fleet: String,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// Every cluster of the fleet, in natural order.
    pub clusters: Vec<InventoryCluster>,
    /// Every release, by cluster, namespace, name.
    pub releases: Vec<InventoryRelease>,
}
