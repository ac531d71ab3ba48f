//! What a control plane is started with.

use std::path::PathBuf;

/// A user beside the admin, who may do nothing until granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name that RBAC and the audit log show.
    pub name: String,
    /// Groups beside `system:authenticated`.
    pub groups: Vec<String>,
}

/// What a control plane is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The name of its context, cluster and admin user in kubeconfigs.
    pub name: String,
    /// Where its data goes; removed at the end. `None`: a temporary directory.
    pub data_dir: Option<PathBuf>,
    /// Users beside the admin.
    pub users: Vec<User>,
    /// Whether controllers, scheduler and kwok run, so that Deployments get ready pods. Without them a control
    /// plane takes 0.3 GB instead of 0.5 and starts in half the time.
    pub workloads: bool,
    /// Volumes that claims of StatefulSets can bind to.
    pub volumes: usize,
    /// Whether it outlives this process; then `data_dir` must be given and stays.
    pub detached: bool,
}

impl Options {
    /// A whole control plane of this name.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            data_dir: None,
            users: Vec::new(),
            workloads: true,
            volumes: 2,
            detached: false,
        }
    }

    /// Only etcd and the API server: for tests that look at ownership and not at workloads.
    #[must_use]
    pub fn api_only(mut self) -> Self {
        self.workloads = false;
        self.volumes = 0;
        self
    }

    /// One more user, who may do nothing until [`super::ControlPlane::grant`].
    #[must_use]
    pub fn user(mut self, name: &str) -> Self {
        self.users.push(User {
            name: name.into(),
            groups: Vec::new(),
        });
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new("testbed")
    }
}
