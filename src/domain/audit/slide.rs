//! The sentinel: releases that were on server-side apply and left it again, which is what a Helm 3 in a forgotten
//! pipeline does.
//!
//! | witness | says |
//! |---|---|
//! | newest record | no apply method (Helm 3 knows none) or `csa`, above a revision that was `ssa` |
//! | its Secret's managedFields | which program wrote it |
//! | objects' managedFields | `helm/Update` beside `helm/Apply`: written by client-side apply after server-side apply |
//!
//! Two of them can be missing. Helm 3 takes the mark off the revision that it supersedes, and old revisions are pruned;
//! and an upgrade that changes nothing patches no object. Who called, the audit log of the API server knows.

use jiff::Timestamp;

use super::class::{of_entry, owners};
use super::{EntryFacts, ObjectFacts, Ownership, RecordFacts, ReleaseFacts, SlidBack, SlidObject};
use crate::domain::fleet::{ManagerMatcher, Own, STOCK_MANAGER};
use crate::domain::ids::Revision;

/// What records say that Helm wrote through server-side apply.
const SSA: &str = "ssa";

/// Helm's word for an operation under way, or cut short: it has not written anything that counts.
const PENDING: &str = "pending-";

/// Helm's word for an operation that did not get through.
const FAILED: &str = "failed";

/// Is the newest revision not `ssa`, though an older one is, or objects show that they were applied?
pub(super) fn slid_back(release: &ReleaseFacts, ours: &ManagerMatcher) -> Option<SlidBack> {
    let is_pending = |record: &RecordFacts| record.status.starts_with(PENDING);
    let records = release.records.iter().filter(|it| !is_pending(it));
    let newest = records.clone().max_by_key(|record| record.revision)?;
    let is_ssa = |record: &RecordFacts| record.apply_method.as_deref() == Some(SSA);
    if is_ssa(newest) {
        return None;
    }
    let last_ssa = records
        .filter(|record| is_ssa(record) && record.status != FAILED)
        .map(|record| record.revision)
        .max();
    let objects: Vec<SlidObject> = release
        .objects
        .iter()
        .filter_map(|object| slid_object(object, ours))
        .collect();
    // With an operation under way the objects are ahead of the records: that is no slide.
    let under_way = release
        .records
        .iter()
        .any(|record| record.revision > newest.revision);
    if last_ssa.is_none() && (objects.is_empty() || under_way) {
        return None;
    }
    let by = by(release, newest, ours);
    Some(SlidBack {
        release: release.release.clone(),
        revision: newest.revision,
        at: newest.at.clone(),
        evidence: evidence(newest, &by, last_ssa, &objects, ours),
        by,
        last_ssa,
        objects,
    })
}

/// The newest client-side entry of Helm's on an object that also has a server-side one.
fn slid_object(object: &ObjectFacts, ours: &ManagerMatcher) -> Option<SlidObject> {
    let applied = owners(object).any(|entry| of_entry(entry, ours) == Some(Ownership::Apply));
    let is_update = |entry: &&EntryFacts| {
        ours.own(&entry.head.manager).is_some() && entry.head.operation == "Update"
    };
    let newest = owners(object)
        .filter(is_update)
        .max_by_key(|entry| entry.head.time)?;
    applied.then(|| SlidObject {
        object: object.object.clone(),
        entry: newest.head.clone(),
        fields: u64::try_from(newest.fields.leaves().len()).unwrap_or(u64::MAX),
    })
}

/// Which Helm, under which name, and who drives it.
fn by(release: &ReleaseFacts, newest: &RecordFacts, ours: &ManagerMatcher) -> String {
    let helm = match newest.apply_method.as_deref() {
        None | Some("") => "Helm 3",
        Some("csa") => "Helm 4 with client-side apply",
        Some(_) => "a Helm that refit does not know",
    };
    // A stock Helm says nothing by its name; a program with Helm inside does.
    let writer = newest.writer.as_deref();
    let stock = |name: &&str| {
        !name.eq_ignore_ascii_case(STOCK_MANAGER) && ours.own(name) != Some(Own::Canonical)
    };
    let inside = writer
        .filter(stock)
        .map_or_else(String::new, |name| format!(" inside {name}"));
    let driver = release
        .driven_by
        .map_or_else(String::new, |driver| format!(", driven by {driver}"));
    format!("{helm}{inside}{driver}")
}

fn evidence(
    newest: &RecordFacts,
    by: &str,
    last_ssa: Option<Revision>,
    objects: &[SlidObject],
    ours: &ManagerMatcher,
) -> String {
    let of = newest
        .at
        .as_deref()
        .map_or_else(String::new, |at| format!(" of {}", to_the_minute(at)));
    let says = match newest.apply_method.as_deref() {
        None | Some("") => "no apply method",
        Some("csa") => "csa",
        Some(_) => "an unknown apply method",
    };
    let before = match last_ssa {
        Some(revision) => format!("; revision {revision} was ssa"),
        None => "; no revision that is left was ssa".to_owned(),
    };
    let name = ours.canonical();
    let mixed = match objects {
        [] => String::new(),
        objects => {
            let newest = objects.iter().filter_map(|it| it.entry.time).max();
            let newest = newest.map_or_else(String::new, |time| {
                format!(", last written {}", time.strftime("%Y-%m-%dT%H:%MZ"))
            });
            let plural = if objects.len() == 1 { "" } else { "s" };
            format!(
                "; {name}/Apply and {name}/Update stand side by side on {} object{plural}{newest}",
                objects.len()
            )
        }
    };
    format!(
        "revision {}{of} records {says}: {by} wrote it{before}{mixed}",
        newest.revision
    )
}

/// Helm records nanoseconds and a zone; people read minutes in UTC. What is no time stays as it is.
fn to_the_minute(at: &str) -> String {
    at.parse::<Timestamp>().map_or_else(
        |_| at.to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%MZ").to_string(),
    )
}
