//! One scalar: from its text and tag to a value (source: go-yaml 2 `resolve.go`, `decode.go`).
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::YamlFault;
use super::number::{self, Num};

/// Prefix of the tags that YAML itself defines.
const YAML: &str = "tag:yaml.org,2002:";

/// base64 as Go's `StdEncoding` reads it.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A scalar's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Num(Num),
    /// A string.
    Text(String),
}

/// The value of a scalar. `implicit`: without quotes and tag; `!` is a tag of nothing, so a string.
pub(super) fn resolve(text: &str, tag: Option<&str>, implicit: bool) -> Result<Scalar, YamlFault> {
    let Some(tag) = tag else {
        return Ok(if implicit {
            implied(text)
        } else {
            Scalar::Text(text.to_owned())
        });
    };
    let Some(name) = tag.strip_prefix(YAML) else {
        return Ok(Scalar::Text(text.to_owned()));
    };
    match name {
        "binary" => binary(text).map(Scalar::Text),
        "timestamp" => timestamp(text)
            .then(|| Scalar::Text(text.to_owned()))
            .ok_or(YamlFault::Tag),
        "null" | "bool" | "int" | "float" => match (name, implied(text)) {
            ("null", value @ Scalar::Null)
            | ("bool", value @ Scalar::Bool(_))
            | ("int", value @ Scalar::Num(Num::Int(_) | Num::Uint(_)))
            | ("float", value @ Scalar::Num(Num::Float(_))) => Ok(value),
            #[expect(clippy::cast_precision_loss, reason = "Go converts likewise")]
            ("float", Scalar::Num(Num::Int(int))) => Ok(Scalar::Num(Num::Float(int as f64))),
            _ => Err(YamlFault::Tag),
        },
        // `!!str`, and every tag that go-yaml does not know.
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

/// The value that plain text stands for.
fn implied(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Num(Num::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Num(Num::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Num(Num::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    let num = match text.as_bytes().first() {
        Some(b'.') => number::dotted(text).map(Num::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => signed(&text.replace('_', "")),
        _ => None,
    };
    num.map_or_else(|| Scalar::Text(text.to_owned()), Scalar::Num)
}

fn signed(plain: &str) -> Option<Num> {
    number::integer(plain).or_else(|| number::float(plain).map(Num::Float))
}

/// What `!!binary` decodes to. JSON has no bytes: each one that is not UTF-8 becomes U+FFFD, as Go prints it.
fn binary(text: &str) -> Result<String, YamlFault> {
    let symbols: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let bytes = GO_BASE64.decode(symbols).map_err(|_| YamlFault::Binary)?;
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        decoded.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Ok(decoded)
}

/// Whether text is a time in one of go-yaml's four forms: a date; date and clock with a space between; the same with
/// `T` or `t` and an offset. It stays a string; only the tag `!!timestamp` asks.
fn timestamp(text: &str) -> bool {
    let Some((date, clock)) =
        text.split_at_checked(text.find(['T', 't', ' ']).unwrap_or(text.len()))
    else {
        return false;
    };
    let Some((year, month, day)) = three(date, '-') else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    if date.split('-').next().map(str::len) != Some(4) || !(1..=days).contains(&day) {
        return false;
    }
    let Some(separator) = clock.chars().next() else {
        return true;
    };
    let (clock, offset) =
        clock[1..].split_at(clock[1..].find(['Z', '+', '-']).unwrap_or(clock.len() - 1));
    let zoned = match offset.as_bytes() {
        [] => separator == ' ',
        [b'Z'] => separator != ' ',
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            let digits = [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit());
            separator != ' ' && digits && offset[1..3] <= *"24" && offset[4..6] <= *"60"
        }
        _ => false,
    };
    let (clock, fraction) = clock
        .split_once(['.', ','])
        .map_or((clock, None), |(clock, rest)| (clock, Some(rest)));
    let fraction_fits = fraction
        .is_none_or(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    zoned && fraction_fits && three(clock, ':').is_some_and(|(h, m, s)| h < 24 && m < 60 && s < 60)
}

/// Three numbers between two separators, the latter two of one or two digits, the first of one to four.
fn three(text: &str, separator: char) -> Option<(u32, u32, u32)> {
    let mut parts = text.split(separator);
    let mut next = |longest: usize| -> Option<u32> {
        let part = parts.next()?;
        let digits =
            (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let found = (
        next(if separator == '-' { 4 } else { 2 })?,
        next(2)?,
        next(2)?,
    );
    parts.next().is_none().then_some(found)
}
