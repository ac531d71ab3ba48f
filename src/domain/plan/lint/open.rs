//! Is a cluster open? Walked from change to change of its clocks, as a person with a watch would.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::fleet::settings::{Cron, Freeze, WindowRule, ZoneRule};
use crate::domain::fleet::time_zone;
use crate::domain::ids::ClusterName;
use crate::domain::plan::{ClusterFacts, Plan};

/// What opens and shuts a cluster. Equal for clusters that are open at the same times.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::domain::plan) struct Hours {
    /// Names and zones of its windows; `None` if it has none, and is always open.
    windows: Option<BTreeSet<(String, String)>>,
    freezes: BTreeSet<(String, String)>,
}

/// A stretch of time, the end not included.
pub(in crate::domain::plan) type Stretch = (Timestamp, Timestamp);

impl Hours {
    /// Those of a cluster; an error says which zone or window there is not.
    pub(in crate::domain::plan) fn of(plan: &Plan, cluster: &ClusterName) -> Result<Self, String> {
        let metadata = &plan.metadata;
        let nothing = ClusterFacts::default();
        let facts = metadata.clusters.get(cluster).unwrap_or(&nothing);
        let zone = |rule: &ZoneRule| -> Result<String, String> {
            let name = match rule {
                ZoneRule::Named(name) => name,
                ZoneRule::Cluster => facts.timezone.as_ref().unwrap_or(&metadata.timezone),
                ZoneRule::Fleet => &metadata.timezone,
            };
            match time_zone(name) {
                Some(_) => Ok(name.clone()),
                None => Err(format!("there is no zone {name}")),
            }
        };
        let mut windows = BTreeSet::new();
        for name in &facts.windows {
            let Some(window) = metadata.settings.windows.get(name) else {
                return Err(format!("there is no window {name}"));
            };
            windows.insert((name.clone(), zone(&window.zone)?));
        }
        let mut freezes = BTreeSet::new();
        for (name, freeze) in &metadata.settings.freezes {
            let sees = |key: &str| {
                let own = (key == "cluster").then(|| cluster.as_str());
                own.or_else(|| facts.labels.get(key).map(String::as_str))
            };
            if freeze.selector.matches_with(sees) {
                freezes.insert((name.clone(), zone(&freeze.zone)?));
            }
        }
        Ok(Self {
            windows: (!windows.is_empty()).then_some(windows),
            freezes,
        })
    }

