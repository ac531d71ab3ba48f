//! Classes of one object and of one release.

use super::{EntryFacts, ObjectFacts, Ownership, ReleaseFacts};
use crate::domain::fleet::{ManagerMatcher, Own};

/// Managers that apply whole releases or manifests again and again, even if their entries say `Update`.
const APPLIERS: [&str; 3] = [
    "helm-controller",
    "argocd-controller",
    "kustomize-controller",
];

/// Entries that can say who owns Helm's fields: of the object itself, and holding some of them.
pub(super) fn owners(object: &ObjectFacts) -> impl Iterator<Item = &EntryFacts> {
    let entries = object.entries.iter();
    entries.filter(|entry| entry.helms && entry.head.subresource.is_empty())
}

/// What one entry says. `None`: a co-owner of single fields, as `kubectl set` or an autoscaler, which the forecast
/// judges and the audit does not.
pub(super) fn of_entry(entry: &EntryFacts, ours: &ManagerMatcher) -> Option<Ownership> {
    let applies = entry.head.operation == "Apply";
    match ours.own(&entry.head.manager) {
        Some(Own::Canonical) if applies => Some(Ownership::Apply),
        Some(Own::Canonical) => Some(Ownership::Update),
        Some(Own::Alias(_)) => Some(Ownership::Alias),
        None if applies || APPLIERS.contains(&entry.head.manager.as_str()) => {
            Some(Ownership::Foreign)
        }
        None => None,
    }
}

/// The gravest of the entries. An object that only co-owners hold was written by none of ours: foreign.
pub fn of_object(object: &ObjectFacts, ours: &ManagerMatcher) -> Ownership {
    let gravest = owners(object)
        .filter_map(|entry| of_entry(entry, ours))
        .max();
    gravest.unwrap_or_else(|| {
        if owners(object).next().is_some() {
            Ownership::Foreign
        } else {
            Ownership::Unowned
        }
    })
}

/// The gravest of the objects, and how many are so. A release without objects is what its newest record says.
pub(super) fn of_release(release: &ReleaseFacts, ours: &ManagerMatcher) -> (Ownership, usize) {
    if release.unread.is_some() {
        return (Ownership::Unknown, 0);
    }
    let classes: Vec<Ownership> = release
        .objects
        .iter()
        .map(|it| of_object(it, ours))
        .collect();
    if let Some(gravest) = classes.iter().max() {
        let so = classes.iter().filter(|class| *class == gravest).count();
        return (*gravest, so);
    }
    let newest = release.records.iter().max_by_key(|it| it.revision);
    let ssa = newest.is_some_and(|it| it.apply_method.as_deref() == Some("ssa"));
    let class = if ssa {
        Ownership::Apply
    } else {
        Ownership::Update
    };
    (class, 0)
}
