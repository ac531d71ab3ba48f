//! Cron expressions of five fields: minute, hour, day of month, month, day of week.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// A cron expression, as in crontab(5): `*`, lists, ranges, steps, names of months and days, 0 and 7 for Sunday. If both day
/// fields are restricted, either suffices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

/// A text that is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no cron expression: {why}")]
pub struct NotACron {
    text: String,
    why: String,
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Sunday is 0.
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// Does it name the minute that this time is in?
    pub fn matches(&self, time: DateTime) -> bool {
        self.matches_day(time) && has(self.hours, time.hour()) && has(self.minutes, time.minute())
    }

    /// Does it name any minute of this day?
    pub fn matches_day(&self, time: DateTime) -> bool {
        let day = has(self.days, time.day());
        let weekday = has(self.weekdays, time.weekday().to_sunday_zero_offset());
        let fits = match (self.any_day, self.any_weekday) {
            (false, false) => day || weekday,
            _ => day && weekday,
        };
        fits && has(self.months, time.month())
    }

    /// Minutes of a day, from midnight, that it names on the days that fit, ascending.
    pub fn minutes_of_day(&self) -> impl Iterator<Item = (i8, i8)> + '_ {
        (0..24_i8)
            .filter(|hour| has(self.hours, *hour))
            .flat_map(|hour| {
                (0..60_i8)
                    .filter(|minute| has(self.minutes, *minute))
                    .map(move |minute| (hour, minute))
            })
    }
}

fn has(bits: u64, at: i8) -> bool {
    bits.checked_shr(u32::try_from(at).unwrap_or(u32::MAX))
        .is_some_and(|bits| bits & 1 == 1)
}

/// Reads one field into bits.
fn field(text: &str, low: u32, high: u32, names: &[&str], first: u32) -> Result<u64, String> {
    let number = |word: &str| -> Result<u32, String> {
        let lower = word.to_ascii_lowercase();
        let named = names.iter().position(|name| *name == lower);
        let value = match named {
            Some(at) => u32::try_from(at).unwrap_or(u32::MAX).saturating_add(first),
            None if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) => {
                word.parse().map_err(|_| format!("{word} is too large"))?
            }
            None => return Err(format!("\"{word}\" is no number")),
        };
        if (low..=high).contains(&value) {
            Ok(value)
        } else {
            Err(format!("{value} is not from {low} to {high}"))
        }
    };
    let mut bits = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step: u32 = step.parse().map_err(|_| format!("\"{step}\" is no step"))?;
                (range, step)
            }
            None => (part, 1),
        };
        if step == 0 {
            return Err("a step of 0".to_owned());
        }
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(format!("{range} goes backwards"));
        }
        let mut at = from;
        while at <= to {
            bits |= 1 << at;
            at = at.saturating_add(step);
        }
    }
    Ok(bits)
}

impl FromStr for Cron {
    type Err = NotACron;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why: String| NotACron {
            text: text.to_owned(),
            why,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(refuse(format!(
                "it has {} fields, and needs 5: minute hour day month weekday",
                fields.len()
            )));
        };
        let mut week = field(weekdays, 0, 7, &WEEKDAYS, 0).map_err(refuse)?;
        week |= week >> 7 & 1;
        Ok(Self {
            text: fields.join(" "),
            minutes: field(minutes, 0, 59, &[], 0).map_err(refuse)?,
            hours: field(hours, 0, 23, &[], 0).map_err(refuse)?,
            days: field(days, 1, 31, &[], 0).map_err(refuse)?,
            months: field(months, 1, 12, &MONTHS, 1).map_err(refuse)?,
            weekdays: week & 0x7f,
            any_day: days.starts_with('*'),
            any_weekday: weekdays.starts_with('*'),
        })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Cron {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn fields_mean_what_crontab_says() {
        // 2026-11-24 is a Tuesday.
        let tuesday = at("2026-11-24T22:30:00");
        assert!(cron("30 22 * * *").matches(tuesday));
        assert!(cron("*/15 20-23 * nov tue-thu").matches(tuesday));
        assert!(!cron("31 22 * * *").matches(tuesday));
        assert!(!cron("30 22 * * 0").matches(tuesday));
        assert!(cron("30 22 24 * 0").matches(tuesday), "either day suffices");
        assert!(!cron("30 22 25 * *").matches(tuesday));
        let sunday = at("2026-11-29T00:00:00");
        assert!(cron("0 0 * * 7").matches(sunday) && cron("0 0 * * 0").matches(sunday));
        assert!(cron("0 0 * * 5-7").matches(sunday));
        let minutes: Vec<(i8, i8)> = cron("5/20 6,18 * * *").minutes_of_day().collect();
        assert_eq!(
            minutes,
            [(6, 5), (6, 25), (6, 45), (18, 5), (18, 25), (18, 45)]
        );
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
            "1- * * * *",
            "+1 * * * *",
            "99999999999 * * * *",
        ] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }
}
