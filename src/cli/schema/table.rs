//! The table that a schema is made of, one line a field.
//!
//! ```text
//! Type            # what it is: an object with the fields below, and no others
//!   field: kind   # what it means
//!   other?: kind  # may be absent
//!   either a b? | c=word d   # which fields go together: those of one of these, and none of the others
//! Name = kind     # another name of a kind
//! ```
//! A kind is `string`, `text` (not empty), `u32`, `long` (0 or more), `1..600`, `integer`, `bool`, `null`, one of [`TEXTS`], a text in quotes,
//! the name of a type, `[kind]`, `[kind]2+` (two items at least), `{kind}` (an object of any keys), `{kind}+` (one at least), `{name: kind}` (keys are
//! such texts), or several of them with `|` between.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Texts with a form. A pattern says no more than what is surely so: the reader knows the rest.
const TEXTS: &[(&str, &str)] = &[
    (
        "date",
        "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
    ),
    (
        "time",
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.*$",
    ),
    ("clock", "^([01][0-9]|2[0-4]):[0-5][0-9]$"),
    ("duration", "[0-9].*[A-Za-z]"),
    ("release", "^[^/]+/[^/]+/[^/]+$"),
    ("percent", "^0*([1-9][0-9]?|100) *%$"),
    ("rate", "^[0-9]+(\\.[0-9]{0,2})? *%$"),
    ("name", "^[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}$"),
    ("cap", "^(releases|clusters)_per_.+$"),
    ("url", "^https?://[^/?#@]+([/?#].*)?$"),
    ("filled", "[^ ]"),
];

/// The schema of a table, for values of the type `root`.
pub(super) fn schema(table: &str, root: &str, title: &str) -> Value {
    let mut types: Map<String, Value> = Map::new();
    let mut last = String::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (code, doc) = line.split_once(" # ").unwrap_or((line, ""));
        let (code, doc) = (code.trim_end(), doc.trim());
        if let Some(sets) = code.strip_prefix("  either ") {
            let owner = types.get_mut(&last).expect("a type before its fields");
            owner["anyOf"] = either(sets);
        } else if let Some(field) = code.strip_prefix("  ") {
            let (name, of) = field.split_once(": ").expect("field: kind");
            let owner = types.get_mut(&last).expect("a type before its fields");
            let plain = name.trim_end_matches('?');
            owner["properties"][plain] = described(kind(of), doc);
            if plain == name {
                let required = owner["required"].as_array_mut().expect("an array");
                required.push(json!(name));
            }
        } else if let Some((name, of)) = code.split_once(" = ") {
            types.insert(name.to_owned(), described(kind(of), doc));
        } else {
            code.clone_into(&mut last);
            let object = json!({
                "type": "object", "additionalProperties": false, "properties": {}, "required": [],
            });
            let again = types.insert(last.clone(), described(object, doc));
            assert!(again.is_none(), "two types are named {last}");
        }
    }
    let reached = reached(&types, root);
    types.retain(|name, _| reached.contains(name));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": format!("#/$defs/{root}"),
        "$defs": types,
    })
}

/// Names of the types that a root leads to.
fn reached(types: &Map<String, Value>, root: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut ahead = BTreeSet::from([root.to_owned()]);
    while let Some(name) = ahead.pop_first() {
        references(types.get(&name).expect("a type"), &mut ahead);
        found.insert(name);
        ahead.retain(|it| !found.contains(it));
    }
    found
}

/// Names that a schema refers to.
pub(super) fn references(schema: &Value, into: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                into.insert(name.trim_start_matches("#/$defs/").to_owned());
            }
            map.values().for_each(|it| references(it, into));
        }
        Value::Array(items) => items.iter().for_each(|it| references(it, into)),
        _ => {}
    }
}

/// Sets of fields, of which one is there and the others are not.
fn either(sets: &str) -> Value {
    let plain = |word: &str| {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        name.trim_end_matches('?').to_owned()
    };
    let all: BTreeSet<String> = sets
        .split([' ', '|'])
        .filter(|word| !word.is_empty())
        .map(plain)
        .collect();
    let one = |set: &str| {
        let words: Vec<&str> = set.split_whitespace().collect();
        let mut properties = Map::new();
        for other in all
            .iter()
            .filter(|it| !words.iter().any(|word| plain(word) == **it))
        {
            properties.insert(other.clone(), json!(false));
        }
        for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
            properties.insert(name.to_owned(), json!({"const": value}));
        }
        let required: Vec<String> = words
            .iter()
            .filter(|word| !word.ends_with('?'))
            .map(|word| plain(word))
            .collect();
        json!({"required": required, "properties": properties})
    };
    sets.split('|').map(one).collect()
}

fn described(mut schema: Value, doc: &str) -> Value {
    if !doc.is_empty() {
        schema["description"] = json!(doc);
    }
    schema
}

fn kind(text: &str) -> Value {
    let text = text.trim();
    let parts = alternatives(text);
    if parts.len() > 1 {
        return if parts.iter().all(|part| part.starts_with('\'')) {
            let words: Vec<&str> = parts.iter().map(|part| part.trim_matches('\'')).collect();
            json!({"enum": words})
        } else {
            json!({"anyOf": parts.into_iter().map(kind).collect::<Vec<_>>()})
        };
    }
    let within = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    if let Some((item, least)) = text
        .strip_prefix('[')
        .and_then(|rest| rest.rsplit_once(']'))
    {
        let mut list = json!({"type": "array", "items": kind(item)});
        if let Some(least) = least.strip_suffix('+') {
            list["minItems"] = json!(least.parse::<u32>().expect("a number"));
        }
        return list;
    }
    if let Some(item) = text.strip_suffix('+').and_then(|it| it.strip_prefix('{')) {
        let mut map = kind(&format!("{{{item}"));
        map["minProperties"] = json!(1);
        return map;
    }
    if let Some(item) = within('{', '}') {
        return match item.split_once(": ") {
            Some((keys, item)) => json!({
                "type": "object", "propertyNames": kind(keys), "additionalProperties": kind(item),
            }),
            None => json!({"type": "object", "additionalProperties": kind(item)}),
        };
    }
    if let Some(word) = within('\'', '\'') {
        return json!({"const": word});
    }
    if let Some((least, most)) = text.split_once("..") {
        let number = |text: &str| text.parse::<u32>().expect("a number");
        return json!({"type": "integer", "minimum": number(least), "maximum": number(most)});
    }
    if let Some((_, pattern)) = TEXTS.iter().find(|(name, _)| *name == text) {
        return json!({"type": "string", "pattern": pattern});
    }
    match text {
        "string" => json!({"type": "string"}),
        "text" => json!({"type": "string", "minLength": 1}),
        "u32" => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        "long" => json!({"type": "integer", "minimum": 0}),
        "integer" => json!({"type": "integer"}),
        "bool" => json!({"type": "boolean"}),
        "null" => json!({"type": "null"}),
        name => json!({"$ref": format!("#/$defs/{name}")}),
    }
}

/// What stands between the `|` that are in no brackets.
fn alternatives(text: &str) -> Vec<&str> {
    let (mut depth, mut from) = (0_i32, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}
