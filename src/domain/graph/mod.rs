//! The dependency graph of releases: who waits for whom, why, and how sure that is.
//!
//! ```text
//! manifests, live namespaces, HelmReleases ─► Sight ─┐
//!                                                    ├─► edges ─► cycles? ─► depth, order ─► planner, screens
//! [[depends]] of fleet.toml ─► Depends ──────────────┘
//! ```
//!
//! An edge leads from the release that waits to the one that it waits for. Inferred edges stay within a cluster;
//! declared ones may cross clusters. A cycle is refused with every edge named, unless the fleet says that the weakest
//! inferred edge may be cut (`[graph] cut_inferred`).
//!
//! decisions | effects
//! ---|---
//! what an object holds and needs ([`Sight::object`]), edges, cycles, depth ([`build`]) | `engine::graph` reads clusters

mod cycles;
mod declare;
mod edge;
mod file;
mod gate;
mod hand_over;
mod infer;
mod read;
mod refs;
mod sight;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::fleet::{Depends, natural_order, release_order};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::release::ChartRef;

pub use edge::{Confidence, Edge, EdgeKind};
pub use file::{GraphUnreadable, read_graph};
pub use read::NEEDS_ANNOTATION;
pub use sight::{ClusterSight, FluxRelease, Key, Labels, Sight};
pub use view::Focus;

/// A release in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub release: ReleaseId,
    /// Its chart, if its record reads.
    pub chart: Option<ChartRef>,
    /// Longest way to a release that waits for nobody, in edges.
    pub depth: u32,
}

/// Releases and their edges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseGraph {
    /// By cluster (natural order), namespace, name.
    pub nodes: Vec<Node>,
    /// By `from`, `to`, kind: each kind between two releases once. Without the cut ones.
    pub edges: Vec<Edge>,
    /// Inferred edges that were cut so that there is an order.
    pub cut: Vec<Edge>,
    /// Cycles that are left: then there is no order.
    pub cycles: Vec<Cycle>,
    /// How many there are; `cycles` holds the first.
    pub cycles_total: usize,
    /// Declarations about releases that were not read.
    pub skipped: Vec<UnknownRelease>,
    /// Edges that close a cycle and are still there: depths are counted without them. Empty if there is no cycle.
    closing: BTreeSet<usize>,
}

/// Releases that wait for each other: each edge leads to the next one's `from`, the last to the first's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// The edges; the first one's loss breaks the cycle, and no other edge is weaker.
    pub edges: Vec<Edge>,
    /// May the first be cut? Not if all edges are declared.
    pub breakable: bool,
}

/// What of the fleet the graph was made of: it decides whether a glob without a match is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadScope {
    /// Clusters that could not be read.
    pub unread: BTreeSet<ClusterName>,
    /// Was the fleet narrowed by flags?
    pub narrowed: bool,
}

/// A declaration about a release that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRelease {
    /// `fleet.toml:34:11`.
    pub place: String,
    /// `release` or `on`.
    pub key: String,
    /// As it stands there.
    pub glob: String,
    /// Releases with a similar name.
    pub close: Vec<String>,
}

/// Why there is no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Globs of `[[depends]]` that match no release.
    #[error("{} of [[depends]] match{} no release", counted(.0.len()), if .0.len() == 1 { "es" } else { "" })]
    UnknownReleases(Vec<UnknownRelease>),
    /// A glob that does not parse.
    #[error("a glob of [[depends]] does not parse: {why}")]
    BadGlob {
        /// `fleet.toml:34:11`.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// A declaration that makes more edges than anybody means.
    #[error("a [[depends]] makes {edges} edges; at most {most} are taken")]
    TooMany {
        /// `fleet.toml:34:11`.
        place: String,
        /// How many it would be.
        edges: usize,
        /// How many may be.
        most: usize,
    },
    /// More releases than a graph can count.
    #[error("the graph has more than {} releases", u32::MAX)]
    TooLarge,
}

fn counted(count: usize) -> String {
    if count == 1 {
        "1 glob".to_owned()
    } else {
        format!("{count} globs")
    }
}

/// Makes the graph. The same input in another order gives the same graph.
///
/// Time and memory grow with the objects and the edges (and a logarithm of each), not with pairs of releases.
pub fn build(
    mut clusters: Vec<ClusterSight>,
    depends: &[Depends],
    read: &ReadScope,
    cut_inferred: bool,
) -> Result<ReleaseGraph, GraphError> {
    clusters.sort_by(|a, b| natural_order(a.name.as_str(), b.name.as_str()));
    let mut nodes: Vec<Node> = Vec::new();
    let mut edges: Vec<Edge> = Vec::new();
    for mut cluster in clusters {
        cluster
            .releases
            .sort_by(|a, b| release_order(&a.release, &b.release));
        cluster.releases.dedup_by(|a, b| a.release == b.release);
        let base = u32::try_from(nodes.len()).map_err(|_| GraphError::TooLarge)?;
        edges.extend(infer::edges(&cluster, base));
        nodes.extend(cluster.releases.into_iter().map(|sight| Node {
            release: sight.release,
            chart: sight.chart,
            depth: 0,
        }));
    }
    if u32::try_from(nodes.len()).is_err() {
        return Err(GraphError::TooLarge);
    }
    let (declared, skipped) = declare::edges(&nodes, depends, read)?;
    if !declared.is_empty() {
        edges.extend(declared);
        edges = infer::folded(edges);
    }
    Ok(ReleaseGraph::assemble(nodes, edges, skipped, cut_inferred))
}

