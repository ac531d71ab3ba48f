//! What a run of a plan asks of each API server, foretold: writes exactly, reads at most.
//!
//! It follows from the plan and the protocol ([`crate::domain::run`]), so it is derived whenever it is shown and is no part of
//! the plan's file: a later refit that asks less says so of an old plan too. `tests/live/estimate.rs` holds it against audit
//! logs of real servers.
//!
//! | request | how many | exact |
//! |---|---|---|
//! | patch of an object | one an object, one more where its values change | yes |
//! | write of a record | three a release: lock, commit, superseded | yes |
//! | dry run | as many as patches | unless an object moves meanwhile |
//! | list | five a release, and every page of three walks over a cluster's records | at most, unless somebody else is at work |
//! | read | five records a release, each object once, discovery and schemas | at most, unless somebody else is at work |
//! | access review | six, and two a kind of object | at most, if granted in all namespaces |
//!
//! Not counted: what is asked again, after an answer to come later (429, 5xx) or after somebody else's write.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Plan, PlannedRelease};
use crate::domain::ids::ClusterName;

/// Lists of a release's records: one when it is opened, and one before objects, commit, superseding and end.
const LISTS_A_RELEASE: u64 = 5;

/// Reads of a release's records: for its verbs, its opening, the lock, the commit and the superseding.
const GETS_A_RELEASE: u64 = 5;

/// Reads of one object, when its patch is made. An object that a note speaks of may be gone and looked for.
const GETS_AN_OBJECT: u64 = 1;

/// Records a page of a list.
const PAGE: u64 = 500;

/// Revisions that a release keeps (Helm's default), and the one in hand.
const REVISIONS: u64 = 11;

/// Lists of all records of a cluster: what has moved since the plan, which verbs are needed, and the sweep at the end.
const WALKS: u64 = 3;

/// Lists of few objects: admission, API services.
const LISTS_A_CLUSTER: u64 = 8;

/// Discovery and versions, of two connections.
const GETS_A_CLUSTER: u64 = 8;

/// Group-versions of one cluster's objects, and their kinds: a plan does not say them, and few clusters have more in their
/// charts. Fewer objects have fewer.
const GROUP_VERSIONS: u64 = 20;
const KINDS: u64 = 40;

/// Index and document of a group-version's schema.
const GETS_A_GROUP_VERSION: u64 = 2;

/// Access reviews of records, and of a kind of objects.
const REVIEWS_OF_RECORDS: u64 = 6;
const REVIEWS_A_KIND: u64 = 2;

/// Requests at one API server, or at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// Releases.
    pub releases: u64,
    /// Lists, pages counted one by one. At most.
    pub lists: u64,
    /// Reads of one object or document. At most.
    pub gets: u64,
    /// Questions whether a verb is allowed. At most.
    pub reviews: u64,
    /// Rehearsals that store nothing.
    pub dry_runs: u64,
    /// Patches of objects.
    pub object_writes: u64,
    /// Writes of release records.
    pub record_writes: u64,
    /// The limit of writes.
    pub writes_per_second: u32,
    /// Seconds that the writes take at the limits, waits for windows and soak not counted.
    pub seconds: u64,
}

/// Requests of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestEstimate {
    /// By cluster.
    pub clusters: BTreeMap<ClusterName, Requests>,
    /// In all. Its limit is the fleet's; its time is that of the waves, one after the other.
    pub fleet: Requests,
}

impl Requests {
    /// Whatever looks and rehearses nothing: lists, gets, access reviews.
    pub const fn reads(&self) -> u64 {
        self.lists + self.gets + self.reviews
    }

    /// Writes: of objects and of records.
    pub const fn writes(&self) -> u64 {
        self.object_writes + self.record_writes
    }

    fn take(&mut self, planned: &PlannedRelease) {
        let objects = u64::from(planned.objects);
        let valued = u64::from(planned.valued_objects());
        let writes = u64::from(planned.writes);
        self.releases += 1;
        self.lists += LISTS_A_RELEASE;
        self.gets += GETS_A_RELEASE + GETS_AN_OBJECT * (objects + valued);
        self.gets += u64::try_from(planned.notes.len()).unwrap_or(u64::MAX);
        self.dry_runs += objects + valued;
        self.object_writes += objects + valued;
        self.record_writes += writes.saturating_sub(objects + valued);
    }

    fn add(&mut self, other: &Self) {
        self.releases += other.releases;
        self.lists += other.lists;
        self.gets += other.gets;
        self.reviews += other.reviews;
        self.dry_runs += other.dry_runs;
        self.object_writes += other.object_writes;
        self.record_writes += other.record_writes;
    }
}

impl RequestEstimate {
    /// Foretells the requests of a plan. Linear.
    pub fn of(plan: &Plan) -> Self {
        let mut clusters: BTreeMap<ClusterName, Requests> = BTreeMap::new();
        for planned in plan.waves.iter().flat_map(|wave| &wave.releases) {
            let name = &planned.release.cluster;
            if let Some(known) = clusters.get_mut(name) {
                known.take(planned);
            } else {
                clusters.entry(name.clone()).or_default().take(planned);
            }
        }
        let mut fleet = Requests::default();
        for (name, it) in &mut clusters {
            let pages = (it.releases * REVISIONS).div_ceil(PAGE);
            it.lists += WALKS * pages + LISTS_A_CLUSTER;
            it.gets += GETS_A_CLUSTER + GETS_A_GROUP_VERSION * it.object_writes.min(GROUP_VERSIONS);
            it.reviews = REVIEWS_OF_RECORDS + REVIEWS_A_KIND * it.object_writes.min(KINDS);
            it.writes_per_second = rate(plan, name);
            it.seconds = it.writes().div_ceil(u64::from(it.writes_per_second.max(1)));
            fleet.add(it);
        }
        fleet.writes_per_second = plan.metadata.writes_per_second;
        let waves = plan.waves.iter();
        fleet.seconds = waves
            .map(|wave| Self::seconds_of(plan, &wave.releases))
            .sum();
        Self { clusters, fleet }
    }

    /// What releases that migrate at the same time take at least: their writes at the limits of clusters and fleet.
    pub fn seconds_of(plan: &Plan, releases: &[PlannedRelease]) -> u64 {
        let mut writes: BTreeMap<&ClusterName, u64> = BTreeMap::new();
        for it in releases {
            *writes.entry(&it.release.cluster).or_default() += u64::from(it.writes);
        }
        let seconds = |writes: u64, rate: u32| writes.div_ceil(u64::from(rate.max(1)));
        let slowest = writes
            .iter()
            .map(|(name, writes)| seconds(*writes, rate(plan, name)))
            .max();
        let together = seconds(writes.values().sum(), plan.metadata.writes_per_second);
        slowest.unwrap_or(0).max(together)
    }
}

/// Writes per second of a cluster.
fn rate(plan: &Plan, name: &ClusterName) -> u32 {
    let limits = plan.metadata.limits.get(name);
    limits.map_or(plan.metadata.writes_per_second, |it| it.writes_per_second)
}
