//! The least that keeps a deadline which no small change keeps: every setting is a ladder of steps, each as small as makes sense.
//!
//! First each setting alone, as few steps as keep the deadline. If none does, all settings as far as they go; if that keeps it, each
//! is taken back as far as it can be, the one that gains least first. What is left is a set of which no part is needless.

use super::change::{Change, longer_opening, one_more_day, shorter_soak, sooner, twice};
use super::open::OpenTime;
use super::relax::{EARLIER, Priced, Pricing};

/// Steps of a ladder: ten years of weeks off a freeze. Each search takes as many prices as the number has bits.
const MOST_STEPS: usize = 520;

/// Doublings of a limit: what needs more than 64 times is another fleet.
const MOST_DOUBLINGS: usize = 6;

impl Pricing<'_> {
    /// Changes that keep the deadline, none of them more than it must be. `first` has the first step of each setting, the most useful
    /// first; none if nothing keeps it.
    pub(super) fn least_that_keeps(
        &self,
        first: &[Change],
        now: i32,
        open: &mut [OpenTime],
    ) -> Vec<Priced> {
        let ladders: Vec<Vec<Change>> = first.iter().map(|step| self.ladder(step)).collect();
        let mut found = Vec::new();
        for ladder in &ladders {
            found.extend(self.least(ladder, &[], now, open));
        }
        if found.is_empty() {
            found.extend(self.together(ladders, now, open));
        }
        found
    }

    /// A step and all that go further.
    fn ladder(&self, first: &Change) -> Vec<Change> {
        let most = if first.is_of_pace() {
            MOST_DOUBLINGS
        } else {
            MOST_STEPS
        };
        let steps = std::iter::successors(Some(first.clone()), |step| self.further(step));
        steps.take(most).collect()
    }

    fn further(&self, step: &Change) -> Option<Change> {
        match step {
            Change::Soak(rule, seconds) => {
                shorter_soak(*seconds).map(|shorter| Change::Soak(*rule, shorter))
            }
            Change::FleetRate(rate) => twice(*rate).map(Change::FleetRate),
            Change::Rate(at, rate) => twice(*rate).map(|rate| Change::Rate(*at, rate)),
            Change::InFlight(at, most) => twice(*most).map(|most| Change::InFlight(*at, most)),
            Change::Days(name, days) => {
                let more = one_more_day(days).into_iter().next();
                more.map(|days| Change::Days(name.clone(), days))
            }
            Change::Opening(name, seconds) => {
                longer_opening(*seconds).map(|longer| Change::Opening(name.clone(), longer))
            }
            Change::Thaw(name, date) => {
                let first = self.terms.settings.freezes.get(name)?.from;
                sooner(*date, EARLIER, first).map(|date| Change::Thaw(name.clone(), date))
            }
            Change::Defer(date) => sooner(*date, EARLIER, self.made()).map(Change::Defer),
        }
    }

    /// The first step of a ladder that keeps the deadline together with others, if its last does.
    fn least(
        &self,
        ladder: &[Change],
        others: &[Change],
        now: i32,
        open: &mut [OpenTime],
    ) -> Option<Priced> {
        let mut kept = |step: &Change| {
            let mut all = others.to_vec();
            all.push(step.clone());
            self.price(all, now, open).filter(|it| self.is_kept(it))
        };
        let mut best = kept(ladder.last()?)?;
        let (mut below, mut at) = (0, ladder.len() - 1);
        while below < at {
            let middle = below.midpoint(at);
            match ladder.get(middle).and_then(&mut kept) {
                Some(priced) => (best, at) = (priced, middle),
                None => below = middle + 1,
            }
        }
        Some(best)
    }

    /// All as far as they go, then each taken back.
    fn together(
        &self,
        mut ladders: Vec<Vec<Change>>,
        now: i32,
        open: &mut [OpenTime],
    ) -> Option<Priced> {
        let last = |ladders: &[Vec<Change>]| -> Vec<Change> {
            ladders.iter().filter_map(|it| it.last().cloned()).collect()
        };
        let mut best = self.price(last(&ladders), now, open)?;
        if !self.is_kept(&best) {
            return None;
        }
        for at in (0..ladders.len()).rev() {
            let ladder = std::mem::take(&mut ladders[at]);
            let others = last(&ladders);
            let without = self.price(others.clone(), now, open);
            if let Some(without) = without.filter(|it| self.is_kept(it)) {
                best = without;
            } else if let Some(least) = self.least(&ladder, &others, now, open) {
                // The step that was added last is this setting's.
                ladders[at].extend(least.changes.last().cloned());
                best = least;
            }
        }
        best.changes.sort_by_key(Change::order);
        Some(best)
    }
}
