//! The form of a file of rules, and from it to [`Rule`]s.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use super::flaw::Flaws;
use super::wording::Jinja;
use crate::domain::fleet::{PolicyAction, PolicyTopic};
use crate::domain::triage::{
    Decides, Matcher, OptionTemplate, PatchTemplate, Pattern, PolicyTemplate, QuestionTemplate,
    Rule,
};

/// Longest name of a cause: it is a cell of a table.
const MAX_NAME: usize = 40;

/// Answers of a question at least: one is no choice.
const ANSWERS: usize = 2;

type Text = Spanned<String>;

/// `[[cause]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCause {
    name: Text,
    about: Text,
    decides: Spanned<Decides>,
    when: Vec<Spanned<FileWhen>>,
    fix: Text,
    full: Option<Text>,
    #[serde(default)]
    policy: Vec<Spanned<FilePolicy>>,
    question: Option<Spanned<FileQuestion>>,
    patch: Option<FilePatch>,
}

/// `[[cause.when]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWhen {
    #[serde(rename = "type", default)]
    kind: Patterns,
    #[serde(rename = "kind", default)]
    object: Patterns,
    #[serde(default)]
    group: Patterns,
    #[serde(default)]
    namespace: Patterns,
    custom: Option<bool>,
    #[serde(default)]
    field: Patterns,
    #[serde(default)]
    owner: Patterns,
    #[serde(default)]
    subresource: Patterns,
    #[serde(default)]
    message: Patterns,
    #[serde(default)]
    chart: Patterns,
    same_quantity: Option<bool>,
}

/// `[[cause.policy]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePolicy {
    kind: Option<Text>,
    field: Option<Text>,
    owner: Option<Text>,
    namespace: Option<Text>,
    conflict: Option<PolicyAction>,
    drop: Option<PolicyAction>,
    why: Text,
}

/// `[cause.question]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileQuestion {
    text: Text,
    options: Vec<FileOption>,
}

/// `[[cause.question.options]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOption {
    answer: Text,
    policy: Option<PolicyAction>,
    now: Text,
    later: Option<Text>,
    #[serde(default)]
    changes: bool,
}

/// `[cause.patch]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePatch {
    file: Text,
    text: Text,
}

