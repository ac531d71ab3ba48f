//! Findings: each fact of a forecast that a rule can be about, one by one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;
use crate::domain::shadow::{
    Conflict, Forecast, ObjectForecast, ObjectOutcome, Reason, ReleaseOutcome,
};

/// A release to be triaged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What was forecast.
    pub forecast: &'a Forecast,
    /// Its chart.
    pub chart: &'a ChartRef,
}

/// What a finding does to its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Weight {
    /// It can be migrated once somebody has decided.
    NeedsChoice,
    /// It cannot be migrated until something is done.
    Blocked,
    /// It holds nothing: a note.
    Note,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finding {
    /// `active`, `latent`, `drop` or `drift` for a field; else the word of the forecast's reason or note:
    /// `pending-upgrade`, `invalid-manifest`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// The object, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// The field, as the server writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Who: `kubectl/scale`, `argocd-controller`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The forecast's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What stands there; never a Secret's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
    /// What the manifest makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
}

impl Finding {
    /// The manager and the subresource of the owner.
    pub fn manager(&self) -> (Option<&str>, &str) {
        match self.owner.as_deref() {
            None => (None, ""),
            Some(owner) => match owner.rsplit_once('/') {
                Some((manager, subresource)) if SUBRESOURCES.contains(&subresource) => {
                    (Some(manager), subresource)
                }
                _ => (Some(owner), ""),
            },
        }
    }
}

/// Subresources that write fields of the main resource; a manager's own name may hold a `/` too.
const SUBRESOURCES: [&str; 6] = [
    "status",
    "scale",
    "ephemeralcontainers",
    "resize",
    "approval",
    "binding",
];

/// Words of reasons that need a choice also where other reasons block the release.
const CHOICES: [&str; 5] = [
    "active-conflict",
    "custom-resource-drift",
    "dead-entries",
    "latest-failed",
    "unknown",
];

/// Words of the notes by which rules settle drops.
const SETTLED_DROPS: [&str; 3] = ["prune-next", "pin", "prune"];

/// Does a rule decide about this drop?
fn is_settled_drop(forecast: &Forecast, object: &ObjectForecast, field: &str) -> bool {
    forecast.notes.iter().any(|note| {
        let about = note.detail.strip_prefix(field);
        SETTLED_DROPS.contains(&&*note.cause)
            && note.object.as_ref() == Some(&object.object)
            && about.is_some_and(|rest| rest.starts_with(": "))
    })
}

/// The findings of a forecast, what holds it first. Linear in the forecast, times the reasons of one object.
pub fn findings(forecast: &Forecast) -> Vec<(Weight, Finding)> {
    let mut found = Vec::new();
    let mut fields_told: BTreeSet<(&str, &ObjectRef)> = BTreeSet::new();
    for reason in &forecast.reasons {
        let weight = weight(reason, forecast);
        let object = object_of(forecast, reason);
        match (reason.cause.as_str(), object) {
            ("active-conflict", _) if has_active(forecast, reason) => {}
            ("custom-resource-drift", Some(object)) if !object.drift.is_empty() => {
                if fields_told.insert(("drift", &object.object)) {
                    found.extend(object.drift.iter().map(|field| {
                        let finding = Finding {
                            field: Some(field.clone()),
                            ..plain(reason)
                        };
                        (weight, finding)
                    }));
                }
            }
            (
                "foreign-applier",
                Some(ObjectForecast {
                    outcome: ObjectOutcome::ForeignApplier { manager },
                    ..
                }),
            ) => {
                let finding = Finding {
                    owner: Some(manager.clone()),
                    ..plain(reason)
                };
                found.push((weight, finding));
            }
            ("active-conflict", _) => found.push((
                weight,
                Finding {
                    kind: "active".to_owned(),
                    ..plain(reason)
                },
            )),
            _ => found.push((weight, plain(reason))),
        }
    }
    for object in &forecast.objects {
        let held = held_fields(forecast, object);
        for conflict in &object.active {
            let weight = if held.contains(conflict.field.as_str()) {
                Weight::NeedsChoice
            } else {
                Weight::Note
            };
            found.push((weight, of_conflict("active", object, conflict)));
        }
        let latent = object.latent.iter();
        found.extend(latent.map(|it| (Weight::Note, of_conflict("latent", object, it))));
        let of_field = |kind: &str, field: &String| {
            let stands = object.values.get(field);
            Finding {
                kind: kind.to_owned(),
                object: Some(object.object.clone()),
                field: Some(field.clone()),
                owner: None,
                message: String::new(),
                theirs: stands.and_then(|it| it.live.clone()),
                ours: stands.and_then(|it| it.ours.clone()),
            }
        };
        // What a rule does with a drop is a note of its own, not the default.
        let drops = object.drops.iter();
        let drops = drops.filter(|field| !is_settled_drop(forecast, object, field));
        found.extend(drops.map(|field| (Weight::Note, of_field("drop", field))));
        if !fields_told.contains(&("drift", &object.object)) {
            let drift = object.drift.iter();
            found.extend(drift.map(|field| (Weight::Note, of_field("drift", field))));
        }
    }
    for note in &forecast.notes {
        let told = matches!(&*note.cause, "latent-conflict" | "drop" | "drift")
            && object_of(forecast, note).is_some();
        if !told {
            found.push((Weight::Note, plain(note)));
        }
    }
    found
}

