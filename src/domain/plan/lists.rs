//! Lists of numbers, one after the other in one piece of memory: a list for each number from 0 on.
//!
//! A map of sets would take a dozen times the memory, and a miss of the cache for each step.

/// Lists by number.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Where each list starts; one more at the end.
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Of `(list, item)` pairs, for lists `0..lists`; items stay in the order of the pairs. Pairs of other lists are left
    /// out. Linear: the pairs are gone through twice.
    pub(super) fn of(lists: usize, pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut starts = vec![0_u32; lists + 1];
        for (list, _) in pairs.clone() {
            if let Some(count) = starts.get_mut(list as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut items = vec![0_u32; sum as usize];
        for (list, item) in pairs.filter(|(list, _)| (*list as usize) < lists) {
            let at = &mut next[list as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        Self { starts, items }
    }

    /// The same with each list ascending, and each item of it once.
    pub(super) fn into_sets(mut self) -> Self {
        let mut kept = 0_usize;
        let mut from = 0_usize;
        for list in 1..self.starts.len() {
            let to = self.starts[list] as usize;
            self.items[from..to].sort_unstable();
            let mut last = None;
            for at in from..to {
                let item = self.items[at];
                if last.replace(item) != Some(item) {
                    self.items[kept] = item;
                    kept += 1;
                }
            }
            from = to;
            // No more than there were, and those are a u32.
            self.starts[list] = u32::try_from(kept).unwrap_or(u32::MAX);
        }
        self.items.truncate(kept);
        self
    }

    /// A list; empty if there is none of that number.
    pub(super) fn get(&self, list: u32) -> &[u32] {
        let bound = |at: usize| self.starts.get(at).map_or(0, |it| *it as usize);
        let (from, to) = (bound(list as usize), bound(list as usize + 1));
        self.items.get(from..to).unwrap_or_default()
    }

    /// All items, list by list.
    pub(super) fn items(&self) -> &[u32] {
        &self.items
    }

    /// How many lists there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The lists turned round: of each number below `lists` the lists that hold it, ascending.
    pub(super) fn turned(&self, lists: usize) -> Self {
        let pairs = (0_u32..)
            .take(self.len())
            .flat_map(|list| self.get(list).iter().map(move |item| (*item, list)));
        Self::of(lists, pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn it_is_what_a_map_gives(pairs in prop::collection::vec((0_u32..12, 0_u32..9), 0..60)) {
            let mut vectors: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            let mut sets: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            let mut turned: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
            // Lists from 9 on there are none.
            for (list, item) in pairs.iter().filter(|(list, _)| *list < 9) {
                vectors.entry(*list).or_default().push(*item);
                sets.entry(*list).or_default().insert(*item);
                turned.entry(*item).or_default().insert(*list);
            }
            let lists = Lists::of(9, pairs.iter().copied());
            prop_assert_eq!(lists.len(), 9);
            for list in 0..12 {
                prop_assert_eq!(lists.get(list), vectors.remove(&list).unwrap_or_default());
            }
            let lists = lists.into_sets();
            let back = lists.turned(9);
            for list in 0..12 {
                let set: Vec<u32> = sets.remove(&list).into_iter().flatten().collect();
                prop_assert_eq!(lists.get(list), set);
                let holders: Vec<u32> = turned.remove(&list).into_iter().flatten().collect();
                prop_assert_eq!(back.get(list), holders);
            }
        }
    }
}
