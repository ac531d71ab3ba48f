//! The objects of a stored manifest, as requests name them: scope from discovery, Helm's decoration, install order.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::{self, Kind, Reader};
use crate::domain::ids::Namespace;
use crate::domain::object::ObjectRef;
use crate::helm::Record;
use crate::helm::manifest;

/// One object of a manifest, ready to be applied.
#[derive(Debug, Clone)]
pub struct ManifestObject {
    /// Which.
    pub object: ObjectRef,
    /// Its plural, for access reviews.
    pub resource: String,
    /// What Helm applies: the manifest's object, its namespace, Helm's label and annotations.
    pub body: Value,
}

/// A kind that the cluster does not serve at the manifest's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnservedKind {
    /// Which object.
    pub object: ObjectRef,
}

/// The objects of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// Those whose kinds are served, in Helm's install order; of an object that occurs twice, the last.
    pub served: Vec<ManifestObject>,
    /// The others: the release is blocked until its record is fixed.
    pub unserved: Vec<UnservedKind>,
    /// Objects that the manifest holds more than once.
    pub repeated: Vec<ObjectRef>,
}

/// Why a manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// Discovery failed.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// It is not what Helm would have stored.
    #[error("the stored manifest does not read")]
    Manifest(#[from] manifest::ManifestError),
}

/// Reads the manifest of a record.
pub async fn objects(reader: &dyn Reader, record: &Record) -> Result<Objects, ObjectsError> {
    objects_of(reader, record, &record.manifest, Decoration::Helms).await
}

/// What Helm adds to an object that it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoration {
    /// Its label and annotations.
    Helms,
    /// Nothing: so it applies hooks.
    Plain,
}

/// Reads a text of a record: its manifest, or a hook's.
pub(super) async fn objects_of(
    reader: &dyn Reader,
    record: &Record,
    text: &str,
    decoration: Decoration,
) -> Result<Objects, ObjectsError> {
    let parsed = manifest::objects(text)?;
    let mut kinds = reader.kinds(false).await?;
    if parsed
        .iter()
        .any(|object| find(&kinds, &object.api_version, &object.kind).is_none())
    {
        kinds = reader.kinds(true).await?;
    }
    let mut objects = Objects::default();
    let mut places: BTreeMap<ObjectRef, usize> = BTreeMap::new();
    for parsed in parsed {
        let kind = find(&kinds, &parsed.api_version, &parsed.kind);
        let namespaced = kind.is_none_or(|kind| kind.namespaced);
        let namespace = namespaced
            .then(|| Namespace::new(parsed.namespace.as_deref().unwrap_or(&record.namespace)));
        let object = ObjectRef {
            api_version: parsed.api_version.clone(),
            kind: parsed.kind.clone(),
            namespace: namespace.clone(),
            name: parsed.name.clone(),
        };
        let Some(kind) = kind else {
            objects.unserved.push(UnservedKind { object });
            continue;
        };
        let mut body = match decoration {
            Decoration::Helms => manifest::decorate(parsed.body, &record.name, &record.namespace),
            Decoration::Plain => parsed.body,
        };
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            match &namespace {
                Some(namespace) => {
                    metadata.insert("namespace".to_owned(), Value::from(namespace.as_str()))
                }
                None => metadata.remove("namespace"),
            };
        }
        let found = ManifestObject {
            object: object.clone(),
            resource: kind.plural.clone(),
            body,
        };
        match places
            .get(&object)
            .and_then(|place| objects.served.get_mut(*place))
        {
            Some(earlier) => {
                *earlier = found;
                objects.repeated.push(object);
            }
            None => {
                places.insert(object, objects.served.len());
                objects.served.push(found);
            }
        }
    }
    objects
        .served
        .sort_by_key(|object| manifest::install_order(&object.object.kind));
    Ok(objects)
}

fn find<'a>(kinds: &'a [Kind], api_version: &str, kind: &str) -> Option<&'a Kind> {
    kinds
        .iter()
        .find(|known| known.api_version == api_version && known.kind == kind)
}