fn plain(reason: &Reason) -> Finding {
    Finding {
        kind: reason.cause.clone(),
        object: reason.object.clone(),
        field: None,
        owner: None,
        message: reason.detail.clone(),
        theirs: None,
        ours: None,
    }
}

fn of_conflict(kind: &str, object: &ObjectForecast, conflict: &Conflict) -> Finding {
    Finding {
        kind: kind.to_owned(),
        object: Some(object.object.clone()),
        field: Some(conflict.field.clone()),
        owner: Some(conflict.owner.clone()),
        message: String::new(),
        theirs: conflict.theirs.clone(),
        ours: conflict.ours.clone(),
    }
}

fn object_of<'a>(forecast: &'a Forecast, reason: &Reason) -> Option<&'a ObjectForecast> {
    let wanted = reason.object.as_ref()?;
    forecast.objects.iter().find(|it| it.object == *wanted)
}

/// A reason blocks, or it needs a choice: of the two that a forecast knows, its words tell which.
fn weight(reason: &Reason, forecast: &Forecast) -> Weight {
    let choice = CHOICES.contains(&&*reason.cause);
    // A manifest that does not read is `unknown` and blocks: nothing else is known of the release.
    let nothing_else = forecast.objects.is_empty() && forecast.reasons.len() == 1;
    if forecast.outcome == ReleaseOutcome::Blocked && (!choice || nothing_else) {
        Weight::Blocked
    } else {
        Weight::NeedsChoice
    }
}

/// Does an object tell more of this reason than the reason itself?
fn has_active(forecast: &Forecast, reason: &Reason) -> bool {
    let about =
        |object: &&ObjectForecast| reason.object.as_ref().is_none_or(|it| *it == object.object);
    let mut objects = forecast.objects.iter().filter(about);
    objects.any(|object| !object.active.is_empty())
}

/// The fields of an object whose conflicts hold the release. A policy may have settled the others: then no reason
/// names them any more.
fn held_fields<'a>(forecast: &Forecast, object: &'a ObjectForecast) -> BTreeSet<&'a str> {
    let all: BTreeSet<&str> = object.active.iter().map(|it| it.field.as_str()).collect();
    if all.is_empty() {
        return all;
    }
    let about: Vec<&Reason> = forecast
        .reasons
        .iter()
        .filter(|reason| reason.cause == "active-conflict")
        .filter(|reason| reason.object.as_ref().is_none_or(|it| *it == object.object))
        .collect();
    let named: BTreeSet<&str> = all
        .iter()
        .copied()
        .filter(|field| {
            about.iter().any(|reason| {
                let rest = reason.detail.strip_prefix(field);
                rest.is_some_and(|rest| rest.starts_with(' '))
            })
        })
        .collect();
    if named.is_empty() && !about.is_empty() {
        all
    } else {
        named
    }
}
