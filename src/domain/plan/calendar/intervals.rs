//! Half-open stretches of time, `from` to before `to`, ascending and apart: union and difference.

/// A stretch in seconds since 1970.
pub(super) type Stretch = (i64, i64);

/// The union, in order. Stretches that touch become one; empty ones are left out.
pub(super) fn union(mut all: Vec<Stretch>) -> Vec<Stretch> {
    all.retain(|(from, to)| from < to);
    all.sort_unstable();
    let mut merged: Vec<Stretch> = Vec::with_capacity(all.len());
    for (from, to) in all {
        match merged.last_mut() {
            Some((_, end)) if *end >= from => *end = (*end).max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}

/// What of `all` is in none of `less`; both in order and apart.
pub(super) fn without(all: &[Stretch], less: &[Stretch]) -> Vec<Stretch> {
    let mut left = Vec::with_capacity(all.len());
    let mut at = 0;
    for &(mut from, to) in all {
        while less.get(at).is_some_and(|(_, end)| *end <= from) {
            at += 1;
        }
        let mut next = at;
        while let Some(&(begins, ends)) = less.get(next).filter(|(begins, _)| *begins < to) {
            if from < begins {
                left.push((from, begins));
            }
            from = from.max(ends);
            next += 1;
        }
        if from < to {
            left.push((from, to));
        }
    }
    left
}

/// Seconds in all; they are apart.
pub(super) fn seconds(all: &[Stretch]) -> u64 {
    all.iter().map(|(from, to)| from.abs_diff(*to)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
        prop::collection::vec((0_i64..60, 0_i64..9), 0..9)
            .prop_map(|all| all.into_iter().map(|(at, long)| (at, at + long)).collect())
    }

    proptest! {
        /// Second by second, it is what sets say.
        #[test]
        fn union_and_difference_are_those_of_sets(all in stretches(), less in stretches()) {
            let within = |list: &[Stretch], at: i64| list.iter().any(|(from, to)| (*from..*to).contains(&at));
            let whole = union(all.clone());
            let cut = union(less.clone());
            let left = without(&whole, &cut);
            for at in 0..80 {
                prop_assert_eq!(within(&whole, at), within(&all, at));
                prop_assert_eq!(within(&left, at), within(&all, at) && !within(&less, at));
            }
            for list in [&whole, &left] {
                prop_assert!(list.iter().all(|(from, to)| from < to));
                prop_assert!(list.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            }
            prop_assert!(whole.windows(2).all(|pair| pair[0].1 < pair[1].0));
            prop_assert_eq!(seconds(&left), (0..80).filter(|at| within(&left, *at)).count() as u64);
        }
    }
}
