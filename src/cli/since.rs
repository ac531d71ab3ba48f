//! `--since`: a time as people say it at three in the morning.

use std::str::FromStr;

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::error::CliError;
use crate::render::text;

/// A point in time before now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// `2h`, `90m`: so long ago.
    Ago(SignedDuration),
    /// `14:05`: the last time that a clock in the fleet's zone showed it.
    Clock(Time),
    /// `2026-12-02T14:05`, in the fleet's zone.
    Civil(DateTime),
    /// `2026-12-02T13:05Z`.
    At(Timestamp),
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no time: write 14:05, 2h, 2026-12-02T14:05 or 2026-12-02T13:05Z")]
pub struct NotATime(String);

impl FromStr for Since {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        if let Ok(ago) = text.parse::<SignedDuration>()
            && !ago.is_negative()
        {
            return Ok(Self::Ago(ago));
        }
        if text.contains(':')
            && !text.contains('-')
            && let Ok(clock) = text.parse::<Time>()
        {
            return Ok(Self::Clock(clock));
        }
        if let Ok(civil) = text.parse::<DateTime>() {
            return Ok(Self::Civil(civil));
        }
        Err(NotATime(text.to_owned()))
    }
}

impl Since {
    /// The point in time. `zone` is the fleet's IANA name.
    pub fn resolve(&self, now: Timestamp, zone: &str) -> Result<Timestamp, CliError> {
        let zone = time_zone(zone)?;
        let out_of_range = |error: jiff::Error| {
            CliError::usage("the time of --since does not exist").because(error.to_string())
        };
        let at = match self {
            Self::At(at) => *at,
            Self::Ago(ago) => now.checked_sub(*ago).map_err(out_of_range)?,
            Self::Civil(civil) => zone.to_timestamp(*civil).map_err(out_of_range)?,
            Self::Clock(clock) => {
                let today = zone.to_datetime(now).date();
                let at = |date: jiff::civil::Date| zone.to_timestamp(date.to_datetime(*clock));
                let shown = at(today).map_err(out_of_range)?;
                if shown <= now {
                    shown
                } else {
                    at(today.yesterday().map_err(out_of_range)?).map_err(out_of_range)?
                }
            }
        };
        if at > now {
            return Err(
                CliError::usage(format!("--since {} is in the future", text::minute(at)))
                    .because(format!("it is {} now", text::minute(now))),
            );
        }
        Ok(at)
    }
}

/// How refit understood it: `2026-12-02T13:05Z, 14:05 Europe/Berlin`.
pub fn echo(at: Timestamp, zone: &str) -> String {
    match time_zone(zone) {
        Ok(local) => format!(
            "{}, {} {zone}",
            text::minute(at),
            local.to_datetime(at).strftime("%H:%M")
        ),
        Err(_) => text::minute(at),
    }
}

fn time_zone(name: &str) -> Result<TimeZone, CliError> {
    TimeZone::get(name).map_err(|error| {
        CliError::usage(format!("no time zone \"{name}\"")).because(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(since: &str) -> String {
        let now: Timestamp = "2026-12-02T14:00:00Z".parse().unwrap();
        match since
            .parse::<Since>()
            .unwrap()
            .resolve(now, "Europe/Berlin")
        {
            Ok(at) => text::minute(at),
            Err(error) => error.what,
        }
    }

    #[test]
    fn times_as_people_say_them() {
        assert_eq!(at("14:05"), "2026-12-02T13:05Z");
        assert_eq!(at("15:30"), "2026-12-01T14:30Z");
        assert_eq!(at("2h"), "2026-12-02T12:00Z");
        assert_eq!(at("1h30m"), "2026-12-02T12:30Z");
        assert_eq!(at("2026-12-02T14:05"), "2026-12-02T13:05Z");
        assert_eq!(at("2026-12-02T13:05:00Z"), "2026-12-02T13:05Z");
        assert_eq!(at("2026-12-01"), "2026-11-30T23:00Z");
        assert!(at("2026-12-03T00:00:00Z").contains("in the future"));
        for wrong in ["", "yesterday", "25:00", "-2h", "14"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn the_echo_names_both_zones() {
        let at: Timestamp = "2026-12-02T13:05:00Z".parse().unwrap();
        assert_eq!(
            echo(at, "Europe/Berlin"),
            "2026-12-02T13:05Z, 14:05 Europe/Berlin"
        );
    }
}
