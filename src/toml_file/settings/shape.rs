//! `[waves]` and `[[peers]]`: stages, sizes, canaries, caps, soak, lanes.

use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::CUTS;
use super::calendar::duration;
use super::words::{parsed, word};
use crate::domain::fleet::settings::{
    CanaryRule, Cap, Counted, Cut, HeldDependency, Key, Lanes, PeerRule, Peers, PlanSettings,
    SoakRule, Stage,
};
use crate::domain::fleet::{Selector, WaveSize, WaveSizes};
use crate::toml_file::problem::Problems;
use crate::toml_file::read::{Entry, Section, whole};
use crate::toml_file::shape::Shape;
use crate::toml_file::values;

/// `[waves]`
pub const WAVES: Shape = Shape {
    section: "waves",
    now: &[
        "sizes",
        "doubling",
        "shares",
        "stages",
        "canary",
        "caps",
        "soak",
        "approve",
        "lanes",
        "held_dependency",
        "seed",
    ],
    later: &[],
};
/// One of `[[waves.stages]]`
pub const STAGES: Shape = Shape {
    section: "waves.stages",
    now: &["name", "select", "sizes", "doubling", "shares"],
    later: &[],
};
/// `[waves.canary]`
pub const CANARY: Shape = Shape {
    section: "waves.canary",
    now: &["select", "max_risk", "max_releases"],
    later: &[],
};
/// One of `[[peers]]`
pub const PEERS: Shape = Shape {
    section: "peers",
    now: &["name", "sides", "group", "side"],
    later: &[],
};

/// Counts of releases and clusters: a million is the size refit is made for.
const COUNTS: RangeInclusive<u32> = 1..=1_000_000;

/// Scores of risk.
const SCORES: RangeInclusive<u32> = 0..=1_000;

/// Seeds: whatever a person types.
const SEEDS: RangeInclusive<u32> = 0..=u32::MAX;

/// Soak rules that have a name of their own, the most particular first.
const LAST: [&str; 3] = ["prod", "nonprod", "all"];

/// What may stand before `_per_` in the name of a cap.
const COUNTED: [(&str, Counted); 2] = [
    ("releases", Counted::Releases),
    ("clusters", Counted::Clusters),
];

/// Reads `[waves]` into the settings.
pub(super) fn waves(top: &Section<'_>, settings: &mut PlanSettings, problems: &mut Problems) {
    let Some(section) = top.get("waves").and_then(|it| it.section(&WAVES, problems)) else {
        return;
    };
    settings.stages = stages(&section, problems);
    if let Some(entry) = section.get("canary") {
        settings.canary = canary(&entry, problems);
    }
    if let Some(entry) = section.get("caps") {
        settings.caps = caps(&entry, problems);
    }
    if let Some(entry) = section.get("soak") {
        settings.soak = soak(&entry, problems);
    }
    let approve = section.get("approve").and_then(|it| it.texts(problems));
    let approve = approve.unwrap_or_default().into_iter();
    settings.approvals = approve.map(|(name, _)| name.to_owned()).collect();
    if let Some(key) = section
        .get("lanes")
        .and_then(|it| parsed::<Key>(&it, problems))
    {
        settings.lanes = match key {
            Key::Fleet => Lanes::Fleet,
            key => Lanes::By(key),
        };
    }
    let words = [
        ("go-on", HeldDependency::GoOn),
        ("hold", HeldDependency::Hold),
    ];
    if let Some(rule) = section
        .get("held_dependency")
        .and_then(|it| word(&it, &words, problems))
    {
        settings.held_dependency = rule;
    }
    if let Some(seed) = section
        .get("seed")
        .and_then(|it| it.number(problems, &SEEDS))
    {
        settings.seed = u64::from(seed);
    }
}

