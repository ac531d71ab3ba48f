//! Who the canaries are: releases of low risk that together show every signature.

use super::cover::{Choice, cover};
use super::intake::Intake;
use super::needs::Needs;
use crate::domain::fleet::settings::CanaryRule;

/// A further canary is worth as much as so many points of risk.
const ANOTHER: u32 = 20;

/// A canary brings its dependencies along; one that brings more than this is none.
const MOST_BROUGHT: usize = 50;

/// Places of the canaries, ascending; none if the rule asks for none.
pub(super) fn canaries(rule: &CanaryRule, intake: &Intake<'_>, needs: &Needs) -> Vec<u32> {
    let CanaryRule::Coverage {
        selector,
        max_risk,
        max_releases,
    } = rule
    else {
        return Vec::new();
    };
    let allowed = |at: u32| {
        let row = &intake.rows[at as usize];
        max_risk.is_none_or(|most| row.risk.score <= most)
            && (selector.is_all() || intake.satisfies(at as usize, selector))
    };
    // Of releases with the same signatures the best one stands for all.
    let mut best: Vec<Option<u32>> = vec![None; intake.signatures.sets()];
    let key = |at: u32| {
        let row = &intake.rows[at as usize];
        (
            needs.of(at).len().min(1),
            row.risk.score,
            intake.clusters.is_prod(row.cluster),
            row.objects,
            at,
        )
    };
    for at in (0_u32..).take(intake.rows.len()) {
        let Some(place) = best.get_mut(intake.rows[at as usize].set as usize) else {
            continue;
        };
        if place.is_none_or(|other| key(at) < key(other)) && allowed(at) {
            *place = Some(at);
        }
    }
    let mut stand: Vec<u32> = best.into_iter().flatten().collect();
    // By place: numbers of sets depend on the order of the input.
    stand.sort_unstable();
    let mut brought: Vec<Vec<u32>> = Vec::with_capacity(stand.len());
    stand.retain(|at| match closure(*at, needs, &allowed) {
        None => false,
        Some(others) => {
            brought.push(others);
            true
        }
    });
    let cost = |at: u32| ANOTHER + intake.rows[at as usize].risk.score;
    let choices: Vec<Choice<'_>> = stand
        .iter()
        .zip(&brought)
        .map(|(at, others)| Choice {
            shows: intake.signatures.set(intake.rows[*at as usize].set),
            cost: cost(*at) + others.iter().map(|other| cost(*other)).sum::<u32>(),
        })
        .collect();
    let most = max_releases.map_or(usize::MAX, |most| most as usize);
    let mut canaries = std::collections::BTreeSet::new();
    for place in cover(&choices, intake.signatures.len(), most) {
        let mut with = canaries.clone();
        with.insert(stand[place]);
        with.extend(brought[place].iter().copied());
        if with.len() <= most {
            canaries = with;
        }
    }
    canaries.into_iter().collect()
}

/// All that a release needs, if they are few and may be canaries themselves.
fn closure(at: u32, needs: &Needs, allowed: &dyn Fn(u32) -> bool) -> Option<Vec<u32>> {
    let mut found: Vec<u32> = Vec::new();
    let mut open: Vec<u32> = needs.of(at).to_vec();
    while let Some(next) = open.pop() {
        if next == at || found.contains(&next) {
            continue;
        }
        if found.len() == MOST_BROUGHT || !allowed(next) {
            return None;
        }
        found.push(next);
        open.extend_from_slice(needs.of(next));
    }
    Some(found)
}
