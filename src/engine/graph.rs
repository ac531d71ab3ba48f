//! Collects what the dependency graph is made of: manifests, labels of namespaces, Flux's HelmReleases. Zero writes.
//!
//! Two LISTs a cluster beside what every stage reads: Namespaces, and HelmReleases where the cluster serves them.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::Value;

use super::chain::chain;
use super::inventory::{ReleaseRead, Scope, Source, read_each};
use crate::cluster::{self, ErrorKind, Reader, gather};
use crate::domain::graph::{ClusterSight, FluxRelease, Labels, Sight};
use crate::domain::ids::ClusterName;
use crate::domain::object::LiveObject;
use crate::domain::release::ChartRef;
use crate::helm::chart::chart_parts;

/// Kind of Flux's releases.
const HELM_RELEASE: &str = "HelmRelease";

/// Its versions, the newest first.
const HELM_RELEASE_VERSIONS: [&str; 3] = [
    "helm.toolkit.fluxcd.io/v2",
    "helm.toolkit.fluxcd.io/v2beta2",
    "helm.toolkit.fluxcd.io/v2beta1",
];

/// What was seen of a fleet.
#[derive(Debug, Default)]
pub struct Seen {
    /// Clusters that were read.
    pub clusters: Vec<ClusterSight>,
    /// Clusters that were not read, and why.
    pub unread: BTreeMap<ClusterName, String>,
}

/// Reads the fleet, clusters side by side. All namespaces: what a release waits for may be anywhere.
pub async fn see(sources: &[Source], scope: &Scope) -> Seen {
    let everywhere = Scope {
        namespaces: Vec::new(),
        ..scope.clone()
    };
    let read = join_all(sources.iter().map(|source| one(source, &everywhere))).await;
    let mut seen = Seen::default();
    for (source, result) in sources.iter().zip(read) {
        match result {
            Ok(sight) => seen.clusters.push(sight),
            Err(why) => {
                seen.unread.insert(source.name.clone(), why);
            }
        }
    }
    seen
}

async fn one(source: &Source, scope: &Scope) -> Result<ClusterSight, String> {
    let reader = source.reader.as_ref().map_err(Clone::clone)?.as_ref();
    let mut seen = Vec::new();
    let mut see = |release: &mut ReleaseRead| {
        seen.push(release_sight(release));
        release.make_lean();
    };
    read_each(reader, &source.name, scope, &mut see)
        .await
        .map_err(|error| chain(&error))?;
    sight(reader, &source.name, seen)
        .await
        .map_err(|error| chain(&error))
}

/// What is seen of a cluster, of whose releases each was seen by [`release_sight`]. Only the names are kept, not the manifests.
pub async fn sight(
    reader: &dyn Reader,
    cluster: &ClusterName,
    releases: Vec<Sight>,
) -> cluster::Result<ClusterSight> {
    let mut sight = ClusterSight::new(cluster.clone());
    sight.releases = releases;
    sight.namespaces = namespaces(reader).await?;
    sight.flux = flux(reader).await?;
    Ok(sight)
}

/// A release whose record does not read is a release without objects: others may wait for it all the same.
pub fn release_sight(release: &ReleaseRead) -> Sight {
    let current = release.current();
    let chart = current.and_then(|loaded| {
        let chart = loaded.record.chart.as_ref()?;
        Some(ChartRef {
            name: chart.name.clone(),
            version: chart.version.clone(),
        })
    });
    let records = &release.records;
    let mut sight = Sight::new(records.id.clone(), chart, records.driver);
    for object in &release.objects.served {
        sight.object(&object.object, &object.resource, &object.body);
    }
    if let Some(current) = current {
        let parts = chart_parts(&current.record);
        for definition in &parts.definitions {
            sight.bundled_definition(definition);
        }
        for dependency in &parts.dependencies {
            sight.chart_dependency(&dependency.name, dependency.absent);
        }
    }
    sight.finish();
    sight
}

/// Labels of all namespaces. Who may not list them loses no edge, only some certainty about webhooks.
async fn namespaces(reader: &dyn Reader) -> cluster::Result<BTreeMap<String, Labels>> {
    let listed = match reader.objects("v1", "Namespace").await {
        Err(error) if error.kind == ErrorKind::Forbidden => return Ok(BTreeMap::new()),
        listed => listed?,
    };
    let labels = |json: &Value| -> Labels {
        let labels = json.pointer("/metadata/labels").and_then(Value::as_object);
        let texts = labels.into_iter().flatten();
        texts
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    };
    let named = listed.iter().filter_map(|live| {
        let name = live.json.pointer("/metadata/name")?.as_str()?;
        Some((name.to_owned(), labels(&live.json)))
    });
    Ok(named.collect())
}

/// Flux's HelmReleases with what they depend on, if the cluster serves them and lets us list them.
async fn flux(reader: &dyn Reader) -> cluster::Result<Vec<FluxRelease>> {
    let kinds = reader.kinds(false).await?;
    let served = HELM_RELEASE_VERSIONS.iter().find(|version| {
        kinds
            .iter()
            .any(|kind| kind.api_version == **version && kind.kind == HELM_RELEASE)
    });
    let Some(version) = served else {
        return Ok(Vec::new());
    };
    let keep = |live: LiveObject| flux_release(&live.json);
    match gather(reader, version, HELM_RELEASE, keep).await {
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(Vec::new()),
        listed => listed,
    }
}

/// Where Flux puts the release of a HelmRelease (fluxcd/helm-controller api/v2, `GetReleaseName`,
/// `GetStorageNamespace`).
fn flux_release(json: &Value) -> Option<FluxRelease> {
    let text = |pointer: &str| {
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let (namespace, name) = (text("/metadata/namespace")?, text("/metadata/name")?);
    let target = text("/spec/targetNamespace");
    let release = text("/spec/releaseName").map_or_else(
        || target.map_or_else(|| name.to_owned(), |target| format!("{target}-{name}")),
        str::to_owned,
    );
    let storage = text("/spec/storageNamespace").unwrap_or(namespace);
    let depends = json.pointer("/spec/dependsOn").and_then(Value::as_array);
    let depends_on = depends.into_iter().flatten().filter_map(|one| {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        let home = text("namespace").filter(|it| !it.is_empty());
        Some((
            home.unwrap_or(namespace).to_owned(),
            text("name")?.to_owned(),
        ))
    });
    Some(FluxRelease {
        id: (namespace.to_owned(), name.to_owned()),
        helm: (storage.to_owned(), release),
        depends_on: depends_on.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_helm_release_of_flux_knows_its_release() {
        let one = json!({"metadata": {"namespace": "apps", "name": "web"}, "spec": {"dependsOn": [{"name": "db"}, {"name": "x", "namespace": "infra"}, {}]}});
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let found = flux_release(&one).unwrap();
        assert_eq!(found.helm, pair("apps", "web"));
        assert_eq!(found.depends_on, [pair("apps", "db"), pair("infra", "x")]);
        let other = json!({"metadata": {"namespace": "apps", "name": "web"}, "spec": {"targetNamespace": "shop", "storageNamespace": "shop"}});
        assert_eq!(flux_release(&other).unwrap().helm, pair("shop", "shop-web"));
        let named = json!({"metadata": {"namespace": "apps", "name": "web"}, "spec": {"releaseName": "w", "targetNamespace": "shop"}});
        assert_eq!(flux_release(&named).unwrap().helm, pair("apps", "w"));
        assert_eq!(flux_release(&json!({})), None);
    }
}
