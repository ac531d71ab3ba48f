//! Who else may drive a release.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who else drives a release: it is migrated over there, not behind its driver's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DrivenBy {
    /// Flux: manager `helm-controller` or label `helm.toolkit.fluxcd.io/name`.
    Flux,
    /// Argo CD: manager `argocd-controller` or annotation `argocd.argoproj.io/tracking-id`.
    ArgoCd,
    /// Terraform: a `terraform-provider-helm*` entry newer than every canonical one.
    Terraform,
    /// Rancher Fleet: annotation or label `objectset.rio.cattle.io/*`.
    Fleet,
}

impl DrivenBy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Flux, Self::ArgoCd, Self::Terraform, Self::Fleet];

    /// Its word, in fleet.toml, JSON and tables.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Flux => "flux",
            Self::ArgoCd => "argocd",
            Self::Terraform => "terraform",
            Self::Fleet => "fleet",
        }
    }
}

impl fmt::Display for DrivenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
