//! Thousands of generated fleets with every kind of setting: the linter finds nothing, and what is unrelated stays put.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use proptest::prelude::*;

use super::settings::{
    CanaryRule, Cap, Cost, Counted, Cut, Freeze, HeldDependency, Key, Lanes, PeerRule, Peers,
    RiskOrder, SoakRule, Stage, Window, WindowRule, ZoneRule,
};
use super::*;
use crate::domain::fleet::{
    Fleet, FleetCluster, PlanSettings, Selector, WaveSize, WaveSizes, release_order,
};
use crate::domain::ids::{Namespace, ReleaseName};
use crate::domain::object::ObjectRef;
use crate::domain::shadow::{ObjectForecast, ObjectOutcome};

/// Generated fleets a property.
const CASES: u32 = 1_000;

const CLUSTERS: u8 = 6;

pub(super) fn fleet(planning: PlanSettings) -> Fleet {
    let cluster = |number: u8| FleetCluster {
        name: ClusterName::new(format!("eu-{number}")),
        context: format!("acme-{number}"),
        kubeconfig: None,
        labels: [
            (
                "env",
                if number % 3 == 2 { "prod" } else { "stage" }.to_owned(),
            ),
            ("region", format!("r{}", number % 2)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
        limits: Limits {
            writes_per_second: 4,
            in_flight: 4,
        },
        timezone: match number {
            1 => Some("America/New_York".to_owned()),
            3 => Some("Australia/Lord_Howe".to_owned()),
            _ => None,
        },
        // None, the first, or all.
        windows: match number {
            0 => Vec::new(),
            1..=3 => planning.windows.keys().take(1).cloned().collect(),
            _ => planning.windows.keys().cloned().collect(),
        },
    };
    Fleet {
        name: "acme".to_owned(),
        deadline: Date::constant(2027, 2, 10),
        timezone: "Europe/Berlin".to_owned(),
        managers: Managers {
            canonical: "helm".to_owned(),
            aliases: Vec::new(),
        },
        state: ".refit/state.db".into(),
        clusters: (0..CLUSTERS).map(cluster).collect(),
        writes_per_second: 20,
        planning,
        expect: [].into(),
        depends: Vec::new(),
        cut_inferred: false,
        seal_key_file: None,
        policies: Vec::new(),
        undo_dwell_seconds: 30,
        start_within_seconds: 604_800,
    }
}

/// cluster, release, chart, outcome, objects, replicas, tier
type Seed = (u8, u8, u8, u8, u8, u8, u8);

pub(super) fn candidate(seed: Seed) -> Candidate {
    let (cluster, name, chart, outcome, objects, replicas, tier) = seed;
    let outcome = match outcome {
        0 => ReleaseOutcome::Blocked,
        1 => ReleaseOutcome::Done,
        _ => ReleaseOutcome::Ready,
    };
    let object = |number: u8| ObjectForecast {
        object: ObjectRef {
            api_version: "v1".to_owned(),
            kind: ["ConfigMap", "Service", "Secret"][usize::from(number) % 3].to_owned(),
            namespace: None,
            name: format!("o{number}"),
        },
        outcome: ObjectOutcome::OwnershipOnly,
        active: vec![],
        latent: vec![],
        drops: vec![],
        drift: vec![],
        values: BTreeMap::new(),
    };
    Candidate {
        forecast: Forecast {
            release: ReleaseId {
                cluster: ClusterName::new(format!("eu-{cluster}")),
                namespace: Namespace::new(["shop", "pay"][usize::from(name) % 2]),
                name: ReleaseName::new(format!("r{name}")),
            },
            outcome,
            reasons: vec![],
            notes: vec![],
            objects: (0..objects).map(object).collect(),
        },
        decisions: Vec::new(),
        chart: ChartRef {
            name: format!("chart{chart}"),
            version: "1.0.0".to_owned(),
        },
        driver: Driver::Secret,
        revision: Revision(3),
        record_uid: Uid::new(format!("uid-{cluster}-{name}")),
        facts: Facts {
            replicas: u32::from(replicas),
            server: if cluster % 2 == 0 { "1.35" } else { "1.36" }.to_owned(),
            labels: match tier {
                0 => [("tier".to_owned(), "gold".to_owned())].into(),
                1 => [("pair".to_owned(), "ledger".to_owned())].into(),
                _ => BTreeMap::new(),
            },
            ..Facts::default()
        },
    }
}

pub(super) fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let seed = (
        0..CLUSTERS,
        0_u8..9,
        0_u8..4,
        0_u8..9,
        0_u8..5,
        0_u8..9,
        0_u8..6,
    );
    prop::collection::vec(seed, 0..45).prop_map(|seeds| {
        let mut all: Vec<Candidate> = seeds.into_iter().map(candidate).collect();
        all.sort_by(|a, b| release_order(&a.forecast.release, &b.forecast.release));
        all.dedup_by(|a, b| a.forecast.release == b.forecast.release);
        all
    })
}

fn cut() -> impl Strategy<Value = Cut> {
    let size = prop_oneof![
        (1_u32..7).prop_map(WaveSize::Count),
        (1_u8..=100).prop_map(WaveSize::Percent),
    ];
    prop_oneof![
        Just(Cut::Whole),
        prop::collection::vec(size, 1..4).prop_map(|sizes| Cut::Sizes(WaveSizes(sizes))),
        (1_u32..4).prop_map(|first| Cut::Doubling { first }),
        prop::collection::vec(1_u8..60, 1..4).prop_map(Cut::Shares),
    ]
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let selector = prop::sample::select(vec![
        "env=stage",
        "env=prod",
        "tier=gold",
        "cluster=eu-*",
        "chart in (chart1,chart2)",
        "pair",
    ]);
    let named = prop::collection::vec((selector, cut()), 0..4).prop_map(|stages| {
        let stage = |(at, (selector, cut)): (usize, (&str, Cut))| Stage {
            name: format!("s{at}"),
            selector: selector.parse().unwrap(),
            cut,
        };
        stages.into_iter().enumerate().map(stage).collect()
    });
    let plain = cut().prop_map(|cut| {
        vec![Stage {
            name: String::new(),
            selector: Selector::all(),
            cut,
        }]
    });
    prop_oneof![named, plain]
}

fn key() -> impl Strategy<Value = Key> {
    let label = |name: &str| Key::Label(name.to_owned());
    prop::sample::select(vec![
        Key::Fleet,
        Key::Cluster,
        Key::Namespace,
        Key::Chart,
        Key::Release,
        label("region"),
        label("env"),
        label("tier"),
        label("pair"),
    ])
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    let cap = (key(), any::<bool>(), 1_u32..4).prop_map(|(per, clusters, at_most)| Cap {
        name: format!("cap_per_{per}"),
        count: if clusters {
            Counted::Clusters
        } else {
            Counted::Releases
        },
        per,
        at_most,
    });
    prop::collection::vec(cap, 0..3)
}

fn peers() -> impl Strategy<Value = Vec<Peers>> {
    let rule = prop_oneof![
        Just(PeerRule::Sides(
            ["cluster=eu-1", "cluster=eu-2,chart!=chart1", "pair"]
                .map(|it| it.parse().unwrap())
                .into()
        )),
        (key(), key()).prop_map(|(group, side)| PeerRule::Same { group, side }),
    ];
    let peers = rule.prop_map(|rule| Peers {
        name: "peers".to_owned(),
        rule,
    });
    prop::collection::vec(peers, 0..2)
}

fn canary() -> impl Strategy<Value = CanaryRule> {
    let selector = prop::sample::select(vec!["", "env=stage", "tier!=gold"]);
    let bound = prop::option::of(0_u32..30);
    prop_oneof![
        Just(CanaryRule::None),
        (selector, bound.clone(), bound).prop_map(|(selector, max_risk, max_releases)| {
            let selector = if selector.is_empty() {
                Selector::all()
            } else {
                selector.parse().unwrap()
            };
            CanaryRule::Coverage {
                selector,
                max_risk,
                max_releases,
            }
        }),
    ]
}

pub(super) fn settings() -> impl Strategy<Value = PlanSettings> {
    let lanes = prop_oneof![3 => Just(Lanes::Fleet), 2 => key().prop_map(Lanes::By)];
    let risk = (
        any::<bool>(),
        prop::option::weighted(0.2, Just(Date::constant(2027, 1, 11))),
    );
    (
        stages(),
        canary(),
        caps(),
        peers(),
        lanes,
        risk,
        any::<bool>(),
        0_u64..9,
        times(),
    )
        .prop_map(
            |(stages, canary, caps, peers, lanes, (high, defer), hold, seed, times)| {
                let (windows, freezes, soak, cost) = times;
                let mut settings = PlanSettings {
                    stages,
                    canary,
                    caps,
                    peers,
                    lanes,
                    approvals: vec!["s1*".to_owned()],
                    held_dependency: if hold {
                        HeldDependency::Hold
                    } else {
                        HeldDependency::GoOn
                    },
                    seed,
                    windows,
                    freezes,
                    soak,
                    cost,
                    ..PlanSettings::default()
                };
                settings.risk.defer_low_until = defer;
                if high {
                    settings.risk.order = RiskOrder::HighFirst;
                }
                settings
            },
        )
}

/// Windows, freezes, soak, cost.
type Times = (
    BTreeMap<String, Window>,
    BTreeMap<String, Freeze>,
    Vec<SoakRule>,
    Cost,
);

fn times() -> impl Strategy<Value = Times> {
    let zone = || {
        prop::sample::select(vec![
            ZoneRule::Fleet,
            ZoneRule::Cluster,
            ZoneRule::Named("Asia/Kathmandu".to_owned()),
        ])
    };
    let days = prop::sample::select(vec!["daily", "Mon-Fri", "Tue-Thu", "Sat,Sun", "Sun"]);
    let time = || (0_i8..24, 0_i8..2).prop_map(|(hour, half)| civil_time(hour, half * 30));
    let weekly = (days, time(), time()).prop_map(|(days, from, to)| WindowRule::Weekly {
        days: days.parse().unwrap(),
        from,
        to,
    });
    let opens = vec![
        "30 2 * * *",
        "0 6 * * sun",
        "*/20 1-3 1-20 * *",
        "0 0 1 * *",
    ];
    let cron = (
        prop::sample::select(opens),
        prop::sample::select(vec![60_u32, 14_400, 36_000, 200_000]),
    );
    let cron = cron.prop_map(|(opens, for_seconds)| WindowRule::Cron {
        opens: opens.parse().unwrap(),
        for_seconds,
    });
    let rule = prop_oneof![2 => weekly, 1 => cron];
    let window = (rule, zone()).prop_map(|(rule, zone)| Window { rule, zone });
    let windows = prop::collection::btree_map("[a-c]", window, 0..3);
    let freeze =
        (0_i32..200, 0_i32..20, zone(), any::<bool>()).prop_map(|(at, long, zone, prod)| {
            let from = Date::constant(2026, 9, 25) + jiff::Span::new().days(at);
            Freeze {
                from,
                to: from + jiff::Span::new().days(long),
                zone,
                selector: if prod {
                    "env=prod".parse().unwrap()
                } else {
                    Selector::all()
                },
            }
        });
    let freezes = prop::collection::btree_map("[d-f]", freeze, 0..3);
    let selector = prop::sample::select(vec![
        "",
        "env=prod",
        "tier=gold",
        "release=r1",
        "cluster=eu-1",
    ]);
    let soak = (
        selector,
        prop::sample::select(vec![0_u32, 90, 3_600, 86_400, 250_000]),
    );
    let soak = soak.prop_map(|(selector, seconds)| SoakRule {
        name: if selector.is_empty() { "all" } else { selector }.to_owned(),
        selector: if selector.is_empty() {
            Selector::all()
        } else {
            selector.parse().unwrap()
        },
        seconds,
    });
    let soak = prop::collection::vec(soak, 0..3);
    let cost =
        (0_u32..20_000, prop::option::of(1_u32..9_000)).prop_map(|(millis, measured)| Cost {
            millis_per_write: millis,
            measured: measured
                .map(|millis| (ClusterName::new("eu-2"), millis))
                .into_iter()
                .collect(),
        });
    (windows, freezes, soak, cost)
}

fn civil_time(hour: i8, minute: i8) -> jiff::civil::Time {
    jiff::civil::Time::constant(hour, minute, 0, 0)
}

/// Pairs of places, of which the first needs the second. `shuffle` decides who may need whom, so that there is no cycle.
fn edges(all: &[Candidate], pairs: &[(usize, usize)], shuffle: u64) -> Dependencies {
    let n = all.len();
    let weight = |at: usize| (at as u64).wrapping_mul(shuffle | 1) % 251;
    let lawful = |(a, b): &(usize, usize)| {
        let (a, b) = (a % n.max(1), b % n.max(1));
        let (from, on) = if (weight(a), a) > (weight(b), b) {
            (a, b)
        } else {
            (b, a)
        };
        let number = |at| u32::try_from(at).unwrap();
        (n > 0 && from != on).then(|| edge((number(from), number(on))))
    };
    depends(all, pairs.iter().filter_map(lawful).collect())
}

/// These edges among these releases.
fn depends(all: &[Candidate], edges: Vec<Edge>) -> Dependencies {
    let reason = EdgeReason {
        kind: "declared".to_owned(),
        detail: "test".to_owned(),
    };
    let releases = all.iter().map(|it| it.forecast.release.clone());
    Dependencies::new(releases.collect(), edges, vec![reason]).unwrap()
}

fn edge((dependent, on): (u32, u32)) -> Edge {
    Edge {
        dependent,
        on,
        reason: 0,
    }
}

fn pairs() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0_usize..45, 0_usize..45), 0..30)
}

