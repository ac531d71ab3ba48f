//! Entries of versions that the server knows no more (rule R2).
//!
//! | kind | what the server does with such an entry | so an adoption |
//! |---|---|---|
//! | built-in | drops it, silently, at the first write by anybody | leaves it out |
//! | custom resource | wipes the whole list at every write, refuses every apply | where a rule says `repair`: own ones go, others' get the manifest's version |
//!
//! Neither can be written back: [`Lost`] says which they were.

use std::collections::BTreeSet;

use managed_fields::{FieldSet, ManagedFieldsEntry};
use serde::{Deserialize, Serialize};

use super::adopt::Inverse;
use super::owners::describe;
use super::terms::Terms;

/// Entries that an undo cannot write back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lost {
    /// Their versions.
    pub versions: BTreeSet<String>,
    /// Which they were, in words.
    pub entries: Vec<String>,
    /// The object's owners stay as they are: with one such entry in the list the server would wipe it whole.
    pub one_way: bool,
}

impl Inverse {
    /// Is it an entry that cannot be written back?
    pub(super) fn has_lost(&self, entry: &ManagedFieldsEntry) -> bool {
        let lost = self.lost.as_ref();
        lost.is_some_and(|lost| lost.versions.contains(entry.api_version()))
    }
}

/// The entries of dead versions, in words: `operator/status (Update, d6.io/v1alpha1)`.
pub fn dead_entries(entries: &[ManagedFieldsEntry], dead: &BTreeSet<String>) -> Vec<String> {
    let gone = entries
        .iter()
        .filter(|entry| dead.contains(entry.api_version()));
    let names = gone.map(|entry| {
        format!(
            "{} ({}, {})",
            describe(entry),
            entry.operation(),
            entry.api_version()
        )
    });
    names.collect()
}

pub(super) fn lost(entries: &[ManagedFieldsEntry], terms: &Terms) -> Option<Lost> {
    let named = dead_entries(entries, &terms.dead);
    (!named.is_empty()).then(|| Lost {
        versions: terms.dead.clone(),
        entries: named,
        one_way: terms.repair,
    })
}

/// The entries without any of a dead version: left out, or at the manifest's version, where two of one identity become
/// one with the later time.
pub fn mended(
    entries: Vec<ManagedFieldsEntry>,
    terms: &Terms,
    api_version: &str,
) -> Vec<ManagedFieldsEntry> {
    let mut mended: Vec<ManagedFieldsEntry> = Vec::with_capacity(entries.len());
    let (dead, alive): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| terms.dead.contains(entry.api_version()));
    mended.extend(alive);
    for entry in dead.into_iter().filter(|_| terms.repair) {
        let entry = entry.with_api_version(api_version);
        let identity = entry.identity();
        match mended.iter_mut().find(|it| it.identity() == identity) {
            Some(same) => {
                let fields: FieldSet = same.fields().union(entry.fields());
                let time = same.time().max(entry.time());
                *same = same.clone().with_fields(fields).with_time(time);
            }
            None => mended.push(entry),
        }
    }
    mended
}
