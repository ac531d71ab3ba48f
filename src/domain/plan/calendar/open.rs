//! Open time: when clusters of one kind may be written to. The union of their windows without their freezes.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use super::clock::{Clock, DAY};
use super::intervals::{Stretch, union, without};
use crate::domain::fleet::settings::{Freeze, WindowRule};

/// How far open time is worked out at once: most waves start within four weeks of the one before.
const STEP: i64 = 28 * DAY;

/// A window and its clock.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    name: String,
    rule: WindowRule,
    clock: Arc<Clock>,
    /// By cron: seconds after midnight at which it opens, on days that fit.
    minutes: Vec<i64>,
}

/// When writing is allowed, worked out as far as anybody asked.
#[derive(Debug, Clone)]
pub(super) struct OpenTime {
    /// `None`: always, but for freezes.
    windows: Option<Vec<Opening>>,
    /// Freezes by name.
    freezes: Vec<(String, Vec<Stretch>)>,
    /// The union of them.
    frozen: Vec<Stretch>,
    /// What is known, in order and apart.
    open: Vec<Stretch>,
    /// Known before this.
    until: i64,
    /// Nobody looks beyond.
    end: i64,
}

impl OpenTime {
    /// Open while any of the windows is, from `from` to `end`; without windows always. Frozen days, the last one included,
    /// are whole days of the freeze's clock.
    pub(super) fn new(
        windows: Option<Vec<Opening>>,
        freezes: Vec<(String, Freeze, Arc<Clock>)>,
        from: i64,
        end: i64,
    ) -> Self {
        let freezes = freezes.into_iter().map(|(name, freeze, clock)| {
            let (first, last) = (day(freeze.from.into()), day(freeze.to.into()));
            let mut days = Vec::new();
            clock.while_it_shows(first * DAY, (last + 1) * DAY, |from, to| {
                days.push((from, to));
            });
            (name, days)
        });
        let freezes: Vec<(String, Vec<Stretch>)> = freezes.collect();
        let frozen = union(freezes.iter().flat_map(|(_, days)| days).copied().collect());
        Self {
            windows,
            freezes,
            frozen,
            open: Vec::new(),
            until: from,
            end,
        }
    }

    /// Open in these stretches, in order and apart.
    #[cfg(test)]
    pub(super) fn of_stretches(open: Vec<Stretch>, end: i64) -> Self {
        Self {
            windows: None,
            freezes: Vec::new(),
            frozen: Vec::new(),
            open,
            until: end,
            end,
        }
    }

    /// The first open stretch at or after `at`, cut there. Its end is where it shuts, or at least `wanted` later.
    pub(super) fn next(&mut self, at: i64, wanted: i64) -> Option<Stretch> {
        loop {
            let place = self.open.partition_point(|(_, to)| *to <= at);
            let known = self.until >= self.end;
            match self.open.get(place) {
                Some(&(from, to)) => {
                    let from = from.max(at);
                    if known || to < self.until || to - from >= wanted {
                        return Some((from, to));
                    }
                }
                None if known => return None,
                None => {}
            }
            self.work_out();
        }
    }

    /// Works out one step more.
    fn work_out(&mut self) {
        let from = self.until;
        let to = from.saturating_add(STEP).min(self.end);
        let open = match &self.windows {
            None => vec![(from, to)],
            Some(windows) => {
                let mut open = Vec::new();
                for window in windows {
                    window.within(from, to, &mut open);
                }
                union(open)
            }
        };
        for (from, to) in without(&open, &self.frozen) {
            match self.open.last_mut() {
                Some((_, end)) if *end == from => *end = to,
                _ => self.open.push((from, to)),
            }
        }
        self.until = to;
    }

    /// Freezes that touch this stretch, with their ends, the earliest end first.
    pub(super) fn freezes_within(&self, from: i64, to: i64) -> Vec<(&str, i64)> {
        let mut found: Vec<(&str, i64)> = Vec::new();
        for (name, days) in &self.freezes {
            let touching = days
                .iter()
                .filter(|(begins, ends)| *begins < to && *ends > from);
            found.extend(
                touching
                    .map(|(_, ends)| (name.as_str(), *ends))
                    .max_by_key(|(_, ends)| *ends),
            );
        }
        found.sort_by_key(|(name, ends)| (*ends, *name));
        found
    }

    /// Names of the windows that are open at an instant.
    pub(super) fn windows_at(&self, at: i64) -> Vec<&str> {
        let windows = self.windows.iter().flatten();
        let open = windows.filter(|window| {
            let mut open = Vec::new();
            window.within(at, at + 1, &mut open);
            !open.is_empty()
        });
        open.map(|window| window.name.as_str()).collect()
    }
}

impl Opening {
    pub(super) fn new(name: &str, rule: &WindowRule, clock: Arc<Clock>) -> Self {
        let minutes = match rule {
            WindowRule::Weekly { .. } => Vec::new(),
            WindowRule::Cron { opens, .. } => opens
                .minutes_of_day()
                .map(|(hour, minute)| i64::from(hour) * 3_600 + i64::from(minute) * 60)
                .collect(),
        };
        Self {
            name: name.to_owned(),
            rule: rule.clone(),
            clock,
            minutes,
        }
    }

    /// Adds its open stretches in `[from, to)`, in any order.
    fn within(&self, from: i64, to: i64, open: &mut Vec<Stretch>) {
        let mut give = |begins: i64, ends: i64| {
            let (begins, ends) = (begins.max(from), ends.min(to));
            if begins < ends {
                open.push((begins, ends));
            }
        };
        // A day before and after, as a clock that goes back shows a day twice.
        let first = self.clock.local(from).div_euclid(DAY) - 1;
        let last = self.clock.local(to).div_euclid(DAY) + 1;
        match &self.rule {
            WindowRule::Weekly {
                days,
                from: opens,
                to: shuts,
            } => {
                let (opens, shuts) = (second(*opens), second(*shuts));
                let shuts = if shuts > opens { shuts } else { shuts + DAY };
                for day in first - 1..=last {
                    if days.contains(weekday(day)) {
                        let midnight = day * DAY;
                        self.clock
                            .while_it_shows(midnight + opens, midnight + shuts, &mut give);
                    }
                }
            }
            WindowRule::Cron { opens, for_seconds } => {
                let long = i64::from(*for_seconds);
                for day in first - long / DAY - 1..=last {
                    if !opens.matches_day(date(day)) {
                        continue;
                    }
                    for second in &self.minutes {
                        let begins = self.clock.first_at(day * DAY + second);
                        give(begins, begins.saturating_add(long));
                    }
                }
            }
        }
    }
}

fn second(time: Time) -> i64 {
    i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

/// Number of a date's day since 1970-01-01.
pub(super) fn day(date: DateTime) -> i64 {
    let midnight = TimeZone::UTC.to_timestamp(date);
    midnight.map_or(i64::MAX / DAY - 2, |it| it.as_second().div_euclid(DAY))
}

/// The date of a day's number, at midnight.
pub(super) fn date(day: i64) -> DateTime {
    let midnight = Timestamp::from_second(day.saturating_mul(DAY));
    midnight.map_or(DateTime::MAX, |it| TimeZone::UTC.to_datetime(it))
}

fn weekday(day: i64) -> Weekday {
    date(day).weekday()
}
