//! The life of one object on the server.

use std::collections::BTreeMap;

use managed_fields::manager::{ManagerError, Managing, reset};
use managed_fields::{FieldManager, Kind, Time};
use serde_json::{Value, json};
use testbed::api::Answer;

use super::judge::{self, Verdict};
use super::palette::Palette;
use super::rehearsed;
use super::world::{Range, Request, World};
use crate::errors;
use crate::generate::Generator;
use crate::report::{Disagreement, Report};
use crate::rng::Rng;
use crate::shrink;

pub const APPLY: &str = "application/apply-patch+yaml";
const APPLIERS: [&str; 7] = [
    "helm",
    "helm",
    "helm",
    "argo<&>",
    "ci bot",
    "é\"q\"",
    "flux/controller",
];
/// How often each kind is chosen, in the order of the palettes.
const WEIGHTS: [usize; 12] = [5, 3, 6, 3, 4, 2, 2, 2, 3, 1, 1, 1];

pub type Agreed = Result<(), Box<Disagreement>>;

pub struct Life<'w> {
    pub seed: u64,
    pub step: usize,
    pub rng: Rng,
    pub world: &'w World,
    pub range: &'w Range,
    pub kind: Kind,
    pub name: String,
    pub live: Option<Value>,
    pub crowded: bool,
    configs: BTreeMap<(String, String), Value>,
}

/// What both sides said to one apply.
struct Attempt {
    verdict: Verdict,
    ours: Result<Managing, ManagerError>,
    theirs: Answer,
}

/// Lives the life of a seed. Ends early at a disagreement, which is added to the report.
pub fn live(world: &World, seed: u64, report: &mut Report) {
    let mut rng = Rng::new(seed);
    let deck: Vec<usize> = WEIGHTS
        .iter()
        .enumerate()
        .flat_map(|(i, weight)| vec![i; *weight])
        .collect();
    let range = &world.ranges[*rng.pick(&deck)];
    let crowded = rng.chance(8);
    let steps = if crowded { 24 } else { 5 + rng.below(12) };
    let mut life = Life {
        seed,
        step: 0,
        rng,
        world,
        range,
        kind: Kind::new(range.palette.api_version, range.palette.kind),
        name: format!("o{seed}"),
        live: None,
        crowded,
        configs: BTreeMap::new(),
    };
    for step in 0..steps {
        life.step = step;
        if let Err(disagreement) = life.step(report) {
            report.disagreements.push(*disagreement);
            return;
        }
    }
}

impl<'w> Life<'w> {
    fn step(&mut self, report: &mut Report) -> Agreed {
        let palette = &self.range.palette;
        if palette.kind == "Widget" && self.live.is_some() && self.rng.chance(8) {
            self.turn_version();
        }
        let n = self.rng.below(100);
        let is_apply = if self.crowded { 15 } else { 56 };
        let has_live = self.live.is_some();
        match n {
            n if n < is_apply => self.apply(report),
            n if n < is_apply + 11 && has_live => self.csa(report),
            n if n < is_apply + 17 && has_live && palette.scales.is_some() => self.scale(report),
            _ => self.update(report),
        }
    }

    /// Goes on at the other version of a custom resource.
    fn turn_version(&mut self) {
        let other = if self.kind.version == "v1" {
            "example.dev/v1beta1"
        } else {
            "example.dev/v1"
        };
        self.kind = Kind::new(other, &self.kind.kind);
        self.refresh();
    }

