//! A cluster that keeps what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::answers::{
    Answer, Answers, HeadRow, KindRow, PROBE, apply_key, list_key, object_key, patch_key,
    record_key,
};
use super::digest;
use crate::cluster::{self, Access, Kind, Reader, RecordHead, RecordScope, Rehearser};
use crate::domain::ids::Namespace;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;
use crate::helm::{StoredRecord, manifest};

/// Groups whose lists are kept whole: what admission looks at, which APIs are aggregated, what scales what.
const WHOLE_GROUPS: [&str; 6] = [
    "admissionregistration.k8s.io/",
    "apiregistration.k8s.io/",
    "autoscaling/",
    "autoscaling.k8s.io/",
    "helm.toolkit.fluxcd.io/",
    "keda.sh/",
];

/// OpenAPI documents by their digest, shared by the recorders of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Documents(Arc<Mutex<BTreeMap<String, Value>>>);

impl Documents {
    /// All of them.
    pub fn take(&self) -> BTreeMap<String, Value> {
        std::mem::take(&mut *held(&self.0))
    }

    fn keep(&self, document: &Value) -> String {
        let name = digest(document);
        held(&self.0)
            .entry(name.clone())
            .or_insert_with(|| document.clone());
        name
    }
}

/// Keeps the answers of a cluster.
pub struct Recorder {
    reader: Arc<dyn Reader>,
    rehearser: Arc<dyn Rehearser>,
    documents: Documents,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: Answers,
    /// Kind and name of every object of a manifest: of lists only those are kept. Records are read before lists.
    named: BTreeSet<(String, String)>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Around a cluster.
    pub fn new(
        reader: Arc<dyn Reader>,
        rehearser: Arc<dyn Rehearser>,
        documents: Documents,
    ) -> Self {
        Self {
            reader,
            rehearser,
            documents,
            kept: Mutex::default(),
        }
    }

    /// What was kept, values of Secrets included: hide them before they go anywhere.
    pub fn take(&self) -> Answers {
        std::mem::take(&mut held(&self.kept).answers)
    }

    fn keep(&self, keep: impl FnOnce(&mut Kept)) {
        keep(&mut held(&self.kept));
    }
}

/// Kinds and names of the objects of a record.
fn names_in(driver: Driver, record: &Value) -> Vec<(String, String)> {
    let stored = StoredRecord::from_api(driver, record.clone());
    let record = stored.and_then(|stored| stored.record()).ok();
    let objects = record.and_then(|record| manifest::objects(&record.manifest).ok());
    let objects = objects.into_iter().flatten();
    objects.map(|it| (it.kind, it.name)).collect()
}

#[async_trait]
impl Reader for Recorder {
    async fn version(&self) -> cluster::Result<String> {
        let came = self.reader.version().await;
        if let Ok(version) = &came {
            self.keep(|kept| kept.answers.version.clone_from(version));
        }
        came
    }

    async fn identity(&self) -> cluster::Result<String> {
        self.reader.identity().await
    }

    async fn kinds(&self, refresh: bool) -> cluster::Result<Vec<Kind>> {
        let came = self.reader.kinds(refresh).await;
        if let Ok(kinds) = &came {
            self.keep(|kept| kept.answers.kinds = kinds.iter().map(KindRow::of).collect());
        }
        came
    }

    async fn record_heads(
        &self,
        driver: Driver,
        scope: &RecordScope,
    ) -> cluster::Result<Vec<RecordHead>> {
        let came = self.reader.record_heads(driver, scope).await;
        if let Ok(heads) = &came {
            let rows = heads.iter().map(|head| HeadRow::of(driver, head));
            self.keep(|kept| {
                for row in rows {
                    let known = kept.answers.heads.iter().any(|it| {
                        (it.driver, &it.namespace, &it.name)
                            == (row.driver, &row.namespace, &row.name)
                    });
                    if !known {
                        kept.answers.heads.push(row);
                    }
                }
            });
        }
        came
    }

