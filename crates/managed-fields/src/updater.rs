//! Apply and update: who owns what afterwards, what conflicts, what goes.
//!
//! This is the core of server-side apply without the server's extras (those are in [`crate::manager`]).

use std::collections::BTreeMap;

use crate::conflict::Conflicts;
use crate::convert::{ConvertError, Converter};
use crate::entry::Identity;
use crate::set::FieldSet;
use crate::typed::{Comparison, TypedValue, ValidationErrors};
use crate::value;

/// What one manager owns, in paths of one API version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// The fields.
    pub fields: FieldSet,
    /// The version in which their paths are written.
    pub api_version: String,
    /// Whether they were applied (and so are pruned when the manager no longer names them).
    pub applied: bool,
}

/// What each manager owns.
pub type Managers = BTreeMap<Identity, Owned>;

/// The computation, with what it needs to know of the API.
#[derive(Clone, Copy, Debug)]
pub struct Updater<'a> {
    /// Brings objects to other API versions.
    pub converter: &'a dyn Converter,
    /// Per API version, fields that a request through this endpoint does not set, such as `status`.
    pub reset: &'a BTreeMap<String, FieldSet>,
}

/// Why an apply or update fails. The messages are the server's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdaterError {
    /// Other managers own fields that the apply would change.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// The live object could not be brought to the version of an entry.
    #[error("failed to convert the live object to version {version}")]
    Reconcile {
        /// The version.
        version: String,
        /// Why not.
        source: ConvertError,
    },
    /// An entry's set does not fit the schema.
    #[error("errors reconciling field set with schema: {0}")]
    ReconcileSet(ValidationErrors),
    /// Live object and configuration could not be merged.
    #[error("failed to merge config: {0}")]
    Merge(ValidationErrors),
    /// It could not be said which fields the configuration names.
    #[error("failed to get field set: {0}")]
    FieldSet(ValidationErrors),
    /// Fields that are no longer applied could not be taken out.
    #[error("failed to prune fields: {step}")]
    PruneConvert {
        /// What could not be converted.
        step: &'static str,
        /// Why not.
        source: ConvertError,
    },
    /// Fields that are no longer applied could not be taken out.
    #[error("failed to prune fields: {step}")]
    PruneSet {
        /// What has no field set.
        step: &'static str,
        /// Why not.
        source: ValidationErrors,
    },
    /// The object could not be brought to the version of an entry.
    #[error("failed to convert {what} object")]
    Convert {
        /// `old` or `new`.
        what: &'static str,
        /// Why not.
        source: ConvertError,
    },
    /// Old and new object could not be compared.
    #[error("failed to compare objects: {0}")]
    Compare(ValidationErrors),
}