    /// Reads the object again.
    pub fn refresh(&mut self) {
        let live = self.world.api().get(&self.path(""));
        self.live = Some(live.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed)));
    }

    /// The object's address, or a subresource's.
    pub fn path(&self, subresource: &str) -> String {
        let collection = self.range.collection(&self.kind.api_version());
        let slash = if subresource.is_empty() { "" } else { "/" };
        format!("{collection}/{}{slash}{subresource}", self.name)
    }

    pub fn endpoint(&self, subresource: &str) -> FieldManager<'w> {
        let endpoint = FieldManager::new(&self.range.schema, self.kind.clone(), subresource);
        if self.kind.group != "example.dev" {
            return endpoint;
        }
        endpoint.with_reset(match (self.range.palette.has_status, subresource) {
            (false, _) => BTreeMap::new(),
            (_, "status") => reset::of_custom_status(["example.dev/v1", "example.dev/v1beta1"]),
            _ => reset::of_custom_resource(&self.kind.api_version(), subresource),
        })
    }

    pub fn subresource(&mut self, percent: u64) -> &'static str {
        let can = self.live.is_some() && self.range.palette.has_status;
        if can && self.rng.chance(percent) {
            "status"
        } else {
            ""
        }
    }

    fn apply(&mut self, report: &mut Report) -> Agreed {
        let subresource = self.subresource(8);
        let manager = *self.rng.pick(&APPLIERS);
        let force = self.rng.chance(35);
        let (config, is_wild) = self.config(manager, subresource);
        let attempt = self.attempt(&config, manager, subresource, force);
        report.cases += 1;
        report.count("applies");
        report.count(self.range.palette.kind);
        let accepted = match &attempt.verdict {
            Verdict::Same => {
                let changed = attempt.ours.as_ref().is_ok_and(|ours| ours.changed);
                report.count_if("no_ops", !changed);
                true
            }
            Verdict::SameRefusal => {
                let refusal = attempt.ours.as_ref().err();
                let is_conflict = refusal.is_some_and(|error| error.conflicts().is_some());
                report.count(if is_conflict { "conflicts" } else { "invalid" });
                false
            }
            Verdict::ServerOnly => {
                report.refused_by_server_only += 1;
                false
            }
            Verdict::Differs(what) => {
                return Err(self.disagreement(
                    what,
                    &attempt,
                    &config,
                    manager,
                    subresource,
                    force,
                ));
            }
        };
        if !accepted || is_wild || !self.rng.chance(65) {
            return Ok(());
        }
        let request = self.apply_request(&config, manager, subresource, force);
        self.go_on(&request, &attempt.theirs.body)?;
        self.configs
            .insert((manager.to_owned(), subresource.to_owned()), config);
        Ok(())
    }

    fn apply_request<'m>(
        &self,
        config: &Value,
        manager: &'m str,
        subresource: &str,
        force: bool,
    ) -> Request<'m> {
        Request {
            method: "PATCH",
            path: self.path(subresource),
            manager,
            force,
            content_type: APPLY,
            body: config.clone(),
        }
    }

    /// Foretells and asks, changing nothing.
    fn attempt(&self, config: &Value, manager: &str, subresource: &str, force: bool) -> Attempt {
        let endpoint = self.endpoint(subresource);
        let live = self.live.as_ref();
        let foretell = |now: Time| endpoint.apply(live, config, manager, force, now);
        let began = now();
        let mut ours = foretell(began);
        let would_be = match &ours {
            Ok(ours) if ours.changed => Some(
                self.world
                    .send(&self.store_request(&ours.object, subresource), true),
            ),
            _ => None,
        };
        let request = self.apply_request(config, manager, subresource, force);
        let theirs = self.world.send(&request, true);
        let mut verdict = judge::apply(live, &ours, would_be.as_ref(), &theirs);
        // The server's clock is ours, but it may have gone on to another second.
        let (mut second, ended) = (began.as_unix(), now().as_unix());
        while matches!(verdict, Verdict::Differs(_)) && second < ended {
            second += 1;
            ours = foretell(Time::from_unix(second).unwrap());
            verdict = judge::apply(live, &ours, would_be.as_ref(), &theirs);
        }
        Attempt {
            verdict,
            ours,
            theirs,
        }
    }

    /// The request that stores an object as it is, without any applying.
    fn store_request(&self, object: &Value, subresource: &str) -> Request<'static> {
        let mut body = object.clone();
        if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        let (method, path) = match self.live {
            Some(_) => ("PUT", self.path(subresource)),
            None => ("POST", self.range.collection(&self.kind.api_version())),
        };
        Request {
            method,
            path,
            manager: "storer",
            force: false,
            content_type: "application/json",
            body,
        }
    }

    /// Sends for good what was sent as a dry run, and holds the two answers against each other.
    pub fn go_on(&mut self, request: &Request<'_>, dry: &Value) -> Agreed {
        let answer = self.world.send(request, false);
        if !judge::accepted(&answer) || !rehearsed::same(dry, &answer.body) {
            let request = json!({"method": request.method, "path": request.path, "manager": request.manager, "body": request.body, "live": self.live});
            return Err(Box::new(Disagreement {
                seed: self.seed,
                step: self.step,
                what: "the dry run and the real one".into(),
                request,
                theirs: answer.body,
                ours: dry.clone(),
            }));
        }
        self.live = Some(answer.body);
        Ok(())
    }

    /// What a manager applies next; whether it is too wild to go on with.
    fn config(&mut self, manager: &str, subresource: &str) -> (Value, bool) {
        let palette = &self.range.palette;
        let last = self
            .configs
            .get(&(manager.to_owned(), subresource.to_owned()))
            .cloned();
        let skeleton = palette.skeleton(&self.kind.api_version(), &self.name);
        if subresource == "status" {
            let mut config = last.unwrap_or(skeleton);
            let n = 1 + self.rng.below(3);
            palette.paint_status(&mut self.rng, &mut config, n);
            if self.rng.chance(15) {
                palette.paint(&mut self.rng, &mut config, 1);
            }
            config["apiVersion"] = json!(self.kind.api_version());
            return (config, false);
        }
        let is_again = last.is_some();
        let mut config = match (last, &self.live, self.rng.below(100)) {
            (Some(last), _, 0..90) => last,
            // What `kubectl get` shows, applied again.
            (_, Some(live), 0..15) => {
                let mut config = live.clone();
                if let Some(metadata) = config["metadata"].as_object_mut() {
                    metadata.remove("managedFields");
                }
                config
            }
            (_, live, n) => {
                let mut config = skeleton;
                if live.is_none() || n < 70 {
                    palette.complete(&mut config);
                }
                let n = self.rng.below(9);
                palette.paint_config(&mut self.rng, &mut config, n);
                config
            }
        };
        config["apiVersion"] = json!(self.kind.api_version());
        if is_again && !self.rng.chance(20) {
            let (paint, wipe) = (1 + self.rng.below(3), self.rng.below(3));
            palette.paint_config(&mut self.rng, &mut config, paint);
            palette.wipe(&mut self.rng, &mut config, wipe);
            if self.rng.chance(25) {
                Palette::scratch(&mut self.rng, &mut config);
            }
        }
        if self.rng.chance(5) {
            palette.paint_status(&mut self.rng, &mut config, 1);
        }
        if self.kind.group == "example.dev" && self.rng.chance(60) {
            self.sow(&mut config, 6);
        }
        let mut is_wild = false;
        if self.rng.chance(6) {
            self.range.palette.smear(&mut self.rng, &mut config);
            is_wild = true;
        } else if self.kind.group != "example.dev" && self.rng.chance(10) {
            let mut rng = std::mem::replace(&mut self.rng, Rng::new(0));
            let names = json!({"apiVersion": self.kind.api_version(), "kind": self.kind.kind});
            let model = self.range.model(&self.kind);
            self.generator(6, 20)
                .mutate(&mut rng, model, &mut config, &names);
            self.rng = rng;
            is_wild = true;
        }
        if let Some(metadata) = config["metadata"].as_object_mut() {
            metadata.insert("name".into(), json!(self.name));
            if metadata.get("namespace").is_some_and(|ns| *ns == "n") {
                metadata.remove("namespace");
            }
        }
        (config, is_wild)
    }

    fn generator(&self, wrong: u64, nulls: u64) -> Generator<'w> {
        Generator {
            schemas: &self.range.models,
            wrong,
            duplicates: wrong,
            nulls,
        }
    }

    /// Grows a custom resource's spec by its schema, in up to so many places.
    pub fn sow(&mut self, object: &mut Value, most: usize) {
        let mut rng = std::mem::replace(&mut self.rng, Rng::new(0));
        let mut model = self.range.model(&self.kind)["properties"]["spec"].clone();
        if let Some(properties) = model["properties"].as_object_mut() {
            // The server wants a whole object there: the palette has some.
            properties.remove("embedded");
            properties.remove("embeddedClosed");
        }
        let wrong = if rng.chance(10) { 10 } else { 0 };
        let generator = self.generator(wrong, 5);
        if !object["spec"].is_object() {
            object["spec"] = json!({});
        }
        for _ in 0..=rng.below(most) {
            generator.change_at(&mut rng, &model, &mut object["spec"], 1);
        }
        self.rng = rng;
    }

    fn disagreement(
        &self,
        what: &str,
        attempt: &Attempt,
        config: &Value,
        manager: &str,
        subresource: &str,
        force: bool,
    ) -> Box<Disagreement> {
        let mut last = None;
        let config = shrink::shrink(config, |config| {
            let is_whole =
                Kind::of(config) == self.kind && config["metadata"]["name"] == self.name.as_str();
            if !is_whole {
                return false;
            }
            let smaller = self.attempt(config, manager, subresource, force);
            let is_it = smaller.verdict == Verdict::Differs(what.to_owned());
            if is_it {
                last = Some(smaller);
            }
            is_it
        });
        let attempt = last.as_ref().unwrap_or(attempt);
        let request = json!({
            "op": "apply", "openapi": self.range.openapi, "manager": manager, "subresource": subresource, "force": force,
            "live": self.live, "config": config,
        });
        Box::new(Disagreement {
            seed: self.seed,
            step: self.step,
            what: what.into(),
            request,
            theirs: attempt.theirs.body.clone(),
            ours: match &attempt.ours {
                Ok(ours) => ours.object.clone(),
                Err(error) => errors::told(error),
            },
        })
    }
}

/// The second that it is.
#[expect(
    clippy::disallowed_methods,
    reason = "the server stamps with the real clock, so the prediction must too"
)]
pub fn now() -> Time {
    Time::from_unix(jiff::Timestamp::now().as_second()).unwrap()
}
