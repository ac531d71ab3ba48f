//! The rules of a fleet, in order: the first that matches decides.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use super::decision::{Action, RuleRef, Topic};
use super::field::FieldPattern;
use crate::domain::ids::ReleaseId;
use crate::domain::object::ObjectRef;
use crate::domain::release::ChartRef;

/// A rule, as fleet.toml and the plan have it. An empty list of globs matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// Where it stands: `fleet.toml:20`.
    pub place: String,
    /// Globs over `Kind` and `Kind.group`, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Patterns over field paths ([`FieldPattern`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
    /// Globs over `manager` and `manager/subresource`; `*` stays within one part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owner: Vec<String>,
    /// Globs over the release's namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespace: Vec<String>,
    /// Labels of the cluster, values as globs; all must match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Globs over `name` and `name-version` of the chart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chart: Vec<String>,
    /// What it does.
    pub action: Action,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

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
}

#[derive(Debug, Clone)]
struct Ready {
    reference: RuleRef,
    action: Action,
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

impl PolicyRule {
    /// Do both ask the same of the same fields?
    pub fn asks_like(&self, other: &Self) -> bool {
        self.action.topic() == other.action.topic()
            && (self.action == Action::Shed) == (other.action == Action::Shed)
            && (
                &self.kind,
                &self.field,
                &self.owner,
                &self.namespace,
                &self.labels,
                &self.chart,
            ) == (
                &other.kind,
                &other.field,
                &other.owner,
                &other.namespace,
                &other.labels,
                &other.chart,
            )
    }

    /// Does it match whatever it is asked?
    pub fn takes_all(&self) -> bool {
        let any = |globs: &[String]| globs.is_empty() || globs.iter().any(|glob| glob == "*");
        any(&self.kind)
            && any(&self.owner)
            && any(&self.namespace)
            && any(&self.chart)
            && self.labels.is_empty()
            && (self.field.is_empty() || self.field.iter().any(|field| field == ".**"))
    }

    fn ready(&self) -> Result<Ready, String> {
        Ok(Ready {
            reference: RuleRef {
                place: self.place.clone(),
                why: self.why.clone(),
            },
            action: self.action,
            kind: Globs::new(&self.kind, any_case)?,
            field: self
                .field
                .iter()
                .map(|field| FieldPattern::new(field).map_err(|error| error.to_string()))
                .collect::<Result<_, _>>()?,
            owner: Globs::new(&self.owner, glob)?,
            namespace: Globs::new(&self.namespace, glob)?,
            labels: self
                .labels
                .iter()
                .map(|(key, value)| {
                    // A label may be there with an empty value.
                    let glob = (!value.is_empty()).then(|| any_value(value)).transpose()?;
                    Ok((key.clone(), glob))
                })
                .collect::<Result<_, String>>()?,
            chart: Globs::new(&self.chart, glob)?,
        })
    }
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
                rule.ready().map_err(|reason| RuleInvalid {
                    place: rule.place.clone(),
                    reason,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// No rule at all?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Is there a rule about fields of the manifest itself?
    pub fn sheds(&self) -> bool {
        self.rules.iter().any(|rule| rule.action == Action::Shed)
    }

    /// The first rule about this conflict.
    pub(super) fn conflict(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(Action, RuleRef)> {
        self.first(case, asked, |action| action.topic() == Topic::Conflict)
    }

    /// The first rule about this drop.
    pub(super) fn dropped(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
    ) -> Option<(Action, RuleRef)> {
        self.first(case, asked, |action| {
            action.topic() == Topic::Drop && action != Action::Shed
        })
    }

    /// The first rule that sheds this field of the manifest.
    pub(super) fn shed(&self, case: &Case<'_>, asked: &Question<'_>) -> Option<(Action, RuleRef)> {
        self.first(case, asked, |action| action == Action::Shed)
    }

    fn first(
        &self,
        case: &Case<'_>,
        asked: &Question<'_>,
        about: impl Fn(Action) -> bool,
    ) -> Option<(Action, RuleRef)> {
        self.rules
            .iter()
            .filter(|rule| about(rule.action))
            .find(|rule| rule.takes(case, asked))
            .map(|rule| (rule.action, rule.reference.clone()))
    }
}

impl Ready {
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
