//! One cause in full: every release, object and field, and the whole fix.

use super::super::plan::outcome_word;
use super::{ask, policies};
use crate::domain::shadow::ReleaseOutcome;
use crate::domain::triage::{Cause, Evidence};
use crate::render::{Column, Cut, Document, Next, Role, Span, Table, text};

/// Appends the cause; `again` if its fix is told already.
pub(super) fn explain(mut document: Document, cause: &Cause, again: bool) -> Document {
    let counted = text::counted(text::len(&cause.releases), "release");
    let clusters = text::counted(text::len(&cause.clusters), "cluster");
    let mut head = format!("   decides: {}   {counted} on {clusters}", cause.decides);
    if !cause.also.is_empty() {
        let also = text::count(text::len(&cause.also));
        head.push_str(&format!(", and {also} that count under a graver cause"));
    }
    let outcome = if cause.outcome == ReleaseOutcome::Ready {
        Span::plain("holds nothing")
    } else {
        Span::state(outcome_word(cause.outcome))
    };
    document = document.line([
        Span::with(&cause.name, Role::Strong),
        Span::plain("   "),
        outcome,
        Span::plain(head),
    ]);
    if !cause.about.is_empty() && !again {
        document = document.text(&cause.about);
    }
    document = document.gap().table(evidence(&cause.evidence));
    if again {
        return document;
    }
    document = document.gap();
    document = document.line([Span::with("Fix: ", Role::Strong), Span::plain(&cause.fix)]);
    for line in cause.full.trim().lines() {
        document = document.text(line);
    }
    if !cause.rules.is_empty() {
        document = document
            .gap()
            .text("Rules for fleet.toml (refit triage --rules prints those of all causes):");
        document = lines(document, &policies(&cause.rules));
    }
    if let Some(question) = &cause.question {
        document = ask(document.gap(), question);
        for option in question.options.iter().filter(|it| !it.rules.is_empty()) {
            document = document
                .gap()
                .text(format!("Rules for the answer \"{}\":", option.answer));
            document = lines(document, &policies(&option.rules));
        }
    }
    if !cause.patches.is_empty() {
        let count = text::counted(text::len(&cause.patches), "patch");
        document = document.gap().text(format!(
            "{count} to make over there; the first of them, {}:",
            cause.patches[0].file
        ));
        document = lines(document, &cause.patches[0].text).next(
            Next::TriagePatches {
                folder: "patches".to_owned(),
            },
            "writes all patches",
        );
    }
    if let Some(first) = cause.releases.first().or(cause.also.first()) {
        document = document.next(
            Next::Shadow {
                release: first.to_string(),
            },
            "one release, field by field",
        );
    }
    document
}

fn lines(mut document: Document, texts: &str) -> Document {
    for line in texts.trim_matches('\n').lines() {
        document = document.text(line);
    }
    document
}

fn evidence(evidence: &[Evidence]) -> Table {
    let mut table = Table::new([
        Column::new("RELEASE"),
        Column::new("CHART").wide(),
        Column::new("OBJECT").narrow(2),
        Column::new("TYPE").narrow(1),
        Column::new("FIELD").at_most(30, Cut::Middle),
        Column::new("OWNER").at_most(22, Cut::Middle),
        Column::new("THEIRS->OURS"),
    ]);
    for it in evidence {
        let finding = &it.finding;
        let object = finding
            .object
            .as_ref()
            .map(|object| format!("{}/{}", object.kind.to_lowercase(), object.name));
        let values = match (&finding.theirs, &finding.ours) {
            (None, None) => finding.message.clone(),
            (theirs, ours) => format!("{} -> {}", value(theirs.as_ref()), value(ours.as_ref())),
        };
        table.row([
            Span::plain(it.release.to_string()),
            Span::plain(&it.chart),
            Span::or_none(object),
            Span::plain(&finding.kind),
            Span::or_none(finding.field.as_deref()),
            Span::or_none(finding.owner.as_deref()),
            Span::plain(values),
        ]);
    }
    table
}

fn value(text: Option<&String>) -> &str {
    match text.map(String::as_str) {
        None => "<none>",
        Some("") => "\"\"",
        Some(text) => text,
    }
}
