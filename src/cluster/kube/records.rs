//! Where Helm's release records are: Secrets or ConfigMaps of the core group, labelled `owner=helm`.

use std::collections::BTreeMap;

use http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::call::{Call, Effect, JSON};
use super::path;
use crate::cluster::{ErrorKind, RecordHead, RecordScope, Result};
use crate::domain::ids::{Namespace, ResourceVersion, Uid};
use crate::domain::release::Driver;

/// Lists without payloads: a fleet's records weigh gigabytes, their metadata megabytes.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

pub(super) const fn kind(driver: Driver) -> &'static str {
    match driver {
        Driver::Secret => "Secret",
        Driver::ConfigMap => "ConfigMap",
    }
}

const fn plural(driver: Driver) -> &'static str {
    match driver {
        Driver::Secret => "secrets",
        Driver::ConfigMap => "configmaps",
    }
}

/// The list of heads in a scope. Helm itself selects by the label and never by the Secret's type, so neither do we.
pub(super) fn heads(driver: Driver, scope: &RecordScope) -> Result<Call> {
    let (namespace, release) = match scope {
        RecordScope::All => (None, None),
        RecordScope::Namespace(namespace) => (Some(namespace), None),
        RecordScope::Release(namespace, name) => (Some(namespace), Some(name)),
    };
    let operation = match (namespace, release) {
        (None, _) => format!("list release records ({}s) of all namespaces", kind(driver)),
        (Some(namespace), None) => {
            format!("list release records ({}s) in {namespace}", kind(driver))
        }
        (Some(namespace), Some(name)) => format!(
            "list records ({}s) of release {namespace}/{name}",
            kind(driver)
        ),
    };
    let path = path::collection("v1", plural(driver), namespace.map(Namespace::as_str))
        .map_err(|source| super::invalid_name(&operation, &source))?;
    let mut selector = "owner=helm".to_owned();
    if let Some(name) = release {
        // The server would read a comma as another condition.
        if !is_label_value(name.as_str()) {
            let message = format!("{:?} cannot be a release's name", name.as_str());
            return Err(super::call::error(
                &operation,
                ErrorKind::Invalid,
                0,
                message,
            ));
        }
        selector = format!("{selector},name={name}");
    }
    let mut call = Call::get(path, operation);
    call.accept = METADATA_LIST;
    call.query.push(("labelSelector", selector));
    Ok(call)
}

fn is_label_value(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A request about one record: GET, or a change of it.
pub(super) fn one(
    method: &Method,
    driver: Driver,
    namespace: &Namespace,
    name: &str,
    body: Option<(&'static str, &Value)>,
) -> Result<Call> {
    let verb = match *method {
        Method::GET => "get",
        Method::PUT => "replace",
        Method::DELETE => "delete",
        _ => "patch",
    };
    let operation = format!("{verb} record {} {namespace}/{name}", kind(driver));
    let path = path::object("v1", plural(driver), Some(namespace.as_str()), name)
        .map_err(|source| super::invalid_name(&operation, &source))?;
    let mut call = match body {
        Some(body) => Call::change(method.clone(), Effect::Write, path, body, operation),
        None => Call::get(path, operation),
    };
    call.redact = Some(known(driver, namespace, name));
    Ok(call)
}

/// The POST of a record.
pub(super) fn create(driver: Driver, namespace: &Namespace, body: &Value) -> Result<Call> {
    let name = name_of(body).unwrap_or("(no name)");
    let operation = format!("create record {} {namespace}/{name}", kind(driver));
    let path = path::collection("v1", plural(driver), Some(namespace.as_str()))
        .map_err(|source| super::invalid_name(&operation, &source))?;
    let mut call = Call::change(Method::POST, Effect::Write, path, (JSON, body), operation);
    call.redact = Some(known(driver, namespace, name));
    Ok(call)
}

/// `metadata.name` of a body.
pub(super) fn name_of(body: &Value) -> Option<&str> {
    body.pointer("/metadata/name")?.as_str()
}

fn known(driver: Driver, namespace: &Namespace, name: &str) -> Vec<String> {
    vec![
        kind(driver).to_owned(),
        plural(driver).to_owned(),
        namespace.as_str().to_owned(),
        name.to_owned(),
    ]
}

#[derive(Debug, Deserialize)]
struct Head {
    metadata: HeadMetadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadMetadata {
    namespace: Namespace,
    name: String,
    uid: Uid,
    resource_version: ResourceVersion,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The head in an item of the list.
pub(super) fn head(call: &Call, item: Value) -> Result<RecordHead> {
    let Head { metadata } = serde_json::from_value(item).map_err(|_| {
        call.error(
            ErrorKind::Malformed,
            200,
            "an item of the list lacks metadata that every object has",
        )
    })?;
    Ok(RecordHead {
        namespace: metadata.namespace,
        name: metadata.name,
        uid: metadata.uid,
        resource_version: metadata.resource_version,
        labels: metadata.labels,
        annotations: metadata.annotations,
    })
}
