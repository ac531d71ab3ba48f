//! How long the planner takes: generated fleets, one JSON object for the one size that is asked for.
//!
//! `cargo xtask bench plan` runs it once a size, as memory is measured for the whole process. The time is that of one call
//! of the planner: forecasts are made and handed over one by one meanwhile, digest and seals are part of the plan.

#![expect(
    clippy::disallowed_methods,
    reason = "it measures the core from outside: clock, memory, standard output"
)]

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use domain_alone::domain::fleet::settings::{
    CanaryRule, Cap, Counted, Cut, Freeze, Key, SoakRule, Stage, Window, WindowRule, ZoneRule,
};
use domain_alone::domain::fleet::{
    Fleet, FleetCluster, Limits, Managers, PlanSettings, Selector, WaveSize, WaveSizes,
};
use domain_alone::domain::ids::{ClusterName, Namespace, ReleaseId, ReleaseName, Revision, Uid};
use domain_alone::domain::object::ObjectRef;
use domain_alone::domain::plan::{
    Candidate, Dependencies, Edge, EdgeReason, Facts, PlanRequest, digest_of, plan,
};
use domain_alone::domain::release::{ChartRef, Driver};
use domain_alone::domain::shadow::{Forecast, ObjectForecast, ObjectOutcome, ReleaseOutcome};

/// Releases a cluster, on average.
const A_CLUSTER: usize = 200;

/// Edges a release.
const EDGES: usize = 3;

/// Every fourth cluster is not prod; at least so many releases.
const KINDS: usize = 4;

/// Zones of clusters, the fleet's among them.
const ZONES: [Option<&str>; 5] = [
    None,
    Some("America/New_York"),
    Some("Asia/Kolkata"),
    Some("Australia/Lord_Howe"),
    Some("Europe/London"),
];

/// Charts; each with two kinds on two servers makes 200 signatures.
const CHARTS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|it| !it.starts_with("--"));
    let releases: usize = arguments.next().as_deref().unwrap_or("10000").parse()?;
    let shape = arguments.next().unwrap_or_else(|| "stages".to_owned());
    if releases < KINDS {
        return Err(format!("at least {KINDS} releases").into());
    }
    let clusters = releases.div_ceil(A_CLUSTER);
    let fleet = fleet(clusters, settings(&shape)?)?;
    let names = Names::of(&fleet);
    let dependencies = dependencies(releases, &names)?;
    let request = PlanRequest {
        fleet: &fleet,
        dependencies: &dependencies,
        now: "2026-11-23T10:31:00Z".parse()?,
        looked_at: None,
        tool: "bench",
        inputs: [].into(),
        unread: [].into(),
    };
    let on_cpu = cpu_time()?;
    let started = Instant::now();
    let plan = plan((0..releases).map(|at| candidate(at, &names)), &request)?;
    let seconds = started.elapsed();
    let cpu_seconds = cpu_time()?.saturating_sub(on_cpu);
    let peak_mib = peak_mib().unwrap_or(0);
    // Beside the plan itself: the text of its file.
    let started = Instant::now();
    let file = plan.to_json()?;
    let file_seconds = started.elapsed();
    let line = serde_json::json!({
        "releases": releases,
        "clusters": clusters,
        "edges": dependencies.edges().len(),
        "signatures": plan.waves.last().map_or(0, |wave| wave.coverage.total),
        "waves": plan.waves.len(),
        "done": plan.calendar.as_ref().and_then(|it| it.done),
        "relaxations": plan.relaxations.len(),
        "shape": shape,
        "seconds": rounded(seconds),
        "cpu_seconds": rounded(cpu_seconds),
        "peak_mib": peak_mib,
        "file_seconds": rounded(file_seconds),
        "file_mib": file.len() >> 20,
        "file_digest": digest_of(file.as_bytes()),
        "digest": plan.metadata.digest,
    });
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

/// Seconds, to the millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// Time that this thread was on a processor, by Linux's account: other processes of the machine do not count.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    // The account is brought up to date when another process may have its turn.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().unwrap_or_default();
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The most memory that this process ever had, by Linux's account.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1_024)
}