pub(super) fn make(all: Vec<Candidate>, dependencies: &Dependencies, fleet: &Fleet) -> Plan {
    make_at("2026-11-23T10:31:00Z", all, dependencies, fleet)
}

pub(super) fn make_at(
    now: &str,
    all: Vec<Candidate>,
    dependencies: &Dependencies,
    fleet: &Fleet,
) -> Plan {
    let request = PlanRequest {
        fleet,
        dependencies,
        now: now.parse().unwrap(),
        looked_at: None,
        tool: "0.1.0",
        inputs: BTreeMap::new(),
        unread: BTreeMap::new(),
    };
    plan(all, &request).unwrap()
}

/// Who is with whom, wave by wave, by the place that the wave has in the settings.
fn places(plan: &Plan) -> BTreeMap<ReleaseId, (u32, u32)> {
    let waves = plan.waves.iter();
    waves
        .flat_map(|wave| {
            wave.releases
                .iter()
                .map(|it| (it.release.clone(), (wave.stage, wave.part)))
        })
        .collect()
}

/// Found by the property below: the first stage had nobody, so the second began with its lowest risk; somebody in the first
/// turned the second's order around.
#[test]
fn who_comes_first_in_a_stage_is_not_decided_by_another() {
    let capped = Cap {
        name: "cap_per_chart".to_owned(),
        count: Counted::Releases,
        per: Key::Chart,
        at_most: 1,
    };
    let mut settings = PlanSettings {
        canary: CanaryRule::None,
        caps: vec![capped],
        ..PlanSettings::default()
    };
    settings.risk.order = RiskOrder::HighFirst;
    settings.stages = vec![Stage {
        name: "prod".to_owned(),
        selector: "env=prod".parse().unwrap(),
        cut: Cut::Whole,
    }];
    let fleet = fleet(settings);
    let of = |cluster, replicas| candidate((cluster, 0, 2, 9, 0, replicas, 9));
    let all = vec![of(0, 0), of(3, 0), of(4, 1)];
    let none = Dependencies::default();
    let before = places(&make(all.clone(), &none, &fleet));
    let stranger = candidate((2, 77, 77, 9, 3, 2, 9));
    let more = [all, vec![stranger.clone()]].concat();
    let mut after = places(&make(more, &none, &fleet));
    assert!(after.remove(&stranger.forecast.release).is_some());
    assert_eq!(before, after);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Whatever a fleet looks like and is told: nothing forgotten, nothing twice, nothing before what it needs, no cap
    /// broken, no peers together, sizes kept, sums right; and its file reads as it was written.
    #[test]
    fn every_fleet_has_a_lawful_plan(
        all in candidates(), settings in settings(), pairs in pairs(), shuffle in any::<u64>(),
    ) {
        let dependencies = edges(&all, &pairs, shuffle);
        let plan = make(all.clone(), &dependencies, &fleet(settings));
        prop_assert_eq!(lint(&plan, &all, &dependencies), vec![]);
        let read = Plan::parse(&plan.to_json().unwrap()).unwrap();
        prop_assert_eq!(&read, &plan);
        prop_assert!(read.check(None, "0.1.0", None).is_ok());
    }

    /// Neither the order of the candidates nor that of edges and their releases is to be seen in the plan.
    #[test]
    fn the_order_of_what_comes_in_is_not_seen(
        all in candidates(), settings in settings(), pairs in pairs(), shuffle in any::<u64>(), turn in 0_usize..45,
    ) {
        let fleet = fleet(settings);
        let dependencies = edges(&all, &pairs, shuffle);
        let one = make(all.clone(), &dependencies, &fleet);
        let mut other = all;
        other.reverse();
        let turn = turn % other.len().max(1);
        other.rotate_left(turn);
        let n = u32::try_from(dependencies.releases().len()).unwrap();
        let turned = dependencies.edges().iter().rev().map(|edge| Edge {
            dependent: n - 1 - edge.dependent,
            on: n - 1 - edge.on,
            reason: edge.reason,
        });
        let turned = Dependencies::new(
            dependencies.releases().iter().rev().cloned().collect(),
            turned.collect(),
            dependencies.reasons().to_vec(),
        ).unwrap();
        let other = make(other, &turned, &fleet);
        prop_assert_eq!(one.metadata.digest, other.metadata.digest);
    }

    /// ADR 9: where no stage is cut by exact sizes, one more release that shares no signature, need, cap or peers with
    /// others leaves everybody in his wave.
    #[test]
    fn an_unrelated_release_moves_no_other(
        all in candidates(), settings in settings(), pairs in pairs(), shuffle in any::<u64>(), new in 0_u8..4,
    ) {
        let mut settings = settings;
        for stage in &mut settings.stages {
            if matches!(stage.cut, Cut::Sizes(_) | Cut::Doubling { .. }) {
                stage.cut = Cut::Shares(vec![5, 20, 30]);
            }
        }
        if let CanaryRule::Coverage { max_releases, .. } = &mut settings.canary {
            *max_releases = None;
        }
        // Of a chart, namespace and name of its own; a fleet-wide cap or a region's would make it a relation.
        settings.caps.retain(|cap| matches!(cap.per, Key::Chart | Key::Release | Key::Namespace));
        settings.peers.retain(|peers| match &peers.rule {
            PeerRule::Sides(_) => false,
            PeerRule::Same { group, .. } => matches!(group, Key::Chart | Key::Release | Key::Namespace),
        });
        let fleet = fleet(settings);
        let dependencies = edges(&all, &pairs, shuffle);
        let before = places(&make(all.clone(), &dependencies, &fleet));
        let mut stranger = candidate((new, 77, 77, 9, 3, new, 9));
        stranger.forecast.release.namespace = Namespace::new("elsewhere");
        let mut more = all;
        more.push(stranger.clone());
        let mut after = places(&make(more, &dependencies, &fleet));
        prop_assert!(after.remove(&stranger.forecast.release).is_some());
        prop_assert_eq!(before, after);
    }

    /// After the canaries everything is seen that any allowed release can show; no canary is there for nothing.
    #[test]
    fn canaries_show_what_can_be_shown(all in candidates(), max_risk in prop::option::of(0_u32..20)) {
        let canary = CanaryRule::Coverage { selector: "env=stage".parse().unwrap(), max_risk, max_releases: None };
        let settings = PlanSettings { canary, ..PlanSettings::default() };
        let plan = make(all.clone(), &Dependencies::default(), &fleet(settings));
        let kinds = |of: &dyn Fn(&PlannedRelease) -> bool| -> BTreeSet<(String, String, String)> {
            let planned = plan.waves.iter().flat_map(|wave| &wave.releases).filter(|it| of(it));
            planned.flat_map(|it| {
                let candidate = all.iter().find(|one| one.forecast.release == it.release).unwrap();
                candidate.forecast.objects.iter().map(|object| (
                    candidate.chart.name.clone(), object.object.kind.clone(), candidate.facts.server.clone(),
                )).collect::<Vec<_>>()
            }).collect()
        };
        let allowed = |it: &PlannedRelease| {
            !matches!(it.release.cluster.as_str(), "eu-2" | "eu-5") && max_risk.is_none_or(|most| it.risk.score <= most)
        };
        let canary: BTreeSet<&ReleaseId> = plan.waves.iter().filter(|wave| wave.stage == 0)
            .flat_map(|wave| &wave.releases).map(|it| &it.release).collect();
        prop_assert_eq!(kinds(&allowed), kinds(&|it| canary.contains(&it.release)));
        for one in &canary {
            prop_assert_ne!(kinds(&allowed), kinds(&|it| canary.contains(&it.release) && it.release != **one));
        }
        let all_kinds = kinds(&|_| true).len();
        let seen = if canary.is_empty() { 0 } else { plan.waves[0].coverage.seen as usize };
        prop_assert_eq!(seen, kinds(&|it| canary.contains(&it.release)).len());
        if !canary.is_empty() {
            prop_assert_eq!(plan.untested.len(), all_kinds - seen);
        }
    }
}