/// One stage without a name, or those of `[[waves.stages]]`.
fn stages(section: &Section<'_>, problems: &mut Problems) -> Vec<Stage> {
    one_cut(section, CUTS, problems);
    let Some(entry) = section.get("stages") else {
        return match cut(section, problems) {
            None => Vec::new(),
            Some(cut) => vec![Stage {
                name: String::new(),
                selector: Selector::all(),
                cut,
            }],
        };
    };
    let mut found: Vec<Stage> = Vec::new();
    for item in entry.array(problems).unwrap_or_default() {
        let DeValue::Table(table) = item.get_ref() else {
            entry.flaw_at(problems, item.span(), "write each under [[waves.stages]]");
            continue;
        };
        let stage = Section::open(table, item.span(), &STAGES, problems);
        one_cut(&stage, &CUTS[..3], problems);
        let cut = cut(&stage, problems).unwrap_or_default();
        let selector = stage.get("select").and_then(|it| parsed(&it, problems));
        let Some(name) = stage.get("name") else {
            entry.flaw_at(
                problems,
                item.span(),
                "a stage has a name: add name = \"prod\"",
            );
            continue;
        };
        let Some(text) = name.text(problems) else {
            continue;
        };
        if let Some(flaw) = values::name_flaw(text) {
            name.flaw(problems, flaw);
        } else if ["canary", "rest"].contains(&text) || text.starts_with("wave-") {
            let message = format!("{text} is a name that refit gives: take another");
            name.flaw(problems, message);
        } else if found.iter().any(|other| other.name == text) {
            name.flaw(problems, format!("two stages are named {text}"));
        } else {
            found.push(Stage {
                name: text.to_owned(),
                selector: selector.unwrap_or_default(),
                cut,
            });
        }
    }
    found
}

/// Of keys that say the same in different ways there may be one.
fn one_cut(section: &Section<'_>, keys: &[&str], problems: &mut Problems) {
    let mut said: Option<&str> = None;
    for key in keys {
        let Some(entry) = section.get(key) else {
            continue;
        };
        match said {
            None => said = Some(key),
            Some(first) => {
                let message = format!("either {first} or {key}, not both");
                entry.flaw_at(problems, entry.key.clone(), message);
            }
        }
    }
}

fn cut(section: &Section<'_>, problems: &mut Problems) -> Option<Cut> {
    if let Some(entry) = section.get("sizes") {
        return Some(Cut::Sizes(WaveSizes(sizes(&entry, problems))));
    }
    if let Some(entry) = section.get("doubling") {
        let first = entry.number(problems, &COUNTS)?;
        return Some(Cut::Doubling { first });
    }
    let entry = section.get("shares")?;
    let shares = sizes(&entry, problems).into_iter();
    let percent = shares.filter_map(|size| match size {
        WaveSize::Percent(percent) => Some(percent),
        WaveSize::Count(count) => {
            let message =
                format!("a share is percent, like \"20%\"; {count} is a count: use sizes");
            entry.flaw(problems, message);
            None
        }
    });
    Some(Cut::Shares(percent.collect()))
}

fn sizes(entry: &Entry<'_>, problems: &mut Problems) -> Vec<WaveSize> {
    let mut sizes = Vec::new();
    let items = entry.array(problems);
    if items.is_some_and(<[_]>::is_empty) {
        entry.flaw(problems, "at least one size is needed");
    }
    for item in items.unwrap_or_default() {
        let size = match (whole(item), item.get_ref().as_str()) {
            (Some(number), _) => values::count(number),
            (None, Some(text)) => values::percent(text),
            (None, None) => Err("a size is a number, or percent like \"20%\"".to_owned()),
        };
        match size {
            Ok(size) => sizes.push(size),
            Err(message) => entry.flaw_at(problems, item.span(), message),
        }
    }
    sizes
}

/// `"none"`, `"coverage"`, or a table that says more of the latter.
fn canary(entry: &Entry<'_>, problems: &mut Problems) -> CanaryRule {
    let all = CanaryRule::Coverage {
        selector: Selector::all(),
        max_risk: None,
        max_releases: None,
    };
    if entry.is_text() {
        let words = [("none", CanaryRule::None), ("coverage", all)];
        return word(entry, &words, problems).unwrap_or_default();
    }
    let Some(section) = entry.section(&CANARY, problems) else {
        return CanaryRule::None;
    };
    let selector = section.get("select").and_then(|it| parsed(&it, problems));
    let mut number = |key: &str, bounds: &RangeInclusive<u32>| {
        let entry = section.get(key)?;
        entry.number(problems, bounds)
    };
    CanaryRule::Coverage {
        selector: selector.unwrap_or_default(),
        max_risk: number("max_risk", &SCORES),
        max_releases: number("max_releases", &COUNTS),
    }
}

/// `clusters_per_region = 1`: what is counted, per what.
fn caps(entry: &Entry<'_>, problems: &mut Problems) -> Vec<Cap> {
    let mut found = Vec::new();
    for (name, entry) in entry.entries(problems) {
        let parts = COUNTED.into_iter().find_map(|(word, count)| {
            let per = name.strip_prefix(word)?.strip_prefix("_per_")?;
            (!per.is_empty()).then_some((count, per))
        });
        let Some((count, per)) = parts else {
            let message = "a cap is named releases_per_X or clusters_per_X; X is wave, cluster, \
                           namespace, chart, release or a label";
            entry.flaw_at(problems, entry.key.clone(), message);
            continue;
        };
        // Infallible: every other word is a label.
        let per = match per {
            "wave" => Key::Fleet,
            per => per.parse().unwrap_or(Key::Fleet),
        };
        if let Some(at_most) = entry.number(problems, &COUNTS) {
            found.push(Cap {
                name: name.to_owned(),
                count,
                per,
                at_most,
            });
        }
    }
    found
}

