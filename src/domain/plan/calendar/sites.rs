//! The fleet's clusters as the calendar sees them: clusters that open and shut together share their open time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::super::index::Index;
use super::super::{ClusterFacts, Plan};
use super::clock::{Clock, DAY};
use super::open::{OpenTime, Opening};
use super::{LOOK_AHEAD_DAYS, Terms, begins};
use crate::domain::fleet::settings::ZoneRule;
use crate::domain::fleet::{Selector, time_zone};
use crate::domain::ids::ClusterName;

/// What decides when a cluster is open: names with the number of their zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// `None`: it names no windows, so it is always open.
    windows: Option<Vec<(String, usize)>>,
    freezes: Vec<(String, usize)>,
}

/// Clusters, kinds of clusters, clocks.
pub(super) struct Sites {
    /// Names of all clusters.
    pub(super) names: Vec<ClusterName>,
    places: Index<String>,
    /// Of each cluster the number of its kind.
    pub(super) kind: Vec<usize>,
    kinds: Vec<Key>,
    clocks: Vec<Arc<Clock>>,
    /// The fleet's zone.
    pub(super) zone: TimeZone,
    from: i64,
    end: i64,
}

impl Sites {
    /// Takes them from the plan's metadata. An error is the name of a zone that there is not.
    pub(super) fn of(plan: &Plan) -> Result<Self, String> {
        let metadata = &plan.metadata;
        let settings = &metadata.settings;
        let from = begins(plan);
        let end = from + LOOK_AHEAD_DAYS * DAY;
        let mut zones = Zones {
            names: BTreeMap::new(),
            clocks: Vec::new(),
            from,
            end,
        };
        let zone = time_zone(&metadata.timezone).ok_or_else(|| metadata.timezone.clone())?;
        let nothing = ClusterFacts::default();
        let mut numbers: BTreeMap<Key, usize> = BTreeMap::new();
        let mut sites = Self {
            names: metadata.limits.keys().cloned().collect(),
            places: Index::with_capacity(metadata.limits.len()),
            kind: Vec::with_capacity(metadata.limits.len()),
            kinds: Vec::new(),
            clocks: Vec::new(),
            zone,
            from,
            end,
        };
        for name in &sites.names {
            sites.places.insert(name.as_str().to_owned());
            let facts = metadata.clusters.get(name).unwrap_or(&nothing);
            let own = facts.timezone.as_deref().unwrap_or(&metadata.timezone);
            let mut number = |rule: &ZoneRule| {
                zones.number(match rule {
                    ZoneRule::Fleet => &metadata.timezone,
                    ZoneRule::Cluster => own,
                    ZoneRule::Named(name) => name,
                })
            };
            let mut windows = Vec::new();
            for window in &facts.windows {
                // One that the settings do not have never opens.
                if let Some(rule) = settings.windows.get(window) {
                    windows.push((window.clone(), number(&rule.zone)?));
                }
            }
            windows.sort();
            let mut freezes = Vec::new();
            for (freeze, rule) in &settings.freezes {
                if concerns(&rule.selector, name, facts) {
                    freezes.push((freeze.clone(), number(&rule.zone)?));
                }
            }
            let key = Key {
                windows: (!facts.windows.is_empty()).then_some(windows),
                freezes,
            };
            let next = numbers.len();
            let kind = *numbers.entry(key.clone()).or_insert(next);
            if kind == next {
                sites.kinds.push(key);
            }
            sites.kind.push(kind);
        }
        sites.clocks = zones.clocks;
        Ok(sites)
    }

    /// The number of a cluster.
    pub(super) fn place(&self, name: &ClusterName) -> Option<u32> {
        self.places.find(name.as_str())
    }

    /// Open time of each kind under these terms.
    pub(super) fn open_times(&self, terms: &Terms) -> Vec<OpenTime> {
        let kinds = self.kinds.iter();
        kinds
            .map(|kind| self.open_time(kind, terms, self.end))
            .collect()
    }

    /// The same up to `end` where a kind has any of these windows and freezes; others as they are.
    pub(super) fn open_again(
        &self,
        terms: &Terms,
        changed: &[&str],
        end: i64,
        as_it_is: &[OpenTime],
    ) -> Vec<OpenTime> {
        let kinds = self.kinds.iter().zip(as_it_is);
        kinds
            .map(|(kind, as_it_is)| {
                let windows = kind.windows.iter().flatten();
                let mut names = windows.chain(&kind.freezes);
                if names.any(|(name, _)| changed.contains(&name.as_str())) {
                    self.open_time(kind, terms, end)
                } else {
                    as_it_is.clone()
                }
            })
            .collect()
    }

    fn open_time(&self, kind: &Key, terms: &Terms, end: i64) -> OpenTime {
        let clock = |number: usize| self.clocks.get(number).cloned();
        let windows = kind.windows.as_ref().map(|windows| {
            let windows = windows.iter().filter_map(|(name, zone)| {
                let rule = &terms.settings.windows.get(name)?.rule;
                Some(Opening::new(name, rule, clock(*zone)?))
            });
            windows.collect()
        });
        let freezes = kind.freezes.iter().filter_map(|(name, zone)| {
            let freeze = terms.settings.freezes.get(name)?.clone();
            Some((name.clone(), freeze, clock(*zone)?))
        });
        OpenTime::new(windows, freezes.collect(), self.from, end)
    }
}

/// Clocks by the names of their zones.
struct Zones {
    names: BTreeMap<String, usize>,
    clocks: Vec<Arc<Clock>>,
    from: i64,
    end: i64,
}

impl Zones {
    fn number(&mut self, name: &str) -> Result<usize, String> {
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        let zone = time_zone(name).ok_or_else(|| name.to_owned())?;
        // Some months before: a long window by cron may have opened then.
        let clock = Clock::of(&zone, self.from - 120 * DAY, self.end);
        self.clocks.push(Arc::new(clock));
        let number = self.names.len();
        self.names.insert(name.to_owned(), number);
        Ok(number)
    }
}

/// Is a freeze this cluster's? Its selector sees the cluster's labels, and its name as `cluster`.
fn concerns(selector: &Selector, name: &ClusterName, facts: &ClusterFacts) -> bool {
    selector.is_all()
        || selector.matches_with(|key| match key {
            "cluster" => Some(name.as_str()),
            label => facts.labels.get(label).map(String::as_str),
        })
}
