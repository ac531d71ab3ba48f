//! Differences of small plans, and laws of the comparison.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A plan of these waves (name and releases), held and done releases.
fn plan(waves: &[(&str, &[u8])], held: &[u8], done: &[u8]) -> Plan {
    let id = |name: &u8| format!("eu-1/shop/app-{name}");
    let wave = |(at, (name, releases)): (usize, &(&str, &[u8]))| {
        let releases: Vec<_> = releases
            .iter()
            .map(|name| {
                json!({
                    "release": id(name), "chart": {"name": "web", "version": "1"}, "driver": "secret",
                    "revision": 3, "recordUid": "u", "objects": 2, "writes": 5, "reason": "a test",
                })
            })
            .collect();
        json!({"number": at + 1, "name": name, "releases": releases})
    };
    let migrate: usize = waves.iter().map(|(_, releases)| releases.len()).sum();
    let waves: Vec<_> = waves.iter().enumerate().map(wave).collect();
    let held: Vec<_> = held
        .iter()
        .map(|name| json!({"release": id(name), "outcome": "Blocked", "reasons": [{"cause": "why", "detail": "d"}]}))
        .collect();
    let tree = json!({
        "metadata": {
            "fleet": "acme", "digest": "", "tool": "0.1.0",
            "madeAt": "2026-11-23T10:31:00Z", "startBefore": "2026-11-30T10:31:00Z", "inputs": {},
            "managers": {"canonical": "helm", "aliases": []}, "limits": {}, "writesPerSecond": 20,
            "deadline": "2027-02-10", "timezone": "UTC", "settings": {},
        },
        "waves": waves, "held": held, "done": done.iter().map(id).collect::<Vec<_>>(), "unread": {},
        "summary": {
            "migrate": migrate, "needsChoice": 0, "blocked": held.len(), "done": done.len(),
            "objects": 0, "writes": 0, "valueChanges": 0,
        },
        "seals": {"metadata": "", "waves": [], "held": "", "done": "", "unread": "", "summary": ""},
    });
    serde_json::from_value(tree).unwrap()
}

fn words(before: &Plan, after: &Plan) -> Vec<String> {
    PlanDiff::of(before, after)
        .releases
        .iter()
        .map(|it| format!("{} {:?}", it.release.name, it.change))
        .collect()
}

#[test]
fn each_change_has_its_word() {
    let before = plan(&[("canary", &[1]), ("prod", &[2, 3, 4, 5])], &[6, 7], &[8]);
    let mut after = plan(&[("canary", &[1, 2]), ("prod", &[3, 6, 9, 8])], &[4], &[7]);
    after.waves[1].releases[0].revision = crate::domain::ids::Revision(4);
    assert_eq!(
        words(&before, &after),
        [
            "app-2 Moved",
            "app-3 Changed",
            "app-4 Held",
            "app-5 Gone",
            "app-6 Freed",
            "app-7 Done",
            "app-8 SlidBack",
            "app-9 New",
        ]
    );
    let diff = PlanDiff::of(&before, &after);
    assert_eq!(diff.releases[1].facts, ["revision 3 -> 4"]);
    let [canary, prod] = &diff.waves[..] else {
        panic!("{:?}", diff.waves);
    };
    assert_eq!((canary.came, canary.left), (1, 0));
    assert_eq!((prod.came, prod.left), (3, 3));
}

#[test]
fn a_wave_put_in_between_moves_nobody() {
    let before = plan(&[("canary", &[1]), ("prod", &[2])], &[], &[]);
    let after = plan(
        &[("canary", &[1]), ("pilot", &[3]), ("prod", &[2])],
        &[],
        &[],
    );
    assert_eq!(words(&before, &after), ["app-3 New"]);
    let names: Vec<String> = PlanDiff::of(&before, &after)
        .waves
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(names, ["pilot", "prod"], "prod has another number");
}

