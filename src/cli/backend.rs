//! What the verbs need from the rest of refit: one trait, so that the command line can be tested without a cluster.
//!
//! `wire.rs` implements it with the engine. `prepare_*` methods send no write; the methods that write take what
//! `prepare_*` gave, so that what was shown is what is done.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::context::Invocation;
use super::error::CliError;
use super::object_name::ObjectName;
use crate::config::Setting;
use crate::domain::audit::Capture;
use crate::domain::fleet::{Fleet, ReleaseGlob};
use crate::domain::graph::{ClusterSight, ReleaseGraph};
use crate::domain::ids::{ClusterName, Digest, ReleaseId, Revision, RunId};
use crate::domain::plan::{Candidate, Plan};
use crate::domain::release::Inventory;
use crate::domain::report::{RunReport, UndoReport};
use crate::domain::run::Side;
use crate::domain::run_event::Event;
use crate::domain::shadow::Confirmed;
use crate::engine::capture::FleetCapture;
use crate::engine::next::{Foretold, Rendered};
use crate::playbook::Library;
pub use crate::render::screen::run::RunPreview;
pub use crate::render::screen::unlock::UnlockPreview;

/// Events wait here for the screen: a second of a fast run. A full queue slows the run down rather than lose one.
pub const EVENT_QUEUE: usize = 1024;

/// Where events go.
pub type Events = mpsc::Sender<Event>;

/// What to put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoScope {
    /// Of which run.
    pub run: RunId,
    /// Only these; empty is all.
    pub releases: Vec<ReleaseId>,
    /// Only of this wave.
    pub wave: Option<u32>,
    /// Only migrated since.
    pub since: Option<Timestamp>,
}

/// What an undo or a settling would do. It is shown, confirmed, and then given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoPreview {
    /// Its releases: without an end those that will be touched, with one those that will not.
    pub report: UndoReport,
    /// Clusters with label env=prod that will be written to.
    pub prod: Vec<ClusterName>,
    /// Writes per second, at most, on one cluster: the lowest limit of those concerned.
    pub writes_per_second: u32,
}

/// What fleet.toml, its playbook and the defaults say.
#[derive(Debug, Clone)]
pub struct Configured {
    /// The file; `None` is a fleet of contexts.
    pub file: Option<String>,
    /// The whole fleet, whatever the scope.
    pub fleet: Fleet,
    /// Every value that holds, with its origin.
    pub values: Vec<Setting>,
}

/// Forecasts of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Shadow {
    /// Every release in scope; one whose record does not read is Blocked.
    pub releases: Vec<Candidate>,
    /// Clusters that were not read, and why.
    pub unread: BTreeMap<ClusterName, String>,
    /// Dry runs sent.
    pub dry_runs: u64,
    /// What the dependency graph is made of: of all releases of the clusters that were read.
    pub sights: Vec<ClusterSight>,
    /// Objects that only the server could tell about.
    pub asked: u64,
    /// What the server said of some of them, if it was asked for.
    pub confirmed: Option<Confirmed>,
}

/// The dependency graph of a fleet.
#[derive(Debug, Clone, Default)]
pub struct GraphRead {
    /// The graph; it may have cycles.
    pub graph: ReleaseGraph,
    /// Clusters that were not read, and why.
    pub unread: BTreeMap<ClusterName, String>,
}

/// A fleet as it was saved.
#[derive(Debug, Clone)]
pub struct SavedFleet {
    /// The file.
    pub file: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// What its clusters answered.
    pub capture: FleetCapture,
}

/// What is looked at. No verb that writes takes a file.
#[derive(Debug, Clone)]
pub enum LookAt {
    /// The clusters, now.
    Clusters,
    /// What they answered when they were saved: no cluster is asked.
    Saved(Box<SavedFleet>),
}

impl LookAt {
    /// The file.
    pub fn saved(&self) -> Option<&SavedFleet> {
        match self {
            Self::Clusters => None,
            Self::Saved(saved) => Some(saved),
        }
    }
}

/// How many forecasts the server is to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Every release.
    All,
    /// So many, evenly chosen.
    Some(NonZeroU32),
}

/// What a removed lock leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlocked {
    /// The lock's revision, now gone.
    pub lock: Revision,
    /// The revision that is deployed.
    pub deployed: Option<Revision>,
    /// Which side the release is on.
    pub side: Side,
}

