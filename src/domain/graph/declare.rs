//! From `[[depends]]` to declared edges, within clusters and across them.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::edge::{Confidence, Edge, EdgeKind};
use super::{GraphError, Node, ReadScope, UnknownRelease};
use crate::domain::fleet::{Depends, PlacedGlob, ReleaseGlob};
use crate::domain::ids::ClusterName;

/// Edges that all declarations may make together: three times what a million releases are planned with. More is a glob
/// that is wider than it was meant.
const MOST_EDGES: usize = 10_000_000;

/// Releases with a similar name that an error names.
const CLOSE: usize = 3;

/// A glob that matches nothing, without anybody's fault: what it speaks of was not read.
pub(super) type Skipped = UnknownRelease;

/// Edges of all declarations, and the declarations that could not be judged. `nodes` are sorted by cluster.
/// Time: releases times declarations, plus the edges.
pub(super) fn edges(
    nodes: &[Node],
    depends: &[Depends],
    read: &ReadScope,
) -> Result<(Vec<Edge>, Vec<Skipped>), GraphError> {
    let clusters = cluster_ranges(nodes);
    let mut edges = Vec::new();
    let (mut unknown, mut skipped) = (Vec::new(), Vec::new());
    for declared in depends {
        let glob = |placed: &PlacedGlob| {
            ReleaseGlob::parse(&placed.glob).map_err(|refused| GraphError::BadGlob {
                place: placed.place.clone(),
                why: refused.to_string(),
            })
        };
        let (who, on) = (glob(&declared.release)?, glob(&declared.on)?);
        let matching = |glob: &ReleaseGlob| -> Vec<usize> {
            let ranges = clusters
                .iter()
                .filter(|(name, _)| glob.matches_cluster(name.as_str()));
            let places = ranges.flat_map(|(_, range)| range.clone());
            places
                .filter(|at| nodes.get(*at).is_some_and(|it| glob.matches(&it.release)))
                .collect()
        };
        let (dependents, dependencies) = (matching(&who), matching(&on));
        let sides = [
            ("release", &declared.release, &who, &dependents),
            ("on", &declared.on, &on, &dependencies),
        ];
        for (key, placed, glob, matched) in sides {
            if matched.is_empty() {
                let lost = UnknownRelease {
                    place: placed.place.clone(),
                    key: key.to_owned(),
                    glob: placed.glob.clone(),
                    close: close(&placed.glob, nodes),
                };
                if read.judges(glob, &clusters) {
                    unknown.push(lost);
                } else {
                    skipped.push(lost);
                }
            }
        }
        let place: Arc<str> = Arc::from(declared.release.place.as_str());
        let mut add = |dependents: &[usize], dependencies: &[usize]| {
            for from in dependents {
                for to in dependencies.iter().filter(|to| *to != from) {
                    if let (Ok(from), Ok(to)) = (u32::try_from(*from), u32::try_from(*to)) {
                        edges.push(Edge {
                            from,
                            to,
                            kind: EdgeKind::Declared,
                            confidence: Confidence::CERTAIN,
                            reason: Arc::clone(&place),
                            more: 0,
                        });
                    }
                }
            }
        };
        let too_many = |count: usize| GraphError::TooMany {
            place: declared.release.place.clone(),
            edges: count,
            most: MOST_EDGES,
        };
        if who.same_cluster(&on) {
            for (_, range) in &clusters {
                let (from, to) = (within(&dependents, range), within(&dependencies, range));
                add(from, to);
            }
        } else {
            let count = dependents.len().saturating_mul(dependencies.len());
            if count > MOST_EDGES {
                return Err(too_many(count));
            }
            add(&dependents, &dependencies);
        }
        if edges.len() > MOST_EDGES {
            return Err(too_many(edges.len()));
        }
    }
    if unknown.is_empty() {
        Ok((edges, skipped))
    } else {
        Err(GraphError::UnknownReleases(unknown))
    }
}

/// Where each cluster's nodes are.
fn cluster_ranges(nodes: &[Node]) -> Vec<(ClusterName, Range<usize>)> {
    let mut ranges: Vec<(ClusterName, Range<usize>)> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        match ranges.last_mut() {
            Some((name, range)) if *name == node.release.cluster => range.end = at + 1,
            _ => ranges.push((node.release.cluster.clone(), at..at + 1)),
        }
    }
    ranges
}

/// The sorted places that lie in a range.
fn within<'a>(sorted: &'a [usize], range: &Range<usize>) -> &'a [usize] {
    let start = sorted.partition_point(|at| *at < range.start);
    let end = sorted.partition_point(|at| *at < range.end);
    sorted.get(start..end).unwrap_or_default()
}

impl ReadScope {
    /// May a glob that matches nothing be called wrong? Only if all that it speaks of was read.
    fn judges(&self, glob: &ReleaseGlob, clusters: &[(ClusterName, Range<usize>)]) -> bool {
        if self.narrowed {
            return false;
        }
        let unread = |name: &ClusterName| glob.matches_cluster(name.as_str());
        let empty = clusters.is_empty() && self.unread.is_empty();
        !empty && !self.unread.iter().any(unread)
    }
}

/// Releases with similar ids: those of the same name part and namespace first, then of the name part, then of the
/// namespace; by the alphabet among equals.
fn close(glob: &str, nodes: &[Node]) -> Vec<String> {
    let parts: Vec<&str> = glob.split('/').collect();
    let [_, namespace, name] = parts.as_slice() else {
        return Vec::new();
    };
    let stem = name.trim_matches('*');
    let mut found: BTreeSet<(u8, String)> = BTreeSet::new();
    for node in nodes {
        let own = node.release.name.as_str();
        let alike = !stem.is_empty() && (own.contains(stem) || stem.contains(own));
        let rank = match (alike, node.release.namespace.as_str() == *namespace) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => continue,
        };
        found.insert((rank, node.release.to_string()));
        if found.len() > CLOSE {
            found.pop_last();
        }
    }
    found.into_iter().map(|(_, release)| release).collect()
}