    /// When it is open between two instants.
    pub(in crate::domain::plan) fn within(
        &self,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Stretch> {
        let settings = &plan.metadata.settings;
        let mut open: Vec<Stretch> = Vec::new();
        let mut at = from;
        while at < to {
            let mut until = to;
            let mut is_open = self.windows.is_none();
            for (name, zone) in self.windows.iter().flatten() {
                let rule = settings.windows.get(name).map(|window| &window.rule);
                if let Some((rule, zone)) = rule.zip(time_zone(zone)) {
                    let (now, next) = window(rule, &zone, at);
                    is_open |= now;
                    until = until.min(next);
                }
            }
            for (name, zone) in &self.freezes {
                if let Some((freeze, zone)) = settings.freezes.get(name).zip(time_zone(zone)) {
                    let (frozen, next) = frozen(freeze, &zone, at);
                    is_open &= !frozen;
                    until = until.min(next);
                }
            }
            match open.last_mut() {
                Some((_, end)) if is_open && *end == at => *end = until,
                _ if is_open => open.push((at, until)),
                _ => {}
            }
            if until <= at {
                break;
            }
            at = until;
        }
        open
    }
}

fn second_of(time: DateTime) -> i64 {
    i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

/// So many seconds later, but no further than the next time that the clock is moved.
fn later(at: Timestamp, zone: &TimeZone, seconds: i64) -> Timestamp {
    let then = at.saturating_add(SignedDuration::from_secs(seconds.max(1)));
    let then = then.unwrap_or(Timestamp::MAX);
    let moved = zone.following(at).next().map(|it| it.timestamp());
    moved.map_or(then, |moved| then.min(moved))
}

/// Is a window open, and until when is that so?
fn window(rule: &WindowRule, zone: &TimeZone, at: Timestamp) -> (bool, Timestamp) {
    let local = zone.to_datetime(at);
    match rule {
        WindowRule::Weekly { days, from, to } => {
            let now = second_of(local);
            let (opens, shuts) = (
                second_of(local.date().to_datetime(*from)),
                second_of(local.date().to_datetime(*to)),
            );
            let over_night = shuts <= opens;
            let today =
                days.contains(local.weekday()) && now >= opens && (over_night || now < shuts);
            let yesterday = local.date().yesterday();
            let yesterday =
                over_night && now < shuts && yesterday.is_ok_and(|it| days.contains(it.weekday()));
            let next = [opens, shuts, 86_400]
                .into_iter()
                .filter(|it| *it > now)
                .min();
            (
                today || yesterday,
                later(at, zone, next.unwrap_or(86_400) - now),
            )
        }
        WindowRule::Cron { opens, for_seconds } => {
            let long = SignedDuration::from_secs(i64::from(*for_seconds));
            let earliest = at.saturating_sub(long).unwrap_or(Timestamp::MIN);
            // The latest opening that still holds; else none does until the next one, or for a day.
            let (mut latest, mut from) = (None, next_minute(earliest));
            while let Some(opening) = next_opening(opens, zone, from, at) {
                latest = Some(opening);
                from = next_minute(opening);
                if from <= opening {
                    break;
                }
            }
            if let Some(opening) = latest {
                let shuts = opening.saturating_add(long).unwrap_or(Timestamp::MAX);
                return (true, shuts);
            }
            let day = later(at, zone, 86_400);
            let next = next_opening(opens, zone, next_minute(at), day);
            (false, next.unwrap_or(day))
        }
    }
}

/// The first whole minute after an instant.
fn next_minute(at: Timestamp) -> Timestamp {
    let minute = at.as_second().div_euclid(60) * 60 + 60;
    Timestamp::from_second(minute).unwrap_or(Timestamp::MAX)
}

/// The first opening from one minute to another, both included.
fn next_opening(cron: &Cron, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    let mut at = from;
    while at <= to {
        if begins(cron, zone, at) {
            return Some(at);
        }
        let local = zone.to_datetime(at);
        let next = if cron.matches_day(local) {
            next_minute(at)
        } else {
            later(at, zone, 86_400 - second_of(local))
        };
        // The end of all time: an edited plan may be there.
        if next <= at {
            break;
        }
        at = next;
    }
    None
}

/// Does a window by cron open at this minute? In an hour that comes twice the first time only; what the clock jumps over
/// opens when it jumps.
fn begins(cron: &Cron, zone: &TimeZone, at: Timestamp) -> bool {
    let local = zone.to_datetime(at);
    if cron.matches(local) {
        let earlier = zone.to_ambiguous_timestamp(local).earlier();
        return earlier.is_ok_and(|earlier| earlier == at);
    }
    let minute = SignedDuration::from_secs(60);
    let before = at.saturating_sub(minute).unwrap_or(Timestamp::MIN);
    let mut skipped = zone.to_datetime(before).saturating_add(minute);
    while skipped < local {
        if cron.matches(skipped) {
            return true;
        }
        skipped = skipped.saturating_add(minute);
    }
    false
}

/// Is it a frozen day, and until when is that so?
fn frozen(freeze: &Freeze, zone: &TimeZone, at: Timestamp) -> (bool, Timestamp) {
    let local = zone.to_datetime(at);
    let today: Date = local.date();
    (
        today >= freeze.from && today <= freeze.to,
        later(at, zone, 86_400 - second_of(local)),
    )
}
