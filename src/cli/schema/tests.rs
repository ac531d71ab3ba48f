//! The schemas against the readers: the same keys, and the same verdict on a file of which one value is another.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};
use testbed::json_schema::violations;

use super::table::references;
use super::{fleet_schema, full, plan_schema, playbook_schema};
use crate::config::{KubeContexts, PlaybookText, load_over};
use crate::domain::plan::Plan;
use crate::render::screen::plan::tests::acme;

const EXAMPLE: &str = include_str!("../../../fleet.toml.example");

/// TOML as a schema sees it: dates are texts.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => json!(date.to_string()),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, json_of(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => json!(truth),
    }
}

fn json_of_toml(text: &str) -> Value {
    let table: toml::Table = text.parse().unwrap();
    json_of(toml::Value::Table(table))
}

/// The reader's verdict on a fleet.toml.
fn reads(text: &str) -> bool {
    let contexts = |path: Option<&Path>| {
        let names: &[&str] = match path {
            None => &["acme-stage-us", "acme-us-1", "acme-us-2"],
            Some(_) => &["kind-lab"],
        };
        Ok(KubeContexts {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            origin: "a test".to_owned(),
        })
    };
    let playbooks = |name: &str| {
        let found = crate::playbook::BUILT_IN.iter().find(|(it, _)| *it == name);
        let (name, text) = found.ok_or_else(|| "no such playbook".to_owned())?;
        Ok(PlaybookText {
            name: (*name).to_owned(),
            file: format!("{name}.toml"),
            text: (*text).to_owned(),
        })
    };
    load_over(text, "fleet.toml", &contexts, &playbooks, &[]).is_ok()
}

#[test]
fn what_refit_writes_and_reads_is_valid() {
    assert_eq!(violations(&fleet_schema(), &json_of_toml(EXAMPLE)), [""; 0]);
    for (name, text) in crate::playbook::BUILT_IN {
        let flaws = violations(&playbook_schema(), &json_of_toml(text));
        assert_eq!(flaws, [""; 0], "{name}");
    }
    let small: Value = serde_json::from_str(&acme().to_json().unwrap()).unwrap();
    for plan in [small, full::plan()] {
        assert_eq!(violations(&plan_schema(), &plan), [""; 0]);
        Plan::parse(&plan.to_string()).unwrap();
    }
}

/// One change of a TOML file: its place, in words, and the file.
type Changed = (String, toml::Table);

/// Every value replaced by one of another type, and every table with a key more.
fn wrong_kinds(value: &toml::Value) -> Vec<(String, toml::Value)> {
    use toml::Value as V;
    let mut all: Vec<(String, V)> = Vec::new();
    let others = [
        V::Boolean(true),
        V::Integer(-1),
        V::String(String::new()),
        V::Float(1.5),
        V::Array(Vec::new()),
        V::Array(vec![V::Boolean(true)]),
        V::Table(toml::Table::from_iter([(
            "nobody-knows".to_owned(),
            V::Boolean(true),
        )])),
    ];
    let same = |other: &V| {
        // An empty text is told apart; an empty list or table may be lawful, and -1 never is.
        matches!(
            (value, other),
            (V::Boolean(_), V::Boolean(_)) | (V::Float(_), V::Float(_))
        )
    };
    all.extend(
        others
            .into_iter()
            .filter(|other| !same(other))
            .map(|other| (format!(" = {other}"), other)),
    );
    all.extend(inside(value, wrong_kinds));
    all
}

/// Every key gone, one at a time.
fn removals(value: &toml::Value) -> Vec<(String, toml::Value)> {
    let mut all = Vec::new();
    if let toml::Value::Table(table) = value {
        for key in table.keys() {
            let mut without = table.clone();
            without.remove(key);
            all.push((format!(".{key}"), toml::Value::Table(without)));
        }
    }
    all.extend(inside(value, removals));
    all
}

/// This value with one of its parts changed, in all ways that `changes` knows.
fn inside(
    value: &toml::Value,
    changes: fn(&toml::Value) -> Vec<(String, toml::Value)>,
) -> Vec<(String, toml::Value)> {
    use toml::Value as V;
    let mut all = Vec::new();
    match value {
        V::Table(table) => {
            for (key, part) in table {
                for (place, made) in changes(part) {
                    let mut table = table.clone();
                    table.insert(key.clone(), made);
                    all.push((format!(".{key}{place}"), V::Table(table)));
                }
            }
        }
        V::Array(items) => {
            for (at, part) in items.iter().enumerate() {
                for (place, made) in changes(part) {
                    let mut items = items.clone();
                    items[at] = made;
                    all.push((format!("[{at}]{place}"), V::Array(items)));
                }
            }
        }
        _ => {}
    }
    all
}

