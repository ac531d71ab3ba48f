//! Looking: a release as decisions need it, read in the order of rule 6 (objects first, then records).

use std::collections::BTreeMap;

use managed_fields::Time;
use serde_json::Value;

use super::hands::{DriveError, Eyes, Hands, Task};
use super::ledger::Images;
use super::words;
use crate::cluster::{ErrorKind, RecordScope};
use crate::domain::ids::{Digest, Revision, Uid};
use crate::domain::object::LiveObject;
use crate::domain::run::{
    Attempt, Content, Direction, Look, ObjectCell, ObjectRequest, ObjectSeen, RecordSeen, Token,
    View,
};
use crate::domain::transfer::{Adoption, ApplySet, Inverse, Ours, adopt_under, classify, put_back};
use crate::engine::records::{Head, RecordFault, list, load};
use crate::engine::shadow::{Rehearsal, rehearse};
use crate::helm::StoredRecord;

/// How often a busy object is read again because it moved between GET and dry run.
const TRIES_AT_A_BUSY_OBJECT: u32 = 5;

/// What this process saw of objects before it patched them: compared with the answers. A successor does not have it
/// and relies on the dry run that was made at the same resourceVersion.
#[derive(Debug, Default)]
pub struct Memory {
    /// Content by object and resourceVersion.
    contents: BTreeMap<(u32, String), Value>,
    /// Rehearsals of patches that the protocol asked for again.
    pub rehearsals: u32,
}

impl Memory {
    /// Remembers an object as it was read.
    pub fn remember(&mut self, index: u32, live: &LiveObject) {
        self.contents.insert(
            (index, live.resource_version.as_str().to_owned()),
            live.content(),
        );
    }

    /// The content that an object had at a resourceVersion.
    pub fn content(&self, index: u32, resource_version: &str) -> Option<&Value> {
        self.contents.get(&(index, resource_version.to_owned()))
    }
}

