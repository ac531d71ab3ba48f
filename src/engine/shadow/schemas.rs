//! Prepared schemas: read once a group-version, shared by clusters that publish the same document.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use crate::cluster::{self, ErrorKind, Reader};
use crate::domain::shadow::is_built_in_group;
use crate::domain::shadow::offline::Api;
use crate::engine::chain::chain;

/// A schema, or why there is none.
type Prepared = Result<Arc<Api>, String>;
type Cell = Arc<OnceCell<Prepared>>;

/// Schemas of many clusters, by group-version and the hash of its document. A fleet of one Kubernetes version holds each
/// once.
#[derive(Debug, Default)]
pub struct Library {
    cells: Mutex<BTreeMap<(String, String), Cell>>,
}

/// The schemas of one cluster as it is now: its list of hashes is read once.
#[derive(Debug)]
pub struct Schemas {
    library: Arc<Library>,
    hashes: OnceCell<BTreeMap<String, String>>,
    /// Documents without a hash are this cluster's alone.
    own: Library,
    aggregated: OnceCell<Option<BTreeSet<String>>>,
}

impl Schemas {
    /// For one cluster; reads nothing yet.
    pub fn new(library: Arc<Library>) -> Self {
        Self {
            library,
            hashes: OnceCell::new(),
            own: Library::default(),
            aggregated: OnceCell::new(),
        }
    }

    /// The schema of a group-version, or why only the server can tell about its objects. Cancel safe.
    pub async fn api(&self, reader: &dyn Reader, api_version: &str) -> cluster::Result<Prepared> {
        let hashes = self
            .hashes
            .get_or_try_init(|| allowed(reader.openapi_hashes()))
            .await?;
        let Some(hash) = hashes.get(api_version) else {
            return Ok(Err(format!(
                "the cluster publishes no schema of {api_version}"
            )));
        };
        if let Some(why) = self.is_not_the_servers_own(reader, api_version).await? {
            return Ok(Err(why));
        }
        let library = if hash.is_empty() {
            &self.own
        } else {
            &self.library
        };
        let cell = {
            let mut cells = library.cells.lock().await;
            let key = (api_version.to_owned(), hash.clone());
            Arc::clone(cells.entry(key).or_default())
        };
        let prepared = cell
            .get_or_try_init(|| prepare(reader, api_version))
            .await?;
        Ok(prepared.clone())
    }

    /// An aggregated API runs its own server's code, which may be of any age.
    async fn is_not_the_servers_own(
        &self,
        reader: &dyn Reader,
        api_version: &str,
    ) -> cluster::Result<Option<String>> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        if is_built_in_group(group) {
            return Ok(None);
        }
        let aggregated = self
            .aggregated
            .get_or_try_init(|| aggregated(reader))
            .await?;
        Ok(match aggregated {
            None => Some(format!(
                "whether {api_version} is an aggregated API cannot be read (APIServices are forbidden)"
            )),
            Some(all) if all.contains(api_version) => {
                Some(format!("{api_version} is an aggregated API"))
            }
            Some(_) => None,
        })
    }
}

async fn prepare(reader: &dyn Reader, api_version: &str) -> cluster::Result<Prepared> {
    let document: Option<Value> = match reader.openapi(api_version).await {
        Err(error) if error.kind == ErrorKind::Forbidden => None,
        answer => answer?,
    };
    Ok(match document {
        Some(document) => Api::read(api_version, &document)
            .map(Arc::new)
            .map_err(|error| {
                format!(
                    "the schema of {api_version} does not read: {}",
                    chain(&error)
                )
            }),
        None => Err(format!("the cluster publishes no schema of {api_version}")),
    })
}

/// Forbidden is as good as absent.
async fn allowed<T: Default>(
    answer: impl Future<Output = cluster::Result<T>>,
) -> cluster::Result<T> {
    match answer.await {
        Err(error) if error.kind == ErrorKind::Forbidden => Ok(T::default()),
        answer => answer,
    }
}

/// Group-versions of aggregated APIs; `None` if that may not be read.
async fn aggregated(reader: &dyn Reader) -> cluster::Result<Option<BTreeSet<String>>> {
    let services = match reader
        .objects("apiregistration.k8s.io/v1", "APIService")
        .await
    {
        Ok(services) => services,
        Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::UnknownKind) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let versions = services.iter().filter_map(|service| {
        let spec = service.json.get("spec")?;
        spec.get("service").filter(|service| !service.is_null())?;
        let text = |key| spec.get(key).and_then(Value::as_str).unwrap_or_default();
        Some(format!("{}/{}", text("group"), text("version")))
    });
    Ok(Some(versions.collect()))
}
