//! Rules of triage: `playbooks/triage.toml`, built in, and files of a user's own, which come first.
//!
//! Reads texts, never files. Every flaw is told with its place: what is no TOML at all, one of its first flaw a rule,
//! and every text whose placeholders do not exist.

mod file;
mod flaw;
mod wording;

#[cfg(test)]
mod tests;

use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

pub use flaw::{Flaw, TriageInvalid};
pub use wording::Jinja;

use self::file::FileCause;
use self::flaw::Flaws;
use crate::domain::triage::{Rule, Rules};

/// The built-in rules.
const BUILT_IN: &str = include_str!("../../../playbooks/triage.toml");

/// Their name in messages.
const BUILT_IN_FILE: &str = "playbooks/triage.toml";

/// Cap on a file of rules, in bytes: the built-in one has a twentieth of it.
const MAX_BYTES: usize = 1 << 20;

/// The built-in rules. An error is a fault of refit: a test loads them.
pub fn built_in() -> Result<Rules, TriageInvalid> {
    load(BUILT_IN, BUILT_IN_FILE)
}

/// Reads a file of rules. `file` is its name in messages. Either rules without a flaw, or the flaws.
pub fn load(text: &str, file: &str) -> Result<Rules, TriageInvalid> {
    let mut flaws = Flaws::new(file, text);
    if text.len() > MAX_BYTES {
        flaws.add(
            0..0,
            format!(
                "the file has {} bytes; at most {MAX_BYTES} are read",
                text.len()
            ),
        );
        return Err(flaws.finish());
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().unwrap_or(text.len()..text.len());
        flaws.add(at, error.message());
    }
    if !flaws.is_empty() {
        return Err(flaws.finish());
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (key, value) in root.get_ref() {
        if key.get_ref() != "cause" {
            let message = format!("unknown key {}; a rule is a [[cause]]", key.get_ref());
            flaws.add(key.span(), message);
            continue;
        }
        let Some(causes) = value.get_ref().as_array() else {
            flaws.add(key.span(), "write [[cause]], with two brackets");
            continue;
        };
        for cause in causes {
            let Some(rule) = one(cause, &mut flaws) else {
                continue;
            };
            if rules.iter().any(|it| it.name == rule.name) {
                flaws.add(
                    cause.span(),
                    format!("there is another cause \"{}\"", rule.name),
                );
            }
            rules.push(rule);
        }
    }
    if flaws.is_empty() {
        Ok(Rules::new(rules))
    } else {
        Err(flaws.finish())
    }
}

fn one(cause: &Spanned<DeValue<'_>>, flaws: &mut Flaws<'_>) -> Option<Rule> {
    use serde::Deserialize as _;
    match FileCause::deserialize(ValueDeserializer::from(cause.clone())) {
        Ok(read) => read.rule(cause.span(), flaws),
        Err(error) => {
            let at = error.span().unwrap_or(cause.span());
            flaws.add(at, error.message());
            None
        }
    }
}
