//! The sweep: a lock whose POST landed after its attempt was closed is the one write that cannot be fenced, since
//! nothing occupies its name. It is found by its token and deleted.

use super::fleet::{Crew, CrewError, RunContext};
use super::hands::{DriveError, Hands};
use crate::cluster::{ErrorKind, RecordScope};
use crate::domain::ids::ReleaseId;
use crate::domain::release::Driver;
use crate::domain::run_event::What;
use crate::engine::records::{ReleaseRecords, list};
use crate::helm::LOCK_ANNOTATION;

/// Deletes the locks of closed attempts of this store, on every cluster of the crew. Returns the releases.
///
/// Guarded by uid and resourceVersion; one that changed meanwhile is left. Cancel safe.
pub async fn sweep(context: &RunContext, crew: &Crew, drivers: &[Driver]) -> Result<Vec<ReleaseId>, CrewError> {
    let closed: std::collections::BTreeSet<String> = context
        .journal
        .attempts(None)
        .await?
        .into_iter()
        .filter(|row| row.outcome.is_some() && !row.token.is_empty())
        .map(|row| row.token)
        .collect();
    let mut swept = Vec::new();
    if closed.is_empty() {
        return Ok(swept);
    }
    for (cluster, hands) in crew.all() {
        for &driver in drivers {
            let Ok(releases) = list(hands.cluster.as_ref(), cluster, driver, &RecordScope::All).await else { continue };
            for records in releases {
                if sweep_release(hands, driver, &records, &closed).await.unwrap_or(false) {
                    let what = What::LockSwept { release: records.id.clone() };
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
    closed: &std::collections::BTreeSet<String>,
) -> Result<bool, DriveError> {
    let mut swept = false;
    for head in &records.heads {
        let token = head.head.annotations.get(LOCK_ANNOTATION);
        if !head.status.starts_with("pending-") || !token.is_some_and(|token| closed.contains(token)) {
            continue;
        }
        hands.pacer.write().await;
        let deleted = hands
            .cluster
            .delete_record(driver, &head.head.namespace, &head.head.name, &head.head.uid, &head.head.resource_version)
            .await;
        match deleted {
            Ok(_) => swept = true,
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Conflict) => {}
            Err(source) => return Err(DriveError::Cluster { release: records.id.clone(), source }),
        }
    }
    Ok(swept)
}
