//! A zone's clock over the time that a plan looks at: which instants show a local time.
//!
//! Time is counted in seconds since 1970; local time in seconds too, as if the clock on the wall were UTC's.
//!
//! A local time that the clock jumps over has no instant, one that it shows twice has two. So "from 02:00 to 03:00" is
//! nothing in the night that the clock jumps from 02:00 to 03:00, and two hours in the night that it goes back: whoever
//! gave the window looks at a clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Seconds of a day whose clock is not moved.
pub(super) const DAY: i64 = 86_400;

/// Stretches of time with one offset from UTC.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// From when each offset holds, ascending; the first since ever.
    offsets: Vec<(i64, i64)>,
}

impl Clock {
    /// The clock of a zone, exact from `from` to `to`.
    pub(super) fn of(zone: &TimeZone, from: i64, to: i64) -> Self {
        let at = Timestamp::from_second(from).unwrap_or(Timestamp::MIN);
        let mut offsets = vec![(i64::MIN, i64::from(zone.to_offset(at).seconds()))];
        for change in zone.following(at) {
            let since = change.timestamp().as_second();
            if since > to {
                break;
            }
            offsets.push((since, i64::from(change.offset().seconds())));
        }
        Self { offsets }
    }

    /// What the clock shows.
    pub(super) fn local(&self, at: i64) -> i64 {
        let after = self.offsets.partition_point(|(since, _)| *since <= at);
        let offset = after
            .checked_sub(1)
            .and_then(|before| self.offsets.get(before));
        at.saturating_add(offset.map_or(0, |(_, offset)| *offset))
    }

    /// All instants at which it shows a time from `from` to before `to`: `give` gets each stretch, ascending.
    pub(super) fn while_it_shows(&self, from: i64, to: i64, mut give: impl FnMut(i64, i64)) {
        for (at, (since, offset)) in self.offsets.iter().enumerate() {
            let until = self.until(at);
            let (first, last) = (from.saturating_sub(*offset), to.saturating_sub(*offset));
            if first >= until {
                continue;
            }
            if last <= *since {
                // The clock is never moved by as much as a day: later stretches show later times.
                if last.saturating_add(2 * DAY) < *since {
                    break;
                }
                continue;
            }
            give(first.max(*since), last.min(until));
        }
    }

    /// When it first shows this time, or one after it if it jumps over it.
    pub(super) fn first_at(&self, local: i64) -> i64 {
        for (at, (since, offset)) in self.offsets.iter().enumerate() {
            let instant = local.saturating_sub(*offset);
            if instant < self.until(at) {
                return instant.max(*since);
            }
        }
        i64::MAX
    }

    fn until(&self, at: usize) -> i64 {
        self.offsets.get(at + 1).map_or(i64::MAX, |(next, _)| *next)
    }
}
