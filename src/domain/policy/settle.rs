//! A release: what its forecast comes to under the decisions about its objects.

use std::collections::BTreeSet;

use super::decide::MANAGED_FIELDS;
use super::decision::{Decision, Subject};
use crate::domain::fleet::PolicyAction as Action;
use crate::domain::object::ObjectRef;
use crate::domain::shadow::{
    ACTIVE_CONFLICT, Conflict, DEAD_ENTRIES, Forecast, ObjectForecast, ObjectOutcome, Reason,
    ReleaseOutcome, active_conflict, is_custom_resource,
};

/// A forecast under its decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The forecast: outcome, reasons and notes are those under the decisions, facts of objects are as they were.
    pub forecast: Forecast,
    /// Conflicts that a rule says to wait for: planned, and handed back if they are still there in a run.
    pub retry: Vec<String>,
}

/// Settles a release. Conflicts without a decision are held, as without any rule.
pub fn settle(mut forecast: Forecast, decisions: &[Decision]) -> Settled {
    let mut failed = Vec::new();
    let mut held = Vec::new();
    let mut notes = Vec::new();
    let mut retry = Vec::new();
    for (object, conflict) in active(&forecast) {
        let decision = decisions.iter().find(|it| {
            it.subject == Subject::Active
                && it.object == object.object
                && it.field == conflict.field
                && it.owner.as_ref() == Some(&conflict.owner)
        });
        let reason = active_conflict(&object.object, conflict);
        let Some(decision) = decision else {
            held.push(reason);
            continue;
        };
        let Some(mut reason) = told(reason, decision, &mut held) else {
            continue;
        };
        match decision.action {
            Action::Fail => {
                "failed-by-policy".clone_into(&mut reason.cause);
                failed.push(reason);
            }
            Action::Hold => held.push(reason),
            Action::Retry => {
                retry.push(format!("{}: {}", object.object, reason.detail));
                notes.push(renamed(reason, decision.action));
            }
            action => notes.push(renamed(reason, action)),
        }
    }
    for reason in std::mem::take(&mut forecast.reasons) {
        let object = reason.object.clone();
        let about =
            |it: &&Decision| it.subject == Subject::Dead && Some(&it.object) == object.as_ref();
        let decision = decisions.iter().find(about);
        let Some(decision) = decision.filter(|_| reason.cause == DEAD_ENTRIES) else {
            forecast.reasons.push(reason);
            continue;
        };
        let Some(mut reason) = told(reason, decision, &mut held) else {
            continue;
        };
        match decision.action {
            Action::Fail => {
                "failed-by-policy".clone_into(&mut reason.cause);
                failed.push(reason);
            }
            Action::Repair => {
                reason.detail = format!("irreversible: {}", reason.detail);
                notes.push(renamed(reason, decision.action));
            }
            _ => held.push(reason),
        }
    }
    // What is decided otherwise is no longer noted as it would be by default.
    let mut obsolete: BTreeSet<(&ObjectRef, String)> = BTreeSet::new();
    let of_fields = |it: &&Decision| !matches!(it.subject, Subject::Active | Subject::Dead);
    for decision in decisions.iter().filter(of_fields) {
        if let (true, Some(why)) = (decision.action.changes_values(), &decision.refused) {
            held.push(Reason {
                cause: "refused-by-policy".to_owned(),
                object: Some(decision.object.clone()),
                detail: format!("{}: {why} ({})", decision.field, decision.by()),
            });
            continue;
        }
        if !decision.is_in_force() {
            continue;
        }
        let field = &decision.field;
        let begin = match &decision.owner {
            Some(owner) => format!("{field} is also owned by {owner},"),
            None => format!("{field} is let go"),
        };
        obsolete.insert((&decision.object, begin));
        notes.push(Reason {
            cause: decision.action.word().to_owned(),
            object: Some(decision.object.clone()),
            detail: format!("{field}: {}; {}", decision.action.meaning(), decision.by()),
        });
    }
    forecast.notes.retain(|note| {
        !note.object.as_ref().is_some_and(|object| {
            let mut about = obsolete.iter().filter(|(of, _)| *of == object);
            about.any(|(_, begin)| note.detail.starts_with(begin))
        })
    });
    forecast.notes.extend(notes);
    let was_blocked = forecast.outcome == ReleaseOutcome::Blocked;
    forecast
        .reasons
        .retain(|reason| reason.cause != ACTIVE_CONFLICT);
    forecast.reasons.extend(held);
    forecast.outcome = if was_blocked || !failed.is_empty() {
        ReleaseOutcome::Blocked
    } else if !forecast.reasons.is_empty() {
        ReleaseOutcome::NeedsChoice
    } else if forecast.outcome == ReleaseOutcome::NeedsChoice {
        ReleaseOutcome::Ready
    } else {
        forecast.outcome
    };
    forecast.reasons.splice(0..0, failed);
    Settled { forecast, retry }
}

