//! `refit plan` and `refit show`: waves, what is held, totals.

mod dates;
mod held;
mod release;
mod waves;

use std::collections::BTreeSet;

use serde_json::json;

use super::requests;
use crate::domain::fleet::natural_order;
use crate::domain::ids::ClusterName;
use crate::domain::plan::{Plan, PlanMetadata, RequestEstimate};
use crate::domain::shadow::ReleaseOutcome;
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// Clusters that one line of a screen names: what fits beside the rest; JSON has all.
const MOST_NAMED: usize = 8;

/// What the screens show.
#[derive(Debug, Clone, Copy)]
pub struct PlanScreen<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The file that it has just been kept in.
    pub saved: Option<&'a str>,
    /// The file that it was read from.
    pub file: Option<&'a str>,
    /// Requests cluster by cluster too.
    pub wide: bool,
}

/// The word of a release's outcome.
pub const fn outcome_word(outcome: ReleaseOutcome) -> &'static str {
    match outcome {
        ReleaseOutcome::Blocked => "Blocked",
        ReleaseOutcome::NeedsChoice => "NeedsChoice",
        ReleaseOutcome::Ready => "Ready",
        ReleaseOutcome::Done => "Done",
    }
}
impl PlanScreen<'_> {
    /// The whole plan: kind `Plan`.
    pub fn document(&self) -> Document {
        let plan = self.plan;
        let summary = &plan.summary;
        let known = summary.migrate + summary.needs_choice + summary.blocked + summary.done;
        let mut document = Document::new("Plan")
            .fields_of(plan)
            .text(format!(
                "Fleet {}, {} on {}, planned {} by refit {}",
                plan.metadata.fleet,
                text::counted(known, "release"),
                text::counted(text::len(&clusters_of(plan)), "cluster"),
                planned_at(&plan.metadata),
                plan.metadata.tool,
            ))
            .names(
                plan.waves
                    .iter()
                    .flat_map(|wave| &wave.releases)
                    .map(|release| release.release.to_string()),
            );
        if !plan.waves.is_empty() {
            let dated = plan.calendar.is_some();
            let table = if dated { self.dated() } else { self.waves() };
            document = document.gap().table(table);
        }
        document = self.empty_stages(document);
        document = self.when(document);
        if !plan.held.is_empty() {
            document = document.gap().table(self.causes());
        }
        document = document.gap().line([
            Span::plain(format!(
                "Plan: {} to migrate, ",
                text::count(summary.migrate)
            )),
            Span::plain(format!(
                "{} need a choice, ",
                text::count(summary.needs_choice)
            )),
            Span::bad_count(
                summary.blocked,
                format!("{} blocked", text::count(summary.blocked)),
            ),
            Span::plain(format!(", {} already done.", text::count(summary.done))),
        ]);
        document = document.line([
            Span::plain(format!(
                "{}, {}, ",
                counted_patches(summary.objects),
                text::counted(
                    summary
                        .writes
                        .saturating_sub(summary.objects + valued_objects(plan)),
                    "record write"
                ),
            )),
            Span::bad_count(
                summary.value_changes,
                text::counted(summary.value_changes, "value change"),
            ),
            Span::plain(". Each release gains one Helm revision."),
        ]);
        let repaired = plan.irreversible_objects();
        if repaired > 0 {
            document = document.line([Span::with(
                format!(
                    "Irreversible: owners of {} are repaired; an undo leaves them so.",
                    text::counted(repaired, "object")
                ),
                Role::Attention,
            )]);
        }
        if summary.migrate > 0 {
            let estimate = RequestEstimate::of(plan);
            document = document.text(requests::line(&estimate));
            if self.wide {
                document = document.gap().table(requests::table(&estimate));
            }
        }
        for (cluster, why) in &plan.unread {
            document = document.warning(format!(
                "{cluster} not read: {why}; its releases are unknown and in no wave"
            ));
        }
        self.notes(document)
    }

    /// Where the plan is, and what to do with it.
    fn notes(&self, mut document: Document) -> Document {
        let held = self.plan.summary.needs_choice + self.plan.summary.blocked > 0;
        if let Some(file) = self.saved {
            document = document.total([Span::plain(format!(
                "Saved the plan to: {file}   ({}, to be started before {}). 0 writes.",
                text::short_digest(self.plan.metadata.digest.as_str()),
                text::minute(self.plan.metadata.start_before),
            ))]);
        } else if self.file.is_none() {
            document = document.total([Span::plain("The plan is not saved. 0 writes.")]);
        }
        let Some(file) = self.saved.or(self.file) else {
            return document.next(Next::Plan, "keeps it, for refit run");
        };
        let plan = file.to_owned();
        if self.plan.summary.migrate > 0 && self.saved.is_some() {
            let run = Next::Run { plan: plan.clone() };
            document = document
                .total([Span::plain(
                    "To perform exactly these actions, run the following command:",
                )])
                .total([Span::plain(format!("    {}", run.command()))]);
        } else if self.plan.summary.migrate > 0 {
            document = document.next(
                Next::Run { plan: plan.clone() },
                "does exactly this, and asks first",
            );
        } else {
            document = document.next(Next::AuditGate, "nothing is left to migrate");
        }
        if held {
            document = document.next(Next::ShowHeld { plan }, "what is held, and why");
        }
        document
    }

    fn listed(&self, kind: &'static str, columns: Vec<Column>, records: Vec<Record>) -> Document {
        let metadata = &self.plan.metadata;
        Document::new(kind)
            .field(
                "metadata",
                json!({"fleet": metadata.fleet, "planDigest": metadata.digest}),
            )
            .field("summary", json!({"releases": records.len()}))
            .listing(columns, records)
    }
}

/// When a plan was made, and of what, if its clusters were read before.
pub fn planned_at(metadata: &PlanMetadata) -> String {
    let made_at = text::minute(metadata.made_at);
    match metadata.looked_at {
        None => made_at,
        Some(looked_at) => format!("{made_at} from an inventory of {}", text::minute(looked_at)),
    }
}

/// Objects that get a write for their values.
fn valued_objects(plan: &Plan) -> u32 {
    let releases = plan.waves.iter().flat_map(|wave| &wave.releases);
    releases
        .map(crate::domain::plan::PlannedRelease::valued_objects)
        .sum()
}

fn counted_patches(objects: u32) -> String {
    if objects == 1 {
        "1 ownership patch".to_owned()
    } else {
        format!("{} ownership patches", text::count(objects))
    }
}

/// Every cluster that the plan knows of, unread ones too.
fn clusters_of(plan: &Plan) -> Vec<&ClusterName> {
    let planned = plan.waves.iter().flat_map(|wave| &wave.releases);
    let all: BTreeSet<&ClusterName> = planned
        .map(|it| &it.release.cluster)
        .chain(plan.held.iter().map(|it| &it.release.cluster))
        .chain(plan.done.iter().map(|it| &it.cluster))
        .chain(plan.unread.keys())
        .collect();
    all.into_iter().collect()
}

fn natural_list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_by(|a, b| natural_order(a, b));
    names.join(", ")
}

/// The first of them; how many more there are.
fn few<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_by(|a, b| natural_order(a, b));
    match names.get(..MOST_NAMED) {
        Some(first) if names.len() > MOST_NAMED => {
            format!("{} and {} more", first.join(", "), names.len() - MOST_NAMED)
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
pub(crate) mod tests;
