//! Policies upon a forecast, whoever made it: decisions, the adoption that they ask for, and its rehearsal.

use std::collections::BTreeMap;

use super::probe::{ForecastError, Forecaster, Prepared, PreparedObject, Target};
use super::rehearse::{Rehearsal, rehearse};
use crate::cluster::{ErrorKind, Reader, Rehearser};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::policy::{
    Book, Case, Decision, SCALER_KINDS, ScaleTargets, decide, settle, terms,
};
use crate::domain::release::ChartRef;
use crate::domain::shadow::{Forecast, ObjectForecast, ObjectOutcome};
use crate::domain::transfer::{Adoption, ApplySet, Terms, adopt_under, is_own};
use crate::engine::chain::chain;
use crate::engine::ports::Clock;

/// How often a busy object is read again because it moved between GET and dry run.
const TRIES_AT_A_BUSY_OBJECT: u32 = 5;

/// A forecaster under policies.
pub struct Settling<'a> {
    /// Who forecasts.
    pub forecaster: &'a dyn Forecaster,
    /// Reads.
    pub reader: &'a dyn Reader,
    /// Rehearses adoptions that a policy changes.
    pub rehearser: &'a dyn Rehearser,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// The time of new entries.
    pub clock: &'a dyn Clock,
    /// The rules.
    pub book: &'a Book,
    /// Labels of the cluster.
    pub labels: &'a BTreeMap<String, String>,
}

/// An object to write, and what policies ask of it.
#[derive(Debug, Clone)]
pub struct SettledObject {
    /// The object with its adoption, which is that under the terms.
    pub prepared: PreparedObject,
    /// The terms.
    pub terms: Terms,
}

/// A forecast under policies, with what a run needs to act on it.
#[derive(Debug, Clone)]
pub struct SettledRelease {
    /// The forecast: its outcome is the one under the decisions.
    pub forecast: Forecast,
    /// What rules decided.
    pub decisions: Vec<Decision>,
    /// Conflicts that a rule says to wait for.
    pub retry: Vec<String>,
    /// The objects to write, in Helm's install order.
    pub objects: Vec<SettledObject>,
    /// Dry runs sent, repeats apart.
    pub dry_runs: u32,
    /// Dry runs repeated because an object was busy.
    pub repeats: u32,
    /// Objects that only the server could tell about.
    pub asked: u32,
}

