//! Helm's words for the state of a revision and for how it was applied. Unknown words are kept.
use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a revision, in Helm's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Status {
    /// Helm does not know the state.
    Unknown,
    /// The revision that governs the release.
    Deployed,
    /// Uninstalled with `--keep-history`.
    Uninstalled,
    /// A later revision took over.
    Superseded,
    /// An install, upgrade or rollback failed.
    Failed,
    /// An uninstall is under way, or died.
    Uninstalling,
    /// A first install is under way, or died.
    PendingInstall,
    /// An upgrade is under way, or died. Helm refuses to upgrade meanwhile.
    PendingUpgrade,
    /// A rollback is under way, or died. Helm refuses to upgrade meanwhile.
    PendingRollback,
    /// A word that this version of refit does not know; kept as it is.
    Other(String),
}

impl Status {
    /// Helm's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Other(word) => word,
        }
    }

    /// Whether Helm takes the release to be in the hands of another operation.
    pub fn is_pending(&self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }
}

impl From<String> for Status {
    fn from(word: String) -> Self {
        match word.as_str() {
            "unknown" => Self::Unknown,
            "deployed" => Self::Deployed,
            "uninstalled" => Self::Uninstalled,
            "superseded" => Self::Superseded,
            "failed" => Self::Failed,
            "uninstalling" => Self::Uninstalling,
            "pending-install" => Self::PendingInstall,
            "pending-upgrade" => Self::PendingUpgrade,
            "pending-rollback" => Self::PendingRollback,
            _ => Self::Other(word),
        }
    }
}

impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.as_str().to_owned()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How Helm applied a revision. A record without one was applied client-side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ApplyMethod {
    /// `csa`: a patch computed by Helm.
    ClientSide,
    /// `ssa`: server-side apply.
    ServerSide,
    /// A word that this version of refit does not know; kept as it is. Helm 4 takes it for client-side.
    Other(String),
}

impl ApplyMethod {
    /// Helm's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ClientSide => "csa",
            Self::ServerSide => "ssa",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for ApplyMethod {
    fn from(word: String) -> Self {
        match word.as_str() {
            "csa" => Self::ClientSide,
            "ssa" => Self::ServerSide,
            _ => Self::Other(word),
        }
    }
}

impl From<ApplyMethod> for String {
    fn from(method: ApplyMethod) -> Self {
        method.as_str().to_owned()
    }
}

impl fmt::Display for ApplyMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
