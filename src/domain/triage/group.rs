//! Grouping: the findings of a fleet by cause, each held release once, under its gravest.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::facts::{Evidence, Facts, chart_word, facts};
use super::finding::{Finding, Subject, Weight, findings};
use super::rule::{Decides, PolicyTemplate, Rule, Rules};
use crate::domain::fleet::{PolicyAction, natural_order, release_order};
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

/// A cause of one release, before it is counted.
struct Seen<'a> {
    weight: Weight,
    decides: Decides,
    place: usize,
    name: String,
    rule: Option<&'a Rule>,
    findings: Vec<Finding>,
}

/// A cause while its releases are being gathered.
struct Group<'a> {
    decides: Decides,
    rule: Option<&'a Rule>,
    releases: Vec<&'a ReleaseId>,
    also: Vec<&'a ReleaseId>,
    evidence: Vec<Evidence>,
}

/// The gravest cause of a release, if it is held. O(findings × rules).
pub fn gravest(subject: &Subject<'_>, rules: &Rules) -> Option<ReleaseCause> {
    if !is_held(subject) {
        return None;
    }
    let seen = causes_of(subject, rules);
    let held = seen.iter().filter(|it| it.weight != Weight::Note).count();
    let cause = seen.into_iter().next()?.name;
    let more = u64::try_from(held.saturating_sub(1)).unwrap_or(u64::MAX);
    Some(ReleaseCause { cause, more })
}

fn is_held(subject: &Subject<'_>) -> bool {
    matches!(
        subject.forecast.outcome,
        ReleaseOutcome::Blocked | ReleaseOutcome::NeedsChoice
    )
}

/// Finds the causes of a fleet. The order of the subjects does not matter. O(findings × rules).
pub fn triage(
    subjects: &[Subject<'_>],
    rules: &Rules,
    wording: &dyn Wording,
) -> Result<Triage, TriageError> {
    let mut sorted: Vec<&Subject<'_>> = subjects.iter().collect();
    sorted.sort_by(|a, b| release_order(&a.forecast.release, &b.forecast.release));
    let mut groups: BTreeMap<(Place, String), Group<'_>> = BTreeMap::new();
    let mut of = BTreeMap::new();
    let mut others: BTreeMap<&ReleaseId, BTreeSet<String>> = BTreeMap::new();
    for subject in &sorted {
        let release = &subject.forecast.release;
        others.insert(release, contesting(subject));
        let is_held = is_held(subject);
        let seen = causes_of(subject, rules);
        let held = seen.iter().filter(|it| it.weight != Weight::Note).count();
        for (place, cause) in seen.into_iter().enumerate() {
            let counts = place == 0 && is_held;
            let row = match (counts, cause.weight) {
                (true, _) if subject.forecast.outcome == ReleaseOutcome::Blocked => Place::Blocked,
                (true, _) | (false, Weight::NeedsChoice) => Place::NeedsChoice,
                (false, Weight::Blocked) => Place::Blocked,
                (false, Weight::Note) => Place::Note,
            };
            if counts {
                let more = u64::try_from(held.saturating_sub(1)).unwrap_or(u64::MAX);
                let name = cause.name.clone();
                of.insert(release.clone(), ReleaseCause { cause: name, more });
            }
            let group = groups
                .entry((row, cause.name.clone()))
                .or_insert_with(|| Group {
                    decides: cause.decides,
                    rule: cause.rule,
                    releases: Vec::new(),
                    also: Vec::new(),
                    evidence: Vec::new(),
                });
            if counts || row == Place::Note {
                group.releases.push(release);
            } else {
                group.also.push(release);
            }
            let chart = chart_word(subject.chart);
            group
                .evidence
                .extend(cause.findings.into_iter().map(|finding| Evidence {
                    release: release.clone(),
                    chart: chart.clone(),
                    held: row != Place::Note,
                    finding,
                }));
        }
    }
    let mut causes = Vec::new();
    let mut notes = Vec::new();
    for ((place, name), group) in groups {
        let cause = worded(place, &name, group, wording, &others)?;
        if place == Place::Note {
            notes.push(cause);
        } else {
            causes.push((place, cause));
        }
    }
    causes.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| most_first(&a.1, &b.1)));
    notes.sort_by(most_first);
    let mut causes: Vec<Cause> = causes.into_iter().map(|(_, cause)| cause).collect();
    let asked = causes.iter_mut().filter_map(|it| it.question.as_mut());
    for (number, question) in (1..).zip(asked) {
        question.number = number;
    }
    let totals = totals(subjects.len(), &causes);
    Ok(Triage {
        causes,
        notes,
        totals,
        of,
    })
}

