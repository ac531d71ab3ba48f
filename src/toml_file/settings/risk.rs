//! `[risk]` and `[cost]`: how risk is counted, what a write costs.

use std::ops::RangeInclusive;

use super::words::word;
use crate::domain::fleet::settings::{Cost, RiskOrder, RiskRule, RiskWeights};
use crate::domain::ids::ClusterName;
use crate::toml_file::problem::Problems;
use crate::toml_file::read::{Entry, Section};
use crate::toml_file::shape::Shape;

/// `[risk]`
pub const RISK: Shape = Shape {
    section: "risk",
    now: &[
        "weights",
        "tier_label",
        "high",
        "low",
        "order",
        "defer_low_until",
    ],
    later: &[],
};
/// `[risk.weights]`
pub const WEIGHTS: Shape = Shape {
    section: "risk.weights",
    now: &["dependents", "replicas", "drift", "hooks", "age", "tiers"],
    later: &[],
};
/// `[cost]`
pub const COST: Shape = Shape {
    section: "cost",
    now: &["millis_per_write", "measured"],
    later: &[],
};

/// Points of one part of a score.
const POINTS: RangeInclusive<u32> = 0..=100;

/// A score: the sum of all parts has room in it.
const SCORES: RangeInclusive<u32> = 0..=1_000;

/// Milliseconds of a write: a minute is a server that does not answer.
const MILLIS: RangeInclusive<u32> = 1..=60_000;

/// Reads `[risk]`.
pub(super) fn risk(top: &Section<'_>, problems: &mut Problems) -> RiskRule {
    let mut rule = RiskRule::default();
    let Some(section) = top.get("risk").and_then(|it| it.section(&RISK, problems)) else {
        return rule;
    };
    if let Some(entry) = section.get("weights") {
        weights(&entry, &mut rule.weights, problems);
    }
    if let Some(label) = section.get("tier_label").and_then(|it| it.text(problems)) {
        label.clone_into(&mut rule.tier_label);
    }
    let mut score = |key: &str, into: &mut u32| {
        if let Some(number) = section.get(key).and_then(|it| it.number(problems, &SCORES)) {
            *into = number;
        }
    };
    score("high", &mut rule.high);
    score("low", &mut rule.low);
    if rule.low > rule.high
        && let Some(entry) = section.get("low").or_else(|| section.get("high"))
    {
        let message = format!("low is {}, above high, which is {}", rule.low, rule.high);
        entry.flaw(problems, message);
    }
    let orders = [
        ("low-first", RiskOrder::LowFirst),
        ("high-first", RiskOrder::HighFirst),
    ];
    if let Some(order) = section
        .get("order")
        .and_then(|it| word(&it, &orders, problems))
    {
        rule.order = order;
    }
    rule.defer_low_until = section
        .get("defer_low_until")
        .and_then(|it| it.date(problems));
    rule
}

fn weights(entry: &Entry<'_>, weights: &mut RiskWeights, problems: &mut Problems) {
    let Some(section) = entry.section(&WEIGHTS, problems) else {
        return;
    };
    for (key, into) in [
        ("dependents", &mut weights.dependents),
        ("replicas", &mut weights.replicas),
        ("drift", &mut weights.drift),
        ("hooks", &mut weights.hooks),
        ("age", &mut weights.age),
    ] {
        if let Some(made) = section.get(key).and_then(|it| points(&it, problems)) {
            *into = made;
        }
    }
    if let Some(tiers) = section.get("tiers") {
        for (tier, entry) in tiers.entries(problems) {
            if let Some(made) = points(&entry, problems) {
                weights.tiers.insert(tier.to_owned(), made);
            }
        }
    }
}

fn points(entry: &Entry<'_>, problems: &mut Problems) -> Option<u8> {
    u8::try_from(entry.number(problems, &POINTS)?).ok()
}

/// Reads `[cost]`.
pub(super) fn cost(top: &Section<'_>, problems: &mut Problems) -> Cost {
    let mut cost = Cost::default();
    let Some(section) = top.get("cost").and_then(|it| it.section(&COST, problems)) else {
        return cost;
    };
    if let Some(millis) = section
        .get("millis_per_write")
        .and_then(|it| it.number(problems, &MILLIS))
    {
        cost.millis_per_write = millis;
    }
    if let Some(measured) = section.get("measured") {
        for (cluster, entry) in measured.entries(problems) {
            if let Some(millis) = entry.number(problems, &MILLIS) {
                cost.measured.insert(ClusterName::new(cluster), millis);
            }
        }
    }
    cost
}
