//! The difference between two captures: which fields changed owner, which entries came and went.
//!
//! Owners are compared field by field, over every member of every set, so an empty difference means that the books say
//! the same. Not compared: times (an entry that is written again with the same fields), and entries of the subresource
//! `status`, which controllers rewrite all day.

use std::collections::{BTreeMap, BTreeSet};

use managed_fields::{FieldSet, Path};
use serde::{Deserialize, Serialize};

use super::class::of_release;
use super::{Capture, EntryFacts, ObjectFacts, Ownership, RecordFacts, ReleaseFacts};
use crate::domain::fleet::{AliasInvalid, ManagerMatcher, release_order};
use crate::domain::ids::{ClusterName, Namespace, ReleaseId, Revision};
use crate::domain::object::ObjectRef;

/// What two captures do not have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditDiff {
    /// Releases that differ, by cluster, namespace, name.
    pub releases: Vec<ReleaseChange>,
    /// Clusters that only one capture has, or that one of them could not read: nothing is said about them.
    pub not_compared: BTreeSet<ClusterName>,
    /// Sums.
    pub totals: DiffTotals,
}

/// Sums of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffTotals {
    /// Releases that were compared: in either capture, on clusters and in namespaces that both read.
    pub compared: u64,
    /// Releases that differ, new and gone ones included.
    pub changed: u64,
    /// Releases only in the second.
    pub new_releases: u64,
    /// Releases only in the first.
    pub gone_releases: u64,
    /// Objects that differ in releases of both.
    pub objects: u64,
    /// Fields of these whose owners are not the same.
    pub fields: u64,
    /// Entries that came.
    pub new_entries: u64,
    /// Entries that went.
    pub gone_entries: u64,
}

/// In which of the two something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Only in the second.
    New,
    /// Only in the first.
    Gone,
    /// In both, and not the same.
    Changed,
}

/// Before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// In the first capture.
    pub before: T,
    /// In the second.
    pub after: T,
}

/// A release that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseChange {
    /// Which.
    pub release: ReleaseId,
    /// Is it new, gone, or changed?
    pub presence: Presence,
    /// Its class, if that is not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Change<Ownership>>,
    /// Its newest record, if that is not the same; a side without records is `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Change<Option<RecordState>>>,
    /// Objects that differ; of a new or gone release none is listed.
    pub objects: Vec<ObjectChange>,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordState {
    /// Its number.
    pub revision: Revision,
    /// `ssa`, `csa`; Helm 3 writes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_method: Option<String>,
    /// Helm's status.
    pub status: String,
}

/// An object that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// Which.
    pub object: ObjectRef,
    /// Is it new, gone, or changed?
    pub presence: Presence,
    /// The same name, another uid: it was deleted and made again.
    pub recreated: bool,
    /// Fields whose owners are not the same, grouped by who had them and who has them.
    pub fields: Vec<FieldMove>,
    /// Entries that came, as the server tells entries apart.
    pub new_entries: Vec<EntryId>,
    /// Entries that went.
    pub gone_entries: Vec<EntryId>,
}

/// Fields that went from these owners to those; nobody is an empty list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldMove {
    /// Who owned them: `helm/Update`, `kube-controller-manager/scale/Update`.
    pub before: Vec<String>,
    /// Who owns them.
    pub after: Vec<String>,
    /// The fields as the server writes paths.
    pub fields: Vec<String>,
}

/// What makes an entry one and the same to the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryId {
    /// The manager.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The version in which it names fields.
    pub api_version: String,
    /// `scale`, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subresource: String,
}

impl EntryId {
    fn of(entry: &EntryFacts) -> Self {
        Self {
            manager: entry.head.manager.clone(),
            operation: entry.head.operation.clone(),
            api_version: entry.api_version.clone(),
            subresource: entry.head.subresource.clone(),
        }
    }

