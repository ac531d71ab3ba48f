//! Kubernetes quantities: are two spellings the same amount (`1000m` and `1`, `1024Mi` and `1Gi`)?
//!
//! The server compares what an apply sends with what is stored as text, so another spelling is a conflict though
//! nothing would change (upstream `apimachinery/pkg/api/resource/quantity.go` has the syntax).

/// Digits that are read: quantities have 18 at most, and a longer one is no quantity.
const MAX_DIGITS: usize = 18;

/// Powers of ten that may stand behind an `e`.
const MAX_EXPONENT: i32 = 18;

/// The smallest unit: a quantity is counted in billionths.
const NANO: i32 = -9;

/// The same amount in two spellings. A text that is no quantity is the same as nothing.
pub fn same_quantity(left: &str, right: &str) -> bool {
    match (nanos(left), nanos(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// The amount in billionths.
fn nanos(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > MAX_DIGITS || fraction.contains('.') {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let mantissa = if text.starts_with('-') {
        -mantissa
    } else {
        mantissa
    };
    let places = i32::try_from(fraction.len()).ok()?;
    let (two, ten) = scale(suffix)?;
    let shift = ten - places - NANO;
    let scaled = mantissa.checked_mul(1_i128.checked_shl(two)?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs())?;
    if shift >= 0 {
        scaled.checked_mul(power)
    } else {
        (scaled % power == 0).then(|| scaled / power)
    }
}

/// Powers of two and of ten that a suffix stands for.
fn scale(suffix: &str) -> Option<(u32, i32)> {
    let ten = |power| Some((0, power));
    match suffix {
        "n" => ten(-9),
        "u" => ten(-6),
        "m" => ten(-3),
        "" => ten(0),
        "k" => ten(3),
        "M" => ten(6),
        "G" => ten(9),
        "T" => ten(12),
        "P" => ten(15),
        "E" => ten(18),
        "Ki" => Some((10, 0)),
        "Mi" => Some((20, 0)),
        "Gi" => Some((30, 0)),
        "Ti" => Some((40, 0)),
        "Pi" => Some((50, 0)),
        "Ei" => Some((60, 0)),
        _ => {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            (power.abs() <= MAX_EXPONENT).then_some((0, power))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_amount() {
        for (left, right) in [
            ("1000m", "1"),
            ("1024Mi", "1Gi"),
            ("0.5", "500m"),
            ("1e3", "1k"),
            ("1", "1.0"),
            ("0", "0m"),
            ("+2", "2"),
        ] {
            assert!(same_quantity(left, right), "{left} {right}");
            assert!(same_quantity(right, left), "{left} {right}");
        }
        for (left, right) in [
            ("1G", "1Gi"),
            ("1", "2"),
            ("3.4.1", "3.4.1"),
            ("", ""),
            ("web", "web"),
            ("1e99", "1e99"),
            ("9999999999999999999", "9999999999999999999"),
        ] {
            assert!(!same_quantity(left, right), "{left} {right}");
        }
    }

    proptest! {
        #[test]
        fn thousandths_are_thousandths(amount in 0_u32..) {
            let (whole, milli) = (amount.to_string(), format!("{amount}000m"));
            prop_assert!(same_quantity(&whole, &milli));
        }

        #[test]
        fn no_text_panics(left in ".*", right in "[0-9.eEKMGTPinum+-]{0,24}") {
            let _ = same_quantity(&left, &right);
            let _ = same_quantity(&right, &right);
        }
    }
}
