//! Label selectors, as kubectl writes them. Values may hold `*`, which stands for any run of characters.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One demand of a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    /// `key in (a,b)`, `key=a`.
    In(String, Vec<String>),
    /// `key notin (a,b)`, `key!=a`: also true without the key, as in Kubernetes.
    NotIn(String, Vec<String>),
    /// `key`.
    Exists(String),
    /// `!key`.
    Missing(String),
}

/// A label selector in kubectl's syntax; all demands must hold, none at all hold for everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    text: String,
    demands: Vec<Demand>,
}

impl Selector {
    /// The one that everything satisfies.
    pub fn all() -> Self {
        Self::default()
    }

    /// Does everything satisfy it?
    pub fn is_all(&self) -> bool {
        self.demands.is_empty()
    }

    /// As it was written; empty if it holds for everything.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Do these labels satisfy it?
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches_with(|key| labels.get(key).map(String::as_str))
    }

    /// Does something satisfy it, whose labels `value` looks up?
    pub fn matches_with<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> bool {
        let among = |key: &str, values: &[String]| {
            value(key).is_some_and(|found| values.iter().any(|one| fits(one, found)))
        };
        self.demands.iter().all(|demand| match demand {
            Demand::In(key, values) => among(key, values),
            Demand::NotIn(key, values) => !among(key, values),
            Demand::Exists(key) => value(key).is_some(),
            Demand::Missing(key) => value(key).is_none(),
        })
    }

    /// The keys that it asks for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.demands.iter().map(|demand| match demand {
            Demand::In(key, _)
            | Demand::NotIn(key, _)
            | Demand::Exists(key)
            | Demand::Missing(key) => key.as_str(),
        })
    }
}

/// Is `text` what `pattern` says, where `*` stands for any run of characters? Linear in the text for each star.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// A text that is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{part}\" is no part of a selector: write key=value, key!=value, key in (a,b), key, !key"
)]
pub struct NotASelector {
    part: String,
}

impl FromStr for Selector {
    type Err = NotASelector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let demands = split_outside_brackets(text)
            .map(|part| demand(part.trim()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.trim().to_owned(),
            demands,
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Selector {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(Self::all());
        }
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Splits at commas that are not inside brackets.
fn split_outside_brackets(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0u32;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

fn demand(part: &str) -> Result<Demand, NotASelector> {
    let refuse = || NotASelector {
        part: part.to_owned(),
    };
    let key = |text: &str| {
        let text = text.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        (!text.is_empty() && text.chars().all(fits))
            .then(|| text.to_owned())
            .ok_or_else(refuse)
    };
    let value = |text: &str| {
        let text = text.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.*".contains(c);
        text.chars()
            .all(fits)
            .then(|| text.to_owned())
            .ok_or_else(refuse)
    };
    let set = |text: &str| {
        let inner = text.trim().strip_prefix('(').ok_or_else(refuse)?;
        let inner = inner.strip_suffix(')').ok_or_else(refuse)?;
        inner.split(',').map(value).collect::<Result<Vec<_>, _>>()
    };
    if let Some((left, right)) = part.split_once("!=") {
        return Ok(Demand::NotIn(key(left)?, vec![value(right)?]));
    }
    if let Some((left, right)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Demand::In(key(left)?, vec![value(right)?]));
    }
    if let Some((left, right)) = part.split_once(" notin ") {
        return Ok(Demand::NotIn(key(left)?, set(right)?));
    }
    if let Some((left, right)) = part.split_once(" in ") {
        return Ok(Demand::In(key(left)?, set(right)?));
    }
    match part.strip_prefix('!') {
        Some(rest) => Ok(Demand::Missing(key(rest)?)),
        None => Ok(Demand::Exists(key(part)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, fit) in [
            ("eu-*", "eu-1", true),
            ("eu-*", "us-1", false),
            ("*-1", "eu-1", true),
            ("*", "", true),
            ("e*-*1", "eu-11", true),
            ("e*u*u", "eu", false),
            ("eu", "eu-1", false),
            ("", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, text), fit, "{pattern} {text}");
        }
    }

    #[test]
    fn it_reads_what_it_writes() {
        for text in ["env=prod,region in (eu,us),!edge,tier", "cluster=eu-*"] {
            let selector: Selector = text.parse().unwrap();
            let json = serde_json::to_string(&selector).unwrap();
            assert_eq!(serde_json::from_str::<Selector>(&json).unwrap(), selector);
        }
        assert!(serde_json::from_str::<Selector>("\"\"").unwrap().is_all());
        assert!("a b".parse::<Selector>().is_err());
    }
}