    /// The owner: an entry without its version.
    fn owner(&self) -> String {
        let EntryId {
            manager,
            operation,
            subresource,
            ..
        } = self;
        if subresource.is_empty() {
            format!("{manager}/{operation}")
        } else {
            format!("{manager}/{subresource}/{operation}")
        }
    }
}

/// Before and after, as far as there is one.
type Sides<'a, T> = (Option<&'a T>, Option<&'a T>);

/// Compares two captures. `O(n log n)` in fields. Fails only if an alias is no glob.
pub fn diff(before: &Capture, after: &Capture) -> Result<AuditDiff, AliasInvalid> {
    let (ours_before, ours_after) = (before.managers.matcher()?, after.managers.matcher()?);
    let all: BTreeSet<&ClusterName> = before
        .clusters
        .keys()
        .chain(after.clusters.keys())
        .collect();
    let was_read = |of: &Capture, name: &ClusterName| matches!(of.clusters.get(name), Some(None));
    let (read, unread): (BTreeSet<_>, BTreeSet<_>) = all
        .into_iter()
        .partition(|name| was_read(before, name) && was_read(after, name));
    let has = |of: &Capture, namespace: &Namespace| {
        of.namespaces.is_empty() || of.namespaces.contains(namespace)
    };
    let comparable = |id: &ReleaseId| {
        read.contains(&id.cluster) && has(before, &id.namespace) && has(after, &id.namespace)
    };
    let mut sides: BTreeMap<&ReleaseId, Sides<'_, ReleaseFacts>> = BTreeMap::new();
    for release in before.releases.iter().filter(|it| comparable(&it.release)) {
        sides.entry(&release.release).or_default().0 = Some(release);
    }
    for release in after.releases.iter().filter(|it| comparable(&it.release)) {
        sides.entry(&release.release).or_default().1 = Some(release);
    }
    let mut totals = DiffTotals {
        compared: length(sides.len()),
        ..DiffTotals::default()
    };
    let mut releases: Vec<ReleaseChange> = sides
        .into_iter()
        .filter_map(|(id, sides)| match sides {
            (Some(before), Some(after)) => compare(before, after, &ours_before, &ours_after),
            (before, _) => Some(ReleaseChange {
                release: id.clone(),
                presence: if before.is_some() {
                    Presence::Gone
                } else {
                    Presence::New
                },
                ownership: None,
                record: None,
                objects: Vec::new(),
            }),
        })
        .collect();
    releases.sort_by(|a, b| release_order(&a.release, &b.release));
    for release in &releases {
        totals.add(release);
    }
    Ok(AuditDiff {
        releases,
        not_compared: unread.into_iter().cloned().collect(),
        totals,
    })
}

impl AuditDiff {
    /// Do they say the same, as far as they can be compared?
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }
}

impl DiffTotals {
    fn add(&mut self, release: &ReleaseChange) {
        self.changed += 1;
        match release.presence {
            Presence::New => self.new_releases += 1,
            Presence::Gone => self.gone_releases += 1,
            Presence::Changed => {}
        }
        self.objects += length(release.objects.len());
        for object in &release.objects {
            self.new_entries += length(object.new_entries.len());
            self.gone_entries += length(object.gone_entries.len());
            self.fields += object
                .fields
                .iter()
                .map(|it| length(it.fields.len()))
                .sum::<u64>();
        }
    }
}

fn compare(
    before: &ReleaseFacts,
    after: &ReleaseFacts,
    ours_before: &ManagerMatcher,
    ours_after: &ManagerMatcher,
) -> Option<ReleaseChange> {
    let ownership = change(
        of_release(before, ours_before).0,
        of_release(after, ours_after).0,
    );
    let record = change(state(&before.records), state(&after.records));
    let mut sides: BTreeMap<&ObjectRef, Sides<'_, ObjectFacts>> = BTreeMap::new();
    for object in &before.objects {
        sides.entry(&object.object).or_default().0 = Some(object);
    }
    for object in &after.objects {
        sides.entry(&object.object).or_default().1 = Some(object);
    }
    let objects: Vec<ObjectChange> = sides
        .into_iter()
        .filter_map(|(object, (before, after))| compare_objects(object, before, after))
        .collect();
    let same = ownership.is_none() && record.is_none() && objects.is_empty();
    (!same).then(|| ReleaseChange {
        release: before.release.clone(),
        presence: Presence::Changed,
        ownership,
        record,
        objects,
    })
}

