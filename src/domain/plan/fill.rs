//! Each release into the first wave that has room for it: after its dependencies, within sizes, caps and peers.
//!
//! Releases are placed one after the other, and never moved again. What is full is jumped over, so that a release costs
//! about as much as the limits that it is under, however many waves there are.

use super::index::Index;
use super::intake::Intake;
use super::needs::Needs;
use crate::domain::fleet::settings::{Counted, Cut, Key, PeerRule, PlanSettings};
use crate::domain::fleet::{WaveSize, WaveSizes};

/// A wave, before waves have numbers: stage, and part of it from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Slot {
    pub(super) stage: u32,
    pub(super) part: u32,
}

/// Why a release is not in an earlier wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// Nothing moved it.
    No,
    /// The wave before has its size.
    Size,
    /// A dependency, by place.
    After(u32),
    /// A cap or peers, by place in the list of limits.
    Limit(u32),
}

/// An upper bound of what one wave holds of a group.
pub(super) struct Limit {
    /// Its name.
    pub(super) name: String,
    /// The group of each release; none is not bounded.
    pub(super) groups: Vec<Option<u32>>,
    /// What is counted; none counts releases.
    items: Option<Vec<Option<u32>>>,
    most: u32,
}

/// Caps and peers of the settings, in their order.
pub(super) fn limits(settings: &PlanSettings, intake: &Intake<'_>) -> Vec<Limit> {
    let caps = settings.caps.iter().map(|cap| Limit {
        name: cap.name.clone(),
        groups: intake.groups(&cap.per),
        items: match cap.count {
            Counted::Releases => None,
            Counted::Clusters => Some(intake.groups(&Key::Cluster)),
        },
        most: cap.at_most.max(1),
    });
    let peers = settings.peers.iter().map(|peers| {
        let (groups, items) = match &peers.rule {
            PeerRule::Sides(sides) => {
                let side = |at| {
                    let found = sides.iter().position(|side| intake.satisfies(at, side))?;
                    u32::try_from(found).ok()
                };
                let sides: Vec<Option<u32>> = (0..intake.rows.len()).map(side).collect();
                (sides.iter().map(|side| side.map(|_| 0)).collect(), sides)
            }
            PeerRule::Same { group, side } => (intake.groups(group), intake.groups(side)),
        };
        Limit {
            name: peers.name.clone(),
            groups,
            items: Some(items),
            most: 1,
        }
    });
    caps.chain(peers).collect()
}

/// How full each wave of a stage is, of one group.
#[derive(Debug, Default)]
struct Room {
    counts: Vec<u32>,
    /// The next wave that may have room, from a full one; itself, from one that has.
    skip: Vec<u32>,
}

impl Room {
    /// The first wave from there on that is not full.
    fn open_from(&mut self, part: u32) -> u32 {
        let mut at = part;
        while let Some(next) = self
            .skip
            .get(at as usize)
            .copied()
            .filter(|next| *next != at)
        {
            at = next;
        }
        // Shorten the way for the next one.
        let mut from = part;
        while let Some(next) = self.skip.get_mut(from as usize) {
            if *next == from {
                break;
            }
            from = std::mem::replace(next, at);
        }
        at
    }

    fn take(&mut self, part: u32, most: u32) {
        while self.counts.len() <= part as usize {
            self.skip
                .push(u32::try_from(self.skip.len()).unwrap_or(u32::MAX));
            self.counts.push(0);
        }
        let count = &mut self.counts[part as usize];
        *count += 1;
        if *count >= most {
            self.skip[part as usize] = part + 1;
        }
    }
}

/// How a stage is cut, once its number of releases is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StageCut {
    cut: Cut,
    total: u64,
}

impl StageCut {
    pub(super) fn new(cut: &Cut, total: usize) -> Self {
        Self {
            cut: cut.clone(),
            total: total as u64,
        }
    }

    /// Is it cut by numbers of releases, so that one more moves others?
    pub(super) fn is_exact(&self) -> bool {
        matches!(self.cut, Cut::Sizes(_) | Cut::Doubling { .. })
    }

