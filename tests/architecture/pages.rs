//! The written pages keep up with the code: links lead somewhere, and an invariant names a check that is there.

use std::path::Path;

use super::tree::{files, read, root};

/// What opens an invariant.
const INVARIANT: &str = "**Invariant:**";

/// What opens the list of its checks.
const HELD_BY: &str = "*Held by*";

fn written() -> Vec<String> {
    let mut pages = files("docs", "md");
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned));
    pages
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for page in written() {
        let text = read(&page);
        let folder = Path::new(&page).parent().unwrap_or(Path::new(""));
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !root().join(folder).join(target).exists() {
                dead.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(
        dead.is_empty(),
        "links that lead nowhere:\n{}",
        dead.join("\n")
    );
}

/// `**Invariant:** … *Held by* `file` or `file::function`, …`, in one paragraph.
#[test]
fn every_invariant_names_a_check_that_exists() {
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in written() {
        let text = read(&page);
        for invariant in text.split(INVARIANT).skip(1) {
            let paragraph = invariant.split("\n\n").next().unwrap_or_default();
            let said = paragraph.lines().next().unwrap_or_default();
            let Some((_, checks)) = paragraph.split_once(HELD_BY) else {
                missing.push(format!("{page}: no check is named by: {said}"));
                continue;
            };
            let checks: Vec<&str> = checks.split('`').skip(1).step_by(2).collect();
            if checks.is_empty() {
                missing.push(format!("{page}: no check is named by: {said}"));
            }
            for check in checks {
                checked += 1;
                if !exists(check) {
                    missing.push(format!("{page}: there is no check `{check}`"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(
        checked > 0,
        "no invariant was found: has the page's form changed?"
    );
}

/// `path`, or `path::function` where the file has that function.
fn exists(check: &str) -> bool {
    let (file, function) = match check.split_once("::") {
        Some((file, function)) => (file, Some(function)),
        None => (check, None),
    };
    let path = root().join(file);
    match function {
        None => path.exists(),
        Some(function) => std::fs::read_to_string(path)
            .is_ok_and(|text| text.contains(&format!("fn {function}("))),
    }
}
