//! From objects to the release: the gravest fact wins.

use super::object::is_custom_resource;
use super::{Conflict, Forecast, ObjectForecast, ObjectOutcome, Reason, ReleaseOutcome};
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::DrivenBy;

/// What the records and the neighbours say of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// Which.
    pub release: ReleaseId,
    /// Status of the last revision, as Helm writes it.
    pub last_status: String,
    /// Is there a deployed revision?
    pub has_deployed: bool,
    /// Does the last revision record `ssa`?
    pub records_ssa: bool,
    /// Who else drives it.
    pub driven_by: Option<DrivenBy>,
}

/// The verdict on a release. `objects` are in Helm's install order; notes are passed through.
pub fn judge(facts: &ReleaseFacts, objects: Vec<ObjectForecast>, notes: Vec<Reason>) -> Forecast {
    let mut blocked = Vec::new();
    let mut choices = Vec::new();
    if let Some(driver) = facts.driven_by {
        blocked.push(reason(
            "driven-elsewhere",
            None,
            format!("{driver} drives this release: change it over there"),
        ));
    }
    if facts.last_status.starts_with("pending-") || facts.last_status == "uninstalling" {
        let detail = format!(
            "the last revision is {}: a helm operation is under way, or died",
            facts.last_status
        );
        blocked.push(reason(&facts.last_status, None, detail));
    } else if !facts.has_deployed {
        let detail = format!(
            "no revision is deployed (the last is {})",
            facts.last_status
        );
        blocked.push(reason("no-deployed-revision", None, detail));
    } else if facts.last_status != "deployed" {
        let detail = format!(
            "the last revision is {}: adopt the deployed one below it?",
            facts.last_status
        );
        choices.push(reason("latest-failed", None, detail));
    }
    for forecast in &objects {
        let object = &forecast.object;
        match &forecast.outcome {
            ObjectOutcome::Shared { with } => {
                blocked.push(reason(
                    "shared-object",
                    Some(object),
                    format!("also held by {}", with.join(", ")),
                ));
            }
            ObjectOutcome::Invalid { reason: why } => {
                blocked.push(reason("invalid-manifest", Some(object), why.clone()));
            }
            ObjectOutcome::ForeignApplier { manager } => {
                blocked.push(reason(
                    "foreign-applier",
                    Some(object),
                    format!("{manager} applies it too"),
                ));
            }
            ObjectOutcome::BeingDeleted => {
                blocked.push(reason(
                    "being-deleted",
                    Some(object),
                    "it is being deleted".to_owned(),
                ));
            }
            ObjectOutcome::Admission { reason: why } => {
                blocked.push(reason("admission", Some(object), why.clone()));
            }
            ObjectOutcome::MisfitEntries { reason: why } => {
                blocked.push(reason("misfit-entries", Some(object), why.clone()));
            }
            ObjectOutcome::DeadEntries { entries } if is_custom_resource(object) => {
                let detail = format!(
                    "managedFields that cannot be put back: {}",
                    entries.join(", ")
                );
                choices.push(reason(DEAD_ENTRIES, Some(object), detail));
                if !forecast.drift.is_empty() {
                    choices.push(custom_resource_drift(forecast));
                }
            }
            ObjectOutcome::Unknown { reason: why } => {
                choices.push(reason("unknown", Some(object), why.clone()));
            }
            ObjectOutcome::Drift if is_custom_resource(object) => {
                choices.push(custom_resource_drift(forecast));
            }
            ObjectOutcome::DeadEntries { .. }
            | ObjectOutcome::Drift
            | ObjectOutcome::Conflict
            | ObjectOutcome::Migrated
            | ObjectOutcome::OwnershipOnly
            | ObjectOutcome::Missing => {}
        }
        let conflicts = forecast.active.iter();
        choices.extend(conflicts.map(|conflict| active_conflict(object, conflict)));
    }
    let outcome = if !blocked.is_empty() {
        ReleaseOutcome::Blocked
    } else if !choices.is_empty() {
        ReleaseOutcome::NeedsChoice
    } else if facts.records_ssa
        && objects
            .iter()
            .all(|object| object.outcome == ObjectOutcome::Migrated)
    {
        ReleaseOutcome::Done
    } else {
        ReleaseOutcome::Ready
    };
    let reasons = blocked.into_iter().chain(choices).collect();
    Forecast {
        release: facts.release.clone(),
        outcome,
        reasons,
        notes: [reported(&objects), notes].concat(),
        objects,
    }
}

fn custom_resource_drift(forecast: &ObjectForecast) -> Reason {
    let detail = format!(
        "live values differ and the next apply overwrites them: {}",
        forecast.drift.join(", ")
    );
    reason("custom-resource-drift", Some(&forecast.object), detail)
}

/// The cause of managedFields of versions that the server knows no more.
pub const DEAD_ENTRIES: &str = "dead-entries";

/// The cause of a conflict with another value.
pub const ACTIVE_CONFLICT: &str = "active-conflict";

/// The reason that a conflict with another value is.
pub fn active_conflict(object: &ObjectRef, conflict: &Conflict) -> Reason {
    let detail = format!(
        "{} is owned by {} with another value",
        conflict.field, conflict.owner
    );
    reason(ACTIVE_CONFLICT, Some(object), detail)
}

/// What is reported and holds nothing.
fn reported(objects: &[ObjectForecast]) -> Vec<Reason> {
    let mut notes = Vec::new();
    for forecast in objects {
        let object = Some(&forecast.object);
        match &forecast.outcome {
            ObjectOutcome::Missing => {
                notes.push(reason(
                    "missing-object",
                    object,
                    "not on the cluster: Helm's next upgrade makes it".to_owned(),
                ));
            }
            ObjectOutcome::DeadEntries { entries } if !is_custom_resource(&forecast.object) => {
                notes.push(reason(
                    DEAD_ENTRIES,
                    object,
                    format!("not restorable by undo: {}", entries.join(", ")),
                ));
            }
            _ => {}
        }
        let drifts = matches!(
            forecast.outcome,
            ObjectOutcome::Drift | ObjectOutcome::DeadEntries { .. }
        );
        if drifts && !forecast.drift.is_empty() && !is_custom_resource(&forecast.object) {
            notes.push(reason(
                "drift",
                object,
                format!("the next apply sets back: {}", forecast.drift.join(", ")),
            ));
        }
        for conflict in &forecast.latent {
            let detail = format!(
                "{} is also owned by {}, with the same value",
                conflict.field, conflict.owner
            );
            notes.push(reason("latent-conflict", object, detail));
        }
        for field in &forecast.drops {
            notes.push(reason(
                "drop",
                object,
                format!("{field} is let go, its value stays"),
            ));
        }
    }
    notes
}

fn reason(cause: &str, object: Option<&ObjectRef>, detail: String) -> Reason {
    Reason {
        cause: cause.to_owned(),
        object: object.cloned(),
        detail,
    }
}
