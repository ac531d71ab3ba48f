//! The store in a SQL database: SQLite today, a file beside `fleet.toml`; the statements are those of Postgres too.
//!
//! | file | holds |
//! |---|---|
//! | `sqlite` | all that only SQLite says so |
//! | `schema` | tables and their versions |
//! | `open` | from a path to a store, or why not |
//! | `journal` | the one task that writes: group commit |
//! | `work` | what it is asked to write, made ready by the asker |
//! | `append`, `claim`, `runs` | how each kind of work is written |
//! | `chain` | the entries' hash chain |
//! | `read`, `verify` | reading back, and looking for damage |
//! | `image` | content-addressed bytes, compressed |

mod append;
mod chain;
mod claim;
mod image;
mod journal;
mod open;
mod read;
mod runs;
mod schema;
mod sqlite;
mod verify;
mod work;

use async_trait::async_trait;
use jiff::Timestamp;

use self::journal::Queue;
use self::sqlite::Pool;
use self::work::{Append, Claim, NewRun, RunState, Work};
use super::{AttemptRow, Holder, Journal, Result, RunRow, State, StoredEntry};
use crate::domain::ids::{AttemptNo, ClusterName, Digest, Epoch, ReleaseId, RunId, Seq};

/// A store in one SQLite file.
///
/// All that this process writes goes through one task and its one connection; readers have their own.
#[derive(Debug)]
pub struct SqlStore {
    uuid: String,
    queue: Queue,
    readers: Pool,
}

impl SqlStore {
    /// The last entry's place in a cluster's chain and its hash, in hex: what a Lease or a report quotes, so that a
    /// store that went back in time is noticed.
    pub async fn head(&self, cluster: &ClusterName) -> Result<Option<(Seq, Digest)>> {
        read::head(&self.readers, cluster).await
    }

    /// Reads every image and compares it with its digest. Returns how many there are. O(bytes stored).
    pub async fn verify_images(&self) -> Result<u64> {
        verify::images(&self.readers).await
    }

    /// Waits until all that was asked for is written, and lets the file go. Later calls fail.
    ///
    /// Without it the file is let go in the background once the store is dropped; nothing is lost either way.
    pub async fn close(&self) {
        self.queue.close().await;
        self.readers.close().await;
    }
}

#[async_trait]
impl Journal for SqlStore {
    async fn claim(&self, cluster: &ClusterName, holder: &Holder, at: Timestamp) -> Result<Epoch> {
        let work = Work::Claim(Claim::new(cluster, holder, at)?);
        self.queue.ask(work).await.map(Epoch)
    }

    async fn claimed_by(&self, cluster: &ClusterName) -> Result<Option<(Epoch, Holder)>> {
        read::claimed_by(&self.readers, cluster).await
    }

    async fn append(&self, append: super::Append) -> Result<Seq> {
        let work = Work::Append(Append::new(append)?);
        self.queue.ask(work).await.map(Seq)
    }

    async fn attempt_entries(
        &self,
        release: &ReleaseId,
        attempt: AttemptNo,
    ) -> Result<Vec<StoredEntry>> {
        read::attempt_entries(&self.readers, release, attempt).await
    }

    async fn attempts(&self, run: Option<&RunId>) -> Result<Vec<AttemptRow>> {
        read::attempts(&self.readers, run).await
    }

    async fn next_attempt(&self, release: &ReleaseId) -> Result<AttemptNo> {
        read::next_attempt(&self.readers, release).await
    }

    async fn image(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        read::image(&self.readers, digest).await
    }

    async fn verify(&self, cluster: &ClusterName) -> Result<u64> {
        verify::cluster(&self.readers, cluster).await
    }
}

#[async_trait]
impl State for SqlStore {
    async fn uuid(&self) -> Result<String> {
        Ok(self.uuid.clone())
    }

    async fn create_run(&self, run: &RunRow) -> Result<()> {
        self.queue.ask(Work::NewRun(NewRun::new(run)?)).await?;
        Ok(())
    }

    async fn set_run_state(&self, run: &RunId, state: &str, holder: Option<&Holder>) -> Result<()> {
        let work = Work::RunState(RunState::new(run, state, holder)?);
        self.queue.ask(work).await?;
        Ok(())
    }

    async fn run(&self, run: &RunId) -> Result<Option<RunRow>> {
        runs::one(&self.readers, run).await
    }

    async fn runs(&self) -> Result<Vec<RunRow>> {
        runs::all(&self.readers).await
    }
}
