//! Requests about one object of any kind.

use http::Method;
use serde_json::Value;

use super::KubeCluster;
use super::call::{Call, Effect};
use super::path;
use crate::cluster::{ErrorKind, Result};
use crate::domain::object::{LiveObject, ObjectRef};

/// Verb, version, kind, place: `patch apps/v1 Deployment shop/web`.
fn operation(verb: &str, object: &ObjectRef) -> String {
    let ObjectRef {
        api_version,
        kind,
        namespace,
        name,
    } = object;
    match namespace {
        Some(namespace) => format!("{verb} {api_version} {kind} {namespace}/{name}"),
        None => format!("{verb} {api_version} {kind} {name}"),
    }
}

impl KubeCluster {
    /// The GET of an object. A namespace given with a cluster-scoped kind is not used (Helm does the same).
    pub(super) async fn get_call(&self, object: &ObjectRef) -> Result<Call> {
        let operation = operation("get", object);
        let path = self.path_of(object, &operation).await?;
        let mut call = Call::get(path, operation);
        call.redact = redacted(object);
        Ok(call)
    }

    /// A PATCH of an object.
    pub(super) async fn patch_call(
        &self,
        verb: &str,
        object: &ObjectRef,
        effect: Effect,
        body: (&'static str, &Value),
    ) -> Result<Call> {
        let operation = operation(verb, object);
        let path = self.path_of(object, &operation).await?;
        let mut call = Call::change(Method::PATCH, effect, path, body, operation);
        call.redact = redacted(object);
        Ok(call)
    }

    async fn path_of(&self, object: &ObjectRef, operation: &str) -> Result<String> {
        let kind = self
            .kind(operation, &object.api_version, &object.kind)
            .await?;
        let namespace = match (&object.namespace, kind.namespaced) {
            (Some(namespace), true) => Some(namespace.as_str()),
            (None, true) => {
                let message = format!("a {} needs a namespace", object.kind);
                return Err(super::call::error(
                    operation,
                    ErrorKind::Invalid,
                    0,
                    message,
                ));
            }
            (_, false) => None,
        };
        path::object(&object.api_version, &kind.plural, namespace, &object.name)
            .map_err(|source| super::invalid_name(operation, &source))
    }

    /// Sends a call about an object. A path that is not served after all makes us forget what we knew.
    pub(super) async fn send_object(&self, call: &Call) -> Result<Value> {
        let answer = self.send(call).await;
        if answer
            .as_ref()
            .is_err_and(|error| error.kind == ErrorKind::UnknownKind)
        {
            self.discovery.forget().await;
        }
        answer
    }
}

/// Quoted texts that may stand in an error about a Secret.
fn redacted(object: &ObjectRef) -> Option<Vec<String>> {
    (object.kind == "Secret" && object.group().is_empty()).then(|| {
        let mut known = vec![
            "Secret".to_owned(),
            "secrets".to_owned(),
            object.name.clone(),
        ];
        known.extend(
            object
                .namespace
                .iter()
                .map(|namespace| namespace.as_str().to_owned()),
        );
        known
    })
}

/// The answer as a stored object.
pub(super) fn live(call: &Call, json: Value) -> Result<LiveObject> {
    LiveObject::new(json).map_err(|source| {
        let kind = match call.effect {
            Effect::Write => ErrorKind::Cut,
            Effect::Read | Effect::DryRun => ErrorKind::Malformed,
        };
        call.error(kind, 200, source.to_string())
    })
}
