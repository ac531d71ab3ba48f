//! Live objects of a cluster: one LIST a kind, of which only what manifests name is kept, as text until it is forecast.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::left::{Owner, kept_by, owner};
use crate::cluster::{self, ErrorKind, Pages, Reader};
use crate::domain::ids::ReleaseId;
use crate::domain::object::{LiveObject, ObjectRef};

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
            let mut pages = Wanted {
                api_version,
                kind,
                names: &wanted,
                found: BTreeMap::new(),
                kept: Vec::new(),
            };
            match reader.visit(api_version, kind, &mut pages).await {
                Ok(()) => {
                    lives.found.extend(pages.found);
                    for (owner, object) in pages.kept {
                        lives.kept.entry(owner).or_default().push(object);
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
        match self.found.get(object).map(Packed::unpack) {
            Some(Some(live)) => Known::Found(Box::new(live)),
            None if self.listed.contains(&kind) => Known::Missing,
            Some(None) | None => Known::Unlisted,
        }
    }
}

/// Keeps of a kind's pages what is wanted.
struct Wanted<'a> {
    api_version: &'a str,
    kind: &'a str,
    names: &'a BTreeSet<&'a ObjectRef>,
    found: BTreeMap<ObjectRef, Packed>,
    /// What Helm kept of it and nobody wants, with the release that left it.
    kept: Vec<(Owner, ObjectRef)>,
}

impl Pages for Wanted<'_> {
    fn page(&mut self, objects: Vec<LiveObject>) {
        for live in objects {
            let object = named(self.api_version, self.kind, &live);
            if self.names.contains(&object) {
                self.found.insert(object, Packed::of(&live));
            } else if let Some(owner) = kept_by(&live) {
                self.kept.push((owner, object));
            }
        }
    }

    fn again(&mut self) {
        self.found.clear();
        self.kept.clear();
    }
}

/// An object as text: a tenth of what its tree takes, and it is wanted as a tree only while it is forecast.
#[derive(Debug)]
struct Packed(Box<str>);

impl Packed {
    fn of(live: &LiveObject) -> Self {
        Self(live.json.to_string().into_boxed_str())
    }

    /// `None` cannot be: the text was written here.
    fn unpack(&self) -> Option<LiveObject> {
        LiveObject::new(serde_json::from_str(&self.0).ok()?).ok()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn live(name: &str) -> LiveObject {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": {"half": 0.1, "big": 1e300, "text": "ü\u{2028}\""},
            "metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "7", "managedFields": [{"f": {}}]},
        });
        LiveObject::new(json).unwrap()
    }

    #[test]
    fn what_is_wanted_comes_back_as_it_was_and_nothing_else_is_kept() {
        let (one, two) = (live("one"), live("two"));
        let names = ["one", "two"].map(|name| named("v1", "ConfigMap", &live(name)));
        let wanted = names.iter().collect();
        let mut pages = Wanted {
            api_version: "v1",
            kind: "ConfigMap",
            names: &wanted,
            found: BTreeMap::new(),
            kept: Vec::new(),
        };
        pages.page(vec![live("one"), live("foreign")]);
        assert_eq!(pages.found.keys().collect::<Vec<_>>(), [&names[0]]);
        assert_eq!(pages.found[&names[0]].unpack(), Some(one));
        pages.again();
        pages.page(vec![two.clone()]);
        assert_eq!(pages.found.len(), 1);
        assert_eq!(pages.found[&names[1]].unpack(), Some(two));
    }

    #[test]
    fn a_list_that_starts_over_names_what_helm_kept_once() {
        let kept = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "left", "namespace": "shop", "uid": "u", "resourceVersion": "7", "annotations": {
                "helm.sh/resource-policy": "keep", "meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop",
            }},
        });
        let kept = LiveObject::new(kept).unwrap();
        let wanted = BTreeSet::new();
        let mut pages = Wanted {
            api_version: "v1",
            kind: "ConfigMap",
            names: &wanted,
            found: BTreeMap::new(),
            kept: Vec::new(),
        };
        pages.page(vec![kept.clone(), live("foreign")]);
        pages.again();
        pages.page(vec![live("foreign"), kept.clone()]);
        let object = named("v1", "ConfigMap", &kept);
        let owner = ("shop".to_owned(), "web".to_owned());
        assert_eq!(pages.kept, [(owner, object)]);
        assert!(pages.found.is_empty());
    }
}
