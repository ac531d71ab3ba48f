//! The built-in rules, each with its fixture; and files that are refused, with places.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::domain::release::ChartRef;
use crate::domain::triage::{Decides, Facts, Finding, Wording as _};

/// A finding, and the rule that it falls to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    cause: String,
    finding: Finding,
}

fn fixtures() -> Vec<Fixture> {
    serde_json::from_str(include_str!("fixtures.json")).unwrap()
}

fn chart() -> ChartRef {
    ChartRef {
        name: "web".into(),
        version: "1.0.0".into(),
    }
}

#[test]
fn each_built_in_rule_takes_its_fixture_and_no_earlier_one_does() {
    let rules = built_in().unwrap();
    let mut taken = BTreeSet::new();
    for fixture in fixtures() {
        let found = rules.of(&fixture.finding, &chart());
        let found = found.map(|(_, rule)| rule.name.as_str());
        assert_eq!(found, Some(&*fixture.cause), "{:?}", fixture.finding);
        taken.insert(fixture.cause);
    }
    let all: BTreeSet<String> = rules.all().iter().map(|it| it.name.clone()).collect();
    assert_eq!(
        taken, all,
        "a rule without a fixture, or a fixture without a rule"
    );
    assert!(all.len() >= 25);
}

/// Nothing stands in the file that no fixture needs: each [[cause.when]] takes a fixture of its rule that no other one
/// of the rule takes.
#[test]
fn each_matcher_is_needed() {
    let fixtures = fixtures();
    for rule in built_in().unwrap().all() {
        for (place, matcher) in rule.when.iter().enumerate() {
            let alone = fixtures.iter().any(|it| {
                it.cause == rule.name
                    && rule.when.iter().enumerate().all(|(other, when)| {
                        when.matches(&it.finding, &chart()) == (other == place)
                    })
            });
            assert!(alone, "{}: no fixture needs {matcher:?}", rule.name);
        }
    }
}

#[test]
fn who_decides_has_what_it_takes() {
    for rule in built_in().unwrap().all() {
        assert_eq!(
            rule.question.is_some(),
            rule.decides == Decides::You,
            "{}",
            rule.name
        );
        assert!(!rule.full.is_empty(), "{}: no fix in full", rule.name);
        assert!(rule.about.ends_with('.'), "{}", rule.name);
        if rule.decides == Decides::Elsewhere {
            assert!(rule.fix.is_ascii(), "{}", rule.name);
        }
    }
}

/// Whoever drives releases and can be told something is told it in a file of its own.
#[test]
fn every_driver_has_its_patch() {
    let rules = built_in().unwrap();
    let jinja = Jinja::new();
    let facts = Facts {
        release: "eu-1/shop/web".into(),
        cluster: "eu-1".into(),
        namespace: "shop".into(),
        name: "web".into(),
        chart: "web-1.0.0".into(),
        ..Facts::default()
    };
    let mut files = BTreeSet::new();
    for tool in ["flux", "argocd", "fleet", "terraform"] {
        let name = format!("driven-by-{tool}");
        let rule = rules.all().iter().find(|it| it.name == name).unwrap();
        let patch = rule.patch.as_ref().unwrap();
        let text = jinja.fill(&patch.text, &facts).unwrap();
        assert!(text.contains("eu-1/shop/web"), "{text}");
        assert!(rule.fix.contains("--patches DIR"), "{}", rule.fix);
        files.insert(jinja.fill(&patch.file, &facts).unwrap());
        if tool == "fleet" {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            assert_eq!(
                lines,
                ["keepResources: true", "correctDrift:", "  enabled: false"]
            );
            assert!(text.contains("-l owner=helm,name=web -o json"), "{text}");
        }
    }
    let all = ["argocd", "fleet", "flux"].map(|tool| format!("{tool}/eu-1/shop-web.yaml"));
    assert!(
        files.is_superset(&all.into()) && files.len() == 4,
        "{files:?}"
    );
}

#[test]
fn a_users_rules_come_first_and_replace_by_name() {
    let text = r#"
[[cause]]
name = "hpa-of-ours"
about = "Ours."
decides = "operator"
fix = "ask team scaling about {{ field }}"
[[cause.when]]
field = ".spec.replicas"
owner = ["kube-controller-manager/scale", "kubectl/scale"]

[[cause]]
name = "drift"
about = "Ours too."
decides = "operator"
fix = "never mind"
[[cause.when]]
type = "drift"
"#;
    let built_in = built_in().unwrap();
    let count = built_in.all().len();
    let rules = load(text, "triage.toml").unwrap().before(built_in);
    assert_eq!(rules.all().len(), count + 1);
    let of = |cause: &str| {
        let fixture = fixtures().into_iter().find(|it| it.cause == cause).unwrap();
        let (_, rule) = rules.of(&fixture.finding, &chart()).unwrap();
        (rule.name.clone(), rule.fix.clone())
    };
    assert_eq!(of("scaler-owns-replicas").0, "hpa-of-ours");
    assert_eq!(of("drift").1, "never mind");
    assert_eq!(of("image-set-by-hand").0, "image-set-by-hand");
}

/// A rule with one line replaced or added.
fn rule(line: &str) -> String {
    let key = line.split(' ').next().unwrap();
    let lines = [
        "name = \"a\"",
        "about = \"A.\"",
        "decides = \"operator\"",
        "fix = \"do it\"",
        "when = [{ type = \"active\" }]",
    ];
    let kept = lines
        .iter()
        .filter(|it| !it.starts_with(&format!("{key} ")));
    let kept: Vec<&str> = kept.copied().collect();
    format!("[[cause]]\n{line}\n{}\n", kept.join("\n"))
}

