//! Requests at Helm's records. Bodies hold values and are never journaled: they are made from the record that the
//! guard names, which is the same bytes as long as the guard holds.

use serde_json::{Value, json};

use super::hands::{DriveError, Hands, Task};
use super::ledger::Images;
use super::request::{answer, version};
use super::sight::seen_record;
use super::words;
use crate::cluster;
use crate::domain::ids::{Namespace, Revision};
use crate::domain::object::LiveObject;
use crate::domain::run::{
    Answer, Attempt, Content, Guard, Intent, Job, RecordSeen, Step, Target, Token,
};
use crate::domain::transfer::{Inverse, same_entries};
use crate::helm::forms::{self, Lock};
use crate::helm::{Edit, Record, RecordImage, Status, StorageError, StoredRecord, object_name};

/// Compression of the undo copy: fast, since it is made once a release.
const UNDO_COPY_LEVEL: i32 = 3;

/// What became of a request.
pub enum Sent {
    /// It is decided.
    Answer(Answer),
    /// It is not: send again.
    Undecided(cluster::Error),
}

/// Reads a record for a decision.
pub async fn read(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    revision: Revision,
) -> Result<Option<RecordSeen>, DriveError> {
    let Some(stored) = get(hands, task, attempt, revision).await? else {
        return Ok(None);
    };
    Ok(Some(match stored.record() {
        Ok(record) => seen_record(attempt, &stored, &record),
        Err(_) => RecordSeen {
            revision,
            uid: stored.uid().into(),
            resource_version: stored.resource_version().into(),
            status: stored.labels().get("status").cloned().unwrap_or_default(),
            token: stored.token().map(Token::from_annotation),
            content: Some(Content {
                status: String::new(),
                ssa: false,
                identity: crate::domain::ids::Digest::new("unreadable"),
                ours: false,
            }),
        },
    }))
}

async fn get(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    revision: Revision,
) -> Result<Option<StoredRecord>, DriveError> {
    let id = &attempt.opened.release;
    let name = object_name(id.name.as_str(), revision.0);
    let found = hands
        .cluster
        .record(task.driver, &id.namespace, &name)
        .await
        .map_err(|source| DriveError::Cluster {
            release: id.clone(),
            source,
        })?;
    found
        .map(|object| StoredRecord::from_api(task.driver, object.json))
        .transpose()
        .map_err(|source| DriveError::Record {
            release: id.clone(),
            source,
        })
}

