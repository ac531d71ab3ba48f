//! Cutting a sequence of releases into waves.

use crate::domain::fleet::{WaveSize, WaveSizes};

/// How many releases each wave takes of `total`, in order; the last size repeats. `None` if there are no sizes or one
/// is 0: waves of nothing would never end.
pub(super) fn wave_lengths(sizes: &WaveSizes, total: usize) -> Option<Vec<usize>> {
    let last = *sizes.0.last()?;
    let mut rest = total;
    let mut lengths = Vec::new();
    let mut sizes = sizes.0.iter().copied();
    while rest > 0 {
        let size = sizes.next().unwrap_or(last);
        let length = length(size, total)?.min(rest);
        lengths.push(length);
        rest -= length;
    }
    Some(lengths)
}

fn length(size: WaveSize, total: usize) -> Option<usize> {
    let length = match size {
        WaveSize::Count(count) => usize::try_from(count).unwrap_or(usize::MAX),
        WaveSize::Percent(percent) => total.saturating_mul(usize::from(percent)).div_ceil(100),
    };
    (length > 0).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use WaveSize::{Count, Percent};

    fn cut(sizes: &[WaveSize], total: usize) -> Option<Vec<usize>> {
        wave_lengths(&WaveSizes(sizes.to_vec()), total)
    }

    #[test]
    fn the_last_size_repeats_and_percent_is_of_all() {
        let usual = [Count(1), Count(5), Percent(20)];
        assert_eq!(cut(&usual, 0), Some(vec![]));
        assert_eq!(cut(&usual, 1), Some(vec![1]));
        assert_eq!(cut(&usual, 10), Some(vec![1, 5, 2, 2]));
        assert_eq!(cut(&usual, 536), Some(vec![1, 5, 108, 108, 108, 108, 98]));
        assert_eq!(cut(&[Percent(1)], 3), Some(vec![1, 1, 1]));
        assert_eq!(cut(&[Percent(100)], 7), Some(vec![7]));
        assert_eq!(cut(&[Count(u32::MAX)], 7), Some(vec![7]));
        assert_eq!(cut(&[], 7), None);
        assert_eq!(cut(&[Count(1), Count(0)], 7), None);
    }
}
