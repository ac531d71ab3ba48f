//! Reads a fleet: releases over all clusters, who applies them, who owns their objects' fields. Zero writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use managed_fields::entry::decode_canonical;
use serde_json::Value;

use super::chain::chain;
use super::packed::{self, Packed, Packer};
use super::records::{self, Loaded, RecordFault, ReleaseRecords};
use super::shadow::{Objects, ObjectsError, objects};
use crate::cluster::{self, ErrorKind, Reader, RecordScope, gather};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::{
    ChartRef, Driver, Inventory, InventoryCluster, InventoryRelease, ManagerSeen, Marks, driven_by,
};

/// Status of a release whose record does not read.
pub const UNREADABLE: &str = "Unreadable";

/// So many records are held with their payloads before they are looked at: some ten megabytes.
pub(super) const RECORDS_AT_ONCE: usize = 128;

/// A cluster to read.
pub struct Source {
    /// The fleet's name of it.
    pub name: ClusterName,
    /// The cluster, or why it could not even be connected to.
    pub reader: Result<Arc<dyn Reader>, String>,
}

/// What of a cluster to read.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Which drivers' records.
    pub driver: Driver,
    /// Only these namespaces; empty is all.
    pub namespaces: Vec<crate::domain::ids::Namespace>,
}

impl Scope {
    /// The lists of records that make it up.
    pub(super) fn records(&self) -> Vec<RecordScope> {
        match self.namespaces.as_slice() {
            [] => vec![RecordScope::All],
            some => some.iter().cloned().map(RecordScope::Namespace).collect(),
        }
    }
}

/// A release read whole: records, manifest, live objects.
pub struct ReleaseRead {
    /// Its records.
    pub records: ReleaseRecords,
    /// The last record.
    pub last: Result<Loaded, String>,
    /// The deployed record, if it is not the last.
    pub deployed: Option<Loaded>,
    /// The objects of the current manifest.
    pub objects: Objects,
    /// Why the manifest, or an object of it, does not read.
    pub fault: Option<String>,
}

impl ReleaseRead {
    /// The record whose manifest counts: the deployed one, else the last.
    pub fn current(&self) -> Option<&Loaded> {
        self.deployed.as_ref().or(self.last.as_ref().ok())
    }

    /// Leaves what names its objects, and what a forecast reads them from anew; bodies and payloads go.
    pub fn make_lean(&mut self) {
        for object in &mut self.objects.served {
            object.body = Value::Null;
        }
        let last = std::mem::replace(&mut self.last, Err(String::new()));
        self.last = last.map(Loaded::lean);
        self.deployed = self.deployed.take().map(Loaded::lean);
    }
}

/// Lists the releases in scope, and reads what is needed of each. `each` has a look at a release as soon as it is read: who
/// needs no bodies afterwards makes it lean.
pub async fn read_each(
    reader: &dyn Reader,
    cluster: &ClusterName,
    scope: &Scope,
    each: &mut (dyn FnMut(&mut ReleaseRead) + Send),
) -> cluster::Result<Vec<ReleaseRead>> {
    let mut all = Vec::new();
    for one in &scope.records() {
        all.extend(records::list(reader, cluster, scope.driver, one).await?);
    }
    let mut read = Vec::with_capacity(all.len());
    let mut all = all.into_iter();
    loop {
        let some: Vec<ReleaseRecords> = all.by_ref().take(RECORDS_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(read);
        }
        let lasts = records::load_all(
            reader,
            some.iter()
                .filter_map(|records| Some((records, records.last()?))),
        )
        .await;
        let lasts: Vec<Result<Loaded, RecordFault>> =
            lasts.into_iter().map(|(_, loaded)| loaded).collect();
        for (records, last) in some.into_iter().zip(lasts) {
            if let Some(mut release) = read_release(reader, records, last).await? {
                each(&mut release);
                read.push(release);
            }
        }
    }
}

