//! The sweep: a lock whose POST landed after its attempt was closed is the one write that cannot be fenced, since
//! nothing occupies its name. It is found by its token and deleted.

use std::collections::BTreeSet;

use super::fleet::{Crew, CrewError, RunContext};
use super::hands::{DriveError, Hands};
use crate::cluster::{ErrorKind, RecordHead, RecordScope};
use crate::domain::ids::{ReleaseId, Revision};
use crate::domain::release::Driver;
use crate::domain::run::{Outcome, Token};
use crate::domain::run_event::What;
use crate::engine::chain::chain;
use crate::engine::records::{ReleaseRecords, list};
use crate::helm::LOCK_ANNOTATION;

/// A lock as it was found.
#[derive(Debug, Clone)]
pub struct Lock {
    /// Its revision.
    pub revision: Revision,
    /// Its token.
    pub token: Token,
    /// Its record.
    pub head: RecordHead,
}

/// Deletes the locks of closed attempts of this store, on every cluster of the crew. Returns the releases.
///
/// Guarded by uid and resourceVersion; one that changed meanwhile is left. Cancel safe.
pub async fn sweep(
    context: &RunContext,
    crew: &Crew,
    drivers: &[Driver],
) -> Result<Vec<ReleaseId>, CrewError> {
    // A token names an attempt of a release, and attempts are counted release by release: both must agree.
    let closed: BTreeSet<(ReleaseId, String)> = context
        .journal
        .attempts(None)
        .await?
        .into_iter()
        .filter(|row| {
            !row.token.is_empty() && !matches!(row.outcome, None | Some(Outcome::Stuck { .. }))
        })
        .map(|row| (row.release, row.token))
        .collect();
    let mut swept = Vec::new();
    if closed.is_empty() {
        return Ok(swept);
    }
    for (cluster, hands) in crew.all() {
        for &driver in drivers {
            let Ok(releases) =
                list(hands.cluster.as_ref(), cluster, driver, &RecordScope::All).await
            else {
                continue;
            };
            for records in releases {
                let found = match sweep_release(hands, driver, &records, &closed).await {
                    Ok(found) => found,
                    Err(error) => {
                        tracing::warn!(
                            "{}: a lock left behind stays: {}",
                            records.id,
                            chain(&error)
                        );
                        false
                    }
                };
                if found {
                    let what = What::LockSwept {
                        release: records.id.clone(),
                    };
                    context.teller.tell(None, Some(cluster), what).await;
                    swept.push(records.id);
                }
            }
        }
    }
    Ok(swept)
}

async fn sweep_release(
    hands: &Hands,
    driver: Driver,
    records: &ReleaseRecords,
    closed: &BTreeSet<(ReleaseId, String)>,
) -> Result<bool, DriveError> {
    let mut swept = false;
    for head in &records.heads {
        let Some(token) = head.head.annotations.get(LOCK_ANNOTATION) else {
            continue;
        };
        if head.status.starts_with("pending-")
            && closed.contains(&(records.id.clone(), token.clone()))
        {
            let lock = Lock {
                revision: head.revision,
                token: Token::from_annotation(token),
                head: head.head.clone(),
            };
            swept |= remove(hands, driver, &records.id, &lock).await?;
        }
    }
    Ok(swept)
}

/// Deletes a lock, guarded by uid and resourceVersion. False: it changed or went meanwhile.
pub async fn remove(
    hands: &Hands,
    driver: Driver,
    release: &ReleaseId,
    lock: &Lock,
) -> Result<bool, DriveError> {
    hands.ledger.sweep(release, lock).await?;
    hands.pacer.write().await;
    let head = &lock.head;
    let deleted = hands
        .cluster
        .delete_record(
            driver,
            &head.namespace,
            &head.name,
            &head.uid,
            &head.resource_version,
        )
        .await;
    match deleted {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) => Ok(false),
        Err(source) => Err(DriveError::Cluster {
            release: release.clone(),
            source,
        }),
    }
}
