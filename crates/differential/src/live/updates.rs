//! Requests that are no applies: create, replace, the three patches, and the csa upgrade.

use std::collections::BTreeSet;

use managed_fields::csa::{self, Flavor, Upgrade};
use managed_fields::{FieldManager, Time};
use serde_json::{Map, Value, json};

use super::judge::{self, Verdict};
use super::life::{Agreed, Life, now};
use super::palette::Palette;
use super::world::Request;
use crate::report::{Disagreement, Report};

const UPDATERS: [&str; 10] = [
    "helm",
    "helm",
    "helm",
    "kubectl-edit",
    "é\"q\"",
    "kubectl-client-side-apply",
    "flux/controller",
    "argo<&>",
    "Go-http-client",
    "hpa",
];

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

impl Life<'_> {
    /// A create, a replacement or a patch by somebody.
    pub fn update(&mut self, report: &mut Report) -> Agreed {
        let subresource = self.subresource(20);
        let manager = if self.crowded {
            format!("u{}", self.rng.below(14))
        } else {
            (*self.rng.pick(&UPDATERS)).to_owned()
        };
        let (request, intended, managed) = self.update_request(&manager, subresource);
        let began = now();
        let answer = self.world.send(&request, true);
        if !judge::accepted(&answer) {
            // Nobody foretells what a refused update does.
            report.count("updates_refused");
            return Ok(());
        }
        // What the server makes of the request is told by its answer; who owns what then is foretold.
        let mut new = answer.body.clone();
        let metadata = new["metadata"].as_object_mut().unwrap();
        metadata.remove("managedFields");
        // Of a custom resource the server's decoder drops an empty list before anybody sees it.
        let is_dropped = self.kind.group == "example.dev" && managed == Some(json!([]));
        if let Some(managed) = managed.filter(|_| !is_dropped) {
            metadata.insert("managedFields".into(), managed);
        }
        if self.live.is_none() {
            metadata.remove("uid");
        }
        if new["kind"] == "Service" && subresource.is_empty() {
            judge::unallot(&mut new, &intended);
            judge::keep_type_dependent(&mut new, &intended);
        }
        if self.kind.group == "example.dev" && self.range.palette.has_status {
            self.unreset(&mut new, &intended, subresource);
        }
        let endpoint = self.endpoint(subresource);
        report.cases += 1;
        report.count("updates");
        report.count(self.range.palette.kind);
        self.judge_update(&endpoint, &new, &request, &answer.body, began)?;
        let folded = answer.body["metadata"]["managedFields"].to_string();
        report.count_if("folded", folded.contains("ancient-changes"));
        if self.crowded || self.rng.chance(70) {
            self.go_on(&request, &answer.body)?;
        }
        Ok(())
    }

    /// What client-go's csa upgrade becomes here, sent as a patch.
    pub fn csa(&mut self, report: &mut Report) -> Agreed {
        let Some(live) = self.live.clone() else {
            return Ok(());
        };
        // Mostly one of those who have something to upgrade.
        let entries = live["metadata"]["managedFields"].as_array();
        let mut names: Vec<&str> = entries
            .into_iter()
            .flatten()
            .filter(|entry| entry["operation"] == "Update" && entry["subresource"].is_null())
            .filter_map(|entry| entry["manager"].as_str())
            .collect();
        names.push("helm");
        let csa = *self.rng.pick(&names);
        let csa_managers = BTreeSet::from([csa.to_owned()]);
        let is_original = self.rng.chance(50);
        let upgrade = Upgrade {
            csa_managers: &csa_managers,
            ssa_manager: "helm",
            subresource: "",
            flavor: if is_original {
                Flavor::Original
            } else {
                Flavor::Fixed
            },
        };
        let patch = csa::upgrade(&live, &upgrade);
        let Some(patch) = patch.unwrap_or_else(|e| panic!("seed {}: {e}", self.seed)) else {
            return Ok(());
        };
        let mut new = live.clone();
        new["metadata"]["managedFields"] = patch[0]["value"].clone();
        let request = Request {
            method: "PATCH",
            path: self.path(""),
            manager: "helm",
            force: false,
            content_type: JSON_PATCH,
            body: patch,
        };
        let began = now();
        let answer = self.world.send(&request, true);
        report.cases += 1;
        report.count("csa_upgrades");
        report.count(self.range.palette.kind);
        let endpoint = self.endpoint("");
        self.judge_update(&endpoint, &new, &request, &answer.body, began)?;
        if self.rng.chance(80) {
            self.go_on(&request, &answer.body)?;
        }
        Ok(())
    }

    /// Puts back what the endpoint resets: ownership is computed before that, and entries of other versions see it.
    fn unreset(&self, new: &mut Value, intended: &Value, subresource: &str) {
        if self.live.is_none() {
            return;
        }
        if subresource.is_empty() {
            new["status"] = intended["status"].clone();
        } else {
            new["spec"] = intended["spec"].clone();
            for field in ["labels", "annotations", "finalizers", "ownerReferences"] {
                new["metadata"][field] = intended["metadata"][field].clone();
            }
            prune(&mut new["metadata"]);
        }
        prune(new);
    }

    /// Holds the entries after an update against what is foretold.
    fn judge_update(
        &self,
        endpoint: &FieldManager<'_>,
        new: &Value,
        request: &Request<'_>,
        theirs: &Value,
        began: Time,
    ) -> Agreed {
        let live = self.live.as_ref();
        let mut second = began.as_unix();
        let ended = now().as_unix();
        loop {
            let time = Time::from_unix(second).unwrap();
            let ours = endpoint.update(live, new, request.manager, time);
            let expected = match &ours {
                Ok(ours) => ours.object["metadata"]["managedFields"].clone(),
                // The server stores the object all the same, and forgets all entries.
                Err(_) => Value::Null,
            };
            let Verdict::Differs(what) = judge::entries(live, &expected, theirs) else {
                return Ok(());
            };
            if second < ended {
                second += 1;
                continue;
            }
            let error = ours.err().map(|error| error.server_message());
            return Err(Box::new(Disagreement {
                seed: self.seed,
                step: self.step,
                what,
                request: json!({
                    "op": "update", "openapi": self.range.openapi, "manager": request.manager, "live": self.live, "config": new,
                    "method": request.method, "path": request.path, "sent": request.body, "contentType": request.content_type,
                }),
                theirs: theirs["metadata"]["managedFields"].clone(),
                ours: json!({"managedFields": expected, "error": error}),
            }));
        }
    }

    /// A request, what its sender wants to be there, and the entries that it names, if it names some.
    fn update_request<'m>(
        &mut self,
        manager: &'m str,
        subresource: &str,
    ) -> (Request<'m>, Value, Option<Value>) {
        let palette = &self.range.palette;
        let Some(live) = self.live.clone() else {
            let mut new = palette.skeleton(&self.kind.api_version(), &self.name);
            palette.complete(&mut new);
            let n = self.rng.below(9);
            palette.paint(&mut self.rng, &mut new, n);
            if self.kind.group == "example.dev" {
                self.sow(&mut new, 6);
            } else {
                definite(&mut new);
            }
            let path = self.range.collection(&self.kind.api_version());
            let request = request("POST", path, manager, JSON, new.clone());
            return (request, new, None);
        };
        let path = self.path(subresource);
        let mut bare = live.clone();
        if let Some(metadata) = bare["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        let is_builtin = self.kind.group != "example.dev";
        if is_builtin
            && subresource.is_empty()
            && self.kind.kind != "Service"
            && self.rng.chance(20)
        {
            let mut fragment = json!({});
            let n = 1 + self.rng.below(2);
            palette.paint(&mut self.rng, &mut fragment, n);
            definite(&mut fragment);
            let request = request("PATCH", path, manager, STRATEGIC, fragment.clone());
            return (request, fragment, None);
        }
        let mut new = bare.clone();
        self.change(&mut new, subresource);
        if is_builtin {
            definite(&mut new);
        }
        let managed = self.managed(&live);
        match self.rng.below(100) {
            0..30 if self.kind.kind != "Service" => {
                let patch = difference(&bare, &new);
                (request("PATCH", path, manager, MERGE, patch), new, None)
            }
            30..55 if self.kind.kind != "Service" => {
                let mut patch = operations(&bare, &new);
                if let Some(managed) = &managed {
                    patch.push(
                        json!({"op": "replace", "path": "/metadata/managedFields", "value": managed}),
                    );
                }
                (
                    request("PATCH", path, manager, JSON_PATCH, patch.into()),
                    new,
                    managed,
                )
            }
            _ => {
                if let Some(managed) = &managed {
                    new["metadata"]["managedFields"] = managed.clone();
                }
                (
                    request("PUT", path, manager, JSON, new.clone()),
                    new,
                    managed,
                )
            }
        }
    }

    fn change(&mut self, new: &mut Value, subresource: &str) {
        let palette = &self.range.palette;
        if self.crowded {
            let n = self.rng.below(4);
            new["metadata"]["labels"][format!("l{n}-{}", self.rng.below(4))] =
                json!(self.step.to_string());
            if self.rng.chance(60) {
                return;
            }
        }
        if subresource == "status" {
            let n = 1 + self.rng.below(3);
            palette.paint_status(&mut self.rng, new, n);
            return;
        }
        let (paint, wipe) = (self.rng.below(4), self.rng.below(2));
        palette.paint(&mut self.rng, new, paint);
        palette.wipe(&mut self.rng, new, wipe);
        if self.rng.chance(15) {
            Palette::scratch(&mut self.rng, new);
        }
        if self.rng.chance(8) {
            palette.paint_status(&mut self.rng, new, 1);
        }
        if self.kind.group == "example.dev" && self.rng.chance(40) {
            self.sow(new, 3);
        }
    }

    /// Entries that a request may name: mostly none or those that are there.
    fn managed(&mut self, live: &Value) -> Option<Value> {
        let kept = live["metadata"]["managedFields"].clone();
        let mut entries = kept.as_array().cloned().unwrap_or_default();
        let rng = &mut self.rng;
        match rng.below(100) {
            0..38 if !kept.is_null() => Some(kept),
            38..40 => Some(json!([])),
            40..42 => Some(json!([{}])),
            42..44 => Some(json!([{"manager": "m", "operation": "Sing"}])),
            44..46 if entries.len() > 1 => {
                entries.remove(rng.below(entries.len()));
                Some(entries.into())
            }
            46..48 if !entries.is_empty() => {
                let at = rng.below(entries.len());
                entries[at]["manager"] = json!("renamed");
                Some(entries.into())
            }
            48..50 if !entries.is_empty() => {
                let at = rng.below(entries.len());
                entries[at]["fieldsV1"] = json!({"f:spec": {"f:gone": {"f:x": {}}, "k:{\"a\":1}": {".": {}, "f:a": {}}}, "f:nowhere": {}});
                Some(entries.into())
            }
            _ => None,
        }
    }
}

