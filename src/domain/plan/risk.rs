//! A release's risk, as points.

use jiff::Timestamp;

use super::{Candidate, Risk};
use crate::domain::fleet::settings::RiskRule;

/// Seconds since the last upgrade for one point: two months.
const SECONDS_A_POINT: i64 = 60 * 24 * 3_600;

/// Points for each doubling of a number.
const POINTS_A_DOUBLING: u32 = 3;

/// The points of what is known without the graph. `tier` is the value of the tier label.
pub(super) fn risk(
    rule: &RiskRule,
    candidate: &Candidate,
    tier: Option<&str>,
    now: Timestamp,
) -> Risk {
    let weights = &rule.weights;
    let facts = &candidate.facts;
    let fields = candidate.forecast.objects.iter().map(|object| {
        object.active.len() + object.latent.len() + object.drops.len() + object.drift.len()
    });
    let age = facts.updated.map_or(0, |updated| {
        now.as_second().saturating_sub(updated.as_second()) / SECONDS_A_POINT
    });
    let mut risk = Risk {
        replicas: doublings(facts.replicas, weights.replicas),
        tier: tier
            .and_then(|tier| weights.tiers.get(tier))
            .copied()
            .unwrap_or(0),
        drift: doublings(
            u32::try_from(fields.sum::<usize>()).unwrap_or(u32::MAX),
            weights.drift,
        ),
        hooks: doublings(facts.hooks, weights.hooks),
        age: u8::try_from(age.max(0)).unwrap_or(u8::MAX).min(weights.age),
        ..Risk::default()
    };
    risk.score = sum(risk);
    risk
}

/// Adds what the graph knows.
pub(super) fn with_dependents(rule: &RiskRule, mut risk: Risk, dependents: u32) -> Risk {
    risk.dependents = doublings(dependents, rule.weights.dependents);
    risk.score = sum(risk);
    risk
}

fn sum(risk: Risk) -> u32 {
    let parts = [
        risk.dependents,
        risk.replicas,
        risk.tier,
        risk.drift,
        risk.hooks,
        risk.age,
    ];
    parts.into_iter().map(u32::from).sum()
}

/// Three points for 1, six for 2 and 3, nine from 4 on, …, at most so many.
fn doublings(number: u32, most: u8) -> u8 {
    let points = (u32::BITS - number.leading_zeros()) * POINTS_A_DOUBLING;
    u8::try_from(points).unwrap_or(u8::MAX).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_double_and_stop() {
        let points: Vec<u8> = [0, 1, 2, 3, 4, 7, 8, u32::MAX]
            .into_iter()
            .map(|number| doublings(number, 25))
            .collect();
        assert_eq!(points, [0, 3, 6, 6, 9, 9, 12, 25]);
    }
}
