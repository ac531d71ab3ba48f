//! The life of one object: applies, updates and csa upgrades by several managers, and now and then an accident.

use std::collections::{BTreeMap, BTreeSet};

use managed_fields::csa::{self, Flavor, Upgrade};
use managed_fields::manager::{ManagerError, Managing};
use managed_fields::{FieldManager, FieldSet, Kind, Path, Schema, Time, value};
use serde_json::{Value, json};

use crate::errors;
use crate::generate::Generator;
use crate::report::{Disagreement, Report};
use crate::rng::Rng;
use crate::shrink;

use super::oracle::Oracle;

const APPLIERS: &[&str] = &["helm", "helm", "helm", "argo<&>", "ci bot", "flux", ""];
const UPDATERS: &[&str] = &[
    "helm",
    "helm",
    "helm",
    "helm",
    "kubectl-edit",
    "hpa",
    "é\"q\"",
    "",
    "u1",
    "u2",
    "u3",
    "u4",
    "u5",
    "u6",
    "u7",
    "u8",
    "u9",
    "u10",
    "u11",
    "u12",
    "u13",
];
/// Kubernetes stamps with the real clock; here each step has its own second, long before that.
const FIRST_SECOND: i64 = 1_500_000_000;
const REAL_CLOCK: i64 = 1_700_000_000;

type Agreed = Result<(), Box<Disagreement>>;

/// The OpenAPI documents, parsed by us and known by name to the oracle.
pub struct Worlds(Vec<World>);

struct World {
    file: String,
    document: Value,
    schema: Schema,
    kinds: Vec<(Kind, String)>,
}

impl Worlds {
    /// Reads the documents.
    pub fn load() -> Self {
        let load = |name: &str| {
            let (file, document) = crate::fixture(name);
            let schema = Schema::from_openapi([&document]).unwrap();
            let kinds = schema
                .kinds()
                .filter(|kind| {
                    document.pointer("/components/schemas").is_some()
                        && schema.faults_of(kind).is_empty()
                })
                .filter(|kind| {
                    !["DeleteOptions", "Status", "WatchEvent", "APIResourceList"]
                        .contains(&kind.kind.as_str())
                })
                .map(|kind| (kind.clone(), model_of(&document, kind)))
                .filter(|(_, model)| {
                    document["components"]["schemas"][model]["properties"]
                        .get("metadata")
                        .is_some()
                })
                .collect();
            World {
                file,
                document,
                schema,
                kinds,
            }
        };
        Self(vec![
            load("builtin.json"),
            load("widget.json"),
            load("widget-later.json"),
        ])
    }
}

fn model_of(document: &Value, kind: &Kind) -> String {
    let models = document["components"]["schemas"].as_object().unwrap();
    let is_it = |model: &Value| {
        let kinds = model["x-kubernetes-group-version-kind"].as_array();
        kinds.into_iter().flatten().any(|k| {
            k["group"] == kind.group.as_str()
                && k["version"] == kind.version.as_str()
                && k["kind"] == kind.kind.as_str()
        })
    };
    models
        .iter()
        .find(|(_, model)| is_it(model))
        .unwrap()
        .0
        .clone()
}

struct Life<'a> {
    seed: u64,
    step: usize,
    rng: Rng,
    world: &'a World,
    kind: Kind,
    live: Option<Value>,
    configs: BTreeMap<String, Value>,
    crowded: bool,
}

/// Lives the life of a seed. Ends early at a disagreement, which is added to the report.
pub fn live(worlds: &Worlds, oracle: &mut Oracle, seed: u64, report: &mut Report) {
    let mut rng = Rng::new(seed);
    let is_widget = rng.chance(50);
    let world = &worlds.0[usize::from(is_widget)];
    let (kind, _) = rng.pick(&world.kinds).clone();
    let mut life = Life {
        seed,
        step: 0,
        rng,
        world,
        kind,
        live: None,
        configs: BTreeMap::new(),
        crowded: false,
    };
    // Some objects meet many updaters, so that old entries are folded.
    life.crowded = life.rng.chance(12);
    let (steps, csa_share, apply_share) = if life.crowded {
        (45, 3, 12)
    } else {
        (4 + life.rng.below(20), 8, 58)
    };
    for step in 0..steps {
        life.step = step;
        if is_widget && life.rng.chance(4) {
            life.world = &worlds.0[2];
            "v1".clone_into(&mut life.kind.version);
            if let Some(live) = &mut life.live {
                live["apiVersion"] = json!("example.dev/v1");
            }
            life.configs.clear();
        }
        if life.live.is_some() && life.rng.chance(9) {
            life.accident();
        }
        report.cases += 1;
        let agreed = match life.rng.below(100) {
            n if n < csa_share && life.live.is_some() => life.csa(oracle, report),
            n if n < apply_share || life.live.is_none() && life.rng.chance(50) => {
                life.apply(oracle, report)
            }
            _ => life.update(oracle, report),
        };
        if let Err(disagreement) = agreed {
            report.disagreements.push(*disagreement);
            return;
        }
    }
}

