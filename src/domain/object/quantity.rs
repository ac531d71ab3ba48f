//! Kubernetes quantities: are two spellings the same amount (`1000m` and `1`, `1024Mi` and `1Gi`)?
//!
//! The server stores a quantity's text and compares texts, so another spelling is a conflict though nothing would
//! change. Upstream `apimachinery/pkg/api/resource/quantity.go`: a decimal number with a suffix, compared exactly.

use std::str::FromStr;

use serde_json::Value;

/// Digits that are read: upstream keeps 18, and a longer number is no real quantity.
const MAX_DIGITS: usize = 18;

/// Powers of ten that may stand behind an `e`: up to the greatest suffix.
const MAX_EXPONENT: i32 = 18;

/// An amount: `digits * 10^decimal`, in one form: no factor of ten in the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    negative: bool,
    digits: u128,
    decimal: i32,
}

/// A text or a value that is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no quantity: a number of at most {MAX_DIGITS} digits and a suffix such as m, k, Mi")]
pub struct NotAQuantity;

/// The same amount in two spellings. What is no quantity is the same as nothing, itself included.
pub fn same_quantity<'a, T>(left: &'a T, right: &'a T) -> bool
where
    T: ?Sized,
    Quantity: TryFrom<&'a T>,
{
    match (Quantity::try_from(left), Quantity::try_from(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

impl TryFrom<&Value> for Quantity {
    type Error = NotAQuantity;

    fn try_from(value: &Value) -> Result<Self, NotAQuantity> {
        match value {
            Value::String(text) => text.parse(),
            Value::Number(number) => number.to_string().parse(),
            _ => Err(NotAQuantity),
        }
    }
}

impl TryFrom<&str> for Quantity {
    type Error = NotAQuantity;

    fn try_from(text: &str) -> Result<Self, NotAQuantity> {
        text.parse()
    }
}

impl FromStr for Quantity {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, NotAQuantity> {
        read(text).ok_or(NotAQuantity)
    }
}

fn read(text: &str) -> Option<Quantity> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > MAX_DIGITS || fraction.contains('.') {
        return None;
    }
    let (binary, tens) = scale(suffix)?;
    let mut decimal = tens - i32::try_from(fraction.len()).ok()?;
    // Eighteen digits and 2^60 fit.
    let mut digits = digits
        .parse::<u128>()
        .ok()?
        .checked_mul(1_u128.checked_shl(binary)?)?;
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
        decimal += 1;
    }
    Some(Quantity {
        negative: digits != 0 && text.starts_with('-'),
        digits,
        decimal: if digits == 0 { 0 } else { decimal },
    })
}

/// Powers of two and of ten that a suffix stands for.
fn scale(suffix: &str) -> Option<(u32, i32)> {
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
            let power: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            (0, Some(power).filter(|it| it.abs() <= MAX_EXPONENT)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn spellings_of_one_amount() {
        for (left, right) in [
            (json!("1000m"), json!("1")),
            (json!("1024Mi"), json!("1Gi")),
            (json!(0.5), json!("500m")),
            (json!(2), json!("2")),
            (json!("1e3"), json!("1k")),
            (json!("1.50"), json!("1500m")),
            (json!("1"), json!("1.0")),
            (json!("0"), json!("0m")),
            (json!("-0"), json!("0")),
            (json!("+2"), json!("2")),
            (json!(".5"), json!("500m")),
        ] {
            assert!(same_quantity(&left, &right), "{left} {right}");
            assert!(same_quantity(&right, &left), "{right} {left}");
        }
        for (left, right) in [
            (json!("1M"), json!("1Mi")),
            (json!("1G"), json!("1Gi")),
            (json!("1"), json!("2")),
            (json!("1"), json!("1m")),
            (json!("-1"), json!("1")),
            (json!("abc"), json!("abc")),
            (json!("3.4.1"), json!("3.4.1")),
            (json!(""), json!("")),
            (json!(""), json!("0")),
            (json!("1Xi"), json!("1")),
            (json!("1e99"), json!("1e99")),
            (json!("9999999999999999999"), json!("9999999999999999999")),
            (json!(null), json!("0")),
        ] {
            assert!(!same_quantity(&left, &right), "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn thousandths_are_thousandths(amount in 0_u32..) {
            let (whole, milli) = (amount.to_string(), format!("{amount}000m"));
            prop_assert!(same_quantity(whole.as_str(), milli.as_str()));
            prop_assert!(same_quantity(&json!(whole), &json!(amount)));
        }

        #[test]
        fn no_text_panics(left in ".{0,40}", right in "[0-9.eEKMGTPinum+-]{0,24}") {
            let _ = same_quantity(left.as_str(), right.as_str());
            let _ = same_quantity(right.as_str(), right.as_str());
        }
    }
}
