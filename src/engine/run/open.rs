//! Opening a migration: look again, rehearse every patch, and only then journal what will be sent.

use super::hands::{DriveError, Hands};
use super::ledger::{Images, LedgerError};
use super::sight::{Memory, adoption_request, binding};
use crate::cluster::RecordScope;
use crate::domain::ids::{Digest, Uid};
use crate::domain::object::ObjectRef;
use crate::domain::plan::PlannedRelease;
use crate::domain::policy::unplanned;
use crate::domain::run::{
    Attempt, Entry, Intent, Job, Opened, OpenedObject, Outcome, RecordImage, Token,
};
use crate::domain::shadow::{Forecast, ReleaseOutcome};
use crate::domain::transfer::values::{self, Way};
use crate::engine::records::{Loaded, RecordFault, ReleaseRecords, list};
use crate::engine::shadow::{
    ForecastError, Holders, KEPT_ORPHAN, SettledObject, SettledRelease, Settling, Target as Probed,
};
use crate::store;

/// An attempt that may begin, or why nothing was done.
pub enum Opening {
    /// The attempt is in the journal.
    Opened(Box<Ready>),
    /// Nothing was done.
    HandedBack(Outcome),
}

/// A journaled attempt with what its driver needs.
pub struct Ready {
    /// The state.
    pub attempt: Attempt,
    /// Images that it names.
    pub images: Images,
    /// What was seen.
    pub memory: Memory,
    /// Dry runs of the probe, repeats at busy objects apart.
    pub dry_runs: u32,
    /// Repeats at busy objects.
    pub repeats: u32,
}

/// Looks at a planned release and opens its attempt if it is as planned.
///
/// Zero writes to the cluster. Cancel safe.
pub async fn open_migration(
    hands: &Hands,
    settling: &Settling<'_>,
    store: &str,
    planned: &PlannedRelease,
    dwell_seconds: u32,
) -> Result<Opening, DriveError> {
    let release = &planned.release;
    let away = |source| DriveError::Cluster {
        release: release.clone(),
        source,
    };
    let scope = RecordScope::Release(release.namespace.clone(), release.name.clone());
    let listed = list(
        hands.cluster.as_ref(),
        &release.cluster,
        planned.driver,
        &scope,
    )
    .await
    .map_err(away)?;
    let Some(records) = listed.into_iter().find(|records| records.id == *release) else {
        return Ok(stale("the release is gone"));
    };
    if let Some(outcome) = moved_since(&records, planned) {
        return Ok(Opening::HandedBack(outcome));
    }
    let Some(last) = records.last() else {
        return Ok(stale("the release is gone"));
    };
    let current = match records.load(hands.cluster.as_ref(), last).await {
        Ok(current) => current,
        Err(RecordFault::Cluster(source)) => return Err(away(source)),
        Err(error @ RecordFault::Gone(_)) => return Ok(stale(&error.to_string())),
        Err(RecordFault::Storage(source)) => {
            return Ok(Opening::HandedBack(Outcome::Held {
                why: source.to_string(),
            }));
        }
    };
    let holders = Holders::default();
    // Of kept objects those are looked for that the plan shows.
    let kept: Vec<ObjectRef> = planned
        .notes
        .iter()
        .filter(|note| note.cause == KEPT_ORPHAN)
        .filter_map(|note| note.object.clone())
        .collect();
    let target = Probed {
        records: &records,
        current: &current,
        last: &current,
        holders: &holders,
        kept: &kept,
    };
    let prepared = match settling.forecast(&target).await {
        Ok(prepared) => prepared,
        Err(ForecastError::Cluster(source)) => return Err(away(source)),
    };
    match prepared.forecast.outcome {
        ReleaseOutcome::Ready => {}
        ReleaseOutcome::Done => return Ok(stale("it is on server-side apply already")),
        ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice => {
            return Ok(Opening::HandedBack(Outcome::Held {
                why: reasons(&prepared.forecast),
            }));
        }
    }
    if !prepared.retry.is_empty() {
        return Ok(Opening::HandedBack(Outcome::Busy {
            who: prepared.retry.join("; "),
        }));
    }
    // What a plan says is what runs: fewer decisions are fine, others are not.
    let news = unplanned(&planned.decisions, &prepared.decisions);
    if let Some(first) = news.first() {
        let more = match news.len() {
            1 => String::new(),
            all => format!(", and {} more decisions", all - 1),
        };
        return Ok(stale(&format!(
            "{} {} of {} was not in the plan{more}",
            first.action, first.field, first.object
        )));
    }
    let objects = u32::try_from(prepared.objects.len()).unwrap_or(u32::MAX);
    if objects != planned.objects {
        return Ok(stale(&format!(
            "{objects} objects to adopt, the plan saw {}",
            planned.objects
        )));
    }
    journal(hands, store, planned, &current, prepared, dwell_seconds).await
}

