//! Dependencies among the ready releases: who waits for whom, and in which order all can go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::index::Index;
use super::{Dependencies, PlannedRelease};
use crate::domain::ids::ReleaseId;

/// Who needs whom, by place in release order.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// Where each release's own stretch of `on` starts; one more at the end.
    starts: Vec<u32>,
    on: Vec<u32>,
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
    /// Reads the edges. `O(e log e)`. Those that name a release which is neither ready nor `held` say nothing: it is done, or of
    /// a cluster that was not read.
    pub(super) fn resolve<'a>(
        dependencies: &'a Dependencies,
        ready: &[PlannedRelease],
        held: &dyn Fn(&ReleaseId) -> bool,
    ) -> Resolved<'a> {
        let n = ready.len();
        if dependencies.edges().is_empty() {
            return Resolved {
                needs: Self {
                    starts: vec![0; n + 1],
                    on: Vec::new(),
                    dependents: vec![0; n],
                },
                unmet: Vec::new(),
            };
        }
        // Of each release that edges name: its place among the ready ones.
        let places: Vec<Option<u32>> = {
            let mut known: Index<&ReleaseId> = Index::with_capacity(n);
            for planned in ready {
                known.insert(&planned.release);
            }
            let find = |release: &ReleaseId| known.find(&release);
            dependencies.releases().iter().map(find).collect()
        };
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(dependencies.edges().len());
        let mut unmet = Vec::new();
        for edge in dependencies.edges() {
            let Some(from) = places.get(edge.dependent as usize).copied().flatten() else {
                continue;
            };
            match places.get(edge.on as usize).copied().flatten() {
                Some(to) => pairs.push((from, to)),
                None => {
                    if let Some(on) = dependencies.release(edge.on).filter(|on| held(on)) {
                        unmet.push((from, on));
                    }
                }
            }
        }
        drop(places);
        pairs.sort_unstable();
        pairs.dedup();
        unmet.sort_unstable();
        unmet.dedup();
        let mut starts = vec![0_u32; n + 1];
        let mut dependents = vec![0_u32; n];
        for (from, to) in &pairs {
            starts[*from as usize + 1] += 1;
            dependents[*to as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let on = pairs.into_iter().map(|(_, to)| to).collect();
        Resolved {
            needs: Self {
                starts,
                on,
                dependents,
            },
            unmet,
        }
    }

    /// Whom a release needs, ascending.
    pub(super) fn of(&self, at: u32) -> &[u32] {
        let bound = |at: u32| self.starts.get(at as usize).map_or(0, |it| *it as usize);
        self.on.get(bound(at)..bound(at + 1)).unwrap_or_default()
    }

    /// How many need it.
    pub(super) fn dependents(&self, at: u32) -> u32 {
        self.dependents.get(at as usize).copied().unwrap_or(0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.on.is_empty()
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
        // Who needs me, turned round.
        let mut starts = vec![0_u32; n + 1];
        for to in &self.on {
            starts[*to as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut back = vec![0_u32; self.on.len()];
        let mut open = vec![0_u32; n];
        for from in 0..u32::try_from(n).unwrap_or(u32::MAX) {
            for to in self.of(from) {
                back[next[*to as usize] as usize] = from;
                next[*to as usize] += 1;
                open[from as usize] += 1;
            }
        }
        drop(next);
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
            let (from, to) = (starts[release as usize], starts[release as usize + 1]);
            for dependent in &back[from as usize..to as usize] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn needs(n: usize, pairs: &[(u32, u32)]) -> Needs {
        let mut pairs = pairs.to_vec();
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; n + 1];
        for (from, _) in &pairs {
            for start in &mut starts[*from as usize + 1..] {
                *start += 1;
            }
        }
        Needs {
            starts,
            on: pairs.iter().map(|(_, to)| *to).collect(),
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
