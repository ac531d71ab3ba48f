//! `[gates]`, `[budget]` and names of waves in `approve` and `after`.

use std::ops::RangeInclusive;

use super::calendar::duration;
use super::words::{rate, word};
use crate::domain::fleet::settings::{Budget, Gate, GateCheck, OnSpent, PlanSettings};
use crate::toml_file::problem::Problems;
use crate::toml_file::read::{Entry, Section};
use crate::toml_file::shape::{Shape, closest};
use crate::toml_file::values;

/// One of `[gates]`: which keys go with which check is said by `keys_of`.
pub const GATES: Shape = Shape {
    section: "gates.NAME",
    now: &[
        "check", "after", "within", "at_most", "url", "status", "query", "argv", "timeout",
        "plugin",
    ],
    later: &[],
};
/// `[budget]`
pub const BUDGET: Shape = Shape {
    section: "budget",
    now: &["failed", "undone", "conflict_rate", "spent"],
    later: &[],
};

/// Releases that may fail: any number that a fleet has.
const FAILURES: RangeInclusive<u32> = 0..=1_000_000;

/// Statuses of HTTP.
const STATUS: RangeInclusive<u32> = 100..=599;

/// How long a health gate waits if nobody says, in seconds.
const HEALTH_WITHIN: u32 = 900;

/// How long a command may run if nobody says, in seconds.
const COMMAND_TIMEOUT: u32 = 60;

/// What a gate may ask, and the keys that go with it.
const CHECKS: &[(&str, &[&str])] = &[
    ("health", &["within"]),
    ("conflict-rate", &["at_most"]),
    ("ownership", &[]),
    ("http", &["url", "status"]),
    ("prometheus", &["url", "query"]),
    ("command", &["argv", "timeout"]),
    ("plugin", &["plugin"]),
];

