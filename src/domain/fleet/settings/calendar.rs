//! When writes are allowed, how long a wave is watched, what a write costs.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::Cron;
use crate::domain::fleet::Selector;
use crate::domain::ids::ClusterName;

/// A maintenance window: releases are begun inside it only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// When it is open.
    pub rule: WindowRule,
    /// Whose clock.
    pub zone: ZoneRule,
}

/// When a window is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum WindowRule {
    /// On these days, from one time to another. `to` not after `from` ends on the next day; equal is 24 hours.
    Weekly {
        /// Days on which it opens.
        days: Weekdays,
        /// It opens.
        from: Time,
        /// It shuts.
        to: Time,
    },
    /// Opens by a cron expression, for so long.
    #[serde(rename_all = "camelCase")]
    Cron {
        /// Minute, hour, day, month, weekday.
        opens: Cron,
        /// At least 60.
        for_seconds: u32,
    },
}

/// Whose clock a time is of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ZoneRule {
    /// The fleet's.
    #[default]
    Fleet,
    /// Each cluster's own: `timezone = "cluster"`.
    Cluster,
    /// That of an IANA name.
    Named(String),
}

/// Days of the week: `Mon-Fri`, `Sat,Sun`, `daily`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekdays {
    text: String,
    /// Bit 0 is Monday.
    bits: u8,
}

impl Weekdays {
    /// Is the day one of them?
    pub fn contains(&self, day: Weekday) -> bool {
        self.bits >> day.to_monday_zero_offset() & 1 == 1
    }
}

/// A text that names no days.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" are no days: write Mon-Fri, or Tue,Thu, or daily")]
pub struct NotWeekdays(String);

/// Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl FromStr for Weekdays {
    type Err = NotWeekdays;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotWeekdays(text.to_owned());
        let day = |word: &str| {
            let word = word.trim().to_ascii_lowercase();
            DAYS.iter().position(|day| *day == word).ok_or_else(refuse)
        };
        let mut bits = 0_u8;
        if text.trim().eq_ignore_ascii_case("daily") {
            bits = 0x7f;
        } else {
            for part in text.split(',') {
                let (first, last) = match part.split_once('-') {
                    Some((first, last)) => (day(first)?, day(last)?),
                    None => (day(part)?, day(part)?),
                };
                let mut at = first;
                loop {
                    bits |= 1 << at;
                    if at == last {
                        break;
                    }
                    // Sat-Mon goes round.
                    at = (at + 1) % DAYS.len();
                }
            }
        }
        Ok(Self {
            text: text.trim().to_owned(),
            bits,
        })
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Weekdays {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Weekdays {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Days on which nothing is written, the last one included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
    /// Whose days.
    #[serde(default)]
    pub zone: ZoneRule,
    /// Whose clusters; all if empty.
    #[serde(default)]
    pub selector: Selector,
}

/// How long a wave with such releases is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoakRule {
    /// As fleet.toml writes it: `prod`.
    pub name: String,
    /// Which releases.
    pub selector: Selector,
    /// How long.
    pub seconds: u32,
}

/// What a write costs: together with the limits it says how long a wave takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cost {
    /// Milliseconds from sending a write to having checked it, where nothing was measured.
    pub millis_per_write: u32,
    /// Measured in earlier runs, by cluster.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub measured: BTreeMap<ClusterName, u32>,
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            // Dry run, write and look, over a slow line.
            millis_per_write: 250,
            measured: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read() {
        let days = |text: &str| -> Vec<usize> {
            let days: Weekdays = text.parse().unwrap();
            let all = (0..7_i8).map(|at| Weekday::from_monday_zero_offset(at).unwrap());
            let in_it = all.enumerate().filter(|(_, day)| days.contains(*day));
            in_it.map(|(at, _)| at).collect()
        };
        assert_eq!(days("Mon-Fri"), [0, 1, 2, 3, 4]);
        assert_eq!(days("sat, Sun"), [5, 6]);
        assert_eq!(days("Sat-Mon"), [0, 5, 6]);
        assert_eq!(days("daily").len(), 7);
        assert_eq!(days("Tue-Thu,Sun"), [1, 2, 3, 6]);
        for text in ["", "Mo", "Mon-", "Mon--Fri", "Mon;Tue"] {
            assert!(text.parse::<Weekdays>().is_err(), "{text}");
        }
    }
}
