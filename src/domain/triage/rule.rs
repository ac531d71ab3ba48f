//! Rules: which findings are of one cause, who decides about it, and what the fix is. Data, not code.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::pattern::Pattern;
use crate::domain::fleet::PolicyAction;
use crate::domain::ids::Namespace;
use crate::domain::object::{ObjectRef, same_quantity};
use crate::domain::release::ChartRef;
use crate::domain::shadow::is_custom_resource;

/// Who decides about a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decides {
    /// Another tool drives the release: it is changed over there, and nothing else about it matters here.
    Elsewhere,
    /// The chart must change.
    Chart,
    /// Somebody must do something to the cluster, or to fleet.toml.
    Operator,
    /// Somebody must say who is right: a question.
    You,
    /// A policy rule can: `refit triage --rules` prints it.
    Rule,
}

impl Decides {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Chart => "chart",
            Self::Operator => "operator",
            Self::You => "you",
            Self::Rule => "rule",
        }
    }
}

impl fmt::Display for Decides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// When a finding is of a cause: every part that is given must hold, of the patterns of a part one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matcher {
    /// The finding's type.
    pub kind: Vec<Pattern>,
    /// The object's kind.
    pub object: Vec<Pattern>,
    /// Its API group; the core group is empty.
    pub group: Vec<Pattern>,
    /// Its namespace.
    pub namespace: Vec<Pattern>,
    /// Is it an object of a CRD or of an aggregated API?
    pub custom: Option<bool>,
    /// The field's path.
    pub field: Vec<Pattern>,
    /// The owner, with its subresource: `*/scale`.
    pub owner: Vec<Pattern>,
    /// The subresource of the owner's entry.
    pub subresource: Vec<Pattern>,
    /// The forecast's words.
    pub message: Vec<Pattern>,
    /// The chart: its name, or name-version.
    pub chart: Vec<Pattern>,
    /// Do both values mean the same quantity, in two spellings?
    pub same_quantity: Option<bool>,
}

impl Matcher {
    /// Does it take this finding?
    pub fn matches(&self, finding: &Finding, chart: &ChartRef) -> bool {
        let object = finding.object.as_ref();
        let (manager, subresource) = finding.manager();
        let version = || format!("{}-{}", chart.name, chart.version);
        one_of(&self.kind, Some(&finding.kind))
            && one_of(&self.object, object.map(|it| it.kind.as_str()))
            && one_of(&self.group, object.map(ObjectRef::group))
            && one_of(
                &self.namespace,
                object.and_then(|it| it.namespace.as_ref().map(Namespace::as_str)),
            )
            && self
                .custom
                .is_none_or(|custom| object.is_some_and(|it| is_custom_resource(it) == custom))
            && one_of(&self.field, finding.field.as_deref())
            && one_of(&self.owner, finding.owner.as_deref())
            && one_of(&self.subresource, manager.map(|_| subresource))
            && one_of(&self.message, Some(&finding.message))
            && (self.chart.is_empty()
                || one_of(&self.chart, Some(&chart.name))
                || one_of(&self.chart, Some(&version())))
            && self.same_quantity.is_none_or(|same| {
                let values = finding.theirs.as_deref().zip(finding.ours.as_deref());
                values.is_some_and(|(theirs, ours)| same_quantity(theirs, ours)) == same
            })
    }

    /// Does it demand anything?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn one_of(patterns: &[Pattern], text: Option<&str>) -> bool {
    patterns.is_empty()
        || text.is_some_and(|text| patterns.iter().any(|pattern| pattern.matches(text)))
}

/// A policy rule to be printed: texts may have placeholders, filled for each finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PolicyTemplate {
    /// Kind of the objects.
    pub kind: Option<String>,
    /// Pattern of fields.
    pub field: Option<String>,
    /// Pattern of owners.
    pub owner: Option<String>,
    /// Pattern of namespaces.
    pub namespace: Option<String>,
    /// What is done with a conflict. `None` in a question: the answer says it.
    pub conflict: Option<PolicyAction>,
    /// What is done with a drop.
    pub drop: Option<PolicyAction>,
    /// Why.
    pub why: String,
}

/// One of the answers to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionTemplate {
    /// `the live one`.
    pub answer: String,
    /// The policy that says so; `None` if it is done elsewhere.
    pub policy: Option<PolicyAction>,
    /// What happens now.
    pub now: String,
    /// What happens at the next upgrade; may be empty.
    pub later: String,
    /// Do values change on live objects?
    pub changes: bool,
}

/// A question that no rule can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionTemplate {
    /// The question.
    pub text: String,
    /// Its answers.
    pub options: Vec<OptionTemplate>,
}

/// A patch to be made elsewhere: a file for each release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchTemplate {
    /// Path below the folder that is asked for.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A cause: its findings, who decides, the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name, kebab-case.
    pub name: String,
    /// What it is, in a sentence: for reference pages.
    pub about: String,
    /// Who decides.
    pub decides: Decides,
    /// Findings of which one suffices.
    pub when: Vec<Matcher>,
    /// The fix in one line.
    pub fix: String,
    /// The fix in full; may be empty.
    pub full: String,
    /// Policy rules that settle it, or that an answer completes.
    pub policies: Vec<PolicyTemplate>,
    /// The question, if somebody must answer one.
    pub question: Option<QuestionTemplate>,
    /// The patch to be made elsewhere.
    pub patch: Option<PatchTemplate>,
}

/// Rules in their order: the first that takes a finding names its cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// In this order.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// All of them.
    pub fn all(&self) -> &[Rule] {
        &self.0
    }

    /// These rules first, then the others, less those that have the name of one of these.
    #[must_use]
    pub fn before(self, others: Self) -> Self {
        let mut all = self.0;
        let rest = others.0.into_iter();
        let rest: Vec<Rule> = rest
            .filter(|it| all.iter().all(|mine| mine.name != it.name))
            .collect();
        all.extend(rest);
        Self(all)
    }

    /// The rule that a finding falls to, with its place.
    pub fn of(&self, finding: &Finding, chart: &ChartRef) -> Option<(usize, &Rule)> {
        self.0
            .iter()
            .enumerate()
            .find(|(_, rule)| rule.when.iter().any(|it| it.matches(finding, chart)))
    }
}
