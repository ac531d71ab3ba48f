//! `refit run` and `refit resume`: what is shown before the question, and the last word.

use serde_json::{Value, json};

use crate::domain::ids::{ClusterName, RunId};
use crate::domain::plan::Plan;
use crate::domain::report::{ReleaseReport, RunReport, RunState, Totals};
use crate::domain::run::{Outcome, Side};
use crate::render::screen::plan::planned_at;
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// How much a run has to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Releases to migrate.
    pub releases: u32,
    /// On how many clusters.
    pub clusters: u32,
    /// In how many waves.
    pub waves: u32,
    /// Objects whose owners change.
    pub objects: u32,
    /// Writes of release records.
    pub record_writes: u32,
}

/// What has been done before a resume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// How releases ended so far.
    pub totals: Totals,
    /// Releases that the last process left in hand: they are settled first.
    pub in_hand: u32,
    /// Who is taken over from, with `--take-over`.
    pub taken_from: Option<String>,
}

/// What a run would do. It is shown, confirmed, and then given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPreview {
    /// The run's name; new for `run`.
    pub run: RunId,
    /// The plan.
    pub plan: Plan,
    /// What is left to do.
    pub work: Work,
    /// Releases that have moved since the plan: they will be handed back.
    pub moved: u32,
    /// Clusters with label env=prod that will be written to.
    pub prod: Vec<ClusterName>,
    /// Set for `resume`.
    pub resumed: Option<Resumed>,
}

/// The screen before the question.
#[derive(Debug, Clone, Copy)]
pub struct RunPreviewScreen<'a> {
    /// What would be done.
    pub preview: &'a RunPreview,
    /// The plan's file, for `run`.
    pub file: Option<&'a str>,
    /// `run` or `resume`.
    pub verb: &'static str,
}

impl RunPreviewScreen<'_> {
    /// Targets, counts, what will not change, the way back.
    pub fn lines(&self) -> Vec<Vec<Span>> {
        let RunPreview {
            run, plan, work, ..
        } = self.preview;
        let metadata = &plan.metadata;
        let mut head = vec![
            Span::with(self.file.unwrap_or(run.as_str()), Role::Strong),
            Span::plain(format!(
                "   {}   planned {}",
                text::short_digest(metadata.digest.as_str()),
                planned_at(metadata)
            )),
        ];
        if self.preview.moved > 0 {
            head.push(Span::with(
                format!(
                    "   {} of {} moved since: handed back, not touched",
                    text::count(self.preview.moved),
                    text::counted(work.releases, "release"),
                ),
                Role::Attention,
            ));
        }
        let mut lines = vec![head];
        if let Some(resumed) = &self.preview.resumed {
            lines.push(vec![Span::plain(format!(
                "So far: {}. In hand when it stopped: {}, settled first.",
                totals_text(&resumed.totals),
                resumed.in_hand
            ))]);
            if let Some(from) = &resumed.taken_from {
                lines.push(vec![Span::with(
                    format!("Takes over from {from}: that process can write no more."),
                    Role::Attention,
                )]);
            }
        }
        lines.push(Vec::new());
        lines.push(self.targets());
        let limits = metadata
            .limits
            .values()
            .map(|limits| limits.writes_per_second);
        let facts = [
            (
                format!(
                    "metadata.managedFields of {}",
                    text::counted(work.objects, "object")
                ),
                match plan.summary.value_changes {
                    0 => "spec, data, labels, annotations: 0 changes, 0 restarts".to_owned(),
                    changes => format!(
                        "{} by policies in the whole plan: pods may restart",
                        text::counted(changes, "value change")
                    ),
                },
            ),
            (
                format!(
                    "{} of release records",
                    text::counted(work.record_writes, "write")
                ),
                "one new revision each, seen in helm history".to_owned(),
            ),
            (
                format!(
                    "at most {} writes/s a cluster, {}/s in all",
                    limits.max().unwrap_or(metadata.writes_per_second),
                    metadata.writes_per_second
                ),
                "a release in hand is pending-upgrade: helm upgrade is refused".to_owned(),
            ),
        ];
        let widest = facts
            .iter()
            .map(|(what, _)| text::width(what))
            .max()
            .unwrap_or(0);
        for (what, beside) in facts {
            lines.push(vec![Span::plain(format!("    {what:<widest$}   {beside}"))]);
        }
        let summary = &plan.summary;
        lines.push(vec![Span::plain(format!(
            "Not touched: {} that need a choice, {} blocked, {} done already",
            text::count(summary.needs_choice),
            text::count(summary.blocked),
            text::count(summary.done)
        ))]);
        let back = Next::Undo {
            run: run.to_string(),
        };
        lines.push(vec![
            Span::plain("Back at any time:  "),
            Span::with(back.command(), Role::Strong),
        ]);
        let repaired = plan.irreversible_objects();
        if repaired > 0 {
            lines.push(vec![Span::with(
                format!(
                    "Irreversible:      owners of {} are repaired; an undo leaves them so",
                    text::counted(repaired, "object")
                ),
                Role::Attention,
            )]);
        }
        lines
    }

    fn targets(&self) -> Vec<Span> {
        let RunPreview {
            run, work, prod, ..
        } = self.preview;
        let mut spans = vec![Span::plain(format!(
            "This {} ({run}) will write to {} on {}",
            self.verb,
            text::counted(work.releases, "release"),
            text::counted(work.clusters, "cluster"),
        ))];
        if !prod.is_empty() {
            spans.push(Span::with(
                format!(", {} of them env=prod", prod.len()),
                Role::Attention,
            ));
        }
        spans.push(Span::plain(format!(
            ", in {}:",
            text::counted(work.waves, "wave")
        )));
        spans
    }
}

