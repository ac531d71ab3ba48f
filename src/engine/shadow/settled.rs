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
use crate::domain::shadow::{
    Forecast, ObjectForecast, ObjectOutcome, ReleaseOutcome, is_custom_resource,
};
use crate::domain::transfer::values::MARK_MANAGER;
use crate::domain::transfer::values::{self, Change, Way};
use crate::domain::transfer::{
    Adoption, ApplySet, Terms, adopt_under, describe, is_marked, is_own,
};
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
            let dead = prepared.as_ref().map(|it| it.dead.clone());
            let dead = dead.unwrap_or_default();
            let apply_set = known.as_ref().map(|(_, apply_set)| apply_set);
            let mut about = self.decide(&case, object, apply_set, &mut scalers).await;
            let terms = terms(object, &about);
            let asks = !terms.is_empty();
            let terms = terms.with_dead(&dead);
            let asked = match known {
                // Without a repair nothing can be written.
                Some(_) if !terms.repair && is_wiped(object) => Asked::Never,
                Some((live, apply_set)) if asks => {
                    dry_runs += 1;
                    self.adoption(&object.object, live, apply_set, &terms, &mut repeats)
                        .await?
                }
                _ => Asked::AsBefore,
            };
            let unchanged = |prepared: PreparedObject| SettledObject {
                terms: Terms::default().with_dead(&prepared.dead),
                prepared,
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
                Asked::Never => {}
                // All that is asked for is there already.
                Asked::Nothing => object.outcome = ObjectOutcome::Migrated,
                Asked::Refused(why) => {
                    for decision in about.iter_mut().filter(|it| it.is_in_force()) {
                        decision.refuse(&*why);
                    }
                    write = prepared.filter(|_| !is_wiped(object)).map(unchanged);
                }
            }
            if let Some(write) = &mut write {
                dry_runs += self
                    .set_values(target, write, &mut about, &mut repeats)
                    .await?;
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
                        decision.refuse(format!(
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
        repeats: &mut u32,
    ) -> Result<u32, ForecastError> {
        let asks = |it: &Decision| it.is_in_force() && it.action.changes_values();
        let enforces = self.book.enforces();
        if !about.iter().any(asks) && enforces.is_none() {
            return Ok(0);
        }
        let mut made = self.rehearsed_values(target, write, about).await?;
        for _ in 1..TRIES_AT_A_BUSY_OBJECT {
            // A controller may write the object between GET and dry run: that is no reason to refuse (rule R14).
            if made != Values::Moved {
                break;
            }
            made = match self.again(write, repeats).await? {
                Ok(()) => self.rehearsed_values(target, write, about).await?,
                Err(why) => Values::Refused(why),
            };
        }
        let why = match made {
            Values::Known(values) => {
                write.values = values;
                return Ok(2);
            }
            Values::Refused(why) => why,
            Values::Moved => busy(),
        };
        for decision in about.iter_mut().filter(|it| asks(it)) {
            decision.refuse(&*why);
        }
        Ok(2)
    }

    /// Reads an object again that moved, with the adoption that its terms ask for.
    async fn again(
        &self,
        write: &mut SettledObject,
        repeats: &mut u32,
    ) -> Result<Result<(), String>, ForecastError> {
        *repeats += 1;
        let object = write.prepared.object.clone();
        let Some(live) = self.reader.object(&object).await? else {
            return Ok(Err("it was deleted meanwhile".to_owned()));
        };
        let apply_set = write.prepared.apply_set.clone();
        let asked = self.adoption(&object, live, apply_set, &write.terms, repeats);
        Ok(match asked.await? {
            Asked::Write(prepared) => {
                write.prepared = *prepared;
                Ok(())
            }
            Asked::Refused(why) => Err(why),
            Asked::Nothing | Asked::AsBefore | Asked::Never => {
                Err("it was adopted meanwhile".to_owned())
            }
        })
    }

    async fn rehearsed_values(
        &self,
        target: &Target<'_>,
        write: &SettledObject,
        about: &mut Vec<Decision>,
    ) -> Result<Values, ForecastError> {
        let (object, live) = (&write.prepared.object, &write.prepared.live);
        let found = match objects(self.reader, &target.current.record).await {
            Ok(found) => found,
            Err(ObjectsError::Cluster(error)) => return Err(error.into()),
            Err(error) => return Ok(Values::Refused(chain(&error))),
        };
        let Some(wanted) = found.served.iter().find(|it| it.object == *object) else {
            return Ok(Values::Refused("the manifest has it no more".to_owned()));
        };
        let applied = match self
            .rehearser
            .rehearse_apply(object, &wanted.body, VALUES_PROBE, true)
            .await
        {
            Ok(applied) => applied,
            Err(error) => return Ok(Values::Refused(error.message)),
        };
        let apply_set = &write.prepared.apply_set.fields;
        let Ok(entries) = entries_of(live) else {
            return Ok(Values::Refused("its managedFields do not read".to_owned()));
        };
        if is_marked(live.managed_fields()).unwrap_or(true) {
            return Ok(Values::Refused(format!(
                "an entry of the manager {MARK_MANAGER} is on it, left by a run that ended half-way: look at it with refit fields, and put it right first"
            )));
        }
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
                        irreversible: false,
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
        for path in entries.iter().flat_map(|entry| entry.fields().iter()) {
            if named(&path, &pruned) && !prune.contains(&path) {
                prune.push(path);
            }
        }
        if let Some(why) = owned_by_others(&prune, &entries, self.managers) {
            return Ok(Values::Refused(why));
        }
        let wished = values::changes(&live.json, &applied, &take, &prune)
            .and_then(|wished| Ok((values::patch(&live.json, &wished, Way::Forth)?.0, wished)));
        let (operations, wished) = match wished {
            Ok((operations, _)) if operations.is_empty() => return Ok(Values::Known(Vec::new())),
            Ok(made) => made,
            Err(error) => return Ok(Values::Refused(error.to_string())),
        };
        let answer = rehearse_content(self.rehearser, object, live, &operations).await?;
        let answer = match answer {
            Err(why) => return Ok(Values::Refused(why)),
            Ok(None) => return Ok(Values::Moved),
            Ok(Some(answer)) => answer,
        };
        if let Some(why) = lost_besides(&entries, &answer, &write.terms, self.managers) {
            return Ok(Values::Refused(why));
        }
        Ok(
            match values::as_rehearsed(&live.json, &answer.json, wished) {
                Ok(values) => Values::Known(values),
                Err(error) => Values::Refused(error.to_string()),
            },
        )
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
                        dead: terms.dead.clone(),
                    })));
                }
                Rehearsal::DeadEntries(entries) => {
                    return Ok(Asked::Refused(entries.join(", ")));
                }
                Rehearsal::Refused(why) => return Ok(Asked::Refused(why)),
            }
        }
        Ok(Asked::Refused(busy()))
    }
}

