//! State and journal as traits; `sql` implements them.
//!
//! The journal is append-only and hash-chained per cluster. An append is one transaction: fenced by the cluster's
//! epoch, entries, images and the projection of the attempt together. When it returns, it is durable.

mod files;
pub mod lock;
pub mod sql;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{AttemptNo, ClusterName, Digest, Epoch, ReleaseId, RunId, Seq};
use crate::domain::run::{Direction, Job, Outcome};

/// Kind of the one entry of a release that was handed back before any effect; its body is the outcome.
pub const HANDED_BACK: &str = "HandedBack";

/// Result of a store operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The claim has another epoch: another process took the cluster over. Stop, clean up nothing.
    #[error(
        "the claim on cluster {cluster} was taken over (epoch {held}, now {current}): this process must stop"
    )]
    Fenced {
        /// Which cluster.
        cluster: ClusterName,
        /// The epoch that the append carried.
        held: Epoch,
        /// The epoch in the store.
        current: Epoch,
    },
    /// The release has another open attempt.
    #[error("release {release} already has an open attempt")]
    AttemptOpen {
        /// Which release.
        release: ReleaseId,
    },
    /// Nothing was written here yet; looking does not create a store.
    #[error("there is no store at {path}: no run was started from here")]
    NoStore {
        /// Where it would be.
        path: String,
    },
    /// The store is no store of refit, or of another schema.
    #[error("{path} is not usable as a store: {why}")]
    Unusable {
        /// Where.
        path: String,
        /// Why.
        why: String,
    },
    /// Stored bytes that do not read back.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What.
        what: String,
    },
    /// The database failed: disk full, locked, away. Nothing was written.
    #[error("the store failed to {operation}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Content-addressed bytes that entries refer to: managedFields, apply sets, inverses, record metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// SHA-256 of `bytes`.
    pub digest: Digest,
    /// The bytes, uncompressed.
    pub bytes: Vec<u8>,
}

/// One entry to append.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Of which release; `None` for entries of the cluster (Takeover).
    pub release: Option<ReleaseId>,
    /// Of which attempt.
    pub attempt: Option<AttemptNo>,
    /// Kind, for filters and people: `Opened`, `Intent`, ….
    pub kind: String,
    /// Canonical JSON.
    pub body: Vec<u8>,
}

/// The attempt as it is after the batch; written in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRow {
    /// Which release.
    pub release: ReleaseId,
    /// Which attempt.
    pub attempt: AttemptNo,
    /// The run that opened it.
    pub run: RunId,
    /// What for.
    pub job: Job,
    /// Which way.
    pub direction: Direction,
    /// Where it stands, in a word.
    pub stage: String,
    /// How it ended; `None` while open. At most one open attempt a release (unique index).
    pub outcome: Option<Outcome>,
    /// Its token in the lock.
    pub token: String,
}

/// One append: all or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// Whose journal.
    pub cluster: ClusterName,
    /// Under which epoch.
    pub epoch: Epoch,
    /// By which run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The entries, in order.
    pub entries: Vec<NewEntry>,
    /// Images that they name; those already stored are left out by the store.
    pub images: Vec<Image>,
    /// The attempt afterwards.
    pub attempt: Option<AttemptRow>,
}

/// An entry as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Whose journal.
    pub cluster: ClusterName,
    /// Its place.
    pub seq: Seq,
    /// By which run.
    pub run: RunId,
    /// Of which release.
    pub release: Option<ReleaseId>,
    /// Of which attempt.
    pub attempt: Option<AttemptNo>,
    /// Under which epoch.
    pub epoch: Epoch,
    /// Kind.
    pub kind: String,
    /// Canonical JSON.
    pub body: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// Who holds a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The run.
    pub run: RunId,
    /// `user@host`.
    pub who: String,
    /// Process id.
    pub pid: u32,
}

/// A run as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub run: RunId,
    /// The fleet's name.
    pub fleet: String,
    /// `running`, `complete`, `stopped`, ….
    pub state: String,
    /// Who started it.
    pub holder: Holder,
    /// When.
    pub started: Timestamp,
    /// The plan's digest.
    pub plan_digest: Digest,
    /// The whole plan, as its file had it.
    pub plan: Vec<u8>,
}

/// Appends and reads journals.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Takes the claim on a cluster: epoch += 1, and a `Takeover` entry. Returns the new epoch.
    async fn claim(&self, cluster: &ClusterName, holder: &Holder, at: Timestamp) -> Result<Epoch>;
    /// Who took the claim last.
    async fn claimed_by(&self, cluster: &ClusterName) -> Result<Option<(Epoch, Holder)>>;
    /// Appends durably, fenced. Cancel safe: dropped, the append happens or not.
    async fn append(&self, append: Append) -> Result<Seq>;
    /// The entries of one attempt, in order.
    async fn attempt_entries(
        &self,
        release: &ReleaseId,
        attempt: AttemptNo,
    ) -> Result<Vec<StoredEntry>>;
    /// All attempts of a run, or of all runs, as projected; sorted by release and attempt.
    async fn attempts(&self, run: Option<&RunId>) -> Result<Vec<AttemptRow>>;
    /// The number for the next attempt at a release.
    async fn next_attempt(&self, release: &ReleaseId) -> Result<AttemptNo>;
    /// An image.
    async fn image(&self, digest: &Digest) -> Result<Option<Vec<u8>>>;
    /// Walks a cluster's chain: every hash, every projection. Returns the number of entries.
    async fn verify(&self, cluster: &ClusterName) -> Result<u64>;
}

/// Runs and what belongs to the store as a whole.
#[async_trait]
pub trait State: Send + Sync {
    /// The store's identity: part of every lock token.
    async fn uuid(&self) -> Result<String>;
    /// Records a run before it starts.
    async fn create_run(&self, run: &RunRow) -> Result<()>;
    /// Changes a run's state word (and holder, when another process takes it over).
    async fn set_run_state(&self, run: &RunId, state: &str, holder: Option<&Holder>) -> Result<()>;
    /// One run.
    async fn run(&self, run: &RunId) -> Result<Option<RunRow>>;
    /// All runs, newest first.
    async fn runs(&self) -> Result<Vec<RunRow>>;
}