/// `534 migrated, 2 handed back, 0 undone`, and what else there is.
pub fn totals_text(totals: &Totals) -> String {
    let mut parts = vec![
        format!("{} migrated", text::count(totals.migrated)),
        format!("{} handed back", text::count(totals.handed_back)),
        format!("{} undone", text::count(totals.undone)),
    ];
    let more = [
        (totals.moved_on, "moved on"),
        (totals.stuck, "stuck"),
        (totals.open, "not finished"),
    ];
    parts.extend(
        more.iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, words)| format!("{} {words}", text::count(*count))),
    );
    parts.join(", ")
}

/// Why an attempt ended as it did, in a line.
pub fn why(end: &Outcome) -> Option<String> {
    match end {
        Outcome::Done => None,
        Outcome::Undone { why } | Outcome::Held { why } => Some(why.clone()),
        Outcome::Busy { who } => Some(who.clone()),
        Outcome::Stale { what } => Some(what.clone()),
        Outcome::MovedOn { why, settled } => {
            let words = why.join("; ");
            Some(if *settled {
                words
            } else {
                format!("{words}; not settled yet")
            })
        }
        Outcome::Stuck { why, side } => Some(format!("{why}; {}", side_words(*side))),
    }
}

/// Where a stuck release is.
pub const fn side_words(side: Side) -> &'static str {
    match side {
        Side::Before => "whole, as before the migration",
        Side::After => "whole, on server-side apply",
        Side::Between => "partly moved, its record says client-side apply",
    }
}

/// One release of a report as JSON: `{release, wave, state, writes, why, side, settled}`.
pub(super) fn release_json(it: &ReleaseReport) -> Value {
    let mut json = json!({"release": it.release, "wave": it.wave, "writes": it.writes});
    end_json(it.end.as_ref(), "Open", &mut json);
    json
}

/// Adds `state`, `why`, `side`, `settled` to an item.
pub(super) fn end_json(end: Option<&Outcome>, open: &'static str, json: &mut Value) {
    json["state"] = json!(end.map_or(open, Outcome::word));
    if let Some(words) = end.and_then(why) {
        json["why"] = json!(words);
    }
    match end {
        Some(Outcome::Stuck { side, .. }) => json["side"] = json!(side),
        Some(Outcome::MovedOn { settled, .. }) => json["settled"] = json!(settled),
        _ => {}
    }
}

/// Problems first: how grave an end is for the reader.
pub(super) fn gravity(end: Option<&Outcome>) -> u8 {
    match end {
        Some(Outcome::Stuck { .. }) => 0,
        Some(Outcome::MovedOn { settled: false, .. }) => 1,
        Some(Outcome::MovedOn { .. }) => 2,
        Some(Outcome::Undone { .. }) => 3,
        Some(Outcome::Busy { .. } | Outcome::Stale { .. } | Outcome::Held { .. }) => 4,
        None => 5,
        Some(Outcome::Done) => 6,
    }
}