fn change<T: PartialEq>(before: T, after: T) -> Option<Change<T>> {
    (before != after).then_some(Change { before, after })
}

fn state(records: &[RecordFacts]) -> Option<RecordState> {
    let newest = records.iter().max_by_key(|record| record.revision)?;
    Some(RecordState {
        revision: newest.revision,
        apply_method: newest.apply_method.clone(),
        status: newest.status.clone(),
    })
}

fn compare_objects(
    object: &ObjectRef,
    before: Option<&ObjectFacts>,
    after: Option<&ObjectFacts>,
) -> Option<ObjectChange> {
    let (was, is) = (book(before), book(after));
    let new_entries: Vec<EntryId> = is
        .keys()
        .filter(|id| !was.contains_key(id))
        .cloned()
        .collect();
    let gone_entries: Vec<EntryId> = was
        .keys()
        .filter(|id| !is.contains_key(id))
        .cloned()
        .collect();
    let fields = moves(&was, &is);
    let (presence, recreated) = match (before, after) {
        (Some(before), Some(after)) => (Presence::Changed, before.uid != after.uid),
        (Some(_), None) => (Presence::Gone, false),
        (None, _) => (Presence::New, false),
    };
    let same = presence == Presence::Changed
        && !recreated
        && new_entries.is_empty()
        && gone_entries.is_empty()
        && fields.is_empty();
    (!same).then(|| ObjectChange {
        object: object.clone(),
        presence,
        recreated,
        fields,
        new_entries,
        gone_entries,
    })
}

/// An object's entries with their fields. One that is there twice counts once, with the fields of both.
type Book = BTreeMap<EntryId, FieldSet>;

fn book(object: Option<&ObjectFacts>) -> Book {
    let mut book = Book::new();
    let entries = object.into_iter().flat_map(|object| &object.entries);
    for entry in entries.filter(|entry| entry.head.subresource != "status") {
        let fields = book.entry(EntryId::of(entry)).or_default();
        *fields = fields.union(&entry.fields);
    }
    book
}

/// Fields whose owners differ, grouped. Sets that did not change are not walked.
fn moves(was: &Book, is: &Book) -> Vec<FieldMove> {
    let (was, is) = (by_owner(was), by_owner(is));
    let mut moved = FieldSet::new();
    let empty = FieldSet::new();
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for name in names {
        let (was, is) = (
            was.get(name).unwrap_or(&empty),
            is.get(name).unwrap_or(&empty),
        );
        moved = moved.union(&was.difference(is)).union(&is.difference(was));
    }
    let of = |owners: &BTreeMap<String, FieldSet>, path: &Path| -> Vec<String> {
        let holds = owners.iter().filter(|(_, fields)| fields.has(path));
        holds.map(|(name, _)| name.clone()).collect()
    };
    let mut groups: BTreeMap<(Vec<String>, Vec<String>), Vec<String>> = BTreeMap::new();
    for path in &moved {
        let sides = (of(&was, &path), of(&is, &path));
        groups.entry(sides).or_default().push(path.to_string());
    }
    groups
        .into_iter()
        .map(|((before, after), fields)| FieldMove {
            before,
            after,
            fields,
        })
        .collect()
}

fn by_owner(book: &Book) -> BTreeMap<String, FieldSet> {
    let mut owners: BTreeMap<String, FieldSet> = BTreeMap::new();
    for (id, fields) in book {
        let all = owners.entry(id.owner()).or_default();
        *all = all.union(fields);
    }
    owners
}

fn length(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