fn tables(changed: Vec<(String, toml::Value)>) -> Vec<Changed> {
    let tables = changed
        .into_iter()
        .filter_map(|(place, value)| match value {
            toml::Value::Table(table) => Some((place, table)),
            _ => None,
        });
    tables.collect()
}

/// (reader, schema) of a changed file.
fn verdicts(table: &toml::Table) -> (bool, bool) {
    let text = toml::to_string(table).unwrap();
    let json = json_of(toml::Value::Table(table.clone()));
    (reads(&text), violations(&fleet_schema(), &json).is_empty())
}

#[test]
fn a_fleet_toml_of_which_a_value_is_of_another_type_is_refused_by_both() {
    let table: toml::Table = EXAMPLE.parse().unwrap();
    let changed = tables(wrong_kinds(&toml::Value::Table(table)));
    assert!(changed.len() > 1_000, "{}", changed.len());
    let schema = fleet_schema();
    let mut apart = Vec::new();
    for (place, table) in changed {
        let json = json_of(toml::Value::Table(table.clone()));
        let valid = violations(&schema, &json).is_empty();
        let text = toml::to_string(&table).unwrap();
        if reads(&text) != valid {
            apart.push(format!("{place}: the schema says {valid}"));
        }
    }
    assert_eq!(apart, [""; 0]);
}

/// What only the reader can know: it concerns two places of a file, a kubeconfig, or a playbook that may have the rest of a
/// gate.
const ONLY_THE_READER: &[&str] = &[
    ".clusters[2].kubeconfig",
    ".gates.board.check",
    ".gates.board.plugin",
    ".gates.errors.check",
    ".gates.errors.query",
    ".gates.errors.url",
    ".gates.smoke.argv",
    ".gates.smoke.check",
    ".gates.status-page.check",
    ".gates.status-page.url",
    ".windows",
    ".windows.night",
    ".windows.office",
    ".windows.sunday",
];

#[test]
fn a_fleet_toml_without_a_key_that_it_needs_is_refused_by_both() {
    let table: toml::Table = EXAMPLE.parse().unwrap();
    let mut apart = BTreeSet::new();
    for (place, table) in tables(removals(&toml::Value::Table(table))) {
        match verdicts(&table) {
            (true, false) => panic!("{place}: the reader takes it, the schema does not"),
            (false, true) => {
                apart.insert(place);
            }
            _ => {}
        }
    }
    let known: BTreeSet<String> = ONLY_THE_READER.iter().map(|&it| it.to_owned()).collect();
    assert_eq!(apart, known);
}

