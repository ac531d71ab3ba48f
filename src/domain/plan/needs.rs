//! Dependencies among the ready releases: who waits for whom, and in which order all can go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::Dependencies;
use super::index::Index;
use super::intake::Intake;
use super::lists::Lists;
use super::names::Who;
use crate::domain::ids::ReleaseId;

/// Who needs whom, by place in release order.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Of each release those that it needs.
    on: Lists,
    /// How many need each.
    dependents: Vec<u32>,
}

/// What the edges say, once the releases of the plan are known.
pub(super) struct Resolved<'a> {
    pub(super) needs: Needs,
    /// Ready releases that need one which the plan leaves alone; sorted, each pair once.
    pub(super) unmet: Vec<(u32, &'a ReleaseId)>,
}

impl Needs {
    /// Reads the edges. Linear, but for the order among the needs of one release. Those that name a release which is neither
    /// ready nor `held` say nothing: it is done, or of a cluster that was not read.
    pub(super) fn resolve<'a>(
        dependencies: &'a Dependencies,
        intake: &Intake<'_>,
        held: &dyn Fn(&ReleaseId) -> bool,
    ) -> Resolved<'a> {
        let n = intake.ready.len();
        let edges = dependencies.edges();
        if edges.is_empty() {
            return Resolved {
                needs: Self {
                    on: Lists::default(),
                    dependents: vec![0; n],
                },
                unmet: Vec::new(),
            };
        }
        let places = places(dependencies, intake);
        let place = |number: u32| {
            let place = places.get(number as usize).copied();
            place.filter(|place| *place != NOT_READY)
        };
        let met = edges
            .iter()
            .filter_map(|edge| place(edge.dependent).zip(place(edge.on)));
        let on = Lists::of(n, met).into_sets();
        let mut unmet = Vec::new();
        if places.contains(&NOT_READY) {
            for edge in edges.iter().filter(|edge| place(edge.on).is_none()) {
                let on = dependencies.release(edge.on).filter(|on| held(on));
                unmet.extend(place(edge.dependent).zip(on));
            }
        }
        unmet.sort_unstable();
        unmet.dedup();
        let mut dependents = vec![0_u32; n];
        for to in on.items() {
            dependents[*to as usize] += 1;
        }
        Resolved {
            needs: Self { on, dependents },
            unmet,
        }
    }

    /// Whom a release needs, ascending.
    pub(super) fn of(&self, at: u32) -> &[u32] {
        self.on.get(at)
    }

    /// How many need it.
    pub(super) fn dependents(&self, at: u32) -> u32 {
        self.dependents.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.on.items().is_empty()
    }

    /// All releases, each after those that it needs, and else by `preference`: a permutation, the first first. A cycle, as
    /// places of which each needs the next and the last the first, if there is one. `O((n + e) log n)`.
    pub(super) fn order(&self, preference: Vec<u32>) -> Result<Vec<u32>, Vec<u32>> {
        if self.is_empty() {
            return Ok(preference);
        }
        let n = preference.len();
        let mut rank = vec![0_u32; n];
        for (at, release) in (0_u32..).zip(&preference) {
            rank[*release as usize] = at;
        }
        // Who needs me.
        let back = self.on.turned(n);
        let count = |at: u32| u32::try_from(self.of(at).len()).unwrap_or(u32::MAX);
        let mut open: Vec<u32> = (0_u32..).take(n).map(count).collect();
        let mut sequence = Vec::with_capacity(n);
        // Those that were let go late, by rank; the others come by themselves, in the order of preference.
        let mut late: BinaryHeap<Reverse<u32>> = BinaryHeap::new();
        let mut rest = 0_usize;
        loop {
            while preference
                .get(rest)
                .is_some_and(|at| open[*at as usize] > 0)
            {
                rest += 1;
            }
            let by_itself = preference
                .get(rest)
                .map(|_| u32::try_from(rest).unwrap_or(u32::MAX));
            let at = match (late.peek().map(|it| it.0), by_itself) {
                (Some(freed), other) if other.is_none_or(|other| freed < other) => {
                    late.pop();
                    freed
                }
                (_, Some(other)) => {
                    rest += 1;
                    other
                }
                (_, None) => break,
            };
            let release = preference[at as usize];
            sequence.push(release);
            for dependent in back.get(release) {
                let left = &mut open[*dependent as usize];
                *left -= 1;
                if *left == 0 && (rank[*dependent as usize] as usize) < rest {
                    late.push(Reverse(rank[*dependent as usize]));
                }
            }
        }
        if sequence.len() == n {
            Ok(sequence)
        } else {
            Err(self.cycle(&open))
        }
    }

    /// A way round among those that never became free.
    fn cycle(&self, open: &[u32]) -> Vec<u32> {
        let stuck = |at: &u32| open[*at as usize] > 0;
        let Some(mut at) = (0..u32::try_from(open.len()).unwrap_or(u32::MAX)).find(stuck) else {
            return Vec::new();
        };
        // Who is stuck needs one that is stuck: walking on must come round.
        let mut step_of: BTreeMap<u32, usize> = BTreeMap::new();
        let mut way = Vec::new();
        loop {
            if let Some(step) = step_of.get(&at) {
                return way.split_off(*step);
            }
            step_of.insert(at, way.len());
            way.push(at);
            match self.of(at).iter().copied().find(stuck) {
                Some(next) => at = next,
                None => return way,
            }
        }
    }
}

/// Stands for a place that there is not.
const NOT_READY: u32 = u32::MAX;

/// Of each release that edges name: its place among the ready ones, or [`NOT_READY`].
fn places(dependencies: &Dependencies, intake: &Intake<'_>) -> Vec<u32> {
    let mut known: Index<Who> = Index::with_capacity(intake.ready.len());
    for who in &intake.ready {
        known.insert(*who);
    }
    let place = |release| known.find(&intake.find(release)?);
    let releases = dependencies.releases().iter();
    releases
        .map(|release| place(release).unwrap_or(NOT_READY))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(n: usize, pairs: &[(u32, u32)]) -> Needs {
        Needs {
            on: Lists::of(n, pairs.iter().copied()).into_sets(),
            dependents: vec![0; n],
        }
    }

    /// The one that is free and preferred most, again and again.
    fn slowly(n: usize, needs: &Needs, preference: &[u32]) -> Option<Vec<u32>> {
        let mut done = Vec::new();
        while done.len() < n {
            let next = preference.iter().copied().find(|at| {
                !done.contains(at) && needs.of(*at).iter().all(|on| done.contains(on))
            })?;
            done.push(next);
        }
        Some(done)
    }

    proptest! {
        #[test]
        fn the_order_is_the_preferred_one_that_keeps_the_needs(
            pairs in prop::collection::vec((0_u32..9, 0_u32..9), 0..14),
            preference in Just((0_u32..9).collect::<Vec<_>>()).prop_shuffle(),
        ) {
            let needs = needs(9, &pairs);
            match needs.order(preference.clone()) {
                Ok(order) => prop_assert_eq!(Some(order), slowly(9, &needs, &preference)),
                Err(cycle) => {
                    prop_assert_eq!(slowly(9, &needs, &preference), None);
                    prop_assert!(!cycle.is_empty());
                    for (at, release) in cycle.iter().enumerate() {
                        let next = cycle[(at + 1) % cycle.len()];
                        prop_assert!(needs.of(*release).contains(&next));
                    }
                }
            }
        }
    }
}
