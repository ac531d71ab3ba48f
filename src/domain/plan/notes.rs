//! What is said of a release without holding it: latent conflicts, drops, drift, missing objects.

use crate::domain::policy::{Decision, Subject};
use crate::domain::shadow::{Forecast, ObjectForecast, ObjectOutcome, Reason};

/// Fields named in one note.
const NAMED: usize = 3;

/// The forecast's own notes, then one for each kind of finding of each object.
pub(super) fn notes(forecast: &Forecast, decisions: &[Decision]) -> Vec<Reason> {
    let of_objects = forecast.objects.iter().flat_map(|object| {
        if decisions.is_empty() {
            of_object(object)
        } else {
            of_object(&undecided(object, decisions))
        }
    });
    forecast.notes.iter().cloned().chain(of_objects).collect()
}

/// Objects that an adoption patches: those on the cluster that are not migrated yet.
pub(super) fn objects_to_adopt(forecast: &Forecast) -> usize {
    let to_adopt = |object: &&ObjectForecast| {
        !matches!(
            object.outcome,
            ObjectOutcome::Missing | ObjectOutcome::Migrated
        )
    };
    forecast.objects.iter().filter(to_adopt).count()
}

/// The object without what a policy settles: that has notes of its own.
fn undecided(object: &ObjectForecast, decisions: &[Decision]) -> ObjectForecast {
    let mut object = object.clone();
    let decided = |subject: Subject, field: &str, owner: Option<&String>| {
        decisions.iter().any(|it| {
            it.is_in_force()
                && (it.subject, it.field.as_str()) == (subject, field)
                && it.owner.as_ref() == owner
                && it.object == object.object
        })
    };
    let latent = object
        .latent
        .iter()
        .filter(|conflict| !decided(Subject::Latent, &conflict.field, Some(&conflict.owner)));
    let latent = latent.cloned().collect();
    let drops = object.drops.iter();
    let drops = drops.filter(|field| !decided(Subject::Drop, field, None));
    let drops = drops.cloned().collect();
    object.latent = latent;
    object.drops = drops;
    object
}

fn of_object(object: &ObjectForecast) -> Vec<Reason> {
    let note = |cause: &str, detail: String| Reason {
        cause: cause.to_owned(),
        object: Some(object.object.clone()),
        detail,
    };
    let mut found = Vec::new();
    if object.outcome == ObjectOutcome::Missing {
        let detail = "it is not on the cluster: the next helm upgrade creates it";
        found.push(note("missing", detail.to_owned()));
    }
    if !object.latent.is_empty() {
        let fields = object
            .latent
            .iter()
            .map(|c| format!("{} ({})", c.field, c.owner));
        let detail = format!(
            "refused (409) the day the chart changes {}",
            listed(fields.collect())
        );
        found.push(note("latent-conflict", detail));
    }
    if !object.drops.is_empty() {
        let detail = format!("let go, the value stays: {}", listed(object.drops.clone()));
        found.push(note("drop", detail));
    }
    if !object.drift.is_empty() {
        let detail = format!(
            "the next helm upgrade sets back {}",
            listed(object.drift.clone())
        );
        found.push(note("drift", detail));
    }
    found
}

fn listed(mut fields: Vec<String>) -> String {
    let more = fields.len().saturating_sub(NAMED);
    fields.truncate(NAMED);
    let named = fields.join(", ");
    if more == 0 {
        named
    } else {
        format!("{named} and {more} more")
    }
}
