//! The record requests of the run protocol, as the bodies that are sent. Each is a pure function of what was read.
//!
//! | form | request | what it does |
//! |---|---|---|
//! | [`lock`] | POST N+1 (or N+2 for an undo) | takes Helm's own lock with a copy of N, which still says how N was applied |
//! | [`commit`] | PUT N+1 | makes the lock the deployed revision, applied server-side: the commit point |
//! | [`supersede`] | PUT N | N is history, and marked so that a bare `helm rollback` stays on server-side apply |
//! | [`mark`] | PUT of an older revision | marks it likewise, its status stays |
//! | [`restate`] | PUT | changes the status only |
//! | [`restore`], [`recreate`] | PUT or POST N | N byte for byte as it was |
//! | [`retire`] | PUT of a lock | a lock upon which somebody stacked a revision ends `failed` |
//! | [`unpin`] | PUT of a lock | removes its finalizer, so that a DELETE takes effect |
//!
//! Bodies of PUTs carry uid and resourceVersion of what was read, so they only take effect upon that; managedFields are left
//! out (the server goes on with the live ones). Annotations of N are not given to new revisions, as Helm does not either.
use serde_json::{Map, Value, json};

use super::record::{ApplyMethod, ENCODED_MAX, Edit, Record, Status};
use super::storage::{
    BEFORE_KEY, LOCK_ANNOTATION, LOCK_FINALIZER, RELEASE_KEY, RecordImage, SECRET_TYPE,
    StorageError, StoredRecord, UNDO_COPY_KEY, data_bytes, data_text, object_name, system_labels,
};
use crate::domain::release::Driver;

/// The longest undo copy that is put into a lock, in bytes: a fifth of the API server's limit for one object, which the
/// record itself may need. A longer one is left to the journal.
pub const UNDO_COPY_MAX: usize = 200 * 1024;

/// What a new lock is made of, beside the record that it copies.
#[derive(Debug, Clone, Copy)]
pub struct Lock<'a> {
    /// Number of the new revision.
    pub revision: u32,
    /// [`Status::PendingUpgrade`] on the way forward, [`Status::PendingRollback`] on the way back.
    pub status: &'a Status,
    /// `store/run/attempt`.
    pub token: &'a str,
    /// What a person who meets the lock should do.
    pub description: &'a str,
    /// Now, RFC 3339 with no zeros at the end of the fraction.
    pub now: &'a str,
    /// Now, seconds since 1970.
    pub now_unix: i64,
    /// Inverses of all object writes, compressed; none for an undo.
    pub undo_copy: Option<&'a [u8]>,
    /// Keep the name taken even if Helm's pruning deletes the lock: for undo locks in histories of two revisions or less.
    pub finalizer: bool,
}

/// The body of a request, and whether the former bytes found room in it.
#[derive(Clone, PartialEq)]
pub struct Body {
    /// JSON of the object.
    pub object: Value,
    /// Lock: the undo copy is inside. Supersede, mark: the former record is inside. If not, the store must keep it.
    pub kept: bool,
}

