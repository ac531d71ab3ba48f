//! The `time` of a managed entry: RFC 3339 in, whole seconds in UTC out.

use std::fmt;

/// When an entry was last changed, in seconds; the server keeps no fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(i64);

/// A time that is not RFC 3339, or outside of the years 0 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time of the years 0000 to 9999")]
pub struct TimeError;

const SECONDS_A_DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z in Unix seconds: what four digits of a year can say.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

impl Time {
    /// The time this many seconds after 1970-01-01T00:00:00Z.
    pub const fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        if seconds < FIRST || seconds > LAST {
            Err(TimeError)
        } else {
            Ok(Self(seconds))
        }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn as_unix(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339; a fraction of a second is dropped.
    ///
    /// ```
    /// use managed_fields::Time;
    ///
    /// let time = Time::parse("2026-02-28T23:30:00.9-01:00")?;
    /// assert_eq!(time.to_string(), "2026-03-01T00:30:00Z");
    /// # Ok::<(), managed_fields::TimeError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let (head, mut tail) = bytes.split_at_checked(19).ok_or(TimeError)?;
        let digits = |range: std::ops::Range<usize>| number(&head[range]);
        let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if punctuation.iter().any(|&(at, c)| head[at] != c) {
            return Err(TimeError);
        }
        let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
        let (hour, minute, second) = (digits(11..13)?, digits(14..16)?, digits(17..19)?);
        let in_month = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !in_month || hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError);
        }
        if let [b'.' | b',', rest @ ..] = tail {
            let fraction = rest.iter().take_while(|c| c.is_ascii_digit()).count();
            if fraction == 0 {
                return Err(TimeError);
            }
            tail = &rest[fraction..];
        }
        let offset = match tail {
            b"Z" => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
                if hours > 24 || minutes > 60 {
                    return Err(TimeError);
                }
                let seconds = hours * 3600 + minutes * 60;
                if *sign == b'-' { -seconds } else { seconds }
            }
            _ => return Err(TimeError),
        };
        let seconds =
            days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
        Self::from_unix(seconds - offset)
    }
}

/// As the server writes it: `2026-03-01T00:30:00Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (
            self.0.div_euclid(SECONDS_A_DAY),
            self.0.rem_euclid(SECONDS_A_DAY),
        );
        let (year, month, day) = civil_from_days(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

fn number(digits: &[u8]) -> Result<i64, TimeError> {
    digits.iter().try_fold(0, |n, c| {
        if c.is_ascii_digit() {
            Ok(n * 10 + i64::from(c - b'0'))
        } else {
            Err(TimeError)
        }
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. Years start in March, so that a leap day is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_calendar_comes_back() {
        for days in FIRST.div_euclid(SECONDS_A_DAY)..=LAST.div_euclid(SECONDS_A_DAY) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            assert!((1..=days_in_month(year, month)).contains(&day));
        }
    }

    #[test]
    fn known_days() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("0000-01-01T00:00:00Z", FIRST),
            ("9999-12-31T23:59:59Z", LAST),
            ("2000-02-29T12:00:00Z", 951_825_600),
        ] {
            let time = Time::parse(text).unwrap();
            assert_eq!((time.as_unix(), time.to_string().as_str()), (unix, text));
        }
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "",
            "2026-02-29T00:00:00Z",
            "2026-02-28T24:00:00Z",
            "2026-02-28T00:00:60Z",
            "2026-2-28T00:00:00Z",
            "2026-02-28t00:00:00Z",
            "2026-02-28T00:00:00z",
            "2026-02-28T00:00:00",
            "2026-02-28T00:00:00.Z",
            "2026-02-28T00:00:00+0100",
            "2026-02-28T00:00:00ZZ",
            "0000-01-01T00:00:00+01:00",
            "２０２６-02-28T00:00:00Z",
        ] {
            assert_eq!(Time::parse(text), Err(TimeError), "{text}");
        }
    }
}
