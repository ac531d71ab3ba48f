//! One object: its conflicts and drops, each under the first rule that matches.

use std::collections::BTreeSet;

use managed_fields::FieldSet;

use super::book::{Book, Case, Question};
use super::decision::{Decision, Subject};
use super::field::items_of;
use super::scalers::ScaleTargets;
use crate::domain::fleet::PolicyAction as Action;
use crate::domain::object::ObjectRef;
use crate::domain::shadow::{Conflict, ObjectForecast};
use crate::domain::transfer::{Share, Terms};

/// Decides what rules decide; what has no rule is not in the answer.
///
/// `apply_set` is asked for fields to shed; `targets` says which workloads autoscalers drive. Linear in the findings,
/// times the rules.
pub fn decide(
    book: &Book,
    case: &Case<'_>,
    forecast: &ObjectForecast,
    apply_set: Option<&FieldSet>,
    targets: &ScaleTargets,
) -> Vec<Decision> {
    let object = &forecast.object;
    let mut decisions = Vec::new();
    for (subject, conflicts) in [
        (Subject::Active, &forecast.active),
        (Subject::Latent, &forecast.latent),
    ] {
        for conflict in conflicts {
            decisions.extend(of_conflict(book, case, object, subject, conflict, targets));
        }
    }
    for field in &forecast.drops {
        let asked = Question {
            object,
            field,
            owner: None,
        };
        if let Some((action, rule)) = book.dropped(case, &asked) {
            decisions.push(Decision {
                object: object.clone(),
                subject: Subject::Drop,
                field: field.clone(),
                owner: None,
                action,
                rule: Some(rule),
                refused: changes_values(book, action),
            });
        }
    }
    if book.sheds()
        && let Some(apply_set) = apply_set
    {
        for path in &apply_set.leaves() {
            let field = path.to_string();
            let asked = Question {
                object,
                field: &field,
                owner: None,
            };
            if let Some((action, rule)) = book.shed(case, &asked) {
                decisions.push(Decision {
                    object: object.clone(),
                    subject: Subject::Owned,
                    field,
                    owner: None,
                    action,
                    rule: Some(rule),
                    refused: None,
                });
            }
        }
    }
    decisions
}

fn of_conflict(
    book: &Book,
    case: &Case<'_>,
    object: &ObjectRef,
    subject: Subject,
    conflict: &Conflict,
    targets: &ScaleTargets,
) -> Option<Decision> {
    let asked = Question {
        object,
        field: &conflict.field,
        owner: Some(&conflict.owner),
    };
    let (action, rule) = book.conflict(case, &asked)?;
    // Where both have the same value there is nothing to hold, to wait for or to yield: the field stays shared, as
    // every apply would share it again.
    if subject == Subject::Latent && action != Action::AdoptLive {
        return None;
    }
    let refused = changes_values(book, action).or_else(|| {
        let scaler = targets.scaler_of(object)?;
        let takes = matches!(action, Action::AdoptLive | Action::Take);
        (takes && is_replicas(conflict)).then(|| {
            format!("{scaler} scales it and would take the field back at its next step: yield it, or shed it and drop it from the chart")
        })
    });
    Some(Decision {
        object: object.clone(),
        subject,
        field: conflict.field.clone(),
        owner: Some(conflict.owner.clone()),
        action,
        rule: Some(rule),
        refused,
    })
}

/// Values of live objects are changed only where they can be put back.
fn changes_values(book: &Book, action: Action) -> Option<String> {
    (action.changes_values() && !book.changes_values()).then(|| {
        format!("{action} changes live values, and what they were can be kept only sealed: make a key with (umask 077; openssl rand -base64 32 > seal.key), then name it in fleet.toml ([seal] key_file = \"seal.key\") or set REFIT_SEAL_KEY; adopt-live and prune-next leave the change to the next upgrade")
    })
}

/// The field that an autoscaler writes: by its path, or since its owner wrote it through the scale subresource.
fn is_replicas(conflict: &Conflict) -> bool {
    conflict.field == ".spec.replicas" || conflict.owner.ends_with("/scale")
}

impl Decision {
    /// Does it depend on who scales the object?
    pub fn asks_for_scalers(&self) -> bool {
        matches!(self.action, Action::AdoptLive | Action::Take)
            && (self.field == ".spec.replicas"
                || self
                    .owner
                    .as_ref()
                    .is_some_and(|owner| owner.ends_with("/scale")))
    }
}

/// What the transfer is to do with one object under the decisions about it.
pub fn terms(forecast: &ObjectForecast, decisions: &[Decision]) -> Terms {
    let mut terms = Terms::default();
    let mut kept: Vec<&Decision> = Vec::new();
    let ours = |it: &&Decision| it.object == forecast.object && it.is_in_force();
    for decision in decisions.iter().filter(ours) {
        match decision.action {
            // Taken is a field that is ours alone, too; its value changes besides.
            Action::AdoptLive | Action::Take => {
                if let Some(owner) = &decision.owner {
                    terms.take_over.insert(Share {
                        owner: owner.clone(),
                        field: decision.field.clone(),
                    });
                }
            }
            Action::Yield | Action::Shed => {
                terms.leave.insert(decision.field.clone());
            }
            Action::PruneNext | Action::Pin => kept.push(decision),
            _ => {}
        }
    }
    let let_go: Vec<&String> = forecast
        .drops
        .iter()
        .filter(|field| !kept.iter().any(|it| it.field == **field))
        .collect();
    for decision in &kept {
        let same = |other: &Decision| other.action == decision.action;
        // A list's item that goes as a whole goes with its own mark, or its key would stay behind.
        let items: BTreeSet<String> = items_of(&decision.field)
            .into_iter()
            .filter(|&item| {
                !let_go.iter().any(|field| field.starts_with(item))
                    && !kept
                        .iter()
                        .any(|other| !same(other) && other.field.starts_with(item))
            })
            .map(str::to_owned)
            .collect();
        let set = if decision.action == Action::Pin {
            &mut terms.pin
        } else {
            &mut terms.keep
        };
        set.insert(decision.field.clone());
        set.extend(items);
    }
    terms
}
