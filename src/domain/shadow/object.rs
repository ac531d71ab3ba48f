//! One object's forecast, from what a forced dry run of its manifest said.
//!
//! The dry run applies the stored manifest under a throw-away manager with force: its entry in the answer is the exact
//! apply set, and what other entries lost in it is where values differ (a forced apply takes exactly the fields whose
//! values it changes).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use managed_fields::entry::{Identity, decode_canonical};
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path, PathElement};
use serde_json::Value;

use super::{Conflict, ObjectForecast, ObjectOutcome, Stands, defaults};
use crate::domain::fields::{text_at, value_at};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::object::{LiveObject, ObjectRef, changed_paths};
use crate::domain::transfer::{ApplySet, TransferError, dead_entries, describe, is_own};

/// Managers that apply whole objects for others: an Apply entry of one of these is an owner, not a helper.
const APPLIERS: [&str; 6] = [
    "argocd-controller",
    "kustomize-controller",
    "helm-controller",
    "fleetagent",
    "kubectl",
    "Terraform",
];

/// API groups that the server itself serves; an object of another group is a custom resource, where a field's drift
/// matters more: Helm 3 left it alone, server-side apply overwrites it.
const BUILT_IN_GROUPS: [&str; 23] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Is this an object of a CRD or of an aggregated API?
pub fn is_custom_resource(object: &ObjectRef) -> bool {
    !is_built_in_group(object.group())
}

/// Does the server itself serve this group?
pub fn is_built_in_group(group: &str) -> bool {
    BUILT_IN_GROUPS.contains(&group)
}

/// What a dry run of the manifest showed. Entries come read: there are many fields in them, and several readers.
#[derive(Debug, Clone, Copy)]
pub struct Probe<'a> {
    /// The object.
    pub object: &'a ObjectRef,
    /// As it is.
    pub live: &'a LiveObject,
    /// Its entries.
    pub before: &'a [ManagedFieldsEntry],
    /// As it would be: the answer of the forced dry run. Its `managedFields` are not looked at.
    pub applied: &'a Value,
    /// The answer's entries.
    pub after: &'a [ManagedFieldsEntry],
    /// The throw-away manager.
    pub manager: &'a str,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
}

/// Reads managedFields for a [`Probe`].
pub fn read_entries(managed_fields: &[Value]) -> Result<Vec<ManagedFieldsEntry>, TransferError> {
    decode_canonical(managed_fields).map_err(TransferError::Live)
}

/// The forecast of one object, and the apply set that its adoption needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// The forecast; its outcome is `OwnershipOnly` where only `transfer::adopt` can say whether it is `Migrated`.
    pub forecast: ObjectForecast,
    /// The apply set; `None` if the server wiped managedFields in the dry run (rule R2).
    pub apply_set: Option<ApplySet>,
}

/// Reads a probe. Linear in the size of the object.
pub fn read_probe(probe: &Probe<'_>) -> Probed {
    let mut forecast = ObjectForecast {
        object: probe.object.clone(),
        outcome: ObjectOutcome::OwnershipOnly,
        active: Vec::new(),
        latent: Vec::new(),
        drops: Vec::new(),
        drift: Vec::new(),
        values: BTreeMap::new(),
    };
    let Some(apply_set) = ApplySet::of_manager(probe.after, probe.manager) else {
        forecast.outcome = ObjectOutcome::DeadEntries {
            entries: vec!["the server wipes managedFields on apply".to_owned()],
        };
        return Probed {
            forecast,
            apply_set: None,
        };
    };
    let after: BTreeMap<Identity, &FieldSet> = (probe.after.iter())
        .map(|entry| (entry.identity(), entry.fields()))
        .collect();
    let mut own = FieldSet::new();
    let mut own_entries = Vec::new();
    let mut own_versions_agree = true;
    let nothing = FieldSet::new();
    for entry in probe.before {
        let kept = after.get(&entry.identity()).copied().unwrap_or(&nothing);
        let lost = entry.fields().difference(kept).leaves();
        if is_own(entry, probe.managers) {
            own_versions_agree &= entry.api_version() == apply_set.api_version;
            own = own.union(entry.fields());
            own_entries.push(entry);
            // A field may be lost in text only: the server writes quantities, bytes and defaults in its own way.
            let changed = lost
                .iter()
                .filter(|path| value_at(&probe.live.json, path) != value_at(probe.applied, path));
            for path in changed {
                forecast
                    .values
                    .insert(path.to_string(), stands(&path, &own_entries, probe));
                forecast.drift.push(path.to_string());
            }
            continue;
        }
        let owner = describe(entry);
        forecast.active.extend(conflicts(&lost, entry, probe));
        if entry.api_version() == apply_set.api_version || !entry.subresource().is_empty() {
            let shared = entry
                .fields()
                .intersection(&apply_set.fields)
                .leaves()
                .difference(&lost);
            forecast.latent.extend(conflicts(&shared, entry, probe));
        }
        if is_applier(entry, &apply_set) {
            forecast.outcome = ObjectOutcome::ForeignApplier { manager: owner };
        }
    }
    let dropped = if own_versions_agree {
        drops(&own, &apply_set, probe.object)
    } else {
        Vec::new()
    };
    // A lost field whose value comes back by defaulting (an atomic list that the server completes) changes nothing.
    let changed = changed_paths(&probe.live.json, probe.applied);
    if changed.is_empty() {
        forecast.drift.clear();
    } else if forecast.drift.is_empty() && forecast.active.is_empty() {
        for path in &apply_set.fields.leaves() {
            let field = path.to_string();
            if changed.contains(&field) {
                let stands = stands(&path, &own_entries, probe);
                forecast.values.insert(field, stands);
            }
        }
        forecast.drift = changed;
    }
    forecast.drift.sort();
    forecast.drift.dedup();
    forecast
        .values
        .retain(|field, _| forecast.drift.contains(field));
    for path in &dropped {
        let stands = Stands {
            ours: None,
            ..stands(path, &own_entries, probe)
        };
        forecast.values.insert(path.to_string(), stands);
    }
    forecast.drops = dropped.iter().map(Path::to_string).collect();
    if forecast.outcome == ObjectOutcome::OwnershipOnly {
        if !forecast.active.is_empty() {
            forecast.outcome = ObjectOutcome::Conflict;
        } else if !forecast.drift.is_empty() {
            forecast.outcome = ObjectOutcome::Drift;
        }
    }
    Probed {
        forecast,
        apply_set: Some(apply_set),
    }
}

