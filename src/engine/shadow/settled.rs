//! Policies upon a forecast, whoever made it: decisions, the adoption that they ask for, and its rehearsal.

use std::collections::BTreeMap;

use managed_fields::{ManagedFieldsEntry, Path};

use super::objects::{ObjectsError, objects};
use super::probe::{ForecastError, Forecaster, Prepared, PreparedObject, Target};
use super::rehearse::{Rehearsal, rehearse, rehearse_content};
use crate::cluster::{ErrorKind, Reader, Rehearser};
use crate::domain::fleet::{ManagerMatcher, PolicyAction};
use crate::domain::object::{LiveObject, ObjectRef};
use crate::domain::policy::{
    Book, Case, Decision, SCALER_KINDS, ScaleTargets, Subject, decide, settle, terms,
};
use crate::domain::release::ChartRef;
use crate::domain::shadow::{Forecast, ObjectForecast, ObjectOutcome, ReleaseOutcome};
use crate::domain::transfer::values::{self, Change, Way};
use crate::domain::transfer::{Adoption, ApplySet, Terms, adopt_under, describe, is_own};
use crate::engine::chain::chain;
use crate::engine::ports::Clock;
use crate::helm::ApplyMethod;

/// How often a busy object is read again because it moved between GET and dry run.
const TRIES_AT_A_BUSY_OBJECT: u32 = 5;

