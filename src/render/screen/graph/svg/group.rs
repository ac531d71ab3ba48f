//! From releases to what is drawn: one group for each chart of each cluster, one line between two groups.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{GraphScreen, reason};
use crate::domain::ids::ClusterName;
use crate::domain::shadow::ReleaseOutcome;
use crate::render::text;

/// Releases and reasons that a title lists; hovering is for a look, JSON is for all.
const LISTED: usize = 12;

/// The releases of one chart on one cluster.
#[derive(Debug, Clone)]
pub(super) struct Group {
    /// Of which cluster: place in [`Picture::clusters`].
    pub cluster: usize,
    /// Name of the chart; of the release, if its record does not read.
    pub chart: String,
    /// How many releases.
    pub releases: usize,
    /// How many of each outcome that is known.
    pub outcomes: BTreeMap<ReleaseOutcome, usize>,
    /// First and last wave.
    pub waves: Option<(u32, u32)>,
    /// The lane: the deepest release's.
    pub depth: u32,
    /// What hovering tells.
    pub title: String,
}

/// Lines between two groups, drawn as one.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Who waits.
    pub from: usize,
    /// For whom.
    pub to: usize,
    /// One of the edges is declared.
    pub declared: bool,
    /// What hovering tells.
    pub title: String,
}

/// Everything to draw.
#[derive(Debug, Clone, Default)]
pub(super) struct Picture {
    /// Names, in natural order.
    pub clusters: Vec<ClusterName>,
    /// By cluster, then chart.
    pub groups: Vec<Group>,
    /// By their ends.
    pub lines: Vec<Line>,
}

impl Picture {
    pub(super) fn of(screen: &GraphScreen<'_>) -> Self {
        let mut picture = Self::default();
        let mut keys: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
        for (at, node) in screen.graph.nodes.iter().enumerate() {
            // Nodes are sorted by cluster.
            if picture.clusters.last() != Some(&node.release.cluster) {
                picture.clusters.push(node.release.cluster.clone());
            }
            let chart = match &node.chart {
                Some(chart) => chart.name.as_str(),
                None => node.release.name.as_str(),
            };
            keys.entry((picture.clusters.len() - 1, chart))
                .or_default()
                .push(at);
        }
        let mut group_of = vec![0; screen.graph.nodes.len()];
        for ((cluster, chart), members) in keys {
            for at in &members {
                group_of[*at] = picture.groups.len();
            }
            picture.groups.push(group(screen, cluster, chart, &members));
        }
        picture.lines = lines(screen, &group_of, &picture.groups);
        picture
    }
}

fn group(screen: &GraphScreen<'_>, cluster: usize, chart: &str, members: &[usize]) -> Group {
    let nodes: Vec<_> = members
        .iter()
        .filter_map(|at| screen.graph.nodes.get(*at))
        .collect();
    let mut outcomes = BTreeMap::new();
    let mut waves: Option<(u32, u32)> = None;
    for node in &nodes {
        let mark = screen.mark(node);
        if let Some(outcome) = mark.outcome {
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
        if let Some(wave) = mark.wave {
            let (first, last) = waves.unwrap_or((wave, wave));
            waves = Some((first.min(wave), last.max(wave)));
        }
    }
    let versions: BTreeSet<&str> = nodes
        .iter()
        .filter_map(|node| Some(node.chart.as_ref()?.version.as_str()))
        .collect();
    let mut title = format!(
        "{chart} {}: {}",
        versions.iter().copied().collect::<Vec<_>>().join(", "),
        text::counted(text::len(&nodes), "release")
    );
    for node in nodes.iter().take(LISTED) {
        let mark = screen.mark(node);
        title.push_str(&format!("\n{}", node.release));
        if let Some(outcome) = mark.outcome {
            title.push_str(&format!("  {outcome:?}"));
        }
        if let Some(wave) = mark.wave {
            title.push_str(&format!(", wave {wave}"));
        }
    }
    if nodes.len() > LISTED {
        title.push_str(&format!("\nand {} more", nodes.len() - LISTED));
    }
    Group {
        cluster,
        chart: chart.to_owned(),
        releases: nodes.len(),
        outcomes,
        waves,
        depth: nodes.iter().map(|node| node.depth).max().unwrap_or(0),
        title,
    }
}

fn lines(screen: &GraphScreen<'_>, group_of: &[usize], groups: &[Group]) -> Vec<Line> {
    let mut between: BTreeMap<(usize, usize), (bool, BTreeMap<String, usize>)> = BTreeMap::new();
    for edge in &screen.graph.edges {
        let (Some(from), Some(to)) = (
            group_of.get(edge.from as usize),
            group_of.get(edge.to as usize),
        ) else {
            continue;
        };
        if from != to {
            let (declared, reasons) = between.entry((*from, *to)).or_default();
            *declared |= edge.is_declared();
            let told = format!("{} {}, {}", edge.kind, reason(edge), edge.confidence);
            *reasons.entry(told).or_insert(0) += 1;
        }
    }
    let name = |at: usize| groups.get(at).map_or("", |group| group.chart.as_str());
    let lines = between
        .into_iter()
        .map(|((from, to), (declared, reasons))| {
            let mut title = format!("{} waits for {}", name(from), name(to));
            for (told, count) in reasons.iter().take(LISTED) {
                title.push_str(&format!("\n{told}"));
                if *count > 1 {
                    title.push_str(&format!(" ({count} releases)"));
                }
            }
            if reasons.len() > LISTED {
                title.push_str(&format!("\nand {} more", reasons.len() - LISTED));
            }
            Line {
                from,
                to,
                declared,
                title,
            }
        });
    lines.collect()
}
