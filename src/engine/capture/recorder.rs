//! A cluster that keeps what it answers, hidden at once: nothing in clear outlives its request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::answers::{
    Answers, HeadRow, KindRow, PROBE, Text, apply_key, list_key, object_key, patch_key,
    place_named, place_of, record_key,
};
use super::file::digest;
use super::hide::Hider;
use super::record::{self, KeepError};
use super::refusal::Answer;
use crate::cluster::{
    self, Access, Kind, Pages, Reader, RecordHead, RecordScope, Rehearser, gather,
};
use crate::domain::ids::Namespace;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::Driver;
use crate::engine::shadow::kept_by;
use crate::helm::{StoredRecord, manifest};

/// Groups of which every object is kept: what admission looks at, which APIs are aggregated, what scales what, what Flux
/// drives; and Namespaces.
const WHOLE_GROUPS: [&str; 6] = [
    "admissionregistration.k8s.io/",
    "apiregistration.k8s.io/",
    "autoscaling/",
    "autoscaling.k8s.io/",
    "helm.toolkit.fluxcd.io/",
    "keda.sh/",
];

/// Parts of such an object that nobody asks for unless a manifest names it. Values of a HelmRelease and triggers of a
/// ScaledObject may hold passwords.
const LEFT_OUT: [(&str, &str); 5] = [
    ("/metadata", "annotations"),
    ("/metadata", "managedFields"),
    ("/spec", "values"),
    ("/spec", "triggers"),
    ("", "status"),
];

/// A group-version and the hash of its document.
type Published = (String, String);

/// OpenAPI documents by their digest, shared by the recorders of a fleet.
#[derive(Debug, Clone, Default)]
pub struct Documents(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    texts: BTreeMap<String, Text>,
    /// A forecast asks one cluster for a document that many publish.
    published: BTreeMap<Published, Answer<Option<String>>>,
}

impl Documents {
    /// All of them.
    pub fn take(&self) -> BTreeMap<String, Text> {
        std::mem::take(&mut held(&self.0).texts)
    }

    fn keep(&self, document: &Value) -> Result<String, KeepError> {
        let text = Text::of(document)?;
        let name = digest(text.as_str());
        held(&self.0).texts.entry(name.clone()).or_insert(text);
        Ok(name)
    }

    fn publish(&self, published: Published, answer: &Answer<Option<String>>) {
        held(&self.0).published.insert(published, answer.clone());
    }

    /// Gives a cluster the schemas that it publishes and that others were asked for.
    fn complete(&self, answers: &mut Answers) {
        let Some(Answer::Ok(hashes)) = &answers.hashes else {
            return;
        };
        let held = held(&self.0);
        for (api_version, hash) in hashes.iter().filter(|(_, hash)| !hash.is_empty()) {
            let key = (api_version.clone(), hash.clone());
            if let Some(answer) = held.published.get(&key) {
                let schemas = &mut answers.schemas;
                let _ = schemas
                    .entry(api_version.clone())
                    .or_insert_with(|| answer.clone());
            }
        }
    }
}

/// Keeps the answers of a cluster.
pub struct Recorder {
    reader: Arc<dyn Reader>,
    rehearser: Arc<dyn Rehearser>,
    documents: Documents,
    hider: Hider,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    answers: Answers,
    heads: BTreeMap<(Driver, Namespace, String), HeadRow>,
    /// Kind, name and namespace of every object of a manifest: of lists only those are kept. Records are read before lists.
    named: BTreeSet<(String, String, String)>,
    /// The first answer that could not be kept: then there is no capture of the cluster.
    fault: Option<KeepError>,
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
        hider: Hider,
    ) -> Self {
        Self {
            reader,
            rehearser,
            documents,
            hider,
            kept: Mutex::default(),
        }
    }

    /// What was kept, once every cluster of the fleet has been read.
    pub fn take(&self) -> Result<Answers, KeepError> {
        let Kept {
            mut answers,
            heads,
            fault,
            ..
        } = std::mem::take(&mut *held(&self.kept));
        if let Some(fault) = fault {
            return Err(fault);
        }
        answers.heads = heads.into_values().collect();
        self.documents.complete(&mut answers);
        Ok(answers)
    }

    fn keep(&self, keep: impl FnOnce(&mut Kept) -> Result<(), KeepError>) {
        let mut kept = held(&self.kept);
        if let Err(fault) = keep(&mut kept) {
            kept.fault.get_or_insert(fault);
        }
    }

    fn hidden(&self, object: &Value) -> Result<Text, KeepError> {
        let mut object = object.clone();
        self.hider.object(&mut object)?;
        Ok(Text::of(&object)?)
    }

    fn hidden_live(&self, live: &LiveObject) -> Result<Text, KeepError> {
        self.hidden(&live.json)
    }

    /// Of an item of a list what a forecast may ask for.
    fn listed(
        &self,
        kept: &Kept,
        api_version: &str,
        kind: &str,
        live: &LiveObject,
    ) -> Result<Listed, KeepError> {
        if kept.is_named(kind, &live.json) || kept_by(live).is_some() {
            return self.hidden_live(live).map(Listed::Whole);
        }
        let whole = (api_version, kind) == ("v1", "Namespace")
            || WHOLE_GROUPS.iter().any(|it| api_version.starts_with(it));
        if !whole {
            return Ok(Listed::Name);
        }
        let mut json = live.json.clone();
        for (parent, part) in LEFT_OUT {
            let parent = json.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.and_then(|parent: &mut Map<_, _>| parent.remove(part));
        }
        self.hidden(&json).map(Listed::Part)
    }
}