/// A number that looks arbitrary and is always the same.
fn mixed(at: usize, salt: u64) -> usize {
    let mut z = (at as u64).wrapping_add(salt.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ z >> 31) >> 1).unwrap_or(0)
}

fn settings(shape: &str) -> Result<PlanSettings, Box<dyn Error>> {
    let sizes = WaveSizes(vec![
        WaveSize::Count(1),
        WaveSize::Count(5),
        WaveSize::Percent(20),
    ]);
    let stage = |name: &str, selector: &str, cut: Cut| -> Result<Stage, Box<dyn Error>> {
        Ok(Stage {
            name: name.to_owned(),
            selector: selector.parse()?,
            cut,
        })
    };
    let mut settings = PlanSettings::of_sizes(sizes.clone());
    match shape {
        "sizes" => return Ok(settings),
        "stages" => {
            settings.stages = vec![
                stage("stage", "env=stage", Cut::Whole)?,
                stage("prod", "env=prod", Cut::Sizes(sizes))?,
            ];
        }
        "shares" => {
            settings.stages = vec![stage("all", "env", Cut::Shares(vec![1, 9, 30]))?];
        }
        other => return Err(format!("{other} is no shape: sizes, stages, shares").into()),
    }
    settings.canary = CanaryRule::Coverage {
        selector: "env=stage".parse()?,
        max_risk: Some(60),
        max_releases: None,
    };
    settings.caps = vec![Cap {
        name: "clusters_per_region".to_owned(),
        count: Counted::Clusters,
        per: Key::Label("region".to_owned()),
        at_most: 40,
    }];
    settings.soak = vec![SoakRule {
        name: "all".to_owned(),
        selector: Selector::all(),
        seconds: 24 * 3_600,
    }];
    settings.windows.insert(
        "prod".to_owned(),
        Window {
            rule: WindowRule::Weekly {
                days: "Tue-Thu".parse()?,
                from: "22:00".parse()?,
                to: "02:00".parse()?,
            },
            zone: ZoneRule::Cluster,
        },
    );
    settings.freezes.insert(
        "year-end".to_owned(),
        Freeze {
            from: "2026-12-17".parse()?,
            to: "2027-01-04".parse()?,
            zone: ZoneRule::Fleet,
            selector: Selector::all(),
        },
    );
    Ok(settings)
}