/// Rows of the releases of a report: problems first; Done and open ones with `-o wide` only.
pub(super) fn release_records(report: &RunReport) -> Vec<Record> {
    let mut releases: Vec<&ReleaseReport> = report.releases.iter().collect();
    releases.sort_by_key(|it| gravity(it.end.as_ref()));
    releases
        .into_iter()
        .map(|it| Record {
            cells: vec![
                Span::plain(it.release.to_string()),
                Span::plain(it.wave.to_string()),
                Span::state(it.end.as_ref().map_or("Open", Outcome::word)),
                Span::plain(it.writes.to_string()),
                Span::or_none(it.end.as_ref().and_then(why)),
            ],
            json: release_json(it),
            name: matches!(&it.end, Some(end) if *end != Outcome::Done)
                .then(|| it.release.to_string()),
            only_wide: matches!(&it.end, None | Some(Outcome::Done)),
        })
        .collect()
}

pub(super) fn release_columns() -> Vec<Column> {
    vec![
        Column::new("RELEASE"),
        Column::new("WAVE").narrow(2),
        Column::new("STATE"),
        Column::new("WRITES").narrow(1),
        Column::new("WHY"),
    ]
}

/// The JSON head of a run: everything but its releases.
pub(super) fn head(document: Document, report: &RunReport) -> Document {
    document
        .field(
            "metadata",
            json!({
                "run": report.run, "fleet": report.fleet, "planDigest": report.plan_digest,
                "holder": report.holder, "started": report.started,
            }),
        )
        .field("summary", summary(report))
        .field("waves", json!(report.waves))
}

/// State, reason, totals.
pub(super) fn summary(report: &RunReport) -> Value {
    let mut summary = json!(report.totals());
    summary["state"] = json!(report.state);
    summary["wave"] = json!(report.wave);
    summary["valueChanges"] = json!(report.value_changes);
    if report.irreversible > 0 {
        summary["irreversible"] = json!(report.irreversible);
    }
    if let Some(why) = &report.why {
        summary["why"] = json!(why);
    }
    if let Some(until) = &report.until {
        summary["until"] = json!(until);
    }
    summary
}

/// `Waiting for approval until 2026-11-29T01:00Z`, `Stopped: …`.
pub(super) fn state_text(report: &RunReport) -> Vec<Span> {
    let mut spans = vec![Span::state(report.state.word())];
    if let Some(why) = &report.why {
        spans.push(Span::plain(format!(": {why}")));
    }
    if let Some(until) = report.until {
        spans.push(Span::plain(format!(", until {}", text::minute(until))));
    }
    spans
}

/// What to do with a run in its state.
pub(super) fn next_of(mut document: Document, report: &RunReport) -> Document {
    let run = report.run.to_string();
    let totals = report.totals();
    document = match report.state {
        RunState::Running => document,
        RunState::Complete => document.next(Next::AuditGate, "is there one manager everywhere?"),
        RunState::Waiting => {
            let when = report.until.map_or_else(String::new, |until| {
                format!("at {} or later", text::minute(until))
            });
            document.next(Next::Resume { run: run.clone() }, when)
        }
        RunState::LockLost => document.next(Next::Status { run: run.clone() }, "who goes on"),
        RunState::BudgetSpent => document.next(
            Next::Resume { run: run.clone() },
            "once the cause is removed; the rest is tried again",
        ),
        RunState::Stopped | RunState::Interrupted => document.next(
            Next::Resume { run: run.clone() },
            "goes on where it stopped",
        ),
    };
    let unsettled = report
        .releases
        .iter()
        .any(|it| matches!(it.end, Some(Outcome::MovedOn { settled: false, .. })));
    if unsettled {
        document = document.next(Next::SettleAll, "once helm is done with them");
    }
    if totals.migrated > 0 {
        document = document.next(Next::Undo { run }, "puts everything back");
    }
    document
}

