//! The fleet's pace, shared by clusters that are open at different times.
//!
//! `pace` gives every cluster of a wave its part as if all wrote at once. Where some are shut, or done, their part is free: those that
//! are open share it in proportion, none faster than it could be alone. So no pace is left unused while somebody could use it,
//! and nobody is later than with his part alone.
//!
//! Clusters that open and shut together go as one: each does its share of their common work at any speed, so none is ever
//! faster than its limits allow.

use super::intervals::Stretch;
use super::open::OpenTime;
use super::place::Need;

/// So many kinds share at most: each opening and shutting of one is looked at by all. With more, each keeps to its part.
pub(super) const MOST_SHARING: usize = 100;

/// Speeds are whole numbers: so fine.
const GRAIN: u128 = 1_000;

/// The work of one kind of clusters.
struct Going {
    kind: usize,
    /// What is left to do, in grains: a second at `own` speed does `own` of it.
    left: u128,
    /// Speed with its own part of the pace, and with all of it, in grains a second.
    own: u128,
    most: u128,
    /// Its own part of the pace.
    pace: u128,
    longest: i64,
    /// No opening before this is looked at.
    after: i64,
    turn: Option<Turn>,
}

/// An opening that is used.
struct Turn {
    from: i64,
    /// It writes until then, unless it is done before.
    until: i64,
    shuts: i64,
}

/// Tells `writes` which kind writes when, and how much faster than with its own part of the pace: `(of, with)` is `of / with` times.
/// An error is the kind that is not open for long enough.
pub(super) fn shared(
    ready: i64,
    needs: &[(usize, Need)],
    pace: u128,
    open: &mut [OpenTime],
    mut writes: impl FnMut(usize, Stretch, (u128, u128)),
) -> Result<(), usize> {
    let mut all: Vec<Going> = needs
        .iter()
        .map(|(kind, need)| Going::new(*kind, need, ready))
        .collect();
    let mut now = ready;
    loop {
        all.retain(|it| it.left > 0);
        for it in &mut all {
            it.find_turn(open)?;
        }
        let begins = |it: &Going| it.turn.as_ref().map_or(ready, |turn| turn.from);
        let Some(first) = all.iter().map(begins).min() else {
            return Ok(());
        };
        now = now.max(first);
        let (writing, waiting): (Vec<&mut Going>, Vec<&mut Going>) =
            all.iter_mut().partition(|it| begins(it) <= now);
        let speeds = speeds(&writing, pace);
        let ends = writing
            .iter()
            .zip(&speeds)
            .map(|(it, speed)| it.ends(now, *speed));
        let till = ends.chain(waiting.iter().map(|it| begins(it))).min();
        let till = till.unwrap_or(now).max(now + 1);
        for (it, speed) in writing.into_iter().zip(speeds) {
            writes(it.kind, (now, till), (speed, it.own));
            it.go(now, till, speed);
        }
        now = till;
    }
}

impl Going {
    fn new(kind: usize, need: &Need, ready: i64) -> Self {
        let seconds = u128::from(need.seconds.unsigned_abs());
        let alone = u128::from(need.alone.unsigned_abs());
        Self {
            kind,
            left: seconds * alone * GRAIN,
            own: alone.max(1) * GRAIN,
            most: seconds.max(1) * GRAIN,
            pace: need.pace(),
            longest: need.longest,
            after: ready,
            turn: None,
        }
    }

    /// Seconds that are left at its own speed.
    fn seconds(&self) -> i64 {
        i64::try_from(self.left.div_ceil(self.own)).unwrap_or(i64::MAX)
    }

    /// The next opening in which the largest release fits. Of one that does not suffice for the rest, the time of the largest release
    /// counts as lost, but never all of it.
    fn find_turn(&mut self, open: &mut [OpenTime]) -> Result<(), usize> {
        while self.turn.is_none() {
            let left = self.seconds();
            let found = open
                .get_mut(self.kind)
                .and_then(|open| open.next(self.after, left.max(self.longest)));
            let (from, shuts) = found.ok_or(self.kind)?;
            let long = shuts - from;
            self.after = shuts;
            if long >= self.longest {
                let until = if long >= left {
                    shuts
                } else {
                    from + (long - self.longest).max(self.longest)
                };
                self.turn = Some(Turn { from, until, shuts });
            }
        }
        Ok(())
    }

    /// When it is done at this speed, or stops before.
    fn ends(&self, now: i64, speed: u128) -> i64 {
        let takes = i64::try_from(self.left.div_ceil(speed.max(1))).unwrap_or(i64::MAX);
        let until = self.turn.as_ref().map_or(now, |turn| turn.until);
        until.min(now.saturating_add(takes))
    }

