//! `refit settle`: releases that moved on while refit worked on them, looked at again.

use super::undo::base;
use crate::domain::report::UndoReport;
use crate::domain::run::Outcome;
use crate::render::{Document, Next, Span, text};

/// What is shown before the question.
pub fn preview_lines(report: &UndoReport) -> Vec<Vec<Span>> {
    let mut lines = vec![vec![Span::plain(format!(
        "{} moved on before refit was done with {}:",
        text::counted(text::len(&report.items), "release"),
        if report.items.len() == 1 {
            "it"
        } else {
            "them"
        },
    ))]];
    for item in &report.items {
        lines.push(vec![Span::plain(format!("    {}", item.release))]);
    }
    lines.push(vec![Span::plain(
        "    Removes refit's own late locks, and supersedes its own revision where a newer one is deployed.",
    )]);
    lines.push(vec![Span::plain(
        "    No object is touched; Helm's own revisions stay as they are.",
    )]);
    lines
}

/// What came of it: kind `SettleReport`.
pub fn report_screen(report: &UndoReport) -> Document {
    let open = report
        .items
        .iter()
        .filter(|item| {
            matches!(
                item.end,
                None | Some(Outcome::MovedOn { settled: false, .. })
            )
        })
        .count();
    let settled = report.items.len() - open;
    let document = base("SettleReport", report, false).total([Span::plain(format!(
        "{} settled, {open} not yet.",
        text::count(u64::try_from(settled).unwrap_or(u64::MAX)),
    ))]);
    if open > 0 {
        document.next(Next::SettleAll, "once helm is done with them")
    } else {
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Format, Frame};

    #[test]
    fn nothing_to_settle_is_a_whole_screen() {
        let mut report = super::super::undo::tests::report(None);
        report.items.clear();
        report.run = None;
        let printed = report_screen(&report)
            .print(Format::Table, None, &Frame::PIPE, &Frame::PIPE)
            .unwrap();
        assert_eq!(printed.stdout, "RELEASE   STATE   OBJECTS   RECORD   WHY\n");
        assert_eq!(printed.stderr, "0 settled, 0 not yet.\n");
    }
}
