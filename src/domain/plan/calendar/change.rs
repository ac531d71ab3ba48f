//! One setting, changed by as little as makes sense. Its text is what `--what-if` takes, but for the arrow: `soak.prod 72h ->
//! 48h` is `--what-if soak.prod=48h`.

use std::fmt;

use jiff::civil::{Date, Weekday};

use super::Terms;
use crate::domain::fleet::settings::{Weekdays, WindowRule};

/// Soaks that people think in, in seconds, the longest first.
const SOAKS: [u32; 13] = [
    604_800, 432_000, 345_600, 259_200, 172_800, 86_400, 43_200, 21_600, 14_400, 7_200, 3_600,
    1_800, 900,
];

/// Most writes a second and releases in flight that fleet.toml takes.
const MOST_RATE: u32 = 10_000;

/// Longest opening of a window by cron, in seconds: what fleet.toml takes, 90 days.
const LONGEST_OPENING: u32 = 7_776_000;

/// A setting's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Seconds of the soak rule of this place.
    Soak(usize, u32),
    /// Writes per second of the whole fleet.
    FleetRate(u32),
    /// Writes per second of this cluster, or of each.
    Rate(Option<usize>, u32),
    /// Releases in flight of this cluster, or of each.
    InFlight(Option<usize>, u32),
    /// Days of a window.
    Days(String, Weekdays),
    /// Seconds that a window by cron is open.
    Opening(String, u32),
    /// Last day of a freeze.
    Thaw(String, Date),
    /// Day until which releases of low risk wait.
    Defer(Date),
}

impl Change {
    /// Does it change how long clusters write?
    pub(super) fn is_of_pace(&self) -> bool {
        matches!(
            self,
            Self::FleetRate(_) | Self::Rate(..) | Self::InFlight(..)
        )
    }

    /// Where it stands among others: as the settings do.
    pub(super) fn order(&self) -> u8 {
        match self {
            Self::Soak(..) => 0,
            Self::Days(..) | Self::Opening(..) => 1,
            Self::Thaw(..) => 2,
            Self::Defer(_) => 3,
            Self::FleetRate(_) | Self::Rate(..) | Self::InFlight(..) => 4,
        }
    }

    /// The window or freeze that it changes.
    pub(super) fn opens(&self) -> Option<&str> {
        match self {
            Self::Days(name, _) | Self::Opening(name, _) | Self::Thaw(name, _) => Some(name),
            _ => None,
        }
    }

    pub(super) fn apply(&self, terms: &mut Terms) {
        match self {
            Self::Soak(rule, seconds) => {
                if let Some(rule) = terms.settings.soak.get_mut(*rule) {
                    rule.seconds = *seconds;
                }
            }
            Self::FleetRate(rate) => terms.writes_per_second = *rate,
            Self::Rate(cluster, rate) => {
                for (at, limits) in terms.limits.iter_mut().enumerate() {
                    if cluster.is_none_or(|cluster| cluster == at) {
                        limits.writes_per_second = *rate;
                    }
                }
            }
            Self::InFlight(cluster, releases) => {
                for (at, limits) in terms.limits.iter_mut().enumerate() {
                    if cluster.is_none_or(|cluster| cluster == at) {
                        limits.in_flight = *releases;
                    }
                }
            }
            Self::Days(name, new) => {
                if let Some(WindowRule::Weekly { days, .. }) = terms.rule(name) {
                    *days = new.clone();
                }
            }
            Self::Opening(name, seconds) => {
                if let Some(WindowRule::Cron { for_seconds, .. }) = terms.rule(name) {
                    *for_seconds = *seconds;
                }
            }
            Self::Thaw(name, date) => {
                if let Some(freeze) = terms.settings.freezes.get_mut(name) {
                    freeze.to = *date;
                }
            }
            Self::Defer(date) => terms.settings.risk.defer_low_until = Some(*date),
        }
    }

