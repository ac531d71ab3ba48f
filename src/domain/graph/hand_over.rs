//! The graph as the planner takes it: numbers, and each reason once.

use std::collections::BTreeMap;

use super::{Edge, ReleaseGraph};
use crate::domain::plan::{self, Dependencies, EdgeInvalid, EdgeReason};

impl ReleaseGraph {
    /// One edge for each pair of releases, with the surest of its reasons. The graph should have no cycle: the planner
    /// refuses one. Linear but for the sorting of reasons.
    pub fn dependencies(&self) -> Result<Dependencies, EdgeInvalid> {
        let mut places: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut reasons: Vec<EdgeReason> = Vec::new();
        let mut edges: Vec<plan::Edge> = Vec::new();
        let mut surest: Option<&Edge> = None;
        let pairs = self.edges.iter().map(Some).chain([None]);
        for edge in pairs {
            // Edges of one pair stand side by side.
            let same = |best: &Edge, edge: &Edge| (best.from, best.to) == (edge.from, edge.to);
            match (surest, edge) {
                (Some(best), Some(edge)) if same(best, edge) => {
                    let rank = |it: &Edge| (it.is_declared(), it.confidence);
                    if rank(edge) > rank(best) {
                        surest = Some(edge);
                    }
                    continue;
                }
                _ => {}
            }
            if let Some(best) = surest {
                let next = u32::try_from(reasons.len()).unwrap_or(u32::MAX);
                let reason = *places
                    .entry((best.kind.word(), &best.reason))
                    .or_insert_with(|| {
                        reasons.push(EdgeReason {
                            kind: best.kind.word().to_owned(),
                            detail: best.reason.to_string(),
                        });
                        next
                    });
                edges.push(plan::Edge {
                    dependent: best.from,
                    on: best.to,
                    reason,
                });
            }
            surest = edge;
        }
        let releases = self.nodes.iter().map(|it| it.release.clone()).collect();
        Dependencies::new(releases, edges, reasons)
    }
}
