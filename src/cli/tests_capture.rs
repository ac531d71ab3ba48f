//! `--from` a saved inventory on the command line: what is taken, and what is refused before anything is read or written.
#![cfg(test)]

use std::path::Path;

use super::captured::write;
use super::tests::{PIPES, refit};
use crate::domain::release::Driver;
use crate::engine::capture::{Answers, FleetCapture, HeldCluster, Taken};
use crate::render::{API_VERSION, Document};

/// Both clusters of fleet acme, read whole and empty.
pub fn capture() -> FleetCapture {
    let held = |name: &str| HeldCluster {
        context: format!("acme-{name}"),
        kubeconfig: None,
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        answers: Ok(Answers::default()),
    };
    FleetCapture {
        taken_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        fleet: "acme".into(),
        scope: Taken {
            driver: Driver::Secret,
            namespaces: Vec::new(),
        },
        clusters: ["eu-1", "eu-2"]
            .map(|name| (name.into(), held(name)))
            .into(),
        documents: [].into(),
    }
}

fn save(path: &Path) {
    let document = Document::new("ReleaseList").field("items", serde_json::json!([]));
    write(path, &document, &capture()).unwrap();
}

fn saved() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.inv.json");
    save(&path);
    (folder, path.display().to_string())
}

/// Refused with these words, and a command that helps.
fn refused(line: &str, code: &str, words: &[&str]) {
    let came = refit(line, &PIPES);
    assert_eq!((came.exit, came.stdout.as_str()), (1, ""), "{line}");
    for word in words.iter().chain(&[code]) {
        assert!(
            came.stderr.contains(word),
            "{line}: no {word} in {}",
            came.stderr
        );
    }
}

#[test]
fn a_saved_inventory_is_forecast_without_a_cluster() {
    let (_folder, file) = saved();
    let live = refit("shadow", &PIPES);
    let from = refit(&format!("shadow --from {file}"), &PIPES);
    assert_eq!(
        (from.exit, &from.stdout),
        (0, &live.stdout),
        "{}",
        from.stderr
    );
    for words in [
        "reading",
        "from ",
        "refit triage --from ",
        "refit plan --from ",
    ] {
        assert!(from.stderr.contains(words), "{words}: {}", from.stderr);
    }
    let line = format!("refit shadow --from {file} eu-1/shop/ledger");
    assert!(from.stderr.contains(&line), "{}", from.stderr);
    let one = refit(line.strip_prefix("refit ").unwrap(), &PIPES);
    assert!(
        one.exit == 0 && one.stdout.contains("eu-1/shop/ledger"),
        "{}",
        one.stderr
    );
    let live = refit("triage", &PIPES);
    let from = refit(&format!("triage --from {file}"), &PIPES);
    assert_eq!(from.stdout, live.stdout, "{}", from.stderr);
    assert!(
        from.stderr
            .contains(&format!("refit triage --from {file} ")),
        "{}",
        from.stderr
    );
    // Of a file too, a part: by the names of its clusters, their contexts, their labels.
    for part in ["--cluster eu-1", "--context acme-eu-1"] {
        let from = refit(&format!("shadow --from {file} {part} -o json"), &PIPES);
        assert!(
            !from.stdout.contains("eu-2/") && from.stdout.contains("eu-1/"),
            "{part}: {}",
            from.stderr
        );
    }
    let all = refit(&format!("shadow --from {file} -l env=prod -o name"), &PIPES);
    assert_eq!(all.stdout.lines().count(), 3, "{}", all.stderr);
}

#[test]
fn every_verb_that_looks_takes_the_file() {
    let (folder, file) = saved();
    let manifest = folder.path().join("next.yaml");
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    std::fs::write(&manifest, text).unwrap();
    let next = format!("shadow --manifest {} shop/checkout", manifest.display());
    for verb in [
        "plan",
        "plan --what-if limits.writes_per_second=40",
        "graph",
        "graph eu-1 -o dot",
        "policy explain eu-1/shop/checkout",
        &next,
    ] {
        let live = refit(verb, &PIPES);
        let from = refit(&format!("{verb} --from {file}"), &PIPES);
        assert_eq!(
            (from.exit, &from.stdout),
            (live.exit, &live.stdout),
            "{verb}: {}",
            from.stderr
        );
        assert!(
            from.stderr.starts_with(&format!("reading {file}")),
            "{verb}: {}",
            from.stderr
        );
        assert!(
            !from.stderr.contains("does not name"),
            "{verb}: {}",
            from.stderr
        );
        refused(
            &format!("{verb} --from {file} --cluster mars"),
            "ContextNotFound",
            &["holds eu-1, eu-2"],
        );
    }
}

