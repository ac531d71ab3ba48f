//! The text of a field set in `metadata.managedFields[].fieldsV1`: read leniently as the server does, written canonically.
//!
//! Each key of the JSON tree is one path element: `f:<name>`, `k:<JSON object>`, `v:<JSON>` or `i:<number>`; `.` says that
//! the node itself is a member too. An empty object is a member without children.
//!
//! ```
//! use managed_fields::fields_v1;
//!
//! let text = r#"{ "f:ports": { "k:{\"protocol\":\"TCP\",\"containerPort\":80.0}": { "f:name": {}, ".": {} } } }"#;
//! let set = fields_v1::decode(text)?;
//! assert_eq!(
//!     fields_v1::encode(&set),
//!     r#"{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:name":{}}}}"#,
//! );
//! # Ok::<(), fields_v1::FieldsV1Error>(())
//! ```

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Number, Value};
use smol_str::SmolStr;

use crate::path::{Key, KeyField, PathElement};
use crate::set::FieldSet;
use crate::value::{Num, number};
use crate::{MAX_DEPTH, gotext};

/// A `fieldsV1` that the server would not read either.
#[derive(Debug, thiserror::Error)]
#[error("fieldsV1 cannot be read")]
pub struct FieldsV1Error(#[source] serde_json::Error);

/// Reads a field set from JSON text. Linear in the text's length.
///
/// As on the server, keys of an unknown kind (`x:…`) are dropped, the order of keys does not matter, and of
/// duplicate keys the last one's children win.
pub fn decode(text: &str) -> Result<FieldSet, FieldsV1Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let node = NodeSeed { depth: 0 }
        .deserialize(&mut json)
        .map_err(FieldsV1Error)?;
    json.end().map_err(FieldsV1Error)?;
    Ok(node.set.unwrap_or_default())
}

/// Reads a field set from parsed JSON; otherwise like [`decode`].
pub fn decode_value(json: &Value) -> Result<FieldSet, FieldsV1Error> {
    NodeSeed { depth: 0 }
        .deserialize(json)
        .map(|node| node.set.unwrap_or_default())
        .map_err(FieldsV1Error)
}

/// Writes a field set as the server does: compact, sorted, `.` first, with Go's escapes and number forms.
/// Equal sets give equal texts.
pub fn encode(set: &FieldSet) -> String {
    let mut out = String::from("{");
    push_contents(&mut out, set);
    out.push('}');
    out
}

/// Writes a field set as a JSON value. Its keys are the canonical ones; their order is that of [`serde_json::Map`].
pub fn encode_value(set: &FieldSet) -> Value {
    let mut map = serde_json::Map::new();
    for member in set.members() {
        map.insert(
            encode_element(member),
            Value::Object(serde_json::Map::new()),
        );
    }
    for (element, below) in set.children() {
        let mut value = encode_value(below);
        if let (Value::Object(child), true) = (&mut value, set.has_member(element))
            && !child.is_empty()
        {
            child.insert(".".to_owned(), Value::Object(serde_json::Map::new()));
        }
        map.insert(encode_element(element), value);
    }
    Value::Object(map)
}

/// The key of one path element, such as `k:{"name":"web"}`.
pub fn encode_element(element: &PathElement) -> String {
    let mut out = String::new();
    match element {
        PathElement::Field(name) => {
            out.push_str("f:");
            out.push_str(name);
        }
        PathElement::Key(fields) => {
            out.push_str("k:{");
            for (i, KeyField { name, value }) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                gotext::push_json_string(&mut out, name);
                out.push(':');
                gotext::push_json_value(&mut out, value);
            }
            out.push('}');
        }
        PathElement::Value(value) => {
            out.push_str("v:");
            gotext::push_json_value(&mut out, value);
        }
        PathElement::Index(index) => {
            out.push_str("i:");
            out.push_str(&index.to_string());
        }
    }
    out
}

/// Reads the key of one path element; `None` for a kind that is not known.
///
/// ```
/// use managed_fields::fields_v1::decode_element;
///
/// let element = decode_element(r#"k:{"name":"web"}"#)?;
/// assert_eq!(element.map(|e| e.to_string()).as_deref(), Some(r#"[name="web"]"#));
/// assert_eq!(decode_element("x:later")?, None);
/// # Ok::<(), managed_fields::fields_v1::FieldsV1Error>(())
/// ```
pub fn decode_element(text: &str) -> Result<Option<PathElement>, FieldsV1Error> {
    parse_element(text).map_err(FieldsV1Error)
}

