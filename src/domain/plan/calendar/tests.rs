//! Windows on real dates, clocks that are moved among them; plans whose times can be reckoned by hand.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};
use proptest::prelude::*;

use super::clock::{Clock, DAY};
use super::open::{OpenTime, Opening};
use crate::domain::fleet::settings::{Freeze, Weekdays, WindowRule, ZoneRule};
use crate::domain::fleet::{Selector, time_zone};

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn weekly(days: &str, from: &str, to: &str) -> WindowRule {
    WindowRule::Weekly {
        days: days.parse().unwrap(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

fn cron(opens: &str, for_seconds: u32) -> WindowRule {
    WindowRule::Cron {
        opens: opens.parse().unwrap(),
        for_seconds,
    }
}

fn clock(zone: &str, from: i64, to: i64) -> Arc<Clock> {
    Arc::new(Clock::of(
        &time_zone(zone).unwrap(),
        from - 10 * DAY,
        to + 10 * DAY,
    ))
}

/// Open stretches from one instant to another.
fn stretches(
    rules: &[WindowRule],
    freezes: &[Freeze],
    zone: &str,
    from: i64,
    to: i64,
) -> Vec<(i64, i64)> {
    let clock = clock(zone, from, to);
    let windows = rules
        .iter()
        .map(|rule| Opening::new("test", rule, clock.clone()));
    let freezes = freezes
        .iter()
        .map(|it| ("test".to_owned(), it.clone(), clock.clone()));
    let windows = (!rules.is_empty()).then(|| windows.collect());
    let mut open = OpenTime::new(windows, freezes.collect(), from, to);
    let mut all = Vec::new();
    let mut next = from;
    while let Some((begins, ends)) = open.next(next, i64::MAX) {
        all.push((begins, ends));
        next = ends;
    }
    all
}

/// The same in words: `2027-03-28T01:00Z 01:00Z`.
fn opens(rules: &[WindowRule], zone: &str, from: &str, to: &str) -> Vec<String> {
    words(&stretches(rules, &[], zone, at(from), at(to)))
}

fn words(all: &[(i64, i64)]) -> Vec<String> {
    let word = |second: i64| {
        let time = Timestamp::from_second(second).unwrap();
        time.strftime("%m-%d %H:%M").to_string()
    };
    all.iter()
        .map(|(from, to)| format!("{} to {}", word(*from), word(*to)))
        .collect()
}

#[test]
fn a_window_over_midnight_ends_on_the_next_day() {
    // 2026-11-27 is a Friday.
    let night = weekly("Fri", "22:00", "02:00");
    assert_eq!(
        opens(
            &[night],
            "UTC",
            "2026-11-23T00:00:00Z",
            "2026-12-07T00:00:00Z"
        ),
        ["11-27 22:00 to 11-28 02:00", "12-04 22:00 to 12-05 02:00"]
    );
    let whole = weekly("Fri", "09:00", "09:00");
    assert_eq!(
        opens(
            &[whole],
            "UTC",
            "2026-11-23T00:00:00Z",
            "2026-11-30T00:00:00Z"
        ),
        ["11-27 09:00 to 11-28 09:00"]
    );
    let all = weekly("daily", "00:00", "00:00");
    assert_eq!(
        opens(
            &[all],
            "Europe/Berlin",
            "2026-10-20T00:00:00Z",
            "2026-10-30T00:00:00Z"
        ),
        ["10-20 00:00 to 10-30 00:00"]
    );
    // What is open already when it is asked for counts, from then on.
    let night = weekly("Sun", "22:00", "02:00");
    assert_eq!(
        opens(
            &[night],
            "UTC",
            "2026-11-23T01:00:00Z",
            "2026-11-24T00:00:00Z"
        ),
        ["11-23 01:00 to 11-23 02:00"]
    );
}

#[test]
fn windows_of_a_cluster_are_one_union() {
    let rules = [
        weekly("Mon", "09:00", "12:00"),
        weekly("Mon", "11:00", "13:00"),
        cron("0 15 * * 1", 3_600),
    ];
    assert_eq!(
        opens(
            &rules,
            "UTC",
            "2026-11-23T00:00:00Z",
            "2026-11-24T00:00:00Z"
        ),
        ["11-23 09:00 to 11-23 13:00", "11-23 15:00 to 11-23 16:00"]
    );
}

#[test]
fn in_berlin_the_hour_that_is_jumped_over_is_no_window() {
    // 2027-03-28 01:00Z: from 02:00 to 03:00.
    let hour = weekly("daily", "02:00", "03:00");
    assert_eq!(
        opens(
            &[hour],
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            "2027-03-30T00:00:00Z"
        ),
        ["03-27 01:00 to 03-27 02:00", "03-29 00:00 to 03-29 01:00"]
    );
    // Half in it: what is left of it.
    let before = weekly("Sun", "01:30", "02:30");
    let after = weekly("Sun", "02:30", "04:00");
    assert_eq!(
        opens(
            &[before],
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            "2027-03-30T00:00:00Z"
        ),
        ["03-28 00:30 to 03-28 01:00"]
    );
    assert_eq!(
        opens(
            &[after],
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            "2027-03-30T00:00:00Z"
        ),
        ["03-28 01:00 to 03-28 02:00"]
    );
}

#[test]
fn in_berlin_the_hour_that_comes_twice_is_open_twice() {
    // 2026-10-25 01:00Z: from 03:00 to 02:00.
    let (from, to) = ("2026-10-24T12:00:00Z", "2026-10-26T00:00:00Z");
    assert_eq!(
        opens(
            &[weekly("Sun", "02:00", "03:00")],
            "Europe/Berlin",
            from,
            to
        ),
        ["10-25 00:00 to 10-25 02:00"]
    );
    assert_eq!(
        opens(
            &[weekly("Sun", "02:30", "03:00")],
            "Europe/Berlin",
            from,
            to
        ),
        ["10-25 00:30 to 10-25 01:00", "10-25 01:30 to 10-25 02:00"]
    );
}

#[test]
fn a_night_with_a_change_is_an_hour_shorter_or_longer() {
    let night = [weekly("Sat", "22:00", "06:00")];
    assert_eq!(
        opens(
            &night,
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            "2027-03-29T00:00:00Z"
        ),
        ["03-27 21:00 to 03-28 04:00"]
    );
    assert_eq!(
        opens(
            &night,
            "Europe/Berlin",
            "2026-10-24T00:00:00Z",
            "2026-10-26T00:00:00Z"
        ),
        ["10-24 20:00 to 10-25 05:00"]
    );
}

#[test]
fn new_york_moves_its_clock_on_other_days() {
    // 2027-03-14 07:00Z: from 02:00 to 03:00. 2026-11-01 06:00Z: from 02:00 to 01:00.
    let zone = "America/New_York";
    assert_eq!(
        opens(
            &[weekly("Sun", "01:30", "02:30")],
            zone,
            "2027-03-14T00:00:00Z",
            "2027-03-15T00:00:00Z"
        ),
        ["03-14 06:30 to 03-14 07:00"]
    );
    assert_eq!(
        opens(
            &[weekly("Sun", "00:00", "01:30")],
            zone,
            "2026-11-01T00:00:00Z",
            "2026-11-02T00:00:00Z"
        ),
        ["11-01 04:00 to 11-01 05:30", "11-01 06:00 to 11-01 06:30"]
    );
    assert_eq!(
        opens(
            &[weekly("Tue-Thu", "22:00", "02:00")],
            zone,
            "2026-11-24T00:00:00Z",
            "2026-11-26T00:00:00Z"
        ),
        ["11-25 03:00 to 11-25 07:00"]
    );
}

#[test]
fn lord_howe_moves_its_clock_by_half_an_hour() {
    // 2026-10-03 15:30Z: from 02:00 to 02:30 on the 4th. 2027-04-03 15:00Z: from 02:00 to 01:30 on the 4th.
    let zone = "Australia/Lord_Howe";
    let spring = ("2026-10-03T00:00:00Z", "2026-10-04T00:00:00Z");
    assert!(opens(&[weekly("Sun", "02:00", "02:30")], zone, spring.0, spring.1).is_empty());
    assert_eq!(
        opens(&[weekly("Sun", "02:15", "03:00")], zone, spring.0, spring.1),
        ["10-03 15:30 to 10-03 16:00"]
    );
    assert_eq!(
        opens(
            &[weekly("Sun", "01:30", "02:00")],
            zone,
            "2027-04-03T00:00:00Z",
            "2027-04-04T00:00:00Z"
        ),
        ["04-03 14:30 to 04-03 15:30"]
    );
}

#[test]
fn zones_off_the_hour_are_off_the_hour() {
    let office = [weekly("Mon", "09:00", "17:00")];
    let (from, to) = ("2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
    assert_eq!(
        opens(&office, "Asia/Kolkata", from, to),
        ["11-23 03:30 to 11-23 11:30"]
    );
    assert_eq!(
        opens(&office, "Asia/Kathmandu", from, to),
        ["11-23 03:15 to 11-23 11:15"]
    );
}

#[test]
fn cron_opens_when_the_clock_jumps_over_its_minute_and_once_if_it_comes_twice() {
    let half_past_two = [cron("30 2 * * sun", 3_600)];
    assert_eq!(
        opens(
            &half_past_two,
            "Europe/Berlin",
            "2027-03-27T00:00:00Z",
            "2027-03-29T00:00:00Z"
        ),
        ["03-28 01:00 to 03-28 02:00"]
    );
    assert_eq!(
        opens(
            &half_past_two,
            "Europe/Berlin",
            "2026-10-24T00:00:00Z",
            "2026-10-26T00:00:00Z"
        ),
        ["10-25 00:30 to 10-25 01:30"]
    );
    // Open for days: it opened before anybody asked.
    assert_eq!(
        opens(
            &[cron("0 12 1 * *", 5 * 86_400)],
            "UTC",
            "2026-12-03T00:00:00Z",
            "2027-01-01T00:00:00Z"
        ),
        ["12-03 00:00 to 12-06 12:00"]
    );
    // Once in four years.
    assert_eq!(
        opens(
            &[cron("0 0 29 2 *", 3_600)],
            "UTC",
            "2026-11-23T00:00:00Z",
            "2030-12-31T00:00:00Z"
        ),
        ["02-29 00:00 to 02-29 01:00"]
    );
}

#[test]
fn a_freeze_is_whole_days_of_its_zone() {
    let freeze = |from: &str, to: &str| Freeze {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        zone: ZoneRule::Fleet,
        selector: Selector::all(),
    };
    let left = |freezes: &[Freeze], from: &str, to: &str| {
        words(&stretches(&[], freezes, "Europe/Berlin", at(from), at(to)))
    };
    assert_eq!(
        left(
            &[freeze("2026-12-17", "2027-01-04")],
            "2026-12-01T00:00:00Z",
            "2027-02-01T00:00:00Z"
        ),
        ["12-01 00:00 to 12-16 23:00", "01-04 23:00 to 02-01 00:00"]
    );
    // A day of 23 hours.
    assert_eq!(
        left(
            &[freeze("2027-03-28", "2027-03-28")],
            "2027-03-27T00:00:00Z",
            "2027-03-30T00:00:00Z"
        ),
        ["03-27 00:00 to 03-27 23:00", "03-28 22:00 to 03-30 00:00"]
    );
    let night = weekly("daily", "22:00", "02:00");
    assert_eq!(
        words(&stretches(
            &[night],
            &[freeze("2026-12-17", "2026-12-17")],
            "Europe/Berlin",
            at("2026-12-16T12:00:00Z"),
            at("2026-12-18T12:00:00Z")
        )),
        ["12-16 21:00 to 12-16 23:00", "12-17 23:00 to 12-18 01:00"]
    );
}

/// Zones that move their clock by an hour or by half of it, at night or at midnight, in spring or in autumn, or never.
const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kathmandu",
    "America/Santiago",
    "Pacific/Apia",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A window is open exactly while its zone's clock shows a time in it: minute by minute, through every change of a year.
    #[test]
    fn a_window_is_open_while_the_clock_shows_it(
        zone in prop::sample::select(ZONES.to_vec()),
        bits in 1_u8..128, from in 0_i8..96, to in 0_i8..96, change in 0_usize..3, shift in -40_i64..40,
    ) {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let days: Vec<&str> = (0..7).filter(|at| bits >> at & 1 == 1).map(|at| names[at]).collect();
        let days: Weekdays = days.join(",").parse().unwrap();
        let time = |quarter: i8| Time::constant(quarter / 4, quarter % 4 * 15, 0, 0);
        let (opens, shuts) = (time(from), time(to));
        let rule = WindowRule::Weekly { days: days.clone(), from: opens, to: shuts };
        let tz = time_zone(zone).unwrap();
        let begin: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let moved = tz.following(begin).nth(change).map_or(begin, |it| it.timestamp());
        let first = moved.as_second() + shift * 3_600;
        let last = first + 3 * DAY;
        let open = stretches(&[rule], &[], zone, first, last);
        let contains = |day: Weekday| days.contains(day);
        for instant in (first..last).step_by(300) {
            let local = tz.to_datetime(Timestamp::from_second(instant).unwrap());
            let (now, today) = (local.time(), local.weekday());
            let wanted = if opens < shuts {
                contains(today) && opens <= now && now < shuts
            } else {
                contains(today) && opens <= now || contains(today.previous()) && now < shuts
            };
            let found = open.iter().any(|(from, to)| (*from..*to).contains(&instant));
            prop_assert_eq!((zone, local, found), (zone, local, wanted));
        }
    }
}