/// The throw-away manager of the dry run that shows the manifest's values.
const VALUES_PROBE: &str = "refit-probe-values";

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
    /// Values that change before its adoption, rehearsed; empty nearly always.
    pub values: Vec<Change>,
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
            return Ok(plain(prepared, records_ssa(target)));
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
                values: Vec::new(),
            };
            let mut write = None;
            match asked {
                Asked::Write(prepared) => {
                    if object.outcome == ObjectOutcome::Migrated {
                        object.outcome = ObjectOutcome::OwnershipOnly;
                    }
                    write = Some(SettledObject {
                        prepared: *prepared,
                        terms,
                        values: Vec::new(),
                    });
                }
                Asked::AsBefore => write = prepared.map(unchanged),
                // All that is asked for is there already.
                Asked::Nothing => object.outcome = ObjectOutcome::Migrated,
                Asked::Refused(why) => {
                    for decision in about.iter_mut().filter(|it| it.is_in_force()) {
                        decision.refused = Some(why.clone());
                    }
                    write = prepared.map(unchanged);
                }
            }
            if let Some(write) = &mut write {
                dry_runs += self.set_values(target, write, &mut about).await?;
            }
            settled.extend(write);
            decisions.extend(about);
        }
        let made = settle(forecast, &decisions);
        let waits = !made.retry.is_empty();
        let recorded = records_ssa(target) && !waits;
        Ok(SettledRelease {
            forecast: with_what_is_written(made.forecast, &settled, recorded),
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

    /// Finds and rehearses the values that decisions change. What cannot be done is refused in the decisions, which
    /// holds the release. Returns the dry runs sent.
    async fn set_values(
        &self,
        target: &Target<'_>,
        write: &mut SettledObject,
        about: &mut Vec<Decision>,
    ) -> Result<u32, ForecastError> {
        let asks = |it: &Decision| it.is_in_force() && it.action.changes_values();
        let enforces = self.book.enforces();
        if !about.iter().any(asks) && enforces.is_none() {
            return Ok(0);
        }
        let made = self.rehearsed_values(target, write, about).await?;
        match made {
            Ok(values) => write.values = values,
            Err(why) => {
                for decision in about.iter_mut().filter(|it| asks(it)) {
                    decision.refused = Some(why.clone());
                }
            }
        }
        Ok(2)
    }

    async fn rehearsed_values(
        &self,
        target: &Target<'_>,
        write: &SettledObject,
        about: &mut Vec<Decision>,
    ) -> Result<Result<Vec<Change>, String>, ForecastError> {
        let (object, live) = (&write.prepared.object, &write.prepared.live);
        let found = match objects(self.reader, &target.current.record).await {
            Ok(found) => found,
            Err(ObjectsError::Cluster(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(chain(&error))),
        };
        let Some(wanted) = found.served.iter().find(|it| it.object == *object) else {
            return Ok(Err("the manifest has it no more".to_owned()));
        };
        let applied = match self
            .rehearser
            .rehearse_apply(object, &wanted.body, VALUES_PROBE, true)
            .await
        {
            Ok(applied) => applied,
            Err(error) => return Ok(Err(error.message)),
        };
        let apply_set = &write.prepared.apply_set.fields;
        let Ok(entries) = entries_of(live) else {
            return Ok(Err("its managedFields do not read".to_owned()));
        };
        if let Some(rule) = self.book.enforces() {
            for path in &apply_set.leaves() {
                let field = path.to_string();
                let decided = about.iter().any(|it| it.field == field);
                if !decided && values::differs(&live.json, &applied, &path) {
                    about.push(Decision {
                        object: object.clone(),
                        subject: Subject::Drift,
                        field,
                        owner: None,
                        action: PolicyAction::Take,
                        rule: Some(rule.clone()),
                        refused: None,
                    });
                }
            }
        }
        let of = |action| -> Vec<&Decision> {
            let asked = about.iter().filter(|it| it.is_in_force());
            asked.filter(|it| it.action == action).collect()
        };
        let named = |path: &Path, list: &[&Decision]| {
            let text = path.to_string();
            list.iter().any(|it| it.field == text)
        };
        let (taken, pruned) = (of(PolicyAction::Take), of(PolicyAction::Prune));
        let take: Vec<Path> = apply_set
            .iter()
            .filter(|path| named(path, &taken))
            .collect();
        let mut prune = Vec::new();
        for (path, entry) in entries
            .iter()
            .flat_map(|entry| entry.fields().iter().map(move |path| (path, entry)))
        {
            if !named(&path, &pruned) {
                continue;
            }
            if !is_own(entry, self.managers) {
                return Ok(Err(format!(
                    "{path} is also owned by {}, so an apply would not delete it either",
                    describe(entry)
                )));
            }
            if !prune.contains(&path) {
                prune.push(path);
            }
        }
        let wished = values::changes(&live.json, &applied, &take, &prune)
            .and_then(|wished| Ok((values::patch(&live.json, &wished, Way::Forth)?.0, wished)));
        let (operations, wished) = match wished {
            Ok((operations, _)) if operations.is_empty() => return Ok(Ok(Vec::new())),
            Ok(made) => made,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let answer = rehearse_content(self.rehearser, object, live, &operations).await?;
        Ok(match answer {
            Err(why) => Err(why),
            Ok(None) => Err("it changed while it was looked at: plan again".to_owned()),
            Ok(Some(answer)) => values::as_rehearsed(&live.json, &answer.json, wished)
                .map_err(|error| error.to_string()),
        })
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

/// A plan counts the objects that a run will write: one that is adopted already is not among them, whatever else was
/// found on it (drift, or a conflict that a rule waits for). Its findings stay.
///
/// Where nothing is written and the record says `ssa` (`recorded`), nothing is left to do: the release is Done, also with an
/// object missing or drifted. Else each plan would migrate it again, and each run add a revision.
fn with_what_is_written(
    mut forecast: Forecast,
    writes: &[SettledObject],
    recorded: bool,
) -> Forecast {
    if forecast.outcome != ReleaseOutcome::Ready {
        return forecast;
    }
    if recorded && writes.is_empty() {
        forecast.outcome = ReleaseOutcome::Done;
    }
    for object in &mut forecast.objects {
        let is_written = writes.iter().any(|it| it.prepared.object == object.object);
        if !is_written && object.outcome != ObjectOutcome::Missing {
            object.outcome = ObjectOutcome::Migrated;
        }
    }
    forecast
}

/// The forecast without any policy.
fn plain(prepared: Prepared, recorded: bool) -> SettledRelease {
    let objects: Vec<_> = prepared
        .objects
        .into_iter()
        .map(|prepared| SettledObject {
            prepared,
            terms: Terms::default(),
            values: Vec::new(),
        })
        .collect();
    SettledRelease {
        forecast: with_what_is_written(prepared.forecast, &objects, recorded),
        decisions: Vec::new(),
        retry: Vec::new(),
        objects,
        dry_runs: prepared.dry_runs,
        repeats: prepared.repeats,
        asked: prepared.asked,
    }
}

fn records_ssa(target: &Target<'_>) -> bool {
    target.last.record.apply_method == Some(ApplyMethod::ServerSide)
}

fn entries_of(
    live: &LiveObject,
) -> Result<Vec<ManagedFieldsEntry>, managed_fields::entry::DecodeError> {
    managed_fields::entry::decode(&serde_json::Value::Array(live.managed_fields().to_vec()))
}

/// The apply set of an object whose only entry of Helm's is one of Apply.
fn own_apply_set(live: &LiveObject, managers: &ManagerMatcher) -> Option<ApplySet> {
    let entries = entries_of(live).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ClusterName, Namespace, ReleaseId, ReleaseName};

    #[test]
    fn an_adopted_object_that_only_drifts_is_not_counted_and_leaves_nothing_to_do() {
        let drifted = |outcome| ObjectForecast {
            object: ObjectRef {
                api_version: "v1".into(),
                kind: "ConfigMap".into(),
                namespace: Some(Namespace::new("shop")),
                name: "web".into(),
            },
            outcome,
            active: Vec::new(),
            latent: Vec::new(),
            drops: Vec::new(),
            drift: vec![".data.a".to_owned()],
        };
        let forecast = |outcome, object| Forecast {
            release: ReleaseId {
                cluster: ClusterName::new("eu-1"),
                namespace: Namespace::new("shop"),
                name: ReleaseName::new("web"),
            },
            outcome,
            reasons: Vec::new(),
            notes: Vec::new(),
            objects: vec![object],
        };
        let made = |outcome, object| {
            with_what_is_written(forecast(outcome, drifted(object)), &[], false).objects[0]
                .outcome
                .clone()
        };
        assert_eq!(
            made(ReleaseOutcome::Ready, ObjectOutcome::Drift),
            ObjectOutcome::Migrated
        );
        assert_eq!(
            made(ReleaseOutcome::Ready, ObjectOutcome::Missing),
            ObjectOutcome::Missing
        );
        let verdict = |outcome, object, recorded| {
            with_what_is_written(forecast(outcome, drifted(object)), &[], recorded).outcome
        };
        for object in [ObjectOutcome::Drift, ObjectOutcome::Missing] {
            assert_eq!(
                verdict(ReleaseOutcome::Ready, object.clone(), true),
                ReleaseOutcome::Done
            );
            // Its record is still to be written.
            assert_eq!(
                verdict(ReleaseOutcome::Ready, object.clone(), false),
                ReleaseOutcome::Ready
            );
            assert_eq!(
                verdict(ReleaseOutcome::NeedsChoice, object, true),
                ReleaseOutcome::NeedsChoice
            );
        }
        // What is held says why it is.
        assert_eq!(
            made(ReleaseOutcome::NeedsChoice, ObjectOutcome::Drift),
            ObjectOutcome::Drift
        );
    }
}