    fn go(&mut self, now: i64, till: i64, speed: u128) {
        let done = u128::from(now.abs_diff(till)) * speed;
        self.left = self.left.saturating_sub(done);
        let left = self.seconds();
        if let Some(turn) = &mut self.turn
            && turn.until <= till
        {
            // Thanks to others it may be so far on that the rest fits nevertheless.
            if turn.until < turn.shuts && left <= turn.shuts - till {
                turn.until = turn.shuts;
            } else {
                self.turn = None;
            }
        }
    }
}

/// As fast as the pace allows: all by the same factor over their own speed, none beyond its most.
fn speeds(writing: &[&mut Going], pace: u128) -> Vec<u128> {
    let mut order: Vec<usize> = (0..writing.len()).collect();
    // By most / own; ties do not matter.
    order.sort_by(|a, b| {
        let (a, b) = (&writing[*a], &writing[*b]);
        (a.most * b.own).cmp(&(b.most * a.own))
    });
    let mut free = pace;
    let mut of_all: u128 = writing.iter().map(|it| it.pace).sum();
    let mut speeds = vec![0; writing.len()];
    for at in order {
        let it = &writing[at];
        let shared = it.own * free / of_all.max(1);
        let speed = shared.clamp(it.own, it.most.max(it.own));
        speeds[at] = speed;
        free = free.saturating_sub((it.pace * speed).div_ceil(it.own));
        of_all = of_all.saturating_sub(it.pace);
    }
    speeds
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::intervals::union;
    use super::super::place::apart;
    use super::*;

    /// Writes a second of the pace, in millionths, and nobody looks beyond `END`.
    const UNIT: u128 = 1_000_000;
    const END: i64 = 2_000;

    /// A second of work at one's own speed, and less than can be told apart.
    const WORK: u128 = 1_000_000_000;
    const TINY: u128 = WORK / 1_000;

    fn work_of(speed: u128, own: u128) -> u128 {
        speed * WORK / own
    }

    fn number(seconds: i64) -> u128 {
        seconds.unsigned_abs().into()
    }

    /// What is written from one second to the next: by kind `(of, with)`.
    type Second = BTreeMap<usize, (u128, u128)>;

    fn seconds(
        ready: i64,
        needs: &[(usize, Need)],
        pace: u128,
        open: &[Vec<Stretch>],
    ) -> Result<BTreeMap<i64, Second>, usize> {
        let mut all: BTreeMap<i64, Second> = BTreeMap::new();
        shared(
            ready,
            needs,
            pace,
            &mut times(open),
            |kind, (from, to), speed| {
                assert!(from < to);
                for at in from..to {
                    let twice = all.entry(at).or_default().insert(kind, speed);
                    assert_eq!(twice, None);
                }
            },
        )
        .map(|()| all)
    }

    fn times(open: &[Vec<Stretch>]) -> Vec<OpenTime> {
        let open = open.iter();
        open.map(|it| OpenTime::of_stretches(it.clone(), END))
            .collect()
    }

    fn need(writes: u128, seconds: i64, alone: i64, longest: i64) -> Need {
        Need::new(writes, seconds, alone, longest)
    }

    /// Last seconds of each kind.
    fn ends(all: &BTreeMap<i64, Second>) -> BTreeMap<usize, i64> {
        let mut ends = BTreeMap::new();
        for (at, second) in all {
            ends.extend(second.keys().map(|kind| (*kind, at + 1)));
        }
        ends
    }

    #[test]
    fn nights_apart_have_all_of_the_pace_each() {
        // 240 writes each, 8 a second together; each could be as fast alone.
        let needs = [(0, need(240, 60, 30, 2)), (1, need(240, 60, 30, 2))];
        let open = [vec![(0, 100)], vec![(200, 300)]];
        let all = seconds(0, &needs, 8 * UNIT, &open).unwrap();
        assert_eq!(ends(&all), [(0, 30), (1, 230)].into());
        // At once they share; the other's window opens when the one is half done.
        let open = [vec![(0, 100)], vec![(15, 300)]];
        let all = seconds(0, &needs, 8 * UNIT, &open).unwrap();
        assert_eq!(ends(&all), [(0, 45), (1, 60)].into());
    }

    #[test]
    fn what_others_leave_saves_a_window() {
        // Alone at its own part 40 s: of the first window 20 s, as its largest release takes 10 s.
        let needs = [(0, need(160, 40, 20, 10)), (1, need(160, 40, 20, 10))];
        let open = [vec![(0, 30), (500, 600)], vec![(1_000, 1_100)]];
        let all = seconds(0, &needs, 8 * UNIT, &open).unwrap();
        assert_eq!(ends(&all), [(0, 20), (1, 1_020)].into());
        let open = [vec![(0, 5), (500, 600)], vec![(1_000, 1_009)]];
        assert_eq!(seconds(0, &needs, 8 * UNIT, &open), Err(1));
    }

    fn case() -> impl Strategy<Value = (Vec<(usize, Need)>, u128, Vec<Vec<Stretch>>)> {
        let stretches = prop::collection::vec((0_i64..900, 1_i64..80), 0..9)
            .prop_map(|all| union(all.into_iter().map(|(at, long)| (at, at + long)).collect()));
        let one = (1_u128..300, 1_i64..90, 1_i64..90, 1_i64..30, stretches);
        (prop::collection::vec(one, 2..6), 0_u128..3).prop_map(|(all, spare)| {
            let mut needs = Vec::new();
            let mut open = Vec::new();
            for (kind, (writes, seconds, alone, longest, stretches)) in all.into_iter().enumerate()
            {
                let alone = alone.min(seconds);
                needs.push((kind, need(writes, seconds, alone, longest.min(alone))));
                open.push(stretches);
            }
            let pace: u128 = needs.iter().map(|(_, it)| it.pace()).sum();
            (needs, pace + spare * UNIT, open)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The pace is kept, and used by whoever can; nobody is slower than with his part, or faster than alone; all work is done, in
        /// open time; and nobody is done later than if he kept to his part.
        #[test]
        fn the_pace_is_shared_by_time((needs, pace, open) in case()) {
            let apart = apart(0, &needs, &mut times(&open));
            let shared = seconds(0, &needs, pace, &open);
            let Ok(all) = shared else {
                prop_assert!(apart.is_err());
                return Ok(());
            };
            let of = |kind: usize| &needs[kind].1;
            let mut done: BTreeMap<usize, u128> = BTreeMap::new();
            for (at, second) in &all {
                let mut used = 0;
                let mut wanting = false;
                for (kind, (speed, own)) in second {
                    let need = of(*kind);
                    let inside = open[*kind].iter().any(|(from, to)| from <= at && at < to);
                    prop_assert!(inside, "{kind} writes at {at}");
                    let (alone, seconds) = (number(need.alone), number(need.seconds));
                    prop_assert!(speed >= own && speed * alone <= own * seconds);
                    wanting |= speed * alone < own * seconds;
                    used += need.pace() * speed / own;
                    *done.entry(*kind).or_default() += work_of(*speed, *own);
                }
                prop_assert!(used <= pace, "{used} of {pace} at {at}");
                // Speeds are whole grains: a thousandth of a second's work.
                let fine = needs.iter().map(|(_, it)| it.pace() / 500 + 1).sum::<u128>();
                prop_assert!(!wanting || used + fine >= pace, "{used} of {pace} at {at}");
            }
            let ends = ends(&all);
            for (kind, need) in &needs {
                let work = number(need.seconds) * WORK;
                let a_second = work_of(number(need.seconds), number(need.alone));
                prop_assert!(done[kind] + TINY >= work, "{} of {work}", done[kind]);
                prop_assert!(done[kind] < work + a_second + TINY);
            }
            // Of an opening, the largest release's time is lost, or all of it if that is less.
            for (kind, need) in &needs {
                for (from, to) in &open[*kind] {
                    let wrote = (*from..*to).filter(|at| all.get(at).is_some_and(|it| it.contains_key(kind))).count();
                    let idle = (*to).min(ends[kind]) - *from - i64::try_from(wrote).unwrap();
                    prop_assert!(idle <= need.longest || to - from < need.longest, "{kind} rests {idle} s of {from} to {to}");
                    prop_assert!(wrote == 0 || to - from >= need.longest);
                    // Not done in it: its last release has room, and what is left would have had none.
                    if wrote > 0 && ends[kind] > *to {
                        let room = (to - from - need.longest).max(need.longest);
                        prop_assert!(i64::try_from(wrote).unwrap() <= room, "{kind} writes {wrote} s of {from} to {to}");
                        let speeds = all.range(..from + room).filter_map(|(_, it)| it.get(kind));
                        let done: u128 = speeds.map(|(speed, own)| work_of(*speed, *own)).sum();
                        let rest = number(to - from - room) * WORK;
                        prop_assert!(number(need.seconds) * WORK + TINY > done + rest);
                    }
                }
            }
            if let Ok(apart) = apart {
                for (kind, end) in ends {
                    let before = apart.iter().filter(|it| it.0 == kind).map(|it| it.1.1).max().unwrap();
                    prop_assert!(end <= before, "{kind}: {end}, not {before}");
                }
            }
        }
    }
}
