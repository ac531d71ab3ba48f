//! `refit graph`: who waits for whom, as a tree, a list of edges, JSON, DOT or a picture.

mod dot;
mod svg;
mod tree;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::graph::{Edge, Node, ReleaseGraph};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::shadow::ReleaseOutcome;
use crate::render::{Document, Format, Next, Span, text};

/// What is known of a release beside its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// Its forecast, if a plan or a forecast was given.
    pub outcome: Option<ReleaseOutcome>,
    /// Its wave, if a plan was given.
    pub wave: Option<u32>,
}

/// What the screen shows.
#[derive(Debug, Clone)]
pub struct GraphScreen<'a> {
    /// The fleet's name.
    pub fleet: &'a str,
    /// The part in focus.
    pub graph: &'a ReleaseGraph,
    /// What is in focus, for the first line: a cluster, a release, or nothing for all.
    pub focus: Option<&'a str>,
    /// Outcomes and waves by release.
    pub marks: &'a BTreeMap<ReleaseId, Mark>,
    /// Clusters that were not read, and why.
    pub unread: &'a BTreeMap<ClusterName, String>,
    /// Clusters in scope.
    pub clusters: usize,
    /// When the reading began.
    pub taken_at: Timestamp,
    /// How long it took; none for a saved graph.
    pub took: Option<SignedDuration>,
    /// refit's version.
    pub tool: &'a str,
}

impl GraphScreen<'_> {
    /// Kind `ReleaseGraph`; with a picture only in the format that asks for it.
    pub fn document(&self, format: Format) -> Document {
        let mut document = Document::new("ReleaseGraph");
        document = match format {
            Format::Json | Format::Yaml => self.fields(document),
            Format::Dot => document.picture(dot::dot(self)),
            Format::Svg => document.picture(svg::svg(self)),
            Format::Table | Format::Wide => self.trees(document),
            Format::Name => {
                document.names(self.graph.nodes.iter().map(|it| it.release.to_string()))
            }
        };
        document = document.total([Span::plain(self.total())]);
        for edge in &self.graph.cut {
            document = document.warning(format!(
                "cut: {} -> {} ({}, {}, {}): it closed a cycle",
                self.name(edge.from),
                self.name(edge.to),
                edge.kind,
                edge.reason,
                edge.confidence
            ));
        }
        for lost in &self.graph.skipped {
            document = document.warning(format!(
                "{}: {} = \"{}\" matches no release that was read",
                lost.place, lost.key, lost.glob
            ));
        }
        for (cluster, why) in self.unread {
            document = document.warning(format!("{cluster} not read: {why}"));
        }
        if self.graph.is_cyclic() {
            document
        } else {
            document.next(Next::Plan, "waves that keep to this order")
        }
    }

    /// The JSON that `--save` keeps.
    pub fn to_json(&self) -> Value {
        self.fields(Document::new("ReleaseGraph")).to_json()
    }

    fn name(&self, place: u32) -> String {
        let node = self.graph.node(place);
        node.map_or_else(String::new, |node| node.release.to_string())
    }

    fn mark(&self, node: &Node) -> Mark {
        self.marks.get(&node.release).copied().unwrap_or_default()
    }

    /// `62 releases, 88 edges (6 declared, 82 inferred), depth 5, no cycle`.
    fn counts(&self) -> String {
        let graph = self.graph;
        let declared = graph.edges.iter().filter(|it| it.is_declared()).count();
        let cycles = match graph.cycles_total {
            0 => "no cycle".to_owned(),
            number => text::counted(number as u64, "cycle"),
        };
        format!(
            "{}, {} ({} declared, {} inferred), depth {}, {cycles}",
            text::counted(text::len(&graph.nodes), "release"),
            text::counted(text::len(&graph.edges), "edge"),
            text::count(declared as u64),
            text::count((graph.edges.len() - declared) as u64),
            self.depth(),
        )
    }

    fn depth(&self) -> u32 {
        let depths = self.graph.nodes.iter().map(|node| node.depth);
        depths.max().unwrap_or(0)
    }

    fn total(&self) -> String {
        let clusters = if self.unread.is_empty() {
            text::counted(self.clusters as u64, "cluster")
        } else {
            let read = self.clusters.saturating_sub(self.unread.len());
            format!("{read} of {} clusters", self.clusters)
        };
        let took = self
            .took
            .map_or_else(String::new, |took| format!(", {}", text::duration(took)));
        format!("{}; {clusters}{took}, 0 writes.", self.counts())
    }

    fn fields(&self, document: Document) -> Document {
        let graph = self.graph;
        let nodes = graph.nodes.iter().map(|node| {
            let mut item = json!({"release": node.release, "depth": node.depth});
            if let Some(map) = item.as_object_mut() {
                let mark = self.mark(node);
                if let Some(chart) = &node.chart {
                    map.insert("chart".to_owned(), json!(chart));
                }
                if let Some(outcome) = mark.outcome {
                    map.insert("outcome".to_owned(), json!(outcome));
                }
                if let Some(wave) = mark.wave {
                    map.insert("wave".to_owned(), json!(wave));
                }
            }
            item
        });
        let list =
            |edges: &[Edge]| -> Vec<Value> { edges.iter().map(|it| self.edge(it)).collect() };
        let cycles = graph
            .cycles
            .iter()
            .map(|it| json!({"breakable": it.breakable, "edges": list(&it.edges)}));
        let skipped = graph
            .skipped
            .iter()
            .map(|it| json!({"place": it.place, "key": it.key, "glob": it.glob}));
        let declared = graph.edges.iter().filter(|it| it.is_declared()).count();
        document
            .field(
                "metadata",
                json!({"fleet": self.fleet, "takenAt": text::time(self.taken_at), "tool": self.tool}),
            )
            .field(
                "summary",
                json!({
                    "releases": graph.nodes.len(), "edges": graph.edges.len(), "declared": declared,
                    "inferred": graph.edges.len() - declared, "depth": self.depth(),
                    "cycles": graph.cycles_total, "cut": graph.cut.len(), "clusters": self.clusters,
                }),
            )
            .field("nodes", nodes.collect::<Vec<_>>())
            .field("edges", list(&graph.edges))
            .field("cut", list(&graph.cut))
            .field("cycles", cycles.collect::<Vec<_>>())
            .field("skipped", skipped.collect::<Vec<_>>())
            .field("unread", json!(self.unread))
    }

    fn edge(&self, edge: &Edge) -> Value {
        let mut item = json!({
            "from": self.name(edge.from), "to": self.name(edge.to), "kind": edge.kind, "reason": edge.reason,
            "confidence": edge.confidence, "declared": edge.is_declared(),
        });
        if let Some(map) = item.as_object_mut().filter(|_| edge.more > 0) {
            map.insert("more".to_owned(), json!(edge.more));
        }
        item
    }
}

/// The reason, and how many more there are.
fn reason(edge: &Edge) -> String {
    match edge.more {
        0 => edge.reason.to_string(),
        more => format!("{} (+{more})", edge.reason),
    }
}
