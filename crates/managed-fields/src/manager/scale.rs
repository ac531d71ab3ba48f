//! The `scale` subresource: its entries are those of the object that own `replicas`, told in the words of `Scale`.
//!
//! A request to `/scale` runs through the field manager of `autoscaling/v1 Scale` ([`ScaleEntries::to_scale`] before it), and what
//! comes out is brought back to the object ([`ScaleEntries::to_parent`]).

use std::collections::BTreeMap;

use crate::entry::{self, Identity, ManagedFieldsEntry, Operation};
use crate::path::Path;
use crate::set::FieldSet;
use crate::time::Time;

/// The version of every `Scale`.
pub const SCALE_VERSION: &str = "autoscaling/v1";

/// How entries of a kind and of its `scale` become each other.
///
/// ```
/// use managed_fields::manager::scale::ScaleEntries;
/// use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path};
///
/// let replicas = Path::of_fields(["spec", "replicas"]);
/// let scale = ScaleEntries::new("apps/v1", [("apps/v1".to_owned(), replicas.clone())].into());
/// let helm = ManagedFieldsEntry::new("helm", Operation::Apply, "apps/v1", FieldSet::of([replicas])?);
/// assert_eq!(scale.to_scale(&[helm])[0].api_version(), "autoscaling/v1");
/// # Ok::<(), managed_fields::TooDeep>(())
/// ```
#[derive(Clone, Debug)]
pub struct ScaleEntries {
    api_version: String,
    replicas: BTreeMap<String, Path>,
}

/// One entry while it is on its way.
#[derive(Clone, Debug)]
struct Owned {
    api_version: String,
    fields: FieldSet,
    time: Option<Time>,
}

impl ScaleEntries {
    /// `api_version` is the version of the kind that the request names, `replicas` is where each version of the kind has
    /// the number. Entries of other versions are dropped by [`Self::to_parent`], as the server drops them.
    pub fn new(api_version: &str, replicas: BTreeMap<String, Path>) -> Self {
        Self {
            api_version: api_version.to_owned(),
            replicas,
        }
    }

    /// The entries that the `Scale` of an object with these entries has.
    pub fn to_scale(&self, parent: &[ManagedFieldsEntry]) -> Vec<ManagedFieldsEntry> {
        let mut out = BTreeMap::new();
        for (identity, owned) in by_identity(parent) {
            if self.owns_replicas(&owned) {
                let owned = Owned {
                    api_version: SCALE_VERSION.to_owned(),
                    fields: replicas_in_scale(),
                    time: owned.time,
                };
                out.insert(identity, owned);
            }
        }
        entries(out)
    }

    /// The entries of the object after its `Scale` has got these. Who owns `replicas` there but not in the `Scale` loses
    /// it; who is new in the `Scale` gets an entry without a time.
    pub fn to_parent(
        &self,
        parent: &[ManagedFieldsEntry],
        scale: &[ManagedFieldsEntry],
    ) -> Vec<ManagedFieldsEntry> {
        let parent = by_identity(parent);
        let mut scale = by_identity(scale);
        let mut out = BTreeMap::new();
        for (identity, owned) in &parent {
            let Some(path) = self.replicas.get(&owned.api_version) else {
                continue;
            };
            let mut owned = owned.clone();
            // Entries of both sides are told apart by their versions too, if they are of updates: those never meet here, so
            // that who updates `replicas` on both sides keeps it in an entry of its own.
            if owned.fields.has(path) && scale.remove(identity).is_none() {
                owned.fields = owned.fields.difference(&only(path));
            }
            if !owned.fields.is_empty() {
                out.insert(identity.clone(), owned);
            }
        }
        let path = self.replicas.get(&self.api_version);
        for (identity, owned) in scale {
            let (Some(path), true) = (path, owned.fields.has(&in_scale())) else {
                continue;
            };
            let owned = Owned {
                api_version: self.api_version.clone(),
                fields: only(path),
                time: parent.get(&identity).and_then(|owned| owned.time),
            };
            out.insert(identity, owned);
        }
        entries(out)
    }

    fn owns_replicas(&self, owned: &Owned) -> bool {
        self.replicas
            .get(&owned.api_version)
            .is_some_and(|path| owned.fields.has(path))
    }
}

/// Of two entries with one identity the last one counts.
fn by_identity(entries: &[ManagedFieldsEntry]) -> BTreeMap<Identity, Owned> {
    let owned = |entry: &ManagedFieldsEntry| Owned {
        api_version: entry.api_version().to_owned(),
        fields: entry.fields().clone(),
        time: entry.time(),
    };
    entries
        .iter()
        .map(|entry| (entry.identity(), owned(entry)))
        .collect()
}

fn entries(owned: BTreeMap<Identity, Owned>) -> Vec<ManagedFieldsEntry> {
    let mut entries: Vec<ManagedFieldsEntry> = owned
        .into_iter()
        .map(|(identity, owned)| {
            let operation: Operation = identity.operation();
            ManagedFieldsEntry::new(
                identity.manager(),
                operation,
                owned.api_version,
                owned.fields,
            )
            .with_subresource(identity.subresource())
            .with_time(owned.time)
        })
        .collect();
    entry::sort(&mut entries);
    entries
}

fn in_scale() -> Path {
    Path::of_fields(["spec", "replicas"])
}

fn replicas_in_scale() -> FieldSet {
    only(&in_scale())
}

/// The set of one path, which is short.
fn only(path: &Path) -> FieldSet {
    let mut set = FieldSet::new();
    let _ = set.insert(path);
    set
}
