//! Natural order: eu-2 before eu-10.

use std::cmp::Ordering;

use crate::domain::ids::ReleaseId;

/// Compares two names, runs of digits by their value. A total order: names that differ are never equal.
/// Linear in the shorter name.
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            // Names that differ only in leading zeros ("a-1", "a-01") still need an order.
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let (digits, rest) = digits(left);
            let (others, others_rest) = self::digits(right);
            // No parsing: the run may be longer than any integer.
            let by_value = digits
                .len()
                .cmp(&others.len())
                .then_with(|| digits.cmp(others));
            if by_value != Ordering::Equal {
                return by_value;
            }
            (left, right) = (rest, others_rest);
        } else if x == y {
            left = &left[x.len_utf8()..];
            right = &right[y.len_utf8()..];
        } else {
            return x.cmp(&y);
        }
    }
}

/// Releases by cluster in natural order, then namespace, then name.
pub fn release_order(a: &ReleaseId, b: &ReleaseId) -> Ordering {
    natural_order(a.cluster.as_str(), b.cluster.as_str())
        .then_with(|| a.namespace.cmp(&b.namespace))
        .then_with(|| a.name.cmp(&b.name))
}

/// The leading digits without leading zeros, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    (run.trim_start_matches('0'), rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_count_by_value() {
        let mut names = vec![
            "us-1", "eu-10", "eu-2", "eu", "eu-1", "ap-1", "eu-02", "eu-2a",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "ap-1", "eu", "eu-1", "eu-02", "eu-2", "eu-2a", "eu-10", "us-1"
            ]
        );
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in "[a0-2-]{0,6}", b in "[a0-2-]{0,6}", c in "[a0-2-]{0,6}") {
            prop_assert_eq!(natural_order(&a, &b), natural_order(&b, &a).reverse());
            prop_assert_eq!(natural_order(&a, &b) == Ordering::Equal, a == b);
            if natural_order(&a, &b).is_le() && natural_order(&b, &c).is_le() {
                prop_assert!(natural_order(&a, &c).is_le());
            }
        }
    }
}