/// Takes empty lists and nulls out. Go tells them apart from absent ones while it computes ownership, and no longer once the object
/// has been stored, so that an answer does not show what ownership was computed from.
fn definite(value: &mut Value) {
    let is_vague = |value: &Value| value.is_null() || *value == json!([]);
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(definite);
            map.retain(|_, value| !is_vague(value));
        }
        Value::Array(items) => items.iter_mut().for_each(definite),
        _ => {}
    }
}

/// Takes out the nulls among an object's fields.
fn prune(object: &mut Value) {
    if let Some(map) = object.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
}

fn request<'m>(
    method: &'static str,
    path: String,
    manager: &'m str,
    content_type: &'static str,
    body: Value,
) -> Request<'m> {
    Request {
        method,
        path,
        manager,
        force: false,
        content_type,
        body,
    }
}

/// The merge patch (RFC 7386) from one value to another, where the other names no nulls.
fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return to.clone();
    };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match from.get(key) {
            Some(before) if before == value => {}
            Some(before) => {
                patch.insert(key.clone(), difference(before, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

/// JSON patch operations from one object to another, at its roots and below `metadata`.
fn operations(from: &Value, to: &Value) -> Vec<Value> {
    let mut out = Vec::new();
    let mut side_by_side = |from: &Value, to: &Value, at: &str| {
        let empty = Map::new();
        let (from, to) = (
            from.as_object().unwrap_or(&empty),
            to.as_object().unwrap_or(&empty),
        );
        for key in from.keys().filter(|key| !to.contains_key(*key)) {
            out.push(json!({"op": "remove", "path": format!("{at}/{key}")}));
        }
        for (key, value) in to {
            if at.is_empty() && key == "metadata" || from.get(key) == Some(value) {
                continue;
            }
            out.push(json!({"op": "add", "path": format!("{at}/{key}"), "value": value}));
        }
    };
    side_by_side(from, to, "");
    side_by_side(&from["metadata"], &to["metadata"], "/metadata");
    out
}