fn busy() -> String {
    format!("it changed under {TRIES_AT_A_BUSY_OBJECT} dry runs: somebody writes it all the time")
}

/// What a look at the values that decisions change showed.
#[derive(Debug, PartialEq)]
enum Values {
    /// They change so, and nothing else does.
    Known(Vec<Change>),
    /// The object moved between two requests: look again.
    Moved,
    /// They cannot be changed.
    Refused(String),
}

/// Does somebody else own a field that is to be deleted, or something below it? No apply of Helm's would delete it then.
fn owned_by_others(
    prune: &[Path],
    entries: &[ManagedFieldsEntry],
    managers: &ManagerMatcher,
) -> Option<String> {
    let foreign = entries.iter().filter(|entry| !is_own(entry, managers));
    foreign
        .flat_map(|entry| prune.iter().map(move |path| (entry, path)))
        .find(|(entry, path)| entry.fields().has(path) || entry.fields().below(path).is_some())
        .map(|(entry, path)| {
            format!(
                "{path} is also owned by {}, so an apply would not delete it either",
                describe(entry)
            )
        })
}

/// Would somebody lose a field to the new values whom no rule takes it from? An undo gives back what the terms know of.
fn lost_besides(
    entries: &[ManagedFieldsEntry],
    answer: &LiveObject,
    terms: &Terms,
    managers: &ManagerMatcher,
) -> Option<String> {
    let after = entries_of(answer).ok()?;
    for entry in entries.iter().filter(|entry| !is_own(entry, managers)) {
        let kept = after.iter().find(|it| it.identity() == entry.identity());
        let lost = match kept {
            Some(kept) => entry.fields().difference(kept.fields()),
            None => entry.fields().clone(),
        };
        let owner = describe(entry);
        let known = |field: &str| {
            let mut taken = terms.take_over.iter();
            taken.any(|share| share.owner == owner && share.field == field)
        };
        let lost = lost.leaves();
        let besides = lost.iter().map(|path| path.to_string());
        if let Some(field) = besides.into_iter().find(|field| !known(field)) {
            return Some(format!(
                "{owner} would lose {field} too: let a rule take it from {owner} as well"
            ));
        }
    }
    None
}