/// One pattern, or several of which one suffices.
#[derive(Default)]
struct Patterns(Vec<Pattern>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Patterns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or an array of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Patterns, E> {
                Ok(Patterns(vec![Pattern::new(text)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Patterns, A::Error> {
                let mut patterns = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    patterns.push(Pattern::new(text));
                }
                if patterns.is_empty() {
                    return Err(de::Error::invalid_length(0, &"at least one text"));
                }
                Ok(Patterns(patterns))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

impl FileCause {
    /// The rule, if it has no flaw.
    pub(super) fn rule(self, at: Range<usize>, flaws: &mut Flaws<'_>) -> Option<Rule> {
        let mut check = Check {
            flaws,
            jinja: Jinja::new(),
            sound: true,
        };
        check.name(&self.name);
        if self.when.is_empty() {
            check.flaw(at.clone(), "when is empty: this takes no finding");
        }
        let mut when = Vec::new();
        for matcher in self.when {
            let place = matcher.span();
            let matcher = matcher.into_inner().matcher();
            if matcher.is_empty() {
                check.flaw(place, "it demands nothing: this takes every finding");
            }
            when.push(matcher);
        }
        let decides = *self.decides.get_ref();
        let place = self.decides.span();
        let wants = |wanted: bool, found: bool, what: &str| match (wanted, found) {
            (true, false) => Some(format!("decides = \"{decides}\" needs {what}")),
            (false, true) => Some(format!("decides = \"{decides}\" has no {what}")),
            _ => None,
        };
        let asks = decides == Decides::You;
        // An answer that is a policy needs something to be a policy of; holding is what happens anyway.
        let answers = self.question.iter().flat_map(|it| &it.get_ref().options);
        let by_policy = decides == Decides::Rule
            || answers
                .filter_map(|it| it.policy)
                .any(|policy| policy != PolicyAction::Hold);
        let has_policies = !self.policy.is_empty();
        let needs = [
            wants(asks, self.question.is_some(), "[cause.question]"),
            wants(by_policy, has_policies, "[[cause.policy]]"),
        ];
        for message in needs.into_iter().flatten() {
            check.flaw(place.clone(), message);
        }
        let policies = self.policy.into_iter();
        let rule = Rule {
            name: self.name.into_inner(),
            about: check.line(self.about),
            decides,
            when,
            fix: check.line(self.fix),
            full: self.full.map_or_else(String::new, |text| check.text(text)),
            policies: policies.map(|it| check.policy(it, asks)).collect(),
            question: self.question.map(|it| check.question(it)),
            patch: self.patch.map(|it| PatchTemplate {
                file: check.line(it.file),
                text: check.text(it.text),
            }),
        };
        check.sound.then_some(rule)
    }
}

impl FileWhen {
    fn matcher(self) -> Matcher {
        Matcher {
            kind: self.kind.0,
            object: self.object.0,
            group: self.group.0,
            namespace: self.namespace.0,
            custom: self.custom,
            field: self.field.0,
            owner: self.owner.0,
            subresource: self.subresource.0,
            message: self.message.0,
            chart: self.chart.0,
            same_quantity: self.same_quantity,
        }
    }
}

/// What is looked at beyond types and keys.
struct Check<'a, 'b> {
    flaws: &'a mut Flaws<'b>,
    jinja: Jinja,
    sound: bool,
}

impl Check<'_, '_> {
    fn flaw(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.sound = false;
        self.flaws.add(at, message);
    }

    fn name(&mut self, name: &Text) {
        let text = name.get_ref();
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !starts || !text.chars().all(lawful) || text.len() > MAX_NAME {
            let message = format!(
                "a name starts with a letter and has small letters, digits and -, at most {MAX_NAME}"
            );
            self.flaw(name.span(), message);
        }
    }

    /// A text with placeholders that exist.
    fn text(&mut self, text: Text) -> String {
        if text.get_ref().is_empty() {
            self.flaw(text.span(), "this must not be empty");
        }
        if let Some(why) = self.jinja.flaw(text.get_ref()) {
            self.flaw(text.span(), why);
        }
        text.into_inner()
    }

    /// The same on one line.
    fn line(&mut self, text: Text) -> String {
        if text.get_ref().contains('\n') {
            self.flaw(text.span(), "this is one line");
        }
        self.text(text)
    }

    fn policy(&mut self, policy: Spanned<FilePolicy>, asks: bool) -> PolicyTemplate {
        let place = policy.span();
        let it = policy.into_inner();
        let actions = usize::from(it.conflict.is_some()) + usize::from(it.drop.is_some());
        if asks && actions > 0 {
            self.flaw(place.clone(), "the answer says conflict or drop");
        } else if !asks && actions != 1 {
            self.flaw(place.clone(), "either conflict or drop is needed");
        }
        for (action, topic) in [
            (it.conflict, PolicyTopic::Conflict),
            (it.drop, PolicyTopic::Drop),
        ] {
            if let Some(action) = action.filter(|it| it.topic() != topic) {
                let message = format!("{action} goes under {}", action.topic().key());
                self.flaw(place.clone(), message);
            }
        }
        let keys = [&it.kind, &it.field, &it.owner, &it.namespace];
        if keys.iter().all(|key| key.is_none()) {
            let message = "kind, field, owner or namespace is needed: this settles everything";
            self.flaw(place, message);
        }
        PolicyTemplate {
            kind: it.kind.map(|text| self.line(text)),
            field: it.field.map(|text| self.line(text)),
            owner: it.owner.map(|text| self.line(text)),
            namespace: it.namespace.map(|text| self.line(text)),
            conflict: it.conflict,
            drop: it.drop,
            why: self.line(it.why),
        }
    }

    fn question(&mut self, question: Spanned<FileQuestion>) -> QuestionTemplate {
        let place = question.span();
        let it = question.into_inner();
        if it.options.len() < ANSWERS {
            self.flaw(place.clone(), "a question has two answers at least");
        }
        for action in it.options.iter().filter_map(|option| option.policy) {
            if action.topic() != PolicyTopic::Conflict {
                let message = format!("{action} is no answer about a conflict");
                self.flaw(place.clone(), message);
            }
        }
        let options = it.options.into_iter();
        QuestionTemplate {
            text: self.text(it.text),
            options: options
                .map(|option| OptionTemplate {
                    answer: self.line(option.answer),
                    policy: option.policy,
                    now: self.line(option.now),
                    later: option.later.map_or_else(String::new, |it| self.line(it)),
                    changes: option.changes,
                })
                .collect(),
        }
    }
}
