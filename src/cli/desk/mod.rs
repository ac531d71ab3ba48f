//! The backend: from a verb's wishes to the engine's work, over adapters that `wire.rs` names.

mod adapters;
mod audit;
mod back;
mod claims;
mod fields;
pub mod graph;
mod ground;
mod look;
mod next;
mod plan;
mod playbooks;
mod report;
mod run;
mod saved;
mod shadow;
mod unlock;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;

pub use adapters::{Adapters, Lock, Stores};
pub use look::{fleet_file, invalid};
#[cfg(test)]
pub use saved::fleet as saved_fleet;

use super::backend::{
    Backend, Configured, Events, GraphRead, LookAt, RunPreview, SavedFleet, Shadow, Share,
    UndoPreview, UndoScope, UnlockPreview, Unlocked,
};
use super::context::Invocation;
use super::error::{CliError, ErrorCode};
use super::object_name::ObjectName;
use crate::cluster::Cluster;
use crate::domain::audit::Capture;
use crate::domain::fleet::{Fleet, FleetCluster, ReleaseGlob};
use crate::domain::ids::{ClusterName, Namespace, ReleaseId, RunId};
use crate::domain::plan::Plan;
use crate::domain::release::{Driver, Inventory};
use crate::domain::report::{RunReport, UndoReport};
use crate::domain::shadow::Confirmed;
use crate::engine::capture::FleetCapture;
use crate::engine::inventory::Scope;
use crate::engine::next::{Foretold, Rendered};
use crate::playbook::Library;

/// The backend over real or other adapters.
pub struct Desk {
    adapters: Arc<dyn Adapters>,
}

impl Desk {
    /// A backend over these adapters.
    pub fn new(adapters: Arc<dyn Adapters>) -> Self {
        Self { adapters }
    }

    /// Connects to every cluster; connecting sends nothing.
    async fn connect(
        &self,
        clusters: &[FleetCluster],
    ) -> BTreeMap<ClusterName, Result<Arc<dyn Cluster>, String>> {
        let mut connected = BTreeMap::new();
        for cluster in clusters {
            let found = self.adapters.connect(cluster).await;
            let found = found.map_err(|error| crate::engine::chain::chain(&error));
            connected.insert(cluster.name.clone(), found);
        }
        connected
    }

    /// One cluster that must be reachable.
    async fn connected(
        &self,
        fleet: &Fleet,
        name: &ClusterName,
    ) -> Result<Arc<dyn Cluster>, CliError> {
        let cluster = fleet
            .clusters
            .iter()
            .find(|cluster| cluster.name == *name)
            .ok_or_else(|| {
                CliError::new(
                    ErrorCode::ContextNotFound,
                    format!("fleet {} has no cluster {name}", fleet.name),
                )
            })?;
        let cluster = self
            .adapters
            .connect(cluster)
            .await
            .map_err(|error| unreachable_cluster(name, &error))?;
        cluster
            .version()
            .await
            .map_err(|error| unreachable_cluster(name, &error))?;
        Ok(cluster)
    }
}

fn unreachable_cluster(name: &ClusterName, error: &crate::cluster::Error) -> CliError {
    let code = match error.kind {
        crate::cluster::ErrorKind::Forbidden => ErrorCode::Forbidden,
        _ => ErrorCode::Unreachable,
    };
    let mut made = CliError::of(code, error);
    made.why.insert(
        0,
        std::mem::replace(&mut made.what, format!("{name} cannot be used")),
    );
    made
}

/// Clusters with label env=prod among these.
fn prod<'a>(fleet: &Fleet, names: impl IntoIterator<Item = &'a ClusterName>) -> Vec<ClusterName> {
    let names: std::collections::BTreeSet<&ClusterName> = names.into_iter().collect();
    fleet
        .clusters
        .iter()
        .filter(|cluster| names.contains(&cluster.name))
        .filter(|cluster| cluster.labels.get("env").is_some_and(|env| env == "prod"))
        .map(|cluster| cluster.name.clone())
        .collect()
}

fn scope(invocation: &Invocation) -> Result<Scope, CliError> {
    let namespaces = invocation
        .scope()
        .namespaces()
        .iter()
        .map(Namespace::new)
        .collect();
    Ok(Scope {
        driver: driver(invocation)?,
        namespaces,
    })
}

fn driver(invocation: &Invocation) -> Result<Driver, CliError> {
    invocation.env.driver()
}

#[async_trait]
impl Backend for Desk {
    fn fleet(&self, invocation: &Invocation) -> Result<Fleet, CliError> {
        look::fleet(self, invocation)
    }

