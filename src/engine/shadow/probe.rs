//! The probe: what the server says, object by object; and the way of a release through any forecast.

use std::collections::BTreeSet;

use async_trait::async_trait;
use managed_fields::Time;
use serde_json::Value;

use super::Holders;
use super::dead::dead_versions;
use super::left::{ADOPTED_ALONG, left, note};
use super::lives::Known;
use super::objects::{ManifestObject, Objects, ObjectsError, objects};
use super::offline::AtHand;
use super::rehearse::{Rehearsal, rehearse};
use crate::cluster::{self, ErrorKind, Reader, Rehearser};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::ids::ReleaseId;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::release::{Marks, driven_by};
use crate::domain::shadow::{
    Forecast, ObjectForecast, ObjectOutcome, Probe, Probed, Reason, ReleaseFacts, ReleaseOutcome,
    is_custom_resource, judge, read_entries, read_probe, trap_notes,
};
use crate::domain::transfer::{Adoption, ApplySet, Terms, adopt_under};
use crate::engine::chain::chain;
use crate::engine::ports::{Clock, Dice};
use crate::engine::records::{Loaded, ReleaseRecords};
use crate::helm::ApplyMethod;

/// How often a busy object is read again because it moved between GET and dry run (rule R14: controllers write status).
const TRIES_AT_A_BUSY_OBJECT: u32 = 5;

/// A release to forecast.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its records.
    pub records: &'a ReleaseRecords,
    /// The record whose manifest counts: the deployed one, else the last.
    pub current: &'a Loaded,
    /// The last record.
    pub last: &'a Loaded,
    /// Who else holds which objects of the cluster.
    pub holders: &'a Holders,
    /// Objects that Helm kept when they went from the chart.
    pub kept: &'a [ObjectRef],
}

/// An object that an adoption would write.
#[derive(Debug, Clone)]
pub struct PreparedObject {
    /// Which.
    pub object: ObjectRef,
    /// As it was read.
    pub live: LiveObject,
    /// What Helm's entry shall own.
    pub apply_set: ApplySet,
    /// The adoption: rehearsed, but where a forecast was computed for somebody who does not write, and where it repairs.
    pub adoption: Adoption,
    /// Versions of its entries that the server knows no more.
    pub dead: BTreeSet<String>,
}

/// A forecast, with what a run needs to act on it.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The forecast.
    pub forecast: Forecast,
    /// The objects to write, in Helm's install order; empty unless the release is Ready.
    pub objects: Vec<PreparedObject>,
    /// Dry runs sent, repeats after a 409 not counted.
    pub dry_runs: u32,
    /// Dry runs repeated because an object was busy.
    pub repeats: u32,
    /// Objects that only the server could tell about.
    pub asked: u32,
}

/// Forecasts a release.
#[async_trait]
pub trait Forecaster: Send + Sync {
    /// Zero writes. Cancel safe.
    async fn forecast(&self, target: &Target<'_>) -> Result<Prepared, ForecastError>;
}

/// Why a release cannot be forecast at all.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// The cluster did not answer.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
}

/// Asks the server.
pub struct LiveProbe<'a> {
    /// Reads.
    pub reader: &'a dyn Reader,
    /// Rehearses.
    pub rehearser: &'a dyn Rehearser,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// The time of new entries.
    pub clock: &'a dyn Clock,
    /// Names throw-away managers.
    pub dice: &'a dyn Dice,
}

enum Verdict {
    Settled(ObjectForecast),
    Write(ObjectForecast, Box<PreparedObject>),
}

enum Asked {
    Probed(Probed),
    Settled(ObjectForecast),
}

#[derive(Default)]
struct Seen {
    dry_runs: u32,
    repeats: u32,
    asked: u32,
    lives: Vec<LiveObject>,
    notes: Vec<Reason>,
}

#[async_trait]
impl Forecaster for LiveProbe<'_> {
    async fn forecast(&self, target: &Target<'_>) -> Result<Prepared, ForecastError> {
        self.release(target, None).await
    }
}