/// Does the server wipe its managedFields at every write?
fn is_wiped(object: &ObjectForecast) -> bool {
    matches!(object.outcome, ObjectOutcome::DeadEntries { .. })
        && is_custom_resource(&object.object)
}

enum Asked {
    /// Another adoption than without the terms.
    Write(Box<PreparedObject>),
    /// The terms ask nothing of it.
    AsBefore,
    /// It cannot be written as it is, and nothing is asked.
    Never,
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
    // What would have to be repaired is not written without a rule.
    let lawful = |it: &PreparedObject| it.dead.is_empty() || !is_custom_resource(&it.object);
    let objects: Vec<_> = prepared
        .objects
        .into_iter()
        .filter(lawful)
        .map(|prepared| SettledObject {
            terms: Terms::default().with_dead(&prepared.dead),
            prepared,
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

    fn managers() -> ManagerMatcher {
        let managers = crate::domain::fleet::Managers {
            canonical: "helm".to_owned(),
            aliases: Vec::new(),
        };
        managers.matcher().unwrap()
    }

    fn with_entries(entries: &serde_json::Value) -> LiveObject {
        let json = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "a", "uid": "u", "resourceVersion": "1", "managedFields": entries,
        }});
        LiveObject::new(json).unwrap()
    }

    fn entry(manager: &str, fields: &serde_json::Value) -> serde_json::Value {
        serde_json::json!({"manager": manager, "operation": "Update", "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    #[test]
    fn what_others_hold_below_a_drop_is_not_deleted_with_it() {
        use serde_json::json;
        let mine = entry("helm", &json!({"f:data": {".": {}, "f:a": {}}}));
        let theirs = entry("kubectl-edit", &json!({"f:data": {"f:b": {}}}));
        let live = with_entries(&json!([mine, theirs]));
        let entries = entries_of(&live).unwrap();
        let about = |path: Path| owned_by_others(&[path], &entries, &managers());
        let map = about(Path::of_fields(["data"])).unwrap();
        assert!(map.contains("kubectl-edit"), "{map}");
        assert!(about(Path::of_fields(["data", "b"])).is_some());
        assert_eq!(about(Path::of_fields(["data", "a"])), None);
    }

    #[test]
    fn nobody_loses_a_field_that_no_rule_takes() {
        use serde_json::json;
        let both = [
            entry("scaler", &json!({"f:spec": {"f:replicas": {}}})),
            entry("operator", &json!({"f:spec": {"f:replicas": {}}})),
        ];
        let before = with_entries(&json!(both));
        let after = with_entries(&json!([]));
        let entries = entries_of(&before).unwrap();
        let mut terms = Terms::default();
        let share = |owner: &str| crate::domain::transfer::Share {
            owner: owner.to_owned(),
            field: ".spec.replicas".to_owned(),
        };
        terms.take_over.insert(share("scaler"));
        let why = lost_besides(&entries, &after, &terms, &managers()).unwrap();
        assert!(
            why.starts_with("operator would lose .spec.replicas"),
            "{why}"
        );
        terms.take_over.insert(share("operator"));
        assert_eq!(lost_besides(&entries, &after, &terms, &managers()), None);
    }

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
            values: BTreeMap::new(),
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