#[test]
fn a_new_setting_is_found_without_a_word_here() {
    let before = plan(&[("canary", &[1])], &[], &[]);
    let mut after = before.clone();
    after.metadata.writes_per_second = 40;
    after.metadata.settings.seed = 7;
    after.metadata.tool = "9".into();
    let found: Vec<(String, Option<Value>, Option<Value>)> = PlanDiff::of(&before, &after)
        .settings
        .into_iter()
        .map(|it| (it.setting, it.before, it.after))
        .collect();
    assert_eq!(
        found,
        [
            ("settings.seed".to_owned(), Some(json!(0)), Some(json!(7))),
            (
                "writesPerSecond".to_owned(),
                Some(json!(20)),
                Some(json!(40))
            ),
        ]
    );
}

fn plans() -> impl Strategy<Value = Plan> {
    // For each of twelve releases: in one of three waves, held, done, or not there.
    prop::collection::vec(0_u8..6, 12).prop_map(|places| {
        let at = |place: u8| -> Vec<u8> {
            let all = (0_u8..).zip(&places);
            all.filter(|(_, it)| **it == place)
                .map(|(name, _)| name)
                .collect()
        };
        let (a, b, c) = (at(0), at(1), at(2));
        plan(
            &[("canary", &a), ("non-prod", &b), ("prod", &c)],
            &at(3),
            &at(4),
        )
    })
}

proptest! {
    #[test]
    fn a_plan_does_not_differ_from_itself(plan in plans()) {
        let diff = PlanDiff::of(&plan, &plan);
        prop_assert!(diff.is_empty(), "{diff:?}");
    }

    /// What came and what left adds up, and the way back undoes it.
    #[test]
    fn both_ways_tell_the_same(a in plans(), b in plans()) {
        let (there, back) = (PlanDiff::of(&a, &b), PlanDiff::of(&b, &a));
        prop_assert_eq!(there.is_empty(), back.is_empty());
        prop_assert_eq!(there.releases.len(), back.releases.len());
        prop_assert_eq!(there.count(Change::Moved), back.count(Change::Moved));
        prop_assert_eq!(there.count(Change::New), back.count(Change::Gone));
        prop_assert_eq!(there.count(Change::Held), back.count(Change::Freed));
        for wave in &there.waves {
            let size = |facts: &Option<WaveFacts>| facts.as_ref().map_or(0, |it| it.releases);
            prop_assert_eq!(size(&wave.before) + wave.came - wave.left, size(&wave.after));
        }
        let moved = there.releases.iter().filter(|it| it.change != Change::Changed);
        for it in moved {
            prop_assert_ne!(&it.before, &it.after);
        }
    }
}

#[test]
fn the_calendar_is_compared() {
    let dated = |done: &str, slack: i32, gain: i32| {
        let mut plan = plan(&[("canary", &[1])], &[], &[]);
        let calendar = json!({
            "done": done, "slackDays": slack, "writingSeconds": 60,
            "late": [{"wave": 1, "releases": 1, "clusters": ["eu-1"]}],
        });
        plan.calendar = serde_json::from_value(calendar).unwrap();
        let sooner = json!([{"change": ["soak.prod 72h -> 48h"], "done": "2027-01-07", "gainDays": gain, "inTime": true}]);
        plan.relaxations = serde_json::from_value(sooner).unwrap();
        plan
    };
    let (was, is) = (
        dated("2027-01-15T00:00:00Z", 26, 8),
        dated("2027-01-14T00:00:00Z", 27, 7),
    );
    let diff = PlanDiff::of(&was, &is);
    assert_eq!(
        (diff.before.slack_days, diff.after.slack_days),
        (Some(26), Some(27))
    );
    assert_eq!((diff.before.late, diff.after.late), (1, 1));
    let [change] = &diff.relaxations[..] else {
        panic!("{:?}", diff.relaxations);
    };
    let gain = |it: &Option<Relaxation>| it.as_ref().map(|it| it.gain_days);
    assert_eq!(
        (gain(&change.before), gain(&change.after)),
        (Some(8), Some(7))
    );
    assert!(PlanDiff::of(&was, &was).is_empty());
    let gone = PlanDiff::of(&was, &plan(&[("canary", &[1])], &[], &[]));
    assert_eq!(gain(&gone.relaxations[0].after), None);
    assert_eq!((gone.before.late, gone.after.late), (1, 0));
}
