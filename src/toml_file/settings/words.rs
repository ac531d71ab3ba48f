//! Small values that several sections have: one word of a few, a text that parses, a rate.

use std::fmt::Display;
use std::str::FromStr;

use crate::toml_file::problem::Problems;
use crate::toml_file::read::Entry;
use crate::toml_file::shape::closest;

/// One of a few words, and what each stands for.
pub(super) fn word<T: Clone>(
    entry: &Entry<'_>,
    words: &[(&str, T)],
    problems: &mut Problems,
) -> Option<T> {
    let text = entry.text(problems)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Some(value.clone());
    }
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let hint = closest(text, names.iter().copied()).map_or_else(
        || format!("there are {}", names.join(", ")),
        |guess| format!("did you mean {guess}?"),
    );
    entry.flaw(problems, format!("no such word: {text}; {hint}"));
    None
}

/// A text that a type of the domain reads.
pub(super) fn parsed<T>(entry: &Entry<'_>, problems: &mut Problems) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    let text = entry.text(problems)?;
    text.parse()
        .map_err(|error: T::Err| entry.flaw(problems, error.to_string()))
        .ok()
}

/// `2%`, `0.5%`: hundredths of a percent, 0 to 10,000.
pub(super) fn rate(entry: &Entry<'_>, problems: &mut Problems) -> Option<u16> {
    let text = entry.text(problems)?;
    let made = hundredths(text);
    if made.is_none() {
        let message = format!("\"{text}\" is no rate; write it like \"2%\" or \"0.5%\"");
        entry.flaw(problems, message);
    }
    made
}

fn hundredths(text: &str) -> Option<u16> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !is_number(whole) || !is_number(part) {
        return None;
    }
    let part: u16 = format!("{part:0<2}").parse().ok()?;
    let whole: u16 = whole.parse().ok()?;
    let all = whole.checked_mul(100)?.checked_add(part)?;
    (all <= 10_000).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_hundredths_of_a_percent() {
        for (text, rate) in [
            ("2%", Some(200)),
            ("0.5%", Some(50)),
            ("0.05 %", Some(5)),
            ("100%", Some(10_000)),
            ("100.01%", None),
            ("2", None),
            ("%", None),
            (".5%", None),
            ("1.234%", None),
            ("-1%", None),
            ("99999999%", None),
        ] {
            assert_eq!(hundredths(text), rate, "{text}");
        }
    }
}
