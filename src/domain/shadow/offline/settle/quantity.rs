//! Quantities: `1000m` and `1` are one value in two texts; the server stores the normal form.
//!
//! Upstream `apimachinery/pkg/api/resource/quantity.go`: a decimal number with a suffix, compared exactly.

use serde_json::Value;

/// The most digits that are compared; more than any real quantity has (upstream keeps 18).
const MAX_DIGITS: usize = 30;

/// Are both quantities, and equal? False where one does not read.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (read(left), read(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// A value of `digits * 2^binary * 10^decimal`, in one form: no factor of ten in the digits.
#[derive(Debug, PartialEq, Eq)]
struct Quantity {
    negative: bool,
    digits: u128,
    decimal: i32,
}

fn read(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => parse(&number.to_string()),
        _ => None,
    }
}

fn parse(text: &str) -> Option<Quantity> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = rest
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(rest.len());
    let (number, suffix) = rest.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty()
        || fraction.contains('.')
        || whole.len() + fraction.len() > MAX_DIGITS
    {
        return None;
    }
    let mut digits: u128 = format!("0{whole}{fraction}").parse().ok()?;
    let mut decimal = -i32::try_from(fraction.len()).ok()?;
    let (binary, tens) = factor(suffix)?;
    decimal = decimal.checked_add(tens)?;
    // 2^10 a step; six steps and thirty digits fit in 160 bits, so a quantity that does not fit is no real one.
    digits = digits.checked_mul(1_u128.checked_shl(binary)?)?;
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        decimal += 1;
    }
    if digits == 0 {
        decimal = 0;
    }
    Some(Quantity {
        negative: negative && digits != 0,
        digits,
        decimal,
    })
}

/// A suffix as a power of two and a power of ten.
fn factor(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        other => {
            let exponent = other.strip_prefix(['e', 'E'])?;
            (0, exponent.parse().ok().filter(|it: &i32| it.abs() <= 99)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_value_in_two_texts() {
        for (left, right) in [
            (json!("1000m"), json!("1")),
            (json!("1024Mi"), json!("1Gi")),
            (json!(0.5), json!("500m")),
            (json!(2), json!("2")),
            (json!("1e3"), json!("1k")),
            (json!("1.50"), json!("1500m")),
            (json!("-0"), json!("0")),
            (json!(".5"), json!("500m")),
        ] {
            assert!(equal(&left, &right), "{left} {right}");
        }
        for (left, right) in [
            (json!("1M"), json!("1Mi")),
            (json!("1"), json!("1m")),
            (json!("-1"), json!("1")),
            (json!("abc"), json!("abc")),
            (json!(""), json!("0")),
            (json!("1Xi"), json!("1")),
            (json!(null), json!("0")),
        ] {
            assert!(!equal(&left, &right), "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_or_not(text in ".{0,40}", number in any::<i64>()) {
            let _ = parse(&text);
            prop_assert!(equal(&json!(number.to_string()), &json!(number)));
        }
    }
}
