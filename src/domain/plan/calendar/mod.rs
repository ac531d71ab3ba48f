//! The calendar: when each wave starts, rests and ends, when the plan is done, and what would make it sooner.
//!
//! decisions | effects
//! ---|---
//! starts, spans, ends, waits, finish, relaxations | none: they are written into the plan
//!
//! `clock` knows a zone's offsets; `open` makes open time of windows and freezes; `sites` says which clusters share
//! theirs; `work` sums up waves by cluster; `pace` says how long each cluster writes; `place` puts that into open time,
//! wave after wave; `share` gives the pace of those that are shut to those that are open; `waits` says why a wave does not
//! start before; `finish` holds the end against the deadline; `relax` prices what would make it sooner, each a `change` of
//! one setting, and `ladder` finds the least that keeps a deadline. The rules are in ADR 15.

mod change;
mod clock;
mod finish;
mod intervals;
mod ladder;
mod open;
mod pace;
mod place;
mod relax;
mod share;
mod sites;
mod waits;
mod work;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::Plan;
use crate::domain::fleet::settings::Lanes;
use crate::domain::fleet::{Limits, PlanSettings};
use place::{needs_of, place};
use relax::Pricing;
use sites::Sites;

/// How many days the calendar looks ahead. A window may be of one day in four years (29 February by cron); what does not
/// open in that time is taken to open never.
pub(super) const LOOK_AHEAD_DAYS: i64 = 1_500;

/// A zone that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such time zone: {0}; write it like Europe/Berlin")]
pub struct NoSuchZone(pub String);

/// What may be changed to be done sooner.
#[derive(Debug, Clone)]
struct Terms {
    settings: PlanSettings,
    /// By cluster.
    limits: Vec<Limits>,
    /// Milliseconds a write, by cluster.
    cost: Vec<u32>,
    writes_per_second: u32,
}

impl Terms {
    fn of(plan: &Plan, sites: &Sites) -> Self {
        let metadata = &plan.metadata;
        let cost = &metadata.settings.cost;
        let own = |name| cost.measured.get(name).copied();
        Self {
            settings: metadata.settings.clone(),
            limits: metadata.limits.values().copied().collect(),
            cost: sites
                .names
                .iter()
                .map(|name| own(name).unwrap_or(cost.millis_per_write))
                .collect(),
            writes_per_second: metadata.writes_per_second,
        }
    }

    fn is_laned(&self) -> bool {
        self.settings.lanes != Lanes::Fleet
    }
}

/// Writes the calendar into a plan whose waves are complete. A plan without waves has none. Changes nothing else.
///
/// `O(n)` in releases, then `O(w k)` for `w` waves and `k` kinds of clusters that open and shut together.
pub(super) fn write(plan: &mut Plan) -> Result<(), NoSuchZone> {
    if plan.waves.is_empty() {
        return Ok(());
    }
    let sites = Sites::of(plan).map_err(NoSuchZone)?;
    let work = work::work(plan, &sites);
    let terms = Terms::of(plan, &sites);
    let mut open = sites.open_times(&terms);
    let writing = pace::writing(&work, &terms);
    let needs = needs_of(&writing, &sites);
    let times = place(begins(plan), &sites, &work, &needs, &terms, &mut open);
    let waits = waits::waits(plan, &sites, &work, &times, &mut open);
    plan.calendar = Some(finish::finish(plan, &sites, &work, &times));
    let pricing = Pricing {
        plan,
        sites: &sites,
        work: &work,
        terms: &terms,
        writing: &writing,
    };
    plan.relaxations = pricing.relaxations(&mut open);
    for ((wave, times), waits) in plan.waves.iter_mut().zip(times).zip(waits) {
        wave.starts = times.starts().map(instant);
        wave.ends = times.ends().map(instant);
        wave.soak = times.soak;
        wave.spans = times.spans(instant);
        wave.waits_for = waits;
    }
    Ok(())
}

/// The first whole second at which the plan is there.
fn begins(plan: &Plan) -> i64 {
    let made = plan.metadata.made_at;
    made.as_second() + i64::from(made.subsec_nanosecond() > 0)
}

fn instant(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}