impl std::fmt::Debug for Body {
    /// Leaves the object out: its data is secret.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Body")
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

/// POST: a pending copy of `record` in the place of `n`, with the user labels of `n`.
///
/// The copy keeps `record`'s apply method: while the lock stands a record may say client-side of objects that are not,
/// which never conflicts; the reverse would. For the way back `record` is N as it was before the migration.
pub fn lock(n: &StoredRecord, record: &Record, lock: &Lock<'_>) -> Result<Body, StorageError> {
    if !lock.status.is_pending() {
        return Err(refused(n, "a lock is pending"));
    }
    let copy = record
        .with(&Edit {
            revision: Some(lock.revision),
            status: Some(lock.status.clone()),
            description: Some(lock.description.to_owned()),
            last_deployed: Some(lock.now.to_owned()),
            no_rollback_revision: true,
            ..Edit::default()
        })
        .map_err(|source| n.fault(source))?;
    let payload = copy.encode().map_err(|source| n.fault(source))?;
    let driver = n.driver();
    let mut labels = n.user_labels();
    labels.extend(system_labels(&copy).map(|(key, value)| (key.to_owned(), value)));
    labels.insert("createdAt".to_owned(), lock.now_unix.to_string());
    let mut object = json!({
        "apiVersion": "v1",
        "kind": driver.kind(),
        "metadata": {
            "name": object_name(&copy.name, copy.revision),
            "namespace": n.namespace(),
            "labels": labels,
            "annotations": { LOCK_ANNOTATION: lock.token },
        },
        "data": { RELEASE_KEY: data_text(driver, payload.as_bytes()) },
    });
    if driver == Driver::Secret {
        object["type"] = json!(SECRET_TYPE);
    }
    if lock.finalizer {
        object["metadata"]["finalizers"] = json!([LOCK_FINALIZER]);
    }
    let room = UNDO_COPY_MAX.min(ENCODED_MAX.saturating_sub(payload.len()));
    let undo_copy = lock.undo_copy.filter(|bytes| bytes.len() <= room);
    if let Some(bytes) = undo_copy {
        let (part, value) = data_bytes(driver, bytes);
        object[part][UNDO_COPY_KEY] = value;
    }
    Ok(Body {
        object,
        kept: undo_copy.is_some(),
    })
}

/// PUT: the lock becomes the deployed revision, applied server-side; refit's annotation, data key and finalizer go.
pub fn commit(
    lock: &StoredRecord,
    description: &str,
    now_unix: i64,
) -> Result<Value, StorageError> {
    let edit = Edit {
        status: Some(Status::Deployed),
        apply_method: Some(Some(ApplyMethod::ServerSide)),
        description: Some(description.to_owned()),
        ..Edit::default()
    };
    let mut object = rewritten(lock, &edit, now_unix)?;
    strip_lock(&mut object);
    Ok(Value::Object(object))
}

/// PUT: N is superseded and marked as applied server-side. Its former text stays beside it if both fit into one object.
pub fn supersede(n: &StoredRecord, now_unix: i64) -> Result<Body, StorageError> {
    marked(n, Some(Status::Superseded), now_unix)
}

/// PUT: an older revision is marked as applied server-side. Its former text stays beside it if both fit into one object.
pub fn mark(older: &StoredRecord, now_unix: i64) -> Result<Body, StorageError> {
    marked(older, None, now_unix)
}

/// PUT: another status, nothing else.
pub fn restate(
    stored: &StoredRecord,
    status: &Status,
    now_unix: i64,
) -> Result<Value, StorageError> {
    let edit = Edit {
        status: Some(status.clone()),
        ..Edit::default()
    };
    Ok(Value::Object(rewritten(stored, &edit, now_unix)?))
}

/// PUT: a lock that must stay, since a revision stands upon it, ends `failed` and says why.
pub fn retire(
    lock: &StoredRecord,
    description: &str,
    now_unix: i64,
) -> Result<Value, StorageError> {
    let edit = Edit {
        status: Some(Status::Failed),
        description: Some(description.to_owned()),
        ..Edit::default()
    };
    let mut object = rewritten(lock, &edit, now_unix)?;
    strip_lock(&mut object);
    Ok(Value::Object(object))
}

/// PUT: the same object without refit's finalizer; none if it has none.
pub fn unpin(lock: &StoredRecord) -> Option<Value> {
    let mut object = editable(lock);
    strip_finalizer(&mut object).then_some(Value::Object(object))
}

/// PUT: N as `image` and `payload` say, upon the uid and resourceVersion of `now`.
///
/// Without `payload` the text is taken from beside the record. managedFields follow by a second request.
pub fn restore(
    now: &StoredRecord,
    image: &RecordImage,
    payload: Option<&[u8]>,
) -> Result<Value, StorageError> {
    if (now.name(), now.namespace(), now.uid()) != (&image.name, &image.namespace, &image.uid) {
        return Err(refused(now, "it is another object than the saved one"));
    }
    let beside = now.before()?;
    let payload = payload
        .or(beside.as_deref())
        .ok_or_else(|| refused(now, "the former record is not beside it"))?;
    now.decode(payload)?;
    let mut object = editable(now);
    remove_data(&mut object, BEFORE_KEY);
    put_data(&mut object, now.driver(), RELEASE_KEY, payload);
    put_meta(&mut object, "labels", json!(image.labels));
    put_meta(&mut object, "annotations", json!(image.annotations));
    put_meta(&mut object, "finalizers", json!(image.finalizers));
    put_meta(
        &mut object,
        "ownerReferences",
        json!(image.owner_references),
    );
    Ok(Value::Object(object))
}

/// POST: N again, after Helm's pruning took it while an undo was under way.
pub fn recreate(image: &RecordImage, payload: &[u8]) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), json!("v1"));
    object.insert("kind".to_owned(), json!(image.driver.kind()));
    if image.driver == Driver::Secret {
        object.insert("type".to_owned(), json!(SECRET_TYPE));
    }
    put_meta(&mut object, "name", json!(image.name));
    put_meta(&mut object, "namespace", json!(image.namespace));
    put_meta(&mut object, "labels", json!(image.labels));
    put_meta(&mut object, "annotations", json!(image.annotations));
    put_meta(&mut object, "finalizers", json!(image.finalizers));
    put_meta(
        &mut object,
        "ownerReferences",
        json!(image.owner_references),
    );
    put_data(&mut object, image.driver, RELEASE_KEY, payload);
    Value::Object(object)
}

