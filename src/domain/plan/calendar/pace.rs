//! How long clusters write: writes times cost, under the limits of each and of the whole fleet.
//!
//! A cluster alone is bound by its writes per second, by its releases in flight (each writes one object after the other),
//! and by its largest release. If all clusters of a wave together would be faster than the fleet may be, those that
//! would be done first are slowed down until the fleet's limit is kept: so the wave as a whole ends as soon as it can.
//! Windows are not looked at here: what clusters that are shut, or done, leave of the fleet's pace is given to the others by
//! `share`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Terms;
use super::work::{Part, WaveWork};

/// Paces are counted in millionths of a write per second: fleets are slower than one write a second by cluster.
pub(super) const UNIT: u128 = 1_000_000;

/// So many writes in so many milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    writes: u128,
    millis: u128,
}

impl Task {
    pub(super) fn writes(self) -> u128 {
        self.writes
    }

    fn pace(self) -> u128 {
        (self.writes * 1_000 * UNIT).div_ceil(self.millis.max(1))
    }
}

/// How long the clusters of a wave write.
#[derive(Debug, Clone)]
pub(super) struct WaveWriting {
    pub(super) parts: Vec<Writing>,
    /// The pace that they share.
    pub(super) pace: u128,
    /// Does that make any of them slower?
    pub(super) slowed: bool,
}

/// How long one cluster writes, in seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) cluster: u32,
    /// With its part of the pace, and what it would be with all of it.
    pub(super) seconds: i64,
    pub(super) task: Task,
    /// Its largest release alone: it is not begun if the window shuts sooner.
    pub(super) longest: i64,
}

/// What a cluster takes if it had the fleet's pace for itself, and its largest release, in milliseconds.
fn alone(part: &Part, terms: &Terms) -> (Task, u128) {
    let place = part.cluster as usize;
    let limits = terms.limits.get(place).copied();
    let (rate, in_flight) = limits.map_or((1, 1), |it| (it.writes_per_second, it.in_flight));
    let (rate, in_flight) = (
        u128::from(rate.max(1)),
        in_flight.clamp(1, part.releases.max(1)),
    );
    let cost = terms.cost.get(place).copied().unwrap_or_default();
    let writes = u128::from(part.writes);
    let by_rate = (writes * 1_000).div_ceil(rate);
    let by_flight = (writes * u128::from(cost)).div_ceil(u128::from(in_flight));
    let each = u128::from(cost).max(1_000_u128.div_ceil(rate));
    let longest = u128::from(part.longest) * each;
    let millis = by_rate.max(by_flight).max(longest).max(1);
    (Task { writes, millis }, longest)
}

/// The shortest time that each task must take at least, so that all at once keep the pace. 0 if they do anyway.
fn slowed(tasks: &[Task], pace: u128) -> u128 {
    let mut left: u128 = tasks.iter().map(|task| task.writes).sum();
    if tasks.iter().map(|task| task.pace()).sum::<u128>() <= pace {
        return 0;
    }
    let mut sorted: Vec<&Task> = tasks.iter().collect();
    sorted.sort_by_key(|task| Reverse(task.millis));
    let mut free = pace;
    for task in sorted {
        let millis = (left * 1_000 * UNIT).div_ceil(free.max(1));
        if task.millis <= millis {
            return millis;
        }
        free = free.saturating_sub(task.pace());
        left -= task.writes;
    }
    0
}

/// How long each cluster of each wave writes. Waves of other lanes may be under way at once, so each lane has a part of the
/// fleet's pace, by what it has to write; the canaries before all lanes have all of it.
pub(super) fn writing(waves: &[WaveWork], terms: &Terms) -> Vec<WaveWriting> {
    let alone: Vec<Vec<(Task, u128)>> = waves
        .iter()
        .map(|wave| wave.parts.iter().map(|part| alone(part, terms)).collect())
        .collect();
    let fleet = u128::from(terms.writes_per_second.max(1)) * UNIT;
    let lanes = if terms.is_laned() {
        lanes(waves, &alone, fleet)
    } else {
        BTreeMap::new()
    };
    waves
        .iter()
        .zip(alone)
        .map(|(wave, alone)| {
            let lane = wave.lane.and_then(|lane| lanes.get(&lane));
            let tasks: Vec<Task> = alone.iter().map(|(task, _)| *task).collect();
            let pace = lane.copied().unwrap_or(fleet);
            let least = slowed(&tasks, pace);
            let parts = wave.parts.iter().zip(alone);
            let parts = parts.map(|(part, (task, longest))| Writing {
                cluster: part.cluster,
                seconds: seconds(task.millis.max(least)),
                task,
                longest: seconds(longest),
            });
            WaveWriting {
                parts: parts.collect(),
                pace,
                slowed: least > 0,
            }
        })
        .collect()
}

/// Seconds that tasks take together if they have all of this pace.
pub(super) fn seconds_of(tasks: &[Task], pace: u128) -> i64 {
    let least = slowed(tasks, pace);
    let longest = tasks.iter().map(|task| task.millis.max(least)).max();
    seconds(longest.unwrap_or(0))
}

/// The pace of each lane.
fn lanes(waves: &[WaveWork], alone: &[Vec<(Task, u128)>], fleet: u128) -> BTreeMap<usize, u128> {
    // Of each lane all its writes, and its quickest wave.
    let mut of: BTreeMap<usize, (u128, u128)> = BTreeMap::new();
    for (wave, alone) in waves.iter().zip(alone) {
        if let Some(lane) = wave.lane {
            let (writes, most) = of.entry(lane).or_default();
            *writes += alone.iter().map(|(task, _)| task.writes).sum::<u128>();
            *most = (*most).max(alone.iter().map(|(task, _)| task.pace()).sum());
        }
    }
    let tasks: BTreeMap<usize, Task> = of
        .into_iter()
        .map(|(lane, (writes, most))| {
            // So long that it is never quicker than its quickest wave.
            let millis = (writes * 1_000 * UNIT / most.max(1)).max(1);
            (lane, Task { writes, millis })
        })
        .collect();
    let all: Vec<Task> = tasks.values().copied().collect();
    let least = slowed(&all, fleet);
    if least == 0 {
        return BTreeMap::new();
    }
    let share = |task: Task| (task.writes * 1_000 * UNIT / task.millis.max(least)).max(1);
    tasks
        .into_iter()
        .map(|(lane, task)| (lane, share(task)))
        .collect()
}

fn seconds(millis: u128) -> i64 {
    i64::try_from(millis.div_ceil(1_000)).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The pace is kept, and used as far as it goes.
        #[test]
        fn the_fleets_pace_is_kept_and_used(
            tasks in prop::collection::vec((1_u128..500, 1_u128..100_000), 1..40), pace in 1_u128..200,
        ) {
            let tasks: Vec<Task> = tasks.into_iter().map(|(writes, millis)| Task { writes, millis }).collect();
            let pace = pace * UNIT;
            let least = slowed(&tasks, pace);
            // Each rounded down by less than one.
            let sum = |least: u128| tasks.iter()
                .map(|task| task.writes * 1_000 * UNIT / task.millis.max(least)).sum::<u128>();
            let rounded = tasks.len() as u128 + 1;
            prop_assert!(sum(least) <= pace + rounded, "{} of {pace}", sum(least));
            // A hundredth quicker would be too quick.
            prop_assert!(least < 1_000 || sum(least * 99 / 100) + rounded > pace);
        }
    }
}