impl Probed {
    /// The same for an object with entries of versions that the server knows no more, if nothing graver is known of it.
    #[must_use]
    pub fn with_dead(mut self, live: &LiveObject, dead: &BTreeSet<String>) -> Self {
        let graver = matches!(
            self.forecast.outcome,
            ObjectOutcome::Invalid { .. } | ObjectOutcome::ForeignApplier { .. }
        );
        if !graver && let Ok(entries) = read_entries(live.managed_fields()) {
            let entries = dead_entries(&entries, dead);
            if !entries.is_empty() {
                self.forecast.outcome = ObjectOutcome::DeadEntries { entries };
            }
        }
        self
    }
}

/// What stands at a field that no other manager owns; of several entries of Helm's own that have it, the first.
fn stands(path: &Path, own: &[&ManagedFieldsEntry], probe: &Probe<'_>) -> Stands {
    let entry = own.iter().find(|entry| entry.fields().has(path));
    Stands {
        owner: entry.map(|entry| describe(entry)),
        since: entry.and_then(|entry| since(entry)),
        live: text_at(&probe.live.json, path),
        ours: text_at(probe.applied, path),
    }
}

/// When an entry last changed, if it says so: those of `scale` do not.
fn since(entry: &ManagedFieldsEntry) -> Option<Timestamp> {
    let seconds = entry.time().map(managed_fields::Time::as_unix)?;
    Timestamp::from_second(seconds).ok()
}

fn conflicts(fields: &FieldSet, entry: &ManagedFieldsEntry, probe: &Probe<'_>) -> Vec<Conflict> {
    let owner = describe(entry);
    let since = since(entry);
    fields
        .iter()
        .map(|path| Conflict {
            field: path.to_string(),
            owner: owner.clone(),
            since,
            theirs: text_at(&probe.live.json, &path),
            ours: text_at(probe.applied, &path),
        })
        .collect()
}

/// An applier of the whole object, not a helper that injects a field: known by name, or it owns most of the apply set.
fn is_applier(entry: &ManagedFieldsEntry, apply_set: &ApplySet) -> bool {
    if entry.operation() != Operation::Apply || !entry.subresource().is_empty() {
        return false;
    }
    let shared = entry
        .fields()
        .intersection(&apply_set.fields)
        .leaves()
        .len();
    let all = apply_set.fields.leaves().len();
    shared > 0 && (APPLIERS.contains(&entry.manager()) || shared * 2 > all)
}

/// Leaves that Helm owns and the manifest does not name, less what the server itself put there by default.
fn drops(own: &FieldSet, apply_set: &ApplySet, object: &ObjectRef) -> Vec<Path> {
    let string_data = [PathElement::field("stringData")];
    let has_string_data = object.kind == "Secret" && apply_set.fields.below(&string_data).is_some();
    own.difference(&apply_set.fields)
        .leaves()
        .iter()
        .filter(|path| !(has_string_data && path.starts_with(&[PathElement::field("data")])))
        .filter(|path| !is_marker_of(path, &apply_set.fields) && !defaults::is_server_default(path))
        .collect()
}

/// A node that the apply set has children of: the mark `.` of a map or list item, no field of its own.
fn is_marker_of(path: &Path, apply_set: &FieldSet) -> bool {
    apply_set.below(path).is_some()
}
