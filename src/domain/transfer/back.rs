//! The way back: three-way, so that what others took or wrote since stays theirs.

use managed_fields::entry::{decode, sort};
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation};
use serde_json::Value;

use super::adopt::{Adoption, Inverse, TransferError, Trimmed, read};
use super::owners::{describe, is_own};
use super::values::MARK_MANAGER;
use crate::domain::fleet::ManagerMatcher;

/// The server folds the oldest Update entries into `ancient-changes` beyond this many, which would swallow what we
/// put back (upstream `apimachinery/pkg/util/managedfields/internal/capmanagers.go`, rule R6).
const MAX_UPDATE_ENTRIES: usize = 10;

/// Why the way back is closed.
#[derive(Debug, thiserror::Error)]
pub enum BackError {
    /// Something does not read.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// Our entry is not there, so there is nothing of ours to take back.
    #[error("our entry is not there")]
    NotOurs,
    /// Too many Update managers: the server would fold the oldest away.
    #[error(
        "{0} managers would own fields by Update; beyond {MAX_UPDATE_ENTRIES} the server folds the oldest away"
    )]
    TooManyManagers(usize),
}

/// An object's own entries, compared with an adoption's before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ours {
    /// As before the adoption, or smaller.
    Before,
    /// As the adoption wrote them, or smaller.
    After,
    /// Neither: Helm or an alias wrote.
    Rewritten {
        /// Whose entry.
        by: String,
    },
}

/// Which side is an object on? Our entry's time tells it from an older Apply entry of the same manager.
pub fn classify(
    live: &[Value],
    inverse: &Inverse,
    managers: &ManagerMatcher,
) -> Result<Ours, TransferError> {
    let own: Vec<_> = read(live)
        .map_err(TransferError::Live)?
        .into_iter()
        .filter(|entry| is_own(entry, managers))
        .collect();
    let written = one(&inverse.written)?;
    if let [entry] = own.as_slice()
        && is_shrunk(entry, &written)
        && entry.time() == written.time()
    {
        return Ok(Ours::After);
    }
    let before = read(&inverse.removed).map_err(TransferError::Saved)?;
    match own
        .iter()
        .find(|entry| !before.iter().any(|saved| is_shrunk(entry, saved)))
    {
        None => Ok(Ours::Before),
        Some(entry) => Ok(Ours::Rewritten {
            by: format!("{}/{}", describe(entry), entry.operation()),
        }),
    }
}

fn is_shrunk(entry: &ManagedFieldsEntry, saved: &ManagedFieldsEntry) -> bool {
    entry.identity() == saved.identity()
        && entry.api_version() == saved.api_version()
        && entry.fields().is_subset(saved.fields())
}

fn one(value: &Value) -> Result<ManagedFieldsEntry, TransferError> {
    let mut entries = decode(&Value::Array(vec![value.clone()])).map_err(TransferError::Saved)?;
    entries.pop().ok_or(TransferError::Empty)
}

/// What became of the fields that were pinned.
struct Pins {
    before: Option<ManagedFieldsEntry>,
    after: Option<ManagedFieldsEntry>,
    /// What the entry got.
    added: FieldSet,
    /// Of it, what others took since.
    lost: FieldSet,
}

fn pinned_now(inverse: &Inverse, others: &[ManagedFieldsEntry]) -> Result<Pins, TransferError> {
    let Some(pinned) = &inverse.pinned else {
        return Ok(Pins {
            before: None,
            after: None,
            added: FieldSet::new(),
            lost: FieldSet::new(),
        });
    };
    let after = one(&pinned.after)?;
    let before = pinned.before.as_ref().map(one).transpose()?;
    let added = match &before {
        Some(before) => after.fields().difference(before.fields()),
        None => after.fields().clone(),
    };
    let now = others
        .iter()
        .find(|entry| entry.identity() == after.identity());
    let lost = match now {
        Some(now) => added.difference(now.fields()),
        None => added.clone(),
    };
    Ok(Pins {
        before,
        after: Some(after),
        added,
        lost,
    })
}

impl Pins {
    /// Takes the pinned fields out of their entry again.
    fn take_out(&self, wish: &mut Vec<ManagedFieldsEntry>) {
        let Some(after) = &self.after else { return };
        let Some(place) = wish
            .iter()
            .position(|entry| entry.identity() == after.identity())
        else {
            return;
        };
        let entry = wish.remove(place);
        let left = entry.fields().difference(&self.added);
        match &self.before {
            Some(before) if left == *before.fields() => wish.push(before.clone()),
            _ if left.is_empty() => {}
            _ => wish.push(entry.with_fields(left)),
        }
    }
}

/// The managedFields that put an adopted object back: own entries as saved, less what others took from us since;
/// everybody else's as they are now.
pub fn put_back(
    live: &[Value],
    inverse: &Inverse,
    managers: &ManagerMatcher,
) -> Result<Vec<Value>, BackError> {
    if classify(live, inverse, managers)? != Ours::After {
        return Err(BackError::NotOurs);
    }
    restore(live, inverse, managers, false)
}

