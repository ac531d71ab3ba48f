//! Waves of what was placed: numbers, names, lanes, reasons, coverage.

use std::collections::{BTreeMap, BTreeSet};

use super::fill::{Limit, Moved, Slot};
use super::intake::Intake;
use super::needs::Needs;
use super::words::{Mover, Places, Said};
use super::{Coverage, PlanError, Untested, Wave};
use crate::domain::fleet::natural_order;
use crate::domain::fleet::settings::{CanaryRule, Key, PlanSettings};

/// Lanes: their key, and the number of each release's lane.
type LanesOf<'a> = Option<(&'a Key, Vec<Option<u32>>)>;

/// A slot and a lane of it.
type Home = (Slot, Option<u32>);

/// What waves are made of.
pub(super) struct Assembly<'a> {
    pub(super) settings: &'a PlanSettings,
    pub(super) sequence: &'a [u32],
    pub(super) slots: &'a [Slot],
    pub(super) moved: &'a [Moved],
    pub(super) limits: &'a [Limit],
    pub(super) lanes: LanesOf<'a>,
    pub(super) needs: &'a Needs,
    pub(super) canaries: &'a [u32],
}

/// A wave in the making: its slot, its lane, its releases in the order they start.
struct Batch {
    slot: Slot,
    lane: Option<String>,
    releases: Vec<u32>,
}

/// Makes the waves, and says which signatures the first one does not show.
pub(super) fn assemble(
    from: &Assembly<'_>,
    mut intake: Intake<'_>,
) -> Result<(Vec<Wave>, Vec<Untested>), PlanError> {
    let batches = batches(from, &intake);
    let names = names(from.settings, &batches);
    let after = after(from, &batches, intake.rows.len());
    let (coverage, firsts, untested) = coverage(from, &intake, &batches);
    let mut places = Places::of(&intake, from.settings);
    let mut waves = Vec::with_capacity(batches.len());
    for (at, (((batch, name), after), seen)) in batches
        .into_iter()
        .zip(names)
        .zip(after)
        .zip(coverage)
        .enumerate()
    {
        let number = u32::try_from(at + 1).map_err(|_| PlanError::TooLarge)?;
        let approval = from
            .settings
            .approvals
            .iter()
            .any(|pattern| crate::domain::fleet::fits(pattern, &name));
        let canary = batch.slot.stage == 0;
        let canaries = batch.releases.iter().filter(|_| canary);
        let needed: BTreeSet<u32> = canaries
            .flat_map(|at| from.needs.of(*at))
            .copied()
            .collect();
        let mut releases = Vec::with_capacity(batch.releases.len());
        for place in &batch.releases {
            let index = *place as usize;
            let Some(mut planned) = intake.planned(*place) else {
                continue;
            };
            let needs = from.needs.of(*place);
            planned.needs = Vec::with_capacity(needs.len());
            let releases_of = needs.iter().filter_map(|need| intake.release_at(*need));
            planned.needs.extend(releases_of);
            planned.reason = places.reason(&Said {
                planned: &planned,
                row: &intake.rows[index],
                first_wave: number == 1,
                canary,
                needed: needed.contains(place),
                firsts: firsts[index],
                mover: match from.moved[index] {
                    Moved::No | Moved::Size => None,
                    Moved::After(need) => intake.release_at(need).map(Mover::Needed),
                    Moved::Limit(limit) => {
                        let limit = from.limits.get(limit as usize);
                        limit.map(|limit| Mover::Limit(&limit.name))
                    }
                },
            });
            releases.push(planned);
        }
        waves.push(Wave {
            number,
            name,
            stage: batch.slot.stage,
            part: batch.slot.part + 1,
            lane: batch.lane,
            after,
            approval,
            coverage: seen,
            releases,
            ..Wave::default()
        });
    }
    Ok((waves, untested))
}

/// Slots in their order, lanes of a slot by name; releases of each in sequence.
fn batches(from: &Assembly<'_>, intake: &Intake<'_>) -> Vec<Batch> {
    let lane_of = |at: u32| match &from.lanes {
        Some((_, lanes)) if from.slots[at as usize].stage > 0 => lanes[at as usize],
        _ => None,
    };
    let mut sizes: BTreeMap<Home, Vec<u32>> = BTreeMap::new();
    let mut last: Option<(Home, Vec<u32>)> = None;
    for at in from.sequence.iter().copied() {
        let key = (from.slots[at as usize], lane_of(at));
        match &mut last {
            // Neighbours in the sequence mostly share a wave.
            Some((open, releases)) if *open == key => releases.push(at),
            _ => {
                if let Some((open, releases)) = last.take() {
                    sizes.insert(open, releases);
                }
                let mut releases = sizes.remove(&key).unwrap_or_default();
                releases.push(at);
                last = Some((key, releases));
            }
        }
    }
    sizes.extend(last);
    let text = |lane: Option<u32>, releases: &[u32]| -> Option<String> {
        lane?;
        let (key, _) = from.lanes.as_ref()?;
        let at = *releases.first()? as usize;
        let name = match key {
            Key::Fleet => return None,
            Key::Namespace => {
                let (cluster, namespace) =
                    (intake.value(at, "cluster")?, intake.value(at, "namespace")?);
                return Some(format!("{cluster}/{namespace}"));
            }
            other => other.to_string(),
        };
        intake.value(at, &name).map(str::to_owned)
    };
    let mut batches: Vec<Batch> = sizes
        .into_iter()
        .map(|((slot, lane), releases)| Batch {
            slot,
            lane: text(lane, &releases),
            releases,
        })
        .collect();
    batches.sort_by(|a, b| {
        a.slot.cmp(&b.slot).then_with(|| {
            let lane = |batch: &Batch| batch.lane.clone().unwrap_or_default();
            natural_order(&lane(a), &lane(b))
        })
    });
    batches
}