/// The last word of a run: kind `RunReport`.
pub fn report_screen(report: &RunReport) -> Document {
    let totals = report.totals();
    let mut document = head(Document::new("RunReport"), report);
    if totals.not_done() > 0 {
        document = document.listing(release_columns(), release_records(report));
    } else {
        let items: Vec<Value> = report.releases.iter().map(release_json).collect();
        document = document.field("items", items);
    }
    let mut line = vec![Span::plain(format!("{} ", report.run))];
    line.extend(state_text(report));
    line.push(Span::plain(format!(": {}, ", totals_text(&totals))));
    line.push(Span::bad_count(
        report.value_changes,
        text::counted(report.value_changes, "value change"),
    ));
    if report.irreversible > 0 {
        line.push(Span::with(
            format!(
                ", owners of {} repaired for good",
                text::counted(report.irreversible, "object")
            ),
            Role::Attention,
        ));
    }
    line.push(Span::plain("."));
    next_of(document.line(line), report)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::report::WaveReport;
    use crate::render::{Format, Frame};

    /// A report of four releases in two waves.
    pub(crate) fn report(state: RunState) -> RunReport {
        let release = |id: &str, wave, end| ReleaseReport {
            release: id.parse().unwrap(),
            wave,
            end,
            writes: 12,
        };
        let stuck = Outcome::Stuck {
            why: "webhook fail.example timed out".into(),
            side: Side::After,
        };
        let releases = vec![
            release("dev-1/shop/web", 1, Some(Outcome::Done)),
            release(
                "eu-2/shop/cart",
                2,
                Some(Outcome::Held {
                    why: "driven by flux".into(),
                }),
            ),
            release("eu-2/shop/pay", 2, Some(stuck)),
            release("eu-2/shop/web", 2, None),
        ];
        let wave = |number: u32, name: &str| WaveReport {
            number,
            name: name.into(),
            totals: Totals::of(
                releases
                    .iter()
                    .filter(|it| it.wave == number)
                    .map(|it| it.end.as_ref()),
            ),
            started: None,
            ended: None,
        };
        RunReport {
            run: "run-7k3f".into(),
            fleet: "acme".into(),
            plan_digest: "9f31c2a4d8".into(),
            state,
            holder: "kim@bastion-1".into(),
            started: "2026-11-24T08:00:00Z".parse().unwrap(),
            wave: 2,
            why: None,
            until: None,
            waves: vec![wave(1, "canary"), wave(2, "wave-2")],
            releases,
            value_changes: 0,
            irreversible: 0,
        }
    }

    #[test]
    fn the_preview_says_what_changes_what_does_not_and_the_way_back() {
        let preview = RunPreview {
            run: "run-7k3f".into(),
            plan: crate::render::screen::plan::tests::acme(),
            work: Work {
                releases: 3,
                clusters: 3,
                waves: 2,
                objects: 32,
                record_writes: 9,
            },
            moved: 1,
            prod: vec!["eu-2".into(), "eu-10".into()],
            resumed: None,
        };
        let screen = RunPreviewScreen {
            preview: &preview,
            file: Some("acme.plan.json"),
            verb: "run",
        };
        let text: String = screen
            .lines()
            .iter()
            .map(|line| crate::render::document::line_text(line, &Frame::PIPE))
            .collect();
        assert_eq!(
            text,
            "\
acme.plan.json   sha256:9f31c2a4   planned 2026-11-23T10:31Z   1 of 3 releases moved since: handed back, not touched

This run (run-7k3f) will write to 3 releases on 3 clusters, 2 of them env=prod, in 2 waves:
    metadata.managedFields of 32 objects          spec, data, labels, annotations: 0 changes, 0 restarts
    9 writes of release records                   one new revision each, seen in helm history
    at most 4 writes/s a cluster, 20/s in all     a release in hand is pending-upgrade: helm upgrade is refused
Not touched: 2 that need a choice, 1 blocked, 1 done already
Back at any time:  refit undo run-7k3f
"
            .replace("in all     a", "in all   a")
            .replace("objects          spec", "objects        spec")
            .replace("records                   one", "records                 one")
        );
    }

    #[test]
    fn the_last_word_names_problems_first() {
        let document = report_screen(&report(RunState::Stopped));
        let printed = document
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
RELEASE          WAVE   STATE   WRITES   WHY
eu-2/shop/pay    2      Stuck   12       webhook fail.example timed out; whole, on server-side apply
eu-2/shop/cart   2      Held    12       driven by flux
run-7k3f Stopped: 1 migrated, 1 handed back, 0 undone, 1 stuck, 1 not finished, 0 value changes.
"
        );
        assert_eq!(
            printed.stderr,
            "\
Next: refit resume run-7k3f   goes on where it stopped
      refit undo run-7k3f     puts everything back
"
        );
        let json = document.to_json();
        assert_eq!(json["items"].as_array().unwrap().len(), 4);
        assert_eq!(json["items"][0]["side"], "after");
        assert_eq!(json["summary"]["migrated"], 1);
        assert_eq!(json["summary"]["state"], "Stopped");
    }
}
