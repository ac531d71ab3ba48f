//! What the cluster serves, by aggregated discovery where it exists (Kubernetes 1.26 and later), else document by document.

use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::KubeCluster;
use super::call::Call;
use super::limits::{DISCOVERY_AT_ONCE, DISCOVERY_REST};
use super::path;
use crate::cluster::{ErrorKind, Kind, Result};

/// Asks for the aggregated form and takes the plain one.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                          application/json";

/// The kinds, and when they were asked for. The lock is held while asking, so that many callers share one answer.
#[derive(Debug, Default)]
pub(super) struct Discovery(Mutex<Option<Known>>);

#[derive(Debug, Clone)]
struct Known {
    kinds: Arc<Vec<Kind>>,
    at: Instant,
}

impl Discovery {
    /// Forgets: something said to be served was not.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl KubeCluster {
    /// All served kinds, asked for if not known yet, or if `refresh`.
    pub(super) async fn known_kinds(&self, refresh: bool) -> Result<Arc<Vec<Kind>>> {
        let mut known = self.discovery.0.lock().await;
        match &*known {
            Some(known) if !refresh => Ok(Arc::clone(&known.kinds)),
            _ => Ok(self.discover(&mut known).await?.kinds),
        }
    }

    /// One kind. If it is not known, the cluster is asked again (a CRD may just have come), at most every [`DISCOVERY_REST`].
    pub(super) async fn kind(
        &self,
        operation: &str,
        api_version: &str,
        kind: &str,
    ) -> Result<Kind> {
        let find = |known: &Known| {
            known
                .kinds
                .iter()
                .find(|one| one.api_version == api_version && one.kind == kind)
                .cloned()
        };
        let mut known = self.discovery.0.lock().await;
        if let Some(now) = &*known {
            if let Some(found) = find(now) {
                return Ok(found);
            }
            if now.at.elapsed() < DISCOVERY_REST {
                return Err(unserved(operation, api_version, kind));
            }
        }
        let now = self.discover(&mut known).await?;
        find(&now).ok_or_else(|| unserved(operation, api_version, kind))
    }

    async fn discover(&self, known: &mut Option<Known>) -> Result<Known> {
        let mut kinds = Vec::new();
        for root in ["/api", "/apis"] {
            let mut call = Call::get(root, format!("discover {root}"));
            call.accept = AGGREGATED;
            match self.send(&call).await? {
                Root::Aggregated(list) => kinds.extend(list.kinds()),
                Root::Core { versions } => kinds.extend(self.discover_plain(versions).await?),
                Root::Groups { groups } => {
                    let versions = groups.into_iter().flat_map(Group::versions).collect();
                    kinds.extend(self.discover_plain(versions).await?);
                }
            }
        }
        let now = Known {
            kinds: Arc::new(kinds),
            at: Instant::now(),
        };
        *known = Some(now.clone());
        Ok(now)
    }

    /// One document a version. A version whose own (aggregated) server is away is left out: the rest is served all the same.
    async fn discover_plain(&self, versions: Vec<String>) -> Result<Vec<Kind>> {
        let asked = versions.into_iter().map(|version| async move {
            let operation = format!("discover {version}");
            let path = path::group_version(&version)
                .map_err(|source| super::invalid_name(&operation, &source))?;
            match self.send::<Resources>(&Call::get(path, operation)).await {
                Ok(resources) => Ok(resources.kinds(&version)),
                Err(error) if matches!(error.kind, ErrorKind::Server | ErrorKind::UnknownKind) => {
                    tracing::warn!(%error, "a part of the API is away: its kinds count as not served");
                    Ok(Vec::new())
                }
                Err(error) => Err(error),
            }
        });
        let mut answers = futures::stream::iter(asked).buffered(DISCOVERY_AT_ONCE);
        let mut kinds = Vec::new();
        while let Some(answer) = answers.next().await {
            kinds.extend(answer?);
        }
        Ok(kinds)
    }
}

fn unserved(operation: &str, api_version: &str, kind: &str) -> crate::cluster::Error {
    let message = format!("the cluster serves no {kind} in {api_version}");
    super::call::error(operation, ErrorKind::UnknownKind, 0, message)
}

/// The three documents that `/api` and `/apis` can be.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
enum Root {
    #[serde(rename = "APIGroupDiscoveryList")]
    Aggregated(DiscoveryList),
    #[serde(rename = "APIVersions")]
    Core { versions: Vec<String> },
    #[serde(rename = "APIGroupList")]
    Groups { groups: Vec<Group> },
}

#[derive(Debug, Deserialize)]
struct DiscoveryList {
    #[serde(default)]
    items: Vec<DiscoveryGroup>,
}

#[derive(Debug, Deserialize)]
struct DiscoveryGroup {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<DiscoveryVersion>,
}