fn push_contents(out: &mut String, set: &FieldSet) {
    let mut first = true;
    let mut push_key = |out: &mut String, element: &PathElement| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        gotext::push_json_string(out, &encode_element(element));
        out.push(':');
    };
    let mut members = set.members().peekable();
    for (element, below) in set.children() {
        while let Some(member) = members.next_if(|member| *member < element) {
            push_key(out, member);
            out.push_str("{}");
        }
        push_key(out, element);
        out.push('{');
        if members.next_if(|member| *member == element).is_some() && !below.has_no_nodes() {
            out.push_str("\".\":{},");
        }
        push_contents(out, below);
        out.push('}');
    }
    for member in members {
        push_key(out, member);
        out.push_str("{}");
    }
}

/// What a JSON object of the tree says about its node.
struct Node {
    /// What lies below; `None` if nothing does.
    set: Option<FieldSet>,
    member: bool,
}

#[derive(Clone, Copy)]
struct NodeSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for NodeSeed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Node, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of path elements")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node {
            set: None,
            member: true,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(A::Error::custom(format_args!(
                "deeper than {MAX_DEPTH} path elements"
            )));
        }
        let mut set: Option<FieldSet> = None;
        let mut member = false;
        while let Some(key) = map.next_key_seed(ElementSeed)? {
            let element = match key {
                NodeKey::Itself => {
                    member = true;
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                NodeKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
                NodeKey::Element(element) => element,
            };
            let child = map.next_value_seed(Self {
                depth: self.depth + 1,
            })?;
            let set = set.get_or_insert_default();
            if child.member {
                set.insert_member(element.clone());
            }
            if let Some(below) = child.set {
                set.replace_child(element, below);
            }
        }
        member |= set.is_none();
        Ok(Node { set, member })
    }
}

enum NodeKey {
    Itself,
    Unknown,
    Element(PathElement),
}

struct ElementSeed;

impl<'de> DeserializeSeed<'de> for ElementSeed {
    type Value = NodeKey;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<NodeKey, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for ElementSeed {
    type Value = NodeKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path element")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NodeKey, E> {
        if text == "." {
            return Ok(NodeKey::Itself);
        }
        match parse_element(text) {
            Ok(Some(element)) => Ok(NodeKey::Element(element)),
            Ok(None) => Ok(NodeKey::Unknown),
            Err(error) => Err(E::custom(format_args!("path element {text:?}: {error}"))),
        }
    }
}

fn parse_element(text: &str) -> Result<Option<PathElement>, serde_json::Error> {
    let (kind, payload) = match text.as_bytes() {
        [kind, b':', ..] if kind.is_ascii() => (kind, &text[2..]),
        _ => return Err(serde_json::Error::custom("a kind and a colon are missing")),
    };
    let element = match kind {
        b'f' => PathElement::field(payload),
        b'i' => PathElement::Index(payload.parse().map_err(serde_json::Error::custom)?),
        // What follows a complete payload is ignored, as the server of 1.36 does.
        b'v' => {
            let value: Value =
                serde::Deserialize::deserialize(&mut serde_json::Deserializer::from_str(payload))?;
            PathElement::Value(Arc::new(floats_only(value)))
        }
        b'k' => {
            let key = serde_json::Deserializer::from_str(payload).deserialize_any(KeyVisitor)?;
            PathElement::Key(key)
        }
        _ => return Ok(None),
    };
    Ok(Some(element))
}

/// The server reads every number of a stored path element as a float. It shows in the text of paths: `[port=1e+06]`.
fn floats_only(value: Value) -> Value {
    match value {
        Value::Number(n) => match number(&n) {
            #[expect(clippy::cast_precision_loss, reason = "that is what the server does")]
            Num::Int(i) => Number::from_f64(i as f64).map_or(Value::Number(n), Value::Number),
            Num::Float(f) => Number::from_f64(f).map_or(Value::Number(n), Value::Number),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(floats_only).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, floats_only(value)))
                .collect(),
        ),
        other => other,
    }
}

/// Key fields in the order of the text; the server keeps duplicates.
struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of key fields")
    }

    fn visit_unit<E>(self) -> Result<Key, E> {
        Ok(Key::from_iter([]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Key, A::Error> {
        let mut next = || -> Result<Option<KeyField>, A::Error> {
            let entry = map.next_entry::<SmolStr, Value>()?;
            Ok(entry.map(|(name, value)| KeyField {
                name,
                value: floats_only(value),
            }))
        };
        let Some(first) = next()? else {
            return Ok(Key::from_iter([]));
        };
        // Most keys have one field: no list of them is needed.
        let Some(second) = next()? else {
            return Ok(first.into());
        };
        let mut fields = vec![first, second];
        while let Some(field) = next()? {
            fields.push(field);
        }
        Ok(fields.into_iter().collect())
    }
}
