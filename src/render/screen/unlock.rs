//! `refit unlock`: the lock, what its run had moved, and what its removal leaves.

use jiff::Timestamp;
use serde_json::json;

use super::run::side_words;
use crate::domain::ids::{ClusterName, ReleaseId, Revision, RunId};
use crate::domain::run::Side;
use crate::render::{Document, Next, Role, Span, text};

/// A lock as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockPreview {
    /// The release.
    pub release: ReleaseId,
    /// The lock's revision.
    pub lock: Revision,
    /// Its token, as found: the removal is refused if it is another by then.
    pub token: String,
    /// The run that made it, by its token.
    pub run: RunId,
    /// When it was made.
    pub since: Timestamp,
    /// This store knows the run: then `resume` is the better way.
    pub known: bool,
    /// Objects of the release that are on server-side apply now.
    pub moved: u32,
    /// Objects of the release.
    pub objects: u32,
    /// Which side the release would be on.
    pub side: Side,
    /// The cluster, if it has label env=prod.
    pub prod: Vec<ClusterName>,
}

/// What is shown before the question.
pub fn preview_lines(preview: &UnlockPreview, now: Timestamp) -> Vec<Vec<Span>> {
    let mut lines = vec![
        vec![
            Span::with(preview.release.to_string(), Role::Strong),
            Span::plain(format!(
                "   revision {} is the lock of {}, made {} ({} ago)",
                preview.lock,
                preview.run,
                text::minute(preview.since),
                text::age(preview.since, now)
            )),
        ],
        vec![Span::plain(format!(
            "    On server-side apply now: {} of {}; the release is {}.",
            text::count(preview.moved),
            text::counted(preview.objects, "object"),
            side_words(preview.side)
        ))],
        vec![Span::plain(
            "    Deletes that one record, if it is still the same. No object, no other revision is touched.",
        )],
    ];
    if preview.known {
        let resume = Next::Resume {
            run: preview.run.to_string(),
        };
        lines.push(vec![
            Span::plain("    This store knows the run: "),
            Span::with(resume.command(), Role::Strong),
            Span::plain(" finishes or undoes the release, and is the better way."),
        ]);
    }
    lines.push(vec![Span::plain(
        "There is no way back from this one; the next helm upgrade goes on from the deployed revision.",
    )]);
    lines
}

/// What came of it: kind `Unlocked`.
pub fn done_screen(
    preview: &UnlockPreview,
    lock: Revision,
    deployed: Option<Revision>,
    side: Side,
) -> Document {
    let stays = deployed.map_or_else(
        || "no revision is deployed".to_owned(),
        |revision| format!("revision {revision} is deployed"),
    );
    let mut document = Document::new("Unlocked")
        .field("release", json!(preview.release))
        .field("lock", json!(lock))
        .field("side", json!(side))
        .names([preview.release.to_string()])
        .text(format!(
            "{}: lock (revision {lock}) removed; {stays}; {}.",
            preview.release,
            side_words(side)
        ));
    if let Some(revision) = deployed {
        document = document.field("deployed", json!(revision));
    }
    document.next(
        Next::AuditCluster {
            cluster: preview.release.cluster.to_string(),
        },
        "",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Frame;
    use crate::render::document::line_text;

    #[test]
    fn the_lock_is_shown_with_its_side() {
        let preview = UnlockPreview {
            release: "eu-1/payments/ledger".parse().unwrap(),
            lock: Revision(10),
            token: "store/run-7k3f/1".into(),
            run: "run-7k3f".into(),
            since: "2026-12-02T10:00:00Z".parse().unwrap(),
            known: true,
            moved: 3,
            objects: 9,
            side: Side::Between,
            prod: vec![],
        };
        let now = "2026-12-02T12:00:00Z".parse().unwrap();
        let text: String = preview_lines(&preview, now)
            .iter()
            .map(|line| line_text(line, &Frame::PIPE))
            .collect();
        assert!(
            text.contains("lock of run-7k3f, made 2026-12-02T10:00Z (2h ago)"),
            "{text}"
        );
        assert!(
            text.contains("3 of 9 objects; the release is partly moved"),
            "{text}"
        );
        assert!(text.contains("refit resume run-7k3f finishes"), "{text}");
        let done = done_screen(&preview, Revision(10), Some(Revision(9)), Side::Between);
        assert_eq!(done.to_json()["deployed"], 9);
    }
}
