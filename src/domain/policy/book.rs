//! The rules of a fleet, in order: the first that matches decides.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::decision::RuleRef;
use super::field::FieldPattern;
use crate::domain::fleet::{PolicyAction, PolicyRule, PolicyTopic};
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;

/// A rule that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct RuleInvalid {
    /// Where the rule stands.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

/// A release, as rules see it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Which.
    pub release: &'a ReleaseId,
    /// Its chart.
    pub chart: &'a ChartRef,
    /// Labels of its cluster.
    pub labels: &'a BTreeMap<String, String>,
}

/// A field of an object, as rules see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) object: &'a ObjectRef,
    pub(super) field: &'a str,
    pub(super) owner: Option<&'a str>,
}

/// All rules, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Book {
    rules: Vec<Ready>,
    /// Values may be changed: what they were can be sealed.
    values: bool,
}

#[derive(Debug, Clone)]
struct Ready {
    reference: RuleRef,
    action: PolicyAction,
    kind: Globs,
    field: Vec<FieldPattern>,
    owner: Globs,
    namespace: Globs,
    labels: Vec<(String, Option<GlobMatcher>)>,
    chart: Globs,
}

/// No globs match everything.
#[derive(Debug, Clone)]
struct Globs(Vec<GlobMatcher>);

impl Globs {
    fn new(
        globs: &[String],
        build: fn(&str) -> Result<GlobMatcher, String>,
    ) -> Result<Self, String> {
        // A lone star means what it says, also across the slash of a subresource.
        if globs.iter().any(|glob| glob == "*") {
            return Ok(Self(Vec::new()));
        }
        globs
            .iter()
            .map(|glob| build(glob))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn takes(&self, words: &[&str]) -> bool {
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|glob| words.iter().any(|word| glob.is_match(word)))
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    build(GlobBuilder::new(text).literal_separator(true), text)
}

fn any_case(text: &str) -> Result<GlobMatcher, String> {
    build(GlobBuilder::new(text).case_insensitive(true), text)
}

fn build(builder: &GlobBuilder<'_>, text: &str) -> Result<GlobMatcher, String> {
    if text.is_empty() {
        return Err("a glob is empty".to_owned());
    }
    builder
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("\"{text}\" is no glob: {}", error.kind()))
}

fn ready(rule: &PolicyRule) -> Result<Ready, String> {
    Ok(Ready {
        reference: RuleRef {
            place: rule.place.clone(),
            why: rule.why.clone(),
        },
        action: rule.action,
        kind: Globs::new(&rule.kind, any_case)?,
        field: rule
            .field
            .iter()
            .map(|field| FieldPattern::new(field).map_err(|error| error.to_string()))
            .collect::<Result<_, _>>()?,
        owner: Globs::new(&rule.owner, glob)?,
        namespace: Globs::new(&rule.namespace, glob)?,
        labels: rule
            .labels
            .iter()
            .map(|(key, value)| {
                // A label may be there with an empty value.
                let glob = (!value.is_empty()).then(|| any_value(value)).transpose()?;
                Ok((key.clone(), glob))
            })
            .collect::<Result<_, String>>()?,
        chart: Globs::new(&rule.chart, glob)?,
    })
}

fn any_value(text: &str) -> Result<GlobMatcher, String> {
    build(GlobBuilder::new(text).literal_separator(false), text)
}

impl Book {
    /// Compiles the rules. Do it once, not for every release.
    pub fn new(rules: &[PolicyRule]) -> Result<Self, RuleInvalid> {
        let rules = rules
            .iter()
            .map(|rule| {
                ready(rule).map_err(|reason| RuleInvalid {
                    place: rule.place.clone(),
                    reason,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            rules,
            values: false,
        })
    }

    /// The same, where values may be changed if `sealed` says that what they were can be kept.
    #[must_use]
    pub fn with_values(mut self, sealed: bool) -> Self {
        self.values = sealed;
        self
    }

    /// May values be changed?
    pub(super) fn changes_values(&self) -> bool {
        self.values
    }

    /// The rule of `mode = "enforce"`, which takes every field of the manifest.
    pub fn enforces(&self) -> Option<&RuleRef> {
        let all = |rule: &&Ready| rule.action == PolicyAction::Take && rule.is_about_all();
        self.rules.iter().find(all).map(|rule| &rule.reference)
    }

    /// No rule at all?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Is there a rule about fields of the manifest itself?
    pub fn sheds(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.action == PolicyAction::Shed)
    }

    /// The first rule about this conflict.
    pub(super) fn conflict(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(PolicyAction, RuleRef)> {
        self.first(case, asked, |action| {
            action.topic() == PolicyTopic::Conflict && action != PolicyAction::Repair
        })
    }

    /// The first rule about entries of dead versions: one that repairs them, or holds or blocks whatever it meets.
    pub(super) fn dead(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(PolicyAction, RuleRef)> {
        self.first(case, asked, |action| {
            matches!(
                action,
                PolicyAction::Repair | PolicyAction::Hold | PolicyAction::Fail
            )
        })
    }

    /// The first rule about this drop.
    pub(super) fn dropped(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(PolicyAction, RuleRef)> {
        self.first(case, asked, |action| {
            action.topic() == PolicyTopic::Drop && action != PolicyAction::Shed
        })
    }

    /// The first rule that sheds this field of the manifest.
    pub(super) fn shed(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(PolicyAction, RuleRef)> {
        self.first(case, asked, |action| action == PolicyAction::Shed)
    }

    fn first(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
        about: impl Fn(PolicyAction) -> bool,
    ) -> Option<(PolicyAction, RuleRef)> {
        self.rules
            .iter()
            .filter(|rule| about(rule.action))
            .find(|rule| rule.takes(case, asked))
            .map(|rule| (rule.action, rule.reference.clone()))
    }
}

impl Ready {
    fn is_about_all(&self) -> bool {
        self.field.is_empty()
            && self.labels.is_empty()
            && [&self.kind, &self.owner, &self.namespace, &self.chart]
                .iter()
                .all(|globs| globs.0.is_empty())
    }

    fn takes(&self, case: &Case<'_>, asked: &Question<'_>) -> bool {
        let kind = &asked.object.kind;
        let with_group = format!("{kind}.{}", asked.object.group());
        let chart = format!("{}-{}", case.chart.name, case.chart.version);
        self.kind.takes(&[kind, &with_group])
            && self.owner.takes(&[asked.owner.unwrap_or("")])
            && self.namespace.takes(&[case.release.namespace.as_str()])
            && self.chart.takes(&[&case.chart.name, &chart])
            && self.labels.iter().all(|(key, glob)| {
                let value = case.labels.get(key);
                value.is_some_and(|value| match glob {
                    Some(glob) => glob.is_match(value),
                    None => value.is_empty(),
                })
            })
            && (self.field.is_empty() || self.field.iter().any(|field| field.matches(asked.field)))
    }
}