#[test]
fn a_canary_that_is_there_for_another_says_so() {
    // Two charts that only one cluster each has, and on both clusters what they need, which is the same.
    let all: Vec<Candidate> = [(0, 0, 0), (0, 1, 1), (4, 0, 0), (4, 1, 2)]
        .map(|(cluster, name, chart)| candidate((cluster, name, chart, 9, 1, 0, 9)))
        .into();
    let dependencies = depends(&all, [(1, 0), (3, 2)].map(edge).into());
    let canary = CanaryRule::Coverage {
        selector: Selector::all(),
        max_risk: None,
        max_releases: None,
    };
    let settings = PlanSettings {
        canary,
        ..PlanSettings::default()
    };
    let plan = make(all, &dependencies, &fleet(settings));
    assert_eq!(plan.waves.len(), 1);
    let begins = |text: &str| {
        let reasons = plan.waves[0].releases.iter().map(|it| it.reason.as_str());
        reasons.filter(|it| it.starts_with(text)).count()
    };
    assert_eq!(begins("canary, shows 1 new signature: "), 3);
    assert_eq!(begins("canary, as another one needs it: "), 1);
}

#[test]
fn a_circle_is_refused_with_its_releases() {
    let all: Vec<Candidate> = (0..4)
        .map(|name| candidate((0, name, 0, 9, 1, 0, 9)))
        .collect();
    let circle = [(0, 1), (1, 2), (2, 1), (3, 0)];
    let dependencies = depends(&all, circle.map(edge).into());
    let fleet = fleet(PlanSettings::default());
    let request = PlanRequest {
        fleet: &fleet,
        dependencies: &dependencies,
        now: "2026-11-23T10:31:00Z".parse().unwrap(),
        looked_at: None,
        tool: "0.1.0",
        inputs: BTreeMap::new(),
        unread: BTreeMap::new(),
    };
    let Err(PlanError::Cycle(circle)) = plan(all, &request) else {
        panic!("no circle found");
    };
    let mut names: Vec<&str> = circle.iter().map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["r1", "r2"]);
}
