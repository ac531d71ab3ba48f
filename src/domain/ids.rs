//! Names that must not be mixed up: one type each.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is. Copies of an id share it.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The number that follows.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

text_id!(
    /// A cluster, by the name that the fleet gives it.
    ClusterName
);
text_id!(
    /// A Kubernetes namespace.
    Namespace
);
text_id!(
    /// A Helm release's name inside its namespace.
    ReleaseName
);
text_id!(
    /// One execution of one plan, such as `run-7k3f`.
    RunId
);
text_id!(
    /// `metadata.uid` of an object.
    Uid
);
text_id!(
    /// `metadata.resourceVersion` of an object: opaque, compared for equality only.
    ResourceVersion
);
text_id!(
    /// Lower-case hex of a SHA-256: names an image in the store, a plan, a record's identity.
    Digest
);
number_id!(
    /// A revision of a release: one stored record `sh.helm.release.v1.<name>.v<N>`.
    Revision(u32)
);
number_id!(
    /// Counts takeovers of a cluster's claim; an append under an older one is refused.
    Epoch(u64)
);
number_id!(
    /// Counts the attempts at one release of one cluster, over all runs of a store, from 1.
    AttemptNo(u32)
);
number_id!(
    /// Place of an entry in a cluster's journal, from 1.
    Seq(u64)
);

/// A release of the fleet: `cluster/namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseId {
    /// The fleet's name of the cluster.
    pub cluster: ClusterName,
    /// Namespace of the release's records.
    pub namespace: Namespace,
    /// The release's name.
    pub name: ReleaseName,
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Piece by piece, as a plan writes millions of them: `write!` would look at width and fill of each piece.
        f.write_str(self.cluster.as_str())?;
        f.write_str("/")?;
        f.write_str(self.namespace.as_str())?;
        f.write_str("/")?;
        f.write_str(self.name.as_str())
    }
}

/// A text that is not `cluster/namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no release: write cluster/namespace/name")]
pub struct NotAReleaseId(String);

impl FromStr for ReleaseId {
    type Err = NotAReleaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [cluster, namespace, name] if parts.iter().all(|part| !part.is_empty()) => Ok(Self {
                cluster: ClusterName::new(*cluster),
                namespace: Namespace::new(*namespace),
                name: ReleaseName::new(*name),
            }),
            _ => Err(NotAReleaseId(text.to_owned())),
        }
    }
}

impl Serialize for ReleaseId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReleaseId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_id_reads_what_it_writes() {
        let id: ReleaseId = "eu-1/shop/web".parse().unwrap();
        assert_eq!(id.to_string(), "eu-1/shop/web");
        assert!("eu-1/shop".parse::<ReleaseId>().is_err());
        assert!("eu-1//web".parse::<ReleaseId>().is_err());
    }
}