fn marked(
    stored: &StoredRecord,
    status: Option<Status>,
    now_unix: i64,
) -> Result<Body, StorageError> {
    let edit = Edit {
        status,
        apply_method: Some(Some(ApplyMethod::ServerSide)),
        ..Edit::default()
    };
    let former = stored.payload()?;
    let mut object = rewritten(stored, &edit, now_unix)?;
    remove_data(&mut object, BEFORE_KEY);
    let size = StoredRecord::from_api(stored.driver(), Value::Object(object.clone()))?.data_size();
    let kept = size + former.len() <= ENCODED_MAX;
    if kept {
        put_data(&mut object, stored.driver(), BEFORE_KEY, &former);
    }
    Ok(Body {
        object: Value::Object(object),
        kept,
    })
}

/// The object with an edited record, its labels in step, and `modifiedAt` as Helm sets it (`createdAt` stays).
fn rewritten(
    stored: &StoredRecord,
    edit: &Edit,
    now_unix: i64,
) -> Result<Map<String, Value>, StorageError> {
    let record = stored
        .record()?
        .with(edit)
        .map_err(|source| stored.fault(source))?;
    let payload = record.encode().map_err(|source| stored.fault(source))?;
    let mut object = editable(stored);
    put_data(
        &mut object,
        stored.driver(),
        RELEASE_KEY,
        payload.as_bytes(),
    );
    let mut labels = stored.labels();
    labels.extend(system_labels(&record).map(|(key, value)| (key.to_owned(), value)));
    labels.insert("modifiedAt".to_owned(), now_unix.to_string());
    put_meta(&mut object, "labels", json!(labels));
    Ok(object)
}

/// The object as the body of a PUT: with `kind`, which items of a LIST lack, and without managedFields.
fn editable(stored: &StoredRecord) -> Map<String, Value> {
    let mut object = stored.object().clone();
    object.insert("apiVersion".to_owned(), json!("v1"));
    object.insert("kind".to_owned(), json!(stored.driver().kind()));
    put_meta(&mut object, "managedFields", Value::Null);
    object
}

fn strip_lock(object: &mut Map<String, Value>) {
    remove_data(object, UNDO_COPY_KEY);
    if let Some(annotations) = object
        .get_mut("metadata")
        .and_then(|all| all.get_mut("annotations"))
        .and_then(Value::as_object_mut)
    {
        annotations.remove(LOCK_ANNOTATION);
    }
    strip_finalizer(object);
}

fn strip_finalizer(object: &mut Map<String, Value>) -> bool {
    let finalizers = object
        .get_mut("metadata")
        .and_then(|all| all.get_mut("finalizers"))
        .and_then(Value::as_array_mut);
    let Some(finalizers) = finalizers else {
        return false;
    };
    let count = finalizers.len();
    finalizers.retain(|finalizer| finalizer != LOCK_FINALIZER);
    finalizers.len() < count
}

/// Sets a member of metadata; an empty value removes it, as the server leaves empty ones out.
fn put_meta(object: &mut Map<String, Value>, key: &str, value: Value) {
    let Some(metadata) = object
        .entry("metadata")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    else {
        return;
    };
    let empty = value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(Map::is_empty);
    if empty {
        metadata.remove(key);
    } else {
        metadata.insert(key.to_owned(), value);
    }
}

fn put_data(object: &mut Map<String, Value>, driver: Driver, key: &str, text: &[u8]) {
    if let Some(data) = object
        .entry("data")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    {
        data.insert(key.to_owned(), data_text(driver, text));
    }
}

fn remove_data(object: &mut Map<String, Value>, key: &str) {
    for part in ["data", "binaryData"] {
        if let Some(data) = object.get_mut(part).and_then(Value::as_object_mut) {
            data.remove(key);
            if data.is_empty() {
                object.remove(part);
            }
        }
    }
}

fn refused(stored: &StoredRecord, what: &'static str) -> StorageError {
    StorageError::Form {
        name: stored.name().to_owned(),
        what,
    }
}

#[cfg(test)]
mod tests;
