//! Collects what a plan is made of: a forecast of every release of every cluster. Zero writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;

use super::bounded::bounded;
use super::chain::chain;
use super::gathered::Gathered;
use super::graph::{release_sight, sight};
use super::inventory::{ReleaseRead, Scope, Source, managers_of};
use super::ports::{Clock, Dice};
use super::shadow::{
    Admission, Library, LiveProbe, ManifestObject, OfflineForecaster, Settling, Target,
};
use crate::cluster::{self, Reader, Rehearser};
use crate::domain::fleet::{Limits, ManagerMatcher};
use crate::domain::graph::ClusterSight;
use crate::domain::ids::{ClusterName, ReleaseId, Revision, Uid};
use crate::domain::object::LiveObject;
use crate::domain::plan::{Candidate, Facts};
use crate::domain::policy::Book;
use crate::domain::release::ChartRef;
use crate::domain::shadow::{Forecast, Reason, ReleaseOutcome};
use crate::helm::Record;

/// The two harmless sides of a cluster.
pub type Looks = (Arc<dyn Reader>, Arc<dyn Rehearser>);

/// A cluster to plan for.
pub struct Planned {
    /// The fleet's name of it.
    pub name: ClusterName,
    /// Reads; or why the cluster could not be connected to.
    pub reader: Result<Looks, String>,
    /// Its limits: releases in flight bound the probe too.
    pub limits: Limits,
    /// Its labels: policies see them.
    pub labels: BTreeMap<String, String>,
}

impl Planned {
    /// The side that only reads.
    pub fn into_source(self) -> Source {
        Source {
            name: self.name,
            reader: self.reader.map(|(reader, _)| reader),
        }
    }
}

/// What was collected.
#[derive(Debug, Default)]
pub struct Collected {
    /// Every release, with its forecast; one whose record does not read is Blocked.
    pub candidates: Vec<Candidate>,
    /// Clusters that were not read, and why.
    pub unread: Vec<(ClusterName, String)>,
    /// Dry runs sent.
    pub dry_runs: u64,
    /// What the dependency graph is made of: of all releases, wanted or not.
    pub sights: Vec<ClusterSight>,
    /// Objects that only the server could tell about.
    pub asked: u64,
}

/// Forecasts the fleet under the policies of `book`, clusters side by side. `wanted` narrows it to some releases; the others still count as
/// holders of objects.
pub async fn collect(
    clusters: &[Planned],
    scope: &Scope,
    managers: &ManagerMatcher,
    book: &Book,
    clock: &dyn Clock,
    dice: &dyn Dice,
    wanted: &(dyn Fn(&ReleaseId) -> bool + Send + Sync),
) -> Collected {
    let means = Means {
        scope,
        managers,
        book,
        clock,
        dice,
        wanted,
        library: Arc::default(),
    };
    let all = join_all(clusters.iter().map(|cluster| one(cluster, &means))).await;
    let mut sum = Collected::default();
    for (cluster, collected) in clusters.iter().zip(all) {
        match collected {
            Ok(collected) => {
                sum.candidates.extend(collected.candidates);
                sum.dry_runs += collected.dry_runs;
                sum.sights.extend(collected.sights);
                sum.asked += collected.asked;
            }
            Err(why) => sum.unread.push((cluster.name.clone(), why)),
        }
    }
    sum
}

/// What all clusters share.
struct Means<'a> {
    scope: &'a Scope,
    managers: &'a ManagerMatcher,
    book: &'a Book,
    clock: &'a dyn Clock,
    dice: &'a dyn Dice,
    wanted: &'a (dyn Fn(&ReleaseId) -> bool + Send + Sync),
    library: Arc<Library>,
}

async fn one(cluster: &Planned, means: &Means<'_>) -> Result<Collected, String> {
    let Means {
        scope,
        managers,
        book,
        clock,
        dice,
        wanted,
        ref library,
    } = *means;
    let (reader, rehearser) = cluster.reader.as_ref().map_err(Clone::clone)?;
    let probe = LiveProbe {
        reader: reader.as_ref(),
        rehearser: rehearser.as_ref(),
        managers,
        clock,
        dice,
    };
    let in_scope = |id: &ReleaseId| {
        wanted(id) && (scope.namespaces.is_empty() || scope.namespaces.contains(&id.namespace))
    };
    let mut seen = Vec::new();
    let mut see = |release: &ReleaseRead| seen.push(release_sight(release));
    let gathered = Gathered::read(
        reader.as_ref(),
        &cluster.name,
        scope,
        library,
        &in_scope,
        &mut see,
    );
    let gathered = gathered.await.map_err(|error| chain(&error))?;
    let sight = sight(reader.as_ref(), &cluster.name, seen)
        .await
        .map_err(|error| chain(&error))?;
    let probe = OfflineForecaster {
        probe,
        at_hand: gathered.at_hand(),
    };
    let limit = cluster.limits.in_flight.max(1) as usize;
    // Without it two servers' releases count as alike: no reason to leave the cluster out.
    let version = reader.version().await.unwrap_or_default();
    let server = minor(&version);
    let settling = Settling {
        forecaster: &probe,
        reader: reader.as_ref(),
        rehearser: rehearser.as_ref(),
        managers,
        clock,
        book,
        labels: &cluster.labels,
    };
    let settling = &settling;
    let mut forecasts = Vec::new();
    for release in gathered.chosen() {
        let around = Facts {
            server: server.clone(),
            admission: admission_of(&gathered.admission, &release.objects.served),
            ..Facts::default()
        };
        forecasts.push(forecast(settling, gathered.target(release), around, release).boxed());
    }
    let results: Vec<cluster::Result<Collected>> = bounded(limit, forecasts).await;
    let mut sum = Collected {
        sights: vec![sight],
        ..Collected::default()
    };
    for result in results {
        let one = result.map_err(|error| chain(&error))?;
        sum.candidates.extend(one.candidates);
        sum.dry_runs += one.dry_runs;
        sum.asked += one.asked;
    }
    Ok(sum)
}

