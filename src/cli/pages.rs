//! The pages behind `refit help` and under docs/reference.

use std::fmt::Write as _;

use super::error::ErrorCode;
use super::exit::Exit;
use crate::render::{Column, Frame, Span, Table};

/// What `refit` alone prints: three examples, the verbs by stage.
pub const SUMMARY: &str = "\
refit moves fleets of Helm releases from client-side to server-side apply, and back.

    refit inventory --context 'acme-*'     what there is; only reads
    refit plan --save acme.plan.json       what would migrate when; only reads
    refit run acme.plan.json               migrates, wave by wave; asks first

Look       inventory, shadow, triage, fields, status
Decide     plan, show, diff, policy, playbook, config
Migrate    run, resume
Go back    undo (rollback), unlock, settle
Prove      audit
Help       refit help VERB | exit-codes | outcomes | errors | policy; completion for your shell
";

/// An end of an attempt at one release.
pub struct OutcomeRow {
    /// Its word.
    pub word: &'static str,
    /// The state of the release.
    pub means: &'static str,
    /// What the operator reads, and does.
    pub reads: &'static str,
    /// The exit code that it leads to.
    pub exit: Exit,
}

/// Every end, with what it means.
pub const OUTCOMES: &[OutcomeRow] = &[
    OutcomeRow {
        word: "Done",
        means: "migrated, exactly",
        reads: "revision N became N+1, counted as migrated; nothing to do",
        exit: Exit::Ok,
    },
    OutcomeRow {
        word: "Undone",
        means: "as before, exactly",
        reads: "put back, with the reason; nothing to do. For refit undo this is the wished end, and exit code 0",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "Busy",
        means: "untouched (handed back)",
        reads: "another run holds it, or a helm operation is under way: try again later",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "Stale",
        means: "untouched (handed back)",
        reads: "it changed since the plan: plan again",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "Held",
        means: "untouched (handed back)",
        reads: "something else must be done first: a GitOps owner, a conflict, unfinished work of another run",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "MovedOn",
        means: "somebody else went on",
        reads: "ours is removed where that hurts nobody; the reasons say who moved what, object by object",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "MovedOn, not settled",
        means: "somebody else went on, and is not done",
        reads: "refit settle looks again once helm is done; two revisions may be deployed until then",
        exit: Exit::SomeNotDone,
    },
    OutcomeRow {
        word: "Stuck",
        means: "only a person can decide",
        reads: "nothing is being written; the reason says which side the release is on and what to do",
        exit: Exit::SomeNotDone,
    },
];

/// States of a release that are no end.
pub const NOT_ENDS: &[OutcomeRow] = &[
    OutcomeRow {
        word: "Open",
        means: "not begun, or in hand",
        reads: "refit resume goes on with it",
        exit: Exit::Ok,
    },
    OutcomeRow {
        word: "Waiting",
        means: "waits for a time or for somebody",
        reads: "the reason, and until when: an undo's lock dwells, or a foreign revision is pending",
        exit: Exit::Waiting,
    },
    OutcomeRow {
        word: "Fenced",
        means: "another process took the cluster over",
        reads: "this process writes nothing more there; the other one goes on",
        exit: Exit::LockHeld,
    },
];

/// The exit codes as text.
pub fn exit_codes_text() -> String {
    let mut table = Table::new([Column::new("CODE"), Column::new("MEANING")]);
    for exit in Exit::ALL {
        table.row([
            Span::plain(exit.code().to_string()),
            Span::plain(exit.meaning()),
        ]);
    }
    let order: Vec<String> = Exit::PRECEDENCE
        .iter()
        .map(|exit| exit.code().to_string())
        .collect();
    format!(
        "{}\nIf several hold, the first of these: {}.\n",
        table.render(&Frame::PIPE),
        order.join(", ")
    )
}

/// The outcomes as text.
pub fn outcomes_text() -> String {
    let mut out = String::from("How an attempt at one release ends:\n\n");
    for (title, rows) in [("", OUTCOMES), ("\nNot ends:\n\n", NOT_ENDS)] {
        out.push_str(title);
        for row in rows {
            let _ = writeln!(
                out,
                "{:<21} {}; exit {}",
                row.word,
                row.means,
                row.exit.code()
            );
            let _ = writeln!(out, "{:<21} {}", "", row.reads);
        }
    }
    out
}

/// The error codes as text.
pub fn errors_text() -> String {
    let mut table = Table::new([
        Column::new("CODE"),
        Column::new("EXIT"),
        Column::new("MEANING"),
    ]);
    for code in ErrorCode::ALL {
        table.row([
            Span::plain(code.word()),
            Span::plain(code.exit().code().to_string()),
            Span::plain(one_paragraph(*code)),
        ]);
    }
    table.render(&Frame::PIPE)
}

/// One error code as text.
pub fn error_text(code: ErrorCode) -> String {
    format!(
        "{}: exit code {}\n\n{}\n",
        code.word(),
        code.exit().code(),
        one_paragraph(code)
    )
}

/// An error code's page on one line.
pub(super) fn one_paragraph(code: ErrorCode) -> String {
    let lines: Vec<&str> = code.page().lines().map(str::trim).collect();
    lines.join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::{Outcome, Side};

    #[test]
    fn every_outcome_has_a_row() {
        let text = String::new;
        let all = [
            Outcome::Done,
            Outcome::Undone { why: text() },
            Outcome::Busy { who: text() },
            Outcome::Stale { what: text() },
            Outcome::Held { why: text() },
            Outcome::MovedOn {
                why: vec![],
                settled: true,
            },
            Outcome::Stuck {
                why: text(),
                side: Side::After,
            },
        ];
        for outcome in &all {
            // A new variant does not compile here: give it a row.
            match outcome {
                Outcome::Done
                | Outcome::Undone { .. }
                | Outcome::Busy { .. }
                | Outcome::Stale { .. }
                | Outcome::Held { .. }
                | Outcome::MovedOn { .. }
                | Outcome::Stuck { .. } => {}
            }
            assert!(
                OUTCOMES.iter().any(|row| row.word == outcome.word()),
                "{}",
                outcome.word()
            );
        }
        let handed_back: Vec<&str> = OUTCOMES
            .iter()
            .filter(|row| row.means.contains("handed back"))
            .map(|row| row.word)
            .collect();
        let really: Vec<&str> = all
            .iter()
            .filter(|it| it.is_handed_back())
            .map(Outcome::word)
            .collect();
        assert_eq!(handed_back, really);
    }
}
