//! Numbers for values: a hash table whose answers depend on nothing but its input.
//!
//! The core uses no `HashMap`, as its order differs from run to run. A tree would do, but a plan asks for millions of names,
//! and a tree compares twenty of them each time.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

/// Values by number, in the order in which they were first seen.
#[derive(Debug)]
pub(super) struct Index<T> {
    values: Vec<T>,
    /// Half of each value's hash, and its number; a power of two of them, at most half of them taken.
    table: Vec<(u32, u32)>,
}

/// A free place of the table.
const FREE: (u32, u32) = (0, u32::MAX);

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            table: Vec::new(),
        }
    }
}

impl<T: Hash + Eq> Index<T> {
    /// With room for so many.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            values: Vec::with_capacity(capacity),
            table: vec![FREE; (capacity * 2).next_power_of_two()],
        }
    }

    /// The value's number, if it has one.
    pub(super) fn find<Q: Hash + Eq + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        let hash = hash_of(value);
        let mask = self.table.len().checked_sub(1)?;
        let mut at = start(hash, mask);
        loop {
            match self.table.get(at).copied() {
                None | Some((_, u32::MAX)) => return None,
                Some((half, number)) if half == low(hash) => {
                    let known = self.values.get(number as usize);
                    if known.is_some_and(|known| known.borrow() == value) {
                        return Some(number);
                    }
                }
                Some(_) => {}
            }
            at = (at + 1) & mask;
        }
    }

    /// The value's number; it gets one if it has none.
    pub(super) fn number<Q: Hash + Eq + ?Sized>(
        &mut self,
        value: &Q,
        own: impl FnOnce() -> T,
    ) -> u32
    where
        T: Borrow<Q>,
    {
        match self.find(value) {
            Some(number) => number,
            None => self.push(own()),
        }
    }

    /// Was it not there yet?
    pub(super) fn insert(&mut self, value: T) -> bool {
        let new = self.find(&value).is_none();
        if new {
            self.push(value);
        }
        new
    }

    /// Appends a value that is not there.
    fn push(&mut self, value: T) -> u32 {
        if (self.values.len() + 1) * 2 > self.table.len() {
            let size = (self.table.len() * 2).max(16);
            self.table = vec![FREE; size];
            for (number, value) in (0_u32..).zip(&self.values) {
                place(&mut self.table, hash_of(value), number);
            }
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        place(&mut self.table, hash_of(&value), number);
        self.values.push(value);
        number
    }

    /// The value of a number.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.values.get(number as usize)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

fn place(table: &mut [(u32, u32)], hash: u64, number: u32) {
    let mask = table.len().saturating_sub(1);
    let mut at = start(hash, mask);
    while let Some(slot) = table.get_mut(at) {
        if *slot == FREE {
            *slot = (low(hash), number);
            return;
        }
        at = (at + 1) & mask;
    }
}

/// Where to look first: the upper half, as multiplication stirs upwards.
fn start(hash: u64, mask: usize) -> usize {
    usize::try_from(hash >> 32).unwrap_or(0) & mask
}

fn low(hash: u64) -> u32 {
    u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0)
}

fn hash_of<Q: Hash + ?Sized>(value: &Q) -> u64 {
    let mut hasher = Stir(0);
    value.hash(&mut hasher);
    hasher.finish()
}

/// Multiplies and rotates, eight bytes at a time.
struct Stir(u64);

impl Stir {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Stir {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        for (to, byte) in last.iter_mut().zip(rest) {
            *to = *byte;
        }
        if !rest.is_empty() {
            self.add(u64::from_le_bytes(last));
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.add(u64::from(byte));
    }

    fn write_u32(&mut self, number: u32) {
        self.add(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.add(number as u64);
    }

    fn finish(&self) -> u64 {
        let hash = (self.0 ^ self.0 >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
        hash ^ hash >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_numbers_as_a_map_would(texts in prop::collection::vec("[a-c]{0,4}", 0..200)) {
            let mut index: Index<String> = Index::default();
            let mut map: BTreeMap<String, u32> = BTreeMap::new();
            for text in &texts {
                prop_assert_eq!(index.find(text.as_str()), map.get(text).copied());
                let next = u32::try_from(map.len()).unwrap();
                let number = *map.entry(text.clone()).or_insert(next);
                prop_assert_eq!(index.number(text.as_str(), || text.clone()), number);
                prop_assert_eq!(index.get(number), Some(text));
                prop_assert!(!index.insert(text.clone()));
            }
            prop_assert_eq!(index.len(), map.len());
        }
    }
}
