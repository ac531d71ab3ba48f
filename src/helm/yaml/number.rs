//! Numbers as Go reads and prints them.
use serde_json::{Number, Value};

/// A number as YAML resolves it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    /// Fits `int64`.
    Int(i64),
    /// Fits `uint64` only.
    Uint(u64),
    /// Anything else.
    Float(f64),
}

/// An integer as `strconv.ParseInt` and then `ParseUint` read it with base 0: sign, prefix `0b`, `0o`, `0x`, or `0` for octal.
/// `text` has no underscores.
pub(super) fn integer(text: &str) -> Option<Num> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0'] => return Some(Num::Int(0)),
        [b'0', ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    based(negative, signed, digits, base)
}

/// The digits of an integer: what Rust parses, less the sign that it would take.
pub(super) fn based(negative: bool, signed: bool, digits: &str, base: u32) -> Option<Num> {
    if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(size).map(Num::Int);
    }
    match i64::try_from(size) {
        Ok(int) => Some(Num::Int(int)),
        Err(_) if signed => None,
        Err(_) => Some(Num::Uint(size)),
    }
}

/// Whether `text` looks like a decimal floating-point number to go-yaml: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
pub(super) fn looks_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa
        .split_once('.')
        .map_or((mantissa, None), |(whole, rest)| (whole, Some(rest)));
    let mantissa_fits = digits(whole)
        && fraction.is_none_or(digits)
        && (!whole.is_empty() || fraction.is_some_and(|rest| !rest.is_empty()));
    let exponent_fits = exponent.is_none_or(|part| {
        let part = part.strip_prefix(['-', '+']).unwrap_or(part);
        !part.is_empty() && digits(part)
    });
    mantissa_fits && exponent_fits
}

/// A decimal floating-point number as `strconv.ParseFloat` reads it: one out of range is none.
pub(super) fn float(text: &str) -> Option<f64> {
    if !looks_float(text) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Text that begins with a dot, as `strconv.ParseFloat` reads it, underscores between digits included.
pub(super) fn dotted(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let spaced = |(at, byte): (usize, &u8)| {
        *byte != b'_' || (digit(at.checked_sub(1)) && digit(Some(at + 1)))
    };
    if !bytes.iter().enumerate().all(spaced) {
        return None;
    }
    float(&text.replace('_', ""))
}

/// A float as `encoding/json` prints it and a reader takes it back: whole ones below 10^21 lose their point, and get
/// zeros for the digits that a float does not know.
pub(super) fn json(value: f64) -> Option<Value> {
    const WITHOUT_EXPONENT: f64 = 1e21;
    if value.fract() == 0.0 && value.abs() < WITHOUT_EXPONENT {
        let text = value.to_string();
        if let Ok(int) = text.parse::<i64>() {
            return Some(Value::from(int));
        }
        if let Ok(uint) = text.parse::<u64>() {
            return Some(Value::from(uint));
        }
    }
    Number::from_f64(value).map(Value::Number)
}

/// A float as `strconv.FormatFloat(value, 'g', -1, 32)` prints it: the text of a float that is the key of a mapping.
#[expect(
    clippy::cast_possible_truncation,
    reason = "Go rounds to 32 bits here too"
)]
pub(super) fn key(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    // Shortest digits that read back the same, as d.ddde±x.
    let shortest = format!("{value:e}");
    let Some((mantissa, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_keys() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.5, "1.5"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-0.0, "-0"),
            (f64::NAN, ".nan"),
            (f64::INFINITY, ".inf"),
            (1e300, ".inf"),
        ] {
            assert_eq!(key(value), text);
        }
    }
}