impl Life<'_> {
    fn generator(&self, wrong: u64, duplicates: u64) -> Generator<'_> {
        Generator {
            schemas: self.world.document["components"]["schemas"]
                .as_object()
                .unwrap(),
            wrong,
            duplicates,
            nulls: 40,
        }
    }

    fn model(&self) -> Value {
        self.world.document["components"]["schemas"][model_of(&self.world.document, &self.kind)]
            .clone()
    }

    fn names(&self) -> Value {
        json!({"apiVersion": self.kind.api_version(), "kind": self.kind.kind})
    }

    fn now(&self) -> Time {
        Time::from_unix(FIRST_SECOND + i64::try_from(self.step).unwrap()).unwrap()
    }

    fn reset(&mut self, subresource: &str) -> (Vec<Vec<&'static str>>, BTreeMap<String, FieldSet>) {
        let paths: Vec<Vec<&'static str>> = match (subresource, self.rng.below(3)) {
            ("status", _) => vec![vec!["spec"], vec!["metadata", "labels"]],
            (_, 0) => vec![],
            _ => vec![vec!["status"]],
        };
        let set = FieldSet::of(
            paths
                .iter()
                .map(|names| Path::of_fields(names.iter().copied())),
        )
        .unwrap();
        (paths, BTreeMap::from([(self.kind.api_version(), set)]))
    }

    fn apply(&mut self, oracle: &mut Oracle, report: &mut Report) -> Agreed {
        let manager = *self.rng.pick(APPLIERS);
        let (model, names) = (self.model(), self.names());
        let mut rng = std::mem::replace(&mut self.rng, Rng::new(0));
        let wrong = if rng.chance(15) { 15 } else { 0 };
        let generator = self.generator(wrong, wrong);
        let mut config = match (self.configs.get(manager), &self.live, rng.below(100)) {
            (Some(last), _, 0..20) => last.clone(),
            (Some(last), _, 20..85) => {
                let mut config = last.clone();
                generator.mutate(&mut rng, &model, &mut config, &names);
                config
            }
            (_, Some(live), 0..60) => {
                let mut config = live.clone();
                generator.mutate(&mut rng, &model, &mut config, &names);
                config
            }
            _ => generator.object(&mut rng, &model, &names),
        };
        if let Some(metadata) = config["metadata"].as_object_mut() {
            metadata.remove("managedFields");
            if rng.rare(5) {
                let odd = [json!([]), json!(null), json!([{"manager": "m"}])];
                metadata.insert("managedFields".into(), rng.pick(&odd).clone());
            }
        }
        if rng.rare(5) {
            config["apiVersion"] = json!("other/v1");
        }
        let force = rng.chance(40);
        let subresource = if rng.chance(8) {
            *rng.pick(&["status", "scale"])
        } else {
            ""
        };
        self.rng = rng;
        let (ignore, reset) = self.reset(subresource);

        let request = json!({
            "op": "apply", "openapi": [self.world.file], "manager": manager, "subresource": subresource, "force": force,
            "live": self.live, "config": config, "ignore": ignore,
            "empty": FieldManager::new(&self.world.schema, self.kind.clone(), "").new_object(),
        });
        let schema = &self.world.schema;
        // The oracle's endpoint is that of the configuration; a foreign one cannot be asked for.
        if Kind::of(&config) != self.kind {
            let endpoint =
                FieldManager::new(schema, self.kind.clone(), subresource).with_reset(reset);
            let error = endpoint
                .apply(self.live.as_ref(), &config, manager, force, self.now())
                .unwrap_err();
            assert!(
                matches!(
                    error,
                    ManagerError::WrongKind { .. } | ManagerError::Decode(_)
                ),
                "{error:?}"
            );
            return Ok(());
        }
        let endpoint = FieldManager::new(schema, self.kind.clone(), subresource).with_reset(reset);
        let ours = endpoint.apply(
            self.live.as_ref(),
            &config,
            manager,
            force,
            Time::from_unix(REAL_CLOCK + 1).unwrap(),
        );
        report.count("applies");
        self.count_apply(report, &ours);
        let answer = oracle.ask(&request);
        if let Some(object) = self.agreed(&request, &answer, ours)? {
            self.configs.insert(manager.to_owned(), config);
            self.live = Some(object);
        }
        Ok(())
    }

    fn count_apply(&self, report: &mut Report, ours: &Result<Managing, ManagerError>) {
        let entries = |object: &Value| {
            object["metadata"]["managedFields"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        let before = self.live.as_ref().map(&entries).unwrap_or_default();
        let version = self.kind.api_version();
        report.count_if(
            "other_versions",
            before
                .iter()
                .any(|entry| entry["apiVersion"] != version.as_str()),
        );
        match ours {
            Err(ManagerError::Conflicts(_)) => report.count("conflicts"),
            Err(_) => report.count("invalid"),
            Ok(after) => {
                report.count_if("no_ops", !after.changed);
                let is_first = |entry: &Value| entry["manager"] == "before-first-apply";
                let had = before.iter().any(is_first);
                report.count_if(
                    "before_first_apply",
                    !had && entries(&after.object).iter().any(is_first),
                );
                let size = |object: &Value| object.to_string().matches(':').count();
                let content = |object: &Value| {
                    let mut object = object.clone();
                    object["metadata"]["managedFields"] = Value::Null;
                    size(&object)
                };
                report.count_if(
                    "pruned",
                    self.live
                        .as_ref()
                        .is_some_and(|live| content(live) > content(&after.object)),
                );
            }
        }
    }

    fn update(&mut self, oracle: &mut Oracle, report: &mut Report) -> Agreed {
        let manager = if self.crowded {
            *self.rng.pick(&UPDATERS[4..])
        } else {
            *self.rng.pick(&UPDATERS[..10])
        };
        let (model, names) = (self.model(), self.names());
        let mut rng = std::mem::replace(&mut self.rng, Rng::new(0));
        let generator = self.generator(0, 120);
        let (mut new, kept) = match &self.live {
            Some(live) => {
                let mut new = live.clone();
                if !self.crowded || rng.chance(30) {
                    generator.mutate(&mut rng, &model, &mut new, &names);
                }
                (new, live["metadata"]["managedFields"].clone())
            }
            None => (generator.object(&mut rng, &model, &names), Value::Null),
        };
        let managed = match rng.below(100) {
            0..60 => Some(kept),
            60..95 => None,
            95..96 => Some(json!([])),
            96..97 => Some(json!([{}])),
            97..98 => Some(json!([{"manager": "m", "operation": "Sing"}])),
            _ => {
                let entries: Vec<Value> = kept
                    .as_array()
                    .into_iter()
                    .flatten()
                    .skip(1)
                    .cloned()
                    .collect();
                Some(Value::from(entries))
            }
        };
        if let (Some(managed), Some(metadata)) = (
            managed.filter(|m| !m.is_null()),
            new["metadata"].as_object_mut(),
        ) {
            metadata.insert("managedFields".into(), managed);
        }
        if let (Some(live), Some(metadata)) = (&self.live, new["metadata"].as_object_mut()) {
            metadata.insert("uid".into(), live["metadata"]["uid"].clone());
        }
        if rng.chance(if self.crowded { 80 } else { 20 }) && new["metadata"].is_object() {
            let labels = &mut new["metadata"]["labels"];
            if !labels.is_object() {
                *labels = json!({});
            }
            labels[format!("of-{manager}-{}", rng.below(3))] = json!(self.step.to_string());
        }
        let subresource = if rng.chance(if self.crowded { 2 } else { 15 }) {
            *rng.pick(&["status", "scale"])
        } else {
            ""
        };
        self.rng = rng;
        let (ignore, reset) = self.reset(subresource);
        let request = json!({
            "op": "update", "openapi": [self.world.file], "manager": manager, "subresource": subresource,
            "live": self.live, "config": new, "ignore": ignore,
            "empty": FieldManager::new(&self.world.schema, self.kind.clone(), "").new_object(),
        });
        let endpoint =
            FieldManager::new(&self.world.schema, self.kind.clone(), subresource).with_reset(reset);
        let ours = endpoint.update(
            self.live.as_ref(),
            &new,
            manager,
            Time::from_unix(REAL_CLOCK + 1).unwrap(),
        );
        report.count("updates");
        let answer = oracle.ask(&request);
        if let Some(object) = self.agreed(&request, &answer, ours)? {
            report.count_if(
                "folded",
                object["metadata"]["managedFields"]
                    .to_string()
                    .contains("ancient-changes"),
            );
            self.live = Some(object);
        }
        Ok(())
    }

    fn csa(&mut self, oracle: &mut Oracle, report: &mut Report) -> Agreed {
        let live = self.live.clone().unwrap();
        let csa = *self.rng.pick(&["helm", "helm", "kubectl-edit", "u1"]);
        let subresource = if self.rng.chance(10) { "status" } else { "" };
        let request = json!({"op": "csa", "live": live, "csaManagers": [csa], "manager": "helm", "subresource": subresource});
        let answer = oracle.ask(&request);
        let csa_managers = BTreeSet::from([csa.to_owned()]);
        let mut upgrade = Upgrade {
            csa_managers: &csa_managers,
            ssa_manager: "helm",
            subresource,
            flavor: Flavor::Original,
        };
        let ours = csa::upgrade(&live, &upgrade);
        report.count("csa");
        let ours = match (answer.get("error"), ours) {
            (Some(_), Err(_)) => return Ok(()),
            // Kubernetes' upgrade stumbles over an entry without fields; ours takes it for an empty one.
            (Some(_), Ok(_)) if lacks_fields(&live) => return Ok(()),
            (None, Ok(ours)) => ours.unwrap_or_default(),
            (_, ours) => {
                let ours = json!(format!("{ours:?}"));
                return self.disagree("outcome", &request, &answer, ours);
            }
        };
        // Kubernetes also sends a patch that only puts the keys of a set into another order.
        let nothing_new =
            ours.is_null() && answer["patch"][0]["value"] == live["metadata"]["managedFields"];
        if ours != answer["patch"] && !nothing_new {
            return self.disagree("patch", &request, &answer, ours);
        }
        report.count_if("csa_changes", !ours.is_null());
        // Ours keeps more, and is the same where there is one version.
        upgrade.flavor = Flavor::Fixed;
        let fixed = csa::upgrade(&live, &upgrade).unwrap();
        let Some(entries) = fixed.as_ref().map(|patch| patch[0]["value"].clone()) else {
            assert!(ours.is_null(), "{request}");
            return Ok(());
        };
        let mut versions = live["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["apiVersion"]);
        let first = versions.next();
        if versions.all(|version| Some(version) == first) {
            assert_eq!(entries, ours[0]["value"], "{request}");
        }
        self.live.as_mut().unwrap()["metadata"]["managedFields"] = entries;
        Ok(())
    }

    /// Doubles items of lists, as stored objects may have them: by old requests, or by controllers.
    fn double(rng: &mut Rng, value: &mut Value) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                let at = rng.below(items.len());
                Self::double(rng, &mut items[at]);
                if rng.chance(60) {
                    let twin = items[at].clone();
                    items.insert(rng.below(items.len() + 1), twin);
                }
            }
            Value::Object(map) => map.values_mut().for_each(|value| Self::double(rng, value)),
            _ => {}
        }
    }

    /// Things that happen to entries: all lost, times lost, versions gone, paths that lead nowhere.
    fn accident(&mut self) {
        let rng = &mut self.rng;
        if rng.chance(25) {
            if let Some(spec) = self.live.as_mut().and_then(|live| live.get_mut("spec")) {
                Self::double(rng, spec);
            }
            return;
        }
        let Some(metadata) = self
            .live
            .as_mut()
            .and_then(|live| live["metadata"].as_object_mut())
        else {
            return;
        };
        let Some(entries) = metadata
            .get_mut("managedFields")
            .and_then(Value::as_array_mut)
            .filter(|e| !e.is_empty())
        else {
            return;
        };
        let at = rng.below(entries.len());
        let entry = &mut entries[at];
        match rng.below(7) {
            0 => {
                metadata.remove("managedFields");
            }
            1 => {
                entry.as_object_mut().unwrap().remove("time");
            }
            2 => {
                entry["apiVersion"] = json!(*rng.pick(&[
                    "example.dev/v9",
                    "gone/v1beta1",
                    "v1",
                    "example.dev/v1beta1"
                ]));
            }
            3 => entry["apiVersion"] = json!(*rng.pick(&["example.dev/v1", "example.dev/v1beta1"])),
            4 => {
                let stale = json!({"f:spec": {"f:gone": {"f:x": {}}, "k:{\"a\":1}": {".": {}, "f:a": {}}, "f:items": {"v:1": {}}}, "f:nowhere": {}});
                entry["fieldsV1"] = stale;
            }
            5 => {
                entry.as_object_mut().unwrap().remove("fieldsV1");
            }
            _ => {
                let twin = entry.clone();
                entries.push(twin);
            }
        }
    }

    /// The object that Kubernetes gives, if both agree that there is one.
    fn agreed(
        &self,
        request: &Value,
        answer: &Value,
        ours: Result<Managing, ManagerError>,
    ) -> Result<Option<Value>, Box<Disagreement>> {
        let ours = match (answer.get("error").and_then(Value::as_str), ours) {
            (Some(theirs), Err(ours)) => {
                if let Err(what) = errors::same(&answer["conflicts"], theirs, &ours) {
                    self.disagree(&what, request, answer, errors::told(&ours))?;
                }
                return Ok(None);
            }
            (None, Ok(ours)) => ours,
            (_, Ok(ours)) => {
                self.disagree("outcome", request, answer, ours.object)?;
                return Ok(None);
            }
            (_, Err(ours)) => {
                self.disagree("outcome", request, answer, errors::told(&ours))?;
                return Ok(None);
            }
        };
        let mut theirs = answer["object"].clone();
        let mut object = ours.object;
        self.stamp(&mut theirs);
        self.stamp(&mut object);
        if theirs["metadata"].get("managedFields") != object["metadata"].get("managedFields") {
            self.disagree("managedFields", request, answer, object.clone())?;
        }
        if !value::equals(&theirs, &object) {
            self.disagree("object", request, answer, object)?;
        }
        if let Some(metadata) = theirs["metadata"].as_object_mut() {
            metadata.insert("uid".into(), json!("1"));
            metadata.insert("resourceVersion".into(), json!(self.step.to_string()));
        }
        Ok(Some(theirs))
    }

    /// Puts this step's second in the place of the real clock's.
    fn stamp(&self, object: &mut Value) {
        for entry in object["metadata"]
            .get_mut("managedFields")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if entry
                .get("time")
                .and_then(Value::as_str)
                .is_some_and(|t| Time::parse(t).unwrap().as_unix() > REAL_CLOCK)
            {
                entry["time"] = json!(self.now().to_string());
            }
        }
    }

    fn disagree(&self, what: &str, request: &Value, theirs: &Value, ours: Value) -> Agreed {
        Err(Box::new(Disagreement {
            seed: self.seed,
            step: self.step,
            what: what.into(),
            request: request.clone(),
            theirs: theirs.clone(),
            ours,
        }))
    }
}