/// Sends a request at a record.
pub async fn send(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    intent: &Intent,
    images: &mut Images,
) -> Result<Sent, DriveError> {
    let opened = &attempt.opened;
    let id = &opened.release;
    let Target::Record(revision) = intent.target else {
        return Ok(Sent::Answer(Answer::Refused { code: 404 }));
    };
    let fault = |source: StorageError| DriveError::Record {
        release: id.clone(),
        source,
    };
    let Guard::Version {
        uid,
        resource_version,
    } = &intent.guard
    else {
        let body = match intent.step {
            Step::Lock => lock_body(hands, task, attempt, intent, images).await?,
            _ => match renew_body(hands, task, attempt, images).await? {
                Some(body) => body,
                None => {
                    let why = "its former payload is not in the lock any more".to_owned();
                    return Ok(Sent::Answer(Answer::Denied { code: 0, why }));
                }
            },
        };
        let sent = hands
            .cluster
            .create_record(task.driver, &id.namespace, &body)
            .await;
        return Ok(written(intent.step, sent, 201));
    };
    let name = object_name(id.name.as_str(), revision.0);
    if intent.step == Step::DropCommit || intent.step == Step::Unlock {
        let sent = hands
            .cluster
            .delete_record(task.driver, &id.namespace, &name, uid, resource_version)
            .await;
        return Ok(match sent {
            Ok(kept) => Sent::Answer(Answer::Accepted {
                code: 200,
                version: kept.as_ref().map(version),
            }),
            Err(error) => answer(intent.step, error),
        });
    }
    let Some(live) = get(hands, task, attempt, revision).await? else {
        return Ok(Sent::Answer(Answer::Refused { code: 404 }));
    };
    // Its guard is spent for ever: a resourceVersion does not come back. Without the guard's record there is nothing
    // to make the body from, and nothing to send.
    if live.uid() != uid.as_str() || live.resource_version() != resource_version.as_str() {
        return Ok(Sent::Answer(Answer::Refused { code: 409 }));
    }
    let now = intent.at.as_second();
    let body = match intent.step {
        Step::Commit => forms::commit(
            &live,
            &words::commit(&opened.run, opened.base.revision),
            now,
        )
        .map_err(fault)?,
        Step::Supersede => forms::supersede(&live, now).map_err(fault)?.object,
        Step::Retire => forms::retire(&live, &words::retired(&opened.run), now).map_err(fault)?,
        Step::Demote => forms::restate(&live, &Status::Superseded, now).map_err(fault)?,
        Step::Release => match forms::unpin(&live) {
            Some(body) => body,
            None => {
                let version = (live.uid().into(), live.resource_version().into());
                return Ok(Sent::Answer(Answer::Accepted {
                    code: 200,
                    version: Some(version),
                }));
            }
        },
        Step::Restore => {
            let image: RecordImage = images
                .get(hands.ledger.journal(), &opened.base.metadata)
                .await?;
            let payload = former(&live).map_err(fault)?;
            forms::restore(&live, &image, Some(&payload)).map_err(fault)?
        }
        Step::RestoreOwners => {
            let image: RecordImage = images
                .get(hands.ledger.journal(), &opened.base.metadata)
                .await?;
            return restore_owners(hands, task, &id.namespace, &live, &image, intent.step).await;
        }
        Step::Lock
        | Step::Renew
        | Step::DropCommit
        | Step::Unlock
        | Step::Value
        | Step::Forward
        | Step::Unvalue
        | Step::Back => {
            return Ok(Sent::Answer(Answer::Refused { code: 404 }));
        }
    };
    let sent = hands
        .cluster
        .replace_record(task.driver, &id.namespace, &body)
        .await;
    Ok(written(intent.step, sent, 200))
}

fn written(step: Step, sent: cluster::Result<LiveObject>, code: u16) -> Sent {
    match sent {
        Ok(object) => Sent::Answer(Answer::Accepted {
            code,
            version: Some(version(&object)),
        }),
        Err(error) => answer(step, error),
    }
}

/// The second request of a byte-equal restore: one request that changes content and managedFields moves a `time`.
async fn restore_owners(
    hands: &Hands,
    task: &Task<'_>,
    namespace: &Namespace,
    live: &StoredRecord,
    image: &RecordImage,
    step: Step,
) -> Result<Sent, DriveError> {
    let patch = json!([
        { "op": "test", "path": "/metadata/uid", "value": live.uid() },
        { "op": "replace", "path": "/metadata/managedFields", "value": image.managed_fields },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version() },
    ]);
    Ok(
        match hands
            .cluster
            .patch_record(task.driver, namespace, live.name(), &patch)
            .await
        {
            Ok(after) => {
                let version = version(&after);
                Sent::Answer(
                    match same_entries(&image.managed_fields, after.managed_fields()) {
                        Ok(None) => Answer::Accepted {
                            code: 200,
                            version: Some(version),
                        },
                        Ok(Some(difference)) => Answer::Different {
                            why: difference.to_string(),
                            version,
                        },
                        Err(error) => Answer::Different {
                            why: error.to_string(),
                            version,
                        },
                    },
                )
            }
            Err(error) => answer(step, error),
        },
    )
}

/// N's payload as it was before the migration: from beside the record; if it was too large for that, the same JSON
/// with status and apply method turned back (equal as JSON, not byte for byte).
fn former(live: &StoredRecord) -> Result<Vec<u8>, StorageError> {
    if let Some(payload) = live.before()? {
        return Ok(payload);
    }
    let turned = live.record()?.with(&Edit {
        status: Some(Status::Deployed),
        apply_method: Some(None),
        ..Edit::default()
    });
    let encoded = turned.and_then(|record| record.encode());
    encoded
        .map(String::into_bytes)
        .map_err(|source| live.fault(source))
}

