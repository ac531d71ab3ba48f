//! What the driver of one attempt works with.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::ledger::{Ledger, LedgerError};
use super::pace::Pacer;
use crate::cluster::{self, Cluster, Reader, Rehearser};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::ids::ReleaseId;
use crate::domain::release::Driver;
use crate::domain::run::IllegalEntry;
use crate::engine::ports::Clock;
use crate::engine::shadow::Library;
use crate::helm::StorageError;
use crate::store::Journal;

/// How long a foreign pending revision above ours is waited for before the attempt ends as MovedOn, unsettled.
/// Helm's own default time-out is five minutes; a run waits less and lets `settle` look again.
pub const FOREIGN_PATIENCE: Duration = Duration::from_secs(60);

/// How long a request that is not decided (429, 5xx, cut, not connected) is sent again before the release is left
/// open for `resume`.
pub const SEND_PATIENCE: Duration = Duration::from_secs(60);

/// Hands on one cluster.
pub struct Hands {
    /// The cluster.
    pub cluster: Arc<dyn Cluster>,
    /// Its journal, under our claim.
    pub ledger: Ledger,
    /// Whose entries are Helm's own.
    pub managers: ManagerMatcher,
    /// Pace.
    pub pacer: Pacer,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Schemas, shared by all clusters of the run.
    pub library: Arc<Library>,
    /// Turned on once it had answered nobody for `SEND_PATIENCE`: no release is begun on it any more, or each of a
    /// thousand would wait as long.
    pub away: AtomicBool,
}

/// What looking needs: no write.
#[derive(Clone, Copy)]
pub struct Eyes<'a> {
    /// Reads.
    pub reader: &'a dyn Reader,
    /// Rehearses.
    pub rehearser: &'a dyn Rehearser,
    /// Images.
    pub journal: &'a dyn Journal,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// Time.
    pub clock: &'a dyn Clock,
}

impl Hands {
    /// The same, only to look.
    pub fn eyes(&self) -> Eyes<'_> {
        Eyes {
            reader: self.cluster.as_ref(),
            rehearser: self.cluster.as_ref(),
            journal: self.ledger.journal(),
            managers: &self.managers,
            clock: self.clock.as_ref(),
        }
    }
}

/// What one attempt needs beside the hands.
pub struct Task<'a> {
    /// Where the release's records are.
    pub driver: Driver,
    /// Asked before each step that could still turn: does an operator or a budget want it undone?
    pub undo_wished: &'a (dyn Fn() -> Option<String> + Send + Sync),
}

/// Why a driver stopped without closing its attempt. The release stays open; `resume` goes on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The journal: fenced, full, away. Nothing was sent that is not journaled.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A read failed, or a request stayed undecided for longer than `SEND_PATIENCE`.
    #[error("{release}: the cluster does not answer")]
    Cluster {
        /// Which release.
        release: ReleaseId,
        /// Why.
        #[source]
        source: cluster::Error,
    },
    /// A record that a request must be made from does not read.
    #[error("{release}: a record does not read")]
    Record {
        /// Which release.
        release: ReleaseId,
        /// Why.
        #[source]
        source: StorageError,
    },
    /// An entry that cannot follow: a bug, or a journal of another version.
    #[error("{release}: the protocol refuses its own entry")]
    Illegal {
        /// Which release.
        release: ReleaseId,
        /// Why.
        #[source]
        source: IllegalEntry,
    },
}

impl DriveError {
    /// Did this process lose its claim?
    pub fn is_fenced(&self) -> bool {
        matches!(
            self,
            Self::Ledger(LedgerError::Store(crate::store::Error::Fenced { .. }))
        )
    }
}
