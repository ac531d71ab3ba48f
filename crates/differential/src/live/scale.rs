//! Requests to `/scale`. Their answers show no entries, so they are always sent for good, and the object is read again.

use managed_fields::manager::scale::{SCALE_VERSION, ScaleEntries};
use managed_fields::{FieldManager, Kind, ManagedFieldsEntry, Path, Time, entry};
use serde_json::{Value, json};

use super::judge::{self, Verdict};
use super::life::{APPLY, Agreed, Life, now};
use super::world::Request;
use crate::errors;
use crate::report::{Disagreement, Report};

/// What the server says to the first apply of a custom resource's Scale.
const NO_FIRST_ENTRY: &str = "request to convert CR to an invalid group/version: autoscaling/v1";

impl Life<'_> {
    /// `kubectl scale`, an autoscaler, or somebody who applies a Scale.
    pub fn scale(&mut self, report: &mut Report) -> Agreed {
        let (Some(live), Some(place)) = (self.live.clone(), self.range.palette.scales) else {
            return Ok(());
        };
        let Ok(before) = self.world.api().get(&self.path("scale")) else {
            return Ok(());
        };
        let replicas = Path::of_fields(place);
        let versions = ["example.dev/v1", "example.dev/v1beta1", "apps/v1"];
        let handler = ScaleEntries::new(
            &self.kind.api_version(),
            versions
                .into_iter()
                .filter(|version| version.split('/').next() == Some(self.kind.group.as_str()))
                .map(|version| (version.to_owned(), replicas.clone()))
                .collect(),
        );
        let parent = read(&live["metadata"]["managedFields"]);
        let mut old = before;
        old["metadata"]["managedFields"] = written(&handler.to_scale(&parent));
        let number = 1 + self.rng.below(3);
        let is_apply = self.rng.chance(30);
        let force = is_apply && self.rng.chance(50);
        let manager = *self.rng.pick(&["hpa", "kubectl", "helm", "keda"]);
        let patch = json!({"spec": {"replicas": number}});
        let config = json!({"apiVersion": SCALE_VERSION, "kind": "Scale", "metadata": {"name": self.name}, "spec": {"replicas": number}});
        let request = Request {
            method: "PATCH",
            path: self.path("scale"),
            manager,
            force,
            content_type: if is_apply {
                APPLY
            } else {
                "application/merge-patch+json"
            },
            body: if is_apply { config.clone() } else { patch },
        };
        let endpoint = FieldManager::new(
            &self.range.schema,
            Kind::new(SCALE_VERSION, "Scale"),
            "scale",
        );
        let foretell = |time| {
            if is_apply {
                return endpoint.apply(Some(&old), &config, manager, force, time);
            }
            let mut new = old.clone();
            new["spec"]["replicas"] = json!(number);
            endpoint.update(Some(&old), &new, manager, time)
        };
        let began = now();
        let answer = self.world.send(&request, false);
        report.cases += 1;
        report.count("scales");
        report.count(self.range.palette.kind);
        self.refresh();
        let theirs = self.live.clone().unwrap_or_default();
        let mut second = began;
        let (what, ours) = loop {
            let ours = foretell(second);
            let (what, told) = match (&ours, judge::accepted(&answer)) {
                (Ok(ours), true) => {
                    let entries = written(&handler.to_parent(&parent, &ours.entries));
                    match judge::entries(Some(&live), &entries, &theirs) {
                        Verdict::Differs(what) => (what, entries),
                        _ => return Ok(()),
                    }
                }
                (Err(ours), false) => {
                    let message = answer.body["message"].as_str().unwrap_or_default();
                    match errors::same(&answer.body["details"]["causes"], message, ours) {
                        Ok(()) => return Ok(()),
                        Err(what) => (what, errors::told(ours)),
                    }
                }
                (Ok(_), false) if matches!(answer.status, 400 | 403 | 404 | 422) => {
                    report.refused_by_server_only += 1;
                    return Ok(());
                }
                // The server's own fault: if nobody owns the number yet, it cannot make the first entry.
                (Ok(_), false)
                    if answer.body["message"]
                        .as_str()
                        .is_some_and(|m| m.contains(NO_FIRST_ENTRY)) =>
                {
                    report.refused_by_server_only += 1;
                    return Ok(());
                }
                (Ok(ours), false) => ("outcome".to_owned(), ours.object.clone()),
                (Err(ours), true) => ("outcome".to_owned(), errors::told(ours)),
            };
            if second.as_unix() >= now().as_unix() {
                break (what, told);
            }
            second = Time::from_unix(second.as_unix() + 1).unwrap();
        };
        Err(Box::new(Disagreement {
            seed: self.seed,
            step: self.step,
            what: format!("scale: {what}"),
            request: json!({"op": "scale", "manager": manager, "force": force, "live": live, "config": request.body, "old": old}),
            theirs: json!({"answer": answer.body, "managedFields": theirs["metadata"]["managedFields"]}),
            ours,
        }))
    }
}

fn read(entries: &Value) -> Vec<ManagedFieldsEntry> {
    entry::decode(entries).unwrap_or_default()
}

/// As they stand in an object: no entries are no list.
fn written(entries: &[ManagedFieldsEntry]) -> Value {
    match entries {
        [] => Value::Null,
        entries => entry::encode(entries),
    }
}
