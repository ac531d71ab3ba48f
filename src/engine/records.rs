//! The records of a cluster's releases, grouped by release: heads of all revisions, payloads of the ones that matter.

use std::collections::BTreeMap;

use futures::FutureExt as _;

use super::bounded::bounded;
use crate::cluster::{self, Reader, RecordHead, RecordScope};
use crate::domain::ids::{ClusterName, Namespace, ReleaseId, ReleaseName, Revision};
use crate::domain::release::Driver;
use crate::helm::{Record, StorageError, StoredRecord, parse_object_name};

/// Payloads read at once from one cluster: each may be a megabyte, and an API server has better things to do.
const PAYLOADS_IN_FLIGHT: usize = 8;

/// Helm's word for the revision that counts.
const DEPLOYED: &str = "deployed";

/// One record's head with its revision.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its revision.
    pub revision: Revision,
    /// Label `status`.
    pub status: String,
    /// The head, without its labels.
    pub head: RecordHead,
}

/// A record with its payload decoded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The object.
    pub stored: StoredRecord,
    /// The record inside.
    pub record: Record,
}

impl Loaded {
    /// The same without payload and JSON: enough to forecast, not to write.
    #[must_use]
    pub fn lean(self) -> Self {
        Self {
            stored: self.stored.without_payload(),
            record: self.record.without_json(),
        }
    }
}

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordFault {
    /// It was deleted between LIST and GET.
    #[error("the record of revision {0} disappeared while it was read")]
    Gone(Revision),
    /// The request failed.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// It does not decode.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// All records of one release, by revision.
#[derive(Debug, Clone)]
pub struct ReleaseRecords {
    /// Which release.
    pub id: ReleaseId,
    /// Where its records are.
    pub driver: Driver,
    /// Its revisions, ascending; at least one.
    pub heads: Vec<Head>,
}

impl ReleaseRecords {
    /// The latest revision.
    pub fn last(&self) -> Option<&Head> {
        self.heads.last()
    }

    /// The latest revision whose label says `deployed`: what Helm takes for the current one.
    pub fn deployed(&self) -> Option<&Head> {
        self.heads.iter().rev().find(|head| head.status == DEPLOYED)
    }

    /// Reads and decodes the record of a head.
    pub async fn load(&self, reader: &dyn Reader, head: &Head) -> Result<Loaded, RecordFault> {
        load(reader, self.driver, head).await
    }
}

/// Reads and decodes one record.
pub async fn load(reader: &dyn Reader, driver: Driver, head: &Head) -> Result<Loaded, RecordFault> {
    let object = reader
        .record(driver, &head.head.namespace, &head.head.name)
        .await?;
    let object = object.ok_or(RecordFault::Gone(head.revision))?;
    let stored = StoredRecord::from_api(driver, object.json)?;
    let record = stored.record()?;
    Ok(Loaded { stored, record })
}

/// Lists the records of a scope and groups them by release, sorted. Objects whose names are not Helm's are left out.
pub async fn list(
    reader: &dyn Reader,
    cluster: &ClusterName,
    driver: Driver,
    scope: &RecordScope,
) -> cluster::Result<Vec<ReleaseRecords>> {
    let mut releases: BTreeMap<ReleaseId, Vec<Head>> = BTreeMap::new();
    for mut head in reader.record_heads(driver, scope).await? {
        let Some((name, revision)) = parse_object_name(&head.name) else {
            continue;
        };
        // A thousand bytes a revision, of which one word is needed.
        let mut labels = std::mem::take(&mut head.labels);
        let id = ReleaseId {
            cluster: cluster.clone(),
            namespace: Namespace::new(head.namespace.as_str()),
            name: ReleaseName::new(name),
        };
        let status = labels.remove("status").unwrap_or_default();
        releases.entry(id).or_default().push(Head {
            revision: Revision(revision),
            status,
            head,
        });
    }
    Ok(releases
        .into_iter()
        .map(|(id, mut heads)| {
            heads.sort_by_key(|head| head.revision);
            ReleaseRecords { id, driver, heads }
        })
        .collect())
}

/// Loads one head of many releases at once, in order, `PAYLOADS_IN_FLIGHT` at a time.
pub async fn load_all<'a>(
    reader: &dyn Reader,
    wanted: impl IntoIterator<Item = (&'a ReleaseRecords, &'a Head)>,
) -> Vec<(&'a ReleaseRecords, Result<Loaded, RecordFault>)> {
    let loads = wanted
        .into_iter()
        .map(|(records, head)| async move { (records, records.load(reader, head).await) }.boxed())
        .collect();
    bounded(PAYLOADS_IN_FLIGHT, loads).await
}
