//! Waves into open time, one after the other.
//!
//! A wave is ready when all waves that it comes after have ended and soaked. Soak is time on the clock, open or not: a
//! workload does not rest because a window is shut. Each cluster then writes in its own open time, resting while that is
//! shut; the wave ends when the last of them does.
//!
//! A release is begun only if it ends before its cluster shuts. Which one comes last in a window is not known here, so
//! of a window that does not suffice for the rest, the time of the cluster's largest release counts as lost (but a
//! window in which it fits is never lost as a whole), and a window in which it does not fit is not used. A release that
//! fits into no window keeps its wave from ever being done: windows are kept, whatever is in the way.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::intervals::{Stretch, union};
use super::open::OpenTime;
use super::pace::{Task, UNIT, WaveWriting, seconds_of};
use super::share::{MOST_SHARING, shared};
use super::sites::Sites;
use super::work::WaveWork;
use super::{LOOK_AHEAD_DAYS, Terms};
use crate::domain::plan::Span;

/// When a wave is ready, writes and is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Times {
    /// When the waves before it are done and soaked, and its date has come. `None` if that is never.
    pub(super) ready: Option<i64>,
    /// When it writes, in order and apart; none if it never can.
    pub(super) writes: Vec<Stretch>,
    /// Seconds.
    pub(super) soak: u32,
    /// The kind of clusters that opens first, and that which never opens long enough.
    pub(super) first: Option<usize>,
    pub(super) never: Option<usize>,
}

impl Times {
    pub(super) fn starts(&self) -> Option<i64> {
        self.writes.first().map(|(from, _)| *from)
    }

    pub(super) fn ends(&self) -> Option<i64> {
        self.writes.last().map(|(_, to)| *to)
    }

    /// When it has soaked.
    pub(super) fn soaked(&self) -> Option<i64> {
        self.ends().map(|ends| ends + i64::from(self.soak))
    }

    pub(super) fn spans(&self, instant: fn(i64) -> Timestamp) -> Vec<Span> {
        let span = |(from, to): &Stretch| Span {
            from: instant(*from),
            to: instant(*to),
        };
        self.writes.iter().map(span).collect()
    }
}

/// What the clusters of one kind need together: they open and shut at once, so the slowest stands for all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Need {
    /// With their part of the pace.
    pub(super) seconds: i64,
    /// With all of it.
    pub(super) alone: i64,
    pub(super) longest: i64,
    writes: u128,
}

impl Need {
    #[cfg(test)]
    pub(super) fn new(writes: u128, seconds: i64, alone: i64, longest: i64) -> Self {
        Self {
            seconds,
            alone,
            longest,
            writes,
        }
    }

    /// Their part of the pace.
    pub(super) fn pace(&self) -> u128 {
        (self.writes * UNIT).div_ceil(u128::from(self.seconds.unsigned_abs()).max(1))
    }
}

/// What a wave needs of each kind of clusters, in their order.
#[derive(Debug, Clone)]
pub(super) struct WaveNeeds {
    kinds: Vec<(usize, Need)>,
    /// The pace that they share, if it is too little for all at once.
    shared: Option<u128>,
}

/// Places all waves; none before `begins`.
pub(super) fn place(
    begins: i64,
    sites: &Sites,
    work: &[WaveWork],
    needs: &[WaveNeeds],
    terms: &Terms,
    open: &mut [OpenTime],
) -> Vec<Times> {
    let deferral = deferral(terms, &sites.zone);
    let mut all: Vec<Times> = Vec::with_capacity(work.len());
    for (wave, needs) in work.iter().zip(needs) {
        let soaks = wave
            .asks
            .iter()
            .filter_map(|rule| terms.settings.soak.get(*rule));
        let soak = soaks.map(|rule| rule.seconds).max().unwrap_or(0);
        let mut ready = Some(begins);
        for before in &wave.after {
            let soaked = all.get(*before).and_then(Times::soaked);
            ready = ready.zip(soaked).map(|(ready, soaked)| ready.max(soaked));
        }
        if let (true, Some(date)) = (wave.deferred, deferral) {
            ready = ready.map(|ready| ready.max(date));
        }
        let mut times = Times {
            ready,
            writes: Vec::new(),
            soak,
            first: None,
            never: None,
        };
        if let Some(ready) = ready {
            times.write(ready, needs, open);
        }
        all.push(times);
    }
    all
}

