//! The calendar of a plan: waves with their times, when it is done, what would make it sooner.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{PlanScreen, few};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::plan::{Relaxation, Wave};
use crate::render::screen::calendar;
use crate::render::{Column, Document, Role, Span, Table, text};

impl PlanScreen<'_> {
    /// What is untested, the calendar, when it is done and what would make it sooner.
    pub(super) fn when(&self, mut document: Document) -> Document {
        let plan = self.plan;
        if let Some(first) = plan.waves.first().filter(|_| !plan.untested.is_empty()) {
            let waves = plan.untested.iter().map(|it| it.wave);
            let (from, to) = (waves.clone().min(), waves.max());
            let when = match (from, to) {
                (Some(from), Some(to)) if from < to => format!("waves {from} to {to}"),
                (from, _) => format!("wave {}", from.unwrap_or_default()),
            };
            let firsts: BTreeSet<&ReleaseId> = plan.untested.iter().map(|it| &it.first).collect();
            document = document.text(format!(
                "After wave {}, {} of signatures are seen; {} in {when} {} the first of {} kind: refit show PLAN --untested",
                first.number,
                text::percent(first.coverage.seen.into(), first.coverage.total.into()),
                text::counted(u32::try_from(firsts.len()).unwrap_or(u32::MAX), "release"),
                if firsts.len() == 1 { "is" } else { "are" },
                if firsts.len() == 1 { "its" } else { "their" },
            ));
        }
        let drawings = calendar::drawings(plan);
        if !drawings.is_empty() {
            document = document.gap().drawing(drawings);
        }
        let Some(calendar) = &plan.calendar else {
            return document;
        };
        let writing =
            SignedDuration::from_secs(i64::try_from(calendar.writing_seconds).unwrap_or(i64::MAX));
        let when = match (calendar.done, calendar.slack_days) {
            (None, _) => "Never done: a wave gets no window.".to_owned(),
            (Some(done), Some(late @ ..0)) => format!(
                "Done {}, late by {}.",
                text::minute(done),
                text::counted(late.unsigned_abs(), "day")
            ),
            (Some(done), Some(slack)) => format!(
                "Done {}, {} before the deadline.",
                text::minute(done),
                text::counted(slack.unsigned_abs(), "day")
            ),
            (Some(done), None) => format!("Done {}.", text::minute(done)),
        };
        document = document.text(format!("{when} {} of writing.", text::duration(writing)));
        for late in &calendar.late {
            document = document.text(format!(
                "Late: wave {}, {} on {}",
                late.wave,
                text::counted(late.releases, "release"),
                few(late.clusters.iter().map(String::as_str)),
            ));
        }
        let days = |it: &Relaxation| text::counted(it.gain_days.unsigned_abs(), "day");
        let room = plan.relaxations.iter().map(|it| days(it).len()).max();
        let room = room.unwrap_or(0);
        for it in &plan.relaxations {
            let deadline = if it.in_time { "" } else { ", still late" };
            document = document.text(format!(
                "Sooner: {:>room$} earlier, done {}   {}{deadline}",
                days(it),
                it.done,
                it.change.join(" and "),
            ));
        }
        let is_late = calendar.slack_days.is_none_or(|slack| slack < 0);
        if is_late && !plan.relaxations.iter().any(|it| it.in_time) {
            document = document.text(
                "No shorter soak, wider window, shorter freeze or higher limit keeps the deadline, nor all together: \
                 other waves or caps may (--what-if), or another deadline.",
            );
        }
        document
    }

    /// Stages that no release is in: a selector may be wrong.
    pub(super) fn empty_stages(&self, mut document: Document) -> Document {
        let plan = self.plan;
        for (at, stage) in plan.metadata.settings.stages.iter().enumerate() {
            let has = |wave: &Wave| wave.stage as usize == at + 1;
            if plan.waves.is_empty() || stage.selector.is_all() || plan.waves.iter().any(has) {
                continue;
            }
            document = document.text(format!(
                "Stage {} has no release: {} takes none that an earlier stage, or the canaries, leave.",
                stage.name, stage.selector
            ));
        }
        document
    }

    /// Waves with their times.
    pub(super) fn dated(&self) -> Table {
        let mut table = Table::new([
            Column::new("WAVE"),
            Column::new("NAME"),
            Column::new("RELEASES"),
            Column::new("CLUSTERS").narrow(2),
            Column::new("WRITES").narrow(1),
            Column::new("STARTS"),
            Column::new("SOAK").narrow(3),
            Column::new("COVERAGE"),
            Column::new("WAITS-FOR"),
        ]);
        for wave in &self.plan.waves {
            let clusters: BTreeSet<&ClusterName> =
                wave.releases.iter().map(|it| &it.release.cluster).collect();
            let writes: u64 = wave.releases.iter().map(|it| u64::from(it.writes)).sum();
            let waits: Vec<String> = wave
                .waits_for
                .iter()
                .map(|it| format!("{} {}", it.kind, it.detail).trim().to_owned())
                .collect();
            table.row([
                Span::with(wave.number.to_string(), Role::Strong),
                Span::plain(&wave.name),
                Span::plain(wave.releases.len().to_string()),
                Span::plain(clusters.len().to_string()),
                Span::plain(writes.to_string()),
                Span::or_none(wave.starts.map(text::minute)),
                Span::or_none(text::soak(wave.soak)),
                Span::plain(format!("{}/{}", wave.coverage.seen, wave.coverage.total)),
                Span::or_none((!waits.is_empty()).then(|| waits.join(", "))),
            ]);
        }
        table
    }
}
