//! Reads who owns what, everywhere: input of the census. Zero writes.

use std::collections::BTreeMap;

use futures::future::join_all;
use managed_fields::{FieldSet, ManagedFieldsEntry, Path, PathElement};
use serde_json::Value;

use super::chain::chain;
use super::inventory::{RECORDS_AT_ONCE, ReleaseRead, Scope, Source, live_objects, read_each};
use super::packed::{self, Packed};
use super::records::{Loaded, load_all};
use super::shadow::{ManifestObject, ObjectsError, objects};
use crate::cluster::{self, Reader};
use crate::domain::audit::{Capture, EntryFacts, ObjectFacts, RecordFacts, ReleaseFacts, unowned};
use crate::domain::fleet::{ManagerMatcher, Managers};
use crate::domain::ids::{ClusterName, ReleaseId, Revision};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::{ChartRef, EntryHead, Marks, driven_by};

/// Newest revisions of a release whose apply method is read. A release that slid back shows it here: the revision
/// that refit superseded keeps its mark below Helm 3's next two.
const REVISIONS_READ: usize = 4;

/// Reads every cluster, side by side. One that does not answer is a row with its reason. `only` narrows it to a release.
pub async fn capture(
    fleet: &str,
    sources: &[Source],
    scope: &Scope,
    managers: &Managers,
    ours: &ManagerMatcher,
    only: Option<&ReleaseId>,
    taken_at: jiff::Timestamp,
) -> Capture {
    let read = join_all(sources.iter().map(|source| one(source, scope, ours, only))).await;
    let mut capture = Capture {
        fleet: fleet.to_owned(),
        taken_at,
        managers: managers.clone(),
        namespaces: scope.namespaces.iter().cloned().collect(),
        clusters: BTreeMap::new(),
        releases: Vec::new(),
    };
    for (source, releases) in sources.iter().zip(read) {
        match releases {
            Ok(releases) => {
                capture.clusters.insert(source.name.clone(), None);
                capture.releases.extend(releases);
            }
            Err(why) => drop(capture.clusters.insert(source.name.clone(), Some(why))),
        }
    }
    capture
}

async fn one(
    source: &Source,
    scope: &Scope,
    ours: &ManagerMatcher,
    only: Option<&ReleaseId>,
) -> Result<Vec<ReleaseFacts>, String> {
    let reader = source.reader.as_ref().map_err(Clone::clone)?;
    facts(reader.as_ref(), &source.name, scope, ours, only)
        .await
        .map_err(|error| chain(&error))
}

async fn facts(
    reader: &dyn Reader,
    cluster: &ClusterName,
    scope: &Scope,
    ours: &ManagerMatcher,
    only: Option<&ReleaseId>,
) -> cluster::Result<Vec<ReleaseFacts>> {
    let mut lean = ReleaseRead::make_lean;
    let mut releases = read_each(reader, cluster, scope, &mut lean).await?;
    releases.retain(|release| only.is_none_or(|only| release.records.id == *only));
    let live = live_objects(reader, &mut releases, packed::whole).await?;
    let mut wanted = Vec::new();
    for release in &releases {
        wanted.extend(
            release
                .records
                .heads
                .iter()
                .rev()
                .take(REVISIONS_READ)
                .map(|head| (&release.records, head)),
        );
    }
    let mut records: BTreeMap<_, Vec<RecordFacts>> = BTreeMap::new();
    for some in wanted.chunks(RECORDS_AT_ONCE) {
        for (of, loaded) in load_all(reader, some.iter().copied()).await {
            if let Ok(loaded) = loaded {
                let facts = record_facts(&loaded);
                records.entry(of.id.clone()).or_default().push(facts);
            }
        }
    }
    let mut facts = Vec::with_capacity(releases.len());
    for release in &releases {
        // The manifest was read already: what was no fault then is none now.
        let manifest = match release.current() {
            Some(current) => match objects(reader, &current.record).await {
                Ok(found) => found.served,
                Err(ObjectsError::Cluster(error)) => return Err(error),
                Err(ObjectsError::Manifest(_)) => Vec::new(),
            },
            None => Vec::new(),
        };
        facts.push(release_facts(release, &manifest, &live, &mut records, ours));
    }
    Ok(facts)
}

