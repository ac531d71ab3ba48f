//! Dry runs: every request of this file carries `dryRun=All`.

use async_trait::async_trait;
use serde_json::Value;

use super::KubeCluster;
use super::call::{APPLY_PATCH, Effect, JSON_PATCH};
use super::objects::live;
use crate::cluster::{Rehearser, Result};
use crate::domain::object::{LiveObject, ObjectRef};

#[async_trait]
impl Rehearser for KubeCluster {
    async fn rehearse_apply(
        &self,
        object: &ObjectRef,
        body: &Value,
        manager: &str,
        force: bool,
    ) -> Result<Value> {
        let mut call = self
            .patch_call("dry-run apply", object, Effect::DryRun, (APPLY_PATCH, body))
            .await?;
        call.query.retain(|(key, _)| *key != "fieldManager");
        call.query.extend([
            ("fieldManager", manager.to_owned()),
            ("force", force.to_string()),
            ("fieldValidation", "Strict".to_owned()),
        ]);
        self.send_object(&call).await
    }

    async fn rehearse_patch(&self, object: &ObjectRef, patch: &Value) -> Result<LiveObject> {
        let call = self
            .patch_call("dry-run patch", object, Effect::DryRun, (JSON_PATCH, patch))
            .await?;
        live(&call, self.send_object(&call).await?)
    }
}
