//! Times of a plan, held against its settings: order, soak, windows, freezes, rates, sums. Knows nothing of the scheduler.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Finder;
use super::bounds::satisfies;
use super::open::{Hours, Stretch};
use crate::domain::fleet::time_zone;
use crate::domain::ids::ClusterName;
use crate::domain::plan::{Calendar, Plan, Wave};

/// Paces are compared in millionths of a write per second.
const UNIT: u128 = 1_000_000;

/// Checks all times. A plan without any has none to check.
pub(super) fn times(plan: &Plan, find: &mut Finder<'_>) {
    let Some(calendar) = &plan.calendar else {
        let timeless = |wave: &Wave| {
            wave.starts.is_none()
                && wave.ends.is_none()
                && wave.spans.is_empty()
                && wave.waits_for.is_empty()
                && wave.soak == 0
        };
        if !plan.waves.iter().all(timeless) || !plan.relaxations.is_empty() {
            find(
                "/calendar".to_owned(),
                "waves have times, the plan has none".to_owned(),
            );
        }
        return;
    };
    let Some(zone) = time_zone(&plan.metadata.timezone) else {
        let text = format!("there is no zone {}", plan.metadata.timezone);
        find("/metadata/timezone".to_owned(), text);
        return;
    };
    for (at, wave) in plan.waves.iter().enumerate() {
        let mut wrong = |text: &str| find(format!("/waves/{at}"), text.to_owned());
        order(plan, wave, &zone, &mut wrong);
        spans(wave, &mut wrong);
        windows(plan, wave, &mut wrong);
    }
    together(plan, find);
    sums(plan, calendar, &zone, find);
    relaxations(plan, calendar, &zone, find);
}

fn soaked(wave: &Wave) -> Option<Timestamp> {
    let soak = SignedDuration::from_secs(i64::from(wave.soak));
    wave.ends?.checked_add(soak).ok()
}

/// Nothing before the plan, before what it comes after, or before its date; soak and approval are the settings'.
fn order(plan: &Plan, wave: &Wave, zone: &TimeZone, wrong: &mut impl FnMut(&str)) {
    let settings = &plan.metadata.settings;
    let asked = wave.releases.iter().filter_map(|release| {
        let mut rules = settings.soak.iter();
        rules.find(|rule| satisfies(plan, release, &rule.selector))
    });
    if wave.soak != asked.map(|rule| rule.seconds).max().unwrap_or(0) {
        wrong("its soak is not what the settings ask for");
    }
    let before = || {
        plan.waves
            .iter()
            .filter(|it| wave.after.contains(&it.number))
    };
    let waits = |kind: &str| wave.waits_for.iter().any(|it| it.kind == kind);
    if wave.approval != waits("approval") {
        wrong("it does not say whether it waits for approval");
    }
    let Some(starts) = wave.starts else {
        let reason = |it: &crate::domain::plan::WaitsFor| {
            it.until.is_none() && (it.kind == "window" || it.kind == "wave")
        };
        if !wave.waits_for.iter().any(reason) {
            wrong("it never starts, and does not say why");
        }
        if waits("wave") != before().any(|it| it.ends.is_none()) {
            wrong("it says that it comes after a wave that is never done, or does not say it");
        }
        return;
    };
    if starts < plan.metadata.made_at {
        wrong("it starts before the plan was made");
    }
    if before().any(|it| soaked(it).is_none_or(|end| end > starts)) {
        wrong("it starts before a wave that it comes after has soaked");
    }
    if wave.stage as usize == settings.stages.len() + 2
        && let Some(date) = settings.risk.defer_low_until
        && zone.to_datetime(starts).date() < date
    {
        wrong("it is deferred, and starts before its date");
    }
    if wave
        .waits_for
        .iter()
        .any(|it| it.until.is_some_and(|until| until > starts))
    {
        wrong("it waits for something beyond its start");
    }
}