fn record_facts(loaded: &Loaded) -> RecordFacts {
    let record = &loaded.record;
    RecordFacts {
        revision: Revision(record.revision),
        apply_method: record.apply_method.as_ref().map(ToString::to_string),
        status: record.status.to_string(),
        at: Some(record.info.last_deployed.clone()).filter(|text| !text.is_empty()),
        writer: writer(loaded),
    }
}

fn release_facts(
    release: &ReleaseRead,
    manifest: &[ManifestObject],
    live: &BTreeMap<ObjectRef, Packed>,
    records: &mut BTreeMap<ReleaseId, Vec<RecordFacts>>,
    ours: &ManagerMatcher,
) -> ReleaseFacts {
    let id = release.records.id.clone();
    let mut objects = Vec::new();
    let mut marks = Vec::new();
    for wanted in manifest {
        let Some(live) = live.get(&wanted.object).and_then(packed::unpack) else {
            continue;
        };
        marks.push(Marks::of(&live));
        objects.push(object_facts(wanted, &live));
    }
    let mut revisions = records.remove(&id).unwrap_or_default();
    revisions.sort_by_key(|record| record.revision);
    let newest = release.last.as_ref().ok();
    let chart = newest.and_then(|loaded| loaded.record.chart.as_ref());
    ReleaseFacts {
        chart: chart.map(|chart| ChartRef {
            name: chart.name.clone(),
            version: chart.version.clone(),
        }),
        driven_by: driven_by(&marks, ours),
        unread: release
            .last
            .as_ref()
            .err()
            .cloned()
            .or_else(|| release.fault.clone())
            .or_else(|| {
                release
                    .records
                    .last()
                    .is_none()
                    .then(|| "it has no record".to_owned())
            }),
        release: id,
        records: revisions,
        objects,
    }
}

/// The program that made a record's Secret or ConfigMap: the oldest of its managers. Who wrote it since (a later Helm
/// that superseded it, refit) is another.
fn writer(loaded: &Loaded) -> Option<String> {
    let metadata = loaded.stored.object().get("metadata")?;
    let entries = metadata.get("managedFields")?.as_array()?;
    let heads = entries.iter().map(EntryHead::read);
    heads.min_by_key(|head| head.time).map(|head| head.manager)
}

fn object_facts(wanted: &ManifestObject, live: &LiveObject) -> ObjectFacts {
    let mut owned = FieldSet::new();
    let entries = live
        .managed_fields()
        .iter()
        .map(|raw| {
            // What does not read holds nothing: the server ignores it likewise.
            let entry = ManagedFieldsEntry::from_value(raw).ok();
            let fields = entry.map_or_else(FieldSet::new, |entry| entry.fields().clone());
            owned = owned.union(&fields);
            let head = EntryHead::read(raw);
            let is_named = |path: Path| is_named(&wanted.body, &path);
            EntryFacts {
                helms: fields.leaves().iter().any(is_named),
                api_version: raw["apiVersion"].as_str().unwrap_or_default().to_owned(),
                head,
                fields,
            }
        })
        .collect();
    let unowned = unowned(&wanted.body, &live.json, &owned);
    ObjectFacts {
        object: wanted.object.clone(),
        uid: live.uid.clone(),
        entries,
        unowned: unowned.iter().map(ToString::to_string).collect(),
    }
}

/// Does the manifest name this field? Items of lists are not told apart: it is enough for a census.
fn is_named(body: &Value, path: &Path) -> bool {
    let elements: Vec<&PathElement> = path.iter().collect();
    walk(body, &elements)
}

fn walk(value: &Value, path: &[&PathElement]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    match (first.as_field(), value) {
        (Some(name), Value::Object(map)) => map.get(name).is_some_and(|value| walk(value, rest)),
        (None, Value::Array(items)) => items.iter().any(|item| walk(item, rest)),
        // A field below something that the manifest gives whole, such as an atomic list.
        _ => false,
    }
}