impl LiveProbe<'_> {
    /// Forecasts a release, from what is at hand where that is enough.
    pub(super) async fn release(
        &self,
        target: &Target<'_>,
        at_hand: Option<&AtHand<'_>>,
    ) -> Result<Prepared, ForecastError> {
        let release = target.records.id.clone();
        let mut notes = Vec::new();
        let mut seen = Seen::default();
        let mut forecasts = Vec::new();
        let mut writes = Vec::new();
        match objects(self.reader, &target.current.record).await {
            Ok(found) => {
                notes.extend(repeated_notes(&found));
                forecasts.extend(found.unserved.iter().map(|unserved| {
                    let reason = format!(
                        "{} is not served by the cluster: fix the record first",
                        unserved.object.api_version
                    );
                    plain(&unserved.object, ObjectOutcome::Invalid { reason })
                }));
                for object in &found.served {
                    match self
                        .object(object, &release, target.holders, at_hand, &mut seen)
                        .await?
                    {
                        Verdict::Settled(forecast) => forecasts.push(forecast),
                        Verdict::Write(forecast, write) => {
                            forecasts.push(forecast);
                            writes.push(*write);
                        }
                    }
                }
                let left = left(self.reader, target, &found.served).await?;
                notes.extend(left.notes);
                let is_done = target.last.record.apply_method == Some(ApplyMethod::ServerSide)
                    && forecasts
                        .iter()
                        .all(|it| it.outcome == ObjectOutcome::Migrated);
                for beside in left.beside {
                    let (what, cause) = (&beside.what, beside.cause);
                    let object = &beside.wanted.object;
                    let told = match self
                        .beside(&beside.wanted, target, at_hand, &mut seen)
                        .await?
                    {
                        // A release that is migrated already is not begun again for their sake.
                        Ok(_) if is_done => format!(
                            "{what}; the release is migrated, so it is not adopted any more: if its next apply conflicts, delete it"
                        ),
                        Ok(Some((forecast, write))) => {
                            forecasts.push(forecast);
                            writes.push(write);
                            format!("{what}; {ADOPTED_ALONG}")
                        }
                        Ok(None) => continue,
                        Err(why) => format!("{what}; it is not adopted: {why}"),
                    };
                    notes.push(note(cause, object, told));
                }
            }
            Err(ObjectsError::Cluster(error)) => return Err(error.into()),
            Err(ObjectsError::Manifest(error)) => {
                let detail = format!("the stored manifest does not read: {error}");
                let unread = Reason {
                    cause: "unknown".to_owned(),
                    object: None,
                    detail,
                };
                let facts = self.facts(target, &[]);
                let mut forecast = judge(&facts, Vec::new(), notes);
                forecast.outcome = ReleaseOutcome::Blocked;
                forecast.reasons.insert(0, unread);
                return Ok(Prepared {
                    forecast,
                    objects: Vec::new(),
                    dry_runs: 0,
                    repeats: 0,
                    asked: 0,
                });
            }
        }
        notes.append(&mut seen.notes);
        let facts = self.facts(target, &seen.lives);
        let mut forecast = judge(&facts, forecasts, notes);
        let nameless = nameless_hooks(target);
        if !nameless.is_empty() {
            forecast.outcome = ReleaseOutcome::Blocked;
            forecast.reasons.splice(0..0, nameless);
        }
        Ok(Prepared {
            forecast,
            objects: writes,
            dry_runs: seen.dry_runs,
            repeats: seen.repeats,
            asked: seen.asked,
        })
    }

    fn facts(&self, target: &Target<'_>, lives: &[LiveObject]) -> ReleaseFacts {
        ReleaseFacts {
            release: target.records.id.clone(),
            last_status: target.last.record.status.to_string(),
            has_deployed: target.records.deployed().is_some(),
            records_ssa: target.last.record.apply_method == Some(ApplyMethod::ServerSide),
            driven_by: driven_by(
                &lives.iter().map(Marks::of).collect::<Vec<_>>(),
                self.managers,
            ),
        }
    }

    /// The same for an object beside the manifest's: its adoption, `None` if it is adopted already or gone, or why it is
    /// left as it is. It is read anew: lists hold what manifests name.
    async fn beside(
        &self,
        wanted: &ManifestObject,
        target: &Target<'_>,
        at_hand: Option<&AtHand<'_>>,
        seen: &mut Seen,
    ) -> Result<Result<Option<(ObjectForecast, PreparedObject)>, String>, ForecastError> {
        let at_hand = at_hand.map(|at_hand| AtHand {
            lives: None,
            ..*at_hand
        });
        // Who else drives the release is read off its manifest's objects.
        let lives = seen.lives.len();
        let verdict = self
            .object(
                wanted,
                &target.records.id,
                target.holders,
                at_hand.as_ref(),
                seen,
            )
            .await?;
        seen.lives.truncate(lives);
        Ok(match verdict {
            Verdict::Write(forecast, write) => {
                let lawful = match forecast.outcome {
                    ObjectOutcome::OwnershipOnly | ObjectOutcome::Drift => true,
                    ObjectOutcome::DeadEntries { .. } => !is_custom_resource(&forecast.object),
                    _ => false,
                };
                if lawful && forecast.active.is_empty() {
                    Ok(Some((forecast, *write)))
                } else {
                    Err(format!("its forecast is {}", forecast.outcome.word()))
                }
            }
            Verdict::Settled(forecast) => match forecast.outcome {
                ObjectOutcome::Migrated | ObjectOutcome::Missing => Ok(None),
                outcome => Err(format!("its forecast is {}", outcome.word())),
            },
        })
    }

    async fn object(
        &self,
        wanted: &ManifestObject,
        release: &ReleaseId,
        holders: &Holders,
        at_hand: Option<&AtHand<'_>>,
        seen: &mut Seen,
    ) -> Result<Verdict, ForecastError> {
        let object = &wanted.object;
        let settled = |outcome| Ok(Verdict::Settled(plain(object, outcome)));
        for attempt in 0..TRIES_AT_A_BUSY_OBJECT {
            // What was listed may be some minutes old: good enough for the first look, not for a second one.
            let known = match at_hand {
                Some(at_hand) if attempt == 0 => at_hand.known(object),
                _ => Known::Unlisted,
            };
            let live = match known {
                Known::Found(live) => Some(*live),
                Known::Missing => None,
                Known::Unlisted => match self.reader.object(object).await {
                    Ok(live) => live,
                    Err(error) => return Ok(Verdict::Settled(refused(object, error)?)),
                },
            };
            let Some(live) = live else {
                return settled(ObjectOutcome::Missing);
            };
            if attempt == 0 {
                seen.notes
                    .extend(trap_notes(object, &wanted.body, &live.json));
                seen.lives.push(live.clone());
            }
            if live.is_being_deleted() {
                return settled(ObjectOutcome::BeingDeleted);
            }
            let others = holders.others(object, release);
            if !others.is_empty() {
                return settled(ObjectOutcome::Shared { with: others });
            }
            let dead = dead_versions(self.reader, wanted, &live).await?;
            let wiped = !dead.is_empty() && is_custom_resource(object);
            let told = match at_hand {
                Some(at_hand) => {
                    at_hand
                        .told(self.reader, wanted, &live, self.managers, &dead)
                        .await?
                }
                None => None,
            };
            let computed = told.is_some();
            let probed = match told {
                Some(probed) => probed,
                None => match self.ask(wanted, &live, &dead, attempt, seen).await? {
                    Asked::Probed(probed) => probed,
                    Asked::Settled(forecast) => return Ok(Verdict::Settled(forecast)),
                },
            };
            let mut forecast = probed.forecast;
            let Some(apply_set) = probed.apply_set else {
                return Ok(Verdict::Settled(forecast));
            };
            let base = Terms {
                repair: wiped,
                ..Terms::default().with_dead(&dead)
            };
            let adoption = match adopt_under(
                live.managed_fields(),
                &apply_set,
                &base,
                self.managers,
                self.now(),
            ) {
                Ok(Some(adoption)) => adoption,
                Ok(None) => {
                    if matches!(forecast.outcome, ObjectOutcome::OwnershipOnly) {
                        forecast.outcome = ObjectOutcome::Migrated;
                    }
                    return Ok(Verdict::Settled(forecast));
                }
                Err(error) => {
                    return settled(ObjectOutcome::Unknown {
                        reason: chain(&error),
                    });
                }
            };
            // Whether it is repaired is for the rules to say: that is rehearsed if they do.
            if wiped || computed && at_hand.is_some_and(|at_hand| !at_hand.rehearses(wanted)) {
                let write = PreparedObject {
                    object: object.clone(),
                    live,
                    apply_set,
                    adoption,
                    dead,
                };
                return Ok(Verdict::Write(forecast, Box::new(write)));
            }
            count(seen, attempt);
            match rehearse(self.rehearser, object, &live, &adoption.wish).await {
                Ok(Rehearsal::Moved) => {}
                Ok(Rehearsal::AsWished { wish, lost }) => {
                    if !lost.is_empty() && matches!(forecast.outcome, ObjectOutcome::OwnershipOnly)
                    {
                        forecast.outcome = ObjectOutcome::DeadEntries { entries: lost };
                    }
                    let adoption = Adoption {
                        wish,
                        inverse: adoption.inverse,
                    };
                    let write = PreparedObject {
                        object: object.clone(),
                        live,
                        apply_set,
                        adoption,
                        dead,
                    };
                    return Ok(Verdict::Write(forecast, Box::new(write)));
                }
                Ok(Rehearsal::DeadEntries(entries)) => {
                    forecast.outcome = ObjectOutcome::DeadEntries { entries };
                    return Ok(Verdict::Settled(forecast));
                }
                Ok(Rehearsal::Refused(reason)) => {
                    forecast.outcome = ObjectOutcome::Admission { reason };
                    return Ok(Verdict::Settled(forecast));
                }
                Err(error) => return Err(error.into()),
            }
        }
        settled(ObjectOutcome::Unknown {
            reason: format!(
                "it changed under {TRIES_AT_A_BUSY_OBJECT} dry runs: somebody writes it all the time"
            ),
        })
    }

    /// The facts from the server: a forced dry run of the manifest.
    async fn ask(
        &self,
        wanted: &ManifestObject,
        live: &LiveObject,
        dead: &BTreeSet<String>,
        attempt: u32,
        seen: &mut Seen,
    ) -> Result<Asked, ForecastError> {
        let object = &wanted.object;
        let manager = format!("refit-probe-{}", self.dice.word(PROBE_SUFFIX));
        count(seen, attempt);
        seen.asked += u32::from(attempt == 0);
        let applied = match self
            .rehearser
            .rehearse_apply(object, &wanted.body, &manager, true)
            .await
        {
            Ok(applied) => applied,
            Err(error) => return Ok(Asked::Settled(refused(object, error)?)),
        };
        let after = applied.pointer("/metadata/managedFields");
        let after = after
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let entries = read_entries(live.managed_fields())
            .and_then(|before| Ok((before, read_entries(after)?)));
        Ok(match entries {
            Ok((mut before, after)) => {
                // The server has dropped these in its answer: nobody took their fields.
                before.retain(|entry| !dead.contains(entry.api_version()));
                let probed = read_probe(&Probe {
                    object,
                    live,
                    before: &before,
                    applied: &applied,
                    after: &after,
                    manager: &manager,
                    managers: self.managers,
                });
                Asked::Probed(probed.with_dead(live, dead))
            }
            Err(error) => Asked::Settled(plain(
                object,
                ObjectOutcome::Unknown {
                    reason: chain(&error),
                },
            )),
        })
    }

    fn now(&self) -> Time {
        time(self.clock)
    }
}

