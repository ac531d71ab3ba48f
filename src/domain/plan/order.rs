//! In which order releases are taken: lowest risk first, mixed over clusters, charts as different as can be.
//!
//! Clusters take turns, in rounds; in its turn a cluster gives the release whose chart was taken least so far. So the
//! first releases, the canaries, show refit as many clusters and charts as there are places. Clusters labelled
//! `env=prod` take their turns when the others have nothing left.

use std::collections::BTreeMap;

/// Charts of one cluster looked at in one turn, lowest risk first: bounds a turn where a cluster has a chart for
/// every release.
const CHARTS_A_TURN: usize = 256;

/// What the order depends on. Fields in the order of their weight: ascending risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Is its cluster labelled `env=prod`?
    pub(super) prod: bool,
    /// Has it notes?
    pub(super) noted: bool,
    /// Points.
    pub(super) score: u32,
    /// How many objects.
    pub(super) objects: u32,
    /// How many notes.
    pub(super) notes: u32,
    /// Place in release order: never equal for two releases.
    pub(super) at: u32,
    /// Number of its cluster.
    pub(super) cluster: u32,
    /// Number of its chart's name.
    pub(super) chart: u32,
}

/// What one cluster still has: for each chart the ranks of its releases, as a stretch of the list of all, keyed by the
/// lowest.
struct Left {
    prod: bool,
    charts: BTreeMap<u32, std::ops::Range<usize>>,
}

/// The places `at`, lowest risk first. Between two of them nobody else matters.
pub(super) fn by_risk(mut places: Vec<Place>) -> Vec<u32> {
    places.sort_unstable();
    places.into_iter().map(|place| place.at).collect()
}

/// The places `at`, in the order to migrate them. Does not depend on the order of `places`.
/// `O(n log n + n · charts a cluster)`, the latter capped by [`CHARTS_A_TURN`].
pub(super) fn order(mut places: Vec<Place>) -> Vec<u32> {
    // From here on a release is its rank in risk: one number to compare.
    places.sort_unstable();
    let mut ranks: Vec<u32> = (0..).take(places.len()).collect();
    let home = |rank: u32| {
        let place = &places[rank as usize];
        (place.cluster, place.chart)
    };
    ranks.sort_by_key(|rank| home(*rank));
    let mut clusters: Vec<Left> = Vec::new();
    let mut last = None;
    let mut at = 0;
    for queue in ranks.chunk_by(|a, b| home(*a) == home(*b)) {
        let range = at..at + queue.len();
        at = range.end;
        let Some(first) = queue.first().copied() else {
            continue;
        };
        let place = &places[first as usize];
        if last != Some(place.cluster) {
            last = Some(place.cluster);
            clusters.push(Left {
                prod: place.prod,
                charts: BTreeMap::new(),
            });
        }
        if let Some(left) = clusters.last_mut() {
            left.charts.insert(first, range);
        }
    }
    let charts = places.iter().map(|place| place.chart).max();
    let mut taken = vec![0_u32; charts.map_or(0, |most| most as usize + 1)];
    let mut sequence = Vec::with_capacity(places.len());
    let (prod, others): (Vec<Left>, Vec<Left>) = clusters.into_iter().partition(|it| it.prod);
    for mut clusters in [others, prod] {
        while !clusters.is_empty() {
            // Whose next release is of the lowest risk comes first in the round.
            clusters.sort_by_key(|left| left.charts.keys().next().copied());
            for left in &mut clusters {
                if let Some(rank) = give(left, &ranks, &places, &taken) {
                    let place = &places[rank as usize];
                    taken[place.chart as usize] += 1;
                    sequence.push(place.at);
                }
            }
            clusters.retain(|left| !left.charts.is_empty());
        }
    }
    sequence
}

/// Takes the release whose chart was taken least, of those the one with the lowest risk.
fn give(left: &mut Left, ranks: &[u32], places: &[Place], taken: &[u32]) -> Option<u32> {
    let heads = left.charts.keys().copied().take(CHARTS_A_TURN);
    let rank = heads.min_by_key(|rank| taken[places[*rank as usize].chart as usize])?;
    let mut queue = left.charts.remove(&rank)?;
    queue.next();
    if let Some(next) = ranks.get(queue.clone()).and_then(<[u32]>::first) {
        left.charts.insert(*next, queue);
    }
    Some(rank)
}
