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
use super::pace::Writing;
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
    seconds: i64,
    longest: i64,
}

/// Places all waves; none before `begins`.
pub(super) fn place(
    begins: i64,
    sites: &Sites,
    work: &[WaveWork],
    needs: &[Vec<(usize, Need)>],
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
pub(super) fn needs_of(writing: &[Vec<Writing>], sites: &Sites) -> Vec<Vec<(usize, Need)>> {
    writing.iter().map(|wave| needs(wave, sites)).collect()
}

/// By kind of cluster, in their order.
fn needs(writing: &[Writing], sites: &Sites) -> Vec<(usize, Need)> {
    let mut needs: Vec<(usize, Need)> = Vec::new();
    let mut place: BTreeMap<usize, usize> = BTreeMap::new();
    for it in writing {
        let Some(kind) = sites.kind.get(it.cluster as usize) else {
            continue;
        };
        let at = *place.entry(*kind).or_insert(needs.len());
        if at == needs.len() {
            needs.push((*kind, Need::default()));
        }
        if let Some((_, need)) = needs.get_mut(at) {
            need.seconds = need.seconds.max(it.seconds);
            need.longest = need.longest.max(it.longest);
        }
    }
    needs.sort_by_key(|(kind, _)| *kind);
    needs
}

impl Times {
    fn write(&mut self, ready: i64, needs: &[(usize, Need)], open: &mut [OpenTime]) {
        let mut writes = Vec::new();
        let mut first: Option<(i64, usize)> = None;
        for (kind, need) in needs {
            let placed = open
                .get_mut(*kind)
                .and_then(|open| rests(ready, *need, open));
            let Some(placed) = placed else {
                self.never = Some(*kind);
                return;
            };
            if let Some((from, _)) = placed.first() {
                first = Some(first.map_or((*from, *kind), |it| it.min((*from, *kind))));
            }
            writes.extend(placed);
        }
        self.first = first.map(|(_, kind)| kind);
        self.writes = union(writes);
    }
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