fn fleet(clusters: usize, planning: PlanSettings) -> Result<Fleet, Box<dyn Error>> {
    let limits = Limits {
        writes_per_second: 20,
        in_flight: 8,
    };
    let windowed = !planning.windows.is_empty();
    let cluster = |at: usize| {
        let prod = !at.is_multiple_of(KINDS);
        FleetCluster {
            name: ClusterName::new(format!("c-{at}")),
            context: format!("acme-c-{at}"),
            kubeconfig: None,
            labels: [
                ("env", if prod { "prod" } else { "stage" }.to_owned()),
                ("region", format!("region-{}", at % 25)),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
            limits,
            timezone: ZONES[at / KINDS % ZONES.len()].map(str::to_owned),
            windows: if prod && windowed {
                vec!["prod".to_owned()]
            } else {
                Vec::new()
            },
        }
    };
    Ok(Fleet {
        name: "acme".to_owned(),
        deadline: "2027-02-10".parse()?,
        timezone: "Europe/Berlin".to_owned(),
        managers: Managers {
            canonical: "helm".to_owned(),
            aliases: Vec::new(),
        },
        state: ".refit/state.db".into(),
        clusters: (0..clusters).map(cluster).collect(),
        writes_per_second: 2_000,
        planning,
        expect: [].into(),
        policies: Vec::new(),
        seal_key_file: None,
        undo_dwell_seconds: 30,
        start_within_seconds: 604_800,
        depends: Vec::new(),
        cut_inferred: false,
    })
}

struct Names {
    clusters: Vec<ClusterName>,
    namespaces: Vec<Namespace>,
}

impl Names {
    fn of(fleet: &Fleet) -> Self {
        Self {
            clusters: fleet.clusters.iter().map(|it| it.name.clone()).collect(),
            namespaces: (0..20)
                .map(|at| Namespace::new(format!("team-{at}")))
                .collect(),
        }
    }

    /// Releases go round the clusters.
    fn release(&self, at: usize) -> ReleaseId {
        let place = at / self.clusters.len();
        ReleaseId {
            cluster: self.clusters[at % self.clusters.len()].clone(),
            namespace: self.namespaces[place % self.namespaces.len()].clone(),
            name: ReleaseName::new(format!("release-{place}")),
        }
    }
}

/// Three for each release: on its own cluster mostly, always on one with a smaller number, so that there is no cycle.
fn dependencies(releases: usize, names: &Names) -> Result<Dependencies, Box<dyn Error>> {
    let clusters = names.clusters.len();
    let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let mut edges = Vec::with_capacity(releases * EDGES);
    for at in 0..releases {
        for salt in 0..EDGES as u64 {
            let place = at / clusters;
            let (dependent, on) = if at < KINDS {
                // Nobody is before them: the last releases have their edges.
                (releases - KINDS + at, at)
            } else if salt == 2 && at.is_multiple_of(100) {
                (at, mixed(at, salt) % at)
            } else if place == 0 {
                // The first on its cluster: on one of a cluster like it.
                (at, mixed(at, salt) % (at / KINDS) * KINDS + at % KINDS)
            } else {
                (at, mixed(at, salt) % place * clusters + at % clusters)
            };
            edges.push(Edge {
                dependent: number(dependent),
                on: number(on),
                reason: number(usize::try_from(salt)?),
            });
        }
    }
    let reason = |kind: &str| EdgeReason {
        kind: kind.to_owned(),
        detail: kind.to_owned(),
    };
    let releases = (0..releases).map(|at| names.release(at)).collect();
    let reasons = ["custom-resource", "namespace", "declared"].map(reason);
    Ok(Dependencies::new(releases, edges, reasons.into())?)
}

fn candidate(at: usize, names: &Names) -> Candidate {
    let release = names.release(at);
    let chart = mixed(at, 7) % CHARTS;
    let object = |number: usize| ObjectForecast {
        object: ObjectRef {
            api_version: if number == 0 { "apps/v1" } else { "v1" }.to_owned(),
            kind: if number == 0 { "Deployment" } else { "Service" }.to_owned(),
            namespace: Some(release.namespace.clone()),
            name: format!("{}-{number}", release.name),
        },
        outcome: ObjectOutcome::OwnershipOnly,
        active: Vec::new(),
        latent: Vec::new(),
        drops: Vec::new(),
        drift: Vec::new(),
        values: std::collections::BTreeMap::new(),
    };
    let objects = (0..2 + mixed(at, 8) % 3).map(object).collect();
    Candidate {
        chart: ChartRef {
            name: format!("chart-{chart}"),
            version: "1.4.2".to_owned(),
        },
        decisions: Vec::new(),
        driver: Driver::Secret,
        revision: Revision(u32::try_from(at % 90).unwrap_or(0) + 1),
        record_uid: Uid::new(format!(
            "{:08x}-5f2e-4c1b-9d3a-{:012x}",
            at,
            mixed(at, 9) >> 20
        )),
        facts: Facts {
            server: if (at % names.clusters.len()).is_multiple_of(3) {
                "1.35"
            } else {
                "1.36"
            }
            .to_owned(),
            managers: vec!["helm".to_owned()],
            replicas: u32::try_from(mixed(at, 10) % 12).unwrap_or(0),
            hooks: u32::from(mixed(at, 11).is_multiple_of(8)),
            ..Facts::default()
        },
        forecast: Forecast {
            release,
            outcome: ReleaseOutcome::Ready,
            reasons: Vec::new(),
            notes: Vec::new(),
            objects,
        },
    }
}
