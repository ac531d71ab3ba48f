//! What came of requests: each answer, and after a refusal the live state against before and after, gives a verdict.

use super::attempt::{Attempt, BaseCell, CommitCell, LockCell, ObjectCell};
use super::entry::{Direction, Entry, Guard, How, Intent, Job, Step, Target, Verdict};
use super::observation::{Answer, ObjectSeen, RecordSeen, Reply, Seen};
use super::outcome::{Outcome, Side};
use super::records::{
    DEPLOYED, holder, is_before, is_pending, is_superseded, name, target_name, version_of,
};
use crate::domain::ids::{ResourceVersion, Uid};

/// A verdict, and why the attempt cannot simply go on, if so.
struct Finding {
    verdict: Verdict,
    stop: Option<String>,
}

impl From<Verdict> for Finding {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            stop: None,
        }
    }
}

/// The results of those replies that settle an open intent, and the turn or the end that follows from them. Empty if
/// nothing is settled: then the requests are sent again.
pub(super) fn resolve(attempt: &Attempt, replies: &[Reply]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut after = attempt.clone();
    let mut stop = None;
    for reply in replies {
        let Some(intent) = after.open_intent(reply.intent).cloned() else {
            continue;
        };
        let Some(finding) = judge(attempt, &intent, reply) else {
            continue;
        };
        let (code, how) = code(&reply.answer);
        let entry = Entry::Result {
            intent: intent.no,
            code,
            how,
            verdict: finding.verdict,
        };
        // A finding that the state cannot take settles nothing: the request is sent again.
        let Ok(next) = after.clone().apply(&entry) else {
            continue;
        };
        after = next;
        entries.push(entry);
        if let Some(why) = finding.stop {
            stop.get_or_insert(format!("{}: {why}", target_name(attempt, intent.target)));
        }
    }
    entries.extend(consequence(&after, stop));
    entries
}

/// What follows at once from results, without another look.
fn consequence(after: &Attempt, stop: Option<String>) -> Option<Entry> {
    if let Some(turn) = turn_after_loss(after) {
        return Some(turn);
    }
    let why = stop?;
    let turns = after.direction == Direction::Forward && !after.is_committed();
    if after.lock.state == LockCell::Free && after.lock.open.is_none() {
        return Some(Entry::Closed {
            outcome: Outcome::Held { why },
        });
    }
    if turns {
        return after.commit.open.is_none().then_some(Entry::Decided {
            direction: Direction::Back,
            why,
            moved: false,
        });
    }
    // With a request still out the end waits: a refusal that stands is met again by the next rehearsal.
    after.open_intents().is_empty().then(|| stuck(after, why))
}

/// Something of ours went to others before the commit: the way leads back.
pub(super) fn turn_after_loss(attempt: &Attempt) -> Option<Entry> {
    let forward = attempt.direction == Direction::Forward
        && attempt.opened.job == Job::Migrate
        && !attempt.is_committed()
        && attempt.commit.open.is_none();
    let lost = attempt.commit.state == CommitCell::Left
        || attempt
            .objects
            .iter()
            .any(|slot| matches!(slot.state, ObjectCell::Left { .. }));
    (forward && lost).then(|| Entry::Decided {
        direction: Direction::Back,
        why: attempt
            .moved
            .last()
            .cloned()
            .unwrap_or_else(|| "something moved on".to_owned()),
        moved: false,
    })
}

/// The end where only a person can decide.
pub(super) fn stuck(attempt: &Attempt, why: String) -> Entry {
    Entry::Closed {
        outcome: Outcome::Stuck {
            why,
            side: side(attempt),
        },
    }
}

/// Which side of the migration the release is on.
fn side(attempt: &Attempt) -> Side {
    let migrated = attempt
        .objects
        .iter()
        .filter(|slot| slot.state.is_changed() || matches!(slot.state, ObjectCell::Left { .. }))
        .count();
    let records_before = match attempt.opened.job {
        Job::Migrate => !attempt.is_committed(),
        Job::Undo => matches!(attempt.commit.state, CommitCell::Deleted | CommitCell::Left),
    };
    let records_after = match attempt.opened.job {
        Job::Migrate => attempt.is_committed(),
        Job::Undo => attempt.base.state == BaseCell::Superseded,
    };
    if records_before && migrated == 0 {
        Side::Before
    } else if records_after && migrated == attempt.objects.len() {
        Side::After
    } else {
        Side::Between
    }
}

