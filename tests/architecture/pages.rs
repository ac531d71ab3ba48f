//! The written pages keep up with the code: links lead somewhere, and an invariant names a check that is there.

use std::collections::BTreeSet;
use std::path::Path;

use super::tree::{files, read, root, rust_files};

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

/// What opens a case in `tests/live/cases`.
const CASE: &str = "Case::new(";

/// The last column of the case table in `docs/adoption-rules.md` and the cases of `tests/live/cases` are the same.
#[test]
fn the_case_table_is_what_is_played() {
    let page = read("docs/adoption-rules.md");
    let (_, table) = page.split_once("## The case table").unwrap();
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| case |"));
    let named: BTreeSet<&str> = rows
        .filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    let (tests, named): (BTreeSet<&str>, BTreeSet<&str>) =
        named.into_iter().partition(|name| name.contains("::"));
    for test in &tests {
        assert!(exists(test), "there is no test `{test}`");
    }
    let rooms: Vec<String> = rust_files("tests/live/cases")
        .iter()
        .map(|path| read(path))
        .collect();
    let played: BTreeSet<&str> = rooms
        .iter()
        .flat_map(|text| text.split(CASE).skip(1))
        .filter_map(|text| text.trim_start().strip_prefix('"')?.split('"').next())
        .collect();
    assert!(!tests.is_empty() && !played.is_empty());
    assert_eq!(named, played);
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