impl Settling<'_> {
    /// Forecasts a release and settles it. Zero writes. Cancel safe.
    pub async fn forecast(&self, target: &Target<'_>) -> Result<SettledRelease, ForecastError> {
        let prepared = self.forecaster.forecast(target).await?;
        if self.book.is_empty() {
            return Ok(plain(prepared));
        }
        let chart = target.current.record.chart.clone().unwrap_or_default();
        let chart = ChartRef {
            name: chart.name,
            version: chart.version,
        };
        let case = Case {
            release: &target.records.id,
            chart: &chart,
            labels: self.labels,
        };
        let Prepared {
            mut forecast,
            objects,
            mut dry_runs,
            mut repeats,
            asked: unknown,
        } = prepared;
        let mut by_object: BTreeMap<ObjectRef, PreparedObject> = objects
            .into_iter()
            .map(|object| (object.object.clone(), object))
            .collect();
        let mut decisions = Vec::new();
        let mut settled = Vec::new();
        // Read once a release, and only if a decision asks for it.
        let mut scalers = None;
        for object in &mut forecast.objects {
            let prepared = by_object.remove(&object.object);
            let known = match &prepared {
                Some(prepared) => Some((prepared.live.clone(), prepared.apply_set.clone())),
                None => self.adopted(object).await?,
            };
            let apply_set = known.as_ref().map(|(_, apply_set)| apply_set);
            let mut about = self.decide(&case, object, apply_set, &mut scalers).await;
            let terms = terms(object, &about);
            let asked = match known {
                Some((live, apply_set)) if !terms.is_empty() => {
                    dry_runs += 1;
                    self.adoption(&object.object, live, apply_set, &terms, &mut repeats)
                        .await?
                }
                _ => Asked::AsBefore,
            };
            let unchanged = |prepared| SettledObject {
                prepared,
                terms: Terms::default(),
            };
            match asked {
                Asked::Write(prepared) => {
                    if object.outcome == ObjectOutcome::Migrated {
                        object.outcome = ObjectOutcome::OwnershipOnly;
                    }
                    settled.push(SettledObject {
                        prepared: *prepared,
                        terms,
                    });
                }
                Asked::AsBefore => settled.extend(prepared.map(unchanged)),
                // All that is asked for is there already.
                Asked::Nothing => object.outcome = ObjectOutcome::Migrated,
                Asked::Refused(why) => {
                    for decision in about.iter_mut().filter(|it| it.is_in_force()) {
                        decision.refused = Some(why.clone());
                    }
                    settled.extend(prepared.map(unchanged));
                }
            }
            decisions.extend(about);
        }
        let made = settle(forecast, &decisions);
        Ok(SettledRelease {
            forecast: made.forecast,
            decisions,
            retry: made.retry,
            objects: settled,
            dry_runs,
            repeats,
            asked: unknown,
        })
    }

    async fn decide(
        &self,
        case: &Case<'_>,
        object: &ObjectForecast,
        apply_set: Option<&ApplySet>,
        scalers: &mut Option<Result<ScaleTargets, String>>,
    ) -> Vec<Decision> {
        let fields = apply_set.map(|set| &set.fields);
        let none = ScaleTargets::default();
        let decisions = decide(self.book, case, object, fields, &none);
        if !decisions.iter().any(Decision::asks_for_scalers) {
            return decisions;
        }
        let known = match scalers.take() {
            Some(known) => known,
            None => self.scale_targets().await,
        };
        match &*scalers.insert(known) {
            Ok(targets) => decide(self.book, case, object, fields, targets),
            Err(why) => decisions
                .into_iter()
                .map(|mut decision| {
                    if decision.asks_for_scalers() && decision.refused.is_none() {
                        decision.refused = Some(format!(
                            "whether an autoscaler would take the field back cannot be read: {why}"
                        ));
                    }
                    decision
                })
                .collect(),
        }
    }

    /// What the cluster's autoscalers target.
    async fn scale_targets(&self) -> Result<ScaleTargets, String> {
        let kinds = self
            .reader
            .kinds(false)
            .await
            .map_err(|error| chain(&error))?;
        let mut targets = ScaleTargets::default();
        for (kind, versions) in SCALER_KINDS {
            let served = versions.iter().find(|version| {
                kinds
                    .iter()
                    .any(|known| known.kind == kind && known.api_version == **version)
            });
            let Some(version) = served else { continue };
            match self.reader.objects(version, kind).await {
                Ok(scalers) => scalers.iter().for_each(|scaler| {
                    let mut json = scaler.json.clone();
                    if let Some(map) = json.as_object_mut() {
                        // Items of a list may leave their kind to the list.
                        map.insert("kind".to_owned(), kind.into());
                    }
                    targets.add(&json);
                }),
                Err(error) if matches!(error.kind, ErrorKind::UnknownKind) => {}
                Err(error) => return Err(chain(&error)),
            }
        }
        Ok(targets)
    }

    /// An object that is adopted already, with findings all the same: its own entry is its apply set.
    async fn adopted(
        &self,
        object: &ObjectForecast,
    ) -> Result<Option<(LiveObject, ApplySet)>, ForecastError> {
        let may_be = matches!(
            object.outcome,
            ObjectOutcome::Migrated | ObjectOutcome::Conflict | ObjectOutcome::Drift
        );
        if !may_be {
            return Ok(None);
        }
        let live = self.reader.object(&object.object).await?;
        Ok(live.and_then(|live| {
            let apply_set = own_apply_set(&live, self.managers)?;
            Some((live, apply_set))
        }))
    }

    /// Makes and rehearses the adoption under terms.
    async fn adoption(
        &self,
        object: &ObjectRef,
        mut live: LiveObject,
        apply_set: ApplySet,
        terms: &Terms,
        repeats: &mut u32,
    ) -> Result<Asked, ForecastError> {
        for attempt in 0..TRIES_AT_A_BUSY_OBJECT {
            if attempt > 0 {
                *repeats += 1;
                match self.reader.object(object).await? {
                    Some(again) => live = again,
                    None => return Ok(Asked::Refused("it was deleted meanwhile".to_owned())),
                }
            }
            let at = super::probe::time(self.clock);
            let adoption =
                match adopt_under(live.managed_fields(), &apply_set, terms, self.managers, at) {
                    Ok(Some(adoption)) => adoption,
                    Ok(None) => return Ok(Asked::Nothing),
                    Err(error) => return Ok(Asked::Refused(chain(&error))),
                };
            match rehearse(self.rehearser, object, &live, &adoption.wish).await? {
                Rehearsal::Moved => {}
                Rehearsal::AsWished { wish, .. } => {
                    let adoption = Adoption {
                        wish,
                        inverse: adoption.inverse,
                    };
                    return Ok(Asked::Write(Box::new(PreparedObject {
                        object: object.clone(),
                        live,
                        apply_set,
                        adoption,
                    })));
                }
                Rehearsal::DeadEntries(entries) => {
                    return Ok(Asked::Refused(entries.join(", ")));
                }
                Rehearsal::Refused(why) => return Ok(Asked::Refused(why)),
            }
        }
        Ok(Asked::Refused(format!(
            "it changed under {TRIES_AT_A_BUSY_OBJECT} dry runs: somebody writes it all the time"
        )))
    }
}

enum Asked {
    /// Another adoption than without the terms.
    Write(Box<PreparedObject>),
    /// The terms ask nothing of it.
    AsBefore,
    /// It is as the terms ask.
    Nothing,
    /// It cannot be done: the decisions do not come into force.
    Refused(String),
}

/// The forecast without any policy.
fn plain(prepared: Prepared) -> SettledRelease {
    SettledRelease {
        forecast: prepared.forecast,
        decisions: Vec::new(),
        retry: Vec::new(),
        objects: prepared
            .objects
            .into_iter()
            .map(|prepared| SettledObject {
                prepared,
                terms: Terms::default(),
            })
            .collect(),
        dry_runs: prepared.dry_runs,
        repeats: prepared.repeats,
        asked: prepared.asked,
    }
}

/// The apply set of an object whose only entry of Helm's is one of Apply.
fn own_apply_set(live: &LiveObject, managers: &ManagerMatcher) -> Option<ApplySet> {
    let entries =
        managed_fields::entry::decode(&serde_json::Value::Array(live.managed_fields().to_vec()))
            .ok()?;
    let mut own = entries.iter().filter(|entry| is_own(entry, managers));
    let (Some(entry), None) = (own.next(), own.next()) else {
        return None;
    };
    (entry.operation() == managed_fields::Operation::Apply
        && entry.manager() == managers.canonical())
    .then(|| ApplySet {
        api_version: entry.api_version().to_owned(),
        fields: entry.fields().clone(),
    })
}