impl ReleaseGraph {
    /// Puts nodes and edges together: looks for cycles, cuts them if that is allowed, counts depths. Nodes are sorted,
    /// and so are edges.
    fn assemble(
        nodes: Vec<Node>,
        edges: Vec<Edge>,
        skipped: Vec<UnknownRelease>,
        cut_inferred: bool,
    ) -> Self {
        let found = cycles::cycles(nodes.len(), &edges);
        let is_closing = |at: usize| found.closing.binary_search(&at).is_ok();
        let is_cut = |at: usize, edge: &Edge| cut_inferred && !edge.is_declared() && is_closing(at);
        let mut graph = Self {
            nodes,
            skipped,
            ..Self::default()
        };
        for shown in &found.shown {
            let around = shown.edges.iter();
            let around: Vec<Edge> = around.filter_map(|at| edges.get(*at).cloned()).collect();
            let breakable = around.first().is_some_and(|edge| !edge.is_declared());
            if !(cut_inferred && breakable) {
                graph.cycles.push(Cycle {
                    edges: around,
                    breakable,
                });
            }
        }
        let mut left_closing: BTreeSet<(u32, u32)> = BTreeSet::new();
        let (mut kept, mut cut) = (Vec::with_capacity(edges.len()), Vec::new());
        for (at, edge) in edges.into_iter().enumerate() {
            if is_cut(at, &edge) {
                cut.push(edge);
                continue;
            }
            if is_closing(at) {
                graph.closing.insert(kept.len());
                left_closing.insert((edge.from, edge.to));
            }
            kept.push(edge);
        }
        graph.cycles_total = left_closing.len();
        (graph.edges, graph.cut) = (kept, cut);
        let order = graph.free_order();
        graph.count_depths(&order);
        graph
    }

    /// Is there no order to migrate them in?
    pub fn is_cyclic(&self) -> bool {
        !self.closing.is_empty()
    }

    /// The releases so that each comes after all that it waits for; of several the first by name. `None` if some wait
    /// for each other.
    pub fn order(&self) -> Option<Vec<u32>> {
        (!self.is_cyclic()).then(|| self.free_order())
    }

    /// Place of a release in [`ReleaseGraph::nodes`].
    pub fn place(&self, release: &ReleaseId) -> Option<u32> {
        let found = self
            .nodes
            .binary_search_by(|node| release_order(&node.release, release));
        found.ok().and_then(|at| u32::try_from(at).ok())
    }

    /// The node at a place.
    pub fn node(&self, place: u32) -> Option<&Node> {
        self.nodes.get(place as usize)
    }

    /// Pairs `(who waits, for whom)`, each once, sorted: what a planner needs.
    pub fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs: Vec<(u32, u32)> = self.edges.iter().map(|it| (it.from, it.to)).collect();
        pairs.dedup();
        pairs
    }

    /// How many releases wait for each one, over any number of edges, is not counted here: only those directly.
    pub fn dependents(&self) -> BTreeMap<u32, u32> {
        let mut counts = BTreeMap::new();
        for (_, to) in self.pairs() {
            *counts.entry(to).or_insert(0) += 1;
        }
        counts
    }

    /// An order over the edges that close no cycle.
    fn free_order(&self) -> Vec<u32> {
        let mut waits: Vec<u32> = vec![0; self.nodes.len()];
        let mut waiting: Vec<Vec<u32>> = vec![Vec::new(); self.nodes.len()];
        for edge in self.free_edges() {
            if let (Some(count), Some(list)) = (
                waits.get_mut(edge.from as usize),
                waiting.get_mut(edge.to as usize),
            ) {
                *count += 1;
                list.push(edge.from);
            }
        }
        let numbered = (0_u32..).zip(&waits);
        let mut free: VecDeque<u32> = numbered
            .filter(|(_, waits)| **waits == 0)
            .map(|(at, _)| at)
            .collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(at) = free.pop_front() {
            order.push(at);
            for from in waiting.get(at as usize).into_iter().flatten() {
                if let Some(count) = waits.get_mut(*from as usize) {
                    *count -= 1;
                    if *count == 0 {
                        free.push_back(*from);
                    }
                }
            }
        }
        order
    }

    fn count_depths(&mut self, order: &[u32]) {
        let mut depths: Vec<u32> = vec![0; self.nodes.len()];
        let mut edges_of: Vec<Vec<u32>> = vec![Vec::new(); self.nodes.len()];
        for edge in self.free_edges() {
            if let Some(list) = edges_of.get_mut(edge.from as usize) {
                list.push(edge.to);
            }
        }
        for at in order {
            let below = edges_of.get(*at as usize).into_iter().flatten();
            let depth = below
                .filter_map(|to| depths.get(*to as usize))
                .map(|depth| depth + 1)
                .max()
                .unwrap_or(0);
            if let Some(slot) = depths.get_mut(*at as usize) {
                *slot = depth;
            }
        }
        for (node, depth) in self.nodes.iter_mut().zip(depths) {
            node.depth = depth;
        }
    }

    /// Edges that close no cycle.
    fn free_edges(&self) -> impl Iterator<Item = &Edge> {
        let closing = &self.closing;
        let edges = self.edges.iter().enumerate();
        edges
            .filter(|(at, _)| closing.is_empty() || !closing.contains(at))
            .map(|(_, edge)| edge)
    }
}
