//! `refit undo`: what would be put back, and what was.

use std::fmt::Write as _;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::run::{end_json, gravity, why};
use crate::domain::report::{Totals, UndoItem, UndoReport};
use crate::domain::run::Outcome;
use crate::render::{Column, Document, Next, Record, Role, Span, text};

/// Counts of an undo.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    totals: Totals,
    /// Objects and writes of the releases that are put back, or will be.
    objects: u64,
    writes: u64,
    /// Of these objects, those whose values go back too.
    valued: u64,
    /// Objects with owners that cannot be put back.
    unrestored: u64,
}

fn counts(report: &UndoReport) -> Counts {
    let mut counts = Counts {
        totals: Totals::of(report.items.iter().map(|item| item.end.as_ref())),
        ..Counts::default()
    };
    for item in &report.items {
        if matches!(item.end, None | Some(Outcome::Undone { .. })) {
            counts.objects += u64::from(item.objects);
            counts.writes += u64::from(item.writes);
            counts.valued += u64::from(item.valued);
            counts.unrestored += item.unrestored.len() as u64;
        }
    }
    counts
}

/// Rows: problems first. Of a report, releases that were put back are shown with `-o wide` only.
pub(super) fn records(report: &UndoReport, all: bool) -> Vec<Record> {
    let mut items: Vec<&UndoItem> = report.items.iter().collect();
    // An undone release is what was wished here, and comes last.
    items.sort_by_key(|item| match &item.end {
        Some(Outcome::Undone { .. }) => u8::MAX,
        end => gravity(end.as_ref()),
    });
    items
        .into_iter()
        .map(|item| {
            let undone = matches!(item.end, Some(Outcome::Undone { .. }));
            let record = if item.from == item.to {
                format!("keeps-{}", item.from)
            } else {
                format!("{}->{}", item.from, item.to)
            };
            let word = item.end.as_ref().map_or("WillUndo", Outcome::word);
            let role = if undone {
                Role::Good
            } else {
                Role::of_state(word)
            };
            let mut json = json!({
                "release": item.release, "objects": item.objects, "writes": item.writes,
                "revisionBefore": item.from, "revisionAfter": item.to,
            });
            end_json(item.end.as_ref(), "WillUndo", &mut json);
            if undone && let Value::Object(map) = &mut json {
                map.remove("why");
            }
            let stays = !item.unrestored.is_empty()
                && matches!(item.end, None | Some(Outcome::Undone { .. }));
            if stays {
                json["unrestored"] = json!(item.unrestored);
            }
            let told = if stays {
                Some(item.unrestored.join("; "))
            } else {
                item.end.as_ref().filter(|_| !undone).and_then(why)
            };
            Record {
                cells: vec![
                    Span::plain(item.release.to_string()),
                    Span::with(word, role),
                    Span::plain(item.objects.to_string()),
                    Span::plain(record),
                    Span::or_none(told),
                ],
                json,
                name: Some(item.release.to_string()),
                only_wide: undone && !stays && !all,
            }
        })
        .collect()
}

pub(super) fn columns() -> Vec<Column> {
    vec![
        Column::new("RELEASE"),
        Column::new("STATE"),
        Column::new("OBJECTS").narrow(2),
        Column::new("RECORD").narrow(1),
        Column::new("WHY"),
    ]
}

pub(super) fn base(kind: &'static str, report: &UndoReport, dry_run: bool) -> Document {
    let mut metadata = json!({"fleet": report.fleet, "dryRun": dry_run});
    if let Some(run) = &report.run {
        metadata["run"] = json!(run);
    }
    let counts = counts(report);
    let mut summary = json!(counts.totals);
    summary["state"] = json!(report.state);
    summary["objects"] = json!(counts.objects);
    summary["writes"] = json!(if dry_run { 0 } else { counts.writes });
    summary["valueChanges"] = json!(counts.valued);
    if counts.unrestored > 0 {
        summary["unrestored"] = json!(counts.unrestored);
    }
    Document::new(kind)
        .field("metadata", metadata)
        .field("summary", summary)
        .listing(columns(), records(report, dry_run))
}

/// `23 to put back (216 objects, 1m06s at 4 writes/s, 0 value changes), 2 moved on: left alone`.
fn preview_text(report: &UndoReport, writes_per_second: u32) -> String {
    let counts = counts(report);
    let rate = writes_per_second.max(1);
    let seconds = counts.writes.div_ceil(u64::from(rate));
    let time = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    // A preview that does not know its writes has no time to tell.
    let time = match counts.writes {
        0 => String::new(),
        _ => format!("{} at {rate} writes/s, ", text::duration(time)),
    };
    let mut line = format!(
        "{} to put back ({}, {time}{})",
        text::count(counts.totals.open),
        text::counted(counts.objects, "object"),
        match counts.valued {
            0 => "0 value changes".to_owned(),
            objects => format!("values of {} go back", text::counted(objects, "object")),
        },
    );
    line.push_str(&but_for(&counts));
    for (count, words) in left(&counts.totals) {
        let _ = write!(line, ", {} {words}: left alone", text::count(count));
    }
    line
}

