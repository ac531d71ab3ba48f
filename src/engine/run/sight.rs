//! Looking: a release as decisions need it, read in the order of rule 6 (objects first, then records).

use std::collections::BTreeMap;

use managed_fields::Time;
use serde_json::Value;

use super::hands::{DriveError, Eyes, Hands, Task};
use super::ledger::{Images, LedgerError};
use super::words;
use crate::cluster::{ErrorKind, RecordScope};
use crate::domain::ids::{Digest, Revision, Uid};
use crate::domain::object::LiveObject;
use crate::domain::run::{
    Attempt, Content, Direction, Look, ObjectCell, ObjectRequest, ObjectSeen, RecordSeen, Token,
    View,
};
use crate::domain::transfer::values::{self, Change, Way};
use crate::domain::transfer::{
    Adoption, ApplySet, Inverse, Ours, adopt_under, after_values, classify, is_marked, put_back,
    put_owners_back, same_entries,
};
use crate::engine::records::{Head, RecordFault, list, load};
use crate::engine::seal::Binding;
use crate::engine::shadow::{Rehearsal, rehearse, rehearse_content};
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
    let known = slot.state.inverse();
    Some(known.unwrap_or(&opened.request.inverse).clone())
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
        if let Some(values) = &opened.values {
            let look = Valued {
                attempt,
                index,
                live: &live,
                ours,
                saved: &saved,
                inverse,
                values,
            };
            match see_values(eyes, &look, images, memory).await? {
                Some(seen) => return Ok(seen),
                None => continue,
            }
        }
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

/// An object whose values change, as it was read.
struct Valued<'a> {
    attempt: &'a Attempt,
    index: u32,
    live: &'a LiveObject,
    ours: Ours,
    saved: &'a Inverse,
    inverse: &'a Digest,
    values: &'a Digest,
}

fn refused(why: &impl ToString) -> ObjectSeen {
    ObjectSeen::Refused {
        why: why.to_string(),
    }
}

/// The same for an object whose values change. `None`: it moved under the dry run.
async fn see_values(
    eyes: &Eyes<'_>,
    look: &Valued<'_>,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Option<ObjectSeen>, DriveError> {
    let (live, attempt) = (look.live, look.attempt);
    let saved = images.get_sealed(eyes.journal, eyes.seal, look.values, &live.uid);
    let changes: Vec<Change> = match saved.await {
        Ok(changes) => changes,
        // Without its key nothing is known of the object: that is no refusal, and no reason to turn back.
        Err(LedgerError::Seal(error)) if !error.wants_key() => return Ok(Some(refused(&error))),
        Err(error) => return Err(error.into()),
    };
    let changes = if attempt.direction == Direction::Back || look.ours == Ours::After {
        match values::unclaimed(changes, live.managed_fields(), eyes.managers) {
            Ok(changes) => changes,
            Err(error) => return Ok(Some(refused(&error))),
        }
    } else {
        changes
    };
    let cell = attempt.objects.get(look.index as usize);
    let cell = cell.map(|slot| &slot.state);
    let is_back = matches!(cell, Some(ObjectCell::Unvalued { .. }));
    let is_set = !is_back && values::is_set(&live.json, &changes);
    let version = (live.uid.clone(), live.resource_version.clone());
    let marked = match is_marked(live.managed_fields()) {
        Ok(marked) => marked,
        Err(error) => return Ok(Some(refused(&error))),
    };
    Ok(Some(match &look.ours {
        Ours::Rewritten { by } => ObjectSeen::Rewritten { by: by.clone() },
        Ours::After if is_set => {
            let request = content_request(eyes, look, &changes, Way::Back, images, memory)?;
            match request {
                Ok(back) => ObjectSeen::After {
                    version,
                    back: Some(back),
                },
                Err(why) => ObjectSeen::Refused { why },
            }
        }
        Ours::Before if is_set && attempt.direction == Direction::Back => {
            let request = content_request(eyes, look, &changes, Way::Back, images, memory)?;
            match request {
                Ok(next) => ObjectSeen::Valued {
                    version,
                    next: Some(next),
                },
                Err(why) => ObjectSeen::Refused { why },
            }
        }
        Ours::Before if is_set => match adoption_after_values(eyes, look, images, memory).await? {
            Some(Ok(next)) => ObjectSeen::Valued {
                version,
                next: Some(next),
            },
            Some(Err(why)) => ObjectSeen::Refused { why },
            None => return Ok(None),
        },
        Ours::Before if !marked && !is_back && values::is_before(&live.json, &changes) => {
            let request = content_request(eyes, look, &changes, Way::Forth, images, memory)?;
            let forward = match request {
                Ok(forward) => forward,
                Err(why) => return Ok(Some(refused(&why))),
            };
            // On the way back nothing is set any more; the request only tells what was seen.
            if attempt.direction == Direction::Forward {
                match rehearsed(eyes, look, &changes, memory).await? {
                    Some(Ok(())) => {}
                    Some(Err(why)) => return Ok(Some(refused(&why))),
                    None => return Ok(None),
                }
            }
            ObjectSeen::Before { forward }
        }
        Ours::Before if !marked && !cell.is_some_and(ObjectCell::is_changed) => {
            ObjectSeen::Refused {
                why: "the values that were to be changed are others now".to_owned(),
            }
        }
        Ours::Before | Ours::After => owners_back(eyes, look, version, is_back, images, memory)?,
    }))
}

