//! JSON objects as their source text, member by member, so that an edit leaves every other byte as it was.
//!
//! A release record holds fields that refit does not know, numbers of any size and text escaped in Go's way.
//! Parsing it into a tree and printing it again would change some of that; cutting and pasting text does not.
use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON text that could not be read: where, and in which way, but never its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line}, column {column}")]
pub struct JsonFault {
    what: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonFault {
    /// Drops the message of serde_json: it may quote a value.
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            serde_json::error::Category::Io => "unreadable text",
            serde_json::error::Category::Syntax => "malformed JSON",
            serde_json::error::Category::Data => "JSON value of another type",
            serde_json::error::Category::Eof => "JSON ends too early",
        };
        Self {
            what,
            line: error.line(),
            column: error.column(),
        }
    }
}

/// Reads a value out of JSON text; the error says where, not what.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, JsonFault> {
    serde_json::from_str(text).map_err(JsonFault::from)
}

/// `value` as JSON text.
pub(super) fn string(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// One member: its key decoded, its key and value as they stand in the text.
#[derive(Debug)]
struct Member<'a> {
    key: Cow<'a, str>,
    key_text: Cow<'a, str>,
    value_text: Cow<'a, str>,
}

/// The members of one JSON object in their order. White space between members is not kept; see [`Members::text`].
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<Member<'a>>);

impl<'a> Members<'a> {
    /// Splits the text of a JSON object. O(n); values are checked for well-formedness but not built.
    pub(super) fn parse(text: &'a str) -> Result<Self, JsonFault> {
        read(text)
    }

    /// The text of the member `key`; of several, the last, which is the one that Go's decoder keeps.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .rfind(|member| member.key == key)
            .map(|member| &*member.value_text)
    }

    /// The first key that differs from one of `known` in letter case only. Go's decoder would take it for that field.
    pub(super) fn lookalike(&self, known: &[&str]) -> Option<&str> {
        let alike = |key: &str| {
            known
                .iter()
                .any(|name| *name != key && name.eq_ignore_ascii_case(key))
        };
        self.0
            .iter()
            .map(|member| &*member.key)
            .find(|key| alike(key))
    }

    /// Sets `key` to the JSON text `value`, in place if it is there, else where `order` wants it.
    ///
    /// `order` is the order in which Helm writes the fields; a new member goes before the first present one that comes after it.
    pub(super) fn set(&mut self, key: &str, value: String, order: &[&str]) {
        if let Some(first) = self.0.iter().position(|member| member.key == key) {
            self.0[first].value_text = value.into();
            let mut index = 0;
            self.0.retain(|member| {
                index += 1;
                index - 1 <= first || member.key != key
            });
            return;
        }
        let rank = |name: &str| order.iter().position(|known| *known == name);
        let at = rank(key)
            .and_then(|own| {
                self.0
                    .iter()
                    .position(|member| rank(&member.key).is_some_and(|other| other > own))
            })
            .unwrap_or(self.0.len());
        self.0.insert(
            at,
            Member {
                key: key.to_owned().into(),
                key_text: string(key).into(),
                value_text: value.into(),
            },
        );
    }

    /// Removes `key`, every occurrence of it.
    pub(super) fn remove(&mut self, key: &str) {
        self.0.retain(|member| member.key != key);
    }

    /// The object as compact text, each key and value exactly as it was read.
    pub(super) fn text(&self) -> String {
        let size = self
            .0
            .iter()
            .map(|member| member.key_text.len() + member.value_text.len() + 2)
            .sum::<usize>();
        let mut text = String::with_capacity(size + 2);
        text.push('{');
        for (index, member) in self.0.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&member.key_text);
            text.push(':');
            text.push_str(&member.value_text);
        }
        text.push('}');
        text
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push(Member {
                        key: serde_json::from_str::<String>(key.get())
                            .map_err(serde::de::Error::custom)?
                            .into(),
                        key_text: key.get().into(),
                        value_text: value.get().into(),
                    });
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"name":"web","n\u0061me2":1e+5,"info":{"a":1.0},"big":123456789012345678901234567890,"t":"\u003c&\u2028"}"#;

    #[test]
    fn every_byte_survives() {
        assert_eq!(Members::parse(TEXT).unwrap().text(), TEXT);
    }

    #[test]
    fn an_edit_touches_one_value() {
        let mut members = Members::parse(TEXT).unwrap();
        members.set("info", "{}".to_owned(), &[]);
        assert_eq!(members.text(), TEXT.replace(r#"{"a":1.0}"#, "{}"));
        members.remove("name2");
        assert_eq!(
            members.text(),
            TEXT.replace(r#"{"a":1.0}"#, "{}")
                .replace(r#""n\u0061me2":1e+5,"#, "")
        );
    }

    #[test]
    fn a_new_member_stands_where_helm_would_write_it() {
        let mut members = Members::parse(r#"{"a":1,"x":0,"d":4}"#).unwrap();
        let order = ["a", "b", "c", "d", "e"];
        members.set("c", "3".to_owned(), &order);
        members.set("e", "5".to_owned(), &order);
        members.set("b", "2".to_owned(), &order);
        members.set("free", "9".to_owned(), &order);
        assert_eq!(
            members.text(),
            r#"{"a":1,"x":0,"b":2,"c":3,"d":4,"e":5,"free":9}"#
        );
    }

    #[test]
    fn of_a_doubled_key_the_last_is_read_and_one_is_left_after_an_edit() {
        let mut members = Members::parse(r#"{"a":1,"b":0,"a":2}"#).unwrap();
        assert_eq!(members.get("a"), Some("2"));
        members.set("a", "3".to_owned(), &[]);
        assert_eq!(members.text(), r#"{"a":3,"b":0}"#);
    }

    #[test]
    fn keys_alike_but_for_case_are_found() {
        let members = Members::parse(r#"{"Status":1,"name":2}"#).unwrap();
        assert_eq!(members.lookalike(&["name", "status"]), Some("Status"));
        assert_eq!(members.lookalike(&["name"]), None);
    }

    #[test]
    fn faults_show_no_content() {
        for text in [
            r#"{"a":"hunter2"#,
            r#"{"a":hunter2}"#,
            r#"["hunter2"]"#,
            r#"{"hunter2"}"#,
        ] {
            let fault = Members::parse(text).unwrap_err();
            assert!(!format!("{fault} {fault:?}").contains("hunter"), "{fault}");
        }
        let fault = read::<u32>("\"hunter2\"").unwrap_err();
        assert_eq!(
            fault.to_string(),
            "JSON value of another type at line 1, column 9"
        );
    }
}
