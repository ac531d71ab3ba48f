//! Looking before the way back: is everything still as the migration left it, or only smaller?

use crate::cluster::{ErrorKind, RecordScope};
use crate::domain::ids::{Digest, ReleaseId, ResourceVersion, Revision, Uid};
use crate::domain::release::Driver;
use crate::domain::run::{
    Attempt, Intent, Job, ObjectCell, ObjectRequest, ObjectSeen, Opened, OpenedObject, Outcome,
    RecordImage, Side, Token,
};
use crate::domain::transfer::Inverse;
use crate::domain::transfer::values;
use crate::engine::records::{Head, Loaded, RecordFault, list, load};
use crate::engine::run::{
    DriveError, Eyes, Hands, Images, LedgerError, Memory, Opening, open, see,
};
use crate::engine::shadow::{Rehearsal, rehearse, rehearse_content};
use crate::helm::{ApplyMethod, Status};

/// Helm prunes down to few revisions only where it was told to; then its prune could free the lock's name, so the
/// lock gets a finalizer. A release that stores more than this many does not need one.
const FEW_REVISIONS: usize = 2;

/// Record writes of an undo: lock, N's content, N's owners, N+1 away, lock away; one more for the lock's finalizer.
const RECORD_WRITES: u32 = 5;

/// What a release looks like before it is put back.
#[derive(Debug)]
pub enum Survey {
    /// It can be put back.
    Possible(Box<Possible>),
    /// It cannot: nothing is written.
    Not(Outcome),
}

/// A release that can be put back.
#[derive(Debug)]
pub struct Possible {
    base: RecordImage,
    committed: RecordImage,
    finalizer: bool,
    objects: Vec<(OpenedObject, ObjectSeen)>,
}

impl Possible {
    /// Objects that would be put back.
    pub fn objects(&self) -> u32 {
        u32::try_from(self.objects.len()).unwrap_or(u32::MAX)
    }

    /// Writes that it takes.
    pub fn writes(&self) -> u32 {
        let valued = self.objects.iter().filter(|(it, _)| it.values.is_some());
        let valued = u32::try_from(valued.count()).unwrap_or(u32::MAX);
        self.objects() + valued + RECORD_WRITES + u32::from(self.finalizer)
    }
}

/// An attempt at the way back, or why nothing was done.
pub type BackOpening = Opening;

