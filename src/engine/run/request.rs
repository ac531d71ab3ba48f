//! Sending an open intent, the first time or again: the identical request under the identical guard (rule 3).

use serde_json::Value;

use super::hands::{DriveError, Hands, Task};
use super::ledger::Images;
use super::patience::Patience;
use super::record::{self, Sent};
use super::sight::{Memory, see};
use crate::cluster::{self, ErrorKind};
use crate::domain::ids::{ResourceVersion, Uid};
use crate::domain::object::LiveObject;
use crate::domain::run::{
    Answer, Attempt, Guard, Intent, IntentNo, ObjectSeen, Reply, Seen, Step, Target,
};
use crate::domain::transfer::{same_entries, values};
use crate::engine::shadow::{content_body, patch_body};

/// Sends an open intent until it is decided, and reads the live target if it was refused.
pub async fn send(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    no: IntentNo,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Reply, DriveError> {
    let Some(intent) = attempt.open_intent(no) else {
        return Ok(Reply {
            intent: no,
            answer: Answer::Refused { code: 404 },
            live: Seen::NotRead,
        });
    };
    let mut patience = Patience::new(hands);
    loop {
        hands.pacer.write().await;
        match once(hands, task, attempt, intent, images, memory).await {
            Ok(reply) => return Ok(reply),
            Err(error) => patience.pause(hands, error).await?,
        }
    }
}

/// Sends once, and reads the live target if it was refused. An answer that decides nothing is an error that passes.
async fn once(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    intent: &Intent,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Reply, DriveError> {
    let sent = match intent.target {
        Target::Object(index) => object(hands, attempt, intent, index, images, memory).await?,
        Target::Record(_) => record::send(hands, task, attempt, intent, images).await?,
    };
    let answer = match sent {
        Sent::Answer(answer) => answer,
        Sent::Undecided(source) => {
            return Err(DriveError::Cluster {
                release: attempt.opened.release.clone(),
                source,
            });
        }
    };
    let live = if matches!(answer, Answer::Accepted { .. } | Answer::Different { .. }) {
        Seen::NotRead
    } else {
        live(hands, task, attempt, intent, images, memory).await?
    };
    Ok(Reply {
        intent: intent.no,
        answer,
        live,
    })
}

/// The live target after a refusal: only now does reading decide anything.
async fn live(
    hands: &Hands,
    task: &Task<'_>,
    attempt: &Attempt,
    intent: &Intent,
    images: &mut Images,
    memory: &mut Memory,
) -> Result<Seen, DriveError> {
    match intent.target {
        Target::Object(index) => {
            let opened = attempt.opened.objects.get(index as usize);
            let known = super::sight::inverse_of(attempt, index);
            let inverse = intent
                .inverse
                .clone()
                .or(known)
                .or_else(|| opened.map(|object| object.request.inverse.clone()));
            let seen = match inverse {
                Some(inverse) => {
                    see(&hands.eyes(), attempt, index, &inverse, images, memory).await?
                }
                None => ObjectSeen::Gone,
            };
            Ok(Seen::Object(seen))
        }
        Target::Record(revision) => Ok(Seen::Record(
            record::read(hands, task, attempt, revision).await?,
        )),
    }
}

async fn object(
    hands: &Hands,
    attempt: &Attempt,
    intent: &Intent,
    index: u32,
    images: &mut Images,
    memory: &Memory,
) -> Result<Sent, DriveError> {
    let (
        Some(opened),
        Some(wish),
        Guard::Version {
            uid,
            resource_version,
        },
    ) = (
        attempt.opened.objects.get(index as usize),
        &intent.wish,
        &intent.guard,
    )
    else {
        return Ok(Sent::Answer(Answer::Refused { code: 404 }));
    };
    let known = memory.content(index, resource_version.as_str());
    if matches!(intent.step, Step::Value | Step::Unvalue) {
        let journal = hands.ledger.journal();
        let operations: Vec<Value> = images
            .get_sealed(journal, hands.seal.as_deref(), wish, uid)
            .await?;
        let patch = content_body(uid, resource_version, &operations);
        return Ok(match hands.cluster.patch(&opened.object, &patch).await {
            Ok(after) => Sent::Answer(compare_content(&operations, &after, known)),
            Err(error) => answer(intent.step, error),
        });
    }
    let wish: Vec<Value> = images.get(hands.ledger.journal(), wish).await?;
    let patch = patch_body(uid, resource_version, &wish);
    Ok(match hands.cluster.patch(&opened.object, &patch).await {
        Ok(after) => Sent::Answer(compare(&wish, &after, known)),
        Err(error) => answer(intent.step, error),
    })
}

/// Is the content what was wished, and nothing else? Owners follow with the next request.
fn compare_content(operations: &[Value], after: &LiveObject, content: Option<&Value>) -> Answer {
    let version = (after.uid.clone(), after.resource_version.clone());
    let wished =
        content.map(|content| values::still(&values::patched(content.clone(), operations)));
    match wished.filter(|wished| *wished != values::still(&after.json)) {
        None => Answer::Accepted {
            code: 200,
            version: Some(version),
        },
        Some(wished) => {
            let paths = crate::domain::object::changed_paths(&wished, &values::still(&after.json));
            Answer::Different {
                why: format!("the patch also changed {}", paths.join(", ")),
                version,
            }
        }
    }
}

/// Is the answer what was wished, and nothing else?
fn compare(wish: &[Value], after: &LiveObject, content: Option<&Value>) -> Answer {
    let version = (after.uid.clone(), after.resource_version.clone());
    let why = match same_entries(wish, after.managed_fields()) {
        Err(error) => Some(error.to_string()),
        Ok(Some(difference)) => Some(format!("managedFields are not as wished: {difference}")),
        Ok(None) => content.and_then(|content| {
            let now = after.content();
            (now != *content).then(|| {
                let paths = crate::domain::object::changed_paths(content, &now);
                format!(
                    "the patch also changed {}",
                    if paths.is_empty() {
                        "generation".to_owned()
                    } else {
                        paths.join(", ")
                    }
                )
            })
        }),
    };
    match why {
        None => Answer::Accepted {
            code: 200,
            version: Some(version),
        },
        Some(why) => Answer::Different { why, version },
    }
}

/// What a failed request means.
pub fn answer(step: Step, error: cluster::Error) -> Sent {
    let code = error.code;
    match error.kind {
        ErrorKind::AlreadyExists => Sent::Answer(Answer::Exists),
        ErrorKind::Conflict
        | ErrorKind::NotFound
        | ErrorKind::WrongUid
        | ErrorKind::UnknownKind => Sent::Answer(Answer::Refused { code }),
        ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::FieldConflict(_) => {
            Sent::Answer(Answer::Denied {
                code,
                why: format!("{step:?}: {}", error.message),
            })
        }
        ErrorKind::Throttled
        | ErrorKind::Server
        | ErrorKind::Unreachable
        | ErrorKind::Cut
        | ErrorKind::Malformed
        | ErrorKind::Unauthorized => Sent::Undecided(error),
    }
}

/// uid and resourceVersion of an answer.
pub fn version(object: &LiveObject) -> (Uid, ResourceVersion) {
    (object.uid.clone(), object.resource_version.clone())
}