/// A name for each wave, which follows from its slot and lane: other waves do not change it.
fn names(settings: &PlanSettings, batches: &[Batch]) -> Vec<String> {
    let mut parts: BTreeMap<u32, u32> = BTreeMap::new();
    for batch in batches {
        let most = parts.entry(batch.slot.stage).or_default();
        *most = (*most).max(batch.slot.part);
    }
    let count = u32::try_from(settings.stages.len()).unwrap_or(u32::MAX);
    let covered = u32::from(settings.canary != CanaryRule::None);
    batches
        .iter()
        .map(|batch| {
            let Slot { stage, part } = batch.slot;
            let own = (stage as usize)
                .checked_sub(1)
                .and_then(|at| settings.stages.get(at));
            let name = match own {
                Some(own) if own.name.is_empty() && stage == 1 => match part + covered {
                    0 => "canary".to_owned(),
                    part => format!("wave-{}", part + 1),
                },
                _ => {
                    let stage_name = match own {
                        _ if stage == 0 => "canary".to_owned(),
                        Some(own) if own.name.is_empty() => format!("stage-{stage}"),
                        Some(own) => own.name.clone(),
                        None if stage == count + 1 => "rest".to_owned(),
                        None => "deferred".to_owned(),
                    };
                    if parts.get(&stage).is_some_and(|most| *most > 0) {
                        format!("{stage_name}-{}", letters(part))
                    } else {
                        stage_name
                    }
                }
            };
            match &batch.lane {
                Some(lane) => format!("{name}@{lane}"),
                None => name,
            }
        })
        .collect()
}

/// a, b, …, z, aa, ab, ….
fn letters(number: u32) -> String {
    let mut text = Vec::new();
    let mut rest = number + 1;
    while rest > 0 {
        rest -= 1;
        text.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or(0)));
        rest /= 26;
    }
    text.iter().rev().collect()
}

/// For each wave the numbers of those that are done and soaked before it starts.
fn after(from: &Assembly<'_>, batches: &[Batch], releases: usize) -> Vec<Vec<u32>> {
    let number = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
    let Some((_, lanes)) = &from.lanes else {
        return (0..batches.len())
            .map(|at| {
                if at == 0 {
                    Vec::new()
                } else {
                    vec![number(at - 1)]
                }
            })
            .collect();
    };
    let mut wave_of = vec![0_u32; releases];
    for (at, batch) in batches.iter().enumerate() {
        for release in &batch.releases {
            wave_of[*release as usize] = number(at);
        }
    }
    // Of each lane its last wave; of each limit's group the last slot that touches it, and the waves there.
    let mut last: BTreeMap<Option<u32>, u32> = BTreeMap::new();
    let mut canary: Option<u32> = None;
    let mut touched: BTreeMap<(usize, u32), Touched> = BTreeMap::new();
    let mut all = Vec::with_capacity(batches.len());
    for (at, batch) in batches.iter().enumerate() {
        let mut after: BTreeSet<u32> = BTreeSet::new();
        let lane = batch.releases.first().and_then(|it| lanes[*it as usize]);
        if batch.slot.stage == 0 {
            after.extend(canary);
            canary = Some(number(at));
        } else {
            after.extend(last.insert(lane, number(at)).or(canary));
        }
        for release in &batch.releases {
            let needs = from.needs.of(*release).iter();
            after.extend(
                needs
                    .map(|need| wave_of[*need as usize])
                    .filter(|it| *it != number(at)),
            );
            for (limit, groups) in from.limits.iter().map(|it| &it.groups).enumerate() {
                let Some(group) = groups[*release as usize] else {
                    continue;
                };
                let touched = touched.entry((limit, group)).or_default();
                if touched.slot != Some(batch.slot) {
                    touched.before = std::mem::take(&mut touched.waves);
                    touched.slot = Some(batch.slot);
                }
                after.extend(touched.before.iter().copied());
                if touched.waves.last() != Some(&number(at)) {
                    touched.waves.push(number(at));
                }
            }
        }
        all.push(after.into_iter().collect());
    }
    all
}

