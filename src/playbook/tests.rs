//! The built-in playbooks, and files as users write them.

use super::*;
use crate::domain::fleet::settings::OnSpent;
use crate::toml_file::ConfigInvalid;

fn own(name: &str, text: &str) -> OwnFile {
    OwnFile {
        name: name.to_owned(),
        file: format!("playbooks/{name}.toml"),
        text: text.to_owned(),
    }
}

fn flaws(text: &str) -> ConfigInvalid {
    let library = Library::with(vec![own("mine", text)]);
    match library.get("mine") {
        Err(PlaybookError::Invalid { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_built_in_playbook_says_all_it_should() {
    let library = Library::with(Vec::new());
    let names: Vec<&str> = library.all().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "canary",
            "cautious",
            "deadline",
            "single-cluster",
            "rollback"
        ]
    );
    for listed in library.all() {
        let playbook = listed.read.as_ref().unwrap();
        assert_eq!(playbook.texts.len(), Text::ALL.len(), "{}", playbook.name);
        for text in Text::ALL {
            let said = playbook.say(text, &Facts::example(text)).unwrap().unwrap();
            assert!(said.len() > 20 && !said.contains("{{"), "{said}");
        }
        let settings = &playbook.settings;
        assert_eq!(settings.playbook, playbook.name);
        assert!(
            !settings.stages.is_empty(),
            "{} has no waves",
            playbook.name
        );
        assert!(!settings.gates.is_empty(), "{} has no gate", playbook.name);
        assert!(!settings.soak.is_empty(), "{} has no soak", playbook.name);
        assert!(
            settings.budget.undone.is_some(),
            "{} has no budget",
            playbook.name
        );
    }
    let rollback = library.get("rollback").unwrap();
    assert_eq!(rollback.settings.budget.spent, OnSpent::UndoWave);
    assert_eq!(rollback.settings.budget.undone, Some(0));
}

#[test]
fn every_file_of_the_folder_is_built_in_or_read_by_another_part() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            BUILT_IN.iter().any(|(known, _)| *known == name)
                || built_in::NOT_PLAYBOOKS.contains(&name.as_str()),
            "{name}.toml is nowhere"
        );
    }
}

#[test]
fn an_own_one_takes_the_place_of_a_built_in_one() {
    let text = BUILT_IN[0].1.replace("undone = 3", "undone = 9");
    let files = vec![
        own("zeta", &text),
        own("canary", &text),
        own("triage", "x"),
        own("deadline", "\n"),
    ];
    let library = Library::with(files);
    let canary = library.get("canary").unwrap();
    assert_eq!(canary.settings.budget.undone, Some(9));
    assert_eq!(
        canary.origin,
        Origin::Own {
            file: "playbooks/canary.toml".to_owned(),
            overrides: true
        }
    );
    let names: Vec<&str> = library.all().iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "cautious",
            "deadline",
            "single-cluster",
            "rollback",
            "canary",
            "zeta"
        ]
    );
    let unknown = library.get("canry").unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "no playbook is named canry; did you mean canary?"
    );
}

#[test]
fn all_flaws_come_at_once_with_their_places() {
    let text = r#"summary = "mine"
wen = "ever"

[texts]
plan = "{{ plan.relases }} releases"
done = "{% if %}"
failed = """
Wave {{ wave.name }}
in {{ wave.region }}"""

[waves]
sizes = [0]
approve = ["prod"]

[windows]
night = {}

[budget]
spent = "undo-all"
"#;
    let found = flaws(text);
    let lines: Vec<String> = found
        .problems
        .iter()
        .map(|it| format!("{}:{}:{} {}", it.file, it.line, it.column, it.kind))
        .collect();
    let begins = [
        "playbooks/mine.toml:1:1 for which fleets?",
        "playbooks/mine.toml:2:1 unknown key; did you mean when?",
        "playbooks/mine.toml:5:12 no such name here; there are fleet.name",
        "playbooks/mine.toml:6:",
        "playbooks/mine.toml:9:7 no such name here",
        "playbooks/mine.toml:12:10 a wave of 0 releases",
        "playbooks/mine.toml:13:12 no wave is named prod",
        "playbooks/mine.toml:15:2 this belongs into fleet.toml",
        "playbooks/mine.toml:19:9 no such word: undo-all",
    ];
    assert_eq!(lines.len(), begins.len(), "{lines:#?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line} is not {begin}");
    }
}

#[test]
fn a_text_is_strict_and_bounded() {
    let with = |plan: &str| format!("summary = \"s\"\nwhen = \"w\"\n[texts]\nplan = '{plan}'\n");
    for (plan, why) in [
        (
            "{{ wave.name }}",
            "only approve and failed are about a wave",
        ),
        ("{{ nobody }}", "no such name here"),
        ("{% if plan.nothing %}x{% endif %}", "no such name here"),
        (
            "{% for x in range(100000) %}{{ x }}{% endfor %}",
            "too many steps",
        ),
        ("{{ plan.releases | nope }}", "filter"),
        ("{% include \"/etc/passwd\" %}", ""),
        ("{{", ""),
    ] {
        let found = flaws(&with(plan)).lines().join("\n");
        assert!(
            found.contains(":4:") && found.contains(why),
            "{plan}: {found}"
        );
    }
    let fine = Library::with(vec![own(
        "mine",
        &with("{{ plan.releases }} of {{ fleet.name }}"),
    )]);
    let said = fine
        .get("mine")
        .unwrap()
        .say(Text::Plan, &Facts::example(Text::Plan));
    assert_eq!(said.unwrap().unwrap(), "536 of acme");
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_playbook_or_flaws_with_places(
        cut in 0_usize..2_000,
        len in 0_usize..40,
        noise in "[\\[\\]{}\"'=,.#a-c0-9%\n\r\\\\é\u{0}-]{0,12}",
    ) {
        let mut text: Vec<char> = BUILT_IN[0].1.chars().collect();
        let cut = cut.min(text.len());
        let end = (cut + len).min(text.len());
        text.splice(cut..end, noise.chars());
        let text: String = text.into_iter().collect();
        let library = Library::with(vec![own("mine", &text)]);
        if let Err(PlaybookError::Invalid { source, .. }) = library.get("mine") {
            for problem in &source.problems {
                proptest::prop_assert!(problem.line >= 1 && problem.column >= 1);
                proptest::prop_assert!(problem.line <= text.matches('\n').count() + 1);
            }
        }
    }
}