/// The start of the day until which releases of low risk wait.
pub(super) fn deferral(terms: &Terms, zone: &TimeZone) -> Option<i64> {
    let date = terms.settings.risk.defer_low_until?;
    let day = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(day.timestamp().as_second())
}

/// What each wave needs of each kind of clusters.
pub(super) fn needs_of(writing: &[WaveWriting], sites: &Sites) -> Vec<WaveNeeds> {
    writing.iter().map(|wave| needs(wave, sites)).collect()
}

fn needs(wave: &WaveWriting, sites: &Sites) -> WaveNeeds {
    let mut needs: Vec<(usize, Need)> = Vec::new();
    let mut tasks: Vec<Vec<Task>> = Vec::new();
    let mut place: BTreeMap<usize, usize> = BTreeMap::new();
    for it in &wave.parts {
        let Some(kind) = sites.kind.get(it.cluster as usize) else {
            continue;
        };
        let at = *place.entry(*kind).or_insert(needs.len());
        if at == needs.len() {
            needs.push((*kind, Need::default()));
            tasks.push(Vec::new());
        }
        if let (Some((_, need)), Some(tasks)) = (needs.get_mut(at), tasks.get_mut(at)) {
            need.seconds = need.seconds.max(it.seconds);
            need.longest = need.longest.max(it.longest);
            need.writes += it.task.writes();
            tasks.push(it.task);
        }
    }
    let is_shared = wave.slowed && (2..=MOST_SHARING).contains(&needs.len());
    if is_shared {
        for ((_, need), tasks) in needs.iter_mut().zip(&tasks) {
            need.alone = seconds_of(tasks, wave.pace).min(need.seconds);
        }
    }
    needs.sort_by_key(|(kind, _)| *kind);
    WaveNeeds {
        kinds: needs,
        shared: is_shared.then_some(wave.pace),
    }
}

impl Times {
    fn write(&mut self, ready: i64, needs: &WaveNeeds, open: &mut [OpenTime]) {
        let placed = match needs.shared {
            Some(pace) => {
                let mut all = Vec::new();
                let write = |kind, stretch, _| all.push((kind, stretch));
                shared(ready, &needs.kinds, pace, open, write).map(|()| all)
            }
            None => apart(ready, &needs.kinds, open),
        };
        match placed {
            Ok(placed) => {
                let first = placed.iter().map(|(kind, (from, _))| (*from, *kind)).min();
                self.first = first.map(|(_, kind)| kind);
                self.writes = union(placed.into_iter().map(|(_, stretch)| stretch).collect());
            }
            Err(never) => self.never = Some(never),
        }
    }
}

/// Each kind for itself, whoever else writes.
pub(super) fn apart(
    ready: i64,
    needs: &[(usize, Need)],
    open: &mut [OpenTime],
) -> Result<Vec<(usize, Stretch)>, usize> {
    let mut all = Vec::new();
    for (kind, need) in needs {
        let open = open.get_mut(*kind);
        let placed = open
            .and_then(|open| rests(ready, *need, open))
            .ok_or(*kind)?;
        all.extend(placed.into_iter().map(|stretch| (*kind, stretch)));
    }
    Ok(all)
}

/// Writing time cut into open time; `None` if there is not enough of it.
fn rests(ready: i64, need: Need, open: &mut OpenTime) -> Option<Vec<Stretch>> {
    let mut left = need.seconds;
    let mut at = ready;
    let mut writes = Vec::new();
    loop {
        let (from, to) = open.next(at, left.max(need.longest))?;
        let long = to - from;
        if long >= left && long >= need.longest {
            writes.push((from, from + left));
            return Some(writes);
        }
        if long >= need.longest {
            let used = (long - need.longest).max(need.longest);
            writes.push((from, from + used));
            left -= used;
        }
        at = to;
    }
}

/// Words for the time that is looked ahead.
pub(super) fn look_ahead() -> String {
    format!("{LOOK_AHEAD_DAYS} days")
}