/// What is kept of an item of a list.
enum Listed {
    Whole(Text),
    /// What admission, autoscalers and the like are asked for.
    Part(Text),
    Name,
}

impl Kept {
    fn is_named(&self, kind: &str, json: &Value) -> bool {
        let text = |pointer: &str| {
            json.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (name, namespace) = (text("/metadata/name"), text("/metadata/namespace"));
        let of_name = (kind.to_owned(), name.to_owned(), String::new())..;
        let mut of_name = self
            .named
            .range(of_name)
            .take_while(|it| it.0 == kind && it.1 == name);
        // An object without a namespace stands in its manifest as one in the release's.
        of_name.any(|it| namespace.is_empty() || it.2 == namespace)
    }
}

/// The objects of a record, as [`Kept::named`] has them.
fn names_in(driver: Driver, record: &Value) -> Vec<(String, String, String)> {
    let stored = StoredRecord::from_api(driver, record.clone());
    let Ok(record) = stored.and_then(|stored| stored.record()) else {
        return Vec::new();
    };
    let objects = manifest::objects(&record.manifest)
        .unwrap_or_default()
        .into_iter();
    let namespace = |named: Option<String>| named.unwrap_or_else(|| record.namespace.clone());
    objects
        .map(|it| (it.kind, it.name, namespace(it.namespace)))
        .collect()
}

#[async_trait]
impl Reader for Recorder {
    async fn version(&self) -> cluster::Result<String> {
        let came = self.reader.version().await;
        if let Ok(version) = &came {
            self.keep(|kept| {
                kept.answers.version.clone_from(version);
                Ok(())
            });
        }
        came
    }

    async fn identity(&self) -> cluster::Result<String> {
        self.reader.identity().await
    }