    /// Most releases of a wave.
    pub(super) fn most(&self, part: u32) -> u32 {
        let most = match &self.cut {
            Cut::Whole | Cut::Shares(_) => u64::MAX,
            Cut::Sizes(WaveSizes(sizes)) => match sizes.get(part as usize).or(sizes.last()) {
                None => u64::MAX,
                Some(WaveSize::Count(count)) => u64::from(*count),
                Some(WaveSize::Percent(percent)) => {
                    (self.total * u64::from(*percent)).div_ceil(100)
                }
            },
            Cut::Doubling { first } => u64::from((*first).max(1))
                .checked_shl(part)
                .filter(|size| size.leading_zeros() > 0 && *size > 0)
                .unwrap_or(u64::MAX),
        };
        u32::try_from(most).unwrap_or(u32::MAX).max(1)
    }

    /// The first wave that a release may be in, by a number that follows from its name alone.
    fn first(&self, hash: u64) -> u32 {
        let Cut::Shares(shares) = &self.cut else {
            return 0;
        };
        // A place from 0 to 99.99 percent.
        let place = u32::try_from(hash % 10_000).unwrap_or(0);
        let mut upto = 0;
        let mut shares = shares.iter().copied().filter(|share| *share > 0);
        let mut last = 100;
        for part in 0.. {
            last = shares.next().unwrap_or(last);
            upto += u32::from(last) * 100;
            if place < upto {
                return part;
            }
        }
        0
    }
}

/// FNV-1a with a last stir: the same on every machine and in every version.
fn stable_hash(seed: u64, texts: [&str; 3]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for text in texts {
        for byte in text.bytes().chain([b'/']) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ hash >> 33
}

/// Where each release goes.
pub(super) struct Filled {
    pub(super) slots: Vec<Slot>,
    pub(super) moved: Vec<Moved>,
}

/// What [`fill`] goes by.
pub(super) struct Order<'a> {
    /// Every release, after those that it needs.
    pub(super) sequence: &'a [u32],
    /// The stage of each.
    pub(super) stages: &'a [u32],
    /// How each stage is cut.
    pub(super) cuts: &'a [StageCut],
    /// The lane of each, if there are any.
    pub(super) lanes: Option<&'a [Option<u32>]>,
    /// Of arbitrary choices.
    pub(super) seed: u64,
}

/// A value for each key, made when it is first asked for.
#[derive(Default)]
struct Keyed<K, V> {
    keys: Index<K>,
    values: Vec<V>,
}

impl<K: std::hash::Hash + Eq + Copy, V: Default> Keyed<K, V> {
    fn get(&self, key: &K) -> Option<&V> {
        self.values.get(self.keys.find(key)? as usize)
    }

    fn at(&mut self, key: K) -> &mut V {
        let number = self.keys.number(&key, || key) as usize;
        if number >= self.values.len() {
            self.values.push(V::default());
        }
        &mut self.values[number]
    }
}