    fn configured(&self, invocation: &Invocation) -> Result<Configured, CliError> {
        look::configured(self, invocation, &[])
    }

    fn playbooks(&self, invocation: &Invocation) -> Result<Library, CliError> {
        playbooks::of_call(invocation)
    }

    async fn inventory(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
    ) -> Result<Inventory, CliError> {
        look::inventory(self, invocation, fleet).await
    }

    async fn shadow(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        only: Option<Vec<ReleaseId>>,
    ) -> Result<Shadow, CliError> {
        let only: Option<BTreeSet<ReleaseId>> = only.map(|only| only.into_iter().collect());
        let wanted = |release: &ReleaseId| only.as_ref().is_none_or(|only| only.contains(release));
        shadow::shadow(self, invocation, fleet, at, &wanted).await
    }

    async fn graph(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        whole: bool,
    ) -> Result<GraphRead, CliError> {
        graph::graph(self, invocation, fleet, at, whole).await
    }

    async fn capture(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
    ) -> Result<FleetCapture, CliError> {
        saved::capture(self, invocation, fleet).await
    }

    fn fleet_of(&self, invocation: &Invocation, saved: &SavedFleet) -> Result<Fleet, CliError> {
        saved::fleet(invocation, saved, &[])
    }

    async fn next_upgrades(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        rendered: &Rendered,
        glob: &ReleaseGlob,
    ) -> Result<Foretold, CliError> {
        next::next_upgrades(self, invocation, fleet, at, rendered, glob).await
    }

    async fn confirm(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        shadow: &Shadow,
        share: Share,
    ) -> Result<Confirmed, CliError> {
        shadow::confirm(self, invocation, fleet, shadow, share).await
    }

    async fn plan(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
    ) -> Result<Plan, CliError> {
        plan::plan(self, invocation, fleet, at).await
    }

    async fn plan_what_if(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        overrides: &[String],
    ) -> Result<(Plan, Plan), CliError> {
        plan::what_if(self, invocation, fleet, at, overrides).await
    }

    async fn prepare_run(
        &self,
        invocation: &Invocation,
        plan: Plan,
        file: &str,
    ) -> Result<RunPreview, CliError> {
        run::prepare(self, invocation, plan, file).await
    }

    async fn prepare_resume(
        &self,
        invocation: &Invocation,
        run: Option<&RunId>,
        take_over: bool,
    ) -> Result<RunPreview, CliError> {
        run::prepare_resume(self, invocation, run, take_over).await
    }

    async fn run(
        &self,
        invocation: &Invocation,
        preview: &RunPreview,
        max_wait: Option<SignedDuration>,
        events: Events,
    ) -> Result<RunReport, CliError> {
        // Nothing waits for a window or a gate yet, so there is no wait to bound.
        let _ = max_wait;
        run::run(self, invocation, preview, events).await
    }

    async fn runs(
        &self,
        invocation: &Invocation,
        run: Option<&RunId>,
    ) -> Result<Vec<RunReport>, CliError> {
        report::runs(self, invocation, run).await
    }

    async fn prepare_undo(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        scope: &UndoScope,
    ) -> Result<UndoPreview, CliError> {
        back::prepare(self, invocation, fleet, scope).await
    }

    async fn undo(
        &self,
        invocation: &Invocation,
        preview: &UndoPreview,
        events: Events,
    ) -> Result<UndoReport, CliError> {
        back::undo(self, invocation, preview, events).await
    }

    async fn prepare_unlock(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        release: &ReleaseId,
    ) -> Result<UnlockPreview, CliError> {
        unlock::prepare(self, invocation, fleet, release).await
    }

    async fn unlock(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        preview: &UnlockPreview,
    ) -> Result<Unlocked, CliError> {
        unlock::unlock(self, invocation, fleet, preview).await
    }

    async fn prepare_settle(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        release: Option<&ReleaseId>,
    ) -> Result<UndoPreview, CliError> {
        back::prepare_settle(self, invocation, fleet, release).await
    }

    async fn settle(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        preview: &UndoPreview,
        events: Events,
    ) -> Result<UndoReport, CliError> {
        back::settle(self, invocation, fleet, preview, events).await
    }

    async fn object(
        &self,
        _: &Invocation,
        fleet: &Fleet,
        name: &ObjectName,
    ) -> Result<serde_json::Value, CliError> {
        fields::object(self, fleet, name).await
    }

    async fn audit(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        only: Option<&ReleaseId>,
    ) -> Result<Capture, CliError> {
        audit::capture(self, invocation, fleet, only).await
    }
}
