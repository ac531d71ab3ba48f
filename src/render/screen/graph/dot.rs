//! The graph in Graphviz's language: the same ids as in JSON, a box a cluster.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{GraphScreen, reason};
use crate::domain::graph::Node;
use crate::domain::ids::ClusterName;

/// The text of a DOT file.
pub(super) fn dot(screen: &GraphScreen<'_>) -> String {
    let mut out = format!(
        "// {}\n// An edge leads from the release that waits to the one that it waits for.\n\
         digraph refit {{\n  rankdir=RL;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=9];\n",
        screen.counts()
    );
    let mut clusters: BTreeMap<usize, (&ClusterName, Vec<&Node>)> = BTreeMap::new();
    let mut number = 0;
    let mut last: Option<&ClusterName> = None;
    for node in &screen.graph.nodes {
        let cluster = &node.release.cluster;
        if last.is_some_and(|it| it != cluster) {
            number += 1;
        }
        last = Some(cluster);
        let entry = clusters.entry(number);
        entry.or_insert_with(|| (cluster, Vec::new())).1.push(node);
    }
    for (number, (cluster, nodes)) in &clusters {
        let _ = writeln!(
            out,
            "  subgraph cluster_{number} {{\n    label={};",
            quoted(cluster.as_str())
        );
        for node in nodes {
            let mark = screen.mark(node);
            let id = &node.release;
            let mut label = format!("{}/{}", id.namespace, id.name);
            if let Some(chart) = &node.chart {
                let _ = write!(label, "\n{}-{}", chart.name, chart.version);
            }
            let told: Vec<String> = [
                mark.outcome.map(|outcome| format!("{outcome:?}")),
                mark.wave.map(|wave| format!("wave {wave}")),
            ]
            .into_iter()
            .flatten()
            .collect();
            if !told.is_empty() {
                let _ = write!(label, "\n{}", told.join(", "));
            }
            let _ = writeln!(
                out,
                "    {} [label={}];",
                quoted(&id.to_string()),
                quoted(&label)
            );
        }
        out.push_str("  }\n");
    }
    for edge in &screen.graph.edges {
        let across = match (screen.graph.node(edge.from), screen.graph.node(edge.to)) {
            (Some(from), Some(to)) => from.release.cluster != to.release.cluster,
            _ => false,
        };
        let style = if edge.is_declared() {
            "solid"
        } else {
            "dashed"
        };
        let weight = if across { ", penwidth=2.5" } else { "" };
        let _ = writeln!(
            out,
            "  {} -> {} [style={style}{weight}, label={}, tooltip={}];",
            quoted(&screen.name(edge.from)),
            quoted(&screen.name(edge.to)),
            quoted(edge.kind.word()),
            quoted(&format!("{}, {}", reason(edge), edge.confidence)),
        );
    }
    out.push_str("}\n");
    out
}

/// A text in quotes. Control characters but the line end are not DOT's business.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('?'),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
