//! The linter: does a plan keep the rules that every plan keeps? Shares no code with the planner.

mod bounds;
mod calendar;
mod open;
mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Candidate, Dependencies, Plan, PlannedRelease};
use crate::domain::ids::ReleaseId;
use crate::domain::policy::Book;
use crate::domain::shadow::{ObjectOutcome, ReleaseOutcome};

#[cfg(test)]
pub(super) use open::Hours;

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// JSON pointer.
    pub place: String,
    /// What is wrong there.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Takes a place and a text.
type Finder<'a> = dyn FnMut(String, String) + 'a;

/// Holds a plan against what it was made of. Nothing found: every Ready release is in exactly one wave with the facts of
/// its candidate, nothing else is in a wave, nothing before what it needs, sizes, caps, peers, times and sums are
/// right.
pub fn lint(plan: &Plan, candidates: &[Candidate], dependencies: &Dependencies) -> Vec<Finding> {
    let mut findings = structure(plan);
    order::edges(plan, dependencies, &mut |place, text| {
        findings.push(Finding { place, text });
    });
    let mut find = |place: String, text: &str| {
        findings.push(Finding {
            place,
            text: text.to_owned(),
        });
    };
    if plan.calendar.is_none() && !plan.waves.is_empty() {
        find("/calendar".to_owned(), "there is none");
    }
    let mut expected: BTreeMap<&ReleaseId, &Candidate> = BTreeMap::new();
    for candidate in candidates {
        expected.insert(&candidate.forecast.release, candidate);
    }
    for (place, release) in in_waves(plan) {
        match expected.remove(&release.release) {
            Some(it) if it.forecast.outcome == ReleaseOutcome::Ready => {
                let adopted = |outcome: &ObjectOutcome| {
                    *outcome != ObjectOutcome::Missing && *outcome != ObjectOutcome::Migrated
                };
                let objects = it.forecast.objects.iter().filter(|o| adopted(&o.outcome));
                if u32::try_from(objects.count()) != Ok(release.objects) {
                    find(place.clone(), "its objects are not those of the forecast");
                }
                if release.decisions != it.decisions {
                    find(place.clone(), "its decisions are not those of the forecast");
                }
                if (
                    &release.chart,
                    release.driver,
                    release.revision,
                    &release.record_uid,
                ) != (&it.chart, it.driver, it.revision, &it.record_uid)
                {
                    find(place, "its chart or record is not the forecast's");
                }
            }
            Some(_) => find(place, "it is in a wave, but not Ready"),
            None => find(place, "it is in a wave, but not among the candidates"),
        }
    }
    for (at, release) in plan.held.iter().enumerate() {
        let outcome = expected
            .remove(&release.release)
            .map(|it| it.forecast.outcome);
        if outcome != Some(release.outcome) {
            find(format!("/held/{at}"), "the forecast says something else");
        }
    }
    for (at, release) in plan.done.iter().enumerate() {
        let outcome = expected.remove(release).map(|it| it.forecast.outcome);
        if outcome != Some(ReleaseOutcome::Done) {
            find(format!("/done/{at}"), "the forecast does not say Done");
        }
    }
    for release in expected.keys() {
        find(String::new(), &format!("{release} was forgotten"));
    }
    findings
}

/// The rules that need no candidates: checked again before each run.
pub(super) fn structure(plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |place: String, text: String| findings.push(Finding { place, text });
    order::waves(plan, &mut find);
    order::needs(plan, &mut find);
    bounds::sizes(plan, &mut find);
    bounds::caps_and_peers(plan, &mut find);
    bounds::stages(plan, &mut find);
    calendar::times(plan, &mut find);
    sums(plan, &mut find);
    let mut seen: BTreeSet<&ReleaseId> = BTreeSet::new();
    let held = plan.held.iter().enumerate();
    let done = plan.done.iter().enumerate();
    let everywhere = in_waves(plan)
        .map(|(place, release)| (place, &release.release))
        .chain(held.map(|(at, held)| (format!("/held/{at}"), &held.release)))
        .chain(done.map(|(at, release)| (format!("/done/{at}"), release)));
    for (place, release) in everywhere {
        if !seen.insert(release) {
            find(place, format!("{release} is in the plan twice"));
        }
    }
    for (place, release) in in_waves(plan) {
        let valued = release.valued_objects();
        let writes = release.objects.saturating_add(valued).checked_add(3);
        if writes != Some(release.writes) {
            find(
                place.clone(),
                "writes are not objects, objects whose values change, and 3".to_owned(),
            );
        }
        if release.reason.is_empty() {
            find(place.clone(), "no reason".to_owned());
        }
        if !plan.metadata.limits.contains_key(&release.release.cluster) {
            find(place, "its cluster has no limits".to_owned());
        }
    }
    for (at, held) in plan.held.iter().enumerate() {
        if held.reasons.is_empty() {
            find(format!("/held/{at}"), "no reason".to_owned());
        }
        let by_need = held.reasons.iter().all(|it| it.cause == "dependency-held");
        if held.outcome == ReleaseOutcome::Done
            || (held.outcome == ReleaseOutcome::Ready && (!by_need || held.reasons.is_empty()))
        {
            find(format!("/held/{at}"), "it is held without need".to_owned());
        }
    }
    if let Err(error) = Book::new(&plan.metadata.policies) {
        find("/metadata/policies".to_owned(), error.to_string());
    }
    if plan.metadata.start_before <= plan.metadata.made_at {
        find(
            "/metadata/startBefore".to_owned(),
            "it expired when it was made".to_owned(),
        );
    }
    findings
}

/// The summary adds up.
fn sums(plan: &Plan, find: &mut impl FnMut(String, String)) {
    let sum = |of: fn(&PlannedRelease) -> u32| -> u64 {
        in_waves(plan)
            .map(|(_, release)| u64::from(of(release)))
            .sum()
    };
    let held = |outcome: ReleaseOutcome| -> u64 {
        plan.held
            .iter()
            .map(|it| u64::from(it.outcome == outcome))
            .sum()
    };
    let summary = &plan.summary;
    for (name, says, is) in [
        ("migrate", summary.migrate, sum(|_| 1)),
        (
            "needsChoice",
            summary.needs_choice,
            held(ReleaseOutcome::NeedsChoice),
        ),
        ("blocked", summary.blocked, held(ReleaseOutcome::Blocked)),
        ("waiting", summary.waiting, held(ReleaseOutcome::Ready)),
        ("done", summary.done, plan.done.len() as u64),
        ("objects", summary.objects, sum(|release| release.objects)),
        ("writes", summary.writes, sum(|release| release.writes)),
        (
            "valueChanges",
            summary.value_changes,
            sum(PlannedRelease::value_changes),
        ),
    ] {
        if u64::from(says) != is {
            find(
                format!("/summary/{name}"),
                format!("it says {says}; it is {is}"),
            );
        }
    }
}

fn in_waves(plan: &Plan) -> impl Iterator<Item = (String, &PlannedRelease)> {
    plan.waves.iter().enumerate().flat_map(|(at, wave)| {
        let releases = wave.releases.iter().enumerate();
        releases.map(move |(number, release)| (format!("/waves/{at}/releases/{number}"), release))
    })
}
