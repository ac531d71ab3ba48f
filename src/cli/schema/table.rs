//! The table that a schema is made of, one line a field.
//!
//! ```text
//! Type            # what it is: an object with the fields below, and no others
//!   field: kind   # what it means
//!   other?: kind  # may be absent
//! Name = kind     # another name of a kind
//! ```
//! A kind is `string`, `count` (0 or more), `integer`, `bool`, `time`, `date`, `release`, `percent`, `null`, a text in
//! quotes, the name of a type, `[kind]`, `{kind}` (an object of any keys), or several of them with `|` between.

use serde_json::{Map, Value, json};

/// The schema of a table, for values of the type `root`.
pub(super) fn schema(table: &str, root: &str, title: &str) -> Value {
    let mut types: Map<String, Value> = Map::new();
    let mut last = String::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (code, doc) = line.split_once(" # ").unwrap_or((line, ""));
        let (code, doc) = (code.trim_end(), doc.trim());
        if let Some(field) = code.strip_prefix("  ") {
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
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "$ref": format!("#/$defs/{root}"),
        "$defs": types,
    })
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
    if let Some(item) = within('[', ']') {
        return json!({"type": "array", "items": kind(item)});
    }
    if let Some(item) = within('{', '}') {
        return json!({"type": "object", "additionalProperties": kind(item)});
    }
    if let Some(word) = within('\'', '\'') {
        return json!({"const": word});
    }
    match text {
        "string" => json!({"type": "string"}),
        "count" => json!({"type": "integer", "minimum": 0}),
        "integer" => json!({"type": "integer"}),
        "bool" => json!({"type": "boolean"}),
        "null" => json!({"type": "null"}),
        "time" => json!({"type": "string", "format": "date-time"}),
        "date" => {
            json!({"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})
        }
        "release" => json!({"type": "string", "pattern": "^[^/]+/[^/]+/[^/]+$"}),
        "percent" => json!({"type": "string", "pattern": "^[0-9.]+ ?%$"}),
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
