//! Live objects of a cluster: one LIST a kind, of which only what manifests name is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::left::{Owner, kept_by, owner};
use crate::cluster::{self, ErrorKind, Reader};
use crate::domain::ids::ReleaseId;
use crate::domain::object::{LiveObject, ObjectRef};

/// A kind of which fewer objects are wanted is not listed: so many single reads cost less than a page.
const WORTH_A_LIST: usize = 4;

/// What was found of the objects that are wanted.
#[derive(Debug, Default)]
pub struct Lives {
    /// Kinds that were listed.
    listed: BTreeSet<(String, String)>,
    found: BTreeMap<ObjectRef, LiveObject>,
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
    /// that the server fails to list, is left out. Memory: the wanted objects, and all of one kind while it is listed.
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
            let all = match reader.objects(api_version, kind).await {
                Ok(all) => all,
                Err(error)
                    if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::UnknownKind)
                        || error.is_fault() =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            for live in all {
                let object = named(api_version, kind, &live);
                if wanted.contains(&object) {
                    lives.found.insert(object, live);
                } else if let Some(owner) = kept_by(&live) {
                    lives.kept.entry(owner).or_default().push(object);
                }
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
        match self.found.get(object) {
            Some(live) => Known::Found(Box::new(live.clone())),
            None if self.listed.contains(&kind) => Known::Missing,
            None => Known::Unlisted,
        }
    }
}

fn named(api_version: &str, kind: &str, live: &LiveObject) -> ObjectRef {
    let text = |key| live.json.pointer(key).and_then(Value::as_str);
    ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: text("/metadata/namespace").map(Into::into),
        name: text("/metadata/name").unwrap_or_default().to_owned(),
    }
}
