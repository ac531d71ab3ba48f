//! Small texts: widths, cuts, counts, times. Everything foreign passes through here before it is printed.

use jiff::{SignedDuration, Timestamp};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns that a text takes on a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Characters that change how the rest of a line is drawn, though they are no control characters.
fn is_drawing(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text on one line: line ends and tabs become blanks, other control and direction marks `?`.
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            c if c.is_control() || is_drawing(c) => '?',
            c => c,
        })
        .collect()
}

/// A text for a cell: on one line, without blanks unless it stands in the last column, never empty.
pub fn cell(text: &str, last: bool) -> String {
    let line = one_line(text);
    let line = line.trim();
    if line.is_empty() {
        "<none>".to_owned()
    } else if last {
        line.to_owned()
    } else {
        line.replace(char::is_whitespace, "_")
    }
}

/// Where to break a line so that it fits: byte places of blanks to be replaced by a line end, and the indent of what
/// follows. A word that is too long stays whole. The indent is that of the line's last column (after three blanks or
/// more), or else of its beginning.
pub fn breaks(line: &str, columns: usize) -> (Vec<usize>, usize) {
    let lead = line.len() - line.trim_start_matches(' ').len();
    let column = line
        .trim_end()
        .rfind("   ")
        .map(|at| width(&line[..at + 3]));
    let indent = column
        .filter(|column| *column <= columns / 2)
        .unwrap_or(lead);
    let mut places = Vec::new();
    let mut used = 0;
    let mut blank: Option<(usize, usize)> = None;
    for (place, c) in line.char_indices() {
        if c == ' ' && used > indent {
            blank = Some((place, used));
        }
        used += c.width().unwrap_or(0);
        if used > columns
            && let Some((at, before)) = blank.take()
        {
            places.push(at);
            used = indent + used - before - 1;
        }
    }
    (places, indent)
}

/// The mark of a cut: `…`, or `...` on a terminal without UTF-8.
pub const fn ellipsis(utf8: bool) -> &'static str {
    if utf8 { "…" } else { "..." }
}

fn take_columns(chars: impl Iterator<Item = char>, columns: usize) -> Vec<char> {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// Cuts the end of a text to at most so many columns.
pub fn cut_end(text: &str, columns: usize, utf8: bool) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mark = ellipsis(utf8);
    let room = columns.saturating_sub(width(mark));
    let mut out: String = take_columns(text.chars(), room).into_iter().collect();
    out.push_str(mark);
    out
}

/// Cuts the middle out of a text, so that at most so many columns stay.
pub fn cut_middle(text: &str, columns: usize, utf8: bool) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mark = ellipsis(utf8);
    let room = columns.saturating_sub(width(mark));
    let head = take_columns(text.chars(), room.div_ceil(2));
    let tail = take_columns(text.chars().rev(), room / 2);
    let mut out: String = head.into_iter().collect();
    out.push_str(mark);
    out.extend(tail.into_iter().rev());
    out
}

/// A number for people: `5,842`.
pub fn count(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length as a number.
pub fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// A number and its noun: `1 release`, `5,842 releases`.
pub fn counted(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    let plural = match noun {
        noun if number == 1 => return format!("1 {noun}"),
        noun if noun.ends_with('y') && !noun.ends_with("ey") && !noun.ends_with("ay") => {
            format!("{}ies", noun.trim_end_matches('y'))
        }
        noun if noun.ends_with('s') || noun.ends_with("ch") => format!("{noun}es"),
        noun => format!("{noun}s"),
    };
    format!("{} {plural}", count(number))
}

/// A share in percent with one digit: `90.2%`. Never rounds up to 100.0 or down to 0.0 what is not quite that.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0.0%".to_owned();
    }
    let mut tenths = (u128::from(part) * 2000 + u128::from(whole)) / (u128::from(whole) * 2);
    if part < whole {
        tenths = tenths.min(999);
    }
    if part > 0 {
        tenths = tenths.max(1);
    }
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A length of time as kubectl and people write it: `3.1s`, `1m06s`, `5h59m`, `4d`.
pub fn duration(time: SignedDuration) -> String {
    let millis = time.as_millis().max(0);
    let seconds = millis / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    if seconds < 10 {
        format!("{seconds}.{}s", millis % 1000 / 100)
    } else if minutes < 1 {
        format!("{seconds}s")
    } else if hours < 1 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else if days < 2 {
        format!("{hours}h{:02}m", minutes % 60)
    } else {
        format!("{days}d")
    }
}

/// How long a wave is watched: `24h`, `90m`, `30s`; `None` if it is not.
pub fn soak(seconds: u32) -> Option<String> {
    match seconds {
        0 => None,
        _ if seconds.is_multiple_of(3600) => Some(format!("{}h", seconds / 3600)),
        _ if seconds.is_multiple_of(60) => Some(format!("{}m", seconds / 60)),
        _ => Some(format!("{seconds}s")),
    }
}