/// Texts and numbers that have the right type.
#[test]
fn what_the_reader_refuses_for_its_form_the_schema_refuses() {
    let base = "[fleet]\nname = \"acme\"\n[[clusters]]\ncontexts = \"acme-*\"\n";
    let fleet = |more: &str| {
        format!("[fleet]\nname = \"acme\"\n{more}\n[[clusters]]\ncontexts = \"acme-*\"\n")
    };
    assert!(reads(base));
    for wrong in [
        fleet("mode = \"force\""),
        base.replace("\"acme\"", "\"a/b\""),
        base.replace("contexts =", "name = \"x\"\ncontexts ="),
        base.replace("contexts =", "context = \"acme-us-1\"\ncontexts ="),
        format!("{base}limits = {{ in_flight = 0 }}"),
        format!("{base}[limits]\nwrites_per_second = 10001"),
        format!("{base}[undo]\ndwell = \"soon\""),
        format!("{base}[waves]\nsizes = []"),
        format!("{base}[waves]\nsizes = [0]"),
        format!("{base}[waves]\nsizes = [\"101%\"]"),
        format!("{base}[waves]\nsizes = [1]\ndoubling = 2"),
        format!("{base}[waves]\nshares = [3]"),
        format!("{base}[waves]\ncaps = {{ pods_per_node = 1 }}"),
        format!("{base}[waves]\nheld_dependency = \"wait\""),
        format!("{base}[windows]\na = {{ days = \"Mon\", from = \"9:00\", to = \"10:00\" }}"),
        format!("{base}[windows]\na = {{ days = \"Mon\", cron = \"* * * * *\", for = \"1h\" }}"),
        format!("{base}[windows]\na = {{ days = \"Mon\", from = \"09:00\" }}"),
        format!("{base}[windows]\n\"a b\" = {{ cron = \"0 6 * * sun\", for = \"1h\" }}"),
        format!("{base}[freezes]\na = {{ from = 2026-12-17 }}"),
        format!("{base}[gates]\na = \"on\""),
        format!("{base}[gates]\na = {{ check = \"health\", url = \"https://a.example\" }}"),
        format!("{base}[gates]\na = {{ check = \"http\", url = \"https://me@a.example\" }}"),
        format!(
            "{base}[gates]\na = {{ check = \"http\", url = \"https://a.example\", status = 99 }}"
        ),
        format!("{base}[gates]\na = {{ check = \"command\", argv = [] }}"),
        format!("{base}[gates]\na = {{ check = \"conflict-rate\", at_most = \"2\" }}"),
        format!("{base}[[peers]]\nsides = [\"cluster=a\"]"),
        format!("{base}[[peers]]\ngroup = \"release\""),
        format!("{base}[risk.weights]\nage = 101"),
        format!("{base}[budget]\nspent = \"go-on\""),
        format!("{base}[[depends]]\nrelease = \"a/b\"\non = \"*/*/*\""),
        format!("{base}[[policy]]\nfield = \".a\""),
        format!("{base}[[policy]]\nfield = \".a\"\nconflict = \"pin\""),
        format!("{base}[[policy]]\nfield = \".a\"\nconflict = \"yield\"\ndrop = \"pin\""),
        format!("{base}[seal]\nkey_file = \" \""),
    ] {
        let (reader, schema) = verdicts(&wrong.parse().unwrap());
        assert!(!reader, "the reader takes {wrong}");
        assert!(!schema, "the schema takes {wrong}");
    }
    for right in [
        fleet("deadline = 2027-02-10\nmode = \"enforce\""),
        format!("{base}[waves]\nsoak = \"0s\"\nsizes = [1, \"20 %\", \"007%\"]"),
        format!("{base}[waves]\nsoak = {{ all = \"1h 30m\", \"tier=1\" = \"PT2H\" }}"),
        format!(
            "{base}[windows]\na = {{ days = \"Mon\", from = \"22:00\", to = \"24:00\", timezone = \"fleet\" }}"
        ),
        format!(
            "{base}[gates]\na = {{ check = \"conflict-rate\", at_most = \"0.5%\" }}\nb = \"off\""
        ),
        format!("{base}[gates]\na = {{ check = \"http\", url = \"http://a.example:8080?x=@\" }}"),
        format!("{base}[[policy]]\nfield = [\".a\", \".b\"]\ndrop = \"shed\""),
    ] {
        assert_eq!(verdicts(&right.parse().unwrap()), (true, true), "{right}");
    }
}

/// Every value of a plan replaced by another kind of value, every key gone, every table with a key more.
fn plan_changes(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!("?"),
        json!([true]),
        json!([]),
        json!({}),
        json!({"?": 1}),
    ];
    let same = |other: &Value| match value {
        Value::String(_) => other.is_string(),
        // What may be empty.
        Value::Array(items) if items.is_empty() => other.is_array(),
        // -1 is lawful for slackDays alone: it is among the numbers.
        _ => false,
    };
    all.extend(
        others
            .into_iter()
            .filter(|other| !same(other))
            .map(|other| (format!(" = {other}"), other)),
    );
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let mut without = map.clone();
                without.remove(key);
                all.push((format!("/{key} gone"), Value::Object(without)));
                for (place, made) in plan_changes(inner) {
                    let mut map = map.clone();
                    map.insert(key.clone(), made);
                    all.push((format!("/{key}{place}"), Value::Object(map)));
                }
            }
            let mut more = map.clone();
            more.insert("nobody-knows".to_owned(), json!(1));
            all.push(("/nobody-knows".to_owned(), Value::Object(more)));
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                for (place, made) in plan_changes(inner) {
                    let mut items = items.clone();
                    items[at] = made;
                    all.push((format!("/{at}{place}"), Value::Array(items)));
                }
            }
        }
        _ => {}
    }
    all
}

