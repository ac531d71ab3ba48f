//! The binaries of a control plane and of Helm: found, or built once from the Go modules in `tests/tools`.
//!
//! Looked for in this order: `KUBEBUILDER_ASSETS` (taken as it is), the cache, `PATH` (only with the wanted
//! major and minor version), then built into the cache. The cache is keyed by `go.mod`, `go.sum` and flags, so a
//! new version is a new directory and an old checkout still finds its own.

mod build;
mod found;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::Error;

/// One binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// The store of the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controllers: workloads, garbage collection, service accounts.
    KubeControllerManager,
    /// The scheduler.
    KubeScheduler,
    /// kubectl, so that drift carries its true manager names.
    Kubectl,
    /// Runs pods without running anything.
    Kwok,
    /// Helm 3.
    Helm3,
    /// Helm 4.
    Helm4,
}

/// How one binary is built.
struct Recipe {
    /// Name of the file and of the tool in messages.
    name: &'static str,
    /// Directory below `tests/tools`.
    module: &'static str,
    /// Go package of its `main`.
    package: &'static str,
    version: &'static str,
    /// Linker flags beside `-s -w`: without them Kubernetes reports v0.0.0 and its clients misjudge it.
    ldflags: &'static str,
    /// Rough build time on two cores, for the progress line.
    time: &'static str,
}

const KUBERNETES: &str = "1.36.3";
const KUBERNETES_LDFLAGS: &str = "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
     -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 \
     -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3 \
     -X k8s.io/client-go/pkg/version.gitMajor=1 -X k8s.io/client-go/pkg/version.gitMinor=36";

impl Tool {
    /// All of them, the cheap ones first.
    pub const ALL: [Self; 8] = [
        Self::Etcd,
        Self::Kwok,
        Self::Helm3,
        Self::Helm4,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::Kubectl,
    ];

    const fn recipe(self) -> Recipe {
        let (name, module, package, version, ldflags, time) = match self {
            Self::Etcd => (
                "etcd",
                "etcd",
                "go.etcd.io/etcd/server/v3",
                "3.7.3",
                "",
                "30 s",
            ),
            Self::KubeApiserver => (
                "kube-apiserver",
                "kubernetes",
                "k8s.io/kubernetes/cmd/kube-apiserver",
                KUBERNETES,
                KUBERNETES_LDFLAGS,
                "4 min",
            ),
            Self::KubeControllerManager => (
                "kube-controller-manager",
                "kubernetes",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
                KUBERNETES,
                KUBERNETES_LDFLAGS,
                "1 min",
            ),
            Self::KubeScheduler => (
                "kube-scheduler",
                "kubernetes",
                "k8s.io/kubernetes/cmd/kube-scheduler",
                KUBERNETES,
                KUBERNETES_LDFLAGS,
                "20 s",
            ),
            Self::Kubectl => (
                "kubectl",
                "kubernetes",
                "k8s.io/kubernetes/cmd/kubectl",
                KUBERNETES,
                KUBERNETES_LDFLAGS,
                "20 s",
            ),
            Self::Kwok => (
                "kwok",
                "kwok",
                "sigs.k8s.io/kwok/cmd/kwok",
                "0.8.0",
                "-X sigs.k8s.io/kwok/pkg/consts.Version=v0.8.0",
                "1 min",
            ),
            Self::Helm3 => (
                "helm3",
                "helm3",
                "helm.sh/helm/v3/cmd/helm",
                "3.22.0",
                "-X helm.sh/helm/v3/internal/version.version=v3.22.0",
                "1 min",
            ),
            Self::Helm4 => (
                "helm4",
                "helm4",
                "helm.sh/helm/v4/cmd/helm",
                "4.3.1",
                "-X helm.sh/helm/v4/internal/version.version=v4.3.1",
                "1 min",
            ),
        };
        Recipe {
            name,
            module,
            package,
            version,
            ldflags,
            time,
        }
    }

    /// The name in messages and the file name in the cache.
    pub const fn name(self) -> &'static str {
        self.recipe().name
    }

    /// The version that is wanted.
    pub const fn version(self) -> &'static str {
        self.recipe().version
    }

    /// The binary; builds it when it is nowhere, which takes minutes the first time.
    pub fn path(self) -> Result<PathBuf, Error> {
        // A found binary is asked for its version only once a process.
        static KNOWN: Mutex<BTreeMap<Tool, PathBuf>> = Mutex::new(BTreeMap::new());
        if let Some(path) = KNOWN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&self)
        {
            return Ok(path.clone());
        }
        let path = self.locate()?;
        KNOWN
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self, path.clone());
        Ok(path)
    }

    fn locate(self) -> Result<PathBuf, Error> {
        if let Some(path) = found::in_assets(self) {
            return Ok(path);
        }
        let cached = build::destination(&self.recipe())?;
        if cached.is_file() {
            return Ok(cached);
        }
        if let Some(path) = found::on_path(self) {
            return Ok(path);
        }
        build::build(&self.recipe(), &cached)?;
        Ok(cached)
    }
}

/// The stages (how pods and nodes move on) that belong to the kwok binary: one YAML file, laid beside it when it was built.
pub(crate) fn kwok_stages(kwok: &Path) -> PathBuf {
    kwok.with_file_name(build::STAGES)
}
