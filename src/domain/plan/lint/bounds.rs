//! Sizes, caps and peers, counted again from the plan alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Finder;
use crate::domain::fleet::settings::{Counted, Cut, Key, Lanes, PeerRule, PlanSettings};
use crate::domain::fleet::{Selector, WaveSize};
use crate::domain::plan::{Plan, PlannedRelease, Wave};

/// What a selector or a cap sees of a release.
pub(super) fn seen<'a>(plan: &'a Plan, release: &'a PlannedRelease, key: &str) -> Option<&'a str> {
    match key {
        "cluster" => Some(release.release.cluster.as_str()),
        "namespace" => Some(release.release.namespace.as_str()),
        "release" => Some(release.release.name.as_str()),
        "chart" => Some(&release.chart.name),
        label => labelled(plan, release, label),
    }
}

fn labelled<'a>(plan: &'a Plan, release: &'a PlannedRelease, label: &str) -> Option<&'a str> {
    let of_cluster = || {
        plan.metadata
            .clusters
            .get(&release.release.cluster)?
            .labels
            .get(label)
    };
    let found = release.labels.get(label).or_else(of_cluster);
    found.map(String::as_str)
}

pub(super) fn satisfies(plan: &Plan, release: &PlannedRelease, selector: &Selector) -> bool {
    selector.matches_with(|key| seen(plan, release, key))
}

fn value(plan: &Plan, release: &PlannedRelease, key: &Key) -> Option<String> {
    match key {
        Key::Fleet => Some(String::new()),
        Key::Cluster => Some(release.release.cluster.to_string()),
        Key::Namespace => {
            let id = &release.release;
            Some(format!("{}/{}", id.cluster, id.namespace))
        }
        Key::Chart => Some(release.chart.name.clone()),
        Key::Release => Some(release.release.name.to_string()),
        Key::Label(label) => labelled(plan, release, label).map(str::to_owned),
    }
}

/// Waves that may be under way at once count as one: without lanes each by itself, with lanes all of the same stage and part.
fn together(plan: &Plan) -> Vec<(usize, Vec<&Wave>)> {
    let mut groups: Vec<(usize, Vec<&Wave>)> = Vec::new();
    for (at, wave) in plan.waves.iter().enumerate() {
        match groups.last_mut() {
            Some((_, waves))
                if waves.last().is_some_and(|last| {
                    last.lane.is_some() && (last.stage, last.part) == (wave.stage, wave.part)
                }) =>
            {
                waves.push(wave);
            }
            _ => groups.push((at, vec![wave])),
        }
    }
    groups
}

/// No cap is broken, no peers meet.
pub(super) fn caps_and_peers(plan: &Plan, find: &mut Finder<'_>) {
    let settings = &plan.metadata.settings;
    for (at, waves) in together(plan) {
        let releases = || waves.iter().flat_map(|wave| &wave.releases);
        for cap in &settings.caps {
            let mut counts: BTreeMap<String, (u64, BTreeSet<&str>)> = BTreeMap::new();
            for release in releases() {
                if let Some(group) = value(plan, release, &cap.per) {
                    let (count, clusters) = counts.entry(group).or_default();
                    *count += 1;
                    clusters.insert(release.release.cluster.as_str());
                }
            }
            for (group, (releases, clusters)) in counts {
                let count = match cap.count {
                    Counted::Releases => releases,
                    Counted::Clusters => clusters.len() as u64,
                };
                if count > u64::from(cap.at_most.max(1)) {
                    let text = format!(
                        "{}: {count} of {group}, and {} may be",
                        cap.name, cap.at_most
                    );
                    find(format!("/waves/{at}"), text);
                }
            }
        }
        for peers in &settings.peers {
            let mut sides: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for release in releases() {
                let place = match &peers.rule {
                    PeerRule::Sides(all) => {
                        let side = all.iter().position(|it| satisfies(plan, release, it));
                        side.map(|side| (String::new(), side.to_string()))
                    }
                    PeerRule::Same { group, side } => {
                        value(plan, release, group).zip(value(plan, release, side))
                    }
                };
                if let Some((group, side)) = place {
                    sides.entry(group).or_default().insert(side);
                }
            }
            for sides in sides.values().filter(|sides| sides.len() > 1) {
                let sides: Vec<&str> = sides.iter().map(String::as_str).collect();
                let text = format!("{}: peers share a wave: {}", peers.name, sides.join(", "));
                find(format!("/waves/{at}"), text);
            }
        }
    }
}