/// Looks at a migrated release and rehearses every patch back. Zero writes. Cancel safe.
pub async fn survey(
    eyes: &Eyes<'_>,
    driver: Driver,
    migrated: &Attempt,
    images: &mut Images,
) -> Result<Survey, DriveError> {
    let opened = &migrated.opened;
    let id = &opened.release;
    let away = |source| DriveError::Cluster {
        release: id.clone(),
        source,
    };
    let scope = RecordScope::Release(id.namespace.clone(), id.name.clone());
    let listed = list(eyes.reader, &id.cluster, driver, &scope)
        .await
        .map_err(away)?;
    let Some(records) = listed.into_iter().find(|records| records.id == *id) else {
        return Ok(moved(vec!["the release was uninstalled".to_owned()]));
    };
    let find = |revision: Revision| records.heads.iter().find(|head| head.revision == revision);
    if let Some(last) = records.last()
        && last.revision > opened.lock
    {
        return Ok(moved(vec![governs(eyes, driver, last).await]));
    }
    let (Some(base), Some(committed)) = (find(opened.base.revision), find(opened.lock)) else {
        return Ok(moved(vec![format!(
            "revision {} or {} is gone",
            opened.base.revision, opened.lock
        )]));
    };
    let (base, committed) = match (
        read(eyes, driver, base, id).await?,
        read(eyes, driver, committed, id).await?,
    ) {
        (Ok(base), Ok(committed)) => (base, committed),
        (Err(why), _) | (_, Err(why)) => return Ok(moved(vec![why])),
    };
    if let Some(why) = records_moved(migrated, &base, &committed) {
        return Ok(moved(vec![why]));
    }
    let mut objects = Vec::new();
    let mut rewritten = Vec::new();
    let mut refused = Vec::new();
    let mut memory = Memory::default();
    for (index, (object, slot)) in (0..).zip(opened.objects.iter().zip(&migrated.objects)) {
        let ObjectCell::Migrated { inverse } = &slot.state else {
            continue;
        };
        let name = &object.object;
        let seen = match see(eyes, migrated, index, inverse, images, &mut memory).await {
            Ok(seen) => seen,
            Err(DriveError::Ledger(LedgerError::Seal(error))) => {
                refused.push(format!("{name}: {error}"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut request = ObjectRequest {
            inverse: inverse.clone(),
            ..object.request.clone()
        };
        match &seen {
            ObjectSeen::After {
                back: Some(back),
                version,
            } => {
                request.resource_version = version.1.clone();
                if let Some(why) =
                    rehearse_back(eyes, id, object, back, object.values.is_some(), images).await?
                {
                    refused.push(format!("{name}: {why}"));
                }
            }
            ObjectSeen::Unvalued {
                back: Some(back),
                version,
                ..
            } => {
                // Its values are others' by now; its owners are put back all the same.
                request.resource_version = version.1.clone();
                if let Some(why) = rehearse_back(eyes, id, object, back, false, images).await? {
                    refused.push(format!("{name}: {why}"));
                }
            }
            ObjectSeen::After { back: None, .. }
            | ObjectSeen::Valued { .. }
            | ObjectSeen::Unvalued { back: None, .. } => {
                refused.push(format!("{name}: its inverse is unknown"));
            }
            ObjectSeen::Refused { why } => refused.push(format!("{name}: {why}")),
            ObjectSeen::Rewritten { by } => {
                rewritten.push(format!("{name} was written by {by} since"));
            }
            ObjectSeen::Before { .. } => rewritten.push(format!("{name} is as before already")),
            ObjectSeen::Gone | ObjectSeen::Recreated => {}
        }
        objects.push((
            OpenedObject {
                request,
                ..object.clone()
            },
            seen,
        ));
    }
    if !rewritten.is_empty() {
        return Ok(moved(rewritten));
    }
    if !refused.is_empty() {
        return Ok(Survey::Not(Outcome::Stuck {
            why: refused.join("; "),
            side: Side::After,
        }));
    }
    let finalizer = records.heads.len() <= FEW_REVISIONS;
    let base = RecordImage {
        resource_version: base.stored.resource_version().into(),
        uid: Uid::new(base.stored.uid()),
        ..opened.base.clone()
    };
    let facts = committed.record.facts();
    let committed = RecordImage {
        revision: opened.lock,
        uid: Uid::new(committed.stored.uid()),
        resource_version: ResourceVersion::new(committed.stored.resource_version()),
        identity: Digest::new(facts.identity),
        metadata: images.put(&committed.stored.image())?,
    };
    Ok(Survey::Possible(Box::new(Possible {
        base,
        committed,
        finalizer,
        objects,
    })))
}

fn moved(why: Vec<String>) -> Survey {
    Survey::Not(Outcome::MovedOn { why, settled: true })
}

/// Who governs the release now, in words.
async fn governs(eyes: &Eyes<'_>, driver: Driver, head: &Head) -> String {
    let revision = head.revision;
    match load(eyes.reader, driver, head).await {
        Ok(loaded) => {
            let by = match &loaded.record.apply_method {
                Some(ApplyMethod::ServerSide) => " by Helm 4 (ssa)",
                Some(_) => " by Helm 4 (csa)",
                None => " by Helm 3",
            };
            let at = &loaded.record.info.last_deployed;
            format!(
                "revision {revision} ({}) was made{by} at {at}",
                loaded.record.status
            )
        }
        Err(_) => format!("revision {revision} ({}) was made since", head.status),
    }
}

async fn read(
    eyes: &Eyes<'_>,
    driver: Driver,
    head: &Head,
    id: &ReleaseId,
) -> Result<Result<Loaded, String>, DriveError> {
    match load(eyes.reader, driver, head).await {
        Ok(loaded) => Ok(Ok(loaded)),
        Err(RecordFault::Cluster(source)) => Err(DriveError::Cluster {
            release: id.clone(),
            source,
        }),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// N superseded and N+1 deployed, both as the migration left them?
fn records_moved(migrated: &Attempt, base: &Loaded, committed: &Loaded) -> Option<String> {
    let opened = &migrated.opened;
    let is = |loaded: &Loaded, status: Status| {
        loaded.record.status == status
            && loaded.record.apply_method == Some(ApplyMethod::ServerSide)
    };
    if Uid::new(base.stored.uid()) != opened.base.uid
        || base.record.facts().identity != opened.base.identity.as_str()
    {
        return Some(format!(
            "revision {} is another one now",
            opened.base.revision
        ));
    }
    if !is(committed, Status::Deployed) {
        return Some(format!(
            "revision {} is {} now",
            opened.lock, committed.record.status
        ));
    }
    if !is(base, Status::Superseded) {
        let method = base
            .record
            .apply_method
            .as_ref()
            .map_or("unset", ApplyMethod::as_str);
        return Some(format!(
            "revision {} is {} ({method}) now",
            opened.base.revision, base.record.status
        ));
    }
    None
}

/// Rehearses a request of the way back: one that changes `content`, or owners.
async fn rehearse_back(
    eyes: &Eyes<'_>,
    id: &ReleaseId,
    object: &OpenedObject,
    back: &ObjectRequest,
    content: bool,
    images: &mut Images,
) -> Result<Option<String>, DriveError> {
    let live = match eyes.reader.object(&object.object).await {
        Ok(Some(live)) => live,
        Ok(None) => return Ok(None),
        Err(error) if error.kind == ErrorKind::UnknownKind => return Ok(None),
        Err(source) => {
            return Err(DriveError::Cluster {
                release: id.clone(),
                source,
            });
        }
    };
    if live.resource_version != back.resource_version {
        // Busy, not refused: the protocol reads it again under the lock.
        return Ok(None);
    }
    let fault = |source| DriveError::Cluster {
        release: id.clone(),
        source,
    };
    if content {
        let operations: Vec<serde_json::Value> = images
            .get_sealed(eyes.journal, eyes.seal, &back.wish, &live.uid)
            .await?;
        let answer = rehearse_content(eyes.rehearser, &object.object, &live, &operations)
            .await
            .map_err(fault)?;
        return Ok(match answer {
            Err(why) => Some(why),
            Ok(None) => None,
            Ok(Some(answer)) => {
                let wished = values::patched(live.json.clone(), &operations);
                let also = values::only_wished(&wished, &answer.json).err();
                also.map(|also| format!("the patch would also change {also}"))
            }
        });
    }
    let wish: Vec<serde_json::Value> = images.get(eyes.journal, &back.wish).await?;
    let rehearsal = rehearse(eyes.rehearser, &object.object, &live, &wish)
        .await
        .map_err(fault)?;
    Ok(match rehearsal {
        Rehearsal::AsWished { .. } | Rehearsal::Moved => None,
        Rehearsal::DeadEntries(entries) => Some(entries.join(", ")),
        Rehearsal::Refused(why) => Some(why),
    })
}

/// Opens the attempt at the way back.
pub async fn open_undo(
    hands: &Hands,
    store: &str,
    migrated: &Attempt,
    possible: Possible,
    dwell_seconds: u32,
    mut images: Images,
) -> Result<BackOpening, DriveError> {
    let id = migrated.opened.release.clone();
    let ledger = &hands.ledger;
    let number = ledger
        .journal()
        .next_attempt(&id)
        .await
        .map_err(LedgerError::from)?;
    let lock = migrated.opened.lock.next();
    for (object, _) in &possible.objects {
        let _: Inverse = images
            .get(ledger.journal(), &object.request.inverse)
            .await?;
    }
    let opened = Opened {
        release: id,
        attempt: number,
        run: ledger.run().clone(),
        job: Job::Undo,
        token: Token::new(store, ledger.run(), number),
        base: possible.base,
        committed: Some(possible.committed),
        lock,
        objects: possible
            .objects
            .into_iter()
            .map(|(object, _)| object)
            .collect(),
        dwell_seconds,
        finalizer: possible.finalizer,
        intent: Intent::lock(lock, hands.clock.now()),
    };
    open(hands, opened, images, Memory::default(), 0, 0).await
}
