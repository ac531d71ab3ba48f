//! What would make the plan sooner: each change of a setting priced by placing all waves again with it.
//!
//! Releases stay in their waves, so only sums by wave and cluster are looked at: a price costs `O(w k)`, whatever the
//! number of releases. Where no small change keeps the deadline, `ladder` looks for the least that does.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::civil::Date;

use super::change::{Change, earlier, longer_opening, one_more_day, shorter_soak, sooner, twice};
use super::finish::{done, slack};
use super::open::OpenTime;
use super::pace::{WaveWriting, writing};
use super::place::{needs_of, place};
use super::sites::Sites;
use super::work::WaveWork;
use super::{LOOK_AHEAD_DAYS, Terms, begins, clock::DAY, instant};
use crate::domain::fleet::settings::WindowRule;
use crate::domain::plan::{Plan, Relaxation};

/// Changes that a plan names: more is no advice.
const MOST_NAMED: usize = 5;

/// Windows, freezes and soak rules tried of each kind: real fleets have a few.
const MOST_TRIED: usize = 20;

/// Slowest clusters tried, where clusters have different limits.
const MOST_CLUSTERS: usize = 3;

/// Changes that are tried in pairs: 28 pairs.
const MOST_PAIRED: usize = 8;

/// Pairs that a plan names.
const MOST_PAIRS: usize = 3;

/// How many days a change is tried for, if the plan as it is would never be done: one that does not help within a year is no
/// help.
const TRIED_DAYS: i64 = 400;

/// A freeze ends, or a date comes, so many days earlier.
pub(super) const EARLIER: i32 = 7;

/// What prices need.
pub(super) struct Pricing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) sites: &'a Sites,
    pub(super) work: &'a [WaveWork],
    pub(super) terms: &'a Terms,
    pub(super) writing: &'a [WaveWriting],
}

/// Changes and what they gain together.
pub(super) struct Priced {
    pub(super) changes: Vec<Change>,
    done: i64,
    gain: i32,
}

