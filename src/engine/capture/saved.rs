//! A cluster that answers from a capture. It has no connection: what was not asked then cannot be asked now.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::answers::{
    Answers, HeadRow, KindRow, PROBE, Text, apply_key, list_key, object_key, patch_key,
    place_named, record_key, timeless,
};
use super::record;
use super::recorder::renamed;
use crate::cluster::{
    self, Access, ErrorKind, Kind, Pages, Reader, RecordHead, RecordScope, Rehearser, gather,
};
use crate::domain::ids::Namespace;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;
use crate::helm::parse_object_name;

/// The status of a fault that is one object's.
const FAULT: u16 = 500;

/// Objects that are trees at once: those of a page of the API server.
const PAGE: usize = 500;

/// Words of an answer that is not there. A rule of triage knows them (`playbooks/triage.toml`, not-captured).
pub const NOT_CAPTURED: &str = "the saved inventory does not hold what was asked";

/// The cluster.
pub struct Saved {
    answers: Answers,
    documents: Arc<BTreeMap<String, Text>>,
}

impl Saved {
    /// Of what was kept.
    pub fn new(answers: Answers, documents: Arc<BTreeMap<String, Text>>) -> Self {
        Self { answers, documents }
    }

    fn list(&self, api_version: &str, kind: &str) -> cluster::Result<&BTreeMap<String, Text>> {
        let key = list_key(api_version, kind);
        match self.answers.lists.get(&key) {
            Some(answer) => answer.again(),
            None => Err(absent(format!("list {key}"))),
        }
    }
}

/// What the capture cannot answer is a fault of what was asked about, so that it holds one release and not the cluster.
fn absent(what: String) -> cluster::Error {
    refused(what, ErrorKind::Server)
}

fn refused(what: String, kind: ErrorKind) -> cluster::Error {
    let message = format!(
        "{NOT_CAPTURED}: save it again under these settings, or look at the cluster itself"
    );
    fault(what, kind, message)
}

/// An object of a kind that no manifest of the cluster names.
fn never_listed(what: String) -> cluster::Error {
    let message = format!(
        "{NOT_CAPTURED}: no release had an object of this kind; look at the cluster itself"
    );
    fault(what, ErrorKind::Server, message)
}

/// An object that no release's manifest had: it is there, and that is all that is kept of it.
fn only_named(what: String) -> cluster::Error {
    let message = "it is there, in no release, and the saved inventory holds only its name: look at the cluster itself";
    fault(what, ErrorKind::Server, message.to_owned())
}

fn fault(what: String, kind: ErrorKind, message: String) -> cluster::Error {
    cluster::Error {
        kind,
        code: FAULT,
        operation: what,
        message,
        retry_after: None,
        source: None,
    }
}

fn value(text: &Text, what: &str) -> cluster::Result<Value> {
    text.read().map_err(|_| absent(what.to_owned()))
}

fn live(text: &Text, what: &str) -> cluster::Result<LiveObject> {
    LiveObject::new(value(text, what)?).map_err(|_| absent(what.to_owned()))
}

#[async_trait]
impl Reader for Saved {
    async fn version(&self) -> cluster::Result<String> {
        Ok(self.answers.version.clone())
    }

    async fn identity(&self) -> cluster::Result<String> {
        Err(absent("identity".to_owned()))
    }

    async fn kinds(&self, _: bool) -> cluster::Result<Vec<Kind>> {
        Ok(self.answers.kinds.iter().map(KindRow::again).collect())
    }

    async fn record_heads(
        &self,
        driver: Driver,
        scope: &RecordScope,
    ) -> cluster::Result<Vec<RecordHead>> {
        let wanted = |namespace: &Namespace, name: &str| match scope {
            RecordScope::All => true,
            RecordScope::Namespace(only) => only == namespace,
            RecordScope::Release(only, release) => {
                only == namespace
                    && parse_object_name(name).is_some_and(|(it, _)| it == release.as_str())
            }
        };
        let heads = self.answers.heads.iter();
        let heads = heads.filter(|it| it.driver == driver && wanted(&it.namespace, &it.name));
        Ok(heads.map(HeadRow::again).collect())
    }