/// The core group has no name.
#[derive(Debug, Default, Deserialize)]
struct GroupName {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct DiscoveryVersion {
    version: String,
    #[serde(default)]
    resources: Vec<DiscoveryResource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DiscoveryResource {
    resource: String,
    /// Absent where only subresources are served.
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

impl DiscoveryList {
    fn kinds(self) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for group in self.items {
            for version in group.versions {
                let api_version = api_version(&group.metadata.name, &version.version);
                for one in version.resources {
                    let Some(kind) = one.response_kind.filter(|kind| !kind.kind.is_empty()) else {
                        continue;
                    };
                    kinds.push(Kind {
                        api_version: api_version.clone(),
                        kind: kind.kind,
                        plural: one.resource,
                        namespaced: one.scope == "Namespaced",
                        verbs: one.verbs,
                    });
                }
            }
        }
        kinds
    }
}

fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: String,
}

impl Group {
    fn versions(self) -> impl Iterator<Item = String> {
        self.versions
            .into_iter()
            .map(|version| version.group_version)
    }
}

/// `APIResourceList`.
#[derive(Debug, Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Debug, Deserialize)]
struct Resource {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}

impl Resources {
    fn kinds(self, api_version: &str) -> Vec<Kind> {
        self.resources
            .into_iter()
            // `deployments/scale` and the like are subresources.
            .filter(|resource| !resource.name.contains('/'))
            .map(|resource| Kind {
                api_version: api_version.to_owned(),
                kind: resource.kind,
                plural: resource.name,
                namespaced: resource.namespaced,
                verbs: resource.verbs,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Reply, cluster};
    use super::*;

    fn aggregated(groups: &Value) -> Reply {
        Reply::json(
            200,
            &json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups}),
        )
    }

    fn core() -> Reply {
        aggregated(
            &json!([{"metadata": {"creationTimestamp": null}, "versions": [{"version": "v1", "freshness": "Current", "resources": [
                {"resource": "secrets", "responseKind": {"group": "", "version": "v1", "kind": "Secret"}, "scope": "Namespaced", "singularResource": "secret", "verbs": ["get", "list"]},
                {"resource": "nodes", "responseKind": {"group": "", "version": "v1", "kind": "Node"}, "scope": "Cluster", "verbs": ["get"], "subresources": [{"subresource": "status"}]},
            ]}]}]),
        )
    }

    fn apps() -> Reply {
        aggregated(&json!([
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
                {"resource": "deployments", "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "scope": "Namespaced", "verbs": ["get"]},
                {"resource": "only-subresources", "scope": "Namespaced", "verbs": []}]}]},
            {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]},
        ]))
    }

    fn kind(api_version: &str, kind: &str, plural: &str, namespaced: bool, verbs: &[&str]) -> Kind {
        Kind {
            api_version: api_version.into(),
            kind: kind.into(),
            plural: plural.into(),
            namespaced,
            verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
        }
    }

    #[tokio::test]
    async fn aggregated_discovery_takes_two_requests_and_is_kept() {
        let (cluster, seen) = cluster(vec![core(), apps()]).await;
        let kinds = cluster.known_kinds(false).await.unwrap();
        let wanted = [
            kind("v1", "Secret", "secrets", true, &["get", "list"]),
            kind("v1", "Node", "nodes", false, &["get"]),
            kind("apps/v1", "Deployment", "deployments", true, &["get"]),
        ];
        assert_eq!(*kinds, wanted);
        let again = cluster.kind("get", "apps/v1", "Deployment").await.unwrap();
        assert_eq!(again, wanted[2]);
        assert_eq!(seen.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn plain_discovery_gives_the_same_and_forgives_an_absent_server() {
        let resources = |name: &str, kind: &str, namespaced: bool| {
            Reply::json(
                200,
                &json!({"kind": "APIResourceList", "groupVersion": "x", "resources": [
                    {"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"]},
                    {"name": format!("{name}/status"), "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"]},
                ]}),
            )
        };
        let groups = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]},
            {"name": "metrics.k8s.io", "versions": [{"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}]}]});
        // Document by document, so that the script's order is the order of the requests.
        let (cluster, seen) = cluster(vec![
            Reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
            resources("nodes", "Node", false),
            Reply::json(200, &groups),
            resources("deployments", "Deployment", true),
            Reply::Answer {
                code: 503,
                headers: Vec::new(),
                body: b"service unavailable".to_vec(),
            },
        ])
        .await;
        let kinds = cluster.known_kinds(false).await;
        // The last two are asked for side by side, so either may be the absent one.
        let kinds = kinds.unwrap();
        assert!(kinds.contains(&kind("v1", "Node", "nodes", false, &["get"])));
        assert_eq!(kinds.len(), 2, "{kinds:?}");
        assert_eq!(seen.lock().unwrap().len(), 5);
    }

    #[tokio::test]
    async fn an_unknown_kind_is_looked_up_again_but_not_at_once() {
        let (cluster, seen) = cluster(vec![core(), apps(), core(), apps()]).await;
        for _ in 0..3 {
            let error = cluster.kind("get x", "a.dev/v1", "X").await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::UnknownKind);
            assert_eq!(
                error.to_string(),
                "get x: the cluster serves no X in a.dev/v1"
            );
        }
        assert_eq!(seen.lock().unwrap().len(), 2);
        cluster.discovery.forget().await;
        cluster.kind("get x", "a.dev/v1", "X").await.unwrap_err();
        assert_eq!(seen.lock().unwrap().len(), 4);
    }

    #[tokio::test]
    async fn many_callers_share_one_answer() {
        let (cluster, seen) = cluster(vec![core(), apps()]).await;
        let asked = (0..20).map(|_| cluster.kind("get", "v1", "Secret"));
        for answer in futures::future::join_all(asked).await {
            assert_eq!(answer.unwrap().plural, "secrets");
        }
        assert_eq!(seen.lock().unwrap().len(), 2);
    }
}