fn owners_back(
    eyes: &Eyes<'_>,
    look: &Valued<'_>,
    version: (Uid, crate::domain::ids::ResourceVersion),
    is_back: bool,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<ObjectSeen, DriveError> {
    let adopted = look.ours == Ours::After;
    let wish = match put_owners_back(look.live.managed_fields(), look.saved, eyes.managers) {
        Ok(wish) => wish,
        Err(error) => {
            return Ok(ObjectSeen::Refused {
                why: error.to_string(),
            });
        }
    };
    memory.remember(look.index, look.live);
    // They are as they were already. Once our values are known to be back, the same is sent all the same: that changes
    // nothing, and its answer closes the object.
    let as_before = same_entries(&wish, look.live.managed_fields()).is_ok_and(|it| it.is_none());
    if as_before && !adopted && !is_back {
        let forward = request(look.live, images.put(&wish)?, look.inverse.clone());
        return Ok(ObjectSeen::Before { forward });
    }
    Ok(ObjectSeen::Unvalued {
        version,
        adopted,
        back: Some(request(look.live, images.put(&wish)?, look.inverse.clone())),
    })
}

/// The dry run of the patch that sets values (rule R1): the object was written since the last one. `None`: and again.
async fn rehearsed(
    eyes: &Eyes<'_>,
    look: &Valued<'_>,
    changes: &[Change],
    memory: &mut Memory,
) -> Result<Option<Result<(), String>>, DriveError> {
    let Some(opened) = look.attempt.opened.objects.get(look.index as usize) else {
        return Ok(Some(Err("it is not among the objects".to_owned())));
    };
    let (operations, wished) = match values::patch(&look.live.json, changes, Way::Forth) {
        Ok(made) => made,
        Err(error) => return Ok(Some(Err(error.to_string()))),
    };
    memory.rehearsals += 1;
    let answer = rehearse_content(eyes.rehearser, &opened.object, look.live, &operations)
        .await
        .map_err(|source| DriveError::Cluster {
            release: look.attempt.opened.release.clone(),
            source,
        })?;
    Ok(match answer {
        Err(why) => Some(Err(why)),
        Ok(None) => None,
        Ok(Some(answer)) => Some(
            values::only_wished(&wished, &answer.json)
                .map_err(|also| format!("the patch would also change {also}")),
        ),
    })
}

/// The patch that sets values, or puts them back.
fn content_request(
    eyes: &Eyes<'_>,
    look: &Valued<'_>,
    changes: &[Change],
    way: Way,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Result<ObjectRequest, String>, DriveError> {
    let live = look.live;
    let (operations, _) = match values::patch(&live.json, changes, way) {
        Ok(made) => made,
        Err(error) => return Ok(Err(error.to_string())),
    };
    memory.remember(look.index, live);
    let binding = binding(&look.attempt.opened.release.cluster, live);
    match images.put_sealed(eyes.seal, &operations, &binding) {
        Ok(wish) => Ok(Ok(request(live, wish, look.inverse.clone()))),
        Err(error) => Err(error.into()),
    }
}

/// Does the key that is set open all that an attempt sealed? Asked before its first request: what cannot be gone on with
/// to the end is not gone on with at all.
pub async fn opens(
    hands: &Hands,
    attempt: &Attempt,
    images: &mut Images,
) -> Result<(), LedgerError> {
    for object in &attempt.opened.objects {
        let Some(values) = &object.values else {
            continue;
        };
        let (journal, seal) = (hands.ledger.journal(), hands.seal.as_deref());
        let uid = &object.request.uid;
        match images
            .get_sealed::<Vec<Change>>(journal, seal, values, uid)
            .await
        {
            Err(LedgerError::Seal(error)) if error.wants_key() => return Err(error.into()),
            // What is damaged is found when its object's turn comes: then a person must decide.
            _ => {}
        }
    }
    Ok(())
}

/// What a sealed image of an object belongs to.
pub fn binding(cluster: &crate::domain::ids::ClusterName, live: &LiveObject) -> Binding {
    Binding {
        cluster: cluster.to_string(),
        uid: live.uid.to_string(),
        resource_version: live.resource_version.to_string(),
    }
}

/// The adoption of an object whose values are set, rehearsed. `None`: it moved under the dry run.
async fn adoption_after_values(
    eyes: &Eyes<'_>,
    look: &Valued<'_>,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Option<Result<ObjectRequest, String>>, DriveError> {
    let live = look.live;
    let Some(opened) = look.attempt.opened.objects.get(look.index as usize) else {
        return Ok(Some(Err("it is not among the objects".to_owned())));
    };
    let saved: Value = images.get(eyes.journal, &opened.apply_set).await?;
    let (Some(apply_set), Some(terms), Ok(at)) = (
        ApplySet::from_value(&saved),
        ApplySet::terms_from_value(&saved),
        Time::from_unix(eyes.clock.now().as_second()),
    ) else {
        return Ok(Some(Err("the saved apply set does not read".to_owned())));
    };
    let entries = live.managed_fields();
    let made = match adopt_under(entries, &apply_set, &terms, eyes.managers, at) {
        Ok(Some(adoption)) => after_values(look.saved, adoption),
        // Its owner is Helm's Apply already; only the trace of the values' request goes.
        Ok(None) => {
            return Ok(Some(Err("it was adopted by somebody else".to_owned())));
        }
        Err(error) => Err(error),
    };
    let adoption = match made {
        Ok(adoption) => adoption,
        Err(error) => return Ok(Some(Err(error.to_string()))),
    };
    memory.rehearsals += 1;
    let rehearsal = rehearse(eyes.rehearser, &opened.object, live, &adoption.wish)
        .await
        .map_err(|source| DriveError::Cluster {
            release: look.attempt.opened.release.clone(),
            source,
        })?;
    Ok(match rehearsal {
        Rehearsal::Moved => None,
        Rehearsal::AsWished { wish, .. } => {
            memory.remember(look.index, live);
            let inverse = adoption.inverse;
            Some(Ok(adoption_request(
                live,
                &Adoption { wish, inverse },
                images,
            )?))
        }
        Rehearsal::DeadEntries(entries) => Some(Err(entries.join(", "))),
        Rehearsal::Refused(why) => Some(Err(why)),
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