/// The same for an object whose values were put back before it: the traces of those requests
/// ([`super::values::MARK_MANAGER`]) go too, and the object may not have been adopted yet.
pub fn put_owners_back(
    live: &[Value],
    inverse: &Inverse,
    managers: &ManagerMatcher,
) -> Result<Vec<Value>, BackError> {
    if matches!(classify(live, inverse, managers)?, Ours::Rewritten { .. }) {
        return Err(BackError::NotOurs);
    }
    restore(live, inverse, managers, true)
}

fn is_mark(entry: &ManagedFieldsEntry) -> bool {
    entry.manager() == MARK_MANAGER
        && entry.operation() == Operation::Update
        && entry.subresource().is_empty()
}

/// Does a request that changed values leave its trace here?
pub fn is_marked(live: &[Value]) -> Result<bool, TransferError> {
    Ok(read(live).map_err(TransferError::Live)?.iter().any(is_mark))
}

/// The adoption of an object whose values were set just before: without the trace of that request, and with an inverse
/// that leads back to the owners from before it. `saved` is the inverse that was known then.
pub fn after_values(saved: &Inverse, adoption: Adoption) -> Result<Adoption, TransferError> {
    let mut wish = read(&adoption.wish).map_err(TransferError::Live)?;
    wish.retain(|entry| !is_mark(entry));
    let mut trimmed = Vec::new();
    for lost in saved.trimmed.iter().chain(&adoption.inverse.trimmed) {
        let before = one(&lost.before)?;
        let identity = before.identity();
        let known = trimmed.iter().any(|known: &Trimmed| {
            one(&known.before).is_ok_and(|entry| entry.identity() == identity)
        });
        if known || is_mark(&before) {
            continue;
        }
        let after = wish.iter().find(|entry| entry.identity() == identity);
        trimmed.push(Trimmed {
            before: lost.before.clone(),
            after: after.map(ManagedFieldsEntry::to_value),
        });
    }
    Ok(Adoption {
        wish: wish.iter().map(ManagedFieldsEntry::to_value).collect(),
        inverse: Inverse {
            written: adoption.inverse.written,
            removed: saved.removed.clone(),
            trimmed,
            pinned: adoption.inverse.pinned,
            lost: saved.lost.clone(),
        },
    })
}

fn restore(
    live: &[Value],
    inverse: &Inverse,
    managers: &ManagerMatcher,
    marked: bool,
) -> Result<Vec<Value>, BackError> {
    let written = one(&inverse.written)?;
    let (own, mut wish): (Vec<_>, Vec<_>) = read(live)
        .map_err(TransferError::Live)?
        .into_iter()
        .partition(|entry| is_own(entry, managers) || (marked && is_mark(entry)));
    if inverse.lost.as_ref().is_some_and(|lost| lost.one_way) {
        // What was there cannot be written: it stays as it is, but for the traces of values that were put back.
        let stays = read(live).map_err(TransferError::Live)?.into_iter();
        let stays = stays.filter(|entry| !(marked && is_mark(entry)));
        return Ok(stays.map(|entry| entry.to_value()).collect());
    }
    let kept = own
        .iter()
        .fold(FieldSet::new(), |all, entry| all.union(entry.fields()));
    let pins = pinned_now(inverse, &wish)?;
    let taken = written.fields().difference(&kept).union(&pins.lost);
    let less_taken = |entry: ManagedFieldsEntry| {
        if taken.is_empty() {
            return Some(entry);
        }
        let fields = entry.fields().difference(&taken);
        (!fields.is_empty()).then(|| {
            if fields == *entry.fields() {
                entry
            } else {
                entry.with_fields(fields)
            }
        })
    };
    wish.extend(
        read(&inverse.removed)
            .map_err(TransferError::Saved)?
            .into_iter()
            .filter(|entry| !inverse.has_lost(entry))
            .filter_map(less_taken),
    );
    for trimmed in &inverse.trimmed {
        let before = one(&trimmed.before)?;
        let after = trimmed.after.as_ref().map(one).transpose()?;
        let place = wish
            .iter()
            .position(|entry| entry.identity() == before.identity());
        match (place.and_then(|place| wish.get_mut(place)), after) {
            (Some(entry), Some(after)) if entry.fields() == after.fields() => {
                if let Some(before) = less_taken(before) {
                    *entry = before;
                }
            }
            (Some(entry), after) => {
                let lost = after.map_or_else(
                    || before.fields().clone(),
                    |after| before.fields().difference(after.fields()),
                );
                let fields = entry.fields().union(&lost.difference(&taken));
                *entry = entry.clone().with_fields(fields);
            }
            (None, _) => wish.extend(less_taken(before)),
        }
    }
    pins.take_out(&mut wish);
    let updates = wish
        .iter()
        .filter(|entry| entry.operation() == Operation::Update)
        .count();
    if updates > MAX_UPDATE_ENTRIES {
        return Err(BackError::TooManyManagers(updates));
    }
    if wish.is_empty() && inverse.lost.is_some() {
        // All that there was is lost. Nobody's object would be the next apply's trap, so ours stays.
        return Ok(live.to_vec());
    }
    if wish.is_empty() && inverse.removed.is_empty() && inverse.trimmed.is_empty() {
        // It had none before: `[{}]` resets the list, which is exactly that state.
        return Ok(Vec::new());
    }
    if wish.is_empty() {
        return Err(TransferError::Empty.into());
    }
    sort(&mut wish);
    Ok(wish.iter().map(ManagedFieldsEntry::to_value).collect())
}
