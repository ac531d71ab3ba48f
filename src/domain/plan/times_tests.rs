//! Times of plans: generated fleets around the days on which clocks are moved, edits that the linter must see, and plans
//! whose times can be reckoned by hand.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::fleet_tests::{candidate, candidates, fleet, make, make_at, settings};
use super::lint::{Hours, structure};
use super::settings::{Freeze, Lanes, SoakRule, Window, WindowRule, ZoneRule};
use super::*;
use crate::domain::fleet::{Selector, time_zone};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// When the waves before it are done and soaked, its date has come, and the plan is made.
fn ready(plan: &Plan, wave: &Wave) -> Option<Timestamp> {
    let mut ready = plan.metadata.made_at;
    for before in plan
        .waves
        .iter()
        .filter(|it| wave.after.contains(&it.number))
    {
        ready = ready.max(before.ends? + SignedDuration::from_secs(i64::from(before.soak)));
    }
    let settings = &plan.metadata.settings;
    if let Some(date) = settings.risk.defer_low_until
        && wave.stage as usize == settings.stages.len() + 2
    {
        let zone = time_zone(&plan.metadata.timezone).unwrap();
        ready = ready.max(date.to_zoned(zone).unwrap().timestamp());
    }
    Some(ready)
}

/// The largest release of a wave on clusters that are open at the same times, in milliseconds.
fn largest(plan: &Plan, wave: &Wave, hours: &Hours) -> i64 {
    let cost = &plan.metadata.settings.cost;
    let long = |it: &PlannedRelease| {
        let cluster = &it.release.cluster;
        let cost = cost.measured.get(cluster).unwrap_or(&cost.millis_per_write);
        let rate = plan.metadata.limits[cluster].writes_per_second;
        i64::from(it.writes) * i64::from(*cost).max(1_000 / i64::from(rate))
    };
    let alike = |it: &&PlannedRelease| Hours::of(plan, &it.release.cluster).as_ref() == Ok(hours);
    wave.releases.iter().filter(alike).map(long).max().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Around every change of the clocks: windows, freezes, order, soak and rates are kept, and no wave lets an opening
    /// pass in which one of its clusters could have begun.
    #[test]
    fn times_are_lawful_and_no_opening_is_missed(
        all in candidates(), settings in settings(),
        now in prop::sample::select(vec![
            "2026-10-03T12:00:00Z", "2026-10-24T20:00:00Z", "2026-10-31T23:30:00Z", "2027-03-13T18:00:00.5Z",
            "2027-03-27T22:00:00Z", "2027-04-03T11:00:00Z",
        ]),
    ) {
        let plan = make_at(now, all, &Dependencies::default(), &fleet(settings));
        prop_assert_eq!(structure(&plan), vec![]);
        for wave in &plan.waves {
            let (Some(ready), Some(starts)) = (ready(&plan, wave), wave.starts) else { continue };
            let clusters: BTreeSet<&ClusterName> = wave.releases.iter().map(|it| &it.release.cluster).collect();
            for cluster in clusters {
                let hours = Hours::of(&plan, cluster).unwrap();
                for (from, to) in hours.within(&plan, ready, starts) {
                    let long = to.duration_since(from).as_millis();
                    prop_assert!(long < i128::from(largest(&plan, wave, &hours)) + 1_000);
                }
            }
        }
    }

    /// Whichever wave is edited, and however: its times do not fit any more.
    #[test]
    fn an_edit_of_a_time_is_seen(
        all in candidates(), settings in settings(), wave in any::<prop::sample::Index>(), edit in 0_usize..9,
    ) {
        let mut plan = make(all, &Dependencies::default(), &fleet(settings));
        prop_assume!(!plan.waves.is_empty());
        let at = wave.index(plan.waves.len());
        let hour = SignedDuration::from_hours(1);
        let wave = &mut plan.waves[at];
        match edit {
            0 => wave.soak += 60,
            1 => wave.starts = wave.starts.map_or(Some(Timestamp::MAX), |it| Some(it - hour)),
            2 => wave.ends = None,
            3 => wave.spans.push(Span { from: Timestamp::MAX - hour, to: Timestamp::MAX }),
            4 => { wave.spans.pop(); }
            5 => wave.approval = !wave.approval,
            6 => plan.calendar.as_mut().unwrap().writing_seconds += 1,
            7 => plan.calendar = None,
            _ => {
                let calendar = plan.calendar.as_mut().unwrap();
                calendar.slack_days = calendar.slack_days.map_or(Some(3), |it| Some(it + 1));
            }
        }
        let never = plan.waves[at].starts.is_none();
        prop_assume!(!(never && matches!(edit, 2 | 4)));
        prop_assert_ne!(structure(&plan), vec![]);
    }
}