    async fn record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> cluster::Result<Option<LiveObject>> {
        let came = self.reader.record(driver, namespace, name).await;
        if let Ok(Some(record)) = &came {
            let key = record_key(driver, namespace, name);
            let names = names_in(driver, &record.json);
            self.keep(|kept| {
                kept.named.extend(names);
                kept.answers.records.insert(key, record.json.clone());
            });
        }
        came
    }

    async fn object(&self, object: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
        let came = self.reader.object(object).await;
        let answer = Answer::of(&came, |live| live.as_ref().map(|live| live.json.clone()));
        if let Some(answer) = answer {
            self.keep(|kept| drop(kept.answers.objects.insert(object_key(object), answer)));
        }
        came
    }

    async fn objects(&self, api_version: &str, kind: &str) -> cluster::Result<Vec<LiveObject>> {
        let came = self.reader.objects(api_version, kind).await;
        let whole =
            kind == "Namespace" || WHOLE_GROUPS.iter().any(|it| api_version.starts_with(it));
        self.keep(|kept| {
            let wanted = |live: &&LiveObject| {
                let name = live.json.pointer("/metadata/name").and_then(Value::as_str);
                let name = name.unwrap_or_default().to_owned();
                whole || kept.named.contains(&(kind.to_owned(), name))
            };
            let answer = Answer::of(&came, |all| {
                all.iter()
                    .filter(wanted)
                    .map(|live| live.json.clone())
                    .collect()
            });
            if let Some(answer) = answer {
                kept.answers
                    .lists
                    .insert(list_key(api_version, kind), answer);
            }
        });
        came
    }

    async fn openapi_hashes(&self) -> cluster::Result<BTreeMap<String, String>> {
        let came = self.reader.openapi_hashes().await;
        let answer = Answer::of(&came, Clone::clone);
        self.keep(|kept| kept.answers.hashes = answer);
        came
    }

    async fn openapi(&self, api_version: &str) -> cluster::Result<Option<Value>> {
        let came = self.reader.openapi(api_version).await;
        let answer = Answer::of(&came, |document| {
            document
                .as_ref()
                .map(|document| self.documents.keep(document))
        });
        if let Some(answer) = answer {
            self.keep(|kept| drop(kept.answers.schemas.insert(api_version.to_owned(), answer)));
        }
        came
    }

    async fn may(&self, access: &Access) -> cluster::Result<bool> {
        self.reader.may(access).await
    }
}

#[async_trait]
impl Rehearser for Recorder {
    async fn rehearse_apply(
        &self,
        object: &ObjectRef,
        body: &Value,
        manager: &str,
        force: bool,
    ) -> cluster::Result<Value> {
        let came = self
            .rehearser
            .rehearse_apply(object, body, manager, force)
            .await;
        let answer = Answer::of(&came, |applied| renamed(applied, manager, PROBE));
        if let Some(answer) = answer {
            self.keep(|kept| drop(kept.answers.rehearsals.insert(apply_key(object), answer)));
        }
        came
    }

    async fn rehearse_patch(
        &self,
        object: &ObjectRef,
        patch: &Value,
    ) -> cluster::Result<LiveObject> {
        let came = self.rehearser.rehearse_patch(object, patch).await;
        let answer = Answer::of(&came, |live| live.json.clone());
        if let (Some(answer), Some(key)) = (answer, patch_key(object, patch)) {
            self.keep(|kept| drop(kept.answers.rehearsals.insert(key, answer)));
        }
        came
    }
}

/// The object with one manager under another name.
pub(super) fn renamed(object: &Value, from: &str, to: &str) -> Value {
    let mut object = object.clone();
    let entries = object.pointer_mut("/metadata/managedFields");
    for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
        if entry.get("manager").is_some_and(|it| it == from) {
            entry["manager"] = json!(to);
        }
    }
    object
}
