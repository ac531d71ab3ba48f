//! The text form: on a terminal a tree a cluster, when piped one edge a line.
//!
//! A release stands under each one that it waits for directly; what waits for it in turn stands under it once, at the
//! deepest of those places.

use std::collections::{BTreeMap, BTreeSet};

use super::{GraphScreen, reason};
use crate::domain::graph::{Edge, EdgeKind};
use crate::domain::ids::ClusterName;
use crate::render::{Column, Document, Span, Table, Tree, TreeRow};

/// So many leaves with one reason are still listed one by one.
const ONE_BY_ONE: usize = 3;

/// Levels of the tree: more do not fit on any terminal. The list of edges has all.
const DEEPEST: usize = 40;

/// Namespaces that a folded line names.
const NAMESPACES: usize = 3;

impl GraphScreen<'_> {
    /// A tree a cluster; one table of all edges when piped.
    pub(super) fn trees(&self, document: Document) -> Document {
        let title = match self.focus {
            Some(focus) => format!("{focus}: {}", self.counts()),
            None => format!("{}: {}", self.fleet, self.counts()),
        };
        let mut rows = Vec::new();
        let forest = Forest::of(self);
        let mut told: BTreeSet<&ClusterName> = BTreeSet::new();
        for node in &self.graph.nodes {
            let cluster = &node.release.cluster;
            if !forest.roots.contains_key(cluster) || !told.insert(cluster) {
                continue;
            }
            // One cluster needs no line of its own.
            let below = usize::from(forest.roots.len() > 1);
            if below > 0 {
                rows.push(TreeRow {
                    depth: 0,
                    name: cluster.as_str().to_owned(),
                    value: None,
                    cells: Vec::new(),
                });
            }
            for root in forest.roots.get(cluster).into_iter().flatten() {
                forest.grow(*root, None, below, &mut rows);
            }
        }
        document.tree(Tree {
            title,
            rows,
            flat: self.flat(),
        })
    }

    fn flat(&self) -> Table {
        let mut table = Table::new([
            Column::new("FROM"),
            Column::new("TO"),
            Column::new("KIND"),
            Column::new("REASON"),
            Column::new("CONFIDENCE"),
        ]);
        for edge in &self.graph.edges {
            table.row([
                Span::plain(self.name(edge.from)),
                Span::plain(self.name(edge.to)),
                Span::plain(edge.kind.word()),
                Span::plain(reason(edge)),
                Span::plain(edge.confidence.to_string()),
            ]);
        }
        table
    }
}

/// Who stands under whom.
struct Forest<'a> {
    screen: &'a GraphScreen<'a>,
    /// Releases that wait for nobody and are waited for, by cluster.
    roots: BTreeMap<&'a ClusterName, Vec<u32>>,
    /// Of each release the surest edge from each release that waits for it.
    waiting: BTreeMap<u32, Vec<&'a Edge>>,
    /// Where what is below a release is shown: under this one.
    home: BTreeMap<u32, u32>,
}

impl<'a> Forest<'a> {
    fn of(screen: &'a GraphScreen<'a>) -> Self {
        let graph = screen.graph;
        let mut surest: BTreeMap<(u32, u32), &Edge> = BTreeMap::new();
        for edge in &graph.edges {
            let rank = |it: &Edge| (it.confidence, it.is_declared());
            surest
                .entry((edge.to, edge.from))
                .and_modify(|best| {
                    if rank(edge) > rank(best) {
                        *best = edge;
                    }
                })
                .or_insert(edge);
        }
        let depth = |at: u32| graph.node(at).map_or(0, |node| node.depth);
        let mut waiting: BTreeMap<u32, Vec<&Edge>> = BTreeMap::new();
        let mut home: BTreeMap<u32, u32> = BTreeMap::new();
        for edge in surest.into_values() {
            // An edge that closes a cycle leads downwards: the tree goes up only.
            if depth(edge.from) <= depth(edge.to) {
                continue;
            }
            waiting.entry(edge.to).or_default().push(edge);
            let deepest = home.entry(edge.from).or_insert(edge.to);
            if depth(edge.to) > depth(*deepest) {
                *deepest = edge.to;
            }
        }
        let mut roots: BTreeMap<&ClusterName, Vec<u32>> = BTreeMap::new();
        for (at, node) in (0_u32..).zip(&graph.nodes) {
            if !home.contains_key(&at) && waiting.contains_key(&at) {
                roots.entry(&node.release.cluster).or_default().push(at);
            }
        }
        Self {
            screen,
            roots,
            waiting,
            home,
        }
    }

    fn grow(&self, at: u32, over: Option<&Edge>, depth: usize, rows: &mut Vec<TreeRow>) {
        rows.push(self.row(at, over, depth));
        let shown_here = over.is_none_or(|edge| self.home.get(&at) == Some(&edge.to));
        if !shown_here || depth > DEEPEST {
            return;
        }
        let children = self.waiting.get(&at).map_or(&[][..], Vec::as_slice);
        let leaf = |edge: &&Edge| {
            !self.waiting.contains_key(&edge.from) || self.home.get(&edge.from) != Some(&at)
        };
        let mut folded: BTreeMap<(EdgeKind, &str), Vec<&Edge>> = BTreeMap::new();
        for edge in children.iter().filter(|it| leaf(it)) {
            folded
                .entry((edge.kind, &edge.reason))
                .or_default()
                .push(edge);
        }
        for edge in children {
            let key = (edge.kind, &*edge.reason);
            match folded.get(&key).filter(|_| leaf(edge)) {
                Some(alike) if alike.len() > ONE_BY_ONE => {
                    if alike.first().is_some_and(|first| first.from == edge.from) {
                        rows.push(self.row(edge.from, Some(edge), depth + 1));
                        rows.push(self.rest(alike, depth + 1));
                    }
                }
                _ => self.grow(edge.from, Some(edge), depth + 1, rows),
            }
        }
    }

    fn row(&self, at: u32, over: Option<&Edge>, depth: usize) -> TreeRow {
        let node = self.screen.graph.node(at);
        let name = node.map_or_else(String::new, |node| {
            let id = &node.release;
            let home = over.and_then(|edge| self.screen.graph.node(edge.to));
            if home.is_some_and(|home| home.release.cluster != id.cluster) {
                id.to_string()
            } else {
                format!("{}/{}", id.namespace, id.name)
            }
        });
        TreeRow {
            depth,
            name,
            value: None,
            cells: over.map_or_else(Vec::new, cells),
        }
    }

    /// The others of a group, in one line.
    fn rest(&self, alike: &[&Edge], depth: usize) -> TreeRow {
        let others = alike.iter().skip(1);
        let nodes = others.filter_map(|edge| self.screen.graph.node(edge.from));
        let namespaces: BTreeSet<&str> =
            nodes.map(|node| node.release.namespace.as_str()).collect();
        let mut named: Vec<&str> = namespaces.iter().copied().take(NAMESPACES).collect();
        if namespaces.len() > NAMESPACES {
            named.push("...");
        }
        TreeRow {
            depth,
            name: format!("({} more in {})", alike.len() - 1, named.join(", ")),
            value: None,
            cells: alike.first().map_or_else(Vec::new, |edge| cells(edge)),
        }
    }
}

fn cells(edge: &Edge) -> Vec<Span> {
    vec![
        Span::plain(edge.kind.word()),
        Span::plain(reason(edge)),
        Span::plain(edge.confidence.to_string()),
    ]
}
