//! Text as Go's `strconv`, `fmt` and the server's JSON writer print it: where keys are compared as text, Rust's forms would differ.

use std::fmt::Write as _;

use serde_json::Value;

use crate::value::{Num, number};

/// Appends `text` as a JSON string, as the server writes object keys: only `"`, `\` and control bytes are escaped.
pub(crate) fn push_json_string(out: &mut String, text: &str) {
    push_escaped(out, text, false);
}

/// Appends `value` as JSON, as the server writes the payload of `k:` and `v:`: `<`, `>`, `&`, U+2028 and U+2029 escaped too.
pub(crate) fn push_json_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => match number(n) {
            Num::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Num::Float(f) => push_json_float(out, f),
        },
        Value::String(s) => push_escaped(out, s, true),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_json_value(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, value)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                push_escaped(out, key, true);
                out.push(':');
                push_json_value(out, value);
            }
            out.push('}');
        }
    }
}

fn push_escaped(out: &mut String, text: &str, html: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => push_u(out, c),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' if html => push_u(out, c),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn push_u(out: &mut String, c: char) {
    let _ = write!(out, "\\u{:04x}", u32::from(c));
}

/// The shortest decimal form; an exponent (of at least two digits) only below 1e-6 and from 1e21 on.
fn push_json_float(out: &mut String, f: f64) {
    let abs = f.abs();
    if abs != 0.0 && !(1e-6..1e21).contains(&abs) {
        push_exponent_form(out, f);
    } else {
        let _ = write!(out, "{f}");
    }
}

/// Rust's `1e-7` as Go's `1e-07`.
fn push_exponent_form(out: &mut String, f: f64) {
    let text = format!("{f:e}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        out.push_str(&text);
        return;
    };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
}

/// A value as it stands in the text of a path: `"web"` quoted by [`quote`], 80, true, null.
pub(crate) fn display_value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => match number(n) {
            Num::Int(i) => i.to_string(),
            Num::Float(f) => display_float(f),
        },
        Value::String(s) => quote(s),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(display_value).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            // The server prints maps in random order and without separators; ours is sorted.
            sorted(map)
                .into_iter()
                .fold(String::new(), |mut out, (key, value)| {
                    let _ = write!(out, "{key}={}", display_value(value));
                    out
                })
        }
    }
}

/// Go's `%q`: a double-quoted string in which only unprintable characters are escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if c < ' ' || c == '\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x1_0000 => push_u(&mut out, c),
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// Whether Unicode calls `c` a letter, mark, number, punctuation, symbol or the ASCII space.
/// The standard library knows, but says so only through the escapes of a string's second character
/// (it also escapes a combining mark at the very start).
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let mut buffer = ['a'; 2];
    buffer[1] = c;
    let text: String = buffer.iter().collect();
    text.escape_debug().nth(1) == Some(c)
}

/// Go's `%v` of a float: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
fn display_float(f: f64) -> String {
    let text = format!("{f:e}");
    let exponent = text
        .split_once('e')
        .and_then(|(_, e)| e.parse::<i32>().ok())
        .unwrap_or(0);
    if f != 0.0 && !(-4..6).contains(&exponent) {
        let mut out = String::new();
        push_exponent_form(&mut out, f);
        return out;
    }
    f.to_string()
}

/// Go's name of the type that JSON of this kind is read into.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) => match number(n) {
            Num::Int(_) => "int64",
            Num::Float(_) => "float64",
        },
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// The fields of a map in the order of their keys.
fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = map.iter().collect();
    fields.sort_by_key(|(key, _)| *key);
    fields
}

/// A value as the server's messages show one with `%v`: `&{[a b]}`.
pub(crate) fn wrapped(value: &Value) -> String {
    format!("&{{{}}}", plain(value))
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(s) => s.clone(),
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(plain).collect::<Vec<_>>().join(" ")
            )
        }
        Value::Object(map) => {
            let fields = sorted(map)
                .into_iter()
                .map(|(key, value)| format!("{key}:{}", plain(value)));
            format!("map[{}]", fields.collect::<Vec<_>>().join(" "))
        }
        scalar => display_value(scalar),
    }
}

/// A value as the server's messages show one with `%#v`: `&value.valueUnstructured{Value:5}`.
pub(crate) fn wrapped_syntax(value: &Value) -> String {
    format!("&value.valueUnstructured{{Value:{}}}", syntax(value))
}

fn syntax(value: &Value) -> String {
    let name = type_name(value);
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(items) => {
            format!(
                "{name}{{{}}}",
                items.iter().map(syntax).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Object(map) => {
            let fields = sorted(map)
                .into_iter()
                .map(|(key, value)| format!("{}:{}", quote(key), syntax(value)));
            format!("{name}{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        scalar => display_value(scalar),
    }
}
