//! What the backend needs from the outside, as a trait: `wire.rs` has the real ones.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cluster::{self, Cluster};
use crate::config::KubeContexts;
use crate::domain::fleet::FleetCluster;
use crate::domain::ids::ClusterName;
use crate::engine::ports::{Clock, Dice};
use crate::store::{self, Holder, Journal, State};

/// A store, as its two traits.
#[derive(Clone)]
pub struct Stores {
    /// Journals.
    pub journal: Arc<dyn Journal>,
    /// Runs.
    pub state: Arc<dyn State>,
}

/// A lock that is free again when it is dropped.
pub trait Lock: Send + Sync {}

/// The outside.
#[async_trait]
pub trait Adapters: Send + Sync {
    /// The contexts of a kubeconfig, or what is wrong with it.
    fn contexts(&self, kubeconfig: Option<&Path>) -> Result<KubeContexts, String>;
    /// The current context.
    fn current_context(&self, kubeconfig: Option<&Path>) -> Option<String>;
    /// Connects; sends nothing.
    async fn connect(&self, cluster: &FleetCluster) -> cluster::Result<Arc<dyn Cluster>>;
    /// Opens the store; makes it where there is none.
    async fn open(&self, path: &Path) -> store::Result<Stores>;
    /// Opens the store if there is one; creates nothing.
    async fn open_existing(&self, path: &Path) -> store::Result<Stores>;
    /// Takes the lock of a cluster beside the store.
    fn lock(
        &self,
        path: &Path,
        cluster: &ClusterName,
        holder: &Holder,
    ) -> Result<Box<dyn Lock>, store::lock::Error>;
    /// Who holds a cluster's lock beside the store, if a living process does.
    fn holder(&self, path: &Path, cluster: &ClusterName) -> Option<Holder>;
    /// Time.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Ids.
    fn dice(&self) -> Arc<dyn Dice>;
}
