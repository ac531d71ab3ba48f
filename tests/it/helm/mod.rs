//! `helm::yaml` and `helm::manifest` against the libraries that Helm itself links.
//!
//! Both must read the same value. Where only one of the two reads, the other refuses: refit a few corners of punctuation in
//! which YAML 1.1 and 1.2 differ, Helm a few that it could never have stored.
mod generated;
mod oracle;
mod real;
mod tables;

use refit::helm::yaml::YamlFault;
use refit::helm::{manifest, yaml};
use serde_json::json;

use oracle::{Answer, Tally, compare};
use tables::{DOCUMENTS, SCALARS};

fn read_document(text: &str) -> Answer {
    yaml::read(text).map_err(|error| error.to_string())
}

fn documents(texts: &[String]) -> Tally {
    compare("document", texts, read_document)
}

fn read_manifest(text: &str) -> Answer {
    let objects = manifest::objects(text).map_err(|error| error.to_string())?;
    Ok(objects
        .into_iter()
        .map(|object| manifest::decorate(object.body, "web", "shop"))
        .collect())
}

#[test]
fn scalars_in_every_place() {
    let mut texts = Vec::new();
    for scalar in SCALARS {
        let quoted = scalar.replace('\'', "''");
        let escaped = json!(scalar).to_string();
        for text in [
            (*scalar).to_owned(),
            format!("a: {scalar}"),
            format!("a: {scalar}\n"),
            format!("{scalar}: a\n"),
            format!("? {scalar}\n: a\n"),
            format!("- {scalar}\n- b\n"),
            format!("[{scalar}, b]"),
            format!("[b,{scalar}]"),
            format!("{{{scalar}: a}}"),
            format!("{{{scalar}}}"),
            format!("{{a: {scalar}}}"),
            format!("{{a: {scalar}, b: c}}"),
            format!("a: '{quoted}'\n'{quoted}': b\n"),
            format!("a: {escaped}\n{escaped}: b\n"),
            format!("{{{escaped}:{escaped}}}"),
            format!("a: |\n  {scalar}\n"),
            format!("a: >-\n  {scalar}\n  {scalar}\n\n"),
            format!("a: {scalar} # note\n"),
            format!("a: {scalar}\n  {scalar}\n"),
        ] {
            texts.push(text);
        }
        for tag in [
            "!!str",
            "!!int",
            "!!float",
            "!!bool",
            "!!null",
            "!!binary",
            "!!timestamp",
            "!!seq",
            "!!map",
            "!!merge",
            "!!foo",
            "!foo",
            "!",
            "!<tag:yaml.org,2002:int>",
        ] {
            texts.push(format!("a: {tag} {scalar}\n"));
            texts.push(format!("a: {tag} '{quoted}'\n"));
            texts.push(format!("{tag} '{quoted}': a\n"));
        }
    }
    let agreed = documents(&texts).within(2, 1);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}

#[test]
fn documents_by_hand() {
    let texts: Vec<String> = DOCUMENTS.iter().map(|text| (*text).to_owned()).collect();
    let agreed = documents(&texts).within(60, 40);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}

#[test]
fn bounds_on_aliases_are_helms() {
    let mut texts = Vec::new();
    for (levels, width) in [(3, 4), (4, 9), (9, 9), (12, 2), (16, 2), (20, 2), (2, 40)] {
        let mut text = "a0: &a0 [x]\n".to_owned();
        for level in 1..=levels {
            let items = vec![format!("*a{}", level - 1); width].join(", ");
            text = format!("{text}a{level}: &a{level} [{items}]\n");
        }
        texts.push(text);
    }
    let agreed = documents(&texts).within(0, 0);
    assert!(
        (1..texts.len()).contains(&agreed),
        "some are refused: {agreed}"
    );
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 90].join(", ")
    );
    assert_eq!(fault(&long), YamlFault::TooLarge);
}

fn fault(text: &str) -> YamlFault {
    yaml::read(text).unwrap_err().fault
}

#[test]
fn what_refit_alone_refuses() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(yaml::read(&deep(yaml::DEPTH_MAX)).is_ok());
    assert_eq!(fault(&deep(yaml::DEPTH_MAX + 1)), YamlFault::TooDeep);
    let blocks: Vec<String> = (0..=yaml::DEPTH_MAX)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert_eq!(fault(&blocks.concat()), YamlFault::TooDeep);
    let mut aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..=yaml::DEPTH_MAX {
        aliases = format!("{aliases}a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert!(matches!(
        fault(&aliases),
        YamlFault::TooDeep | YamlFault::TooManyAliases
    ));
    for end in ['\u{85}', '\u{2028}', '\u{2029}'] {
        assert_eq!(fault(&format!("a: 'b{end}c'\n")), YamlFault::LineEnd);
    }
    assert_eq!(
        yaml::read("a: \"\\L\\N\\P\"\n").unwrap(),
        json!({"a": "\u{2028}\u{85}\u{2029}"})
    );
    assert_eq!(fault("1: a\n'1': b\n"), YamlFault::KeyTwice);
    for text in ["{a:}", "[a::]", "[?a]", "[!, b]"] {
        assert_eq!(fault(text), YamlFault::Unclear, "{text}");
    }
}

#[test]
fn manifests() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";
    let texts: Vec<String> = [
        String::new(),
        "---\n".to_owned(),
        format!("{object}---\n{object}"),
        format!("---\n# Source: a\n{object}---\n# Source: b\n\n---\n# only this\n---\n{object}"),
        format!("---\r\n{}---\r\n", object.replace('\n', "\r\n")),
        format!("{object}--- # note\n{object}---   \n"),
        format!("{object}--- note\n{object}"),
        format!("{object}---{object}"),
        format!("{object}data:\n  a: |\n    x\n    ---\n    y\n"),
        format!("{object}data:\n  a: |\n    x\n---\n{object}"),
        format!("{object}...\n{object}"),
        format!("{object}spec: [9223372036854775807, 9223372036854775808, -9223372036854775809, 1.0, 1e3, 1e30, 0.5]\n"),
        format!("{object}  labels: {{a: null, b: 'c'}}\n  annotations: null\n"),
        format!("{object}  labels: {{a: 1}}\n  annotations: [a]\n"),
        format!("{object}  labels: {{y: 'x', 1: 'z'}}\n  annotations: {{}}\n"),
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n".to_owned(),
        "apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: a}}\n- {kind: B, apiVersion: x/v1, metadata: {name: b}}\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: []\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: null\n".to_owned(),
        "apiVersion: v1\nkind: List\nmetadata: {name: a}\nitems: {a: b}\n".to_owned(),
        "apiVersion: v1\nkind: List\nitems: [a]\n".to_owned(),
        "apiVersion: v1\nitems: []\n".to_owned(),
        "[a]\n".to_owned(),
        "a\n".to_owned(),
        "null\n---\n~\n".to_owned(),
    ]
    .into();
    let agreed = compare("manifest", &texts, read_manifest).within(0, 0);
    assert!(agreed > texts.len() / 2, "{agreed} of {}", texts.len());
}
