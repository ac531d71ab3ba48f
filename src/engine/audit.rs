//! Reads who owns what, everywhere: input of the census. Zero writes.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use managed_fields::entry::decode;
use managed_fields::{FieldSet, Path, PathElement};
use serde_json::Value;

use super::chain::chain;
use super::inventory::{ReleaseRead, Scope, Source, live_objects, read_cluster};
use super::records::load_all;
use crate::cluster::{self, Reader};
use crate::domain::audit::{AuditInput, EntryFacts, ObjectFacts, RecordFacts, ReleaseFacts};
use crate::domain::fleet::{ManagerMatcher, Managers};
use crate::domain::ids::ClusterName;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::{EntryHead, Marks, driven_by};

/// Newest revisions of a release whose apply method is read. A release that slid back shows it here: the revision
/// that refit superseded keeps its mark below Helm 3's next two.
const REVISIONS_READ: usize = 4;

/// Reads every cluster, side by side. One that does not answer is a row with its reason.
pub async fn audit_input(
    sources: &[Source],
    scope: &Scope,
    managers: &Managers,
    ours: &ManagerMatcher,
) -> AuditInput {
    let read = join_all(sources.iter().map(|source| one(source, scope, ours))).await;
    let mut input = AuditInput {
        managers: managers.clone(),
        clusters: BTreeMap::new(),
        releases: Vec::new(),
        expect: BTreeSet::new(),
    };
    for (source, releases) in sources.iter().zip(read) {
        match releases {
            Ok(releases) => {
                input.clusters.insert(source.name.clone(), None);
                input.releases.extend(releases);
            }
            Err(why) => drop(input.clusters.insert(source.name.clone(), Some(why))),
        }
    }
    input
}

async fn one(
    source: &Source,
    scope: &Scope,
    ours: &ManagerMatcher,
) -> Result<Vec<ReleaseFacts>, String> {
    let reader = source.reader.as_ref().map_err(Clone::clone)?;
    facts(reader.as_ref(), &source.name, scope, ours)
        .await
        .map_err(|error| chain(&error))
}

async fn facts(
    reader: &dyn Reader,
    cluster: &ClusterName,
    scope: &Scope,
    ours: &ManagerMatcher,
) -> cluster::Result<Vec<ReleaseFacts>> {
    let releases = read_cluster(reader, cluster, scope).await?;
    let live = live_objects(reader, &releases).await?;
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
    for (of, loaded) in load_all(reader, wanted).await {
        if let Ok(loaded) = loaded {
            records.entry(of.id.clone()).or_default().push(RecordFacts {
                revision: crate::domain::ids::Revision(loaded.record.revision),
                apply_method: loaded.record.apply_method.as_ref().map(ToString::to_string),
                status: loaded.record.status.to_string(),
                at: Some(loaded.record.info.last_deployed.clone()).filter(|text| !text.is_empty()),
            });
        }
    }
    Ok(releases
        .iter()
        .map(|release| release_facts(release, &live, &mut records, ours))
        .collect())
}

fn release_facts(
    release: &ReleaseRead,
    live: &BTreeMap<ObjectRef, LiveObject>,
    records: &mut BTreeMap<crate::domain::ids::ReleaseId, Vec<RecordFacts>>,
    ours: &ManagerMatcher,
) -> ReleaseFacts {
    let id = release.records.id.clone();
    let mut objects = Vec::new();
    let mut marks = Vec::new();
    for wanted in &release.objects.served {
        let Some(live) = live.get(&wanted.object) else {
            continue;
        };
        marks.push(Marks::of(live));
        objects.push(ObjectFacts {
            object: wanted.object.clone(),
            entries: entries(live, &wanted.body),
        });
    }
    let mut revisions = records.remove(&id).unwrap_or_default();
    revisions.sort_by_key(|record| record.revision);
    let last = release.records.last().cloned();
    ReleaseFacts {
        driven_by: driven_by(&marks, ours),
        unread: release
            .last
            .as_ref()
            .err()
            .cloned()
            .or_else(|| release.manifest_error.clone())
            .or_else(|| last.is_none().then(|| "it has no record".to_owned())),
        release: id,
        records: revisions,
        objects,
    }
}

/// Each entry, and whether it holds any of the manifest's fields.
fn entries(live: &LiveObject, body: &Value) -> Vec<EntryFacts> {
    live.managed_fields()
        .iter()
        .map(|raw| {
            let fields = decode(&Value::Array(vec![raw.clone()]))
                .ok()
                .and_then(|mut entries| entries.pop())
                .map_or_else(FieldSet::new, |entry| entry.fields().clone());
            let helms = fields.leaves().iter().any(|path| is_named(body, &path));
            EntryFacts {
                head: EntryHead::read(raw),
                helms,
            }
        })
        .collect()
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