/// The time of new entries.
pub(super) fn time(clock: &dyn Clock) -> Time {
    Time::from_unix(clock.now().as_second()).unwrap_or(EPOCH)
}

/// Letters of a probe's name: enough that no real manager has it.
const PROBE_SUFFIX: usize = 8;

/// A clock outside of the years 0 to 9999 is no clock.
const EPOCH: Time = match Time::from_unix(0) {
    Ok(time) => time,
    Err(_) => unreachable!(),
};

fn count(seen: &mut Seen, attempt: u32) {
    if attempt == 0 {
        seen.dry_runs += 1;
    } else {
        seen.repeats += 1;
    }
}

fn plain(object: &ObjectRef, outcome: ObjectOutcome) -> ObjectForecast {
    ObjectForecast {
        object: object.clone(),
        outcome,
        active: Vec::new(),
        latent: Vec::new(),
        drops: Vec::new(),
        drift: Vec::new(),
        values: std::collections::BTreeMap::new(),
    }
}

/// Words of a policy or a webhook that says no, in the server's answer (upstream `apiserver/pkg/admission/plugin`).
const ADMISSION_WORDS: [&str; 2] = ["denied", "does not support dry run"];

/// What the server says of a custom resource with an entry of a version that its CRD has no more (upstream
/// `apiextensions-apiserver/pkg/apiserver/conversion/converter.go`, rule R2).
const DEAD_VERSION: &str = "request to convert CR to an invalid group/version";