fn refused(text: &str) -> Vec<String> {
    load(text, "t.toml").unwrap_err().lines()
}

#[test]
fn flaws_are_told_with_their_places() {
    for (text, place, words) in [
        (rule("name = \"A b\""), "t.toml:2:8", "small letters"),
        (
            rule("decides = \"me\""),
            "t.toml:2:11",
            "unknown variant `me`",
        ),
        (
            rule("decides = \"rule\""),
            "t.toml:2:11",
            "needs [[cause.policy]]",
        ),
        (
            rule("decides = \"you\""),
            "t.toml:2:11",
            "needs [cause.question]",
        ),
        (rule("fix = \"{{ filed }}\""), "t.toml:2:7", "undefined"),
        (rule("fix = \"{{ field\""), "t.toml:2:7", "syntax error"),
        (rule("fix = \"\""), "t.toml:2:7", "must not be empty"),
        (rule("fix = 3"), "t.toml:2:7", "expected a string"),
        (rule("fox = \"x\""), "t.toml:2:1", "unknown field `fox`"),
        (rule("when = []"), "t.toml:1:1", "when is empty"),
        (rule("when = [{}]"), "t.toml:2:9", "takes every finding"),
        (
            rule("when = [{ typ = \"x\" }]"),
            "t.toml:2:11",
            "unknown field `typ`",
        ),
        (
            rule("when = [{ type = [] }]"),
            "t.toml:2:18",
            "at least one text",
        ),
        (
            rule("when = [{ type = 1 }]"),
            "t.toml:2:18",
            "a text or an array of texts",
        ),
        (
            rule("policy = [{ owner = \"x\", conflict = \"yield\", why = \"y\" }]"),
            "t.toml:5:11",
            "has no [[cause.policy]]",
        ),
        (
            "[cause]\nname = \"a\"\n".to_owned(),
            "t.toml:1:2",
            "two brackets",
        ),
        ("[[rule]]\n".to_owned(), "t.toml:1:3", "unknown key rule"),
        ("[[cause]\n".to_owned(), "t.toml:1:", ""),
        (
            rule("name = \"a\"") + &rule("name = \"a\""),
            "t.toml:7:1",
            "another cause",
        ),
        (
            "[[cause]]\nname = \"a\"\n".to_owned(),
            "t.toml:1:1",
            "missing field",
        ),
    ] {
        let lines = refused(&text);
        assert!(
            lines
                .iter()
                .any(|it| it.starts_with(place) && it.contains(words)),
            "{place} {words}: {lines:#?}\n{text}"
        );
    }
}

#[test]
fn policies_and_questions_are_looked_at() {
    let policy = |keys: &str| {
        rule("decides = \"rule\"") + &format!("[[cause.policy]]\nwhy = \"y\"\n{keys}\n")
    };
    assert!(load(&policy("owner = \"x\"\nconflict = \"yield\""), "t").is_ok());
    for (keys, words) in [
        ("owner = \"x\"", "either conflict or drop"),
        (
            "owner = \"x\"\nconflict = \"yield\"\ndrop = \"pin\"",
            "either conflict or drop",
        ),
        ("conflict = \"yield\"", "settles everything"),
        ("owner = \"x\"\nconflict = \"yeild\"", "unknown variant"),
        ("owner = \"x\"\nconflict = \"pin\"", "pin goes under drop"),
    ] {
        let lines = refused(&policy(keys));
        assert!(
            lines.iter().any(|it| it.contains(words)),
            "{words}: {lines:#?}"
        );
    }
    let question = |options: &str| {
        rule("decides = \"you\"")
            + &format!("[cause.question]\ntext = \"?\"\noptions = [{options}]\n")
    };
    assert!(refused(&question("{ answer = \"a\", now = \"n\" }"))[0].contains("two answers"));
    let two = "{ answer = \"a\", now = \"n\" }, { answer = \"b\", now = \"n\", policy = \"take\" }";
    assert!(refused(&question(two))[0].contains("[[cause.policy]]"));
    assert!(load(&question(&two.replace("take", "hold")), "t").is_ok());
    let lines = refused(&question(&two.replace("take", "pin")));
    assert!(
        lines.iter().any(|it| it.contains("no answer")),
        "{lines:#?}"
    );
}

#[test]
fn all_flaws_come_at_once() {
    let text = rule("decides = \"me\"") + &rule("fix = \"{{ filed }}\"");
    assert_eq!(refused(&text).len(), 2);
}

#[test]
fn a_file_past_the_cap_is_not_read() {
    let text = "#".repeat(MAX_BYTES + 1);
    assert!(refused(&text)[0].contains("at most"));
}

#[test]
fn texts_without_placeholders_stay_as_they_are() {
    let jinja = Jinja::new();
    let facts = Facts::default();
    assert_eq!(jinja.fill("a } b { c\n", &facts).unwrap(), "a } b { c\n");
    assert_eq!(jinja.fill("{{ releases }}\n", &facts).unwrap(), "0\n");
    assert!(jinja.fill("{{ nothing }}", &facts).is_err());
}

proptest! {
    #[test]
    fn no_file_panics(text in ".*") {
        let _ = load(&text, "t.toml");
    }

    #[test]
    fn no_rule_panics(line in "[a-z]{1,8} = [\\[{\"a-z0-9}\\]=, ]{0,20}") {
        let _ = load(&rule(&line), "t.toml");
    }
}
