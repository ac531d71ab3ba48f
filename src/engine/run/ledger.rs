//! The journal as one run writes it: fenced by the epoch of its claim on the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::sweep::Lock;
use crate::domain::ids::{AttemptNo, ClusterName, Digest, Epoch, ReleaseId, RunId, Uid};
use crate::domain::run::{Attempt, Direction, Entry, IllegalEntry, Job, Outcome, fold};
use crate::engine::ports::Clock;
use crate::engine::seal::{Binding, SealError, Sealed, Sealer, WrappedKey};
use crate::store::{self, Append, AttemptRow, HANDED_BACK, Image, Journal, NewEntry};

/// Kind of the entry of a lock that was removed after its attempt was closed.
const SWEPT: &str = "Swept";

/// Why the journal could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// An entry or image does not read or write as JSON.
    #[error("the journal of {what} does not read")]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An image that an entry names is not in the store.
    #[error("the store lacks image {0}")]
    NoImage(Digest),
    /// Values cannot be sealed, or what is sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Entries that cannot follow each other.
    #[error("the journal of {release} is damaged")]
    Illegal {
        /// Of which release.
        release: ReleaseId,
        /// Why.
        #[source]
        source: IllegalEntry,
    },
}

/// One cluster's journal under one claim.
pub struct Ledger {
    journal: Arc<dyn Journal>,
    cluster: ClusterName,
    epoch: Epoch,
    run: RunId,
    clock: Arc<dyn Clock>,
}

impl Ledger {
    /// A ledger under a claim.
    pub fn new(
        journal: Arc<dyn Journal>,
        cluster: ClusterName,
        epoch: Epoch,
        run: RunId,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            journal,
            cluster,
            epoch,
            run,
            clock,
        }
    }

    /// The run that holds the claim.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// The journal behind it.
    pub fn journal(&self) -> &dyn Journal {
        self.journal.as_ref()
    }

    /// Appends entries of one attempt, with `after` as its projection. Durable when it returns; fenced.
    /// Cancel safe: dropped, the append happens whole or not at all.
    pub async fn append(
        &self,
        after: &Attempt,
        entries: &[Entry],
        images: Vec<Image>,
    ) -> Result<(), LedgerError> {
        let opened = &after.opened;
        let entries = entries
            .iter()
            .map(|entry| {
                Ok(NewEntry {
                    release: Some(opened.release.clone()),
                    attempt: Some(opened.attempt),
                    kind: entry.kind().to_owned(),
                    body: to_json(&opened.release, entry)?,
                })
            })
            .collect::<Result<_, LedgerError>>()?;
        let row = AttemptRow {
            release: opened.release.clone(),
            attempt: opened.attempt,
            run: opened.run.clone(),
            job: opened.job,
            direction: after.direction,
            stage: after.stage().to_string(),
            outcome: after.outcome.clone(),
            token: opened.token.as_str().to_owned(),
        };
        self.send(entries, images, Some(row)).await
    }

    /// Journals that a release was handed back: nothing was done to it.
    pub async fn hand_back(
        &self,
        release: &ReleaseId,
        job: Job,
        outcome: Outcome,
    ) -> Result<(), LedgerError> {
        let attempt = self.journal.next_attempt(release).await?;
        let entry = NewEntry {
            release: Some(release.clone()),
            attempt: Some(attempt),
            kind: HANDED_BACK.to_owned(),
            body: to_json(release, &outcome)?,
        };
        let row = AttemptRow {
            release: release.clone(),
            attempt,
            run: self.run.clone(),
            job,
            direction: Direction::Forward,
            stage: outcome.word().to_owned(),
            outcome: Some(outcome),
            token: String::new(),
        };
        self.send(vec![entry], Vec::new(), Some(row)).await
    }

    /// Journals, before its DELETE, that a lock left behind is removed. Fenced: a process that lost its claim sweeps
    /// nothing.
    pub async fn sweep(&self, release: &ReleaseId, lock: &Lock) -> Result<(), LedgerError> {
        let body = serde_json::json!({
            "revision": lock.revision,
            "token": lock.token,
            "uid": lock.head.uid,
            "resourceVersion": lock.head.resource_version,
        });
        let entry = NewEntry {
            release: Some(release.clone()),
            attempt: None,
            kind: SWEPT.to_owned(),
            body: to_json(release, &body)?,
        };
        self.send(vec![entry], Vec::new(), None).await
    }

    async fn send(
        &self,
        entries: Vec<NewEntry>,
        images: Vec<Image>,
        attempt: Option<AttemptRow>,
    ) -> Result<(), LedgerError> {
        let append = Append {
            cluster: self.cluster.clone(),
            epoch: self.epoch,
            run: self.run.clone(),
            at: self.clock.now(),
            entries,
            images,
            attempt,
        };
        self.journal.append(append).await?;
        Ok(())
    }

    /// The state of an attempt, folded from its entries.
    pub async fn attempt(
        &self,
        release: &ReleaseId,
        attempt: AttemptNo,
    ) -> Result<Option<Attempt>, LedgerError> {
        read_attempt(self.journal.as_ref(), release, attempt).await
    }
}