/// Places all. About `O(n · limits)`.
pub(super) fn fill(
    order: &Order<'_>,
    limits: &[Limit],
    needs: &Needs,
    intake: &Intake<'_>,
) -> Filled {
    let n = order.sequence.len();
    let mut slots = vec![Slot { stage: 0, part: 0 }; n];
    let mut moved = vec![Moved::No; n];
    let mut sizes: Vec<Room> = order.cuts.iter().map(|_| Room::default()).collect();
    let mut rooms: Keyed<(u32, u32, u32), Room> = Keyed::default();
    // Waves of a stage that hold an item of a group already.
    let mut holding: Keyed<(u32, u32, u32, u32), Vec<u32>> = Keyed::default();
    for at in order.sequence.iter().copied() {
        let place = at as usize;
        let mut slot = Slot {
            stage: order.stages[place],
            part: 0,
        };
        let cut = order.cuts.get(slot.stage as usize);
        if let Some(cut) = cut.filter(|cut| matches!(cut.cut, Cut::Shares(_))) {
            let texts = ["cluster", "namespace", "release"];
            let texts = texts.map(|key| intake.value(place, key).unwrap_or_default());
            slot.part = cut.first(stable_hash(order.seed, texts));
        }
        let mut why = Moved::No;
        for need in needs.of(at) {
            let mut bound = slots[*need as usize];
            let other_lane = order
                .lanes
                .is_some_and(|lanes| lanes[*need as usize] != lanes[place]);
            if other_lane && bound.stage > 0 {
                bound.part += 1;
            }
            if bound > slot {
                slot = bound;
                why = Moved::After(*need);
            }
        }
        let stage = slot.stage;
        loop {
            let before = slot.part;
            if let Some(room) = sizes.get_mut(stage as usize) {
                let open = room.open_from(slot.part);
                if open > slot.part {
                    (slot.part, why) = (open, Moved::Size);
                }
            }
            for (number, limit) in (0_u32..).zip(limits) {
                let Some((group, item)) = bounded(limit, place) else {
                    continue;
                };
                let room = rooms.at((number, group, stage));
                let mut open = room.open_from(slot.part);
                if let Some(parts) = item.and_then(|it| holding.get(&(number, group, stage, it))) {
                    let from = parts.partition_point(|part| *part < slot.part);
                    open = parts.get(from).map_or(open, |part| open.min(*part));
                }
                if open > slot.part {
                    (slot.part, why) = (open, Moved::Limit(number));
                }
            }
            if slot.part == before {
                break;
            }
        }
        if let (Some(room), Some(cut)) = (
            sizes.get_mut(stage as usize),
            order.cuts.get(stage as usize),
        ) {
            room.take(slot.part, cut.most(slot.part));
        }
        for (number, limit) in (0_u32..).zip(limits) {
            let Some((group, item)) = bounded(limit, place) else {
                continue;
            };
            if let Some(item) = item {
                let parts = holding.at((number, group, stage, item));
                let from = parts.partition_point(|part| *part < slot.part);
                if parts.get(from) == Some(&slot.part) {
                    continue;
                }
                parts.insert(from, slot.part);
            }
            let room = rooms.at((number, group, stage));
            room.take(slot.part, limit.most);
        }
        slots[place] = slot;
        moved[place] = why;
    }
    Filled { slots, moved }
}

/// The group of a release under a limit, and the item that counts.
fn bounded(limit: &Limit, place: usize) -> Option<(u32, Option<u32>)> {
    let group = limit.groups[place]?;
    match &limit.items {
        None => Some((group, None)),
        Some(items) => items[place].map(|item| (group, Some(item))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_repeat_double_or_share() {
        let sizes = |cut: Cut, total| -> Vec<u32> {
            let cut = StageCut::new(&cut, total);
            (0..5).map(|part| cut.most(part)).collect()
        };
        let usual = WaveSizes(vec![
            WaveSize::Count(1),
            WaveSize::Count(5),
            WaveSize::Percent(20),
        ]);
        assert_eq!(sizes(Cut::Sizes(usual), 536), [1, 5, 108, 108, 108]);
        assert_eq!(sizes(Cut::Doubling { first: 3 }, 9), [3, 6, 12, 24, 48]);
        assert_eq!(
            StageCut::new(&Cut::Doubling { first: 3 }, 9).most(200),
            u32::MAX
        );
        assert_eq!(sizes(Cut::Whole, 9), [u32::MAX; 5]);
    }

    #[test]
    fn shares_are_met_on_average() {
        let cut = StageCut::new(&Cut::Shares(vec![1, 9, 30]), 0);
        let mut counts = [0_u32; 5];
        for number in 0..100_000_u32 {
            let name = format!("r{number}");
            let part = cut.first(stable_hash(0, ["eu-1", "shop", &name]));
            counts[part as usize] += 1;
        }
        for (count, percent) in counts.iter().zip([1, 9, 30, 30, 30]) {
            assert!(count.abs_diff(percent * 1_000) < 1_000, "{counts:?}");
        }
    }

    #[test]
    fn what_is_full_is_jumped_over() {
        let mut room = Room::default();
        for part in [0, 1, 1, 2, 2, 0] {
            room.take(part, 2);
        }
        assert_eq!(
            (room.open_from(0), room.open_from(3), room.open_from(9)),
            (3, 3, 9)
        );
        room.take(4, 1);
        assert_eq!((room.open_from(4), room.open_from(3)), (5, 3));
    }
}