/// What stays, if anything does.
fn but_for(counts: &Counts) -> String {
    match counts.unrestored {
        0 => String::new(),
        objects => format!(
            ", but for owners of {} that nobody can write any more",
            text::counted(objects, "object")
        ),
    }
}

fn left(totals: &Totals) -> impl Iterator<Item = (u32, &'static str)> {
    [
        (totals.moved_on, "moved on"),
        (totals.stuck, "stuck"),
        (totals.handed_back, "handed back"),
        (totals.undone, "put back already"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
}

/// What an undo would do: kind `UndoReport`, state `WillUndo`.
pub fn preview_screen(report: &UndoReport, writes_per_second: u32) -> Document {
    let document = base("UndoReport", report, true).total([Span::plain(format!(
        "Undo: {}. 0 writes.",
        preview_text(report, writes_per_second)
    ))]);
    match &report.run {
        Some(run) if counts(report).totals.open > 0 => document.next(
            Next::Undo {
                run: run.to_string(),
            },
            "with the same scope; asks first",
        ),
        _ => document,
    }
}

/// What is shown before the question.
pub fn preview_lines(report: &UndoReport, writes_per_second: u32) -> Vec<Vec<Span>> {
    let mut lines = Vec::new();
    for record in records(report, true) {
        if record.json["state"] != "WillUndo" || !record.json["unrestored"].is_null() {
            let cell = |place: usize| {
                record
                    .cells
                    .get(place)
                    .map_or("", |span| span.text.as_str())
            };
            lines.push(vec![
                Span::plain(format!("    {}   ", cell(0))),
                record.cells.get(1).cloned().unwrap_or_else(Span::none),
                Span::plain(format!("   {}", cell(4))),
            ]);
        }
    }
    let run = report.run.as_ref().map_or("it", |run| run.as_str());
    lines.push(vec![Span::plain(format!(
        "Undo of {run}: {}.",
        preview_text(report, writes_per_second)
    ))]);
    let Counts {
        valued, unrestored, ..
    } = counts(report);
    lines.push(vec![Span::plain(if valued == 0 && unrestored == 0 {
        "    Goes back: who owns the fields, and the release records, byte for byte. No value changes, no pod restarts."
    } else if valued == 0 {
        "    Goes back: who owns the fields, but for what is named above, and the release records. No value changes, no pod restarts."
    } else {
        "    Goes back: values that policies changed, who owns the fields, and the release records. Pods may restart."
    })]);
    lines.push(vec![Span::plain(
        "    This is not helm rollback: no older chart is rendered. Forward again: a new plan, or refit resume of the run.",
    )]);
    lines
}

/// What was put back: kind `UndoReport`.
pub fn report_screen(report: &UndoReport) -> Document {
    let counts = counts(report);
    let took = report.seconds.map_or_else(String::new, |seconds| {
        let time = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        format!(", {}", text::duration(time))
    });
    let mut line = vec![Span::plain(format!(
        "{} put back byte for byte ({}{took})",
        text::count(counts.totals.undone),
        text::counted(counts.objects, "object"),
    ))];
    if counts.unrestored > 0 {
        line.push(Span::with(but_for(&counts), Role::Attention));
    }
    for (count, words) in left(&Totals {
        undone: 0,
        ..counts.totals
    }) {
        line.push(Span::plain(", "));
        let role = if words == "stuck" {
            Role::Bad
        } else {
            Role::Attention
        };
        line.push(Span::with(format!("{} {words}", text::count(count)), role));
    }
    if counts.totals.open > 0 {
        line.push(Span::plain(format!(
            ", {} not finished",
            text::count(counts.totals.open)
        )));
    }
    line.push(Span::plain("."));
    next_of(base("UndoReport", report, false).total(line), report)
}

/// Problems that `Next:` names one by one; more would hide the table.
const NEXT_SHOWN: usize = 3;

fn next_of(mut document: Document, report: &UndoReport) -> Document {
    let Some(run) = &report.run else {
        return document;
    };
    let stuck = report
        .items
        .iter()
        .filter(|item| matches!(item.end, Some(Outcome::Stuck { .. })));
    for item in stuck.take(NEXT_SHOWN) {
        document = document.next(
            Next::UndoRelease {
                run: run.to_string(),
                release: item.release.to_string(),
            },
            "once its reason is gone",
        );
    }
    let unsettled =
        |item: &&UndoItem| matches!(item.end, Some(Outcome::MovedOn { settled: false, .. }));
    if report.items.iter().any(|item| unsettled(&item)) {
        document = document.next(Next::SettleAll, "once helm is done with them");
    }
    if report
        .items
        .iter()
        .any(|item| matches!(item.end, Some(Outcome::MovedOn { .. })))
    {
        document = document.next(Next::Audit, "who owns them now");
    }
    if report.items.iter().any(|item| item.end.is_none()) {
        document = document.next(
            Next::Undo {
                run: run.to_string(),
            },
            "the rest",
        );
    }
    document
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::ids::Revision;
    use crate::domain::report::RunState;
    use crate::domain::run::Side;
    use crate::render::{Format, Frame};

    fn item(id: &str, end: Option<Outcome>, from: u32, to: u32) -> UndoItem {
        UndoItem {
            release: id.parse().unwrap(),
            end,
            objects: 9,
            valued: 0,
            unrestored: Vec::new(),
            writes: 13,
            from: Revision(from),
            to: Revision(to),
        }
    }

    /// An undo of two releases, one of which has moved on.
    pub(crate) fn report(end: Option<Outcome>) -> UndoReport {
        let moved = Outcome::MovedOn {
            why: vec!["upgraded 2026-12-02T02:11Z by Helm 4".into()],
            settled: true,
        };
        let to = if matches!(end, Some(Outcome::Stuck { .. })) {
            6
        } else {
            5
        };
        UndoReport {
            run: Some("run-7k3f".into()),
            fleet: "acme".into(),
            state: RunState::Complete,
            items: vec![
                item("ap-2/monitoring/loki", end, 6, to),
                item("ap-2/shop/cart", Some(moved), 9, 9),
            ],
            seconds: Some(65),
        }
    }

    fn print(document: &Document, format: Format) -> crate::render::Printed {
        let frame = Frame {
            wide: format == Format::Wide,
            ..Frame::PIPE
        };
        document.print(format, None, &frame, &Frame::PIPE).unwrap()
    }

    #[test]
    fn a_dry_run() {
        let printed = print(&preview_screen(&report(None), 4), Format::Table);
        assert_eq!(
            printed.stdout,
            "\
RELEASE                STATE      OBJECTS   RECORD    WHY
ap-2/shop/cart         MovedOn    9         keeps-9   upgraded 2026-12-02T02:11Z by Helm 4
ap-2/monitoring/loki   WillUndo   9         6->5      <none>
"
        );
        assert_eq!(
            printed.stderr.lines().next().unwrap(),
            "Undo: 1 to put back (9 objects, 4.0s at 4 writes/s, 0 value changes), 1 moved on: left alone. 0 writes."
        );
    }

    #[test]
    fn a_report_shows_what_was_put_back_in_wide_only() {
        let undone = report(Some(Outcome::Undone {
            why: "asked for".into(),
        }));
        let document = report_screen(&undone);
        assert!(!print(&document, Format::Table).stdout.contains("loki"));
        assert!(
            print(&document, Format::Wide)
                .stdout
                .contains("loki   Undone")
        );
        assert_eq!(document.to_json()["items"].as_array().unwrap().len(), 2);
        assert!(
            print(&document, Format::Table)
                .stderr
                .starts_with("1 put back byte for byte (9 objects, 1m05s), 1 moved on.\n")
        );
    }

    #[test]
    fn owners_that_stay_are_named_before_and_after() {
        let entries =
            "Thing it keeps its new owners, not restorable: operator (Update, d6.io/v1alpha1)";
        for end in [
            None,
            Some(Outcome::Undone {
                why: "asked for".into(),
            }),
        ] {
            let mut undo = report(end.clone());
            undo.items[0].unrestored = vec![entries.into()];
            let document = match end {
                None => preview_screen(&undo, 4),
                Some(_) => report_screen(&undo),
            };
            let printed = print(&document, Format::Table);
            assert!(printed.stdout.contains(entries), "{}", printed.stdout);
            let but = ", but for owners of 1 object that nobody can write any more";
            assert!(printed.stderr.contains(but), "{}", printed.stderr);
            let json = document.to_json();
            assert_eq!(json["summary"]["unrestored"], 1);
            let items = json["items"].as_array().unwrap();
            assert!(
                items.iter().any(|it| it["unrestored"][0] == entries),
                "{json}"
            );
            let lines = preview_lines(&undo, 4);
            let told = |words: &str| {
                let mut spans = lines.iter().flatten();
                spans.any(|span| span.text.contains(words))
            };
            assert!(!told("byte for byte"));
            assert!(told(entries));
        }
    }

    #[test]
    fn stuck_says_which_side() {
        let document = report_screen(&report(Some(Outcome::Stuck {
            why: "StatefulSet/loki: webhook timeout".into(),
            side: Side::After,
        })));
        let printed = print(&document, Format::Table);
        assert!(printed.stdout.contains(
            "ap-2/monitoring/loki   Stuck     9         keeps-6   StatefulSet/loki: webhook timeout; whole, on server-side apply"
        ), "{}", printed.stdout);
        assert!(
            printed
                .stderr
                .contains("Next: refit undo run-7k3f ap-2/monitoring/loki"),
            "{}",
            printed.stderr
        );
    }
}
