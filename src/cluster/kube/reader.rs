//! GET, LIST and reviews.

use std::collections::BTreeMap;

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::KubeCluster;
use super::call::Call;
use super::objects::live;
use super::{path, records};
use crate::cluster::{
    Access, Error, ErrorKind, Kind, Pages, Reader, RecordHead, RecordScope, Result, gather,
};
use crate::domain::ids::Namespace;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;

const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const SELF_REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// Field selector of all Secrets but Helm's release records.
const NO_RECORDS: &str = "type!=helm.sh/release.v1";

#[async_trait]
impl Reader for KubeCluster {
    async fn version(&self) -> Result<String> {
        let call = Call::get("/version", "ask for the server's version");
        let answer: Value = self.send(&call).await?;
        text(&call, &answer, "/gitVersion")
    }

    async fn identity(&self) -> Result<String> {
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let call = Call::review(SELF_REVIEWS, &body, "ask who we are");
        let answer: Value = self.send(&call).await.map_err(|mut error| {
            if error.kind == ErrorKind::UnknownKind {
                error.message =
                    "the server is older than Kubernetes 1.28, the first to tell".into();
            }
            error
        })?;
        text(&call, &answer, "/status/userInfo/username")
    }

    async fn kinds(&self, refresh: bool) -> Result<Vec<Kind>> {
        Ok(self.known_kinds(refresh).await?.to_vec())
    }

    async fn record_heads(&self, driver: Driver, scope: &RecordScope) -> Result<Vec<RecordHead>> {
        let call = records::heads(driver, scope)?;
        // Page by page: each item has managedFields too, and there are ten revisions of most releases.
        let mut heads = Vec::new();
        let mut on_page = |items: Option<Vec<Value>>| {
            match items {
                Some(items) => {
                    for item in items {
                        heads.push(records::head(&call, item)?);
                    }
                }
                None => heads.clear(),
            }
            Ok(())
        };
        self.visit_pages(&call, &mut on_page).await?;
        heads.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        Ok(heads)
    }

    async fn record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> Result<Option<LiveObject>> {
        let call = records::one(&Method::GET, driver, namespace, name, None)?;
        let answer = found(self.send(&call).await)?;
        answer.map(|json| live(&call, json)).transpose()
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<LiveObject>> {
        let call = self.get_call(object).await?;
        let answer = found(self.send_object(&call).await)?;
        answer.map(|json| live(&call, json)).transpose()
    }

    async fn objects(&self, api_version: &str, kind: &str) -> Result<Vec<LiveObject>> {
        gather(self, api_version, kind, Some).await
    }

    async fn visit(&self, api_version: &str, kind: &str, pages: &mut dyn Pages) -> Result<()> {
        let call = self.all_of(api_version, kind).await?;
        let mut on_page = |items: Option<Vec<Value>>| {
            match items {
                Some(items) => pages.page(
                    (items.into_iter())
                        .map(|item| listed(&call, api_version, kind, item))
                        .collect::<Result<_>>()?,
                ),
                None => pages.again(),
            }
            Ok(())
        };
        self.visit_pages(&call, &mut on_page).await
    }

    async fn openapi_hashes(&self) -> Result<BTreeMap<String, String>> {
        self.documents().await
    }

    async fn openapi(&self, api_version: &str) -> Result<Option<Value>> {
        self.document(api_version).await
    }

    async fn may(&self, access: &Access) -> Result<bool> {
        let (resource, subresource) = access
            .resource
            .split_once('/')
            .unwrap_or((&access.resource, ""));
        let namespace = access.namespace.as_ref().map_or("", Namespace::as_str);
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "verb": access.verb,
                "group": access.group,
                "resource": resource,
                "subresource": subresource,
                "namespace": namespace,
            }},
        });
        let operation = format!("ask whether we may {} {}", access.verb, access.resource);
        let call = Call::review(ACCESS_REVIEWS, &body, operation);
        let answer: Value = self.send(&call).await?;
        answer
            .pointer("/status/allowed")
            .and_then(Value::as_bool)
            .ok_or_else(|| lacks(&call, "/status/allowed"))
    }
}

impl KubeCluster {
    /// The list of all objects of a kind.
    async fn all_of(&self, api_version: &str, kind: &str) -> Result<Call> {
        let operation = format!("list {api_version} {kind} in all namespaces");
        let plural = self.kind(&operation, api_version, kind).await?.plural;
        let path = path::collection(api_version, &plural, None)
            .map_err(|source| super::invalid_name(&operation, &source))?;
        let mut call = Call::get(path, operation);
        if (api_version, kind) == ("v1", "Secret") {
            // Release records are read one by one; all revisions of all releases at once would be gigabytes.
            call.query.push(("fieldSelector", NO_RECORDS.to_owned()));
        }
        Ok(call)
    }
}

/// An item of such a list as an object.
fn listed(call: &Call, api_version: &str, kind: &str, mut item: Value) -> Result<LiveObject> {
    // Lists of built-in kinds leave these out of their items.
    if let Some(item) = item.as_object_mut() {
        item.entry("apiVersion")
            .or_insert_with(|| api_version.into());
        item.entry("kind").or_insert_with(|| kind.into());
    }
    live(call, item)
}

/// 404 of an object is an answer to a reader.
fn found(answer: Result<Value>) -> Result<Option<Value>> {
    match answer {
        Ok(json) => Ok(Some(json)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(call: &Call, answer: &Value, pointer: &str) -> Result<String> {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| lacks(call, pointer))
}

fn lacks(call: &Call, pointer: &str) -> Error {
    call.error(
        ErrorKind::Malformed,
        200,
        format!("the answer lacks {pointer}"),
    )
}