fn lacks_fields(object: &Value) -> bool {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .any(|entry| entry.get("fieldsV1").is_none())
}

/// Makes the configuration of a disagreement as small as it can be.
pub fn shrink(worlds: &Worlds, oracle: &mut Oracle, disagreement: &mut Disagreement) {
    if disagreement.request["op"] != "apply" {
        return;
    }
    let kind = Kind::of(&disagreement.request["config"]);
    let world = worlds
        .0
        .iter()
        .find(|world| disagreement.request["openapi"][0] == world.file.as_str());
    let Some(world) = world else { return };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let request = disagreement.request.clone();
    let paths: Vec<Path> = request["ignore"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|path| {
            Path::of_fields(
                path.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            )
        })
        .collect();
    let reset = BTreeMap::from([(kind.api_version(), FieldSet::of(paths).unwrap())]);
    let endpoint = FieldManager::new(&world.schema, kind.clone(), &text(&request["subresource"]))
        .with_reset(reset);
    let live = request["live"].as_object().map(|_| &request["live"]);
    let far = Time::from_unix(REAL_CLOCK + 1).unwrap();
    let mut last = None;
    shrink::shrink(&request["config"], |config| {
        if Kind::of(config) != kind {
            return false;
        }
        let mut request = request.clone();
        request["config"] = config.clone();
        let answer = oracle.ask(&request);
        let force = request["force"] == true;
        let ours = endpoint.apply(live, config, &text(&request["manager"]), force, far);
        let life = Life {
            seed: disagreement.seed,
            step: disagreement.step,
            rng: Rng::new(0),
            world,
            kind: kind.clone(),
            live: None,
            configs: BTreeMap::new(),
            crowded: false,
        };
        match life.agreed(&request, &answer, ours) {
            Err(still) if still.what == disagreement.what => {
                last = Some(*still);
                true
            }
            _ => false,
        }
    });
    if let Some(last) = last {
        *disagreement = last;
    }
}
