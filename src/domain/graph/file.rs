//! A saved graph: the JSON of `refit graph -o json`, read back. Foreign bytes: nothing in them can panic.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::edge::{Confidence, Edge, EdgeKind};
use super::{Node, ReleaseGraph, infer};
use crate::domain::fleet::release_order;
use crate::domain::ids::ReleaseId;
use crate::domain::release::ChartRef;

/// A document that is no graph.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphUnreadable {
    /// A part is missing or of another type.
    #[error("{0}")]
    Shape(String),
    /// A release stands there twice.
    #[error("{0} is among the nodes twice")]
    Twice(ReleaseId),
    /// An edge to a release that is not there.
    #[error("an edge names {0}, which is not among the nodes")]
    NoSuchNode(ReleaseId),
    /// More releases than a graph can count.
    #[error("it has too many releases")]
    TooLarge,
}

#[derive(Deserialize)]
struct FileGraph {
    nodes: Vec<FileNode>,
    edges: Vec<FileEdge>,
    #[serde(default)]
    cut: Vec<FileEdge>,
}

#[derive(Deserialize)]
struct FileNode {
    release: ReleaseId,
    chart: Option<ChartRef>,
}

#[derive(Deserialize)]
struct FileEdge {
    from: ReleaseId,
    to: ReleaseId,
    kind: EdgeKind,
    reason: String,
    confidence: Confidence,
    #[serde(default)]
    more: u32,
}

/// Reads a graph. Depths and cycles are counted again, not believed.
pub fn read_graph(value: &Value) -> Result<ReleaseGraph, GraphUnreadable> {
    let file =
        FileGraph::deserialize(value).map_err(|error| GraphUnreadable::Shape(error.to_string()))?;
    let mut nodes: Vec<Node> = file
        .nodes
        .into_iter()
        .map(|node| Node {
            release: node.release,
            chart: node.chart,
            depth: 0,
        })
        .collect();
    nodes.sort_by(|a, b| release_order(&a.release, &b.release));
    for pair in nodes.windows(2) {
        if let [a, b] = pair
            && a.release == b.release
        {
            return Err(GraphUnreadable::Twice(a.release.clone()));
        }
    }
    let mut places: BTreeMap<&ReleaseId, u32> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        let at = u32::try_from(at).map_err(|_| GraphUnreadable::TooLarge)?;
        places.insert(&node.release, at);
    }
    let place = |release: &ReleaseId| {
        places
            .get(release)
            .copied()
            .ok_or_else(|| GraphUnreadable::NoSuchNode(release.clone()))
    };
    let read = |edges: Vec<FileEdge>| -> Result<Vec<Edge>, GraphUnreadable> {
        let mut read = Vec::with_capacity(edges.len());
        for edge in edges {
            let made = Edge {
                from: place(&edge.from)?,
                to: place(&edge.to)?,
                kind: edge.kind,
                confidence: edge.confidence,
                reason: Arc::from(edge.reason),
                more: edge.more,
            };
            if made.from != made.to {
                read.push(made);
            }
        }
        Ok(read)
    };
    let (edges, cut) = (infer::folded(read(file.edges)?), read(file.cut)?);
    let mut graph = ReleaseGraph::assemble(nodes, edges, Vec::new(), false);
    graph.cut = cut;
    Ok(graph)
}