fn code(answer: &Answer) -> (u16, How) {
    match answer {
        Answer::Accepted { code, .. } | Answer::Denied { code, .. } => (*code, How::Reply),
        Answer::Different { .. } => (200, How::Reply),
        Answer::Exists => (409, How::Resolved),
        Answer::Refused { code } => (*code, How::Resolved),
    }
}

/// `None`: the reply does not settle the intent.
fn judge(attempt: &Attempt, intent: &Intent, reply: &Reply) -> Option<Finding> {
    match &reply.answer {
        Answer::Accepted { version, .. } => Some(
            Verdict::Landed {
                version: version.clone(),
            }
            .into(),
        ),
        Answer::Different { why, version } => Some(Finding {
            verdict: if matches!(intent.step, Step::Unvalue | Step::Back) {
                Verdict::Left {
                    why: format!("put back, but something changed the request on its way: {why}"),
                }
            } else {
                Verdict::Landed {
                    version: Some(version.clone()),
                }
            },
            stop: Some(format!(
                "the server stored something else than was asked: {why}"
            )),
        }),
        Answer::Exists | Answer::Refused { .. } => {
            compare(attempt, intent, &reply.live).map(Into::into)
        }
        Answer::Denied { why, .. } => {
            // An earlier copy may have landed before the refusal came into force: the lock's own POST, for one, may
            // be what used up the quota.
            let verdict = compare(attempt, intent, &reply.live).unwrap_or(Verdict::NotLanded);
            let stop =
                (verdict == Verdict::NotLanded).then(|| format!("the server refuses: {why}"));
            Some(Finding { verdict, stop })
        }
    }
}

/// After a refusal every copy is dead; the live target tells whether one had landed.
fn compare(attempt: &Attempt, intent: &Intent, live: &Seen) -> Option<Verdict> {
    match (intent.target, live) {
        (Target::Object(place), Seen::Object(seen)) => Some(if attempt.has_values(place) {
            compare_valued(intent.step, seen)
        } else {
            compare_object(intent.step, seen)
        }),
        (Target::Record(_), Seen::Record(record)) => {
            compare_record(attempt, intent, record.as_ref())
        }
        _ => None,
    }
}

fn left(why: impl Into<String>) -> Verdict {
    Verdict::Left { why: why.into() }
}

fn compare_object(step: Step, seen: &ObjectSeen) -> Verdict {
    let forward = step == Step::Forward;
    match seen {
        ObjectSeen::Gone => left("it was deleted"),
        ObjectSeen::Recreated => left("it was deleted and made again by somebody else"),
        ObjectSeen::Rewritten { by } => left(rewritten(by)),
        ObjectSeen::After { version, .. } if forward => Verdict::Landed {
            version: Some(version.clone()),
        },
        ObjectSeen::Before { forward: request } if !forward => Verdict::Landed {
            version: Some((request.uid.clone(), request.resource_version.clone())),
        },
        ObjectSeen::Before { .. }
        | ObjectSeen::After { .. }
        | ObjectSeen::Valued { .. }
        | ObjectSeen::Unvalued { .. }
        | ObjectSeen::Refused { .. } => Verdict::NotLanded,
    }
}

