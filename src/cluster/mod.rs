//! What a cluster is to refit: three traits, from harmless to not.
//!
//! - [`Reader`] sends GET, LIST and access reviews: nothing is stored.
//! - [`Rehearser`] sends only `dryRun=All`.
//! - [`Writer`] changes the cluster; only `engine::run` and `engine::undo` name it.
//!
//! Every method is cancel safe in the sense that dropping it leaves the request lost or under way; what that means
//! for a write is the run protocol's business (an open intent is sent again).

mod error;
pub mod kube;
mod pages;

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

pub use error::{Error, ErrorKind, FieldConflict};
pub use pages::{Pages, gather};

use crate::domain::ids::{Namespace, ReleaseName, ResourceVersion, Uid};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;

/// Result of a request.
pub type Result<T> = std::result::Result<T, Error>;

/// Which records to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordScope {
    /// Of all releases in all namespaces.
    All,
    /// Of all releases in one namespace.
    Namespace(Namespace),
    /// Of one release.
    Release(Namespace, ReleaseName),
}

/// A record without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHead {
    /// Its namespace.
    pub namespace: Namespace,
    /// Its object's name, `sh.helm.release.v1.<name>.v<N>`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: Uid,
    /// `metadata.resourceVersion`.
    pub resource_version: ResourceVersion,
    /// Labels: `name`, `owner`, `status`, `version`, times, and the user's.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// What discovery says of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// `deployments`.
    pub plural: String,
    /// Has a namespace.
    pub namespaced: bool,
    /// `get`, `list`, `patch`, ….
    pub verbs: Vec<String>,
}

/// A question to a SelfSubjectAccessReview.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// `patch`.
    pub verb: String,
    /// API group, empty for the core group.
    pub group: String,
    /// Plural.
    pub resource: String,
    /// `None`: all namespaces, or a cluster-scoped kind.
    pub namespace: Option<Namespace>,
}

/// Looks; stores nothing.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The server's version, such as `v1.36.3`.
    async fn version(&self) -> Result<String>;
    /// Who we are to this cluster (SelfSubjectReview).
    async fn identity(&self) -> Result<String>;
    /// All served kinds, of all served versions. Cached by the adapter; `refresh` asks again.
    async fn kinds(&self, refresh: bool) -> Result<Vec<Kind>>;
    /// Records without payloads (PartialObjectMetadataList, paged), sorted by namespace and name.
    async fn record_heads(&self, driver: Driver, scope: &RecordScope) -> Result<Vec<RecordHead>>;
    /// One record's whole object, or `None`.
    async fn record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<LiveObject>>;
    /// One object at the ref's apiVersion, or `None`.
    async fn object(&self, object: &ObjectRef) -> Result<Option<LiveObject>>;
    /// All objects of a kind (paged).
    async fn objects(&self, api_version: &str, kind: &str) -> Result<Vec<LiveObject>>;
    /// All objects of a kind, page by page. After an error what came before does not count. Without an answer of its own a
    /// reader gives them as one page.
    async fn visit(&self, api_version: &str, kind: &str, pages: &mut dyn Pages) -> Result<()> {
        pages.page(self.objects(api_version, kind).await?);
        Ok(())
    }
    /// Group-versions that the cluster publishes an OpenAPI v3 document of, each with a hash of its content (empty: not
    /// known). One request. Without an answer of its own a reader publishes none.
    async fn openapi_hashes(&self) -> Result<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }
    /// The OpenAPI v3 document of a group-version; `None` if there is none. Megabytes, not cached.
    async fn openapi(&self, _api_version: &str) -> Result<Option<Value>> {
        Ok(None)
    }
    /// Is this allowed to us?
    async fn may(&self, access: &Access) -> Result<bool>;
}

/// Sends only `dryRun=All`: admission runs, nothing is stored.
#[async_trait]
pub trait Rehearser: Send + Sync {
    /// Server-side apply of `body`, as JSON. The answer is the object as it would be.
    async fn rehearse_apply(
        &self,
        object: &ObjectRef,
        body: &Value,
        manager: &str,
        force: bool,
    ) -> Result<Value>;
    /// A JSON patch. The answer is the object as it would be.
    async fn rehearse_patch(&self, object: &ObjectRef, patch: &Value) -> Result<LiveObject>;
}

/// Writes. Requests are guarded by the caller (uid and resourceVersion inside patch or body).
#[async_trait]
pub trait Writer: Send + Sync {
    /// A JSON patch of an object.
    async fn patch(&self, object: &ObjectRef, patch: &Value) -> Result<LiveObject>;
    /// POST of a record.
    async fn create_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        body: &Value,
    ) -> Result<LiveObject>;
    /// PUT of a record; `body` carries uid and resourceVersion.
    async fn replace_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        body: &Value,
    ) -> Result<LiveObject>;
    /// A JSON patch of a record.
    async fn patch_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
        patch: &Value,
    ) -> Result<LiveObject>;
    /// DELETE of a record with preconditions. `None`: it is gone; else the object that its finalizers keep.
    async fn delete_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
        uid: &Uid,
        resource_version: &ResourceVersion,
    ) -> Result<Option<LiveObject>>;
}

/// All three, for the places that are handed a whole cluster.
pub trait Cluster: Reader + Rehearser + Writer {}

impl<T: Reader + Rehearser + Writer> Cluster for T {}