impl Pricing<'_> {
    /// The changes that gain a day at least, the greatest gain first. If the plan is late and no single one suffices, pairs of them;
    /// if those do not either, the least of what does, if anything does.
    pub(super) fn relaxations(&self, open: &mut [OpenTime]) -> Vec<Relaxation> {
        let plan = self.plan;
        let calendar = plan.calendar.as_ref();
        let never = begins(plan) + LOOK_AHEAD_DAYS * DAY;
        let now = calendar.and_then(|it| it.done);
        let now = self.slack(now.map_or(never, Timestamp::as_second));
        let mut singles: Vec<Priced> = Vec::new();
        // What a ladder begins with, if one step of it is not enough to be done at all.
        let mut helpless: Vec<Change> = Vec::new();
        for alternatives in self.changes() {
            let first = alternatives.first().cloned();
            let prices = alternatives
                .into_iter()
                .filter_map(|change| self.price(vec![change], now, open));
            // The first of equal ones.
            match prices.reduce(|best, next| if next.gain > best.gain { next } else { best }) {
                Some(best) => singles.push(best),
                None => helpless.extend(first),
            }
        }
        singles.sort_by_key(|it| Reverse(it.gain));
        let kept = |it: &Priced| self.is_kept(it);
        let mut pairs = Vec::new();
        if now < 0 && !singles.iter().any(kept) {
            let few = singles.get(..MOST_PAIRED).unwrap_or(&singles);
            for (at, one) in few.iter().enumerate() {
                for other in few.iter().skip(at + 1) {
                    let both: Vec<Change> =
                        one.changes.iter().chain(&other.changes).cloned().collect();
                    let more = one.gain.max(other.gain);
                    pairs.extend(self.price(both, now, open).filter(|it| it.gain > more));
                }
            }
            pairs.sort_by_key(|it| Reverse(it.gain));
            pairs.truncate(MOST_PAIRS);
            if !pairs.iter().any(kept) {
                let steps = singles.iter().flat_map(|it| it.changes.iter().cloned());
                let steps: Vec<Change> = steps.chain(helpless).collect();
                pairs.extend(self.least_that_keeps(&steps, now, open));
            }
        }
        singles.retain(|it| it.gain > 0);
        singles.truncate(MOST_NAMED);
        let all = singles.into_iter().chain(pairs);
        let mut named: Vec<Relaxation> = all.map(|it| self.named(&it)).collect();
        named.sort_by(|a, b| {
            (Reverse(a.gain_days), &a.change).cmp(&(Reverse(b.gain_days), &b.change))
        });
        named
    }

    /// Is the deadline kept?
    pub(super) fn is_kept(&self, priced: &Priced) -> bool {
        self.slack(priced.done) >= 0
    }

    /// The day on which the plan is made, in the fleet's zone.
    pub(super) fn made(&self) -> Date {
        let made = self.plan.metadata.made_at;
        self.sites.zone.to_datetime(made).date()
    }

    fn slack(&self, done: i64) -> i32 {
        slack(done, self.plan.metadata.deadline, &self.sites.zone)
    }

    fn named(&self, priced: &Priced) -> Relaxation {
        let cluster = |at: usize| {
            self.sites
                .names
                .get(at)
                .map_or_else(String::new, ToString::to_string)
        };
        let changes = priced.changes.iter();
        let slack = self.slack(priced.done);
        let last = instant(priced.done - 1);
        Relaxation {
            change: changes.map(|it| it.text(self.terms, cluster)).collect(),
            done: self.sites.zone.to_datetime(last).date(),
            gain_days: priced.gain,
            in_time: slack >= 0,
        }
    }

    /// Places all waves with these changes. `None` if it is never done.
    pub(super) fn price(
        &self,
        changes: Vec<Change>,
        now: i32,
        open: &mut [OpenTime],
    ) -> Option<Priced> {
        let mut terms = self.terms.clone();
        for change in &changes {
            change.apply(&mut terms);
        }
        let paced;
        let writing = if changes.iter().any(Change::is_of_pace) {
            paced = writing(self.work, &terms);
            &paced
        } else {
            self.writing
        };
        let needs = needs_of(writing, self.sites);
        let begins = begins(self.plan);
        let opened: Vec<&str> = changes.iter().filter_map(Change::opens).collect();
        let times = if opened.is_empty() {
            place(begins, self.sites, self.work, &needs, &terms, open)
        } else {
            let calendar = self.plan.calendar.as_ref();
            let done = calendar.and_then(|it| it.done);
            // What is not done a day after the plan as it is gains nothing.
            let end = done.map_or(begins + TRIED_DAYS * DAY, |it| it.as_second() + DAY);
            let mut open = self.sites.open_again(&terms, &opened, end, open);
            place(begins, self.sites, self.work, &needs, &terms, &mut open)
        };
        let done = done(&times)?;
        let gain = self.slack(done) - now;
        Some(Priced {
            changes,
            done,
            gain,
        })
    }

    /// What is tried; of alternatives for one setting the best is kept.
    fn changes(&self) -> Vec<Vec<Change>> {
        let terms = self.terms;
        let settings = &terms.settings;
        let mut all: Vec<Vec<Change>> = Vec::new();
        for (at, rule) in settings.soak.iter().enumerate().take(MOST_TRIED) {
            let asked = self.work.iter().any(|wave| wave.asks.contains(&at));
            if let (true, Some(shorter)) = (asked, shorter_soak(rule.seconds)) {
                all.push(vec![Change::Soak(at, shorter)]);
            }
        }
        for (name, window) in settings.windows.iter().take(MOST_TRIED) {
            all.push(match &window.rule {
                WindowRule::Weekly { days, .. } => one_more_day(days)
                    .into_iter()
                    .map(|days| Change::Days(name.clone(), days))
                    .collect(),
                WindowRule::Cron { for_seconds, .. } => longer_opening(*for_seconds)
                    .map(|seconds| Change::Opening(name.clone(), seconds))
                    .into_iter()
                    .collect(),
            });
        }
        for (name, freeze) in settings.freezes.iter().take(MOST_TRIED) {
            let thaw = earlier(freeze.to, EARLIER, freeze.from);
            let thaw = thaw.or_else(|| earlier(freeze.to, 1, freeze.from));
            all.extend(thaw.map(|date| vec![Change::Thaw(name.clone(), date)]));
        }
        if let Some(date) = settings.risk.defer_low_until {
            let sooner = sooner(date, EARLIER, self.made());
            all.extend(sooner.map(|date| vec![Change::Defer(date)]));
        }
        all.extend(self.faster());
        all
    }

    /// Twice as fast: the fleet, and all clusters if they have the same limits, else the slowest.
    fn faster(&self) -> Vec<Vec<Change>> {
        let terms = self.terms;
        let fleet = twice(terms.writes_per_second).map(Change::FleetRate);
        let mut all: Vec<Vec<Change>> = fleet.map(|it| vec![it]).into_iter().collect();
        let mut of = |at: Option<usize>| {
            if let Some(limits) = terms.limits.get(at.unwrap_or(0)) {
                let rate = twice(limits.writes_per_second);
                all.extend(rate.map(|rate| vec![Change::Rate(at, rate)]));
                let in_flight = twice(limits.in_flight);
                all.extend(in_flight.map(|it| vec![Change::InFlight(at, it)]));
            }
        };
        if terms
            .limits
            .windows(2)
            .all(|pair| pair.first() == pair.last())
        {
            of(None);
            return all;
        }
        let mut slowest: Vec<(Reverse<i64>, u32)> = self
            .writing
            .iter()
            .filter_map(|wave| {
                let slowest = wave
                    .parts
                    .iter()
                    .map(|it| (Reverse(it.seconds), it.cluster));
                slowest.min()
            })
            .collect();
        slowest.sort_unstable();
        let mut tried: Vec<u32> = Vec::new();
        for (_, cluster) in slowest {
            if tried.len() < MOST_CLUSTERS && !tried.contains(&cluster) {
                tried.push(cluster);
                of(Some(cluster as usize));
            }
        }
        all
    }
}