/// What it says, without more words, if the object does not fit the schema of an entry's version (upstream
/// `structured-merge-diff/typed/validate.go`). A misfit of the manifest itself begins with "failed to create typed".
const MISFIT: &str = "field not declared in schema";

fn refused(object: &ObjectRef, error: cluster::Error) -> Result<ObjectForecast, ForecastError> {
    let outcome = match error.kind {
        ErrorKind::Invalid | ErrorKind::Forbidden
            if ADMISSION_WORDS
                .iter()
                .any(|word| error.message.contains(word)) =>
        {
            ObjectOutcome::Admission {
                reason: error.message,
            }
        }
        ErrorKind::Forbidden => ObjectOutcome::Unknown {
            reason: format!("forbidden: {}", error.message),
        },
        ErrorKind::Invalid if error.message.contains(DEAD_VERSION) => ObjectOutcome::DeadEntries {
            entries: vec![error.message],
        },
        ErrorKind::Server if error.message.ends_with(MISFIT) => ObjectOutcome::MisfitEntries {
            reason: format!(
                "an entry of managedFields is of a version that the object does not fit: {}",
                error.message
            ),
        },
        _ if error.is_fault() => ObjectOutcome::Unknown {
            reason: format!("the server fails to try it: {}", error.message),
        },
        ErrorKind::Invalid | ErrorKind::UnknownKind => ObjectOutcome::Invalid {
            reason: error.message,
        },
        ErrorKind::NotFound => ObjectOutcome::Missing,
        _ => return Err(error.into()),
    };
    Ok(plain(object, outcome))
}

/// Hooks that run after the migration and have `generateName`: server-side apply needs a name, so Helm 4's next upgrade
/// fails on them (rule R5).
fn nameless_hooks(target: &Target<'_>) -> Vec<Reason> {
    let later = |event: &String| {
        ["upgrade", "rollback", "delete"]
            .iter()
            .any(|verb| event.ends_with(verb))
    };
    let hooks = target.current.record.hooks.iter();
    hooks
        .filter(|hook| hook.name.is_empty() && hook.events.iter().any(later))
        .map(|hook| Reason {
            cause: "invalid-manifest".to_owned(),
            object: None,
            detail: format!(
                "a {} hook of {} has generateName: server-side apply needs a name, so the next helm upgrade fails; \
                 name it in the chart",
                hook.kind, hook.path
            ),
        })
        .collect()
}

fn repeated_notes(objects: &Objects) -> Vec<Reason> {
    objects
        .repeated
        .iter()
        .map(|object| Reason {
            cause: "repeated-object".to_owned(),
            object: Some(object.clone()),
            detail: "the manifest holds it more than once; the last one counts".to_owned(),
        })
        .collect()
}
