//! `--from` with a capture on the command line, on a backend that is given its answers.
#![cfg(test)]

use super::tests::{PIPES, refit};
use crate::engine::capture::{Answers, FleetCapture};

/// Both clusters of fleet acme, read whole and empty.
pub fn capture() -> FleetCapture {
    FleetCapture {
        taken_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        clusters: ["eu-1", "eu-2"]
            .map(|name| (name.into(), Ok(Answers::default())))
            .into(),
        documents: [].into(),
    }
}

#[test]
fn a_saved_inventory_is_forecast_without_a_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.inv.json");
    let file = path.display().to_string();
    let saved = refit(&format!("inventory --save {file}"), &PIPES);
    assert_eq!(saved.exit, 0, "{}", saved.stderr);
    let live = refit("shadow", &PIPES);
    let from = refit(&format!("shadow --from {file}"), &PIPES);
    assert_eq!(
        (from.exit, &from.stdout),
        (0, &live.stdout),
        "{}",
        from.stderr
    );
    assert!(!from.stderr.contains("reading"), "{}", from.stderr);
    let live = refit("triage", &PIPES);
    assert_eq!(
        refit(&format!("triage --from {file}"), &PIPES).stdout,
        live.stdout
    );
    let both = refit(&format!("shadow --from {file} --confirm 1"), &PIPES);
    assert_eq!(both.exit, 1);
    assert!(
        both.stderr.contains("--confirm asks the clusters"),
        "{}",
        both.stderr
    );
    let none = refit(&format!("shadow --from {file} --cluster mars"), &PIPES);
    assert!(
        none.exit == 1 && none.stderr.contains("in scope"),
        "{}",
        none.stderr
    );
    let text = std::fs::read_to_string(&path).unwrap();
    for (edit, words) in [
        (
            text.replace("\"version\":\"\"", "\"version\":\"v1\""),
            "/capture/clusters/eu-1",
        ),
        (
            text.replace("\"documents\":{}", "\"documents\":{\"x\":1}"),
            "/capture/documents/x",
        ),
        (text.replace("\"digests\":", "\"digest\":"), "/capture"),
    ] {
        std::fs::write(&path, edit).unwrap();
        let edited = refit(&format!("shadow --from {file}"), &PIPES);
        assert_eq!(edited.exit, 1, "{words}");
        assert!(edited.stderr.contains(words), "{words}: {}", edited.stderr);
    }
}