    async fn record(
        &self,
        driver: Driver,
        namespace: &Namespace,
        name: &str,
    ) -> cluster::Result<Option<LiveObject>> {
        let key = record_key(driver, namespace, name);
        let Some(row) = self.answers.records.get(&key) else {
            return Ok(None);
        };
        let json = record::again(driver, row).map_err(|_| absent(key.clone()))?;
        LiveObject::new(json).map(Some).map_err(|_| absent(key))
    }

    async fn object(&self, object: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
        let key = object_key(object);
        if let Some(answer) = self.answers.objects.get(&key) {
            let text = answer.again()?.as_ref();
            return text.map(|text| live(text, &key)).transpose();
        }
        let kind = list_key(&object.api_version, &object.kind);
        let Some(list) = self.answers.lists.get(&kind) else {
            return Err(never_listed(key));
        };
        let list = list.again()?;
        let place = place_named(object);
        let others = self.answers.others.get(&kind);
        if others.is_some_and(|others| others.contains(&place)) {
            return Err(only_named(key));
        }
        let found = list.get(&place);
        found.map(|text| live(text, &key)).transpose()
    }

    async fn objects(&self, api_version: &str, kind: &str) -> cluster::Result<Vec<LiveObject>> {
        gather(self, api_version, kind, Some).await
    }

    async fn visit(
        &self,
        api_version: &str,
        kind: &str,
        pages: &mut dyn Pages,
    ) -> cluster::Result<()> {
        let key = list_key(api_version, kind);
        let mut texts = self.list(api_version, kind)?.values();
        loop {
            let page = texts.by_ref().take(PAGE).map(|text| live(text, &key));
            let page: Vec<LiveObject> = page.collect::<cluster::Result<_>>()?;
            if page.is_empty() {
                return Ok(());
            }
            pages.page(page);
        }
    }

    async fn openapi_hashes(&self) -> cluster::Result<BTreeMap<String, String>> {
        match &self.answers.hashes {
            Some(answer) => answer.again().cloned(),
            None => Ok(BTreeMap::new()),
        }
    }

    async fn openapi(&self, api_version: &str) -> cluster::Result<Option<Value>> {
        let Some(answer) = self.answers.schemas.get(api_version) else {
            return Ok(None);
        };
        let text = answer
            .again()?
            .as_ref()
            .and_then(|name| self.documents.get(name));
        text.map(|text| value(text, api_version)).transpose()
    }

    async fn may(&self, _: &Access) -> cluster::Result<bool> {
        Err(absent("access review".to_owned()))
    }
}

#[async_trait]
impl Rehearser for Saved {
    async fn rehearse_apply(
        &self,
        object: &ObjectRef,
        _: &Value,
        manager: &str,
        _: bool,
    ) -> cluster::Result<Value> {
        let key = apply_key(object);
        match self.answers.rehearsals.get(&key) {
            Some(answer) => Ok(renamed(&value(answer.again()?, &key)?, PROBE, manager)),
            None => Err(absent(key)),
        }
    }

    async fn rehearse_patch(
        &self,
        object: &ObjectRef,
        patch: &Value,
    ) -> cluster::Result<LiveObject> {
        let key = patch_key(object, patch);
        let Some((key, answer)) =
            key.and_then(|key| Some((key.clone(), self.answers.rehearsals.get(&key)?)))
        else {
            let what = format!("dry run of a patch of {object}");
            return Err(refused(what, ErrorKind::Invalid));
        };
        let mut answer = live(answer.again()?, &key)?;
        let wished = patch.as_array().into_iter().flatten();
        let wished = wished.filter(|it| it["path"] == "/metadata/managedFields");
        let wished: Vec<&Value> = wished
            .filter_map(|it| it["value"].as_array())
            .flatten()
            .collect();
        let entries = answer.json.pointer_mut("/metadata/managedFields");
        // The times of new entries are those of whoever asks.
        for entry in entries.and_then(Value::as_array_mut).into_iter().flatten() {
            let alone = Value::Array(vec![entry.clone()]);
            let same = wished
                .iter()
                .find(|it| timeless(&Value::Array(vec![(**it).clone()])) == timeless(&alone));
            if let Some(same) = same {
                *entry = (*same).clone();
            }
        }
        Ok(answer)
    }
}
