//! From what is seen of one cluster to its inferred edges: who holds what another needs.
//!
//! Every key is put into an index once and asked for once: time grows with the objects (times the logarithm of their
//! number), never with pairs of releases.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edge::{Confidence, Edge, EdgeKind};
use super::gate::{Gate, Rule};
use super::sight::{ClusterSight, FluxRelease, Key, Labels, Sight};

/// Holders of one thing that edges lead to. Two releases that hold one object are a fault of their own (they are
/// Blocked as Shared); edges to all pairs would only repeat it, and grow without bound.
const HOLDERS: usize = 4;

/// Edges of a cluster; `from` and `to` count its releases from `base`. Sorted, each kind between two releases once.
pub(super) fn edges(cluster: &ClusterSight, base: u32) -> Vec<Edge> {
    let mut found = Found {
        base,
        edges: Vec::new(),
    };
    by_key(cluster, &mut found);
    by_admission(cluster, &mut found);
    by_flux(cluster, &mut found);
    folded(found.edges)
}

struct Found {
    base: u32,
    edges: Vec<Edge>,
}

impl Found {
    /// Self edges are nothing to wait for.
    fn add(
        &mut self,
        from: usize,
        to: usize,
        kind: EdgeKind,
        confidence: Confidence,
        reason: &str,
    ) {
        let place = |index: usize| {
            u32::try_from(index)
                .ok()
                .and_then(|index| self.base.checked_add(index))
        };
        if let (Some(from), Some(to)) = (place(from), place(to))
            && from != to
        {
            self.edges.push(Edge {
                from,
                to,
                kind,
                confidence,
                reason: Arc::from(reason),
                more: 0,
            });
        }
    }
}

fn by_key(cluster: &ClusterSight, found: &mut Found) {
    let mut holders: BTreeMap<&Key, Vec<(usize, Confidence)>> = BTreeMap::new();
    for (at, sight) in cluster.releases.iter().enumerate() {
        for provided in &sight.provides {
            let holders = holders.entry(&provided.key).or_default();
            // A release's objects come one after the other: its own doubles stand last.
            if let Some((_, at_most)) = holders.last_mut().filter(|(last, _)| *last == at) {
                *at_most = provided.at_most.max(*at_most);
            } else if holders.len() < HOLDERS {
                holders.push((at, provided.at_most));
            }
        }
    }
    for (at, sight) in cluster.releases.iter().enumerate() {
        for need in &sight.needs {
            let held = holders.get(&need.key).map_or(&[][..], Vec::as_slice);
            // Who holds it himself waits for nobody.
            if held.iter().any(|(holder, _)| *holder == at) {
                continue;
            }
            // Which of several releases of the chart is meant, nobody can tell.
            if need.kind == EdgeKind::Umbrella && held.len() > 1 {
                continue;
            }
            for (holder, at_most) in held {
                let sure = need.confidence.min(*at_most);
                found.add(at, *holder, need.kind, sure, &need.reason);
            }
        }
    }
}

fn by_admission(cluster: &ClusterSight, found: &mut Found) {
    type Asked<'a> = (usize, &'a Gate, &'a Rule);
    let mut gates: BTreeMap<(&str, &str), Vec<Asked<'_>>> = BTreeMap::new();
    for (at, sight) in cluster.releases.iter().enumerate() {
        for gate in &sight.gates {
            for rule in &gate.rules {
                for group in &rule.groups {
                    for resource in &rule.resources {
                        let asked = gates.entry((group, resource)).or_default();
                        asked.push((at, gate, rule));
                    }
                }
            }
        }
    }
    if gates.is_empty() {
        return;
    }
    let stored: BTreeMap<&str, &Labels> = cluster
        .releases
        .iter()
        .flat_map(|sight| &sight.namespaces)
        .chain(&cluster.namespaces)
        .map(|(name, labels)| (name.as_str(), labels))
        .collect();
    let namespaces = |name: &str| stored.get(name).map(|labels| (*labels).clone());
    for (at, sight) in cluster.releases.iter().enumerate() {
        for write in &sight.writes {
            let (group, resource) = (write.group.as_str(), write.resource.as_str());
            for key in [(group, resource), (group, "*"), ("*", resource), ("*", "*")] {
                for (holder, gate, rule) in gates.get(&key).into_iter().flatten() {
                    if *holder == at {
                        continue;
                    }
                    if let Some(sure) = gate.stands_before(rule, write, &namespaces) {
                        let reason = format!("{} on {}", gate.configuration, write.kind);
                        found.add(at, *holder, EdgeKind::Webhook, sure, &reason);
                    }
                }
            }
        }
    }
}

fn by_flux(cluster: &ClusterSight, found: &mut Found) {
    let place = |sight: &Sight| {
        (
            sight.release.namespace.as_str().to_owned(),
            sight.release.name.as_str().to_owned(),
        )
    };
    if cluster.flux.is_empty() {
        return;
    }
    let releases = cluster.releases.iter().enumerate();
    let releases: BTreeMap<(String, String), usize> =
        releases.map(|(at, sight)| (place(sight), at)).collect();
    let named: BTreeMap<&(String, String), &FluxRelease> =
        cluster.flux.iter().map(|it| (&it.id, it)).collect();
    for dependent in &cluster.flux {
        let Some(from) = releases.get(&dependent.helm) else {
            continue;
        };
        for id in &dependent.depends_on {
            let to = named.get(id).and_then(|it| releases.get(&it.helm));
            if let Some(to) = to {
                let reason = format!(
                    "HelmRelease {}/{} dependsOn",
                    dependent.id.0, dependent.id.1
                );
                found.add(*from, *to, EdgeKind::Flux, Confidence::tenths(9), &reason);
            }
        }
    }
}

/// Sorted; of the same kind between the same two the surest stands, and counts the others.
pub(super) fn folded(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_by(|a, b| {
        (a.from, a.to, a.kind, b.confidence, &a.reason).cmp(&(
            b.from,
            b.to,
            b.kind,
            a.confidence,
            &b.reason,
        ))
    });
    let mut last: Option<Arc<str>> = None;
    edges.dedup_by(|later, first| {
        let same = (later.from, later.to, later.kind) == (first.from, first.to, first.kind);
        if same {
            if later.reason != first.reason && last.as_ref() != Some(&later.reason) {
                first.more += 1;
            }
            last = Some(Arc::clone(&later.reason));
        } else {
            last = None;
        }
        same
    });
    edges
}
