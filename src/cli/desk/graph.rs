//! The dependency graph: reading, declarations, and what a wrong one is told as. Zero writes.

use std::collections::BTreeMap;

use super::Desk;
use super::ground::{Ground, ground};
use super::shadow::none_answered;
use crate::cli::backend::{GraphRead, LookAt};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::Fleet;
use crate::domain::graph::{ClusterSight, Cycle, Edge, GraphError, ReadScope, ReleaseGraph, build};
use crate::domain::ids::ClusterName;
use crate::engine::graph::see;
use crate::engine::inventory::Source;
use crate::engine::plan::Planned;
use crate::render::{Next, text};

/// Edges of a cycle that an error lists; the JSON has all.
const EDGES_TOLD: usize = 20;

/// Reads the clusters of the fleet and makes the graph. A cycle is no error here: the graph says it.
pub async fn graph(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
    whole: bool,
) -> Result<GraphRead, CliError> {
    let Ground {
        clusters, scope, ..
    } = ground(desk, invocation, fleet, at).await?;
    let sources: Vec<Source> = clusters.into_iter().map(Planned::into_source).collect();
    let seen = see(&sources, &scope).await;
    if seen.clusters.is_empty() {
        return Err(none_answered(&seen.unread));
    }
    let whole = whole && !invocation.scope().narrows_clusters();
    let graph = of_sights(fleet, seen.clusters, &seen.unread, whole)?;
    Ok(GraphRead {
        graph,
        unread: seen.unread,
    })
}

/// The graph of what was seen. `whole`: all clusters of fleet.toml are in scope.
pub fn of_sights(
    fleet: &Fleet,
    clusters: Vec<ClusterSight>,
    unread: &BTreeMap<ClusterName, String>,
    whole: bool,
) -> Result<ReleaseGraph, CliError> {
    let read = ReadScope {
        unread: unread.keys().cloned().collect(),
        narrowed: !whole,
    };
    build(clusters, &fleet.depends, &read, fleet.cut_inferred).map_err(|error| refused(&error))
}

/// A graph that cannot be made.
fn refused(error: &GraphError) -> CliError {
    match error {
        GraphError::UnknownReleases(unknown) => {
            let mut made = CliError::new(ErrorCode::ReleaseNotFound, error.to_string());
            for one in unknown {
                let close = if one.close.is_empty() {
                    String::new()
                } else {
                    format!("   close: {}", one.close.join(", "))
                };
                made = made.at(format!(
                    "{}   {} = \"{}\"{close}",
                    one.place, one.key, one.glob
                ));
            }
            made.next(Next::Inventory)
        }
        GraphError::BadGlob { place, .. } | GraphError::TooMany { place, .. } => {
            CliError::of(ErrorCode::ConfigInvalid, error).at(place.clone())
        }
        GraphError::TooLarge => CliError::of(ErrorCode::Internal, error),
    }
}

/// Refuses a graph with a cycle, every edge of it named.
pub fn refuse_cycles(graph: &ReleaseGraph) -> Result<(), CliError> {
    let Some(first) = graph.cycles.first() else {
        return Ok(());
    };
    let releases = text::counted(text::len(&first.edges), "release");
    let mut made = CliError::new(
        ErrorCode::Cycle,
        if graph.cycles_total > 1 {
            format!(
                "{} cycles of releases that wait for each other",
                graph.cycles_total
            )
        } else {
            format!("{releases} wait for each other")
        },
    );
    let mut told = 0;
    for cycle in &graph.cycles {
        if told > 0 && told + cycle.edges.len() > EDGES_TOLD {
            made = made.because("refit graph -o json has the others");
            break;
        }
        told += cycle.edges.len();
        for line in lines(graph, cycle) {
            made = made.at(line);
        }
    }
    Err(made.next(way_out(first)))
}

/// The edges of a cycle, in columns.
fn lines(graph: &ReleaseGraph, cycle: &Cycle) -> Vec<String> {
    let ends = |edge: &Edge| {
        let name = |at| {
            graph
                .node(at)
                .map_or_else(String::new, |node| node.release.to_string())
        };
        format!("{} -> {}", name(edge.from), name(edge.to))
    };
    let width = cycle.edges.iter().map(|it| ends(it).len()).max();
    let width = width.unwrap_or(0);
    let line = |(at, edge): (usize, &Edge)| {
        let weakest = if at == 0 && cycle.breakable {
            " (the weakest)"
        } else {
            ""
        };
        if edge.is_declared() {
            format!("{:width$}   declared   {}", ends(edge), edge.reason)
        } else {
            format!(
                "{:width$}   inferred   {}, {}{weakest}",
                ends(edge),
                edge.reason,
                edge.confidence
            )
        }
    };
    // As one reads it: the weakest link last.
    let (first, rest) = cycle.edges.split_at(cycle.edges.len().min(1));
    let rest = rest.iter().enumerate().map(|(at, edge)| (at + 1, edge));
    rest.chain(first.iter().map(|edge| (0, edge)))
        .map(line)
        .collect()
}

fn way_out(cycle: &Cycle) -> String {
    let places: Vec<&str> = cycle
        .edges
        .iter()
        .filter(|edge| edge.is_declared())
        .map(|edge| &*edge.reason)
        .collect();
    match (places.first(), cycle.breakable) {
        (Some(place), true) => {
            format!("remove {place}, or let the weakest go: graph.cut_inferred = true")
        }
        (None, true) => "let the weakest go: graph.cut_inferred = true".to_owned(),
        (Some(_), false) => format!("remove one of {}", places.join(", ")),
        (None, false) => "declare another order".to_owned(),
    }
}