impl Updater<'_> {
    /// Applies `config` for `manager`. Gives the new object — `None` if it is the live one — and who owns what then.
    ///
    /// Without `force` any field that the apply changes or adds and somebody else owns is a conflict.
    pub fn apply<'s>(
        &self,
        live: &TypedValue<'s>,
        config: &TypedValue<'s>,
        version: &str,
        managers: &Managers,
        manager: &Identity,
        force: bool,
    ) -> Result<(Option<TypedValue<'s>>, Managers), UpdaterError> {
        let mut managers = self.reconcile(live, managers)?;
        let merged = live.merge(config).map_err(UpdaterError::Merge)?;
        let fields =
            self.without_reset(version, config.field_set().map_err(UpdaterError::FieldSet)?);
        let last = managers.insert(
            manager.clone(),
            Owned {
                fields,
                api_version: version.to_owned(),
                applied: true,
            },
        );
        let new = self.prune(merged, &managers, version, last.as_ref())?;
        self.settle(live, &new, version, &mut managers, manager, force)?;
        let changed = !(live.is_same(&new) || value::equals(live.value(), new.value()));
        Ok((changed.then_some(new), managers))
    }

    /// Says who owns what after a change from `live` to `new` by `manager` that is no apply. Nothing conflicts.
    pub fn update<'s>(
        &self,
        live: &TypedValue<'s>,
        new: &TypedValue<'s>,
        version: &str,
        managers: &Managers,
        manager: &Identity,
    ) -> Result<Managers, UpdaterError> {
        let mut managers = self.reconcile(live, managers)?;
        let changes = self.settle(live, new, version, &mut managers, manager, true)?;
        let before = managers
            .remove(manager)
            .map(|owned| owned.fields)
            .unwrap_or_default();
        let after = before
            .difference(&changes.removed)
            .union(&changes.modified)
            .union(&changes.added);
        let fields = self.without_reset(version, after);
        if !fields.is_empty() {
            managers.insert(
                manager.clone(),
                Owned {
                    fields,
                    api_version: version.to_owned(),
                    applied: false,
                },
            );
        }
        Ok(managers)
    }

    fn without_reset(&self, version: &str, fields: FieldSet) -> FieldSet {
        match self.reset.get(version) {
            Some(reset) => fields.recursive_difference(reset),
            None => fields,
        }
    }

    /// Fits the sets to the schema of today, and drops those of versions that are gone.
    fn reconcile(
        &self,
        live: &TypedValue<'_>,
        managers: &Managers,
    ) -> Result<Managers, UpdaterError> {
        let mut out = Managers::new();
        for (identity, owned) in managers {
            let live = match self.converter.convert(live, &owned.api_version) {
                Ok(live) => live,
                Err(error) if error.is_missing_version() => continue,
                Err(source) => {
                    return Err(UpdaterError::Reconcile {
                        version: owned.api_version.clone(),
                        source,
                    });
                }
            };
            let reconciled = live
                .reconcile(&owned.fields)
                .map_err(UpdaterError::ReconcileSet)?;
            let fields = reconciled.unwrap_or_else(|| owned.fields.clone());
            out.insert(
                identity.clone(),
                Owned {
                    fields,
                    ..owned.clone()
                },
            );
        }
        Ok(out)
    }

    /// Takes from the other managers what changed, or reports it as conflicts.
    fn settle<'s>(
        &self,
        old: &TypedValue<'s>,
        new: &TypedValue<'s>,
        version: &str,
        managers: &mut Managers,
        manager: &Identity,
        force: bool,
    ) -> Result<Comparison, UpdaterError> {
        let changes = self.compare(old, new, version)?;
        let mut by_version = BTreeMap::from([(version.to_owned(), Some(changes.clone()))]);
        let mut conflicts = BTreeMap::new();
        let mut gone = Vec::new();
        for (identity, owned) in managers.iter().filter(|(identity, _)| *identity != manager) {
            if !by_version.contains_key(&owned.api_version) {
                let changes = self.compare_at(old, new, &owned.api_version)?;
                by_version.insert(owned.api_version.clone(), changes);
            }
            let Some(Some(changes)) = by_version.get(&owned.api_version) else {
                gone.push(identity.clone());
                continue;
            };
            let taken = owned
                .fields
                .intersection(&changes.modified.union(&changes.added));
            if !taken.is_empty() {
                conflicts.insert(identity.clone(), taken);
            }
        }
        if !force && !conflicts.is_empty() {
            return Err(Conflicts::new(conflicts).into());
        }
        for identity in gone {
            managers.remove(&identity);
        }
        for (identity, owned) in managers
            .iter_mut()
            .filter(|(identity, _)| *identity != manager)
        {
            if let Some(taken) = conflicts.get(identity) {
                owned.fields = owned.fields.difference(taken);
            }
            if let Some(Some(changes)) = by_version.get(&owned.api_version) {
                owned.fields = owned.fields.difference(&changes.removed);
            }
        }
        managers.retain(|_, owned| !owned.fields.is_empty());
        Ok(changes)
    }

    fn compare(
        &self,
        old: &TypedValue<'_>,
        new: &TypedValue<'_>,
        version: &str,
    ) -> Result<Comparison, UpdaterError> {
        let changes = old.compare(new).map_err(UpdaterError::Compare)?;
        Ok(match self.reset.get(version) {
            Some(reset) => changes.without(reset),
            None => changes,
        })
    }

    /// The changes in paths of another version; `None` if there is no such version.
    fn compare_at(
        &self,
        old: &TypedValue<'_>,
        new: &TypedValue<'_>,
        version: &str,
    ) -> Result<Option<Comparison>, UpdaterError> {
        let mut converted = Vec::with_capacity(2);
        for (what, object) in [("old", old), ("new", new)] {
            match self.converter.convert(object, version) {
                Ok(object) => converted.push(object),
                Err(error) if error.is_missing_version() => return Ok(None),
                Err(source) => return Err(UpdaterError::Convert { what, source }),
            }
        }
        match converted.as_slice() {
            [old, new] => self.compare(old, new, version).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes out what the manager applied last time and no longer does, unless somebody else owns it.
    fn prune<'s>(
        &self,
        merged: TypedValue<'s>,
        managers: &Managers,
        version: &str,
        last: Option<&Owned>,
    ) -> Result<TypedValue<'s>, UpdaterError> {
        let Some(last) = last.filter(|last| !last.fields.is_empty()) else {
            return Ok(merged);
        };
        let at_last = match self.converter.convert(&merged, &last.api_version) {
            Ok(object) => object,
            Err(error) if error.is_missing_version() => return Ok(merged),
            Err(source) => {
                return Err(UpdaterError::PruneConvert {
                    step: "merged object to last applied version",
                    source,
                });
            }
        };
        let pruned = at_last.remove(&at_last.with_named_parents(&last.fields));
        let pruned = self.add_back_owned(&at_last, pruned, &last.api_version, managers)?;
        let pruned = self.add_back_dangling(&at_last, &pruned, last)?;
        self.converter
            .convert(&pruned, version)
            .map_err(|source| UpdaterError::PruneConvert {
                step: "pruned object to applied version",
                source,
            })
    }

    /// Puts back what anybody owns, the manager by its new configuration included.
    fn add_back_owned<'s>(
        &self,
        merged: &TypedValue<'s>,
        pruned: TypedValue<'s>,
        pruned_version: &str,
        managers: &Managers,
    ) -> Result<TypedValue<'s>, UpdaterError> {
        let mut by_version: BTreeMap<&str, FieldSet> = BTreeMap::new();
        for owned in managers.values() {
            let fields = by_version.entry(&owned.api_version).or_default();
            *fields = fields.union(&owned.fields);
        }
        let (mut merged, mut pruned) = (merged.clone(), pruned);
        // The pruned version first: what was pruned may be needed for a conversion.
        let first = by_version.remove_entry(pruned_version);
        for (version, owned) in first.into_iter().chain(by_version) {
            let convert =
                |object: &TypedValue<'s>, step| match self.converter.convert(object, version) {
                    Ok(object) => Ok(Some(object)),
                    Err(error) if error.is_missing_version() => Ok(None),
                    Err(source) => Err(UpdaterError::PruneConvert { step, source }),
                };
            let Some(merged_here) = convert(&merged, "merged object")? else {
                continue;
            };
            merged = merged_here;
            let Some(pruned_here) = convert(&pruned, "pruned object")? else {
                continue;
            };
            let all = field_set(&merged, "merged object")?;
            let left = merged.with_named_parents(&field_set(&pruned_here, "pruned object")?);
            let keep = left.union(&merged.with_named_parents(&owned));
            pruned = merged.remove(&merged.with_named_parents(&all).difference(&keep));
        }
        Ok(pruned)
    }

    /// Puts back what the manager never owned, so that it is not taken along with what it is in.
    fn add_back_dangling<'s>(
        &self,
        merged: &TypedValue<'s>,
        pruned: &TypedValue<'s>,
        last: &Owned,
    ) -> Result<TypedValue<'s>, UpdaterError> {
        let pruned = match self.converter.convert(pruned, &last.api_version) {
            Ok(object) => object,
            Err(error) if error.is_missing_version() => return Ok(merged.clone()),
            Err(source) => {
                return Err(UpdaterError::PruneConvert {
                    step: "pruned object to last applied version",
                    source,
                });
            }
        };
        let left = merged.with_named_parents(&field_set(&pruned, "pruned object")?);
        let all = merged.with_named_parents(&field_set(merged, "merged object")?);
        let mine = merged.with_named_parents(&last.fields);
        Ok(merged.remove(&all.difference(&left).intersection(&mine)))
    }
}

fn field_set(object: &TypedValue<'_>, step: &'static str) -> Result<FieldSet, UpdaterError> {
    object
        .field_set()
        .map_err(|source| UpdaterError::PruneSet { step, source })
}
