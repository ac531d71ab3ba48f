//! Which versions that an object's entries name does the server know no more (rule R2)?

use std::collections::BTreeSet;

use serde_json::Value;

use super::objects::ManifestObject;
use crate::cluster::{self, Reader};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::shadow::is_custom_resource;

/// The dead versions among those of an object's entries; empty if that cannot be told.
///
/// Nothing is read where all entries are at the manifest's version. A custom resource's version counts as alive as long as its
/// definition names it, also if it is not served: the server still converts.
pub(super) async fn dead_versions(
    reader: &dyn Reader,
    wanted: &ManifestObject,
    live: &LiveObject,
) -> cluster::Result<BTreeSet<String>> {
    let object = &wanted.object;
    let mut versions: BTreeSet<String> = live
        .managed_fields()
        .iter()
        .filter_map(|entry| entry.get("apiVersion")?.as_str())
        .filter(|version| *version != object.api_version)
        .map(str::to_owned)
        .collect();
    if versions.is_empty() {
        return Ok(versions);
    }
    for kind in reader.kinds(false).await? {
        if kind.kind == object.kind {
            versions.remove(&kind.api_version);
        }
    }
    if versions.is_empty() || !is_custom_resource(object) {
        return Ok(versions);
    }
    let Some(named) = defined(reader, object.group(), &wanted.resource).await else {
        return Ok(BTreeSet::new());
    };
    versions.retain(|version| !named.contains(version));
    Ok(versions)
}

/// The versions that a definition names; `None` if there is none, or it may not be read.
async fn defined(reader: &dyn Reader, group: &str, plural: &str) -> Option<BTreeSet<String>> {
    let definition = ObjectRef {
        api_version: "apiextensions.k8s.io/v1".to_owned(),
        kind: "CustomResourceDefinition".to_owned(),
        namespace: None,
        name: format!("{plural}.{group}"),
    };
    // Whatever goes wrong here, the server's own word about the object is asked for next.
    let definition = reader.object(&definition).await.ok()??;
    let versions = definition.json.pointer("/spec/versions")?.as_array()?;
    let named = versions
        .iter()
        .filter_map(|version| version.get("name").and_then(Value::as_str))
        .map(|name| format!("{group}/{name}"));
    Some(named.collect())
}