fn stale(what: &str) -> Opening {
    Opening::HandedBack(Outcome::Stale {
        what: what.to_owned(),
    })
}

/// Every reason in one line, gravest first.
fn reasons(forecast: &Forecast) -> String {
    let lines: Vec<String> = forecast
        .reasons
        .iter()
        .map(|reason| match &reason.object {
            Some(object) => format!("{}: {object}: {}", reason.cause, reason.detail),
            None => format!("{}: {}", reason.cause, reason.detail),
        })
        .collect();
    lines.join("; ")
}

/// Is the last revision still the one that the plan saw?
fn moved_since(records: &ReleaseRecords, planned: &PlannedRelease) -> Option<Outcome> {
    let last = records.last()?;
    if last.status.starts_with("pending-") {
        let who = match last.head.annotations.get(crate::helm::LOCK_ANNOTATION) {
            Some(token) => format!(
                "another refit run holds it (revision {}, lock {token})",
                last.revision
            ),
            None => format!(
                "revision {} is {}: a helm operation is under way, or died",
                last.revision, last.status
            ),
        };
        return Some(Outcome::Busy { who });
    }
    let what = if last.revision != planned.revision {
        format!(
            "revision {} is the last one now, the plan saw {}",
            last.revision, planned.revision
        )
    } else if last.head.uid != planned.record_uid {
        "the release was uninstalled and installed again".to_owned()
    } else if last.status != "deployed" {
        format!("revision {} is {} now", last.revision, last.status)
    } else {
        return None;
    };
    Some(Outcome::Stale { what })
}

async fn journal(
    hands: &Hands,
    store: &str,
    planned: &PlannedRelease,
    current: &Loaded,
    prepared: SettledRelease,
    dwell_seconds: u32,
) -> Result<Opening, DriveError> {
    let release = &planned.release;
    let ledger = &hands.ledger;
    let mut images = Images::default();
    let mut memory = Memory::default();
    let mut objects = Vec::new();
    for (index, settled) in (0..).zip(prepared.objects) {
        let SettledObject {
            prepared: object,
            terms,
            values,
        } = settled;
        memory.remember(index, &object.live);
        let mut request = adoption_request(&object.live, &object.adoption, &mut images)?;
        let mut sealed = None;
        if !values.is_empty() {
            let (live, seal) = (&object.live, hands.seal.as_deref());
            let (operations, _) = match values::patch(&live.json, &values, Way::Forth) {
                Ok(made) => made,
                Err(error) => {
                    return Ok(Opening::HandedBack(Outcome::Held {
                        why: error.to_string(),
                    }));
                }
            };
            let binding = binding(&release.cluster, live);
            request.wish = images.put_sealed(seal, &operations, &binding)?;
            sealed = Some(images.put_sealed(seal, &values, &binding)?);
        }
        objects.push(OpenedObject {
            apply_set: images.put(&object.apply_set.to_value_under(&terms))?,
            request,
            object: object.object,
            values: sealed,
        });
    }
    let number = ledger
        .journal()
        .next_attempt(release)
        .await
        .map_err(LedgerError::from)?;
    let lock = planned.revision.next();
    let opened = Opened {
        release: release.clone(),
        attempt: number,
        run: ledger.run().clone(),
        job: Job::Migrate,
        token: Token::new(store, ledger.run(), number),
        base: record_image(current, &mut images)?,
        committed: None,
        lock,
        objects,
        dwell_seconds,
        finalizer: false,
        intent: Intent::lock(lock, hands.clock.now()),
    };
    open(
        hands,
        opened,
        images,
        memory,
        prepared.dry_runs,
        prepared.repeats,
    )
    .await
}

/// Journals an `Opened` entry: from here on the attempt exists.
pub async fn open(
    hands: &Hands,
    opened: Opened,
    mut images: Images,
    memory: Memory,
    dry_runs: u32,
    repeats: u32,
) -> Result<Opening, DriveError> {
    let attempt = Attempt::open(opened.clone());
    let entry = Entry::Opened(Box::new(opened));
    match hands
        .ledger
        .append(&attempt, &[entry], images.take_fresh())
        .await
    {
        Ok(()) => {}
        Err(LedgerError::Store(error @ store::Error::AttemptOpen { .. })) => {
            return Ok(Opening::HandedBack(Outcome::Busy {
                who: error.to_string(),
            }));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Opening::Opened(Box::new(Ready {
        attempt,
        images,
        memory,
        dry_runs,
        repeats,
    })))
}

/// A record as guards and comparisons need it.
pub fn record_image(loaded: &Loaded, images: &mut Images) -> Result<RecordImage, DriveError> {
    let facts = loaded.record.facts();
    Ok(RecordImage {
        revision: crate::domain::ids::Revision(loaded.record.revision),
        uid: Uid::new(loaded.stored.uid()),
        resource_version: loaded.stored.resource_version().into(),
        identity: Digest::new(facts.identity),
        metadata: images.put(&loaded.stored.image())?,
    })
}
