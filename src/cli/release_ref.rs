//! A release as a user may name it: with or without its cluster.

use std::fmt;
use std::str::FromStr;

use super::error::{CliError, ErrorCode};
use super::scope::Scope;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ClusterName, Namespace, ReleaseId, ReleaseName};

/// `cluster/namespace/name` or `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRef {
    cluster: Option<ClusterName>,
    namespace: Namespace,
    name: ReleaseName,
}

/// A text that is no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no release: write cluster/namespace/name, or namespace/name")]
pub struct NotARelease(String);

impl FromStr for ReleaseRef {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let (cluster, namespace, name) = match parts.as_slice() {
            [namespace, name] => (None, *namespace, *name),
            [cluster, namespace, name] => (Some(*cluster), *namespace, *name),
            _ => return Err(NotARelease(text.to_owned())),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotARelease(text.to_owned()));
        }
        Ok(Self {
            cluster: cluster.map(ClusterName::new),
            namespace: Namespace::new(namespace),
            name: ReleaseName::new(name),
        })
    }
}

impl fmt::Display for ReleaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = &self.cluster {
            write!(f, "{cluster}/")?;
        }
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl ReleaseRef {
    /// The release, if its cluster is named and known, or only one cluster is in scope.
    pub fn resolve(&self, fleet: &Fleet, scope: &Scope) -> Result<ReleaseId, CliError> {
        let known: Vec<&ClusterName> = fleet
            .clusters
            .iter()
            .filter(|cluster| scope.has_cluster(cluster))
            .map(|cluster| &cluster.name)
            .collect();
        let cluster = match (&self.cluster, known.as_slice()) {
            (Some(named), known) if known.contains(&named) => named,
            (Some(named), _) => {
                return Err(CliError::new(
                    ErrorCode::ContextNotFound,
                    format!("no cluster {named} in scope"),
                )
                .because(format!(
                    "fleet {} has {}",
                    fleet.name,
                    names(&fleet.clusters.iter().map(|it| &it.name).collect::<Vec<_>>())
                )));
            }
            (None, [only]) => *only,
            (None, known) => {
                return Err(
                    CliError::usage(format!("{self} does not say on which cluster"))
                        .because(format!("{} are in scope: {}", known.len(), names(known)))
                        .next(format!(
                            "write cluster/namespace/name, such as {}/{self}",
                            known.first().map_or("CLUSTER", |cluster| cluster.as_str())
                        )),
                );
            }
        };
        Ok(ReleaseId {
            cluster: cluster.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        })
    }
}

/// At most so many names are listed in an error.
const NAMES_SHOWN: usize = 8;

fn names(clusters: &[&ClusterName]) -> String {
    let shown: Vec<&str> = clusters
        .iter()
        .take(NAMES_SHOWN)
        .map(|name| name.as_str())
        .collect();
    let rest = clusters.len().saturating_sub(NAMES_SHOWN);
    match rest {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}