/// Where a cause stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    NeedsChoice,
    Blocked,
    Note,
}

/// The causes of one release, the gravest first, notes last. What holds a release and is known to no rule is a cause
/// by the forecast's own word, so that none is lost.
fn causes_of<'a>(subject: &Subject<'_>, rules: &'a Rules) -> Vec<Seen<'a>> {
    let mut found = findings(subject.forecast);
    if is_held(subject) && found.iter().all(|(weight, _)| *weight == Weight::Note) {
        let nothing = Finding {
            kind: "unexplained".to_owned(),
            object: None,
            field: None,
            owner: None,
            message: "the forecast holds it and does not say why".to_owned(),
            theirs: None,
            ours: None,
        };
        found.push((Weight::NeedsChoice, nothing));
    }
    let mut seen: BTreeMap<(bool, String), Seen<'a>> = BTreeMap::new();
    for (weight, finding) in found {
        let (place, rule) = rules
            .of(&finding, subject.chart)
            .map_or((usize::MAX, None), |(place, rule)| (place, Some(rule)));
        let name = rule.map_or_else(|| finding.kind.clone(), |rule| rule.name.clone());
        let decides = rule.map_or(
            match weight {
                Weight::Blocked => Decides::Operator,
                Weight::NeedsChoice => Decides::You,
                Weight::Note => Decides::Rule,
            },
            |rule| rule.decides,
        );
        let entry = seen
            .entry((weight == Weight::Note, name.clone()))
            .or_insert_with(|| Seen {
                weight,
                decides,
                place,
                name,
                rule,
                findings: Vec::new(),
            });
        if weight == Weight::Blocked {
            entry.weight = weight;
        }
        entry.findings.push(finding);
    }
    let mut seen: Vec<Seen<'a>> = seen.into_values().collect();
    let grave = |weight: Weight| match weight {
        Weight::Blocked => 0,
        Weight::NeedsChoice => 1,
        Weight::Note => 2,
    };
    seen.sort_by(|a, b| {
        (grave(a.weight), a.decides, a.place, &a.name).cmp(&(
            grave(b.weight),
            b.decides,
            b.place,
            &b.name,
        ))
    });
    for cause in &mut seen {
        cause.findings.sort();
        cause.findings.dedup();
    }
    seen
}

/// Managers that own fields of the release's objects beside Helm.
fn contesting(subject: &Subject<'_>) -> BTreeSet<String> {
    let objects = subject.forecast.objects.iter();
    let conflicts = objects.flat_map(|object| object.active.iter().chain(&object.latent));
    conflicts
        .map(|it| {
            let of_owner = Finding {
                kind: String::new(),
                object: None,
                field: None,
                owner: Some(it.owner.clone()),
                message: String::new(),
                theirs: None,
                ours: None,
            };
            of_owner.manager().0.unwrap_or_default().to_owned()
        })
        .collect()
}

fn worded(
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

fn most_first(a: &Cause, b: &Cause) -> std::cmp::Ordering {
    let by_size = b.releases.len().cmp(&a.releases.len());
    by_size
        .then_with(|| b.also.len().cmp(&a.also.len()))
        .then_with(|| a.name.cmp(&b.name))
}

fn totals(releases: usize, causes: &[Cause]) -> Totals {
    let len = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut totals = Totals {
        releases: len(releases),
        ..Totals::default()
    };
    for cause in causes {
        let held = len(cause.releases.len());
        totals.held += held;
        totals.causes += 1;
        match cause.decides {
            Decides::Rule => {
                totals.rules.0 += 1;
                totals.rules.1 += held;
            }
            Decides::You => {
                totals.questions.0 += 1;
                totals.questions.1 += held;
            }
            Decides::Elsewhere => totals.elsewhere += held,
            Decides::Chart | Decides::Operator => totals.fixes += held,
        }
    }
    totals
}
