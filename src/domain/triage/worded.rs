//! From a group of findings to a cause in words: its rule's texts filled, its policies, question and patches made.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Answer, Cause, Patch, PrintedRule, Question};
use super::facts::{Evidence, Facts, facts};
use super::rule::{Decides, PolicyTemplate, Rule};
use crate::domain::fleet::{PolicyAction, natural_order};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::shadow::ReleaseOutcome;

/// Fills the placeholders of a rule's texts. A port: templates are no business of the pure core.
pub trait Wording {
    /// The text, or why it cannot be made.
    fn fill(&self, template: &str, facts: &Facts) -> Result<String, String>;
}

/// A rule's text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cause {cause}: its text \"{text}\" cannot be filled: {why}")]
pub struct TriageError {
    /// The rule.
    pub cause: String,
    /// The text.
    pub text: String,
    /// What is wrong.
    pub why: String,
}

/// Where a cause stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    NeedsChoice,
    Blocked,
    Note,
}

/// A cause while its releases are being gathered.
pub(super) struct Group<'a> {
    pub(super) decides: Decides,
    pub(super) rule: Option<&'a Rule>,
    pub(super) releases: Vec<&'a ReleaseId>,
    pub(super) also: Vec<&'a ReleaseId>,
    pub(super) evidence: Vec<Evidence>,
}

/// Words a group. What a rule says about held releases (policies, question, patches) a note does not.
pub(super) fn worded(
    place: Place,
    name: &str,
    group: Group<'_>,
    wording: &dyn Wording,
    others: &BTreeMap<&ReleaseId, BTreeSet<String>>,
) -> Result<Cause, TriageError> {
    let evidence = group.evidence;
    let all: Vec<&Evidence> = evidence.iter().collect();
    // Counts speak of the releases that count here; a cause that is nobody's gravest speaks of the others.
    let counted: BTreeSet<&ReleaseId> = group.releases.iter().copied().collect();
    let mine: Vec<&Evidence> = all
        .iter()
        .copied()
        .filter(|it| counted.is_empty() || counted.contains(&it.release))
        .collect();
    let whole = facts(&mine);
    let fill = |text: &str, facts: &Facts| {
        wording.fill(text, facts).map_err(|why| TriageError {
            cause: name.to_owned(),
            text: text.to_owned(),
            why,
        })
    };
    let policies = |conflict: Option<PolicyAction>| -> Result<Vec<PrintedRule>, TriageError> {
        let templates = group.rule.map_or(&[][..], |rule| &rule.policies);
        let mut rules = BTreeSet::new();
        for template in templates {
            for finding in &all {
                rules.insert(policy(template, conflict, &facts(&[finding]), &fill)?);
            }
        }
        Ok(rules.into_iter().collect())
    };
    let mut cause = Cause {
        outcome: match place {
            Place::Blocked => ReleaseOutcome::Blocked,
            Place::NeedsChoice => ReleaseOutcome::NeedsChoice,
            Place::Note => ReleaseOutcome::Ready,
        },
        decides: group.decides,
        about: group
            .rule
            .map_or_else(String::new, |rule| rule.about.clone()),
        fix: whole.message.clone(),
        full: String::new(),
        rules: Vec::new(),
        question: None,
        patches: Vec::new(),
        releases: group.releases.into_iter().cloned().collect(),
        also: group.also.into_iter().cloned().collect(),
        clusters: Vec::new(),
        evidence: Vec::new(),
        name: name.to_owned(),
    };
    let clusters: BTreeSet<&ClusterName> = cause.releases.iter().map(|it| &it.cluster).collect();
    let mut clusters: Vec<ClusterName> = clusters.into_iter().cloned().collect();
    clusters.sort_by(|a, b| natural_order(a.as_str(), b.as_str()));
    cause.clusters = clusters;
    if let Some(rule) = group.rule {
        cause.fix = fill(&rule.fix, &whole)?;
        cause.full = fill(&rule.full, &whole)?;
    }
    if let Some(rule) = group.rule.filter(|_| place != Place::Note) {
        if rule.question.is_none() {
            cause.rules = policies(None)?;
        }
        if let Some(question) = &rule.question {
            let mut options = Vec::new();
            for option in &question.options {
                options.push(Answer {
                    answer: fill(&option.answer, &whole)?,
                    policy: option.policy,
                    now: fill(&option.now, &whole)?,
                    later: fill(&option.later, &whole)?,
                    value_changes: if option.changes {
                        u64::try_from(whole.objects).unwrap_or(u64::MAX)
                    } else {
                        0
                    },
                    rules: match option.policy {
                        Some(policy) => policies(Some(policy))?,
                        None => Vec::new(),
                    },
                });
            }
            cause.question = Some(Question {
                number: 0,
                text: fill(&question.text, &whole)?,
                options,
            });
        }
        if let Some(patch) = &rule.patch {
            for release in &cause.releases {
                let of_release: Vec<&Evidence> = all
                    .iter()
                    .copied()
                    .filter(|it| it.release == *release)
                    .collect();
                let mut facts = facts(&of_release);
                let appliers: BTreeSet<&String> = facts.owners.iter().collect();
                facts.others = others
                    .get(release)
                    .into_iter()
                    .flatten()
                    .filter(|it| !appliers.contains(it))
                    .cloned()
                    .collect();
                cause.patches.push(Patch {
                    file: safe_path(&fill(&patch.file, &facts)?),
                    text: fill(&patch.text, &facts)?,
                });
            }
        }
    }
    cause.evidence = evidence;
    Ok(cause)
}

fn policy(
    template: &PolicyTemplate,
    conflict: Option<PolicyAction>,
    facts: &Facts,
    fill: &dyn Fn(&str, &Facts) -> Result<String, TriageError>,
) -> Result<PrintedRule, TriageError> {
    let part = |text: &Option<String>| text.as_deref().map(|it| fill(it, facts)).transpose();
    Ok(PrintedRule {
        kind: part(&template.kind)?,
        field: part(&template.field)?,
        owner: part(&template.owner)?,
        namespace: part(&template.namespace)?,
        conflict: conflict.or(template.conflict),
        drop: template.drop,
        why: fill(&template.why, facts)?,
    })
}

/// A relative path whose parts are plain names: names of clusters and releases are foreign texts.
fn safe_path(path: &str) -> String {
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let parts = path.split('/').map(|part| {
        let part: String = part
            .chars()
            .map(|c| if lawful(c) { c } else { '_' })
            .collect();
        part.trim_start_matches('.').to_owned()
    });
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        "patch".to_owned()
    } else {
        parts.join("/")
    }
}
