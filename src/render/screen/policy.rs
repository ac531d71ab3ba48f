//! `refit policy explain`: each conflict and drop of a release with the rule that decides it.

use serde_json::json;

use super::plan::outcome_word;
use crate::domain::fleet::PolicyAction as Action;
use crate::domain::object::ObjectRef;
use crate::domain::plan::Candidate;
use crate::domain::policy::{Decision, with_defaults};
use crate::domain::shadow::ReleaseOutcome;
use crate::render::{Column, Cut, Document, Next, Record, Role, Span, text};

/// What the screen shows.
#[derive(Debug, Clone, Copy)]
pub struct DecisionsScreen<'a> {
    /// The release with its forecast and what rules decided.
    pub candidate: &'a Candidate,
    /// Rules that the fleet has.
    pub rules: usize,
    /// refit's version.
    pub tool: &'a str,
}

impl DecisionsScreen<'_> {
    /// The screen: kind `DecisionList`.
    pub fn document(&self) -> Document {
        let forecast = &self.candidate.forecast;
        let release = forecast.release.to_string();
        let decisions = self.decisions();
        let by_rule = decisions.iter().filter(|it| it.rule.is_some()).count();
        let held = decisions.iter().filter(|it| is_held(it)).count();
        let chart = &self.candidate.chart;
        let document = Document::new("DecisionList")
            .field("metadata", json!({"release": release, "tool": self.tool}))
            .field("outcome", json!(forecast.outcome))
            .field(
                "summary",
                json!({"decisions": decisions.len(), "byRule": by_rule, "held": held, "rules": self.rules}),
            )
            .line([
                Span::with(&*release, Role::Strong),
                Span::plain("   "),
                Span::state(outcome_word(forecast.outcome)),
                Span::plain(format!(
                    "   {}-{}, revision {}, {}",
                    chart.name,
                    chart.version,
                    self.candidate.revision,
                    text::counted(self.rules as u64, "rule"),
                )),
            ])
            .listing(columns(), decisions.iter().map(record))
            .total([Span::plain(format!(
                "{}: {} by rule, {} by default; {} held. 0 writes.",
                text::counted(decisions.len() as u64, "decision"),
                text::count(by_rule as u64),
                text::count((decisions.len() - by_rule) as u64),
                text::count(held as u64),
            ))]);
        if held > 0 {
            document
                .next(Next::Shadow { release }, "both values of each field")
                .next(
                    Next::Help {
                        topic: "policy".to_owned(),
                    },
                    "how to decide",
                )
        } else {
            document.next(Next::Plan, "what can be migrated, and what is held")
        }
    }

    /// Is anything left for a person?
    pub fn has_findings(&self) -> bool {
        matches!(
            self.candidate.forecast.outcome,
            ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice
        )
    }

    fn decisions(&self) -> Vec<Decision> {
        with_defaults(&self.candidate.forecast, &self.candidate.decisions)
    }
}

fn is_held(decision: &Decision) -> bool {
    matches!(decision.action, Action::Hold | Action::Fail) || decision.refused.is_some()
}

fn columns() -> Vec<Column> {
    vec![
        Column::new("OBJECT").narrow(2),
        Column::new("TYPE"),
        Column::new("FIELD").at_most(30, Cut::Middle),
        Column::new("OWNER").at_most(22, Cut::Middle),
        Column::new("ACTION"),
        Column::new("RULE").narrow(1),
        Column::new("WHY"),
    ]
}

fn record(decision: &Decision) -> Record {
    let rule = decision.rule.as_ref();
    let (action, why) = match &decision.refused {
        Some(refused) => (
            Action::Hold,
            format!("{} is refused: {refused}", decision.action),
        ),
        None => (
            decision.action,
            match rule {
                Some(rule) => rule.why.clone().unwrap_or_else(|| "<none>".to_owned()),
                None => "no rule matches: the default".to_owned(),
            },
        ),
    };
    let role = if is_held(decision) {
        Role::Attention
    } else {
        Role::Plain
    };
    Record {
        cells: vec![
            Span::plain(object_name(&decision.object)),
            Span::plain(decision.subject.word()),
            Span::plain(&decision.field),
            Span::or_none(decision.owner.clone()),
            Span::with(action.word(), role),
            Span::or_none(rule.map(|rule| rule.place.clone())),
            Span::plain(why),
        ],
        json: json!(decision),
        name: None,
        only_wide: false,
    }
}

/// `deployment/checkout`.
fn object_name(object: &ObjectRef) -> String {
    format!("{}/{}", object.kind.to_lowercase(), object.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::policy::{RuleRef, Subject};
    use crate::render::{Format, Frame};

    #[test]
    fn defaults_rules_and_refusals_are_told_apart() {
        let mut candidates = crate::render::screen::shadow::tests::acme();
        let mut candidate = candidates
            .drain(..)
            .find(|it| {
                it.forecast
                    .objects
                    .iter()
                    .any(|object| object.active.len() > 1)
            })
            .unwrap();
        let object = candidate
            .forecast
            .objects
            .iter()
            .find(|it| it.active.len() > 1)
            .unwrap();
        let (first, second) = (&object.active[0], &object.active[1]);
        let decision =
            |conflict: &crate::domain::shadow::Conflict, action, refused: Option<&str>| Decision {
                object: object.object.clone(),
                subject: Subject::Active,
                field: conflict.field.clone(),
                owner: Some(conflict.owner.clone()),
                action,
                rule: Some(RuleRef {
                    place: "fleet.toml:20".into(),
                    why: Some("autoscaled".into()),
                }),
                refused: refused.map(str::to_owned),
                irreversible: false,
            };
        candidate.decisions = vec![
            decision(first, Action::Yield, None),
            decision(second, Action::Take, Some("no key")),
        ];
        let screen = DecisionsScreen {
            candidate: &candidate,
            rules: 2,
            tool: "0.1.0",
        };
        let printed = screen
            .document()
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert!(
            printed
                .stdout
                .contains("yield    fleet.toml:20   autoscaled"),
            "{}",
            printed.stdout
        );
        assert!(
            printed.stdout.contains("take is refused: no key"),
            "{}",
            printed.stdout
        );
        assert!(printed.stderr.contains("0 writes."), "{}", printed.stderr);
        let json = screen.document().to_json();
        assert_eq!(json["kind"], "DecisionList");
        assert_eq!(json["items"][0]["action"], "yield");
        assert_eq!(json["summary"]["byRule"], 2);
    }
}
