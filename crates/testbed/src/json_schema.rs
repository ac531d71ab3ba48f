//! What a JSON value has against a JSON Schema: the part of the standard that refit's own schemas use.
//!
//! Not a library for any schema: a keyword that it does not know is an error and not a pass.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

/// Keywords that say nothing about a value.
const SILENT: &[&str] = &["$schema", "$defs", "title", "description"];

/// Every flaw as `/place: what is wrong`; none if the value is valid.
pub fn violations(schema: &Value, value: &Value) -> Vec<String> {
    let mut flaws = Vec::new();
    look(schema, schema, value, "", &mut flaws);
    flaws
}

fn look(root: &Value, schema: &Value, value: &Value, place: &str, flaws: &mut Vec<String>) {
    if schema == &Value::Bool(false) {
        flaws.push(format!("{place}: it does not go with the others"));
        return;
    }
    let Some(keywords) = schema.as_object() else {
        flaws.push(format!("{place}: {schema} is no schema"));
        return;
    };
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            "$ref" => {
                let target = rule.as_str().and_then(|it| it.strip_prefix('#'));
                match target.and_then(|it| root.pointer(it)) {
                    Some(target) => look(root, target, value, place, flaws),
                    None => flaws.push(format!("{place}: {rule} leads nowhere")),
                }
            }
            "type" if !is_of(value, rule) => flaws.push(format!("{place}: {value} is no {rule}")),
            "const" if value != rule => flaws.push(format!("{place}: {value} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|it| it.contains(value)) => {
                flaws.push(format!("{place}: {value} is none of {rule}"));
            }
            "minimum" if value.as_f64() < rule.as_f64() => {
                flaws.push(format!("{place}: {value} is below {rule}"));
            }
            "maximum" if value.as_f64() > rule.as_f64() => {
                flaws.push(format!("{place}: {value} is above {rule}"));
            }
            "pattern" => {
                let pattern = rule.as_str().and_then(pattern);
                match (pattern, value.as_str()) {
                    (None, _) => flaws.push(format!("{place}: {rule} is no pattern")),
                    (Some(pattern), Some(text)) if !pattern.is_match(text) => {
                        flaws.push(format!("{place}: {value} is not like {rule}"));
                    }
                    _ => {}
                }
            }
            "minLength" => {
                let chars = value.as_str().map(|it| it.chars().count() as u64);
                if chars.is_some_and(|chars| Some(chars) < rule.as_u64()) {
                    flaws.push(format!("{place}: shorter than {rule}"));
                }
            }
            "minItems" => {
                let items = value.as_array().map(|it| it.len() as u64);
                if items.is_some_and(|items| Some(items) < rule.as_u64()) {
                    flaws.push(format!("{place}: fewer than {rule} items"));
                }
            }
            "minProperties" => {
                let members = value.as_object().map(|it| it.len() as u64);
                if members.is_some_and(|members| Some(members) < rule.as_u64()) {
                    flaws.push(format!("{place}: fewer than {rule} keys"));
                }
            }
            "propertyNames" => {
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    let name_value = Value::String(name.clone());
                    look(root, rule, &name_value, &format!("{place}/{name}"), flaws);
                }
            }
            "anyOf" => {
                let fits = |one: &Value| {
                    let mut own = Vec::new();
                    look(root, one, value, place, &mut own);
                    own.is_empty()
                };
                if !rule.as_array().is_some_and(|it| it.iter().any(fits)) {
                    flaws.push(format!("{place}: {value} is none of its kinds"));
                }
            }
            "items" => {
                for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                    look(root, rule, item, &format!("{place}/{at}"), flaws);
                }
            }
            "required" => {
                let Some(object) = value.as_object() else {
                    continue;
                };
                let names = rule.as_array().into_iter().flatten();
                for name in names.filter_map(Value::as_str) {
                    if !object.contains_key(name) {
                        flaws.push(format!("{place}: {name} is missing"));
                    }
                }
            }
            "properties"
            | "additionalProperties"
            | "type"
            | "const"
            | "enum"
            | "minimum"
            | "maximum" => {}
            other if SILENT.contains(&other) => {}
            other => flaws.push(format!("{place}: {other} is not known here")),
        }
    }
    if let Some(object) = value.as_object() {
        members(root, keywords, object, place, flaws);
    }
}

fn members(
    root: &Value,
    keywords: &Map<String, Value>,
    object: &Map<String, Value>,
    place: &str,
    flaws: &mut Vec<String>,
) {
    for (name, member) in object {
        let place = format!("{place}/{name}");
        let own = keywords.get("properties").and_then(|it| it.get(name));
        match (own, keywords.get("additionalProperties")) {
            (Some(own), _) => look(root, own, member, &place, flaws),
            (None, Some(Value::Bool(false))) => {
                flaws.push(format!("{place}: there is no such key"));
            }
            (None, Some(rule @ Value::Object(_))) => look(root, rule, member, &place, flaws),
            (None, _) => {}
        }
    }
}

thread_local! {
    /// A pattern is compiled once, not for every value.
    static PATTERNS: RefCell<BTreeMap<String, Option<Regex>>> = const { RefCell::new(BTreeMap::new()) };
}

fn pattern(text: &str) -> Option<Regex> {
    PATTERNS.with_borrow_mut(|known| {
        let made = known.entry(text.to_owned());
        made.or_insert_with(|| Regex::new(text).ok()).clone()
    })
}

fn is_of(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_it_does_not_know_is_no_pass() {
        assert_eq!(violations(&json!({"maxItems": 1}), &json!([1, 2])).len(), 1);
        assert_eq!(
            violations(&json!({"$ref": "#/$defs/none"}), &json!(1)).len(),
            1
        );
        assert_eq!(violations(&json!({"type": "float"}), &json!(1.5)).len(), 1);
        assert_eq!(
            violations(&json!({"type": "integer", "minimum": 0}), &json!(0)).len(),
            0
        );
    }
}
