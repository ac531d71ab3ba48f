//! Values with a syntax of their own: durations, sizes of waves, names.

use jiff::SignedDuration;

use crate::domain::fleet::{WaveSize, time_zone, time_zone_names};

/// Longest duration taken, in seconds: 90 days.
const MAX_SECONDS: i64 = 90 * 24 * 3_600;

/// Longest name of a fleet or a cluster: it is a part of file names and of table cells.
const MAX_NAME_BYTES: usize = 100;

/// `30s`, `5m`, `1h 30m`: whole seconds, at least one, at most 90 days.
pub fn seconds(text: &str) -> Result<u32, String> {
    let duration: SignedDuration = text
        .parse()
        .map_err(|_| format!("\"{text}\" is no duration; write it like 30s or 5m"))?;
    if duration.subsec_nanos() != 0 {
        return Err("a duration has whole seconds".to_owned());
    }
    u32::try_from(duration.as_secs())
        .ok()
        .filter(|seconds| *seconds > 0 && i64::from(*seconds) <= MAX_SECONDS)
        .ok_or_else(|| format!("\"{text}\" is not within 1s and 90 days"))
}

/// A number of releases.
pub fn count(number: i128) -> Result<WaveSize, String> {
    match u32::try_from(number) {
        Ok(0) => Err("a wave of 0 releases would never end: write 1 or more".to_owned()),
        Ok(number) => Ok(WaveSize::Count(number)),
        Err(_) => Err(format!("{number} is no number of releases")),
    }
}

/// `20%`: 1 to 100 percent of the plan's releases.
pub fn percent(text: &str) -> Result<WaveSize, String> {
    let digits = text.strip_suffix('%').map(str::trim_end);
    let plain = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(digits) = plain.filter(|digits| !digits.is_empty()) else {
        return Err(format!(
            "\"{text}\" is no size; write a number, or percent like \"20%\""
        ));
    };
    digits
        .parse()
        .ok()
        .filter(|percent| (1..=100).contains(percent))
        .map(WaveSize::Percent)
        .ok_or_else(|| format!("{digits}% is not within 1% and 100%"))
}

/// What is wrong with a name of a fleet or a cluster, if anything. It stands in `cluster/namespace/name`, in globs of
/// `--cluster`, in file names and in cells of tables.
pub fn name_flaw(name: &str) -> Option<String> {
    let lawful = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@');
    if name.is_empty() {
        Some("the name is empty".to_owned())
    } else if name.len() > MAX_NAME_BYTES {
        Some(format!(
            "the name has {} bytes; at most {MAX_NAME_BYTES}",
            name.len()
        ))
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        Some(format!(
            "the name \"{name}\" does not start with a letter or a digit"
        ))
    } else {
        let bad = name.chars().find(|c| !lawful(c))?;
        let shown: String = bad.escape_debug().collect();
        Some(format!(
            "the name \"{}\" holds '{shown}'; letters, digits and - _ . : @ are allowed",
            name.escape_debug()
        ))
    }
}

/// Is this an IANA time zone? If not, the closest one there is.
pub fn timezone_flaw(name: &str) -> Option<String> {
    if time_zone(name).is_some() {
        return None;
    }
    let known = time_zone_names();
    let guess = super::shape::closest(name, known.iter().map(String::as_str));
    Some(match guess {
        Some(guess) => format!("no such time zone: {name}; did you mean {guess}?"),
        None => format!("no such time zone: {name}; write it like Europe/Berlin"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(seconds("30s"), Ok(30));
        assert_eq!(seconds("1h 30m"), Ok(5_400));
        assert_eq!(seconds("168h"), Ok(604_800));
        for bad in ["", "30", "0s", "-5s", "1500ms", "9999h", "soon", "1y"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_counts_or_percent() {
        assert_eq!(percent("20%"), Ok(WaveSize::Percent(20)));
        assert_eq!(percent("100 %"), Ok(WaveSize::Percent(100)));
        for bad in ["0%", "101%", "20", "%", "-1%", "1.5%", "999999999999%"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
        assert_eq!(count(5), Ok(WaveSize::Count(5)));
        assert!(count(0).is_err() && count(-1).is_err() && count(i128::MAX).is_err());
    }

    #[test]
    fn names_fit_into_ids_and_files() {
        for good in ["eu-1", "kind-kind", "admin@lab", "a.b_c:1"] {
            assert_eq!(name_flaw(good), None, "{good}");
        }
        for bad in [
            "",
            "a/b",
            "-a",
            "a b",
            "ä",
            "a*",
            "a\u{7}",
            &"x".repeat(101),
        ] {
            assert!(name_flaw(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn a_wrong_zone_gets_a_guess() {
        assert_eq!(timezone_flaw("Europe/Berlin"), None);
        let flaw = timezone_flaw("Europe/Berln").unwrap();
        assert!(flaw.contains("did you mean Europe/Berlin?"), "{flaw}");
        assert!(timezone_flaw("Mars").is_some());
    }
}