/// The same for an object whose values change: each of its four requests leads from one picture to the next.
fn compare_valued(step: Step, seen: &ObjectSeen) -> Verdict {
    let landed = |version: &(Uid, ResourceVersion)| Verdict::Landed {
        version: Some(version.clone()),
    };
    match (step, seen) {
        (_, ObjectSeen::Gone) => left("it was deleted"),
        (_, ObjectSeen::Recreated) => left("it was deleted and made again by somebody else"),
        (_, ObjectSeen::Rewritten { by }) => left(rewritten(by)),
        // Somebody may have changed the value since: that it had landed is seen all the same.
        (
            Step::Value,
            ObjectSeen::Valued { version, .. } | ObjectSeen::Unvalued { version, .. },
        )
        | (
            Step::Forward,
            ObjectSeen::After { version, .. }
            | ObjectSeen::Unvalued {
                version,
                adopted: true,
                ..
            },
        )
        | (Step::Unvalue, ObjectSeen::Unvalued { version, .. }) => landed(version),
        (Step::Unvalue | Step::Back, ObjectSeen::Before { forward: request }) => Verdict::Landed {
            version: Some((request.uid.clone(), request.resource_version.clone())),
        },
        _ => Verdict::NotLanded,
    }
}

/// Why an object that somebody else wrote is left.
pub(super) fn rewritten(by: &str) -> String {
    format!("{by} wrote it meanwhile")
}

fn guarded(guard: &Guard) -> Option<(Uid, ResourceVersion)> {
    match guard {
        Guard::NameFree => None,
        Guard::Version {
            uid,
            resource_version,
        } => Some((uid.clone(), resource_version.clone())),
    }
}

/// `None` if the payload is needed and was not read.
fn compare_record(
    attempt: &Attempt,
    intent: &Intent,
    live: Option<&RecordSeen>,
) -> Option<Verdict> {
    let opened = &attempt.opened;
    let landed = |record: &RecordSeen| Verdict::Landed {
        version: Some(version_of(record)),
    };
    let Some(record) = live else {
        return Some(match intent.step {
            Step::Lock | Step::Renew | Step::Demote => Verdict::NotLanded,
            Step::DropCommit => Verdict::Landed { version: None },
            Step::Unlock | Step::Release | Step::Retire => Verdict::Gone { moved: false },
            _ => left("it was deleted"),
        });
    };
    let ours = record.token.as_ref() == Some(&opened.token);
    let same_uid = matches!(&intent.guard, Guard::Version { uid, .. } if *uid == record.uid);
    let theirs = || left(format!("{} stands there", name(record)));
    Some(match intent.step {
        Step::Lock if ours => landed(record),
        Step::Lock => Verdict::Busy {
            who: holder(record),
        },
        Step::Commit if ours && is_pending(record) => Verdict::NotLanded,
        Step::Commit => {
            let content = record.content.as_ref()?;
            if !(content.ssa && content.ours) {
                theirs()
            } else if content.status == DEPLOYED {
                landed(record)
            } else {
                // Landed, and Helm wrote over it since: it is ours in no version that is there.
                Verdict::Landed {
                    version: guarded(&intent.guard),
                }
            }
        }
        Step::Supersede => {
            let content = record.content.as_ref()?;
            if is_superseded(content, &opened.base) {
                landed(record)
            } else if is_before(content, &opened.base) {
                Verdict::NotLanded
            } else {
                theirs()
            }
        }
        Step::Restore | Step::RestoreOwners | Step::Renew => {
            let content = record.content.as_ref()?;
            let before = is_before(content, &opened.base) && !content.ssa;
            match intent.step {
                Step::Renew if before => landed(record),
                Step::Restore if before && same_uid => landed(record),
                Step::Restore if is_superseded(content, &opened.base) && same_uid => {
                    Verdict::NotLanded
                }
                // Its effect shows in managedFields only, and repeating it is harmless.
                Step::RestoreOwners if before && same_uid => Verdict::NotLanded,
                _ => theirs(),
            }
        }
        Step::DropCommit => theirs(),
        Step::Unlock | Step::Release | Step::Retire => {
            if ours && is_pending(record) {
                Verdict::NotLanded
            } else {
                Verdict::Gone {
                    moved: same_uid && record.token.is_none(),
                }
            }
        }
        // Whether it is still ours to supersede, the next look tells.
        Step::Demote | Step::Value | Step::Forward | Step::Unvalue | Step::Back => {
            Verdict::NotLanded
        }
    })
}