/// Waves that hold something of a group.
#[derive(Default)]
struct Touched {
    /// The slot that was seen last.
    slot: Option<Slot>,
    /// Its waves.
    waves: Vec<u32>,
    /// Those of the slot before it.
    before: Vec<u32>,
}

/// Coverage after each wave, how many signatures each release is the first to show, and what the first wave leaves open.
fn coverage(
    from: &Assembly<'_>,
    intake: &Intake<'_>,
    batches: &[Batch],
) -> (Vec<Coverage>, Vec<u32>, Vec<Untested>) {
    let signatures = &intake.signatures;
    // Of each signature the wave that shows it first, and the release.
    let mut first = vec![(0_u32, 0_u32); signatures.len()];
    let mut firsts = vec![0_u32; intake.rows.len()];
    let mut shown = vec![false; signatures.sets()];
    let mut seen = 0_u32;
    let mut all = Vec::with_capacity(batches.len());
    for (at, batch) in batches.iter().enumerate() {
        for release in &batch.releases {
            let set = intake.rows[*release as usize].set;
            if std::mem::replace(&mut shown[set as usize], true) {
                continue;
            }
            for signature in signatures.set(set) {
                let (wave, by) = &mut first[*signature as usize];
                if *wave == 0 {
                    *wave = u32::try_from(at + 1).unwrap_or(u32::MAX);
                    *by = *release;
                    firsts[*release as usize] += 1;
                    seen += 1;
                }
            }
        }
        all.push(Coverage { seen, total: 0 });
    }
    // Not all that were numbered: some are of releases that are held after all.
    for coverage in &mut all {
        coverage.total = seen;
    }
    let untested = untested(from, intake, &first);
    (all, firsts, untested)
}

/// Who has a signature.
#[derive(Clone, Copy)]
struct Carriers {
    releases: u32,
    /// Lowest risk among them.
    lowest: u32,
    /// Lowest risk among those that may be canaries.
    allowed: u32,
}

fn untested(from: &Assembly<'_>, intake: &Intake<'_>, first: &[(u32, u32)]) -> Vec<Untested> {
    let later = |signature: &&u32| first[**signature as usize].0 > 1;
    let signatures = &intake.signatures;
    let mut carriers = vec![
        Carriers {
            releases: 0,
            lowest: u32::MAX,
            allowed: u32::MAX,
        };
        signatures.len()
    ];
    if first.iter().all(|(wave, _)| *wave <= 1) {
        return Vec::new();
    }
    for (at, row) in intake.rows.iter().enumerate() {
        let allowed = match &from.settings.canary {
            CanaryRule::Coverage { selector, .. } => {
                selector.is_all() || intake.satisfies(at, selector)
            }
            CanaryRule::None => true,
        };
        for signature in signatures.set(row.set).iter().filter(later) {
            let of = &mut carriers[*signature as usize];
            of.releases += 1;
            of.lowest = of.lowest.min(row.risk.score);
            if allowed {
                of.allowed = of.allowed.min(row.risk.score);
            }
        }
    }
    let mut all: Vec<Untested> = (0_u32..)
        .zip(first)
        .zip(carriers)
        .filter(|((_, (wave, _)), _)| *wave > 1)
        .filter_map(|((signature, (wave, by)), carriers)| {
            Some(Untested {
                signature: signatures.text(signature),
                wave: *wave,
                first: intake.release_at(*by)?,
                releases: carriers.releases,
                why: why(from, carriers),
            })
        })
        .collect();
    all.sort_by(|a, b| (a.wave, &a.signature).cmp(&(b.wave, &b.signature)));
    all
}

fn why(from: &Assembly<'_>, carriers: Carriers) -> String {
    match &from.settings.canary {
        CanaryRule::None => "the first wave has no room for all".to_owned(),
        CanaryRule::Coverage { selector, .. } if carriers.allowed == u32::MAX => {
            format!("no canary may be elsewhere than {selector}")
        }
        CanaryRule::Coverage {
            max_risk: Some(most),
            ..
        } if carriers.allowed > *most => {
            format!("too risky as canaries: {}, and {most} are allowed", carriers.allowed)
        }
        CanaryRule::Coverage {
            max_releases: Some(most),
            ..
        } if from.canaries.len() >= *most as usize => {
            format!("{most} canaries are all that is allowed")
        }
        CanaryRule::Coverage { .. } => {
            "what has it needs releases that are no canaries, or that did not fit into the first wave"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        let all: Vec<String> = [0, 1, 25, 26, 27, 701, 702].map(letters).into();
        assert_eq!(all, ["a", "b", "z", "aa", "ab", "zz", "aaa"]);
    }
}
