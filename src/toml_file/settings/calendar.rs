//! `[windows]` and `[freezes]`: when writes are allowed.

use std::collections::BTreeMap;

use jiff::civil::Time;

use super::words::parsed;
use crate::domain::fleet::settings::{Freeze, Window, WindowRule, ZoneRule};
use crate::toml_file::problem::{ProblemKind, Problems};
use crate::toml_file::read::{Entry, Section};
use crate::toml_file::shape::Shape;
use crate::toml_file::values;

/// One of `[windows]`
pub const WINDOWS: Shape = Shape {
    section: "windows.NAME",
    now: &["days", "from", "to", "cron", "for", "timezone"],
    later: &[],
};
/// One of `[freezes]`
pub const FREEZES: Shape = Shape {
    section: "freezes.NAME",
    now: &["from", "to", "timezone", "select"],
    later: &[],
};

/// Shortest opening of a window, in seconds: below a minute no release fits.
const SHORTEST: u32 = 60;

/// Reads `[windows]`.
pub(super) fn windows(top: &Section<'_>, problems: &mut Problems) -> BTreeMap<String, Window> {
    named(top, "windows", problems, |entry, problems| {
        let section = entry.section(&WINDOWS, problems)?;
        let zone = zone(&section, problems);
        let rule = match (section.get("cron"), section.get("days")) {
            (Some(cron), None) => cron_rule(&section, &cron, problems),
            (None, Some(days)) => weekly(&section, &days, problems),
            (Some(_), Some(days)) => {
                days.flaw_at(problems, days.key.clone(), "either cron or days, not both");
                None
            }
            (None, None) => {
                let message = "when is it open? Add days, from and to, or cron and for";
                missing(entry, problems, message);
                None
            }
        }?;
        Some(Window { rule, zone })
    })
}

/// Reads `[freezes]`.
pub(super) fn freezes(top: &Section<'_>, problems: &mut Problems) -> BTreeMap<String, Freeze> {
    named(top, "freezes", problems, |entry, problems| {
        let section = entry.section(&FREEZES, problems)?;
        let zone = zone(&section, problems);
        let selector = section.get("select").and_then(|it| parsed(&it, problems));
        let (Some(first), Some(last)) = (section.get("from"), section.get("to")) else {
            missing(
                entry,
                problems,
                "a freeze has a first and a last day: from and to",
            );
            return None;
        };
        let (from, to) = (first.date(problems)?, last.date(problems)?);
        if to < from {
            last.flaw(problems, format!("it ends before it begins, on {from}"));
            return None;
        }
        Some(Freeze {
            from,
            to,
            zone,
            selector: selector.unwrap_or_default(),
        })
    })
}

/// A table of named things.
fn named<T>(
    top: &Section<'_>,
    key: &str,
    problems: &mut Problems,
    mut one: impl FnMut(&Entry<'_>, &mut Problems) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut found = BTreeMap::new();
    let Some(entry) = top.get(key) else {
        return found;
    };
    for (name, entry) in entry.entries(problems) {
        if let Some(flaw) = values::name_flaw(name) {
            entry.flaw_at(problems, entry.key.clone(), flaw);
        } else if let Some(made) = one(&entry, problems) {
            found.insert(name.to_owned(), made);
        }
    }
    found
}

fn missing(entry: &Entry<'_>, problems: &mut Problems, message: &str) {
    let kind = ProblemKind::Missing(message.to_owned());
    problems.add(entry.key.clone(), entry.span(), kind);
}

fn weekly(section: &Section<'_>, days: &Entry<'_>, problems: &mut Problems) -> Option<WindowRule> {
    if let Some(other) = section.get("for") {
        let message = "for goes with cron; a window of days has from and to";
        other.flaw_at(problems, other.key.clone(), message);
    }
    let days_read = parsed(days, problems);
    let mut time = |key: &str| match section.get(key) {
        Some(entry) => time(&entry, problems),
        None => {
            missing(
                days,
                problems,
                &format!("a window of days has from and to: add {key} = \"HH:MM\""),
            );
            None
        }
    };
    let (from, to) = (time("from"), time("to"));
    Some(WindowRule::Weekly {
        days: days_read?,
        from: from?,
        to: to?,
    })
}

fn cron_rule(
    section: &Section<'_>,
    cron: &Entry<'_>,
    problems: &mut Problems,
) -> Option<WindowRule> {
    for key in ["from", "to"] {
        if let Some(other) = section.get(key) {
            let message = format!("{key} goes with days; a window by cron has for");
            other.flaw_at(problems, other.key.clone(), message);
        }
    }
    let opens = parsed(cron, problems);
    let Some(entry) = section.get("for") else {
        missing(cron, problems, "how long is it open? Add for = \"4h\"");
        return None;
    };
    let for_seconds = duration(&entry, problems)?;
    if for_seconds < SHORTEST {
        entry.flaw(problems, "a window is open for a minute at least");
        return None;
    }
    Some(WindowRule::Cron {
        opens: opens?,
        for_seconds,
    })
}

/// A duration of whole seconds.
pub(super) fn duration(entry: &Entry<'_>, problems: &mut Problems) -> Option<u32> {
    let text = entry.text(problems)?;
    values::seconds(text)
        .map_err(|message| entry.flaw(problems, message))
        .ok()
}

/// `09:00`; `24:00` is the midnight that ends the day.
fn time(entry: &Entry<'_>, problems: &mut Problems) -> Option<Time> {
    let text = entry.text(problems)?;
    let two = |text: &str| -> Option<i8> {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten()
    };
    let read = text.split_once(':').and_then(|(hour, minute)| {
        let (hour, minute) = (two(hour)?, two(minute)?);
        let hour = if (hour, minute) == (24, 0) { 0 } else { hour };
        Time::new(hour, minute, 0, 0).ok()
    });
    if read.is_none() {
        entry.flaw(
            problems,
            format!("\"{text}\" is no time of day; write it like 22:00"),
        );
    }
    read
}

/// `timezone`: the fleet's if there is none.
fn zone(section: &Section<'_>, problems: &mut Problems) -> ZoneRule {
    let Some(entry) = section.get("timezone") else {
        return ZoneRule::Fleet;
    };
    match entry.text(problems) {
        Some("cluster") => ZoneRule::Cluster,
        Some("fleet") | None => ZoneRule::Fleet,
        Some(name) => {
            if let Some(flaw) = values::timezone_flaw(name) {
                let message = format!("{flaw}; or \"cluster\", for each cluster's own");
                entry.flaw(problems, message);
            }
            ZoneRule::Named(name.to_owned())
        }
    }
}