#[test]
fn what_the_file_does_not_hold_is_refused_with_what_it_holds() {
    let (folder, file) = saved();
    let holds = ["holds eu-1, eu-2", "refit inventory --save "];
    refused(
        &format!("shadow --from {file} --cluster mars"),
        "ContextNotFound",
        &holds,
    );
    refused(
        &format!("triage --from {file} --context acme-us-1"),
        "ContextNotFound",
        &holds,
    );
    refused(
        &format!("shadow --from {file} -l env=test"),
        "ContextNotFound",
        &holds,
    );
    let fleet = folder.path().join("fleet.toml");
    let with = |clusters: &str| {
        std::fs::write(&fleet, format!("[fleet]\nname = \"acme\"\n{clusters}")).unwrap();
        format!("shadow --from {file} --fleet {}", fleet.display())
    };
    let line = with("[[clusters]]\ncontexts = \"acme-eu-*\"\n");
    assert_eq!(refit(&line, &PIPES).exit, 0);
    let line = with("[[clusters]]\ncontexts = \"acme-us-*\"\n");
    refused(
        &line,
        "ContextNotFound",
        &[
            "no context matches",
            "acme-us-*",
            "2 contexts in",
            "acme.inv.json",
        ],
    );
    let line = with("[[clusters]]\ncontext = \"acme-eu-1\"\nname = \"mars\"\n");
    refused(
        &line,
        "ContextNotFound",
        &["does not hold cluster mars", holds[0]],
    );
    refused(
        &format!("shadow --from {file} --confirm 1"),
        "Usage",
        &["--confirm"],
    );
}

#[test]
fn a_file_that_is_not_as_it_was_saved_is_refused_at_its_place() {
    let (folder, file) = saved();
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = |text: String| {
        std::fs::write(&file, text).unwrap();
    };
    for (from, to, words) in [
        (
            "\"version\":\"\"",
            "\"version\":\"v1\"",
            "/capture/clusters/eu-1",
        ),
        (
            "\"documents\":{}",
            "\"documents\":{\"x\":1}",
            "/capture/documents/x",
        ),
        ("\"items\":[]", "\"items\":[1]", "/items"),
        ("\"digests\":", "\"digest\":", "/capture"),
        ("\"format\":1", "\"format\":7", "another version of refit"),
    ] {
        changed(text.replace(from, to));
        for verb in ["shadow", "triage", "plan", "graph"] {
            refused(
                &format!("{verb} --from {file}"),
                "FileInvalid",
                &[words, "refit inventory --save "],
            );
        }
    }
    changed(text[..text.len() / 2].to_owned());
    refused(
        &format!("shadow --from {file}"),
        "FileInvalid",
        &["is cut off"],
    );
    changed("{}".to_owned());
    refused(
        &format!("triage --from {file}"),
        "FileInvalid",
        &["no document of refit"],
    );
    changed(format!(
        "{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"Plan\"}}"
    ));
    refused(
        &format!("shadow --from {file}"),
        "WrongKind",
        &["is a Plan; a ReleaseList is needed"],
    );
    changed(format!(
        "{{\"apiVersion\":\"{API_VERSION}\",\"kind\":\"ReleaseList\",\"items\":[]}}"
    ));
    refused(
        &format!("shadow --from {file}"),
        "FileInvalid",
        &["holds no answers of clusters", "refit inventory --save "],
    );
    changed("not json".to_owned());
    refused(
        &format!("triage --from {file}"),
        "FileInvalid",
        &["is not JSON"],
    );
    let nowhere = folder.path().join("nowhere").display().to_string();
    refused(
        &format!("shadow --from {nowhere}"),
        "FileFailed",
        &["cannot be read"],
    );
}

#[test]
fn an_inventory_of_nothing_overwrites_no_file() {
    let (_folder, file) = saved();
    let before = std::fs::read(&file).unwrap();
    // The clusters of this backend do not answer.
    let came = refit(&format!("inventory --save {file}"), &PIPES);
    assert_eq!(
        (came.exit, std::fs::read(&file).unwrap()),
        (1, before),
        "{}",
        came.stderr
    );
    assert!(
        !came.stderr.contains("refit shadow --from"),
        "{}",
        came.stderr
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("acme.inv.json");
    std::fs::write(&path, "{}").unwrap();
    let beside = folder
        .path()
        .join(format!("acme.inv.json.{}.tmp", std::process::id()));
    std::fs::write(beside, "left over").unwrap();
    save(&path);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
