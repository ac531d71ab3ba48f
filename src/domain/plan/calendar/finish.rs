//! When all is done, and what is not done in time.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::instant;
use super::intervals::{seconds, union};
use super::place::Times;
use super::sites::Sites;
use super::work::WaveWork;
use crate::domain::plan::{Calendar, Late, Plan};

/// When the last wave has soaked; `None` if some wave never writes.
pub(super) fn done(times: &[Times]) -> Option<i64> {
    let mut last = i64::MIN;
    for wave in times {
        last = last.max(wave.soaked()?);
    }
    Some(last)
}

/// Days from the day of an end to a date, as the zone's calendar has them. What ends at midnight is of the day before.
pub(super) fn slack(done: i64, deadline: jiff::civil::Date, zone: &TimeZone) -> i32 {
    let last = instant(done).saturating_sub(SignedDuration::from_secs(1));
    let day = zone.to_datetime(last.unwrap_or(Timestamp::MIN)).date();
    let span = deadline - day;
    span.get_days()
}

/// Sums up the calendar.
pub(super) fn finish(plan: &Plan, sites: &Sites, work: &[WaveWork], times: &[Times]) -> Calendar {
    let deadline = plan.metadata.deadline;
    let done = done(times);
    let spans = times.iter().flat_map(|wave| wave.writes.iter().copied());
    let mut late = Vec::new();
    for ((wave, work), times) in plan.waves.iter().zip(work).zip(times) {
        let soaked = times.soaked();
        if soaked.is_some_and(|end| slack(end, deadline, &sites.zone) >= 0) {
            continue;
        }
        let clusters = work.parts.iter().filter_map(|part| {
            let name = sites.names.get(part.cluster as usize)?;
            Some(name.to_string())
        });
        late.push(Late {
            wave: wave.number,
            releases: u32::try_from(wave.releases.len()).unwrap_or(u32::MAX),
            clusters: clusters.collect(),
            done: soaked.map(instant),
        });
    }
    Calendar {
        done: done.map(instant),
        slack_days: done.map(|done| slack(done, deadline, &sites.zone)),
        writing_seconds: seconds(&union(spans.collect())),
        late,
    }
}