/// Reads what a decision asked for.
pub async fn view(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    look: &Look,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<View, DriveError> {
    let now = hands.clock.now();
    let mut objects = Vec::new();
    for &index in &look.objects {
        let inverse = inverse_of(attempt, index);
        if let Some(inverse) = inverse {
            objects.push((
                index,
                see(&hands.eyes(), attempt, index, &inverse, images, memory).await?,
            ));
        }
    }
    let records = records(hands, task, attempt, &look.contents).await?;
    Ok(View {
        now,
        objects,
        records,
        undo_wished: None,
        waited_enough: false,
    })
}

/// The inverse that an object's state is compared with: that of the request that landed, else of the last one.
pub fn inverse_of(attempt: &Attempt, index: u32) -> Option<Digest> {
    let opened = attempt.opened.objects.get(index as usize)?;
    let slot = attempt.objects.get(index as usize)?;
    Some(match &slot.state {
        ObjectCell::Migrated { inverse, .. } => inverse.clone(),
        _ => opened.request.inverse.clone(),
    })
}

/// Looks at one object.
pub async fn see(
    eyes: &Eyes<'_>,
    attempt: &Attempt,
    index: u32,
    inverse: &Digest,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<ObjectSeen, DriveError> {
    let release = &attempt.opened.release;
    let Some(opened) = attempt.opened.objects.get(index as usize) else {
        return Ok(ObjectSeen::Gone);
    };
    let journal = eyes.journal;
    let saved: Inverse = images.get(journal, inverse).await?;
    for _ in 0..TRIES_AT_A_BUSY_OBJECT {
        let live = match eyes.reader.object(&opened.object).await {
            Ok(live) => live,
            Err(error) if error.kind == ErrorKind::UnknownKind => None,
            Err(source) => {
                return Err(DriveError::Cluster {
                    release: release.clone(),
                    source,
                });
            }
        };
        let Some(live) = live else {
            return Ok(ObjectSeen::Gone);
        };
        if live.uid != opened.request.uid {
            return Ok(ObjectSeen::Recreated);
        }
        let ours = match classify(live.managed_fields(), &saved, eyes.managers) {
            Ok(ours) => ours,
            Err(error) => {
                return Ok(ObjectSeen::Rewritten {
                    by: error.to_string(),
                });
            }
        };
        match ours {
            Ours::Rewritten { by } => return Ok(ObjectSeen::Rewritten { by }),
            Ours::After => {
                let version = (live.uid.clone(), live.resource_version.clone());
                return Ok(
                    match put_back(live.managed_fields(), &saved, eyes.managers) {
                        Ok(wish) => {
                            memory.remember(index, &live);
                            let back = request(&live, images.put(&wish)?, inverse.clone());
                            ObjectSeen::After {
                                version,
                                back: Some(back),
                            }
                        }
                        Err(error) => ObjectSeen::Refused {
                            why: error.to_string(),
                        },
                    },
                );
            }
            Ours::Before => {
                let saved: Value = images.get(journal, &opened.apply_set).await?;
                let (Some(apply_set), Some(terms)) = (
                    ApplySet::from_value(&saved),
                    ApplySet::terms_from_value(&saved),
                ) else {
                    return Ok(ObjectSeen::Refused {
                        why: "the saved apply set does not read".to_owned(),
                    });
                };
                let at = Time::from_unix(eyes.clock.now().as_second()).ok();
                let Some(at) = at else {
                    return Ok(ObjectSeen::Refused {
                        why: "the clock is off".to_owned(),
                    });
                };
                let entries = live.managed_fields();
                let adoption = match adopt_under(entries, &apply_set, &terms, eyes.managers, at) {
                    Ok(Some(adoption)) => adoption,
                    Ok(None) => {
                        return Ok(ObjectSeen::Rewritten {
                            by: eyes.managers.canonical().to_owned(),
                        });
                    }
                    Err(error) => {
                        return Ok(ObjectSeen::Refused {
                            why: error.to_string(),
                        });
                    }
                };
                if attempt.direction == Direction::Back {
                    let forward = adoption_request(&live, &adoption, images)?;
                    return Ok(ObjectSeen::Before { forward });
                }
                memory.rehearsals += 1;
                let rehearsal = rehearse(eyes.rehearser, &opened.object, &live, &adoption.wish)
                    .await
                    .map_err(|source| DriveError::Cluster {
                        release: release.clone(),
                        source,
                    })?;
                match rehearsal {
                    Rehearsal::Moved => {}
                    Rehearsal::AsWished { wish, .. } => {
                        memory.remember(index, &live);
                        let adoption = Adoption {
                            wish,
                            inverse: adoption.inverse,
                        };
                        let forward = adoption_request(&live, &adoption, images)?;
                        return Ok(ObjectSeen::Before { forward });
                    }
                    Rehearsal::DeadEntries(entries) => {
                        return Ok(ObjectSeen::Refused {
                            why: entries.join(", "),
                        });
                    }
                    Rehearsal::Refused(why) => return Ok(ObjectSeen::Refused { why }),
                }
            }
        }
    }
    Ok(ObjectSeen::Refused {
        why: "it changes all the time".to_owned(),
    })
}

/// The request that sends an adoption.
pub fn adoption_request(
    live: &LiveObject,
    adoption: &Adoption,
    images: &mut Images,
) -> Result<ObjectRequest, DriveError> {
    let wish = images.put(&adoption.wish)?;
    let inverse = images.put(&adoption.inverse)?;
    Ok(request(live, wish, inverse))
}

fn request(live: &LiveObject, wish: Digest, inverse: Digest) -> ObjectRequest {
    ObjectRequest {
        uid: live.uid.clone(),
        resource_version: live.resource_version.clone(),
        wish,
        inverse,
    }
}

async fn records(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    contents: &[Revision],
) -> Result<Vec<RecordSeen>, DriveError> {
    let id = &attempt.opened.release;
    let fault = |source| DriveError::Cluster {
        release: id.clone(),
        source,
    };
    let scope = RecordScope::Release(id.namespace.clone(), id.name.clone());
    let listed = list(hands.cluster.as_ref(), &id.cluster, task.driver, &scope)
        .await
        .map_err(fault)?;
    let heads = listed
        .into_iter()
        .find(|records| records.id == *id)
        .map(|records| records.heads)
        .unwrap_or_default();
    let mut seen = Vec::new();
    for head in heads {
        let content = contents.contains(&head.revision);
        if let Some(record) = record(hands, task, attempt, &head, content).await? {
            seen.push(record);
        }
    }
    Ok(seen)
}

/// One record, with its content if asked. `None`: deleted between LIST and GET.
pub async fn record(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    head: &Head,
    content: bool,
) -> Result<Option<RecordSeen>, DriveError> {
    if !content {
        let token = head
            .head
            .annotations
            .get(crate::helm::LOCK_ANNOTATION)
            .map(|text| Token::from_annotation(text));
        return Ok(Some(RecordSeen {
            revision: head.revision,
            uid: head.head.uid.clone(),
            resource_version: head.head.resource_version.clone(),
            status: head.status.clone(),
            token,
            content: None,
        }));
    }
    let loaded = match load(hands.cluster.as_ref(), task.driver, head).await {
        Ok(loaded) => loaded,
        Err(RecordFault::Gone(_)) => return Ok(None),
        Err(RecordFault::Cluster(source)) => {
            return Err(DriveError::Cluster {
                release: attempt.opened.release.clone(),
                source,
            });
        }
        // A record that does not read is nobody's that we know: not ours, and not as before.
        Err(RecordFault::Storage(_)) => {
            return Ok(Some(RecordSeen {
                revision: head.revision,
                uid: head.head.uid.clone(),
                resource_version: head.head.resource_version.clone(),
                status: head.status.clone(),
                token: None,
                content: Some(Content {
                    status: head.status.clone(),
                    ssa: false,
                    identity: Digest::new("unreadable"),
                    ours: false,
                }),
            }));
        }
    };
    Ok(Some(seen_record(attempt, &loaded.stored, &loaded.record)))
}

/// A record as decisions see it.
pub fn seen_record(
    attempt: &Attempt,
    stored: &StoredRecord,
    record: &crate::helm::Record,
) -> RecordSeen {
    let facts = record.facts();
    RecordSeen {
        revision: Revision(record.revision),
        uid: Uid::new(stored.uid()),
        resource_version: stored.resource_version().into(),
        status: record.status.to_string(),
        token: stored.token().map(Token::from_annotation),
        content: Some(Content {
            status: record.status.to_string(),
            ssa: record.apply_method == Some(crate::helm::ApplyMethod::ServerSide),
            identity: Digest::new(facts.identity),
            ours: words::is_commit_of(&attempt.opened.run, &record.info.description),
        }),
    }
}