    async fn kinds(&self, refresh: bool) -> cluster::Result<Vec<Kind>> {
        let came = self.reader.kinds(refresh).await;
        if let Ok(kinds) = &came {
            self.keep(|kept| {
                kept.answers.kinds = kinds.iter().map(KindRow::of).collect();
                Ok(())
            });
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
            self.keep(|kept| {
                for head in heads {
                    let key = (driver, head.namespace.clone(), head.name.clone());
                    kept.heads.insert(key, HeadRow::of(driver, head));
                }
                Ok(())
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
            let row = record::keep(&self.hider, driver, &record.json);
            self.keep(|kept| {
                kept.named.extend(names);
                kept.answers.records.insert(key, row?);
                Ok(())
            });
        }
        came
    }

    async fn object(&self, object: &ObjectRef) -> cluster::Result<Option<LiveObject>> {
        let came = self.reader.object(object).await;
        let answer = Answer::of(&came, |live| {
            live.as_ref().map(|live| self.hidden_live(live)).transpose()
        });
        self.keep(|kept| {
            let Some(answer) = answer.transpose()? else {
                return Ok(());
            };
            // It is younger than what a list said of it.
            let list = kept
                .answers
                .lists
                .get_mut(&list_key(&object.api_version, &object.kind));
            if let (Some(Answer::Ok(list)), Answer::Ok(object_now)) = (list, &answer) {
                match object_now {
                    Some(text) => drop(list.insert(place_named(object), text.clone())),
                    None => drop(list.remove(&place_named(object))),
                }
            }
            kept.answers.objects.insert(object_key(object), answer);
            Ok(())
        });
        came
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
        let mut tee = Tee {
            recorder: self,
            api_version,
            kind,
            pages,
            list: BTreeMap::new(),
            others: BTreeSet::new(),
        };
        let came = self.reader.visit(api_version, kind, &mut tee).await;
        let (list, others) = (
            std::mem::take(&mut tee.list),
            std::mem::take(&mut tee.others),
        );
        if let Some(answer) = Answer::of(&came, |()| list) {
            self.keep(|kept| {
                let key = list_key(api_version, kind);
                if others.is_empty() {
                    kept.answers.others.remove(&key);
                } else {
                    kept.answers.others.insert(key.clone(), others);
                }
                kept.answers.lists.insert(key, answer);
                Ok(())
            });
        }
        came
    }

    async fn openapi_hashes(&self) -> cluster::Result<BTreeMap<String, String>> {
        let came = self.reader.openapi_hashes().await;
        let answer = Answer::of(&came, Clone::clone);
        self.keep(|kept| {
            kept.answers.hashes = answer;
            Ok(())
        });
        came
    }

    async fn openapi(&self, api_version: &str) -> cluster::Result<Option<Value>> {
        let came = self.reader.openapi(api_version).await;
        let answer = Answer::of(&came, |document| {
            document
                .as_ref()
                .map(|document| self.documents.keep(document))
                .transpose()
        });
        self.keep(|kept| {
            let Some(answer) = answer.transpose()? else {
                return Ok(());
            };
            if let Some(Answer::Ok(hashes)) = &kept.answers.hashes
                && let Some(hash) = hashes.get(api_version).filter(|hash| !hash.is_empty())
            {
                self.documents
                    .publish((api_version.to_owned(), hash.clone()), &answer);
            }
            kept.answers.schemas.insert(api_version.to_owned(), answer);
            Ok(())
        });
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
        let answer = Answer::of(&came, |applied| {
            self.hidden(&renamed(applied, manager, PROBE))
        });
        self.keep(|kept| {
            if let Some(answer) = answer.transpose()? {
                kept.answers.rehearsals.insert(apply_key(object), answer);
            }
            Ok(())
        });
        came
    }

    async fn rehearse_patch(
        &self,
        object: &ObjectRef,
        patch: &Value,
    ) -> cluster::Result<LiveObject> {
        let came = self.rehearser.rehearse_patch(object, patch).await;
        let answer = Answer::of(&came, |live| self.hidden_live(live));
        self.keep(|kept| {
            if let (Some(answer), Some(key)) = (answer.transpose()?, patch_key(object, patch)) {
                kept.answers.rehearsals.insert(key, answer);
            }
            Ok(())
        });
        came
    }
}

/// Hands pages on, and keeps of each what a forecast may ask for.
struct Tee<'a> {
    recorder: &'a Recorder,
    api_version: &'a str,
    kind: &'a str,
    pages: &'a mut dyn Pages,
    list: BTreeMap<String, Text>,
    others: BTreeSet<String>,
}

impl Pages for Tee<'_> {
    fn page(&mut self, objects: Vec<LiveObject>) {
        let (recorder, list, others) = (self.recorder, &mut self.list, &mut self.others);
        recorder.keep(|kept| {
            for live in &objects {
                let place = place_of(&live.json);
                match recorder.listed(kept, self.api_version, self.kind, live)? {
                    Listed::Whole(text) => drop(list.insert(place, text)),
                    Listed::Part(text) => {
                        others.insert(place.clone());
                        list.insert(place, text);
                    }
                    Listed::Name => drop(others.insert(place)),
                }
            }
            Ok(())
        });
        self.pages.page(objects);
    }

    fn again(&mut self) {
        self.list.clear();
        self.others.clear();
        self.pages.again();
    }
}

/// Turns an answer that may not be kept inside out.
trait Transpose<T> {
    fn transpose(self) -> Result<Option<Answer<T>>, KeepError>;
}

impl<T> Transpose<T> for Option<Answer<Result<T, KeepError>>> {
    fn transpose(self) -> Result<Option<Answer<T>>, KeepError> {
        Ok(match self {
            None => None,
            Some(Answer::Ok(kept)) => Some(Answer::Ok(kept?)),
            Some(Answer::Refused(refusal)) => Some(Answer::Refused(refusal)),
        })
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
