//! OpenAPI v3: which documents there are, and a document.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::KubeCluster;
use super::call::Call;
use super::path;
use crate::cluster::{ErrorKind, Result};

const ROOT: &str = "/openapi/v3";

/// `paths` of `/openapi/v3`: `apis/apps/v1` and the address of its document, whose query has the hash of its content.
#[derive(Debug, Deserialize)]
struct Index {
    #[serde(default)]
    paths: BTreeMap<String, Place>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(default, rename = "serverRelativeURL")]
    server_relative_url: String,
}

impl KubeCluster {
    /// Group-versions with the hash of their document. Empty if the server has no OpenAPI v3 (before Kubernetes 1.24).
    pub(super) async fn documents(&self) -> Result<BTreeMap<String, String>> {
        let call = Call::get(ROOT, "list OpenAPI documents");
        let index: Index = match self.send(&call).await {
            Ok(index) => index,
            Err(error) if is_absent(&error.kind) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let named = index.paths.into_iter().filter_map(|(path, place)| {
            let api_version = api_version(&path)?;
            Some((api_version.to_owned(), hash(&place.server_relative_url)))
        });
        Ok(named.collect())
    }

    /// The document of a group-version, at its plain address: one with an older hash would be a redirection.
    pub(super) async fn document(&self, api_version: &str) -> Result<Option<Value>> {
        let operation = format!("read the OpenAPI document of {api_version}");
        let path = path::group_version(api_version)
            .map_err(|source| super::invalid_name(&operation, &source))?;
        let call = Call::get(format!("{ROOT}{path}"), operation);
        match self.send(&call).await {
            Ok(document) => Ok(Some(document)),
            Err(error) if is_absent(&error.kind) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_absent(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::UnknownKind)
}

/// `api/v1` is `v1`, `apis/apps/v1` is `apps/v1`; `version`, `apis` and `apis/apps` are no group-versions.
fn api_version(path: &str) -> Option<&str> {
    if let Some(version) = path.strip_prefix("api/") {
        return (!version.contains('/')).then_some(version);
    }
    let rest = path.strip_prefix("apis/")?;
    (rest.split('/').count() == 2).then_some(rest)
}

/// The value of `hash`; empty if there is none, which is no promise that the document is still the same.
fn hash(url: &str) -> String {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').find_map(|pair| pair.strip_prefix("hash="));
    let decoded = percent_encoding::percent_decode_str(found.unwrap_or_default());
    decoded.decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{Reply, cluster};

    #[tokio::test]
    async fn the_index_names_group_versions_and_hashes() {
        let paths = json!({
            "version": {"serverRelativeURL": "/openapi/v3/version?hash=1"},
            "api": {"serverRelativeURL": "/openapi/v3/api?hash=2"},
            "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=AB%2BC"},
            "apis/apps": {"serverRelativeURL": "/openapi/v3/apis/apps?hash=3"},
            "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1?x=y&hash=D"},
            "apis/a.dev/v1": {},
        });
        let document = json!({"openapi": "3.0.0"});
        let (cluster, seen) = cluster(vec![
            Reply::json(200, &json!({ "paths": paths })),
            Reply::json(200, &document),
            Reply::json(404, &json!({"kind": "Status", "code": 404})),
        ])
        .await;
        let index = cluster.documents().await.unwrap();
        let wanted = [("a.dev/v1", ""), ("apps/v1", "D"), ("v1", "AB+C")];
        assert_eq!(
            index,
            wanted.map(|(a, b)| (a.to_owned(), b.to_owned())).into()
        );
        assert_eq!(cluster.document("apps/v1").await.unwrap(), Some(document));
        assert_eq!(cluster.document("v1").await.unwrap(), None);
        let seen = seen.lock().unwrap();
        assert!(
            seen[1].starts_with("GET /openapi/v3/apis/apps/v1 HTTP"),
            "{}",
            seen[1]
        );
        assert!(
            seen[2].starts_with("GET /openapi/v3/api/v1 HTTP"),
            "{}",
            seen[2]
        );
    }
}
