//! The requests that change a cluster. Each is sent once.

use async_trait::async_trait;
use http::Method;
use serde_json::{Value, json};

use super::KubeCluster;
use super::call::{Effect, JSON, JSON_PATCH, error};
use super::objects::live;
use super::records;
use crate::cluster::{ErrorKind, Result, Writer};
use crate::domain::ids::{Namespace, ResourceVersion, Uid};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;

#[async_trait]
impl Writer for KubeCluster {
    async fn patch(&self, object: &ObjectRef, patch: &Value) -> Result<LiveObject> {
        let call = self
            .patch_call("patch", object, Effect::Write, (JSON_PATCH, patch))
            .await?;
        live(&call, self.send_object(&call).await?)
    }

    async fn create_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        body: &Value,
    ) -> Result<LiveObject> {
        let call = records::create(driver, namespace, body)?;
        live(&call, self.send(&call).await?)
    }

    async fn replace_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        body: &Value,
    ) -> Result<LiveObject> {
        let Some(name) = records::name_of(body) else {
            let operation = format!("replace record {} in {namespace}", records::kind(driver));
            return Err(error(
                &operation,
                ErrorKind::Invalid,
                0,
                "the body has no metadata.name",
            ));
        };
        let call = records::one(&Method::PUT, driver, namespace, name, Some((JSON, body)))?;
        live(&call, self.send(&call).await?)
    }

    async fn patch_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
        patch: &Value,
    ) -> Result<LiveObject> {
        let call = records::one(
            &Method::PATCH,
            driver,
            namespace,
            name,
            Some((JSON_PATCH, patch)),
        )?;
        live(&call, self.send(&call).await?)
    }

    async fn delete_record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
        uid: &Uid,
        resource_version: &ResourceVersion,
    ) -> Result<Option<LiveObject>> {
        let options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": resource_version},
        });
        let call = records::one(
            &Method::DELETE,
            driver,
            namespace,
            name,
            Some((JSON, &options)),
        )?;
        let answer: Value = self.send(&call).await?;
        // An object that is gone is answered by a Status of success, one that finalizers keep by itself.
        if answer["kind"] == "Status" {
            return Ok(None);
        }
        live(&call, answer).map(Some)
    }
}