fn active(forecast: &Forecast) -> impl Iterator<Item = (&ObjectForecast, &Conflict)> {
    forecast
        .objects
        .iter()
        .flat_map(|object| object.active.iter().map(move |conflict| (object, conflict)))
}

/// The reason with who decided; `None` if the decision is refused: the reason is held.
fn told(mut reason: Reason, decision: &Decision, held: &mut Vec<Reason>) -> Option<Reason> {
    let by = decision.by();
    if let Some(why) = &decision.refused {
        reason.detail = format!("{}; {why} ({by})", reason.detail);
        held.push(reason);
        return None;
    }
    reason.detail = format!("{}; {by}", reason.detail);
    Some(reason)
}

fn renamed(mut reason: Reason, action: Action) -> Reason {
    action.word().clone_into(&mut reason.cause);
    reason
}

/// Every active conflict and drop with its decision: the defaults stand where no rule decided.
pub fn with_defaults(forecast: &Forecast, decisions: &[Decision]) -> Vec<Decision> {
    let mut all = Vec::new();
    for object in &forecast.objects {
        let of_object: Vec<&Decision> = decisions
            .iter()
            .filter(|it| it.object == object.object)
            .collect();
        let default = |subject, field: &str, owner: Option<&String>, action| Decision {
            object: object.object.clone(),
            subject,
            field: field.to_owned(),
            owner: owner.cloned(),
            action,
            rule: None,
            refused: None,
            irreversible: false,
        };
        let decided = |subject, field: &str, owner: Option<&String>| {
            of_object
                .iter()
                .any(|it| it.subject == subject && it.field == field && it.owner.as_ref() == owner)
        };
        all.extend(of_object.iter().copied().cloned());
        for conflict in &object.active {
            let owner = Some(&conflict.owner);
            if !decided(Subject::Active, &conflict.field, owner) {
                all.push(default(
                    Subject::Active,
                    &conflict.field,
                    owner,
                    Action::Hold,
                ));
            }
        }
        let is_dead = matches!(object.outcome, ObjectOutcome::DeadEntries { .. })
            && is_custom_resource(&object.object);
        if is_dead && !decided(Subject::Dead, MANAGED_FIELDS, None) {
            all.push(default(Subject::Dead, MANAGED_FIELDS, None, Action::Hold));
        }
        for field in &object.drops {
            if !decided(Subject::Drop, field, None) {
                all.push(default(Subject::Drop, field, None, Action::LetGo));
            }
        }
    }
    all
}

/// Decisions in force now that a plan did not show. A run does at most what its plan shows: a conflict that is gone is
/// fine, a new one that a rule would settle is not.
pub fn unplanned<'a>(planned: &[Decision], now: &'a [Decision]) -> Vec<&'a Decision> {
    let same = |a: &Decision, b: &Decision| {
        (&a.object, &a.field, &a.owner, a.action) == (&b.object, &b.field, &b.owner, b.action)
    };
    now.iter()
        .filter(|decision| decision.is_in_force())
        .filter(|decision| {
            !planned
                .iter()
                .any(|it| it.is_in_force() && same(it, decision))
        })
        .collect()
}