/// From the start to the end, in order, apart.
fn spans(wave: &Wave, wrong: &mut impl FnMut(&str)) {
    let first = wave.spans.first().map(|span| span.from);
    let last = wave.spans.last().map(|span| span.to);
    if (first, last) != (wave.starts, wave.ends) {
        wrong("its spans do not begin at its start and finish at its end");
    }
    let apart = wave.spans.windows(2).all(|pair| match pair {
        [one, next] => one.to < next.from,
        _ => true,
    });
    if !apart || wave.spans.iter().any(|span| span.from >= span.to) {
        wrong("its spans are empty, or touch each other");
    }
}

fn seconds(all: &[Stretch]) -> u128 {
    let long = all
        .iter()
        .map(|(from, to)| to.duration_since(*from).as_secs());
    long.map(|it| u128::try_from(it).unwrap_or(0)).sum()
}

/// What a wave writes on a cluster.
#[derive(Default)]
struct Load {
    writes: u128,
    releases: u32,
    largest: u32,
}

/// At every moment some cluster of it is open, and each cluster is open long enough for what it writes.
fn windows(plan: &Plan, wave: &Wave, wrong: &mut impl FnMut(&str)) {
    let mut loads: BTreeMap<&ClusterName, Load> = BTreeMap::new();
    for release in &wave.releases {
        let load = loads.entry(&release.release.cluster).or_default();
        load.writes += u128::from(release.writes);
        load.releases += 1;
        load.largest = load.largest.max(release.writes);
    }
    let mut open: BTreeMap<Hours, Vec<Stretch>> = BTreeMap::new();
    for (cluster, load) in loads {
        let hours = match Hours::of(plan, cluster) {
            Ok(hours) => hours,
            Err(text) => {
                wrong(&format!("{cluster}: {text}"));
                return;
            }
        };
        let open = open.entry(hours).or_insert_with_key(|hours| {
            let spans = wave.spans.iter();
            spans
                .flat_map(|span| hours.within(plan, span.from, span.to))
                .collect()
        });
        if wave.starts.is_some() && !suffices(plan, cluster, &load, open) {
            wrong(&format!(
                "{cluster} cannot write that much while it is open"
            ));
        }
    }
    // What any of them has open, span by span.
    let mut all: Vec<Stretch> = open.into_values().flatten().collect();
    all.sort_unstable();
    for span in &wave.spans {
        let mut reached = span.from;
        for (from, to) in &all {
            if *from <= reached {
                reached = reached.max(*to);
            }
        }
        if reached < span.to {
            wrong(&format!(
                "it writes at {reached}, and none of its clusters is open"
            ));
        }
    }
}

fn suffices(plan: &Plan, cluster: &ClusterName, load: &Load, open: &[Stretch]) -> bool {
    let metadata = &plan.metadata;
    let Some(limits) = metadata.limits.get(cluster) else {
        return false;
    };
    let cost = &metadata.settings.cost;
    let cost = cost.measured.get(cluster).unwrap_or(&cost.millis_per_write);
    let (cost, rate) = (
        u128::from(*cost),
        u128::from(limits.writes_per_second.max(1)),
    );
    let millis = seconds(open) * 1_000;
    let at_once = u128::from(limits.in_flight.min(load.releases).max(1));
    let largest = u128::from(load.largest) * cost.max(1_000 / rate);
    let longest = open.iter().map(|it| seconds(&[*it]) * 1_000).max();
    millis * rate >= load.writes * 1_000
        && millis * at_once >= load.writes * cost
        && longest.unwrap_or(0) >= largest
}

/// All waves that write at once keep the fleet's pace.
fn together(plan: &Plan, find: &mut Finder<'_>) {
    // When how much more, or less, is written.
    let mut changes: Vec<(Timestamp, bool, u128)> = Vec::new();
    for wave in &plan.waves {
        let writes: u128 = wave.releases.iter().map(|it| u128::from(it.writes)).sum();
        let spans: Vec<Stretch> = wave.spans.iter().map(|span| (span.from, span.to)).collect();
        let pace = writes * UNIT / seconds(&spans).max(1);
        for (from, to) in spans {
            changes.push((from, true, pace));
            changes.push((to, false, pace));
        }
    }
    changes.sort_unstable();
    let most = u128::from(plan.metadata.writes_per_second) * UNIT;
    let mut now = 0_u128;
    for (at, more, pace) in changes {
        if more {
            now += pace;
        } else {
            now = now.saturating_sub(pace);
        }
        // A millionth for rounding.
        if now > most + most / 1_000_000 + plan.waves.len() as u128 {
            let text = format!("at {at} the waves write faster than the fleet may");
            find("/waves".to_owned(), text);
            return;
        }
    }
}

