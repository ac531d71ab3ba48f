//! From client-side to server-side apply: one Apply entry in place of a client's Update entries.
//!
//! [`Flavor::Original`] is what `kubectl` and Helm 4 do (`k8s.io/client-go/util/csaupgrade`). [`Flavor::Fixed`] differs
//! in two points: entries of other API versions are not thrown away where their fields can be kept, and the result
//! does not depend on the order of the client's names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::entry::{self, DecodeError, ManagedFieldsEntry, Operation};
use crate::set::FieldSet;

/// Whose entries become whose.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade<'a> {
    /// The names under which the client wrote with update requests.
    pub csa_managers: &'a BTreeSet<String>,
    /// The name under which it will apply.
    pub ssa_manager: &'a str,
    /// The subresource of the entries; empty for the main resource. Others stay as they are.
    pub subresource: &'a str,
    /// What to do where the original loses ownership.
    pub flavor: Flavor,
}

/// How to treat entries of several API versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flavor {
    /// As upstream: of each client name only the entry with the Apply entry's API version is kept, the fields of the
    /// others lose their owner. (Upstream takes the names in random order; here they are sorted.)
    Original,
    /// The fields of all the client's entries, of whatever API version, are united under the Apply entry's version,
    /// which is that of the youngest entry if there is no Apply entry yet.
    ///
    /// Paths are taken over as they are: right where the versions name a field alike.
    #[default]
    Fixed,
}

impl Upgrade<'_> {
    /// The entries after the upgrade; the same list if there is nothing to do. Entries that are not concerned are not touched.
    pub fn entries(&self, entries: &[ManagedFieldsEntry]) -> Vec<ManagedFieldsEntry> {
        match self.flavor {
            Flavor::Original => {
                let mut entries = entries.to_vec();
                for csa_manager in self.csa_managers {
                    entries = self.original(entries, csa_manager);
                }
                entries
            }
            Flavor::Fixed => self.fixed(entries),
        }
    }

    fn is_ssa(&self, entry: &ManagedFieldsEntry) -> bool {
        entry.operation() == Operation::Apply
            && entry.manager() == self.ssa_manager
            && entry.subresource() == self.subresource
    }

    fn is_csa(&self, entry: &ManagedFieldsEntry) -> bool {
        entry.operation() == Operation::Update
            && entry.subresource() == self.subresource
            && self.csa_managers.contains(entry.manager())
    }

    fn original(
        &self,
        mut entries: Vec<ManagedFieldsEntry>,
        csa_manager: &str,
    ) -> Vec<ManagedFieldsEntry> {
        let is_csa =
            |entry: &ManagedFieldsEntry| self.is_csa(entry) && entry.manager() == csa_manager;
        let Some(at) = entries
            .iter()
            .position(|entry| self.is_ssa(entry))
            .or_else(|| entries.iter().position(is_csa))
        else {
            return entries;
        };
        let base = &entries[at];
        // If the base is a client's entry, this is the first of that version besides it.
        let other = entries
            .iter()
            .enumerate()
            .find(|(i, e)| *i != at && is_csa(e) && e.api_version() == base.api_version());
        let fields = match other {
            Some((_, other)) => base.fields().union(other.fields()),
            None => base.fields().clone(),
        };
        entries[at] = become_ssa(base, self.ssa_manager, fields);
        entries.retain(|entry| !is_csa(entry));
        entries
    }

    fn fixed(&self, entries: &[ManagedFieldsEntry]) -> Vec<ManagedFieldsEntry> {
        let csa = || {
            entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| self.is_csa(entry))
        };
        if csa().next().is_none() {
            return entries.to_vec();
        }
        let youngest = || {
            csa()
                .max_by(|(i, a), (j, b)| entry::server_order(a, b).then(j.cmp(i)))
                .map(|(i, _)| i)
        };
        let Some(at) = entries
            .iter()
            .position(|entry| self.is_ssa(entry))
            .or_else(youngest)
        else {
            return entries.to_vec();
        };
        let fields = csa().fold(entries[at].fields().clone(), |fields, (_, entry)| {
            fields.union(entry.fields())
        });
        let keep = |i: usize, entry: &ManagedFieldsEntry| {
            if i == at {
                Some(become_ssa(entry, self.ssa_manager, fields.clone()))
            } else if self.is_csa(entry) {
                None
            } else {
                Some(entry.clone())
            }
        };
        entries
            .iter()
            .enumerate()
            .filter_map(|(i, entry)| keep(i, entry))
            .collect()
    }
}

/// The entry with other fields under the new name; as it was read, if that changes nothing.
fn become_ssa(entry: &ManagedFieldsEntry, manager: &str, fields: FieldSet) -> ManagedFieldsEntry {
    let is_ssa = entry.operation() == Operation::Apply && entry.manager() == manager;
    if is_ssa && *entry.fields() == fields {
        return entry.clone();
    }
    entry
        .clone()
        .with_manager(manager, Operation::Apply)
        .with_fields(fields)
}

/// The JSON patch that upgrades `object`, `None` if there is nothing to do.
///
/// It replaces `metadata.managedFields` and then `metadata.resourceVersion` by what was read, so that the server answers
/// a change in between with 409 (a `test` would give 422).
///
/// ```
/// use managed_fields::csa::{Flavor, Upgrade, upgrade};
/// use serde_json::json;
///
/// let object = json!({"metadata": {"resourceVersion": "7", "managedFields": [
///     {"manager": "helm", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {}}},
/// ]}});
/// let upgrade_helm = Upgrade {
///     csa_managers: &["helm".to_owned()].into(),
///     ssa_manager: "helm",
///     subresource: "",
///     flavor: Flavor::Fixed,
/// };
/// let patch = upgrade(&object, &upgrade_helm)?.unwrap_or_default();
/// assert_eq!(patch[0]["value"][0]["operation"], "Apply");
/// assert_eq!(patch[1], json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"}));
/// # Ok::<(), managed_fields::entry::DecodeError>(())
/// ```
pub fn upgrade(object: &Value, upgrade: &Upgrade<'_>) -> Result<Option<Value>, DecodeError> {
    let metadata = &object["metadata"];
    let before = entry::decode(&metadata["managedFields"])?;
    let after = upgrade.entries(&before);
    let (old, new) = (entry::encode(&before), entry::encode(&after));
    if old == new {
        return Ok(None);
    }
    let resource_version = metadata["resourceVersion"].as_str().unwrap_or_default();
    Ok(Some(json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": new},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version},
    ])))
}

/// The entries of an operation that own all of `fields`.
pub fn owners_of<'e>(
    entries: &'e [ManagedFieldsEntry],
    operation: Operation,
    fields: &FieldSet,
) -> impl Iterator<Item = &'e ManagedFieldsEntry> {
    entries
        .iter()
        .filter(move |entry| entry.operation() == operation && fields.is_subset(entry.fields()))
}
