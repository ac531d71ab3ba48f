//! Parts of a record that refit reads but never edits. JSON null is Go's zero value everywhere.
use std::fmt;

use serde::{Deserialize, Serialize};

/// Which chart a revision was rendered from.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChartId {
    /// Name of the chart.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// Version of the chart.
    #[serde(default, deserialize_with = "null_is_default")]
    pub version: String,
}

/// A hook of a revision. Hooks are not part of the manifest.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// Name of the object.
    #[serde(deserialize_with = "null_is_default")]
    pub name: String,
    /// Kind of the object.
    #[serde(deserialize_with = "null_is_default")]
    pub kind: String,
    /// Template that it was rendered from.
    #[serde(deserialize_with = "null_is_default")]
    pub path: String,
    /// One document of YAML.
    #[serde(deserialize_with = "null_is_default")]
    pub manifest: String,
    /// When it runs: `pre-upgrade`, `test` and so on.
    #[serde(deserialize_with = "null_is_default")]
    pub events: Vec<String>,
    /// Lower runs first.
    #[serde(deserialize_with = "null_is_default")]
    pub weight: i64,
    /// When Helm deletes the object: `before-hook-creation`, `hook-succeeded`, `hook-failed`; none means the first.
    #[serde(deserialize_with = "null_is_default")]
    pub delete_policies: Vec<String>,
}

impl fmt::Debug for Hook {
    /// Leaves the manifest out: it may be a Secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hook")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("path", &self.path)
            .field("events", &self.events)
            .field("weight", &self.weight)
            .field("delete_policies", &self.delete_policies)
            .finish_non_exhaustive()
    }
}

/// JSON null is Go's zero value.
fn null_is_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    input: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// The texts of `info` that refit reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Info {
    /// When the release was first deployed, RFC 3339, as Helm wrote it; empty if never.
    #[serde(deserialize_with = "null_is_default")]
    pub first_deployed: String,
    /// When this revision was deployed, likewise.
    #[serde(deserialize_with = "null_is_default")]
    pub last_deployed: String,
    /// When the release was uninstalled, likewise.
    #[serde(deserialize_with = "null_is_default")]
    pub deleted: String,
    /// Helm's log line about the revision.
    #[serde(deserialize_with = "null_is_default")]
    pub description: String,
    /// The revision that a rollback went back to; 0 if this is no rollback. Helm 4 only.
    #[serde(deserialize_with = "null_is_default")]
    pub rollback_revision: u32,
}

/// The part of `chart` that is read.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChartText {
    pub(super) metadata: Option<ChartId>,
}
