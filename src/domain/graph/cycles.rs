//! Cycles: found, named edge by edge, and broken at their weakest inferred edge.
//!
//! Within a strongly connected component edges are put back one by one, the surest first (declared ones before all).
//! One that would close a cycle closes it over edges that are all at least as sure: it is that cycle's weakest, and what
//! would break it. So the edges left over are a smallest-harm cut, and each cut edge has a cycle to show for it.
//! The order among the edges already taken is kept up to date as they come (Pearce and Kelly, "A dynamic topological
//! sort algorithm for directed acyclic graphs", 2006), so an edge that fits costs next to nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::edge::Edge;

/// Cycles that are written out. One cut may hide more; their number is told.
const MOST_CYCLES: usize = 20;

/// A way around: each edge leads to the next, the last to the first. `edges` are places in the graph's edges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The cycle, beginning with the edge whose loss breaks it.
    pub edges: Vec<usize>,
}

/// What stands in the way of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cycles {
    /// Edges that close a cycle, in ascending order: without them the rest is free of cycles.
    pub closing: Vec<usize>,
    /// One cycle for each pair of releases with a closing edge, at most [`MOST_CYCLES`].
    pub shown: Vec<Found>,
    /// How many there are.
    pub total: usize,
}

/// Finds them. `nodes` is the number of nodes; edges are sorted. Linear where there is no cycle.
pub(super) fn cycles(nodes: usize, edges: &[Edge]) -> Cycles {
    let mut cycles = Cycles::default();
    for component in components(nodes, edges) {
        one(&component, edges, &mut cycles);
    }
    cycles.closing.sort_unstable();
    cycles
}

/// Edges of each component with more than one node, in order.
fn components(nodes: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(nodes, edges.len());
    let places: Vec<_> = (0..nodes).map(|_| graph.add_node(())).collect();
    for edge in edges {
        if let (Some(from), Some(to)) =
            (places.get(edge.from as usize), places.get(edge.to as usize))
        {
            graph.add_edge(*from, *to, ());
        }
    }
    let mut component_of: Vec<u32> = vec![u32::MAX; nodes];
    let mut components: Vec<u32> = Vec::new();
    for component in kosaraju_scc(&graph) {
        if let [_, _, ..] = component.as_slice() {
            let number = u32::try_from(components.len()).unwrap_or(u32::MAX);
            let mut least = u32::MAX;
            for node in component {
                if let Some(slot) = component_of.get_mut(node.index()) {
                    *slot = number;
                    least = least.min(u32::try_from(node.index()).unwrap_or(u32::MAX));
                }
            }
            components.push(least);
        }
    }
    let of = |node: u32| component_of.get(node as usize).copied().unwrap_or(u32::MAX);
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); components.len()];
    for (at, edge) in edges.iter().enumerate() {
        let component = of(edge.from);
        if component != u32::MAX
            && component == of(edge.to)
            && let Some(found) = found.get_mut(component as usize)
        {
            found.push(at);
        }
    }
    // By their first node: the order of the input's edges and of the search plays no part.
    let mut ordered: Vec<(u32, Vec<usize>)> = components.into_iter().zip(found).collect();
    ordered.sort_by_key(|(least, _)| *least);
    ordered.into_iter().map(|(_, edges)| edges).collect()
}

fn one(component: &[usize], edges: &[Edge], cycles: &mut Cycles) {
    let mut places: BTreeMap<u32, usize> = BTreeMap::new();
    for edge in component.iter().filter_map(|at| edges.get(*at)) {
        places.insert(edge.from, 0);
        places.insert(edge.to, 0);
    }
    for (place, slot) in places.values_mut().enumerate() {
        *slot = place;
    }
    let mut surest: Vec<usize> = component.to_vec();
    surest.sort_by_key(|at| {
        edges.get(*at).map(|edge| {
            let sure = std::cmp::Reverse((edge.is_declared(), edge.confidence));
            (sure, edge.from, edge.to, edge.kind)
        })
    });
    let mut taken = Taken::new(places.len());
    let mut told: BTreeSet<(u32, u32)> = BTreeSet::new();
    for at in surest {
        let Some(edge) = edges.get(at) else { continue };
        let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) else {
            continue;
        };
        if taken.take(*from, *to, at) {
            continue;
        }
        cycles.closing.push(at);
        if told.insert((edge.from, edge.to)) {
            cycles.total += 1;
            if cycles.shown.len() < MOST_CYCLES {
                let mut way = vec![at];
                way.extend(taken.way(*to, *from));
                cycles.shown.push(Found { edges: way });
            }
        }
    }
}

/// Edges that are free of cycles, with an order of the nodes that all of them follow.
struct Taken {
    /// Place of each node in the order.
    place: Vec<usize>,
    /// Where each node's edges lead to, and which edge.
    out: Vec<Vec<(usize, usize)>>,
    /// Where they come from.
    back: Vec<Vec<usize>>,
}

impl Taken {
    fn new(nodes: usize) -> Self {
        Self {
            place: (0..nodes).collect(),
            out: vec![Vec::new(); nodes],
            back: vec![Vec::new(); nodes],
        }
    }

    /// Takes an edge unless it closes a cycle.
    fn take(&mut self, from: usize, to: usize, edge: usize) -> bool {
        if from == to {
            return false;
        }
        if self.place[to] < self.place[from] {
            let (low, high) = (self.place[to], self.place[from]);
            let Some(after) = self.reach(
                to,
                from,
                |place| place <= high,
                |taken, node| taken.out[node].iter().map(|(next, _)| *next).collect(),
            ) else {
                return false;
            };
            let before = self
                .reach(
                    from,
                    to,
                    |place| place >= low,
                    |taken, node| taken.back[node].clone(),
                )
                .unwrap_or_default();
            self.reorder(before, after);
        }
        self.out[from].push((to, edge));
        self.back[to].push(from);
        true
    }

    /// All nodes that `start` leads to within the bounds; `None` if `goal` is one of them.
    fn reach(
        &self,
        start: usize,
        goal: usize,
        within: impl Fn(usize) -> bool,
        next: impl Fn(&Self, usize) -> Vec<usize>,
    ) -> Option<Vec<usize>> {
        let mut seen = BTreeSet::from([start]);
        let mut stack = vec![start];
        while let Some(node) = stack.pop() {
            for other in next(self, node) {
                if other == goal {
                    return None;
                }
                if within(self.place[other]) && seen.insert(other) {
                    stack.push(other);
                }
            }
        }
        Some(seen.into_iter().collect())
    }

    /// Puts `before` in front of `after`, in the places that both have now.
    fn reorder(&mut self, mut before: Vec<usize>, mut after: Vec<usize>) {
        before.sort_by_key(|node| self.place[*node]);
        after.sort_by_key(|node| self.place[*node]);
        let nodes: Vec<usize> = before.into_iter().chain(after).collect();
        let mut places: Vec<usize> = nodes.iter().map(|node| self.place[*node]).collect();
        places.sort_unstable();
        for (node, place) in nodes.into_iter().zip(places) {
            self.place[node] = place;
        }
    }

    /// A shortest way, as edges.
    fn way(&self, start: usize, goal: usize) -> Vec<usize> {
        let mut came: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            if node == goal {
                break;
            }
            for (next, edge) in &self.out[node] {
                if *next != start && !came.contains_key(next) {
                    came.insert(*next, (node, *edge));
                    queue.push_back(*next);
                }
            }
        }
        let mut way = Vec::new();
        let mut at = goal;
        while let Some((before, edge)) = came.get(&at) {
            way.push(*edge);
            at = *before;
        }
        way.reverse();
        way
    }
}
