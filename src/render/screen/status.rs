//! `refit status`: all runs, or one in detail.

use jiff::Timestamp;
use serde_json::json;

use super::run::{
    head, next_of, release_columns, release_records, state_text, summary, totals_text,
};
use crate::domain::report::{RunReport, RunState};
use crate::render::{Column, Document, Next, Record, Role, Span, Table, text};

/// All runs: kind `RunList`.
pub fn list_screen(runs: &[RunReport], now: Timestamp) -> Document {
    let records = runs.iter().map(|run| record(run, now));
    let open = runs.iter().filter(|run| run.state != RunState::Complete);
    let document = Document::new("RunList")
        .field(
            "summary",
            json!({"runs": runs.len(), "open": open.clone().count()}),
        )
        .listing(
            vec![
                Column::new("RUN"),
                Column::new("FLEET").narrow(1),
                Column::new("STATE"),
                Column::new("WAVE"),
                Column::new("MIGRATED"),
                Column::new("UNDONE").narrow(2),
                Column::new("AGE").narrow(3),
                Column::new("STARTED").wide(),
                Column::new("HOLDER").wide(),
                Column::new("UNTIL").narrow(4),
                Column::new("WHY"),
            ],
            records,
        )
        .total([Span::plain(format!(
            "{}, {} open. 0 writes.",
            text::counted(text::len(runs), "run"),
            open.clone().count()
        ))]);
    match open.clone().next() {
        Some(run) => document.next(
            Next::Status {
                run: run.run.to_string(),
            },
            "",
        ),
        None => document.next(Next::Plan, ""),
    }
}

fn record(run: &RunReport, now: Timestamp) -> Record {
    let totals = run.totals();
    Record {
        cells: vec![
            Span::plain(run.run.as_str()),
            Span::plain(&run.fleet),
            Span::state(run.state.word()),
            Span::plain(format!("{}/{}", run.wave, run.waves.len())),
            Span::plain(format!("{}/{}", totals.migrated, totals.releases())),
            Span::bad_count(totals.undone, totals.undone.to_string()),
            Span::with(text::age(run.started, now), Role::Quiet),
            Span::plain(text::time(run.started)),
            Span::or_none(Some(run.holder.as_str())),
            Span::or_none(run.until.map(text::minute)),
            Span::or_none(run.why.as_deref()),
        ],
        json: json!({
            "run": run.run, "fleet": run.fleet, "planDigest": run.plan_digest, "holder": run.holder,
            "started": run.started, "waves": run.waves.len(), "summary": summary(run),
        }),
        name: Some(run.run.to_string()),
        only_wide: false,
    }
}

/// One run: kind `RunReport`.
pub fn run_screen(run: &RunReport, now: Timestamp) -> Document {
    let mut line = vec![Span::with(run.run.as_str(), Role::Strong), Span::plain(" ")];
    line.extend(state_text(run));
    let mut waves = Table::new([
        Column::new("WAVE"),
        Column::new("NAME"),
        Column::new("RELEASES"),
        Column::new("MIGRATED"),
        Column::new("HANDED-BACK"),
        Column::new("UNDONE").narrow(2),
        Column::new("MOVED-ON").narrow(1),
        Column::new("STUCK"),
        Column::new("OPEN"),
    ]);
    for wave in &run.waves {
        let totals = &wave.totals;
        waves.row([
            Span::with(wave.number.to_string(), Role::Strong),
            Span::plain(&wave.name),
            Span::plain(totals.releases().to_string()),
            Span::plain(totals.migrated.to_string()),
            Span::plain(totals.handed_back.to_string()),
            Span::bad_count(totals.undone, totals.undone.to_string()),
            Span::plain(totals.moved_on.to_string()),
            Span::bad_count(totals.stuck, totals.stuck.to_string()),
            Span::plain(totals.open.to_string()),
        ]);
    }
    let mut document = head(Document::new("RunReport"), run)
        .line(line)
        .text(format!(
            "fleet {}, plan {}, started {} ({} ago) by {}",
            run.fleet,
            text::short_digest(run.plan_digest.as_str()),
            text::minute(run.started),
            text::age(run.started, now),
            run.holder,
        ))
        .gap()
        .table(waves);
    if run.totals().not_done() > 0 {
        document = document.gap();
    }
    let document = document
        .listing(release_columns(), release_records(run))
        .total([Span::plain(format!(
            "{}. 0 writes.",
            totals_text(&run.totals())
        ))]);
    next_of(document, run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::screen::run::tests::report;
    use crate::render::{Format, Frame};

    fn now() -> Timestamp {
        "2026-11-27T13:19:00Z".parse().unwrap()
    }

    #[test]
    fn all_runs() {
        let mut waiting = report(RunState::Waiting);
        waiting.why = Some("approval 0 of 1, then window edge".into());
        waiting.until = Some("2026-11-29T01:00:00Z".parse().unwrap());
        let printed = list_screen(&[waiting], now())
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
RUN        FLEET   STATE     WAVE   MIGRATED   UNDONE   AGE   UNTIL               WHY
run-7k3f   acme    Waiting   2/2    1/4        0        3d    2026-11-29T01:00Z   approval 0 of 1, then window edge
"
        );
        assert_eq!(
            printed.stderr,
            "1 run, 1 open. 0 writes.\nNext: refit status run-7k3f\n"
        );
    }

    #[test]
    fn one_run() {
        let printed = run_screen(&report(RunState::Complete), now())
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(
            printed.stdout,
            "\
run-7k3f Complete
fleet acme, plan sha256:9f31c2a4, started 2026-11-24T08:00Z (3d ago) by kim@bastion-1

WAVE   NAME     RELEASES   MIGRATED   HANDED-BACK   UNDONE   MOVED-ON   STUCK   OPEN
1      canary   1          1          0             0        0          0       0
2      wave-2   3          0          1             0        0          1       1

RELEASE          WAVE   STATE   WRITES   WHY
eu-2/shop/pay    2      Stuck   12       webhook fail.example timed out; whole, on server-side apply
eu-2/shop/cart   2      Held    12       driven by flux
"
        );
    }
}