async fn lock_body(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    intent: &Intent,
    images: &mut Images,
) -> Result<Value, DriveError> {
    let opened = &attempt.opened;
    let fault = |source: StorageError| DriveError::Record {
        release: opened.release.clone(),
        source,
    };
    let base = match get(hands, task, attempt, opened.base.revision).await? {
        Some(base) => base,
        None => stub(task, attempt).map_err(fault)?,
    };
    let (record, copy) = match opened.job {
        Job::Migrate => (
            base.record().map_err(fault)?,
            undo_copy(hands, attempt, images).await?,
        ),
        Job::Undo => {
            let payload = former(&base).map_err(fault)?;
            let record = Record::decode(&payload)
                .map_err(|source| base.fault(source))
                .map_err(fault)?;
            (record, Some(payload))
        }
    };
    let status = match opened.job {
        Job::Migrate => Status::PendingUpgrade,
        Job::Undo => Status::PendingRollback,
    };
    let lock = Lock {
        revision: opened.lock.0,
        status: &status,
        token: opened.token.as_str(),
        description: &words::lock(opened),
        now: &intent.at.to_string(),
        now_unix: intent.at.as_second(),
        undo_copy: copy.as_deref(),
        finalizer: opened.finalizer,
    };
    Ok(forms::lock(&base, &record, &lock).map_err(fault)?.object)
}

/// A record to make the lock from when N is gone: the POST must still be sent, since only its answer says what became
/// of an earlier copy. The attempt is undone right after it.
fn stub(task: &Task<'_>, attempt: &Attempt) -> Result<StoredRecord, StorageError> {
    let opened = &attempt.opened;
    let id = &opened.release;
    let object = json!({
        "metadata": {
            "name": object_name(id.name.as_str(), opened.base.revision.0),
            "namespace": id.namespace,
        },
        "data": {},
    });
    let empty = StoredRecord::from_api(task.driver, object)?;
    let text = json!({
        "name": id.name, "namespace": id.namespace, "version": opened.base.revision,
        "info": { "status": "unknown" },
    });
    let record = Record::from_json(text.to_string()).map_err(|source| empty.fault(source))?;
    let payload = record.encode().map_err(|source| empty.fault(source))?;
    empty.with_payload(payload.as_bytes())
}

/// What undo needs, inside the lock: an unfinished release describes itself. Names only, no values.
async fn undo_copy(
    hands: &Hands,
    attempt: &Attempt,
    images: &mut Images,
) -> Result<Option<Vec<u8>>, DriveError> {
    let mut objects = Vec::new();
    for (opened, slot) in attempt.opened.objects.iter().zip(&attempt.objects) {
        let digest = slot.state.inverse().unwrap_or(&opened.request.inverse);
        let inverse: Inverse = images.get(hands.ledger.journal(), digest).await?;
        objects.push(
            json!({ "object": opened.object, "uid": opened.request.uid, "inverse": inverse }),
        );
    }
    let text = Value::Array(objects).to_string();
    Ok(zstd::encode_all(text.as_bytes(), UNDO_COPY_LEVEL).ok())
}

async fn renew_body(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    images: &mut Images,
) -> Result<Option<Value>, DriveError> {
    let opened = &attempt.opened;
    let fault = |source: StorageError| DriveError::Record {
        release: opened.release.clone(),
        source,
    };
    let Some(lock) = get(hands, task, attempt, opened.lock).await? else {
        return Ok(None);
    };
    let Some(payload) = lock.undo_copy().map_err(fault)? else {
        return Ok(None);
    };
    let image: RecordImage = images
        .get(hands.ledger.journal(), &opened.base.metadata)
        .await?;
    Ok(Some(forms::recreate(&image, &payload)))
}
