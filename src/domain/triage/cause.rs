//! What triage says: causes with their releases, fixes, rules, questions and patches; and totals that add up.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::facts::Evidence;
use super::rule::Decides;
use crate::domain::fleet::PolicyAction;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::shadow::ReleaseOutcome;

/// A policy rule, as fleet.toml has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrintedRule {
    /// Kind of the objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Pattern of fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Pattern of owners.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Pattern of namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What is done with a conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<PolicyAction>,
    /// What is done with a drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<PolicyAction>,
    /// Why.
    pub why: String,
}

impl PrintedRule {
    /// What it matches on, and whether it is about conflicts: not what it does, nor why.
    fn asks(
        &self,
    ) -> (
        &Option<String>,
        &Option<String>,
        &Option<String>,
        &Option<String>,
        bool,
    ) {
        (
            &self.kind,
            &self.field,
            &self.owner,
            &self.namespace,
            self.conflict.is_some(),
        )
    }
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// `the live one`.
    pub answer: String,
    /// The policy that says so; absent if it is done elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyAction>,
    /// What happens now.
    pub now: String,
    /// What happens at the next upgrade.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub later: String,
    /// Objects whose values would change now.
    pub value_changes: u64,
    /// The rules that give this answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PrintedRule>,
}

/// A question for whoever owns the releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Its number on the screen.
    pub number: u64,
    /// The question.
    pub text: String,
    /// Its answers.
    pub options: Vec<Answer>,
}

/// A file with a patch to be made elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Patch {
    /// Path below the folder that is asked for, with `/`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// A cause, over the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Its name.
    #[serde(rename = "cause")]
    pub name: String,
    /// Of its releases; `Ready` for one that holds nothing.
    pub outcome: ReleaseOutcome,
    /// Who decides.
    pub decides: Decides,
    /// What it is.
    pub about: String,
    /// Releases that count here: those it holds as their gravest cause. Of a note: all that have it.
    pub releases: Vec<ReleaseId>,
    /// Releases that it holds too, and that count under a graver cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<ReleaseId>,
    /// Clusters of those that count here.
    pub clusters: Vec<ClusterName>,
    /// The fix in a line.
    pub fix: String,
    /// The fix in full.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub full: String,
    /// Policy rules that settle it.
    #[serde(rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PrintedRule>,
    /// The question, if somebody must answer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Patches to be made elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// What it rests on, by release.
    pub evidence: Vec<Evidence>,
}

/// How many held releases each way out takes; together they are all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// All releases that were looked at.
    pub releases: u64,
    /// Held ones.
    pub held: u64,
    /// Causes of those.
    pub causes: u64,
    /// Causes that a policy rule settles, and their releases.
    pub rules: (u64, u64),
    /// Questions, and the releases that wait for them.
    pub questions: (u64, u64),
    /// Releases that are changed over there.
    pub elsewhere: u64,
    /// Releases that need a fix of their chart, or on the cluster.
    pub fixes: u64,
}

/// The gravest cause of a release, and how many more hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseCause {
    /// The gravest.
    pub cause: String,
    /// Others that hold it as well.
    pub more: u64,
}

/// The fleet's causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triage {
    /// What holds releases: choices first, then what blocks; of each the one with the most releases first.
    pub causes: Vec<Cause>,
    /// What holds nothing and is worth knowing, the one with the most releases first.
    pub notes: Vec<Cause>,
    /// Totals.
    pub totals: Totals,
    /// Of each held release.
    pub of: BTreeMap<ReleaseId, ReleaseCause>,
}

impl Triage {
    /// Causes and notes of a name.
    pub fn named(&self, name: &str) -> Vec<&Cause> {
        let all = self.causes.iter().chain(&self.notes);
        all.filter(|cause| cause.name == name).collect()
    }

    /// Every policy rule that settles a cause, each once, in the order of the causes.
    pub fn rules(&self) -> Vec<(&Cause, &PrintedRule)> {
        let mut told = BTreeSet::new();
        let deciding = self.causes.iter().filter(|it| it.decides == Decides::Rule);
        // Of two rules that ask the same the first decides, and fleet.toml refuses the second.
        deciding
            .flat_map(|cause| cause.rules.iter().map(move |rule| (cause, rule)))
            .filter(|(_, rule)| told.insert(rule.asks()))
            .collect()
    }

    /// Every patch, by file; of two for one file the first.
    pub fn patches(&self) -> BTreeMap<&str, &str> {
        let mut patches = BTreeMap::new();
        for patch in self.causes.iter().flat_map(|cause| &cause.patches) {
            patches
                .entry(patch.file.as_str())
                .or_insert(patch.text.as_str());
        }
        patches
    }
}