/// The rest of refit. Every method is cancel safe in this sense: dropped, the run is as if its process had died there,
/// and `resume` goes on.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The fleet of fleet.toml, or of the contexts without one, narrowed to the scope. Reads files only.
    fn fleet(&self, invocation: &Invocation) -> Result<Fleet, CliError>;

    /// The same with the origin of every value, not narrowed. Reads files only.
    fn configured(&self, invocation: &Invocation) -> Result<Configured, CliError>;

    /// The built-in playbooks and those beside fleet.toml. Reads files only.
    fn playbooks(&self, invocation: &Invocation) -> Result<Library, CliError>;

    /// Reads the releases in scope. A cluster that does not answer is a row of it, not an error.
    async fn inventory(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
    ) -> Result<Inventory, CliError>;

    /// Forecasts; only the releases of `only`, if given. Zero writes: reads and dry runs.
    async fn shadow(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        only: Option<Vec<ReleaseId>>,
    ) -> Result<Shadow, CliError>;

    /// Reads every release and who waits for whom, declared and inferred. Zero writes. `whole`: the fleet has all its
    /// clusters, so a declaration that matches nothing is wrong.
    async fn graph(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        whole: bool,
    ) -> Result<GraphRead, CliError>;

    /// Reads everything that a forecast needs, to be kept in a file. Zero writes: reads and dry runs.
    async fn capture(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
    ) -> Result<FleetCapture, CliError>;

    /// The fleet in scope, of a saved one: fleet.toml's patterns are held against the contexts of the file. No kubeconfig is read;
    /// without fleet.toml the fleet is the file's. A cluster that the file does not hold is an error.
    fn fleet_of(&self, invocation: &Invocation, saved: &SavedFleet) -> Result<Fleet, CliError>;

    /// Forecasts Helm's next upgrade with a manifest, of the releases that match. Zero writes.
    async fn next_upgrades(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        rendered: &Rendered,
        glob: &ReleaseGlob,
    ) -> Result<Foretold, CliError>;

    /// Compares forecasts with live dry runs, of a share of the releases of `shadow`. Zero writes.
    async fn confirm(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        shadow: &Shadow,
        share: Share,
    ) -> Result<Confirmed, CliError>;

    /// Forecasts and plans.
    async fn plan(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
    ) -> Result<Plan, CliError>;

    /// Two plans of one forecast: the fleet's, and the one with overrides of fleet.toml (as TOML).
    async fn plan_what_if(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        at: LookAt,
        overrides: &[String],
    ) -> Result<(Plan, Plan), CliError>;

    /// Checks a plan (digest, tool, expiry) and what has moved since; chooses the run's name. `file` is for messages.
    async fn prepare_run(
        &self,
        invocation: &Invocation,
        plan: Plan,
        file: &str,
    ) -> Result<RunPreview, CliError>;

    /// Finds a run to go on with: the named one, or the only open one.
    async fn prepare_resume(
        &self,
        invocation: &Invocation,
        run: Option<&RunId>,
        take_over: bool,
    ) -> Result<RunPreview, CliError>;

    /// Carries a prepared run out. Ends with a report also when it waits for longer than `max_wait`, stops, spends a
    /// budget or is interrupted; with an error if nothing can be said.
    async fn run(
        &self,
        invocation: &Invocation,
        preview: &RunPreview,
        max_wait: Option<SignedDuration>,
        events: Events,
    ) -> Result<RunReport, CliError>;

    /// All runs, newest first; or the one.
    async fn runs(
        &self,
        invocation: &Invocation,
        run: Option<&RunId>,
    ) -> Result<Vec<RunReport>, CliError>;

    /// What an undo would do.
    async fn prepare_undo(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        scope: &UndoScope,
    ) -> Result<UndoPreview, CliError>;

    /// Puts back what the preview names.
    async fn undo(
        &self,
        invocation: &Invocation,
        preview: &UndoPreview,
        events: Events,
    ) -> Result<UndoReport, CliError>;

    /// Looks at a release's lock.
    async fn prepare_unlock(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        release: &ReleaseId,
    ) -> Result<UnlockPreview, CliError>;

    /// Removes that lock, if it is still the same.
    async fn unlock(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        preview: &UnlockPreview,
    ) -> Result<Unlocked, CliError>;

    /// Looks at the releases that ended unsettled.
    async fn prepare_settle(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        release: Option<&ReleaseId>,
    ) -> Result<UndoPreview, CliError>;

    /// Settles what the preview names.
    async fn settle(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        preview: &UndoPreview,
        events: Events,
    ) -> Result<UndoReport, CliError>;

    /// One object, whole, at the first version that discovery names. Zero writes.
    async fn object(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        name: &ObjectName,
    ) -> Result<serde_json::Value, CliError>;

    /// Who owns what, of every release in scope or of the one. Zero writes.
    async fn audit(
        &self,
        invocation: &Invocation,
        fleet: &Fleet,
        only: Option<&ReleaseId>,
    ) -> Result<Capture, CliError>;
}
