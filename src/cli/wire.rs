//! The one place where the command line meets the world: the only file that names concrete adapters.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::backend::Backend;
use super::context::clock;
use super::desk::{Adapters, Desk, Lock, Stores};
use crate::cluster::kube::{self, KubeCluster};
use crate::cluster::{self, Cluster};
use crate::config::KubeContexts;
use crate::domain::fleet::FleetCluster;
use crate::domain::ids::ClusterName;
use crate::engine::ports::{Clock, Dice};
use crate::store::lock::RunLock;
use crate::store::sql::SqlStore;
use crate::store::{self, Holder};

/// Letters of a new store's name.
const STORE_WORD: usize = 12;

/// Letters and digits of ids: no vowels, so no words; none that look alike.
const ALPHABET: &[u8; 28] = b"23456789bcdfghjkmnpqrstvwxyz";

/// The backend of this build.
pub fn backend() -> Arc<dyn Backend> {
    Arc::new(Desk::new(Arc::new(Real)))
}

struct Real;

struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        clock()
    }
}

struct MachineDice;

impl Dice for MachineDice {
    fn word(&self, length: usize) -> String {
        let mut bytes = vec![0_u8; length];
        // Without the system's randomness ids still differ by time; they name things, they keep no secret.
        if getrandom::fill(&mut bytes).is_err() {
            let seed = clock().as_nanosecond().to_le_bytes();
            bytes
                .iter_mut()
                .zip(seed.iter().cycle())
                .for_each(|(byte, seed)| *byte = *seed);
        }
        bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
            .collect()
    }
}

impl Lock for RunLock {}

#[async_trait]
impl Adapters for Real {
    fn contexts(&self, kubeconfig: Option<&Path>) -> Result<KubeContexts, String> {
        let found =
            kube::contexts(kubeconfig).map_err(|error| crate::engine::chain::chain(&error))?;
        let names = found.into_iter().map(|context| context.name).collect();
        let origin = kubeconfig.map_or_else(
            || "KUBECONFIG".to_owned(),
            |path| path.display().to_string(),
        );
        Ok(KubeContexts { names, origin })
    }

    fn current_context(&self, kubeconfig: Option<&Path>) -> Option<String> {
        kube::contexts(kubeconfig)
            .ok()?
            .into_iter()
            .find(|context| context.current)
            .map(|context| context.name)
    }

    async fn connect(&self, cluster: &FleetCluster) -> cluster::Result<Arc<dyn Cluster>> {
        let connected =
            KubeCluster::connect(cluster.kubeconfig.as_deref(), Some(&cluster.context)).await?;
        Ok(Arc::new(connected))
    }

    async fn open(&self, path: &Path) -> store::Result<Stores> {
        let store = SqlStore::open(path, clock(), MachineDice.word(STORE_WORD)).await?;
        Ok(stores(store))
    }

    async fn open_existing(&self, path: &Path) -> store::Result<Stores> {
        Ok(stores(SqlStore::open_existing(path).await?))
    }

    fn lock(
        &self,
        path: &Path,
        cluster: &ClusterName,
        holder: &Holder,
    ) -> Result<Box<dyn Lock>, store::lock::Error> {
        Ok(Box::new(RunLock::take(path, cluster, holder, clock())?))
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(MachineClock)
    }

    fn dice(&self) -> Arc<dyn Dice> {
        Arc::new(MachineDice)
    }
}

fn stores(store: SqlStore) -> Stores {
    let store = Arc::new(store);
    Stores {
        journal: Arc::<SqlStore>::clone(&store),
        state: store,
    }
}