/// `"24h"` for all, or by name: `prod`, `nonprod`, `all`, or a selector in quotes. Keys of TOML have no order, so the more
/// particular ones come first, whatever layer they are of: selectors, then `prod`, `nonprod`, and `all`.
fn soak(entry: &Entry<'_>, problems: &mut Problems) -> Vec<SoakRule> {
    if entry.is_text() {
        return soak_rule("all", Selector::all(), entry, problems)
            .into_iter()
            .collect();
    }
    let mut rules: Vec<SoakRule> = Vec::new();
    for (name, entry) in entry.entries(problems) {
        let selector = match name {
            "all" => Ok(Selector::all()),
            "prod" => "env=prod".parse(),
            "nonprod" => "env!=prod".parse(),
            other => other.parse(),
        };
        let is_label = name.contains(|c: char| "=!(".contains(c)) || name.contains(' ');
        let known = LAST.contains(&name);
        match selector {
            Ok(selector) if known || is_label => {
                rules.extend(soak_rule(name, selector, &entry, problems));
            }
            _ => {
                let message = format!(
                    "soak of what? There are all, prod and nonprod, or a selector in quotes like \"tier=1\"; this is {name}"
                );
                entry.flaw_at(problems, entry.key.clone(), message);
            }
        }
    }
    let rank = |rule: &SoakRule| LAST.iter().position(|name| *name == rule.name);
    rules.sort_by(|a, b| (rank(a), &a.name).cmp(&(rank(b), &b.name)));
    rules
}

/// `"0s"` is no soak: it switches one of a lower layer off.
fn soak_rule(
    name: &str,
    selector: Selector,
    entry: &Entry<'_>,
    problems: &mut Problems,
) -> Option<SoakRule> {
    let seconds = match entry.text(problems)? {
        "0s" => 0,
        _ => duration(entry, problems)?,
    };
    Some(SoakRule {
        name: name.to_owned(),
        selector,
        seconds,
    })
}

/// Reads `[[peers]]`.
pub(super) fn peers(top: &Section<'_>, problems: &mut Problems) -> Vec<Peers> {
    let Some(entry) = top.get("peers") else {
        return Vec::new();
    };
    if entry.is_table() {
        let message = "write [[peers]], with two brackets";
        entry.flaw_at(problems, entry.key.clone(), message);
        return Vec::new();
    }
    let mut found: Vec<Peers> = Vec::new();
    for item in entry.array(problems).unwrap_or_default() {
        let DeValue::Table(table) = item.get_ref() else {
            entry.flaw_at(problems, item.span(), "write each under [[peers]]");
            continue;
        };
        let section = Section::open(table, item.span(), &PEERS, problems);
        let rule = peer_rule(&entry, &section, problems);
        let name = section.get("name").and_then(|it| it.text(problems));
        let name = name.map_or_else(|| format!("peers-{}", found.len() + 1), str::to_owned);
        if let Some(rule) = rule {
            found.push(Peers { name, rule });
        }
    }
    found
}

fn peer_rule(
    entry: &Entry<'_>,
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<PeerRule> {
    match (
        section.get("sides"),
        section.get("group"),
        section.get("side"),
    ) {
        (Some(sides), None, None) => {
            let mut selectors = Vec::new();
            for (text, place) in sides.texts(problems)? {
                match text.parse() {
                    Ok(selector) => selectors.push(selector),
                    Err(error) => {
                        let error: crate::domain::fleet::NotASelector = error;
                        sides.flaw_at(problems, place, error.to_string());
                    }
                }
            }
            if selectors.len() < 2 {
                sides.flaw(problems, "peers have two sides at least");
                return None;
            }
            Some(PeerRule::Sides(selectors))
        }
        (None, Some(group), Some(side)) => Some(PeerRule::Same {
            group: parsed(&group, problems)?,
            side: parsed(&side, problems)?,
        }),
        _ => {
            let message = "which are peers? Add sides = [\"SELECTOR\", …], or group and side";
            entry.flaw_at(problems, section.span.clone(), message);
            None
        }
    }
}
