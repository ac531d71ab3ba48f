//! Grouping: the findings of a fleet by cause, each held release once, under its gravest.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Cause, ReleaseCause, Totals, Triage};
use super::facts::{Evidence, chart_word};
use super::finding::{Finding, Subject, Weight, findings};
use super::rule::{Decides, Rule, Rules};
use super::worded::{Group, Place, TriageError, Wording, worded};
use crate::domain::fleet::release_order;
use crate::domain::ids::ReleaseId;
use crate::domain::shadow::ReleaseOutcome;

/// A cause of one release, before it is counted.
struct Seen<'a> {
    weight: Weight,
    decides: Decides,
    place: usize,
    name: String,
    rule: Option<&'a Rule>,
    findings: Vec<Finding>,
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
