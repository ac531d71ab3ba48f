//! One release of a plan: its place and why, or why it is held.

use serde_json::json;

use super::{PlanScreen, outcome_word};
use crate::domain::ids::ReleaseId;
use crate::domain::plan::{HeldRelease, Wave};
use crate::domain::shadow::Reason;
use crate::render::{Document, Next, Role, Span, text};

impl PlanScreen<'_> {
    /// One release: in which wave and why, or why it is not in one. `None` if the plan does not know it.
    pub fn release(&self, id: &ReleaseId) -> Option<Document> {
        for wave in &self.plan.waves {
            if let Some(place) = wave.releases.iter().position(|it| it.release == *id) {
                return Some(self.planned(wave, place));
            }
        }
        if let Some(held) = self.plan.held.iter().find(|it| it.release == *id) {
            return Some(held_one(held));
        }
        self.plan.done.contains(id).then(|| {
            Document::new("PlannedRelease")
                .field("release", json!(id))
                .field("state", "Done")
                .names([id.to_string()])
                .line([
                    Span::with(id.to_string(), Role::Strong),
                    Span::plain("   "),
                    Span::state("Done"),
                    Span::plain("   is on server-side apply already"),
                ])
        })
    }

    fn planned(&self, wave: &Wave, place: usize) -> Document {
        let it = &wave.releases[place];
        let mut document = Document::new("PlannedRelease")
            .fields_of(it)
            .field("wave", wave.number)
            .names([it.release.to_string()])
            .line([
                Span::with(it.release.to_string(), Role::Strong),
                Span::plain(format!(
                    "   wave {} {}, {} of {}   {}-{}, revision {}, {}, {}",
                    wave.number,
                    wave.name,
                    place + 1,
                    wave.releases.len(),
                    it.chart.name,
                    it.chart.version,
                    it.revision,
                    text::counted(it.objects, "object"),
                    text::counted(it.writes, "write"),
                )),
            ])
            .text(format!("why here: {}", it.reason));
        let parts: Vec<String> = it
            .risk
            .parts()
            .into_iter()
            .map(|(name, points)| format!("{name} {points}"))
            .collect();
        if !parts.is_empty() {
            document = document.text(format!("risk {} = {}", it.risk.score, parts.join(" + ")));
        }
        if !it.needs.is_empty() {
            let needs: Vec<String> = it.needs.iter().map(ToString::to_string).collect();
            document = document.text(format!("after: {}", needs.join(", ")));
        }
        if let Some(starts) = wave.starts {
            document = document.text(format!("starts: {}", text::minute(starts)));
        }
        document = reasons(document, &it.notes);
        match self.file {
            Some(file) => document.next(
                Next::Run {
                    plan: file.to_owned(),
                },
                "",
            ),
            None => document,
        }
    }
}

fn held_one(held: &HeldRelease) -> Document {
    let document = Document::new("HeldRelease")
        .fields_of(held)
        .names([held.release.to_string()])
        .line([
            Span::with(held.release.to_string(), Role::Strong),
            Span::plain("   "),
            Span::state(outcome_word(held.outcome)),
            Span::plain(format!(
                "   in no wave, for {}",
                text::counted(text::len(&held.reasons), "reason")
            )),
        ]);
    let document = if held.until.is_empty() {
        document
    } else {
        document.text(format!("until: {}", held.until))
    };
    reasons(document, &held.reasons)
}

/// Reasons in full: two lines each, nothing cut.
fn reasons(mut document: Document, reasons: &[Reason]) -> Document {
    for reason in reasons {
        let mut head = vec![Span::with(reason.cause.as_str(), Role::Strong)];
        if let Some(object) = &reason.object {
            head.push(Span::plain(format!("   {object}")));
        }
        document = document.line(head).text(format!("    {}", reason.detail));
    }
    document
}