    /// `soak.prod 72h -> 48h`, from these terms. `cluster` gives a cluster's name.
    pub(super) fn text(&self, terms: &Terms, cluster: impl Fn(usize) -> String) -> String {
        let settings = &terms.settings;
        let limits = |at: Option<usize>| terms.limits.get(at.unwrap_or(0)).copied();
        match self {
            Self::Soak(rule, seconds) => {
                let was = settings.soak.get(*rule);
                let name = was.map_or("", |rule| rule.name.as_str());
                let key = if name == "all" && settings.soak.len() == 1 {
                    "soak".to_owned()
                } else {
                    format!("soak.{}", Name(name))
                };
                let was = was.map_or(0, |rule| rule.seconds);
                format!("{key} {} -> {}", Long(was), Long(*seconds))
            }
            Self::FleetRate(rate) => format!(
                "limits.writes_per_second {} -> {rate}",
                terms.writes_per_second
            ),
            Self::Rate(at, rate) => {
                let key = at.map_or("limits.cluster_writes_per_second".to_owned(), |at| {
                    format!("clusters.{}.limits.writes_per_second", Name(&cluster(at)))
                });
                let was = limits(*at).map_or(0, |it| it.writes_per_second);
                format!("{key} {was} -> {rate}")
            }
            Self::InFlight(at, releases) => {
                let key = at.map_or("limits.in_flight".to_owned(), |at| {
                    format!("clusters.{}.limits.in_flight", Name(&cluster(at)))
                });
                let was = limits(*at).map_or(0, |it| it.in_flight);
                format!("{key} {was} -> {releases}")
            }
            Self::Days(name, days) => {
                let was = match settings.windows.get(name).map(|it| &it.rule) {
                    Some(WindowRule::Weekly { days, .. }) => days.to_string(),
                    _ => String::new(),
                };
                format!("windows.{}.days {was} -> {days}", Name(name))
            }
            Self::Opening(name, seconds) => {
                let was = match settings.windows.get(name).map(|it| &it.rule) {
                    Some(WindowRule::Cron { for_seconds, .. }) => *for_seconds,
                    _ => 0,
                };
                format!(
                    "windows.{}.for {} -> {}",
                    Name(name),
                    Long(was),
                    Long(*seconds)
                )
            }
            Self::Thaw(name, date) => {
                let was = settings.freezes.get(name).map(|it| it.to);
                let was = was.map_or_else(String::new, |date| date.to_string());
                format!("freezes.{}.to {was} -> {date}", Name(name))
            }
            Self::Defer(date) => {
                let was = settings.risk.defer_low_until;
                let was = was.map_or_else(String::new, |date| date.to_string());
                format!("risk.defer_low_until {was} -> {date}")
            }
        }
    }
}

impl Terms {
    fn rule(&mut self, window: &str) -> Option<&mut WindowRule> {
        self.settings.windows.get_mut(window).map(|it| &mut it.rule)
    }
}

/// Twice as much, if that is lawful.
pub(super) fn twice(rate: u32) -> Option<u32> {
    rate.checked_mul(2).filter(|it| *it <= MOST_RATE)
}

/// So many days earlier, or `first` if that is nearer; none if the date is not after it.
pub(super) fn sooner(date: Date, days: i32, first: Date) -> Option<Date> {
    earlier(date, days, first).or((first < date).then_some(first))
}

/// So many days earlier, but not before `first`.
pub(super) fn earlier(date: Date, days: i32, first: Date) -> Option<Date> {
    let earlier = date.checked_sub(jiff::Span::new().days(days)).ok();
    earlier.filter(|it| *it >= first)
}

/// The next shorter soak; none below a quarter of an hour.
pub(super) fn shorter_soak(seconds: u32) -> Option<u32> {
    SOAKS.into_iter().find(|shorter| *shorter < seconds)
}

/// Twice as long, if that is lawful.
pub(super) fn longer_opening(seconds: u32) -> Option<u32> {
    seconds.checked_mul(2).filter(|it| *it <= LONGEST_OPENING)
}

/// These days and each one more, in the order of the week.
pub(super) fn one_more_day(days: &Weekdays) -> Vec<Weekdays> {
    let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let has = |at: usize, more: usize| {
        let day = i8::try_from(at).ok().map(Weekday::from_monday_zero_offset);
        at == more
            || day
                .and_then(Result::ok)
                .is_some_and(|day| days.contains(day))
    };
    let missing = (0..names.len()).filter(|at| !has(*at, names.len()));
    missing
        .filter_map(|more| {
            let mut parts: Vec<(usize, usize)> = Vec::new();
            for at in (0..names.len()).filter(|at| has(*at, more)) {
                match parts.last_mut() {
                    Some((_, last)) if *last + 1 == at => *last = at,
                    _ => parts.push((at, at)),
                }
            }
            let name = |at: usize| names.get(at).copied().unwrap_or_default();
            let parts: Vec<String> = parts
                .into_iter()
                .map(|(first, last)| match last - first {
                    0 => name(first).to_owned(),
                    _ => format!("{}-{}", name(first), name(last)),
                })
                .collect();
            parts.join(",").parse().ok()
        })
        .collect()
}

/// A key of TOML, in quotes if it needs them.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if self.0.chars().all(plain) && !self.0.is_empty() {
            f.write_str(self.0)
        } else {
            write!(f, "\"{}\"", self.0)
        }
    }
}

/// Seconds as fleet.toml writes them.
struct Long(u32);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds.is_multiple_of(3_600) => write!(f, "{}h", seconds / 3_600),
            seconds if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soaks_go_down_by_what_people_think_in() {
        assert_eq!(shorter_soak(72 * 3_600), Some(48 * 3_600));
        assert_eq!(shorter_soak(100 * 3_600), Some(96 * 3_600));
        assert_eq!(shorter_soak(3_600), Some(1_800));
        assert_eq!(shorter_soak(900), None);
        assert_eq!(shorter_soak(0), None);
    }

    #[test]
    fn a_day_more_is_written_as_ranges() {
        let more = |text: &str| -> Vec<String> {
            let days: Weekdays = text.parse().unwrap();
            one_more_day(&days)
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            more("Tue-Thu"),
            ["Mon-Thu", "Tue-Fri", "Tue-Thu,Sat", "Tue-Thu,Sun"]
        );
        assert_eq!(more("Mon,Wed,Fri-Sun"), ["Mon-Wed,Fri-Sun", "Mon,Wed-Sun"]);
        assert!(more("daily").is_empty());
    }
}
