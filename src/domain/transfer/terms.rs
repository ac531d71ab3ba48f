//! What policies ask of an adoption beside the apply set, and how sets of fields are cut by it.
//!
//! Fields are named by their text, as forecasts name them: the same text comes out of every decoding of an entry.

use std::collections::BTreeSet;

use managed_fields::{FieldSet, Path, PathElement};
use serde::{Deserialize, Serialize};

/// The manager that keeps what a policy pins. Stock tools write under no such name.
pub const PIN_MANAGER: &str = "refit-pin";

/// A field of a foreign owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// As [`super::describe`] names it: `kubectl/scale`.
    pub owner: String,
    /// The field.
    pub field: String,
}

/// What policies ask of one object's adoption.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Terms {
    /// Fields that foreign entries lose to ours.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub take_over: BTreeSet<Share>,
    /// Fields of the apply set that our entry does not get.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub leave: BTreeSet<String>,
    /// Fields that our entry keeps though the manifest has them no more.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub keep: BTreeSet<String>,
    /// Such fields that [`PIN_MANAGER`] gets.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub pin: BTreeSet<String>,
    /// Versions that the server knows no more: entries of these cannot be written (rule R2).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub dead: BTreeSet<String>,
    /// Entries of `dead` versions go to the manifest's version; else they are left out, as the server does by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repair: bool,
}

impl Terms {
    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same where these versions are dead.
    #[must_use]
    pub fn with_dead(mut self, dead: &BTreeSet<String>) -> Self {
        self.dead.clone_from(dead);
        self
    }

    /// The fields that a foreign owner loses.
    pub(super) fn taken_from(&self, owner: &str) -> BTreeSet<&str> {
        let shares = self.take_over.iter().filter(|share| share.owner == owner);
        shares.map(|share| share.field.as_str()).collect()
    }
}

/// The leaves of a set that these texts name.
pub(super) fn leaves_named(set: &FieldSet, texts: &BTreeSet<&str>) -> Vec<Path> {
    if texts.is_empty() {
        return Vec::new();
    }
    let leaves = set.leaves();
    let named = leaves
        .iter()
        .filter(|path| texts.contains(path.to_string().as_str()));
    named.collect()
}

/// The set without these leaves, and without the marks of maps and list items that `may_go` and under which nothing is
/// left: the mark alone would keep the item when its new owner drops it.
pub(super) fn without(
    set: &FieldSet,
    leaves: &[Path],
    may_go: impl Fn(&[PathElement]) -> bool,
) -> FieldSet {
    let mut left = set.clone();
    for path in leaves {
        left.remove(path);
    }
    for path in leaves {
        for length in (1..path.len()).rev() {
            let Some(mark) = path.get(..length) else {
                continue;
            };
            let holds = left.below(mark).is_some_and(|below| !below.is_empty());
            if holds || !may_go(mark) {
                break;
            }
            left.remove(mark);
        }
    }
    left
}

/// The members of what Helm owned that these texts name and the apply set has nothing of, marks included.
pub(super) fn members_named(
    owned: &FieldSet,
    apply_set: &FieldSet,
    texts: &BTreeSet<String>,
) -> FieldSet {
    let mut named = FieldSet::new();
    if texts.is_empty() {
        return named;
    }
    for path in owned {
        let is_gone = !apply_set.has(&path) && apply_set.below(&path).is_none();
        if is_gone && texts.contains(&path.to_string()) {
            // Its depth is that of a set that was decoded already.
            let _ = named.insert(&path);
        }
    }
    named
}