/// An age as kubectl writes it: the largest unit only, `<1s` below a second.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs();
    match seconds {
        ..1 => "<1s".to_owned(),
        1..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A time to the second, in UTC: `2026-11-25T08:01:00Z`.
pub fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time to the minute, in UTC: `2026-11-30T10:31Z`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%MZ").to_string()
}

/// A digest's first eight digits, as people compare it: `sha256:9f31c2a4`.
pub fn short_digest(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    format!("sha256:{}", hex.chars().take(8).collect::<String>())
}

/// A text as one word of a POSIX shell.
pub fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_and_shares() {
        assert_eq!(count(0u32), "0");
        assert_eq!(count(999u32), "999");
        assert_eq!(count(1_234_567u32), "1,234,567");
        assert_eq!(counted(1u32, "cluster"), "1 cluster");
        assert_eq!(
            counted(2u32, "journal entry").replace("journal ", ""),
            "2 entries"
        );
        assert_eq!(counted(0u32, "release"), "0 releases");
        assert_eq!(percent(552, 612), "90.2%");
        assert_eq!(percent(9_999, 10_000), "99.9%");
        assert_eq!(percent(1, 100_000), "0.1%");
        assert_eq!(percent(0, 0), "0.0%");
    }

    #[test]
    fn times() {
        let at: Timestamp = "2026-11-25T08:01:06.9Z".parse().unwrap();
        assert_eq!(time(at), "2026-11-25T08:01:06Z");
        assert_eq!(minute(at), "2026-11-25T08:01Z");
        assert_eq!(duration(SignedDuration::from_millis(3_149)), "3.1s");
        assert_eq!(duration(SignedDuration::from_secs(66)), "1m06s");
        assert_eq!(duration(SignedDuration::from_secs(21_540)), "5h59m");
        assert_eq!(duration(SignedDuration::from_hours(100)), "4d");
        assert_eq!(duration(SignedDuration::from_secs(-4)), "0.0s");
        assert_eq!(age(at, at + SignedDuration::from_hours(19)), "19h");
        assert_eq!(age(at, at), "<1s");
    }

    #[test]
    fn cuts_keep_the_ends() {
        assert_eq!(
            cut_middle("kube-controller-manager/scale", 17, true),
            "kube-con…er/scale"
        );
        assert_eq!(cut_end("kube-controller-manager", 8, false), "kube-...");
        assert_eq!(cut_end("short", 8, true), "short");
    }

    #[test]
    fn lines_break_at_blanks_and_hang() {
        let wrap = |line: &str, columns| {
            let (places, indent) = breaks(line, columns);
            let mut out = line.to_owned();
            for place in places.into_iter().rev() {
                out.replace_range(place..=place, &format!("\n{}", " ".repeat(indent)));
            }
            out
        };
        assert_eq!(wrap("one two three", 8), "one two\nthree");
        assert_eq!(
            wrap("    a fact   beside it there", 20),
            "    a fact   beside\n    it there"
        );
        assert_eq!(
            wrap("why:   one two three", 15),
            "why:   one two\n       three"
        );
        assert_eq!(wrap("averylongword x", 5), "averylongword\nx");
        assert_eq!(wrap("fits", 4), "fits");
    }

    #[test]
    fn shell_words() {
        assert_eq!(shell("eu-1/shop/web"), "eu-1/shop/web");
        assert_eq!(shell("it's"), "'it'\\''s'");
        assert_eq!(shell("acme-*"), "'acme-*'");
        assert_eq!(shell(""), "''");
    }

    proptest! {
        #[test]
        fn a_cell_is_one_word_and_never_empty(text in any::<String>()) {
            let made = cell(&text, false);
            prop_assert!(!made.is_empty());
            prop_assert!(!made.chars().any(|c| c.is_whitespace() || c.is_control()));
        }

        #[test]
        fn broken_lines_fit_and_lose_nothing(words in proptest::collection::vec("[a-zé漢]{1,9}", 1..20), columns in 30usize..60) {
            let line = words.join(" ");
            let (places, indent) = breaks(&line, columns);
            let mut from = 0;
            let mut out = Vec::new();
            for place in places {
                out.push(&line[from..place]);
                from = place + 1;
            }
            out.push(&line[from..]);
            prop_assert_eq!(out.join(" "), line.clone());
            for (row, part) in out.iter().enumerate() {
                prop_assert!(width(part) + if row > 0 { indent } else { 0 } <= columns, "{:?}", part);
            }
        }

        #[test]
        fn a_cut_text_fits(text in any::<String>(), columns in 3usize..40, utf8: bool) {
            let text = one_line(&text);
            prop_assert!(width(&cut_end(&text, columns, utf8)) <= columns);
            prop_assert!(width(&cut_middle(&text, columns, utf8)) <= columns);
        }
    }
}
