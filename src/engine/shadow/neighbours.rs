//! Who else holds an object: two releases that hold one object lose data under server-side apply (rule R4).

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::{Namespace, ReleaseId};
use crate::domain::object::ObjectRef;

type Identity = (String, String, Option<Namespace>, String);

/// Which releases of one cluster hold which objects, by group, kind, namespace and name (not by version, and not by
/// annotations: only manifests tell).
#[derive(Debug, Clone, Default)]
pub struct Holders {
    shared: BTreeMap<Identity, BTreeSet<ReleaseId>>,
}

impl Holders {
    /// The other releases that hold `object`.
    pub fn others(&self, object: &ObjectRef, release: &ReleaseId) -> Vec<String> {
        let holders = self.shared.get(&object.identity());
        holders
            .into_iter()
            .flatten()
            .filter(|holder| *holder != release)
            .map(ToString::to_string)
            .collect()
    }
}

/// Collects the objects that more than one release holds. Memory: one entry an object while it runs.
pub fn holders<'a>(objects: impl IntoIterator<Item = (&'a ReleaseId, &'a ObjectRef)>) -> Holders {
    let mut all: BTreeMap<Identity, BTreeSet<ReleaseId>> = BTreeMap::new();
    for (release, object) in objects {
        all.entry(object.identity())
            .or_default()
            .insert(release.clone());
    }
    all.retain(|_, releases| releases.len() > 1);
    Holders { shared: all }
}