/// The state of an attempt, folded from its entries. `None`: it never opened (a release that was handed back).
pub async fn read_attempt(
    journal: &dyn Journal,
    release: &ReleaseId,
    attempt: AttemptNo,
) -> Result<Option<Attempt>, LedgerError> {
    fold_entries(release, &entries(journal, release, attempt).await?)
}

/// The state of a closed attempt as it was before its end, so that `settle` can go on with it.
pub async fn reopen(
    journal: &dyn Journal,
    release: &ReleaseId,
    attempt: AttemptNo,
) -> Result<Option<Attempt>, LedgerError> {
    let mut entries = entries(journal, release, attempt).await?;
    if matches!(entries.last(), Some(Entry::Closed { .. })) {
        entries.pop();
    }
    fold_entries(release, &entries)
}

/// An attempt's entries. An end that more entries follow was no end: `settle` went on after it.
async fn entries(
    journal: &dyn Journal,
    release: &ReleaseId,
    attempt: AttemptNo,
) -> Result<Vec<Entry>, LedgerError> {
    let stored = journal.attempt_entries(release, attempt).await?;
    let mut entries = stored
        .iter()
        .filter(|entry| entry.kind != HANDED_BACK)
        .map(|entry| {
            serde_json::from_slice::<Entry>(&entry.body).map_err(|source| LedgerError::Unreadable {
                what: format!("{release}, entry {}", entry.seq),
                source,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let end = entries.len().saturating_sub(1);
    let mut place = 0;
    entries.retain(|entry| {
        let keep = place == end || !matches!(entry, Entry::Closed { .. });
        place += 1;
        keep
    });
    Ok(entries)
}

fn fold_entries(release: &ReleaseId, entries: &[Entry]) -> Result<Option<Attempt>, LedgerError> {
    fold(entries).map_err(|source| LedgerError::Illegal {
        release: release.clone(),
        source,
    })
}

fn to_json(release: &ReleaseId, value: &impl Serialize) -> Result<Vec<u8>, LedgerError> {
    serde_json::to_vec(value).map_err(|source| LedgerError::Unreadable {
        what: release.to_string(),
        source,
    })
}

/// Images by digest: those made here and not appended yet, and those read from the store.
#[derive(Default)]
pub struct Images {
    bytes: BTreeMap<Digest, Vec<u8>>,
    fresh: Vec<Digest>,
}

impl Images {
    /// Keeps a value; the next append takes it along.
    pub fn put(&mut self, value: &impl Serialize) -> Result<Digest, LedgerError> {
        let bytes = serde_json::to_vec(value).map_err(|source| LedgerError::Unreadable {
            what: "an image".to_owned(),
            source,
        })?;
        let digest = digest(&bytes);
        if self.bytes.insert(digest.clone(), bytes).is_none() {
            self.fresh.push(digest.clone());
        }
        Ok(digest)
    }

    /// A value by its digest.
    pub async fn get<T: DeserializeOwned>(
        &mut self,
        journal: &dyn Journal,
        digest: &Digest,
    ) -> Result<T, LedgerError> {
        if !self.bytes.contains_key(digest) {
            let bytes = journal
                .image(digest)
                .await?
                .ok_or_else(|| LedgerError::NoImage(digest.clone()))?;
            self.bytes.insert(digest.clone(), bytes);
        }
        let bytes = self.bytes.get(digest).map_or(&[][..], Vec::as_slice);
        serde_json::from_slice(bytes).map_err(|source| LedgerError::Unreadable {
            what: format!("image {digest}"),
            source,
        })
    }

    /// Keeps a value that holds live values, sealed; the next append takes it along.
    pub fn put_sealed(
        &mut self,
        seal: Option<&Sealer>,
        value: &impl Serialize,
        binding: &Binding,
    ) -> Result<Digest, LedgerError> {
        let seal = seal.ok_or(SealError::NoKey)?;
        let text = serde_json::to_vec(value).map_err(|source| LedgerError::Unreadable {
            what: "an image".to_owned(),
            source,
        })?;
        let text = Zeroizing::new(text);
        let data_key = self.put(seal.wrapped()?)?;
        let sealed = seal.seal(&text, binding, data_key)?;
        self.put(&sealed)
    }

    /// A sealed value of the object with this uid.
    pub async fn get_sealed<T: DeserializeOwned>(
        &mut self,
        journal: &dyn Journal,
        seal: Option<&Sealer>,
        digest: &Digest,
        uid: &Uid,
    ) -> Result<T, LedgerError> {
        let sealed: Sealed = self.get(journal, digest).await?;
        let wrapped: WrappedKey = self.get(journal, &sealed.data_key).await?;
        let seal = seal.ok_or_else(|| SealError::KeyGone {
            sealed: wrapped.key().to_owned(),
        })?;
        let text = seal.open(&sealed, &wrapped, uid.as_str())?;
        serde_json::from_slice(&text).map_err(|_| SealError::Damaged.into())
    }

    /// The images that no append has carried yet.
    pub fn take_fresh(&mut self) -> Vec<Image> {
        std::mem::take(&mut self.fresh)
            .into_iter()
            .filter_map(|digest| {
                self.bytes.get(&digest).map(|bytes| Image {
                    digest,
                    bytes: bytes.clone(),
                })
            })
            .collect()
    }
}

/// SHA-256 as lower-case hex.
pub fn digest(bytes: &[u8]) -> Digest {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    Digest::new(text)
}