#[test]
fn a_plan_that_the_reader_refuses_the_schema_refuses_and_no_other() {
    let schema = plan_schema();
    let changed = plan_changes(&full::plan());
    assert!(changed.len() > 2_000, "{}", changed.len());
    let mut apart = Vec::new();
    for (place, plan) in changed {
        let reader = Plan::parse(&plan.to_string()).is_ok();
        let valid = violations(&schema, &plan).is_empty();
        if reader != valid {
            apart.push(format!("{place}: reader {reader}, schema {valid}"));
        }
    }
    assert_eq!(apart, [""; 0]);
}

/// The readers' tables and the schemas' say the same, key by key.
#[test]
fn no_key_of_a_file_is_forgotten() {
    let fleet = crate::config::sections().map(|it| (fleet_schema(), "Fleet", it));
    let playbook = crate::playbook::sections().map(|it| (playbook_schema(), "Playbook", it));
    for (schema, root, (section, keys)) in fleet.chain(playbook) {
        let name = if section.is_empty() { root } else { section };
        let properties = schema["$defs"][name]["properties"]
            .as_object()
            .unwrap_or_else(|| panic!("the schema has no [{section}]"));
        let here: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        let read: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(here, read, "[{section}]");
    }
}

/// Sources of the plan's types, and the schema's types that are named otherwise.
const SOURCES: &[&str] = &[
    include_str!("../../domain/plan/mod.rs"),
    include_str!("../../domain/plan/facts.rs"),
    include_str!("../../domain/plan/schedule.rs"),
    include_str!("../../domain/plan/seals.rs"),
    include_str!("../../domain/policy/decision.rs"),
    include_str!("../../domain/fleet/mod.rs"),
    include_str!("../../domain/fleet/policy_rule.rs"),
    include_str!("../../domain/fleet/settings/mod.rs"),
    include_str!("../../domain/fleet/settings/shape.rs"),
    include_str!("../../domain/fleet/settings/calendar.rs"),
    include_str!("../../domain/fleet/settings/guard.rs"),
    include_str!("../../domain/object/mod.rs"),
    include_str!("../../domain/release/mod.rs"),
    include_str!("../../domain/shadow/mod.rs"),
];
const NAMES: &[(&str, &str)] = &[
    ("Metadata", "PlanMetadata"),
    ("Summary", "PlanSummary"),
    ("Held", "HeldRelease"),
    ("Chart", "ChartRef"),
    ("Object", "ObjectRef"),
    ("Settings", "PlanSettings"),
    ("Weights", "RiskWeights"),
];

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |made, word| {
        let (head, tail) = word.split_at(1);
        made + &head.to_uppercase() + tail
    })
}

/// Every struct that a plan is made of has the fields of its type, no more and no fewer.
#[test]
fn no_field_of_a_plan_is_forgotten() {
    let mut structs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in SOURCES {
        for item in syn::parse_file(source).unwrap().items {
            if let syn::Item::Struct(item) = item {
                let names = item.fields.iter().filter_map(|field| field.ident.as_ref());
                let names = names.map(|name| camel(&name.to_string())).collect();
                structs.insert(item.ident.to_string(), names);
            }
        }
    }
    let plan = structs.get_mut("Plan").unwrap();
    plan.extend(["apiVersion".to_owned(), "kind".to_owned()]);
    let mut compared = 0;
    for (name, of) in plan_schema()["$defs"].as_object().unwrap() {
        let source = NAMES
            .iter()
            .find(|(it, _)| it == name)
            .map_or(name.as_str(), |it| it.1);
        let (Some(properties), Some(fields)) = (of["properties"].as_object(), structs.get(source))
        else {
            // Variants of an enum.
            continue;
        };
        let here: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(&here, fields, "{name}");
        compared += 1;
    }
    assert!(compared >= 30, "{compared}");
}

/// Every name that a schema refers to is one of its types, and every type is referred to.
#[test]
fn every_reference_leads_somewhere() {
    for schema in [plan_schema(), fleet_schema(), playbook_schema()] {
        let mut named = BTreeSet::new();
        references(&schema, &mut named);
        let types: BTreeSet<String> = schema["$defs"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(named, types);
    }
}