fn weekly(days: &str, from: &str, to: &str, zone: ZoneRule) -> Window {
    let rule = WindowRule::Weekly {
        days: days.parse().unwrap(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    };
    Window { rule, zone }
}

fn soak(name: &str, hours: u32) -> SoakRule {
    let selector = match name {
        "all" => Selector::all(),
        "prod" => "env=prod".parse().unwrap(),
        _ => "env!=prod".parse().unwrap(),
    };
    SoakRule {
        name: name.to_owned(),
        selector,
        seconds: hours * 3_600,
    }
}

/// Two stages, not prod and prod: `eu-1` (New York) and `eu-2` (the fleet's Berlin), one release of 5 objects each.
fn two_stages() -> (Vec<Candidate>, PlanSettings) {
    let all = vec![
        candidate((1, 1, 1, 9, 5, 0, 9)),
        candidate((2, 2, 2, 9, 5, 0, 9)),
    ];
    let stage = |name: &str, selector: &str| settings::Stage {
        name: name.to_owned(),
        selector: selector.parse().unwrap(),
        cut: settings::Cut::Whole,
    };
    let mut settings = PlanSettings {
        stages: vec![stage("stage", "env=stage"), stage("prod", "env=prod")],
        soak: vec![soak("prod", 72), soak("nonprod", 48)],
        ..PlanSettings::default()
    };
    settings.windows.insert(
        "night".to_owned(),
        weekly("Tue-Thu", "22:00", "02:00", ZoneRule::Cluster),
    );
    settings.freezes.insert(
        "year-end".to_owned(),
        Freeze {
            from: Date::constant(2026, 11, 26),
            to: Date::constant(2027, 1, 4),
            zone: ZoneRule::Fleet,
            selector: "env=prod".parse().unwrap(),
        },
    );
    (all, settings)
}

fn waits(wave: &Wave) -> Vec<String> {
    let text = |it: &WaitsFor| match it.until {
        Some(until) => format!("{} {} until {until}", it.kind, it.detail),
        None => format!("{} {}", it.kind, it.detail),
    };
    wave.waits_for.iter().map(text).collect()
}

#[test]
fn a_plan_by_hand() {
    let (all, mut settings) = two_stages();
    settings.approvals = vec!["prod".to_owned()];
    let plan = make(all, &Dependencies::default(), &fleet(settings));
    assert_eq!(structure(&plan), []);
    let [stage, prod] = plan.waves.as_slice() else {
        panic!("{:#?}", plan.waves);
    };
    // Made on Monday. Tuesday 22:00 in New York; 8 writes of 250 ms, at most 4 a second.
    assert_eq!(stage.starts, Some(time("2026-11-25T03:00:00Z")));
    assert_eq!(stage.ends, Some(time("2026-11-25T03:00:02Z")));
    assert_eq!(stage.soak, 48 * 3_600);
    assert_eq!(waits(stage), ["window night until 2026-11-25T03:00:00Z"]);
    // Soaked on Friday; frozen to the end of 4 January in Berlin, which is a Monday; Tuesday 22:00 there.
    assert_eq!(prod.starts, Some(time("2027-01-05T21:00:00Z")));
    assert_eq!(
        waits(prod),
        [
            "soak of wave 1 until 2026-11-27T03:00:02Z",
            "approval by somebody else",
            "freeze year-end until 2027-01-04T23:00:00Z",
            "window night until 2027-01-05T21:00:00Z",
        ]
    );
    let calendar = plan.calendar.unwrap();
    assert_eq!(calendar.done, Some(time("2027-01-08T21:00:02Z")));
    assert_eq!(calendar.slack_days, Some(33));
    assert_eq!(calendar.writing_seconds, 4);
    assert_eq!(calendar.late, []);
    // A week less of freeze, and the window is open on Tuesday 29 December.
    let named: Vec<(Vec<String>, String, i32, bool)> = plan
        .relaxations
        .into_iter()
        .map(|it| (it.change, it.done.to_string(), it.gain_days, it.in_time))
        .collect();
    let line =
        |change: &str, done: &str, gain| (vec![change.to_owned()], done.to_owned(), gain, true);
    assert_eq!(
        named,
        [
            line(
                "freezes.year-end.to 2027-01-04 -> 2026-12-28",
                "2027-01-01",
                7
            ),
            line("soak.prod 72h -> 48h", "2027-01-07", 1),
        ]
    );
}

#[test]
fn what_is_late_is_named_and_pairs_are_tried() {
    let (all, settings) = two_stages();
    let mut fleet = fleet(settings);
    fleet.deadline = Date::constant(2026, 12, 31);
    let plan = make(all.clone(), &Dependencies::default(), &fleet);
    let calendar = plan.calendar.as_ref().unwrap();
    assert_eq!(calendar.slack_days, Some(-8));
    let late = Late {
        wave: 2,
        releases: 1,
        clusters: vec!["eu-2".to_owned()],
        done: calendar.done,
    };
    assert_eq!(calendar.late, [late]);
    // Neither alone is enough; both bring prod before the freeze.
    let both = plan.relaxations.first().unwrap();
    assert_eq!(
        both.change,
        [
            "soak.nonprod 48h -> 24h",
            "windows.night.days Tue-Thu -> Mon-Thu"
        ]
    );
    assert_eq!(both.done, Date::constant(2026, 11, 28));
    assert_eq!((both.gain_days, both.in_time), (41, true));
    let alone = plan.relaxations.iter().filter(|it| it.change.len() == 1);
    assert!(alone.clone().count() > 0 && alone.clone().all(|it| !it.in_time));
    assert_eq!(structure(&plan), []);
}

#[test]
fn a_wave_that_never_gets_a_window_says_so_and_so_do_those_after_it() {
    let (all, mut settings) = two_stages();
    // The release of 8 writes takes 80 seconds, the window has 60.
    settings.cost.millis_per_write = 10_000;
    settings.windows.insert(
        "night".to_owned(),
        Window {
            rule: WindowRule::Cron {
                opens: "0 22 * * *".parse().unwrap(),
                for_seconds: 60,
            },
            zone: ZoneRule::Fleet,
        },
    );
    let plan = make(all, &Dependencies::default(), &fleet(settings));
    assert_eq!(structure(&plan), []);
    let calendar = plan.calendar.as_ref().unwrap();
    assert_eq!((calendar.done, calendar.slack_days), (None, None));
    assert_eq!(calendar.late.len(), 2);
    assert!(
        plan.waves
            .iter()
            .all(|wave| wave.starts.is_none() && wave.ends.is_none())
    );
    assert_eq!(
        waits(&plan.waves[0]),
        ["window of eu-1, which is never open as long as its releases need in 1500 days"]
    );
    assert_eq!(waits(&plan.waves[1]), ["wave 1, which is never done"]);
    // Twice as long is long enough.
    let longer = plan.relaxations.first().unwrap();
    assert_eq!(longer.change, ["windows.night.for 1m -> 2m"]);
    assert!(longer.in_time);
}

#[test]
fn long_waves_rest_between_windows() {
    // 40 releases of 8 writes on one cluster: 320 writes of 20 s, 4 at once, 1,600 s; the largest release takes 160 s.
    let all: Vec<Candidate> = (0..40)
        .map(|name| candidate((1, name, 1, 9, 5, 0, 9)))
        .collect();
    let mut settings = PlanSettings::default();
    settings.cost.millis_per_write = 20_000;
    settings.windows.insert(
        "noon".to_owned(),
        weekly("daily", "12:00", "12:15", ZoneRule::Fleet),
    );
    let plan = make(all, &Dependencies::default(), &fleet(settings));
    assert_eq!(structure(&plan), []);
    let spans: Vec<String> = plan.waves[0]
        .spans
        .iter()
        .map(|span| format!("{} {}", span.from, span.to))
        .collect();
    // 900 s a day, 160 of them not begun in: 740, and the rest fits.
    assert_eq!(
        spans,
        [
            "2026-11-23T11:00:00Z 2026-11-23T11:12:20Z",
            "2026-11-24T11:00:00Z 2026-11-24T11:14:20Z",
        ]
    );
    assert_eq!(plan.calendar.unwrap().writing_seconds, 1_600);
}

#[test]
fn the_fleets_pace_is_shared_by_waves_of_other_lanes() {
    // 6 clusters of 10 releases of 8 writes; each could write 4 a second, the fleet 8.
    let all: Vec<Candidate> = (0..60)
        .map(|at| candidate((at % 6, at / 6, 1, 9, 5, 0, 9)))
        .collect();
    for lanes in [Lanes::Fleet, Lanes::By(settings::Key::Cluster)] {
        let mut settings = PlanSettings::default();
        settings.cost.millis_per_write = 10;
        settings.lanes = lanes;
        let mut fleet = fleet(settings);
        fleet.writes_per_second = 8;
        let plan = make(all.clone(), &Dependencies::default(), &fleet);
        assert_eq!(structure(&plan), []);
        // 480 writes at 8 a second, in whole seconds.
        let seconds = plan.calendar.as_ref().unwrap().writing_seconds;
        assert!((60..=61).contains(&seconds), "{seconds}");
        assert!(
            plan.waves
                .iter()
                .all(|it| it.starts == Some(plan.metadata.made_at))
        );
    }
}

#[test]
fn clusters_of_other_zones_have_all_of_the_pace_while_the_others_sleep() {
    // New York and Lord Howe: 10 releases of 8 writes each, at 4 a second, and the fleet at 4.
    let all: Vec<Candidate> = (0..20)
        .map(|at| candidate((1 + at % 2 * 2, at / 2, 1, 9, 5, 0, 9)))
        .collect();
    let seconds = |zone: ZoneRule| {
        let mut settings = PlanSettings::default();
        settings.cost.millis_per_write = 10;
        let night = weekly("daily", "22:00", "23:00", zone);
        settings.windows.insert("night".to_owned(), night);
        let mut fleet = fleet(settings);
        fleet.writes_per_second = 4;
        let plan = make(all.clone(), &Dependencies::default(), &fleet);
        assert_eq!(structure(&plan), []);
        let spans = plan.waves.iter().flat_map(|wave| &wave.spans);
        spans
            .map(|span| span.to.duration_since(span.from).as_secs())
            .collect::<Vec<i64>>()
    };
    // At once they share; each in its own night has 80 writes at 4 a second.
    assert_eq!(seconds(ZoneRule::Fleet), [40]);
    assert_eq!(seconds(ZoneRule::Cluster), [20, 20]);
}

#[test]
fn what_keeps_the_deadline_is_the_least_that_does() {
    let (all, settings) = two_stages();
    let plan_by = |deadline: Date| {
        let mut fleet = fleet(settings.clone());
        fleet.deadline = deadline;
        let plan = make(all.clone(), &Dependencies::default(), &fleet);
        assert_eq!(structure(&plan), []);
        let kept = plan.relaxations.into_iter().filter(|it| it.in_time);
        kept.map(|it| it.change).collect::<Vec<_>>()
    };
    // The stage on Tuesday night in New York, prod on Wednesday night in Berlin, before the freeze of Thursday; done on Thursday.
    // One step of each is not enough, and one setting neither.
    let [changes] = plan_by(Date::constant(2026, 11, 26)).try_into().unwrap();
    assert_eq!(changes, ["soak.prod 72h -> 24h", "soak.nonprod 48h -> 12h"]);
    // Before the first window nothing helps.
    assert_eq!(plan_by(Date::constant(2026, 11, 22)), [[""; 0]; 0]);
}

#[test]
fn releases_of_low_risk_wait_for_their_date() {
    let all = vec![candidate((0, 1, 1, 9, 5, 0, 9))];
    let mut settings = PlanSettings::default();
    settings.risk.low = 100;
    settings.risk.defer_low_until = Some(Date::constant(2027, 1, 5));
    let plan = make(all, &Dependencies::default(), &fleet(settings));
    assert_eq!(structure(&plan), []);
    let wave = &plan.waves[0];
    assert_eq!(wave.name, "deferred");
    assert_eq!(wave.starts, Some(time("2027-01-04T23:00:00Z")));
    assert_eq!(
        waits(wave),
        ["deferral of low risk to 2027-01-05 until 2027-01-04T23:00:00Z"]
    );
    assert_eq!(
        plan.relaxations[0].change,
        ["risk.defer_low_until 2027-01-05 -> 2026-12-29"]
    );
}

#[test]
fn an_unknown_zone_is_refused() {
    let mut fleet = fleet(PlanSettings::default());
    fleet.timezone = "Europe/Berlim".to_owned();
    let request = PlanRequest {
        fleet: &fleet,
        dependencies: &Dependencies::default(),
        now: time("2026-11-23T10:31:00Z"),
        looked_at: None,
        tool: "0.1.0",
        inputs: BTreeMap::new(),
        unread: BTreeMap::new(),
    };
    let made = plan(vec![candidate((0, 1, 1, 9, 5, 0, 9))], &request);
    assert_eq!(
        made,
        Err(PlanError::Zone(NoSuchZone("Europe/Berlim".to_owned())))
    );
}

#[test]
fn a_comparison_tells_of_a_finish_that_moved_but_not_of_the_hour_between_two_plans() {
    let (all, mut settings) = two_stages();
    let at = |now: &str, settings: &PlanSettings| {
        make_at(
            now,
            all.clone(),
            &Dependencies::default(),
            &fleet(settings.clone()),
        )
    };
    let diff = |before: &Plan, after: &Plan| PlanDiff::of(before, after);
    let monday = at("2026-11-23T10:31:00Z", &settings);
    assert!(diff(&monday, &at("2026-11-23T11:31:00.25Z", &settings)).is_empty());
    let late = diff(&monday, &at("2026-11-25T08:00:00Z", &settings));
    let moved: Vec<&str> = late.waves.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(moved, ["stage"], "the freeze holds prod where it was");
    settings.soak[0].seconds += 3_600;
    let longer = diff(&monday, &at("2026-11-23T10:31:00Z", &settings));
    assert!(!longer.is_empty());
    assert_ne!(longer.before.finish, longer.after.finish);
    settings = PlanSettings::default();
    let free = at("2026-11-23T10:31:00Z", &settings);
    assert!(diff(&free, &at("2026-11-24T11:00:00Z", &settings)).is_empty());
}