/// Days from the last day of a work to the deadline.
fn slack(plan: &Plan, zone: &TimeZone, done: Timestamp) -> i64 {
    let moment = SignedDuration::from_nanos(1);
    let last = done.saturating_sub(moment).unwrap_or(Timestamp::MIN);
    let day = zone.to_datetime(last).date();
    day.duration_until(plan.metadata.deadline).as_hours() / 24
}

/// Finish, slack, lateness, seconds.
fn sums(plan: &Plan, calendar: &Calendar, zone: &TimeZone, find: &mut Finder<'_>) {
    let mut wrong = |place: &str, text: String| find(format!("/calendar/{place}"), text);
    let ends: Option<Vec<Timestamp>> = plan.waves.iter().map(soaked).collect();
    let done = ends.and_then(|ends| ends.into_iter().max());
    if calendar.done != done {
        wrong("done", format!("the last wave has soaked at {done:?}"));
    }
    if calendar.slack_days.map(i64::from) != done.map(|done| slack(plan, zone, done)) {
        wrong("slackDays", "it is not the days to the deadline".to_owned());
    }
    let mut moments: Vec<(Timestamp, i32)> = Vec::new();
    for span in plan.waves.iter().flat_map(|wave| &wave.spans) {
        moments.extend([(span.from, 1), (span.to, -1)]);
    }
    moments.sort_unstable();
    let (mut writing, mut under_way, mut last) = (0, 0, Timestamp::MIN);
    for (at, change) in moments {
        if under_way > 0 {
            writing += at.duration_since(last).as_secs();
        }
        under_way += change;
        last = at;
    }
    if i64::try_from(calendar.writing_seconds) != Ok(writing) {
        wrong("writingSeconds", format!("the spans have {writing}"));
    }
    let late = plan.waves.iter().filter_map(|wave| {
        let done = soaked(wave);
        if done.is_some_and(|done| slack(plan, zone, done) >= 0) {
            return None;
        }
        let clusters: BTreeSet<&str> = wave
            .releases
            .iter()
            .map(|it| it.release.cluster.as_str())
            .collect();
        Some((wave.number, wave.releases.len(), clusters, done))
    });
    let said = calendar.late.iter().map(|late| {
        let clusters: BTreeSet<&str> = late.clusters.iter().map(String::as_str).collect();
        (late.wave, late.releases as usize, clusters, late.done)
    });
    if !late.eq(said) {
        wrong("late", "it is not what misses the deadline".to_owned());
    }
}

/// Each is sooner, says by how much, and the greatest gain comes first.
fn relaxations(plan: &Plan, calendar: &Calendar, zone: &TimeZone, find: &mut Finder<'_>) {
    let mut pairs = plan.relaxations.windows(2);
    let sorted = pairs.all(|pair| match pair {
        [one, next] => one.gain_days >= next.gain_days,
        _ => true,
    });
    if !sorted {
        find(
            "/relaxations".to_owned(),
            "the greatest gain does not come first".to_owned(),
        );
    }
    for (at, it) in plan.relaxations.iter().enumerate() {
        let left = it.done.duration_until(plan.metadata.deadline).as_hours() / 24;
        let gain = calendar.done.map(|done| left - slack(plan, zone, done));
        let right = it.gain_days > 0
            && gain.is_none_or(|gain| gain == i64::from(it.gain_days))
            && it.in_time == (left >= 0)
            && !it.change.is_empty();
        if !right {
            let text = "its gain is not the days from its end to the plan's".to_owned();
            find(format!("/relaxations/{at}"), text);
        }
    }
}