/// Reads `[gates]`: a table a gate, or `"off"` for one that a playbook has.
pub(super) fn gates(top: &Section<'_>, problems: &mut Problems) -> Vec<Gate> {
    let Some(entry) = top.get("gates") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, entry) in entry.entries(problems) {
        if let Some(flaw) = values::name_flaw(name) {
            entry.flaw_at(problems, entry.key.clone(), flaw);
            continue;
        }
        if entry.is_text() {
            word(&entry, &[("off", ())], problems);
            continue;
        }
        if let Some((check, after)) = gate(&entry, problems) {
            found.push(Gate {
                name: name.to_owned(),
                after,
                check,
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn gate(entry: &Entry<'_>, problems: &mut Problems) -> Option<(GateCheck, Vec<String>)> {
    let section = entry.section(&GATES, problems)?;
    let after = section.get("after").and_then(|it| it.texts(problems));
    let after = after.unwrap_or_default().into_iter();
    let after = after.map(|(name, _)| name.to_owned()).collect();
    let Some(kind) = section.get("check") else {
        let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        let message = format!("what does it ask? Add check = one of {}", names.join(", "));
        entry.flaw_at(problems, entry.key.clone(), message);
        return None;
    };
    let words: Vec<(&str, (&str, &[&str]))> = CHECKS
        .iter()
        .map(|(name, keys)| (*name, (*name, *keys)))
        .collect();
    let (kind, keys) = word(&kind, &words, problems)?;
    for key in GATES
        .now
        .iter()
        .filter(|key| !["check", "after"].contains(key))
    {
        if let Some(other) = section.get(key)
            && !keys.contains(key)
        {
            let message = format!("{key} does not go with check = \"{kind}\"");
            other.flaw_at(problems, other.key.clone(), message);
        }
    }
    Some((check(kind, entry, &section, problems)?, after))
}

fn check(
    kind: &str,
    entry: &Entry<'_>,
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<GateCheck> {
    let needs = |key: &str, problems: &mut Problems| {
        let found = section.get(key);
        if found.is_none() {
            let message = format!("check = \"{kind}\" needs {key}");
            entry.flaw_at(problems, entry.key.clone(), message);
        }
        found
    };
    let text = |key: &str, problems: &mut Problems| -> Option<String> {
        Some(needs(key, problems)?.text(problems)?.to_owned())
    };
    let seconds = |key: &str, default: u32, problems: &mut Problems| match section.get(key) {
        Some(entry) => duration(&entry, problems),
        None => Some(default),
    };
    Some(match kind {
        "health" => GateCheck::Health {
            within_seconds: seconds("within", HEALTH_WITHIN, problems)?,
        },
        "conflict-rate" => GateCheck::ConflictRate {
            at_most: rate(&needs("at_most", problems)?, problems)?,
        },
        "ownership" => GateCheck::Ownership,
        "http" => {
            let status = match section.get("status") {
                Some(entry) => entry.number(problems, &STATUS)?,
                None => 200,
            };
            GateCheck::Http {
                url: url(&needs("url", problems)?, problems)?,
                status: u16::try_from(status).ok()?,
            }
        }
        "prometheus" => {
            let query = text("query", problems);
            GateCheck::Prometheus {
                url: url(&needs("url", problems)?, problems)?,
                query: query?,
            }
        }
        "command" => {
            let argv = needs("argv", problems)?;
            let words = argv.texts(problems)?;
            if words.is_empty() {
                argv.flaw(problems, "which program? It is empty");
                return None;
            }
            GateCheck::Command {
                argv: words.into_iter().map(|(word, _)| word.to_owned()).collect(),
                timeout_seconds: seconds("timeout", COMMAND_TIMEOUT, problems)?,
            }
        }
        _ => GateCheck::Plugin {
            name: text("plugin", problems)?,
        },
    })
}

/// A URL stands in plans and on screens, so it must not hold a password.
fn url(entry: &Entry<'_>, problems: &mut Problems) -> Option<String> {
    let text = entry.text(problems)?;
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let flaw = match host {
        None => "a URL begins with https:// or http://",
        Some("") => "the URL has no host",
        Some(host) if host.contains('@') => "a URL here must not hold a user or a password",
        Some(_) => return Some(text.to_owned()),
    };
    entry.flaw(problems, flaw);
    None
}

/// Reads `[budget]`.
pub(super) fn budget(top: &Section<'_>, problems: &mut Problems) -> Budget {
    let mut budget = Budget::default();
    let Some(section) = top
        .get("budget")
        .and_then(|it| it.section(&BUDGET, problems))
    else {
        return budget;
    };
    let mut number = |key: &str| {
        let entry = section.get(key)?;
        entry.number(problems, &FAILURES)
    };
    budget.failed = number("failed");
    budget.undone = number("undone");
    budget.conflict_rate = section
        .get("conflict_rate")
        .and_then(|it| rate(&it, problems));
    let words = [
        ("stop", OnSpent::Stop),
        ("undo-cluster", OnSpent::UndoCluster),
        ("undo-wave", OnSpent::UndoWave),
    ];
    if let Some(spent) = section
        .get("spent")
        .and_then(|it| word(&it, &words, problems))
    {
        budget.spent = spent;
    }
    budget
}

/// Names in `waves.approve` and in `after` of gates must be those of waves that can come: an approval of a wave that is
/// never there would silently not be asked for.
pub(super) fn names_of_waves(top: &Section<'_>, settings: &PlanSettings, problems: &mut Problems) {
    let mut lists: Vec<(&str, Entry<'_>)> = Vec::new();
    if let Some(waves) = top.get("waves") {
        let keys = waves.entries(&mut Problems::default());
        lists.extend(keys.into_iter().filter(|(key, _)| *key == "approve"));
    }
    if let Some(gates) = top.get("gates") {
        for (_, gate) in gates.entries(&mut Problems::default()) {
            let keys = gate.entries(&mut Problems::default());
            lists.extend(keys.into_iter().filter(|(key, _)| *key == "after"));
        }
    }
    let stages: Vec<&str> = settings.stages.iter().map(|it| it.name.as_str()).collect();
    for (key, list) in lists {
        for (name, place) in list.texts(&mut Problems::default()).unwrap_or_default() {
            if !can_come(name, &stages) {
                let known = stages.iter().copied().chain(["canary", "rest"]);
                let known: Vec<&str> = known.filter(|name| !name.is_empty()).collect();
                let hint = closest(name, known.iter().copied()).map_or_else(
                    || {
                        let known = known.join(", ");
                        format!(
                            "there are {known}; who gives the waves other names says {key} again"
                        )
                    },
                    |guess| format!("did you mean {guess}?"),
                );
                list.flaw_at(problems, place, format!("no wave is named {name}; {hint}"));
            }
        }
    }
}

/// May a wave of these stages have such a name? Those of a stage have its name, alone or with a letter after a dash.
fn can_come(name: &str, stages: &[&str]) -> bool {
    if name.contains('*') || ["canary", "rest"].contains(&name) || name.starts_with("rest-") {
        return !name.is_empty();
    }
    stages.iter().any(|stage| match *stage {
        "" => name.starts_with("wave-"),
        stage => name
            .strip_prefix(stage)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
    })
}
