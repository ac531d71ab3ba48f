//! What each wave has to write, summed up by cluster: the calendar never looks at releases again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{ClusterFacts, Plan, PlannedRelease};
use super::sites::Sites;
use crate::domain::fleet::Selector;

/// What a wave writes on one cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) cluster: u32,
    pub(super) writes: u64,
    pub(super) releases: u32,
    /// Writes of its largest release.
    pub(super) longest: u32,
}

/// A wave without its releases.
#[derive(Debug, Clone)]
pub(super) struct WaveWork {
    /// Places of the waves before it, from 0.
    pub(super) after: Vec<usize>,
    /// Its lane, if it may be under way beside other waves.
    pub(super) lane: Option<usize>,
    /// Is it of the releases of low risk, which wait for their date?
    pub(super) deferred: bool,
    /// Numbers of the soak rules by which its releases ask.
    pub(super) asks: BTreeSet<usize>,
    /// By cluster, in the order of their numbers.
    pub(super) parts: Vec<Part>,
}

/// Sums up all waves. `O(n)` in the plan's releases.
pub(super) fn work(plan: &Plan, sites: &Sites) -> Vec<WaveWork> {
    let settings = &plan.metadata.settings;
    let deferred = settings.stages.len() + 2;
    let mut lanes: BTreeMap<&Option<String>, usize> = BTreeMap::new();
    let mut asking = Asking::of(plan, sites);
    // The wave that each cluster was last seen in, and its place there.
    let mut seen: Vec<(usize, usize)> = vec![(usize::MAX, 0); sites.names.len()];
    let mut all = Vec::with_capacity(plan.waves.len());
    for (at, wave) in plan.waves.iter().enumerate() {
        let mut parts: Vec<Part> = Vec::new();
        let mut asks = BTreeSet::new();
        for release in &wave.releases {
            let Some(cluster) = sites.place(&release.release.cluster) else {
                continue;
            };
            let Some(last) = seen.get_mut(cluster as usize) else {
                continue;
            };
            if last.0 != at {
                *last = (at, parts.len());
                parts.push(Part {
                    cluster,
                    writes: 0,
                    releases: 0,
                    longest: 0,
                });
            }
            if let Some(part) = parts.get_mut(last.1) {
                part.writes += u64::from(release.writes);
                part.releases += 1;
                part.longest = part.longest.max(release.writes);
            }
            asks.extend(asking.rule(cluster as usize, release));
        }
        parts.sort_by_key(|part| part.cluster);
        let before = wave.after.iter();
        let next = lanes.len();
        all.push(WaveWork {
            after: before
                .filter_map(|number| (*number as usize).checked_sub(1))
                .collect(),
            lane: (wave.stage > 0).then(|| *lanes.entry(&wave.lane).or_insert(next)),
            deferred: wave.stage as usize == deferred,
            asks,
            parts,
        });
    }
    all
}

/// Which soak rule a release asks by: the first that it satisfies.
struct Asking<'a> {
    rules: Vec<&'a Selector>,
    /// Do the rules look at nothing but labels?
    labels_only: bool,
    clusters: Vec<Option<&'a ClusterFacts>>,
    /// By cluster, for releases without labels of their own; the number of rules stands for none of them.
    known: Vec<Option<usize>>,
}

impl<'a> Asking<'a> {
    fn of(plan: &'a Plan, sites: &Sites) -> Self {
        let metadata = &plan.metadata;
        let rules: Vec<&Selector> = metadata
            .settings
            .soak
            .iter()
            .map(|it| &it.selector)
            .collect();
        let facts = sites.names.iter();
        let own = |key: &str| matches!(key, "namespace" | "release" | "chart");
        Self {
            labels_only: !rules.iter().flat_map(|it| it.keys()).any(own),
            rules,
            clusters: facts.map(|name| metadata.clusters.get(name)).collect(),
            known: vec![None; sites.names.len()],
        }
    }

    fn rule(&mut self, cluster: usize, release: &PlannedRelease) -> Option<usize> {
        if self.rules.is_empty() {
            return None;
        }
        let shared = self.labels_only && release.labels.is_empty();
        if shared && let Some(Some(known)) = self.known.get(cluster) {
            return Some(*known).filter(|rule| *rule < self.rules.len());
        }
        let facts = self.clusters.get(cluster).copied().flatten();
        let value = |key: &str| match key {
            "cluster" => Some(release.release.cluster.as_str()),
            "namespace" => Some(release.release.namespace.as_str()),
            "release" => Some(release.release.name.as_str()),
            "chart" => Some(release.chart.name.as_str()),
            label => {
                let own = release.labels.get(label);
                own.or_else(|| facts?.labels.get(label)).map(String::as_str)
            }
        };
        let mut rules = self.rules.iter();
        let found = rules.position(|rule| rule.is_all() || rule.matches_with(value));
        if shared && let Some(known) = self.known.get_mut(cluster) {
            *known = Some(found.unwrap_or(self.rules.len()));
        }
        found
    }
}