async fn forecast(
    settling: &Settling<'_>,
    target: Option<Target<'_>>,
    around: Facts,
    release: &ReleaseRead,
) -> cluster::Result<Collected> {
    let mut collected = Collected::default();
    let Some(target) = target else {
        let why = release.last.as_ref().err().cloned();
        let why = why.unwrap_or_else(|| "it has no record".to_owned());
        collected.candidates.push(unreadable(release, why));
        return Ok(collected);
    };
    let current = target.current;
    // Boxed: releases that wait for their turn take no room for it.
    let prepared = match settling.forecast(&target).boxed().await {
        Ok(prepared) => prepared,
        Err(super::shadow::ForecastError::Cluster(error)) => return Err(error),
    };
    collected.dry_runs += u64::from(prepared.dry_runs + prepared.repeats);
    collected.asked += u64::from(prepared.asked);
    let lives: Vec<&LiveObject> = prepared
        .objects
        .iter()
        .map(|it| &it.prepared.live)
        .collect();
    let around = Facts {
        labels: current.stored.user_labels(),
        ..around
    };
    let facts = facts(around, &current.record, &lives);
    let chart = current.record.chart.clone().unwrap_or_default();
    collected.candidates.push(Candidate {
        forecast: prepared.forecast,
        decisions: prepared.decisions,
        chart: ChartRef {
            name: chart.name,
            version: chart.version,
        },
        driver: release.records.driver,
        revision: Revision(current.record.revision),
        record_uid: Uid::new(current.stored.uid()),
        facts,
    });
    Ok(collected)
}

/// `1.36` of `v1.36.3`; empty if it says no version.
fn minor(version: &str) -> String {
    let mut parts = version.trim_start_matches('v').split('.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        _ => String::new(),
    }
}

/// Webhooks and policies that look at updates of these objects, sorted.
fn admission_of(admission: &Admission, objects: &[ManifestObject]) -> Vec<String> {
    let names = objects
        .iter()
        .flat_map(|it| admission.names(it.object.group(), &it.resource));
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(str::to_owned).collect()
}

/// What the planner weighs, beside what is `around` the release, as far as it was read anyway. Live objects are known of
/// releases that are Ready.
fn facts(around: Facts, record: &Record, lives: &[&LiveObject]) -> Facts {
    let managers: BTreeSet<String> = managers_of(lives.iter().copied())
        .into_iter()
        .map(|it| it.name)
        .collect();
    let replicas = lives
        .iter()
        .filter_map(|live| live.json.pointer("/spec/replicas")?.as_u64())
        .sum::<u64>();
    Facts {
        managers: managers.into_iter().collect(),
        replicas: u32::try_from(replicas).unwrap_or(u32::MAX),
        hooks: u32::try_from(record.hooks.len()).unwrap_or(u32::MAX),
        updated: record.info.last_deployed.parse().ok(),
        ..around
    }
}

/// A release that cannot be forecast, so that the plan names it with its reason.
fn unreadable(release: &ReleaseRead, detail: String) -> Candidate {
    let last = release.records.last();
    Candidate {
        forecast: Forecast {
            release: release.records.id.clone(),
            outcome: ReleaseOutcome::Blocked,
            reasons: vec![Reason {
                cause: "unreadable-record".to_owned(),
                object: None,
                detail,
            }],
            notes: Vec::new(),
            objects: Vec::new(),
        },
        decisions: Vec::new(),
        chart: ChartRef {
            name: "unknown".to_owned(),
            version: "0".to_owned(),
        },
        driver: release.records.driver,
        revision: last.map_or(Revision(0), |last| last.revision),
        record_uid: last.map_or_else(|| Uid::new(""), |last| last.head.uid.clone()),
        facts: Facts::default(),
    }
}
