//! Plans of generated fleets, held against the linter; edits of their files, held against the digest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::digest::{Sums, write_value};
use super::*;
use crate::domain::fleet::{Fleet, FleetCluster, PlanSettings, WaveSize, WaveSizes, release_order};
use crate::domain::ids::{Namespace, ReleaseName};
use crate::domain::object::ObjectRef;
use crate::domain::shadow::{Conflict, ObjectForecast, ObjectOutcome};

const TOOL: &str = "0.1.0";

/// An edit, and a word of what the linter says of it.
type Edit = (fn(&mut Plan), &'static str);

fn now() -> Timestamp {
    "2026-11-23T10:31:00Z".parse().unwrap()
}

fn fleet(clusters: u8, sizes: Vec<WaveSize>) -> Fleet {
    let pace = Limits {
        writes_per_second: 4,
        in_flight: 4,
    };
    let cluster = |number: u8| FleetCluster {
        name: cluster_name(number),
        context: format!("acme-{number}"),
        kubeconfig: None,
        labels: if number % 3 == 2 {
            [("env".to_owned(), "prod".to_owned())].into()
        } else {
            BTreeMap::new()
        },
        limits: pace,
        timezone: None,
        windows: Vec::new(),
    };
    Fleet {
        name: "acme".to_owned(),
        deadline: Date::constant(2027, 2, 10),
        timezone: "UTC".to_owned(),
        managers: Managers {
            canonical: "helm".to_owned(),
            aliases: vec!["Go-http-client".to_owned()],
        },
        state: ".refit/state.db".into(),
        clusters: (0..clusters).map(cluster).collect(),
        writes_per_second: 20,
        planning: PlanSettings::of_sizes(WaveSizes(sizes)),
        undo_dwell_seconds: 30,
        expect: BTreeSet::new(),
        start_within_seconds: 604_800,
        seal_key_file: None,
        depends: Vec::new(),
        cut_inferred: false,
        policies: vec![],
    }
}

fn cluster_name(number: u8) -> ClusterName {
    ClusterName::new(format!("eu-{number}"))
}

fn usual() -> Vec<WaveSize> {
    vec![
        WaveSize::Count(1),
        WaveSize::Count(5),
        WaveSize::Percent(20),
    ]
}

/// cluster, release, chart, outcome, objects, missing objects, notes
type Seed = (u8, u8, u8, u8, u8, u8, u8);

fn candidate(seed: Seed) -> Candidate {
    let (cluster, name, chart, outcome, objects, missing, notes) = seed;
    let outcome = match outcome {
        0 => ReleaseOutcome::Blocked,
        1 => ReleaseOutcome::NeedsChoice,
        2 => ReleaseOutcome::Done,
        _ => ReleaseOutcome::Ready,
    };
    let reason = |detail: &str| Reason {
        cause: "active-conflict".to_owned(),
        object: None,
        detail: detail.to_owned(),
    };
    let object = |number: u8| ObjectForecast {
        object: ObjectRef {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: Some(Namespace::new("shop")),
            name: format!("c{number}"),
        },
        outcome: if number < missing {
            ObjectOutcome::Missing
        } else {
            ObjectOutcome::OwnershipOnly
        },
        active: vec![],
        latent: (0..notes % 3)
            .map(|field| Conflict {
                field: format!(".data.k{field}"),
                owner: "kubectl-label".to_owned(),
                since: None,
                theirs: None,
                ours: None,
            })
            .collect(),
        drops: vec![],
        drift: vec![],
        values: BTreeMap::new(),
    };
    Candidate {
        forecast: Forecast {
            release: ReleaseId {
                cluster: cluster_name(cluster),
                namespace: Namespace::new("shop"),
                name: ReleaseName::new(format!("r{name}")),
            },
            outcome,
            reasons: if outcome == ReleaseOutcome::NeedsChoice {
                vec![reason("image set by hand")]
            } else {
                vec![]
            },
            notes: (0..notes / 3).map(|_| reason("left-over hook")).collect(),
            objects: (0..objects).map(object).collect(),
        },
        decisions: vec![],
        chart: ChartRef {
            name: format!("chart{chart}"),
            version: "1.0.0".to_owned(),
        },
        driver: Driver::Secret,
        revision: Revision(u32::from(name) + 1),
        record_uid: Uid::new(format!("uid-{cluster}-{name}")),
        facts: Facts::default(),
    }
}

fn make(candidates: Vec<Candidate>, fleet: &Fleet) -> Plan {
    try_make(candidates, fleet).unwrap()
}

fn try_make(candidates: Vec<Candidate>, fleet: &Fleet) -> Result<Plan, PlanError> {
    make_of(candidates, fleet, None)
}

fn make_of(
    candidates: Vec<Candidate>,
    fleet: &Fleet,
    looked_at: Option<Timestamp>,
) -> Result<Plan, PlanError> {
    let request = PlanRequest {
        fleet,
        dependencies: &Dependencies::default(),
        now: now(),
        looked_at,
        tool: TOOL,
        inputs: [("inventory".to_owned(), digest_of(b"x"))].into(),
        unread: [(ClusterName::new("edge-1"), "token expired".to_owned())].into(),
    };
    plan(candidates, &request)
}

fn ready(cluster: u8, name: u8, chart: u8, objects: u8) -> Candidate {
    candidate((cluster, name, chart, 9, objects, 0, 0))
}

/// 3 clusters, 4 charts of different sizes on each; one cluster is prod.
fn grid() -> Vec<Candidate> {
    let cells = (0..3).flat_map(|cluster| (0..4).map(move |chart| (cluster, chart)));
    cells
        .map(|(cluster, chart)| ready(cluster, chart, chart, 2 + chart))
        .collect()
}

fn names(wave: &Wave) -> Vec<String> {
    wave.releases
        .iter()
        .map(|it| it.release.to_string())
        .collect()
}

#[test]
fn a_plan_ages_from_the_look_at_the_clusters() {
    let fleet = fleet(3, usual());
    let live = make(grid(), &fleet);
    let day = SignedDuration::from_hours(24);
    let looked_at = now() - day;
    let saved = make_of(grid(), &fleet, Some(looked_at)).unwrap();
    let (live, saved) = (live.metadata, saved.metadata);
    assert_eq!(saved.start_before, live.start_before - day);
    assert_eq!(saved.made_at, live.made_at);
    assert_eq!((live.looked_at, saved.looked_at), (None, Some(looked_at)));
    assert_ne!(live.digest, saved.digest);
}

#[test]
fn the_canary_is_the_lowest_risk_and_the_next_show_the_most() {
    let mut all = grid();
    all.push(candidate((0, 9, 9, 9, 1, 0, 3)));
    let plan = make(all.clone(), &fleet(3, usual()));
    assert_eq!(lint(&plan, &all, &Dependencies::default()), []);
    let sizes: Vec<usize> = plan.waves.iter().map(|it| it.releases.len()).collect();
    assert_eq!(sizes, [1, 5, 3, 3, 1]);
    assert_eq!(names(&plan.waves[0]), ["eu-0/shop/r0"]);
    assert_eq!(
        plan.waves[0].releases[0].reason,
        "canary, the lowest risk: first of 5 on eu-0, first of 3 of chart chart0; 2 objects, no notes"
    );
    // Other clusters and charts first; prod (eu-2) when the others have nothing left; notes late.
    assert_eq!(
        names(&plan.waves[1]),
        [
            "eu-1/shop/r1",
            "eu-1/shop/r2",
            "eu-0/shop/r3",
            "eu-1/shop/r0",
            "eu-0/shop/r9",
        ]
    );
    let last: Vec<String> = plan.waves.iter().rev().flat_map(names).take(4).collect();
    assert!(
        last.iter().all(|name| name.starts_with("eu-2/")),
        "{last:?}"
    );
    assert_eq!(
        plan.metadata.start_before,
        now() + SignedDuration::from_hours(168)
    );
    assert_eq!(plan.waves[0].name, "canary");
    assert_eq!(plan.waves[1].name, "wave-2");
}

#[test]
fn what_is_held_keeps_its_reasons_and_the_rest_is_counted() {
    let all = vec![
        candidate((0, 0, 0, 0, 3, 0, 0)),
        candidate((0, 1, 0, 1, 3, 0, 0)),
        candidate((0, 2, 0, 2, 3, 0, 0)),
        candidate((0, 3, 0, 9, 5, 2, 1)),
    ];
    let plan = make(all.clone(), &fleet(1, usual()));
    assert_eq!(lint(&plan, &all, &Dependencies::default()), []);
    assert_eq!(
        plan.summary,
        PlanSummary {
            migrate: 1,
            needs_choice: 1,
            blocked: 1,
            waiting: 0,
            done: 1,
            objects: 3,
            writes: 6,
            value_changes: 0
        }
    );
    assert_eq!(plan.held[0].outcome, ReleaseOutcome::Blocked);
    assert!(!plan.held[0].reasons.is_empty());
    assert_eq!(plan.held[1].reasons[0].detail, "image set by hand");
    let causes: Vec<&str> = plan.waves[0].releases[0]
        .notes
        .iter()
        .map(|note| note.cause.as_str())
        .collect();
    assert_eq!(causes.iter().filter(|c| **c == "missing").count(), 2);
    assert_eq!(
        causes.iter().filter(|c| **c == "latent-conflict").count(),
        5
    );
    assert!(plan.unread.contains_key(&ClusterName::new("edge-1")));
}

#[test]
fn an_empty_fleet_makes_an_empty_plan() {
    let plan = make(vec![], &fleet(1, usual()));
    assert_eq!(
        (plan.waves.len(), plan.summary),
        (0, PlanSummary::default())
    );
    assert!(plan.check(None, TOOL, Some(now())).is_ok());
}

#[test]
fn impossible_requests_are_refused() {
    let twice = vec![ready(0, 0, 0, 1), ready(0, 0, 1, 1)];
    assert!(matches!(
        try_make(twice, &fleet(1, usual())),
        Err(PlanError::Twice(_))
    ));
    assert!(matches!(
        try_make(vec![ready(5, 0, 0, 1)], &fleet(1, usual())),
        Err(PlanError::ForeignCluster(_))
    ));
    for sizes in [vec![], vec![WaveSize::Count(0)], vec![WaveSize::Percent(0)]] {
        assert_eq!(
            try_make(vec![ready(0, 0, 0, 1)], &fleet(1, sizes)),
            Err(PlanError::Sizes)
        );
    }
}

#[test]
fn a_plan_starts_in_time_by_its_maker_only() {
    let plan = make(grid(), &fleet(3, usual()));
    let digest = plan.metadata.digest.clone();
    let last = plan.metadata.start_before - SignedDuration::from_nanos(1);
    let checked = plan.clone().check(Some(&digest), TOOL, Some(last)).unwrap();
    assert_eq!((checked.digest(), checked.plan()), (&digest, &plan));
    assert_eq!(
        plan.clone()
            .check(None, TOOL, Some(plan.metadata.start_before)),
        Err(PlanRefused::Expired {
            start_before: plan.metadata.start_before
        })
    );
    assert!(plan.clone().check(None, TOOL, None).is_ok());
    assert!(matches!(
        plan.clone().check(None, "0.2.0", Some(now())),
        Err(PlanRefused::ForeignTool { .. })
    ));
    assert!(matches!(
        plan.check(Some(&digest_of(b"other")), TOOL, Some(now())),
        Err(PlanRefused::OtherPlan { .. })
    ));
}

#[test]
fn an_edit_is_found_and_named() {
    let mut all = grid();
    all.push(candidate((0, 20, 0, 1, 3, 0, 0)));
    all.push(candidate((0, 21, 0, 2, 3, 0, 0)));
    let plan = make(all, &fleet(3, usual()));
    let edit = |edit: fn(&mut Plan)| {
        let mut edited = plan.clone();
        edit(&mut edited);
        match edited.check(None, TOOL, Some(now())) {
            Err(PlanRefused::Edited {
                place,
                stated,
                content,
            }) => {
                assert!(stated != content || place == "/seals");
                place
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        edit(|p| p.waves[1].releases[2].revision = Revision(99)),
        "/waves/1/releases/2"
    );
    assert_eq!(edit(|p| p.waves[1].name = "x".into()), "/waves/1");
    assert_eq!(edit(|p| drop(p.waves.pop())), "/waves/3");
    assert_eq!(
        edit(|p| drop(p.waves[1].releases.remove(1))),
        "/waves/1/releases/1"
    );
    assert_eq!(
        edit(|p| p.waves[1].releases.swap(3, 4)),
        "/waves/1/releases/3"
    );
    assert_eq!(edit(|p| p.held.clear()), "/held/0");
    assert_eq!(edit(|p| p.done.clear()), "/done/0");
    assert_eq!(edit(|p| p.unread.clear()), "/unread");
    assert_eq!(edit(|p| p.summary.writes = 0), "/summary");
    assert_eq!(edit(|p| p.metadata.writes_per_second = 999), "/metadata");
    assert_eq!(
        edit(|p| p.metadata.digest = Digest::new("00")),
        "/metadata/digest"
    );
    assert_eq!(edit(|p| p.seals.waves[0].push('é')), "/seals");
}

#[test]
fn a_forged_digest_does_not_help_a_plan_that_breaks_rules() {
    let mut plan = make(grid(), &fleet(3, usual()));
    let release = plan.waves[0].releases[0].clone();
    plan.waves[1].releases[0] = release;
    let sums = Sums::of(&plan).unwrap();
    plan.seals = sums.seals;
    plan.metadata.digest = sums.digest;
    assert!(matches!(
        plan.check(None, TOOL, Some(now())),
        Err(PlanRefused::Broken { .. })
    ));
}

#[test]
fn the_linter_sees_what_a_planner_may_get_wrong() {
    let mut all = grid();
    all.push(candidate((0, 20, 0, 1, 3, 0, 0)));
    all.push(candidate((0, 21, 0, 2, 3, 0, 0)));
    let good = make(all.clone(), &fleet(3, usual()));
    assert_eq!(lint(&good, &all, &Dependencies::default()), []);
    let edits: [Edit; 16] = [
        (|p| drop(p.waves[1].releases.pop()), "was forgotten"),
        (|p| drop(p.held.pop()), "was forgotten"),
        (|p| drop(p.done.pop()), "was forgotten"),
        (
            |p| {
                let again = p.waves[0].releases[0].clone();
                p.waves[1].releases.push(again);
            },
            "is in the plan twice",
        ),
        (
            |p| p.waves[0].releases[0].release = p.held[0].release.clone(),
            "not Ready",
        ),
        (|p| p.waves[0].releases[0].objects += 1, "writes are not"),
        (
            |p| p.waves[0].releases[0].record_uid = Uid::new("x"),
            "chart or record",
        ),
        (|p| p.waves[0].releases[0].reason.clear(), "no reason"),
        (|p| p.held[0].reasons.clear(), "no reason"),
        (
            |p| p.held[0].outcome = ReleaseOutcome::Ready,
            "without need",
        ),
        (|p| p.summary.writes += 1, "it says"),
        (|p| p.summary.value_changes = 1, "it says"),
        (|p| p.waves.swap(0, 1), "do not count up"),
        (|p| p.metadata.start_before = p.metadata.made_at, "expired"),
        (|p| drop(p.untested.pop()), "not the first to show so many"),
        (
            |p| p.untested[0].first = p.waves[0].releases[0].release.clone(),
            "is not in wave",
        ),
    ];
    for (edit, text) in edits {
        let mut plan = good.clone();
        edit(&mut plan);
        let found: Vec<String> = lint(&plan, &all, &Dependencies::default())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            found.iter().any(|it| it.contains(text)),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn another_document_is_named() {
    let kind = |text: &str| Plan::parse(text).unwrap_err();
    assert_eq!(
        kind(r#"{"apiVersion":"refit.dev/v1","kind":"ReleaseList","items":[]}"#).to_string(),
        "this is a ReleaseList; a Plan is needed"
    );
    assert_eq!(
        kind("[]").to_string(),
        "this is no document of refit; a Plan is needed"
    );
    assert!(matches!(
        kind(r#"{"kind":"Plan","apiVersion":"refit.dev/v9"}"#),
        PlanUnreadable::WrongVersion { .. }
    ));
    assert!(matches!(kind("{"), PlanUnreadable::NotJson { line: 1, .. }));
    let text = r#"{"kind":"Plan","apiVersion":"refit.dev/v1","metadata":{"tool":"9.9"}}"#;
    let PlanUnreadable::Shape { tool, .. } = kind(text) else {
        panic!("{:?}", kind(text));
    };
    assert_eq!(tool.as_deref(), Some("9.9"));
    assert!(Plan::parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn what_types_do_not_hold_is_an_edit_too() {
    let plan = make(grid(), &fleet(3, usual()));
    let mut tree: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
    tree["waves"][1]["releases"][2]["force"] = json!(true);
    assert_eq!(
        Plan::parse(&tree.to_string()),
        Err(PlanUnreadable::Foreign {
            place: "/waves/1/releases/2/force".to_owned(),
            tool: TOOL.to_owned()
        })
    );
}

/// The digest as somebody else would compute it from the file.
fn digest_from_file(text: &str) -> Digest {
    let mut tree: Value = serde_json::from_str(text).unwrap();
    let map = tree.as_object_mut().unwrap();
    map.remove("apiVersion");
    map.remove("kind");
    map.remove("seals");
    tree["metadata"]["digest"] = json!("");
    let mut bytes = Vec::new();
    write_value(&mut bytes, &tree).unwrap();
    digest_of(&bytes)
}

#[test]
fn canonical_json_sorts_keys() {
    let mut bytes = Vec::new();
    write_value(
        &mut bytes,
        &json!({"b": [1, {"z": null, "a": "é\n"}], "a": true}),
    )
    .unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"{"a":true,"b":[1,{"a":"é\n","z":null}]}"#
    );
}

fn seeds() -> impl Strategy<Value = Vec<Candidate>> {
    let seed = (
        0_u8..6,
        0_u8..12,
        0_u8..5,
        0_u8..8,
        0_u8..9,
        0_u8..3,
        0_u8..6,
    );
    prop::collection::vec(seed, 0..60).prop_map(|seeds| {
        let mut all: Vec<Candidate> = seeds.into_iter().map(candidate).collect();
        all.sort_by(|a, b| release_order(&a.forecast.release, &b.forecast.release));
        all.dedup_by(|a, b| a.forecast.release == b.forecast.release);
        all
    })
}

fn sizes() -> impl Strategy<Value = Vec<WaveSize>> {
    let size = prop_oneof![
        (1_u32..9).prop_map(WaveSize::Count),
        (1_u8..=100).prop_map(WaveSize::Percent),
    ];
    prop::collection::vec(size, 1..4)
}

proptest! {
    #[test]
    fn the_linter_finds_nothing(all in seeds(), sizes in sizes()) {
        let plan = make(all.clone(), &fleet(6, sizes));
        prop_assert_eq!(lint(&plan, &all, &Dependencies::default()), vec![]);
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(all in seeds(), sizes in sizes(), turn in 0_usize..60) {
        let fleet = fleet(6, sizes);
        let one = make(all.clone(), &fleet).to_json().unwrap();
        let mut other = all;
        other.reverse();
        let turn = turn % other.len().max(1);
        other.rotate_left(turn);
        prop_assert_eq!(one, make(other, &fleet).to_json().unwrap());
    }

    /// One more release, whatever it is, leaves a lawful plan; one that is held moves nobody.
    #[test]
    fn an_unrelated_release_breaks_nothing(all in seeds(), more in 0_u8..4) {
        let fleet = fleet(7, usual());
        let before = make(all.clone(), &fleet);
        let mut after = all;
        after.push(candidate((6, 0, 3, more, 2, 0, 0)));
        let plan = make(after.clone(), &fleet);
        prop_assert_eq!(lint(&plan, &after, &Dependencies::default()), vec![]);
        if more < 3 {
            prop_assert_eq!(before.waves, plan.waves);
        }
    }

    /// In every stretch of a plan each cluster that still has releases gets its turn before another gets two more.
    #[test]
    fn clusters_take_turns_and_the_canary_has_the_lowest_risk(all in seeds()) {
        let plan = make(all, &fleet(6, usual()));
        let sequence: Vec<&PlannedRelease> = plan.waves.iter().flat_map(|it| &it.releases).collect();
        let prod = |release: &PlannedRelease| {
            matches!(release.release.cluster.as_str(), "eu-2" | "eu-5")
        };
        if let Some(canary) = sequence.first() {
            for other in &sequence {
                prop_assert!(
                    (prod(canary), !canary.notes.is_empty(), canary.risk.score, canary.objects)
                        <= (prod(other), !other.notes.is_empty(), other.risk.score, other.objects)
                );
            }
        }
        prop_assert!(sequence.is_sorted_by_key(|release| prod(release)));
        let mut counts: BTreeMap<&ClusterName, usize> = BTreeMap::new();
        for (at, release) in sequence.iter().enumerate() {
            let turn = counts.entry(&release.release.cluster).or_default();
            *turn += 1;
            let turn = *turn;
            for later in &sequence[at + 1..] {
                if prod(later) == prod(release) {
                    let had = counts.get(&later.release.cluster).copied().unwrap_or(0);
                    prop_assert!(had + 1 >= turn, "{} waits", later.release);
                }
            }
        }
    }

    #[test]
    fn the_file_reads_as_it_was_written(all in seeds(), sizes in sizes()) {
        let plan = make(all, &fleet(6, sizes));
        let text = plan.to_json().unwrap();
        prop_assert_eq!(digest_from_file(&text), plan.metadata.digest.clone());
        let read = Plan::parse(&text).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert!(read.check(None, TOOL, Some(now())).is_ok());
    }

    /// Bytes changed anywhere: it still is the same plan, or it is refused. Never a panic.
    #[test]
    fn changed_bytes_are_noticed(
        all in seeds(),
        at in any::<prop::sample::Index>(),
        len in 0_usize..9,
        noise in "[\"{}\\[\\],:0-9a-z\\\\ é-]{0,8}",
    ) {
        let plan = make(all, &fleet(6, usual()));
        let mut text: Vec<char> = plan.to_json().unwrap().chars().collect();
        let at = at.index(text.len());
        let end = (at + len).min(text.len());
        text.splice(at..end, noise.chars());
        let text: String = text.into_iter().collect();
        if let Ok(read) = Plan::parse(&text)
            && let Ok(checked) = read.check(None, TOOL, Some(now()))
        {
            prop_assert_eq!(checked.plan(), &plan);
        }
    }

    /// A value put anywhere into the tree: noticed, with a place that leads to it or to a part that holds it.
    #[test]
    fn changed_values_are_noticed_and_placed(
        all in seeds(),
        choice in any::<prop::sample::Index>(),
        value in prop_oneof![
            Just(json!(null)), Just(json!(0)), Just(json!("x")), Just(json!([])), Just(json!({})),
            Just(json!(-1)), Just(json!(1.5)), Just(json!(u64::MAX)),
        ],
    ) {
        let plan = make(all, &fleet(6, usual()));
        let original: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
        let mut pointers = Vec::new();
        every_pointer(&original, String::new(), &mut pointers);
        let pointer = choice.get(&pointers);
        let mut tree = original.clone();
        *tree.pointer_mut(pointer).unwrap() = value;
        match Plan::parse(&tree.to_string()) {
            Err(_) => prop_assert_ne!(tree, original),
            Ok(read) => match read.check(None, TOOL, Some(now())) {
                Ok(checked) => {
                    prop_assert_eq!(&tree, &original);
                    prop_assert_eq!(checked.plan(), &plan);
                }
                Err(PlanRefused::Edited { place, .. }) => {
                    let inside = pointer.strip_prefix("/seals").unwrap_or(pointer);
                    prop_assert!(
                        pointer.starts_with(&place) || place.starts_with(inside) || pointer.starts_with("/seals"),
                        "{} is not {}", place, pointer
                    );
                }
                Err(PlanRefused::ForeignTool { .. }) => prop_assert_eq!(pointer, "/metadata/tool"),
                Err(other) => prop_assert!(false, "{:?}", other),
            },
        }
    }

    #[test]
    fn any_text_is_answered(text in "\\PC{0,80}") {
        prop_assert!(Plan::parse(&text).is_err());
    }
}

fn every_pointer(tree: &Value, pointer: String, found: &mut Vec<String>) {
    match tree {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                every_pointer(value, format!("{pointer}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                every_pointer(value, format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
    found.push(pointer);
}
