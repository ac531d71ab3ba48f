//! Live objects of a cluster: one LIST a kind, of which only what manifests name is kept, as text until it is forecast.

use std::collections::{BTreeMap, BTreeSet};

use super::left::{Owner, kept_by, owner};
use crate::cluster::{self, ErrorKind, Reader, gather};
use crate::domain::ids::ReleaseId;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::engine::packed::{Packed, Packer, unpack, whole};

/// A kind of which fewer objects are wanted is not listed: so many single reads cost less than a page.
const WORTH_A_LIST: usize = 4;

/// What was found of the objects that are wanted.
#[derive(Debug, Default)]
pub struct Lives {
    /// Kinds that were listed.
    listed: BTreeSet<(String, String)>,
    found: BTreeMap<ObjectRef, Packed>,
    /// Objects that Helm kept and that nobody wants, by their release.
    kept: BTreeMap<Owner, Vec<ObjectRef>>,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// As it was listed.
    Found(Box<LiveObject>),
    /// Its kind was listed, and it was not there.
    Missing,
    /// Its kind was not listed: read it by itself.
    Unlisted,
}

impl Lives {
    /// Lists the kinds of the wanted objects, one after the other. A kind that may not be listed in all namespaces, or
    /// that the server fails to list, is left out. Memory: the texts of the wanted objects, and a page.
    pub async fn list(reader: &dyn Reader, wanted: &[&ObjectRef]) -> cluster::Result<Self> {
        let mut kinds: BTreeMap<(&str, &str), BTreeSet<&ObjectRef>> = BTreeMap::new();
        for &object in wanted {
            kinds
                .entry((&object.api_version, &object.kind))
                .or_default()
                .insert(object);
        }
        let mut lives = Self::default();
        for ((api_version, kind), wanted) in kinds {
            if wanted.len() < WORTH_A_LIST {
                continue;
            }
            let mut packer = Packer::default();
            let keep = |live| kept(api_version, kind, &wanted, &mut packer, &live);
            match gather(reader, api_version, kind, keep).await {
                Ok(all) => {
                    for kept in all {
                        match kept {
                            Kept::Wanted(object, live) => drop(lives.found.insert(object, live)),
                            Kept::Left(owner, object) => {
                                lives.kept.entry(owner).or_default().push(object);
                            }
                        }
                    }
                }
                Err(error)
                    if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::UnknownKind)
                        || error.is_fault() =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            }
            lives
                .listed
                .insert((api_version.to_owned(), kind.to_owned()));
        }
        Ok(lives)
    }

    /// Objects among those listed that a release left because of helm.sh/resource-policy.
    pub fn kept(&self, release: &ReleaseId) -> &[ObjectRef] {
        self.kept.get(&owner(release)).map_or(&[], Vec::as_slice)
    }

    /// What is known of an object.
    pub fn get(&self, object: &ObjectRef) -> Known {
        let kind = (object.api_version.clone(), object.kind.clone());
        match self.found.get(object).map(unpack) {
            Some(Some(live)) => Known::Found(Box::new(live)),
            None if self.listed.contains(&kind) => Known::Missing,
            Some(None) | None => Known::Unlisted,
        }
    }
}

/// What is kept of a list.
#[derive(Debug)]
enum Kept {
    /// An object that a manifest names.
    Wanted(ObjectRef, Packed),
    /// One that Helm kept and nobody wants, with the release that left it.
    Left(Owner, ObjectRef),
}

fn kept(
    api_version: &str,
    kind: &str,
    wanted: &BTreeSet<&ObjectRef>,
    packer: &mut Packer,
    live: &LiveObject,
) -> Option<Kept> {
    let object = ObjectRef::listed(api_version, kind, live);
    if wanted.contains(&object) {
        return Some(Kept::Wanted(object, packer.pack(whole(live))));
    }
    Some(Kept::Left(kept_by(live)?, object))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn live(name: &str, annotations: &Value) -> LiveObject {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "7", "annotations": annotations},
        });
        LiveObject::new(json).unwrap()
    }

    #[test]
    fn of_a_list_is_kept_what_is_wanted_and_what_helm_left() {
        let none = json!({});
        let left = json!({
            "helm.sh/resource-policy": "keep", "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop",
        });
        let name = |name: &str| ObjectRef::listed("v1", "ConfigMap", &live(name, &none));
        let (one, orphan) = (name("one"), name("orphan"));
        let wanted = BTreeSet::from([&one]);
        let kept = |live: &LiveObject| {
            super::kept("v1", "ConfigMap", &wanted, &mut Packer::default(), live)
        };
        assert!(kept(&live("foreign", &none)).is_none());
        // Wanted is wanted, whatever Helm may do with it later.
        for annotations in [&none, &left] {
            let live = live("one", annotations);
            let Some(Kept::Wanted(object, packed)) = kept(&live) else {
                panic!("it is wanted");
            };
            assert_eq!((object, unpack(&packed)), (one.clone(), Some(live)));
        }
        let Some(Kept::Left(owner, object)) = kept(&live("orphan", &left)) else {
            panic!("it was left");
        };
        assert_eq!(owner, ("shop".to_owned(), "web".to_owned()));
        assert_eq!(object, orphan);
    }
}