/// A release from its records and the last of them; `None` if that is gone.
async fn read_release(
    reader: &dyn Reader,
    records: ReleaseRecords,
    last: Result<Loaded, RecordFault>,
) -> cluster::Result<Option<ReleaseRead>> {
    let last = match last {
        Ok(last) => Ok(last),
        Err(RecordFault::Cluster(error)) => return Err(error),
        Err(RecordFault::Gone(_)) => return Ok(None),
        Err(error) => Err(chain(&error)),
    };
    let other = records
        .deployed()
        .filter(|head| Some(head.revision) != records.last().map(|last| last.revision));
    let deployed = match other {
        Some(head) => match records.load(reader, head).await {
            Ok(loaded) => Some(loaded),
            Err(RecordFault::Cluster(error)) => return Err(error),
            Err(_) => None,
        },
        None => None,
    };
    let mut release = ReleaseRead {
        records,
        last,
        deployed,
        objects: Objects::default(),
        fault: None,
    };
    if let Some(current) = release.current() {
        match objects(reader, &current.record).await {
            Ok(found) => release.objects = found,
            Err(ObjectsError::Cluster(error)) => return Err(error),
            Err(error) => release.fault = Some(chain(&error)),
        }
    }
    Ok(Some(release))
}

/// Live objects of a cluster by reference, as text (ADR 17): one LIST a kind, page by page. A kind that the server fails to
/// list, or forbids, is a fault of the releases that have such objects, and of nobody else.
pub(super) async fn live_objects(
    reader: &dyn Reader,
    releases: &mut [ReleaseRead],
    part: fn(&LiveObject) -> String,
) -> cluster::Result<BTreeMap<ObjectRef, Packed>> {
    let wanted: BTreeSet<ObjectRef> = releases
        .iter()
        .flat_map(|release| &release.objects.served)
        .map(|object| object.object.clone())
        .collect();
    let of_kind = |object: &ObjectRef| (object.api_version.clone(), object.kind.clone());
    let kinds: BTreeSet<(String, String)> = wanted.iter().map(of_kind).collect();
    let mut found = BTreeMap::new();
    for (api_version, kind) in &kinds {
        let mut packer = Packer::default();
        let keep = |live: LiveObject| {
            let object = ObjectRef::listed(api_version, kind, &live);
            wanted
                .contains(&object)
                .then(|| (object, packer.pack(part(&live))))
        };
        match gather(reader, api_version, kind, keep).await {
            Ok(all) => found.extend(all),
            Err(error) if error.is_fault() || error.kind == ErrorKind::Forbidden => {
                let has = |release: &&mut ReleaseRead| {
                    let mut objects = release.objects.served.iter().map(|it| &it.object);
                    objects.any(|it| it.api_version == *api_version && it.kind == *kind)
                };
                for release in releases.iter_mut().filter(has) {
                    release.fault.get_or_insert_with(|| chain(&error));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Reads the whole fleet, clusters side by side. A cluster that does not answer is a row, not a failure.
pub async fn inventory(
    fleet: &str,
    sources: &[Source],
    scope: &Scope,
    managers: &ManagerMatcher,
    taken_at: jiff::Timestamp,
) -> Inventory {
    let read = join_all(sources.iter().map(|source| one(source, scope, managers))).await;
    let mut inventory = Inventory {
        fleet: fleet.to_owned(),
        taken_at,
        clusters: Vec::new(),
        releases: Vec::new(),
    };
    for (cluster, releases) in read {
        inventory.clusters.push(cluster);
        inventory.releases.extend(releases);
    }
    inventory
}

async fn one(
    source: &Source,
    scope: &Scope,
    managers: &ManagerMatcher,
) -> (InventoryCluster, Vec<InventoryRelease>) {
    let row = |version, unreachable| InventoryCluster {
        name: source.name.clone(),
        version,
        unreachable,
    };
    let reader = match &source.reader {
        Ok(reader) => reader.as_ref(),
        Err(why) => return (row(None, Some(why.clone())), Vec::new()),
    };
    let version = match reader.version().await {
        Ok(version) => version,
        Err(error) => return (row(None, Some(chain(&error))), Vec::new()),
    };
    match rows(reader, &source.name, scope, managers).await {
        Ok(releases) => (row(Some(version), None), releases),
        Err(error) => (row(Some(version), Some(chain(&error))), Vec::new()),
    }
}

async fn rows(
    reader: &dyn Reader,
    cluster: &ClusterName,
    scope: &Scope,
    managers: &ManagerMatcher,
) -> cluster::Result<Vec<InventoryRelease>> {
    let mut lean = ReleaseRead::make_lean;
    let mut releases = read_each(reader, cluster, scope, &mut lean).await?;
    let live = live_objects(reader, &mut releases, packed::head).await?;
    Ok(releases
        .iter()
        .map(|release| release_row(release, &live, managers))
        .collect())
}

fn release_row(
    release: &ReleaseRead,
    live: &BTreeMap<ObjectRef, Packed>,
    managers: &ManagerMatcher,
) -> InventoryRelease {
    let records = &release.records;
    let lives: Vec<LiveObject> = release
        .objects
        .served
        .iter()
        .filter_map(|object| packed::unpack(live.get(&object.object)?))
        .collect();
    let last = release.last.as_ref();
    let record = last.ok().map(|loaded| &loaded.record);
    let objects = release.objects.served.len() + release.objects.unserved.len();
    InventoryRelease {
        id: ReleaseId::clone(&records.id).into(),
        chart: record.and_then(|record| {
            let chart = record.chart.as_ref()?;
            Some(ChartRef {
                name: chart.name.clone(),
                version: chart.version.clone(),
            })
        }),
        revision: records
            .last()
            .map_or(crate::domain::ids::Revision(0), |head| head.revision),
        deployed: records.deployed().map(|head| head.revision),
        status: record.map_or_else(|| UNREADABLE.to_owned(), |record| record.status.to_string()),
        apply_method: record.and_then(|record| Some(record.apply_method.as_ref()?.to_string())),
        driver: records.driver,
        managers: managers_of(&lives),
        driven_by: driven_by(&marks(&lives), managers),
        objects: u32::try_from(objects).unwrap_or(u32::MAX),
        hooks: record.map_or(0, |record| {
            u32::try_from(record.hooks.len()).unwrap_or(u32::MAX)
        }),
        revisions: u32::try_from(records.heads.len()).unwrap_or(u32::MAX),
        updated: record
            .map(|record| record.info.last_deployed.clone())
            .filter(|text| !text.is_empty()),
        error: last.err().cloned().or_else(|| release.fault.clone()),
    }
}

/// Owners of fields, status writers not counted; the one with most objects first.
pub(super) fn managers_of<'a>(lives: impl IntoIterator<Item = &'a LiveObject>) -> Vec<ManagerSeen> {
    let mut counts: BTreeMap<(String, String), u32> = BTreeMap::new();
    for live in lives {
        let entries = decode_canonical(live.managed_fields()).unwrap_or_default();
        let owners: BTreeSet<(String, String)> = entries
            .iter()
            .filter(|entry| entry.subresource() != "status")
            .map(|entry| {
                (
                    crate::domain::transfer::describe(entry),
                    entry.operation().to_string(),
                )
            })
            .collect();
        for owner in owners {
            *counts.entry(owner).or_default() += 1;
        }
    }
    let mut seen: Vec<ManagerSeen> = counts
        .into_iter()
        .map(|((name, operation), objects)| ManagerSeen {
            name,
            operation,
            objects,
        })
        .collect();
    seen.sort_by(|left, right| {
        right
            .objects
            .cmp(&left.objects)
            .then_with(|| left.cmp(right))
    });
    seen
}

/// What tells a driver, of each object.
pub fn marks(lives: &[LiveObject]) -> Vec<Marks> {
    lives.iter().map(Marks::of).collect()
}
