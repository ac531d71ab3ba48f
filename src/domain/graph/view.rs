//! A part of the graph: a cluster, or a release with what it waits for and who waits for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cycle, Edge, Node, ReleaseGraph};
use crate::domain::ids::{ClusterName, ReleaseId};

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Focus {
    /// Everything.
    #[default]
    All,
    /// One cluster, and releases of others that share an edge with it.
    Cluster(ClusterName),
    /// One release, everything that it waits for, and everything that waits for it.
    Release(ReleaseId),
}

impl ReleaseGraph {
    /// The part in focus, numbered anew. `depth` bounds the edges from the release in focus (both ways), or else the
    /// depth of the releases shown. `None`: the focus is not in the graph. Linear in the graph.
    pub fn view(&self, focus: &Focus, depth: Option<u32>) -> Option<Self> {
        let keep: BTreeSet<u32> = match focus {
            Focus::All => self.shallow(|_| true, depth),
            Focus::Cluster(name) => {
                let own = self.shallow(|node| node.release.cluster == *name, depth);
                if own.is_empty() {
                    return None;
                }
                // What lies deeper in the same cluster stays out: only other clusters' releases come in.
                let deep = |at: u32| {
                    let node = self.node(at);
                    node.is_some_and(|node| node.release.cluster == *name) && !own.contains(&at)
                };
                return Some(self.with_neighbours(&own, deep));
            }
            Focus::Release(release) => {
                let start = self.place(release)?;
                let mut keep = self.around(start, depth, |edge| (edge.from, edge.to));
                keep.extend(self.around(start, depth, |edge| (edge.to, edge.from)));
                keep
            }
        };
        Some(self.part(&keep, |_| true))
    }

    /// The releases that are wanted, and those that share an edge with one.
    #[must_use]
    pub fn around_of(&self, wanted: impl Fn(&ReleaseId) -> bool) -> Self {
        let own = self.shallow(|node| wanted(&node.release), None);
        self.with_neighbours(&own, |_| false)
    }

    /// These nodes, their edges, and the nodes at the edges' other ends but those that stay out.
    fn with_neighbours(&self, own: &BTreeSet<u32>, out: impl Fn(u32) -> bool) -> Self {
        let touches = |edge: &Edge| own.contains(&edge.from) || own.contains(&edge.to);
        let ends = self.edges.iter().filter(|edge| touches(edge));
        let ends = ends.flat_map(|edge| [edge.from, edge.to]);
        let keep = own.iter().copied().chain(ends.filter(|at| !out(*at)));
        self.part(&keep.collect(), touches)
    }

    fn shallow(&self, of: impl Fn(&Node) -> bool, depth: Option<u32>) -> BTreeSet<u32> {
        let nodes = (0_u32..).zip(&self.nodes);
        nodes
            .filter(|(_, node)| of(node) && depth.is_none_or(|most| node.depth <= most))
            .map(|(at, _)| at)
            .collect()
    }

    /// Nodes that `start` leads to within so many edges.
    fn around(
        &self,
        start: u32,
        depth: Option<u32>,
        ends: impl Fn(&Edge) -> (u32, u32),
    ) -> BTreeSet<u32> {
        let mut next: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for edge in &self.edges {
            let (from, to) = ends(edge);
            next.entry(from).or_default().push(to);
        }
        let mut seen = BTreeSet::from([start]);
        let mut level = vec![start];
        let mut left = depth.unwrap_or(u32::MAX);
        while left > 0 && !level.is_empty() {
            left -= 1;
            let mut further = Vec::new();
            for at in level {
                for to in next.get(&at).into_iter().flatten() {
                    if seen.insert(*to) {
                        further.push(*to);
                    }
                }
            }
            level = further;
        }
        seen
    }

    /// The part over some nodes. Depths stay those of the whole graph.
    fn part(&self, keep: &BTreeSet<u32>, wanted: impl Fn(&Edge) -> bool) -> Self {
        let new: BTreeMap<u32, u32> = keep.iter().copied().zip(0_u32..).collect();
        let moved = |edge: &Edge| {
            Some(Edge {
                from: *new.get(&edge.from)?,
                to: *new.get(&edge.to)?,
                ..edge.clone()
            })
        };
        let mut part = Self {
            nodes: keep
                .iter()
                .filter_map(|at| self.node(*at).cloned())
                .collect(),
            cut: self
                .cut
                .iter()
                .filter(|it| wanted(it))
                .filter_map(moved)
                .collect(),
            skipped: self.skipped.clone(),
            ..Self::default()
        };
        for (at, edge) in self.edges.iter().enumerate().filter(|(_, it)| wanted(it)) {
            if let Some(edge) = moved(edge) {
                if self.closing.contains(&at) {
                    part.closing.insert(part.edges.len());
                }
                part.edges.push(edge);
            }
        }
        for cycle in &self.cycles {
            let edges: Option<Vec<Edge>> = cycle.edges.iter().map(moved).collect();
            if let Some(edges) = edges {
                part.cycles.push(Cycle {
                    edges,
                    breakable: cycle.breakable,
                });
            }
        }
        let pairs: BTreeSet<(u32, u32)> = part
            .closing
            .iter()
            .filter_map(|at| part.edges.get(*at))
            .map(|edge| (edge.from, edge.to))
            .collect();
        part.cycles_total = pairs.len();
        part
    }
}
