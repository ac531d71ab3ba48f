//! An object as a user names it: `CLUSTER/NAMESPACE/KIND/NAME`, or `CLUSTER/KIND/NAME` for a cluster-scoped kind.

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::{ClusterName, Namespace};

/// An object of a cluster; its kind as kubectl takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// On which cluster.
    pub cluster: ClusterName,
    /// In which namespace; `None` for a cluster-scoped kind.
    pub namespace: Option<Namespace>,
    /// `deploy`, `deployment`, `deployments.apps`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A text that names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" names no object: write cluster/namespace/kind/name, or cluster/kind/name for a cluster-scoped kind"
)]
pub struct NotAnObject(String);

impl FromStr for ObjectName {
    type Err = NotAnObject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        let (cluster, namespace, kind, name) = match parts.as_slice() {
            [cluster, kind, name] => (*cluster, None, *kind, *name),
            [cluster, namespace, kind, name] => (*cluster, Some(*namespace), *kind, *name),
            _ => return Err(NotAnObject(text.to_owned())),
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotAnObject(text.to_owned()));
        }
        Ok(Self {
            cluster: ClusterName::new(cluster),
            namespace: namespace.map(Namespace::new),
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.cluster)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_reads_prints_as_it_was(text in "[a-c/]{0,12}") {
            if let Ok(name) = text.parse::<ObjectName>() {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
