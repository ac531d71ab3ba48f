//! What a plan holds, by cause and release by release.

use std::collections::BTreeMap;

use serde_json::json;

use super::{PlanScreen, outcome_word};
use crate::domain::plan::HeldRelease;
use crate::domain::shadow::ReleaseOutcome;
use crate::render::{Column, Cut, Document, Record, Span, Table, text};

impl PlanScreen<'_> {
    /// Held releases by their gravest cause.
    pub(super) fn causes(&self) -> Table {
        let mut groups: BTreeMap<(ReleaseOutcome, &str), Vec<&HeldRelease>> = BTreeMap::new();
        for held in &self.plan.held {
            groups
                .entry((held.outcome, gravest(held)))
                .or_default()
                .push(held);
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|((outcome, _), held)| (*outcome, std::cmp::Reverse(held.len())));
        let mut table = Table::new([
            Column::new("HELD"),
            Column::new("RELEASES"),
            Column::new("CAUSE"),
            Column::new("FOR-EXAMPLE")
                .narrow(1)
                .at_most(40, Cut::Middle),
            Column::new("UNTIL"),
        ]);
        for ((outcome, cause), held) in groups {
            let first = held.first();
            let until = first.map(|it| match it.reasons.first() {
                Some(reason) if it.until.is_empty() => reason.detail.as_str(),
                _ => it.until.as_str(),
            });
            table.row([
                Span::state(outcome_word(outcome)),
                Span::plain(held.len().to_string()),
                Span::plain(cause),
                Span::or_none(first.map(|it| it.release.to_string())),
                Span::or_none(until),
            ]);
        }
        table
    }

    /// The held releases: kind `HeldList`.
    pub fn held(&self) -> Document {
        let records = self
            .plan
            .held
            .iter()
            .map(|held| {
                let more = held.reasons.len().saturating_sub(1);
                let cause = match more {
                    0 => gravest(held).to_owned(),
                    more => format!("{}(+{more})", gravest(held)),
                };
                Record {
                    cells: vec![
                        Span::plain(held.release.to_string()),
                        Span::state(outcome_word(held.outcome)),
                        Span::plain(cause),
                        Span::or_none(
                            held.reasons
                                .first()
                                .and_then(|it| it.object.as_ref())
                                .map(|object| format!("{}/{}", object.kind, object.name)),
                        ),
                        Span::or_none(held.reasons.first().map(|it| it.detail.as_str())),
                    ],
                    json: json!(held),
                    name: Some(held.release.to_string()),
                    only_wide: false,
                }
            })
            .collect();
        let summary = &self.plan.summary;
        self.listed(
            "HeldList",
            vec![
                Column::new("RELEASE"),
                Column::new("OUTCOME"),
                Column::new("CAUSE"),
                Column::new("OBJECT").at_most(32, Cut::Middle).narrow(1),
                Column::new("DETAIL"),
            ],
            records,
        )
        .total([Span::plain(format!(
            "{} held: {} need a choice, {} blocked.",
            text::counted(text::len(&self.plan.held), "release"),
            text::count(summary.needs_choice),
            text::count(summary.blocked),
        ))])
    }
}

fn gravest(held: &HeldRelease) -> &str {
    held.reasons
        .first()
        .map_or("unknown", |reason| reason.cause.as_str())
}
