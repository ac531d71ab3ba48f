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

/// The next release of one chart on one cluster.
#[derive(Debug, Clone, Copy)]
struct Head {
    /// Its rank in risk.
    rank: u32,
    chart: u32,
    /// Those that follow it: a stretch of the list of all.
    next: u32,
    end: u32,
}

/// What one cluster still has: a head for each chart.
#[derive(Default)]
struct Left {
    /// Of lowest risk, ascending, at most [`CHARTS_A_TURN`]: a turn looks at them all, so they lie side by side.
    near: Vec<Head>,
    /// The others, by rank, all of them behind `near`.
    far: BTreeMap<u32, Head>,
}

impl Left {
    /// The lowest rank.
    fn first(&self) -> Option<u32> {
        self.near.first().map(|head| head.rank)
    }

    fn put(&mut self, head: Head) {
        let at = self.near.partition_point(|it| it.rank < head.rank);
        self.near.insert(at, head);
        if self.near.len() > CHARTS_A_TURN
            && let Some(last) = self.near.pop()
        {
            self.far.insert(last.rank, last);
        }
    }

    /// Takes the release whose chart was taken least, of those the one with the lowest risk.
    fn give(&mut self, ranks: &[u32], taken: &[u32]) -> Option<Head> {
        let heads = self.near.iter().enumerate();
        let (at, head) = heads.min_by_key(|(_, head)| taken[head.chart as usize])?;
        let head = *head;
        self.near.remove(at);
        if let Some((_, nearest)) = self.far.pop_first() {
            self.near.push(nearest);
        }
        if head.next < head.end {
            self.put(Head {
                rank: ranks[head.next as usize],
                next: head.next + 1,
                ..head
            });
        }
        Some(head)
    }
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
    let homes = places.iter().map(|place| (place.cluster, place.chart));
    let mut homes: Vec<(u32, u32, u32)> = homes
        .zip(0..)
        .map(|((cluster, chart), rank)| (cluster, chart, rank))
        .collect();
    homes.sort_unstable();
    let ranks: Vec<u32> = homes.iter().map(|(_, _, rank)| *rank).collect();
    let (mut prod, mut others): (Vec<Left>, Vec<Left>) = (Vec::new(), Vec::new());
    let mut next = 0_u32;
    for of_cluster in homes.chunk_by(|a, b| a.0 == b.0) {
        let mut left = Left::default();
        let mut is_prod = false;
        for queue in of_cluster.chunk_by(|a, b| a.1 == b.1) {
            let Some((_, chart, rank)) = queue.first().copied() else {
                continue;
            };
            let end = next + u32::try_from(queue.len()).unwrap_or(u32::MAX);
            is_prod = places[rank as usize].prod;
            left.put(Head {
                rank,
                chart,
                next: next + 1,
                end,
            });
            next = end;
        }
        if is_prod {
            prod.push(left);
        } else {
            others.push(left);
        }
    }
    drop(homes);
    let charts = places.iter().map(|place| place.chart).max();
    let mut taken = vec![0_u32; charts.map_or(0, |most| most as usize + 1)];
    let of_rank: Vec<u32> = places.into_iter().map(|place| place.at).collect();
    let mut sequence = Vec::with_capacity(of_rank.len());
    for mut clusters in [others, prod] {
        let mut round: Vec<(u32, usize)> = Vec::with_capacity(clusters.len());
        loop {
            // Whose next release is of the lowest risk comes first in the round.
            round.clear();
            let firsts = clusters.iter().map(Left::first).zip(0..);
            round.extend(firsts.filter_map(|(first, at)| Some((first?, at))));
            if round.is_empty() {
                break;
            }
            round.sort_unstable();
            for (_, at) in &round {
                if let Some(head) = clusters[*at].give(&ranks, &taken) {
                    taken[head.chart as usize] += 1;
                    sequence.push(of_rank[head.rank as usize]);
                }
            }
        }
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the rule says, over and over: rounds of clusters, others before prod.
    fn slowly(mut places: Vec<Place>) -> Vec<u32> {
        places.sort_unstable();
        let mut sequence = Vec::new();
        let mut taken: BTreeMap<u32, u32> = BTreeMap::new();
        for prod in [false, true] {
            loop {
                let left: Vec<Place> = places
                    .iter()
                    .filter(|it| it.prod == prod)
                    .copied()
                    .collect();
                if left.is_empty() {
                    break;
                }
                let mut clusters: Vec<u32> = Vec::new();
                for place in &left {
                    if !clusters.contains(&place.cluster) {
                        clusters.push(place.cluster);
                    }
                }
                for cluster in clusters {
                    let mut heads: Vec<Place> = Vec::new();
                    for place in left.iter().filter(|it| it.cluster == cluster) {
                        if heads.len() < CHARTS_A_TURN
                            && heads.iter().all(|it| it.chart != place.chart)
                        {
                            heads.push(*place);
                        }
                    }
                    let count = |it: &&Place| taken.get(&it.chart).copied().unwrap_or(0);
                    let given = *heads.iter().min_by_key(count).unwrap();
                    *taken.entry(given.chart).or_default() += 1;
                    sequence.push(given.at);
                    places.retain(|it| it.at != given.at);
                }
            }
        }
        sequence
    }

    /// Places of releases on few clusters; a cluster is prod or not.
    fn places(charts: u32, many: usize) -> impl Strategy<Value = Vec<Place>> {
        let place = (0_u32..4, 0..charts, 0_u32..6, 1_u32..4, 0_u32..2);
        prop::collection::vec(place, 0..many).prop_map(|all| {
            let all = (0_u32..).zip(all);
            let place = |(at, (cluster, chart, score, objects, notes))| Place {
                prod: cluster < 2,
                noted: notes > 0,
                score,
                objects,
                notes,
                at,
                cluster,
                chart,
            };
            all.map(place).collect()
        })
    }

    proptest! {
        #[test]
        fn clusters_take_turns_and_give_what_was_taken_least(places in places(5, 60)) {
            prop_assert_eq!(order(places.clone()), slowly(places));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        /// More charts than a turn looks at.
        #[test]
        fn charts_beyond_a_turn_come_up(places in places(2_000, 1_800)) {
            prop_assert_eq!(order(places.clone()), slowly(places));
        }
    }
}
