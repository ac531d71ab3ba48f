//! Looking at a release's lock: whose is it, and what would removing it mean?

use crate::cluster::Reader;
use crate::cluster::RecordScope;
use crate::domain::ids::{AttemptNo, ReleaseId, Revision, RunId};
use crate::domain::release::Driver;
use crate::domain::run::Token;
use crate::engine::records::{RecordFault, list};
use crate::engine::run::Lock;
use crate::helm::LOCK_ANNOTATION;
use crate::store::{AttemptRow, Journal};

/// What holds a release.
#[derive(Debug, Clone)]
pub enum LockFound {
    /// Nothing: the last revision is not pending.
    None {
        /// Its status.
        status: String,
    },
    /// Helm's own pending revision, no lock of refit.
    Helm {
        /// Which revision.
        revision: Revision,
        /// Its status.
        status: String,
    },
    /// A lock of this store.
    Ours {
        /// The lock.
        lock: Lock,
        /// Its attempt; open, or closed with the lock left behind.
        row: AttemptRow,
    },
    /// A lock of another store.
    Foreign {
        /// The lock.
        lock: Lock,
    },
}

/// Reads the last revision of a release and finds out whose lock it is. Zero writes.
pub async fn look_at_lock(
    reader: &dyn Reader,
    journal: &dyn Journal,
    driver: Driver,
    release: &ReleaseId,
) -> Result<Option<LockFound>, RecordFault> {
    let scope = RecordScope::Release(release.namespace.clone(), release.name.clone());
    let listed = list(reader, &release.cluster, driver, &scope).await?;
    let Some(records) = listed.into_iter().find(|records| records.id == *release) else {
        return Ok(None);
    };
    let Some(last) = records.last() else {
        return Ok(None);
    };
    let status = last.status.clone();
    if !status.starts_with("pending-") {
        return Ok(Some(LockFound::None { status }));
    }
    let Some(text) = last.head.annotations.get(LOCK_ANNOTATION) else {
        return Ok(Some(LockFound::Helm {
            revision: last.revision,
            status,
        }));
    };
    let lock = Lock {
        revision: last.revision,
        token: Token::from_annotation(text),
        head: last.head.clone(),
    };
    let rows = journal.attempts(None).await.unwrap_or_default();
    let row = rows
        .into_iter()
        .find(|row| row.release == *release && row.token == *text);
    Ok(Some(match row {
        Some(row) => LockFound::Ours { lock, row },
        None => LockFound::Foreign { lock },
    }))
}

/// The parts of a token: store, run, attempt.
pub fn parts(token: &Token) -> Option<(String, RunId, AttemptNo)> {
    let mut parts = token.as_str().split('/');
    let (store, run, attempt) = (parts.next()?, parts.next()?, parts.next()?);
    Some((
        store.to_owned(),
        RunId::new(run),
        AttemptNo(attempt.parse().ok()?),
    ))
}
