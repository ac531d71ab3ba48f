//! In which order releases are taken: lowest risk first, mixed over clusters, charts as different as can be.
//!
//! Clusters take turns, in rounds; in its turn a cluster gives the release whose chart was taken least so far. So the
//! first releases, the canaries, show refit as many clusters and charts as there are places. Clusters labelled
//! `env=prod` take their turns when the others have nothing left.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use crate::domain::fleet::release_order;
use crate::domain::ids::ReleaseId;

/// Charts of one cluster looked at in one turn, lowest risk first: bounds a turn where a cluster has a chart for
/// every release.
const CHARTS_A_TURN: usize = 256;

/// What the order depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Which.
    pub(super) release: &'a ReleaseId,
    /// Name of its chart.
    pub(super) chart: &'a str,
    /// Is its cluster labelled `env=prod`?
    pub(super) prod: bool,
    /// How many notes.
    pub(super) notes: usize,
    /// How many objects.
    pub(super) objects: usize,
}

impl Place<'_> {
    /// Ascending risk; never equal for two releases.
    fn risk(&self, other: &Self) -> Ordering {
        (self.prod, self.notes > 0, self.objects, self.notes)
            .cmp(&(other.prod, other.notes > 0, other.objects, other.notes))
            .then_with(|| release_order(self.release, other.release))
    }
}

/// What one cluster still has: for each chart the ranks of its releases, keyed by the lowest of them.
type Left = BTreeMap<usize, VecDeque<usize>>;

/// Indices into `releases`, in the order to migrate them. Does not depend on the order of `releases`.
/// `O(n log n + n · charts a cluster)`, the latter capped by [`CHARTS_A_TURN`].
pub(super) fn order(releases: &[Place<'_>]) -> Vec<usize> {
    // From here on a release is its rank in risk: a number to compare instead of texts.
    let mut by_risk: Vec<usize> = (0..releases.len()).collect();
    by_risk.sort_by(|a, b| releases[*a].risk(&releases[*b]));
    let charts = numbered(by_risk.iter().map(|index| releases[*index].chart));
    let clusters = numbered(
        by_risk
            .iter()
            .map(|index| releases[*index].release.cluster.as_str()),
    );

    let mut queue_of: BTreeMap<(usize, usize), VecDeque<usize>> = BTreeMap::new();
    for (rank, place) in clusters
        .iter()
        .copied()
        .zip(charts.iter().copied())
        .enumerate()
    {
        queue_of.entry(place).or_default().push_back(rank);
    }
    let mut left: BTreeMap<usize, Left> = BTreeMap::new();
    for ((cluster, _), queue) in queue_of {
        if let Some(first) = queue.front() {
            left.entry(cluster).or_default().insert(*first, queue);
        }
    }

    let mut taken = vec![0_usize; releases.len()];
    let mut sequence = Vec::with_capacity(releases.len());
    let is_prod = |left: &Left| {
        let first = left.keys().next();
        first.is_some_and(|rank| releases[by_risk[*rank]].prod)
    };
    let (prod, others): (Vec<Left>, Vec<Left>) = left.into_values().partition(is_prod);
    for mut clusters in [others, prod] {
        while !clusters.is_empty() {
            // Whose next release is of the lowest risk comes first in the round.
            clusters.sort_by_key(|left| left.keys().next().copied());
            for left in &mut clusters {
                if let Some(rank) = give(left, &charts, &taken) {
                    taken[charts[rank]] += 1;
                    sequence.push(by_risk[rank]);
                }
            }
            clusters.retain(|left| !left.is_empty());
        }
    }
    sequence
}

/// A number for each text, equal for equal texts.
fn numbered<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    texts
        .map(|text| {
            let next = numbers.len();
            *numbers.entry(text).or_insert(next)
        })
        .collect()
}

/// Takes the release whose chart was taken least, of those the one with the lowest risk.
fn give(left: &mut Left, charts: &[usize], taken: &[usize]) -> Option<usize> {
    let heads = left.keys().copied().take(CHARTS_A_TURN);
    let rank = heads.min_by_key(|rank| taken[charts[*rank]])?;
    let mut queue = left.remove(&rank)?;
    queue.pop_front();
    if let Some(next) = queue.front().copied() {
        left.insert(next, queue);
    }
    Some(rank)
}
