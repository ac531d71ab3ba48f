//! Order of waves and of releases: nothing before what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::Finder;
use crate::domain::fleet::settings::{Lanes, PlanSettings};
use crate::domain::ids::ReleaseId;
use crate::domain::plan::{Dependencies, Plan};

/// Numbers count up, names differ, stages and parts go forward, each wave comes after what it says.
pub(super) fn waves(plan: &Plan, find: &mut Finder<'_>) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last = (0, 0);
    for (at, wave) in plan.waves.iter().enumerate() {
        let mut wrong = |text: &str| find(format!("/waves/{at}"), text.to_owned());
        let number = u32::try_from(at).ok().and_then(|at| at.checked_add(1));
        if number != Some(wave.number) {
            wrong("waves do not count up from 1");
        }
        if wave.releases.is_empty() {
            wrong("it has 0 releases");
        }
        if wave.name.is_empty() || names.insert(&wave.name, at).is_some() {
            wrong("its name is empty, or another wave's");
        }
        let place = (wave.stage, wave.part);
        if place < last || (place == last && at > 0 && wave.lane.is_none()) {
            wrong("it is of an earlier stage than the wave before it");
        }
        last = place;
        if wave.after.iter().any(|after| *after >= wave.number) {
            wrong("it comes after itself, or after a later wave");
        }
        let settings: &PlanSettings = &plan.metadata.settings;
        if settings.lanes == Lanes::Fleet {
            let before = wave.number.saturating_sub(1);
            if wave
                .after
                .iter()
                .copied()
                .ne((before > 0).then_some(before))
            {
                wrong("it does not wait for the wave before it");
            }
        }
        let asked = |pattern: &String| matches(pattern, &wave.name);
        if wave.approval != settings.approvals.iter().any(asked) {
            wrong("its approval is not what the settings ask for");
        }
    }
    let mut seen = 0;
    for (at, wave) in plan.waves.iter().enumerate() {
        let coverage = wave.coverage;
        let last = at + 1 == plan.waves.len();
        if coverage.seen < seen
            || coverage.seen > coverage.total
            || (last && coverage.seen < coverage.total)
        {
            let text = "its coverage goes back, or beyond all, or ends before all is seen";
            find(format!("/waves/{at}/coverage"), text.to_owned());
        }
        seen = coverage.seen;
    }
    untested(plan, find);
}

/// What is untested is what later waves add to the coverage, each by a release of theirs.
fn untested(plan: &Plan, find: &mut Finder<'_>) {
    let mut before = None;
    for wave in &plan.waves {
        let seen = wave.coverage.seen;
        let added = before.map(|before| seen.saturating_sub(before));
        let said = plan.untested.iter().filter(|it| it.wave == wave.number);
        if u32::try_from(said.count()) != Ok(added.unwrap_or(0)) {
            let text = format!("wave {} is not the first to show so many", wave.number);
            find("/untested".to_owned(), text);
        }
        before = Some(seen);
    }
    let waves: BTreeMap<u32, BTreeSet<&ReleaseId>> = plan
        .waves
        .iter()
        .filter(|_| !plan.untested.is_empty())
        .map(|wave| {
            (
                wave.number,
                wave.releases.iter().map(|it| &it.release).collect(),
            )
        })
        .collect();
    for (at, it) in plan.untested.iter().enumerate() {
        let within = waves.get(&it.wave);
        if !within.is_some_and(|wave| wave.contains(&it.first)) || it.releases == 0 {
            let text = format!("{} is not in wave {}", it.first, it.wave);
            find(format!("/untested/{at}"), text);
        }
    }
}

/// A star for any run of characters.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len())
                .filter_map(|skip| text.get(skip..))
                .any(|text| matches(rest, text))
        }),
    }
}

/// Where each release is: wave and place in it.
fn places(plan: &Plan) -> BTreeMap<&ReleaseId, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (wave, of) in plan.waves.iter().enumerate() {
        for (at, release) in of.releases.iter().enumerate() {
            places.insert(&release.release, (wave, at));
        }
    }
    places
}

/// What a release needs is in an earlier wave that is waited for, or before it in its own.
pub(super) fn needs(plan: &Plan, find: &mut Finder<'_>) {
    if plan
        .waves
        .iter()
        .flat_map(|wave| &wave.releases)
        .all(|it| it.needs.is_empty())
    {
        return;
    }
    let places = places(plan);
    for (wave, of) in plan.waves.iter().enumerate() {
        for (at, release) in of.releases.iter().enumerate() {
            for need in &release.needs {
                let place = || format!("/waves/{wave}/releases/{at}/needs");
                match places.get(need) {
                    None => find(place(), format!("{need} is in no wave")),
                    Some(found) if *found >= (wave, at) => {
                        find(place(), format!("{need} comes after it"));
                    }
                    Some((before, _)) if *before < wave => {
                        let number = plan.waves.get(*before).map_or(0, |wave| wave.number);
                        let lanes = plan.metadata.settings.lanes != Lanes::Fleet;
                        if lanes
                            && of.lane != plan.waves.get(*before).and_then(|it| it.lane.clone())
                            && !of.after.contains(&number)
                            && plan.waves.get(*before).is_some_and(|it| it.stage > 0)
                        {
                            find(
                                place(),
                                format!("the wave does not wait for that of {need}"),
                            );
                        }
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

/// Every edge between two releases of the plan is among the needs, and no other.
pub(super) fn edges(plan: &Plan, dependencies: &Dependencies, find: &mut Finder<'_>) {
    let places = places(plan);
    let mut wanted: BTreeMap<&ReleaseId, Vec<&ReleaseId>> = BTreeMap::new();
    for edge in dependencies.edges() {
        let ends = (
            dependencies.release(edge.dependent),
            dependencies.release(edge.on),
        );
        if let (Some(from), Some(on)) = ends
            && places.contains_key(from)
            && places.contains_key(on)
        {
            wanted.entry(from).or_default().push(on);
        }
    }
    for (wave, of) in plan.waves.iter().enumerate() {
        for (at, release) in of.releases.iter().enumerate() {
            let mut wanted = wanted.remove(&release.release).unwrap_or_default();
            wanted.sort();
            wanted.dedup();
            let mut found: Vec<&ReleaseId> = release.needs.iter().collect();
            found.sort();
            if wanted != found {
                let text = "its needs are not those of the graph".to_owned();
                find(format!("/waves/{wave}/releases/{at}/needs"), text);
            }
        }
    }
}
