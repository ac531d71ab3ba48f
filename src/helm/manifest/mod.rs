//! The objects of a stored manifest, as `helm upgrade` reads them before it applies them.
//!
//! Documents are split as Kubernetes' stream reader does it, read as `sigs.k8s.io/yaml` does it, lists are flattened
//! (source: k8s.io/apimachinery `util/yaml/decoder.go`, `unstructured/helpers.go`; k8s.io/cli-runtime `resource/visitor.go`).
mod decorate;
mod documents;
mod order;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use serde_json::{Map, Number, Value};

pub use decorate::decorate;
pub use order::{InstallOrder, install_order};

use super::yaml::{self, YamlError};

/// One object of a manifest, as it stands there.
#[derive(Clone, PartialEq)]
pub struct ManifestObject {
    /// Where it stands.
    pub place: Place,
    /// `apps/v1`, `v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace, if the manifest names one; whether the kind has one is for the cluster to say.
    pub namespace: Option<String>,
    /// The whole object. Integers are those of Kubernetes: what does not fit 64 bits with a sign is a float.
    pub body: Value,
}

impl fmt::Debug for ManifestObject {
    /// Leaves the body out: it may be a Secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ManifestObject")
            .field("place", &self.place)
            .field("api_version", &self.api_version)
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

/// Where an object stands in its manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the document, from 1; empty ones are not counted.
    pub document: usize,
    /// Template that it was rendered from, as Helm's comment `# Source:` says.
    pub source: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "document {}", self.document)?;
        self.source
            .as_ref()
            .map_or(Ok(()), |source| write!(formatter, " ({source})"))
    }
}

/// Why a manifest cannot be read. Helm would refuse it likewise, but for the limits of [`yaml`].
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// A line that begins with `---` and goes on with something else than a comment.
    #[error("{place} ends in an invalid document separator")]
    Separator {
        /// The document before it.
        place: Place,
    },
    /// Not YAML as Helm reads it.
    #[error("{place} is not YAML")]
    Yaml {
        /// Which document.
        place: Place,
        /// Where in the document.
        #[source]
        source: YamlError,
    },
    /// A document, or an item of a list, is a string or a list or the like.
    #[error("{place} holds something else than an object")]
    NotAnObject {
        /// Which document.
        place: Place,
    },
    /// `items` is there and no list, so to Helm the object is a broken list, whatever its kind.
    #[error("{place} has items that are no list")]
    Items {
        /// Which document.
        place: Place,
    },
    /// An object lacks `apiVersion`, `kind` or `metadata.name`.
    #[error("{place} holds an object without {field}")]
    Missing {
        /// Which document.
        place: Place,
        /// The field.
        field: &'static str,
    },
    /// An object has `generateName` for a name: server-side apply needs a name.
    #[error("{place} holds an object with generateName instead of a name")]
    GenerateName {
        /// Which document.
        place: Place,
    },
}

/// The objects of a manifest in stored order; those of lists in the place of the list. O(n).
///
/// An object may occur twice: see [`repeats`].
pub fn objects(manifest: &str) -> Result<Vec<ManifestObject>, ManifestError> {
    let mut objects = Vec::new();
    let mut document = 1;
    for text in documents::split(manifest) {
        let place = |text: &str| Place {
            document,
            source: documents::source(text),
        };
        let text = text.map_err(|before| ManifestError::Separator {
            place: place(&before),
        })?;
        let place = place(&text);
        let value = yaml::read(&text).map_err(|source| ManifestError::Yaml {
            place: place.clone(),
            source,
        })?;
        if value.is_null() {
            continue;
        }
        document += 1;
        for body in flatten(value, &place)? {
            objects.push(object(body, &place)?);
        }
    }
    Ok(objects)
}

/// Places in `objects` of those that a later one repeats: same group, kind, namespace and name. The later one counts, as it
/// is applied last. An object without a namespace counts as one in `namespace`, that of the release.
pub fn repeats(objects: &[ManifestObject], namespace: &str) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let identity = |object: &ManifestObject| {
        let group = object
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned();
        let namespace = object.namespace.as_deref().unwrap_or(namespace).to_owned();
        (group, object.kind.clone(), namespace, object.name.clone())
    };
    let mut repeated: Vec<usize> = objects
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, object)| !seen.insert(identity(object)))
        .map(|(index, _)| index)
        .collect();
    repeated.reverse();
    repeated
}

/// The objects of one document: itself, or what its list holds. Breadth first, as Helm flattens lists in lists.
fn flatten(value: Value, place: &Place) -> Result<Vec<Map<String, Value>>, ManifestError> {
    let mut objects = Vec::new();
    let mut queue = VecDeque::from([(value, true)]);
    while let Some((value, top)) = queue.pop_front() {
        let Value::Object(mut object) = value else {
            return Err(ManifestError::NotAnObject {
                place: place.clone(),
            });
        };
        match object.get("items") {
            Some(Value::Array(_)) => {}
            Some(Value::Null) if top => {}
            Some(_) if top => {
                return Err(ManifestError::Items {
                    place: place.clone(),
                });
            }
            _ => {
                objects.push(object);
                continue;
            }
        }
        let kind = text(&object, "kind").unwrap_or_default().to_owned();
        if kind.is_empty() {
            return Err(ManifestError::Missing {
                place: place.clone(),
                field: "kind",
            });
        }
        let api_version = text(&object, "apiVersion").unwrap_or_default().to_owned();
        let Some(Value::Array(items)) = object.remove("items") else {
            continue;
        };
        for mut item in items {
            if let Value::Object(item) = &mut item
                && text(item, "kind").is_none()
                && text(item, "apiVersion").is_none()
            {
                item.insert(
                    "kind".to_owned(),
                    Value::from(kind.strip_suffix("List").unwrap_or(&kind)),
                );
                item.insert("apiVersion".to_owned(), Value::from(api_version.as_str()));
            }
            queue.push_back((item, false));
        }
    }
    Ok(objects)
}

fn object(body: Map<String, Value>, place: &Place) -> Result<ManifestObject, ManifestError> {
    let missing = |field| ManifestError::Missing {
        place: place.clone(),
        field,
    };
    let metadata = body.get("metadata").and_then(Value::as_object);
    let meta = |key| {
        metadata
            .and_then(|metadata| text(metadata, key))
            .map(str::to_owned)
    };
    let api_version = text(&body, "apiVersion")
        .ok_or_else(|| missing("apiVersion"))?
        .to_owned();
    let kind = text(&body, "kind")
        .ok_or_else(|| missing("kind"))?
        .to_owned();
    let Some(name) = meta("name") else {
        return Err(match meta("generateName") {
            Some(_) => ManifestError::GenerateName {
                place: place.clone(),
            },
            None => missing("metadata.name"),
        });
    };
    let namespace = meta("namespace");
    let mut body = Value::Object(body);
    signed(&mut body);
    Ok(ManifestObject {
        place: place.clone(),
        api_version,
        kind,
        name,
        namespace,
        body,
    })
}

/// A member that is a string and not empty.
fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Integers past 2^63 become floats, as Kubernetes decodes them.
fn signed(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(signed),
        Value::Object(object) => object.values_mut().for_each(signed),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