/// No wave is larger than its stage says; without anything else that bounds waves none is smaller, but for the last.
pub(super) fn sizes(plan: &Plan, find: &mut Finder<'_>) {
    let settings = &plan.metadata.settings;
    let all = plan
        .waves
        .iter()
        .map(|wave| wave.releases.len() as u64)
        .sum::<u64>();
    let needs = plan
        .waves
        .iter()
        .any(|wave| wave.releases.iter().any(|it| !it.needs.is_empty()));
    let free = settings.caps.is_empty() && settings.peers.is_empty() && !needs;
    for (at, waves) in together(plan) {
        let Some(first) = waves.first() else {
            continue;
        };
        let Some(cut) = cut(settings, first.stage) else {
            continue;
        };
        let stage = plan.waves.iter().filter(|it| it.stage == first.stage);
        // A release that waits for another stage is counted where it came from.
        let total = if needs {
            all
        } else {
            stage.map(|it| it.releases.len() as u64).sum()
        };
        let part = first.part.saturating_sub(1);
        let Some(wanted) = size(cut, part, total) else {
            continue;
        };
        let found: u64 = waves.iter().map(|wave| wave.releases.len() as u64).sum();
        let later = plan
            .waves
            .iter()
            .any(|it| it.stage == first.stage && it.part > first.part);
        if found > wanted || (free && later && found < wanted) {
            let text = format!("it has {found} releases, and should have {wanted}");
            find(format!("/waves/{at}"), text);
        }
    }
}

fn cut(settings: &PlanSettings, stage: u32) -> Option<&Cut> {
    let own = (stage as usize).checked_sub(1)?;
    let last = settings.stages.last();
    settings.stages.get(own).or(last).map(|stage| &stage.cut)
}

fn size(cut: &Cut, part: u32, total: u64) -> Option<u64> {
    match cut {
        Cut::Whole | Cut::Shares(_) => None,
        Cut::Doubling { first } => Some(u64::from(*first) << part.min(40)),
        Cut::Sizes(sizes) => {
            let size = sizes.0.get(part as usize).or(sizes.0.last())?;
            Some(match size {
                WaveSize::Count(count) => u64::from(*count),
                WaveSize::Percent(percent) => (total * u64::from(*percent)).div_ceil(100),
            })
        }
    }
}

/// Every release is in its own stage; earlier only as a canary, later only for what it needs or as deferred.
pub(super) fn stages(plan: &Plan, find: &mut Finder<'_>) {
    let settings = &plan.metadata.settings;
    let count = settings.stages.len();
    for (at, wave) in plan.waves.iter().enumerate() {
        let place = wave.stage as usize;
        if place == 0 || place == count + 2 {
            continue;
        }
        for (number, release) in wave.releases.iter().enumerate() {
            let own = settings
                .stages
                .iter()
                .position(|stage| satisfies(plan, release, &stage.selector))
                .map_or(count + 1, |own| own + 1);
            if place < own || (place > own && release.needs.is_empty()) {
                let text = format!("it is in stage {place}, and belongs to stage {own}");
                find(format!("/waves/{at}/releases/{number}"), text);
            }
        }
        let lanes = match &settings.lanes {
            Lanes::Fleet => BTreeSet::new(),
            Lanes::By(key) => {
                let lanes = wave.releases.iter().map(|it| value(plan, it, key));
                lanes.collect()
            }
        };
        if lanes.len() > 1 {
            find(format!("/waves/{at}"), "it is of two lanes".to_owned());
        }
    }
}
