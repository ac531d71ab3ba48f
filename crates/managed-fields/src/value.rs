//! Values of objects, compared as the server compares them.
//!
//! Three states matter to the server: absent, null and a value. They are `None`, `Some(&Value::Null)` and
//! `Some(_)` of an `Option<&Value>` throughout this crate.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// A JSON number as the server holds it: an integer where it fits in 64 bits with sign, else a float.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Num {
    Int(i64),
    Float(f64),
}

pub(crate) fn number(n: &Number) -> Num {
    match n.as_i64() {
        Some(i) => Num::Int(i),
        // Integers above i64::MAX are floats for the server too.
        None => Num::Float(n.as_f64().unwrap_or(f64::NAN)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the server compares an integer with a float as floats"
)]
fn as_float(n: Num) -> f64 {
    match n {
        Num::Int(i) => i as f64,
        Num::Float(f) => f,
    }
}

/// Whether two contents are equal: integers exactly, an integer and a float as floats, null and absent are different.
///
/// There is no other leniency: the quantities `1000m` and `1` are different texts, so they are different.
pub fn equals(lhs: &Value, rhs: &Value) -> bool {
    match (lhs, rhs) {
        (Value::Number(l), Value::Number(r)) => match (number(l), number(r)) {
            (Num::Int(l), Num::Int(r)) => l == r,
            (l, r) => total(as_float(l), as_float(r)).is_eq(),
        },
        (Value::Array(l), Value::Array(r)) => {
            l.len() == r.len() && l.iter().zip(r).all(|(l, r)| equals(l, r))
        }
        (Value::Object(l), Value::Object(r)) => {
            // Both mostly have their keys in one order, which saves the search.
            l.len() == r.len()
                && l.iter().zip(r).all(|((key, l), (other, beside))| {
                    let r = if key == other {
                        Some(beside)
                    } else {
                        r.get(key)
                    };
                    r.is_some_and(|r| equals(l, r))
                })
        }
        (l, r) => l == r,
    }
}

/// The order of values inside path elements: Number < String < Bool < List < Map < Null.
///
/// Numbers are ordered as floats, always: a stored field set has only floats, and one lawful total order is worth
/// more than telling apart two list keys above 2^53.
pub(crate) fn compare(lhs: &Value, rhs: &Value) -> Ordering {
    match (lhs, rhs) {
        (Value::Number(l), Value::Number(r)) => total(as_float(number(l)), as_float(number(r))),
        (Value::String(l), Value::String(r)) => l.cmp(r),
        (Value::Bool(l), Value::Bool(r)) => l.cmp(r),
        (Value::Array(l), Value::Array(r)) => l
            .iter()
            .zip(r)
            .map(|(l, r)| compare(l, r))
            .find(|o| o.is_ne())
            .unwrap_or_else(|| l.len().cmp(&r.len())),
        (Value::Object(l), Value::Object(r)) => {
            let (mut left, mut right): (Vec<_>, Vec<_>) = (l.iter().collect(), r.iter().collect());
            left.sort_by_key(|(key, _)| *key);
            right.sort_by_key(|(key, _)| *key);
            left.iter()
                .zip(&right)
                // A missing key sorts its map last: the server walks the keys of both in order.
                .map(|((lk, l), (rk, r))| lk.cmp(rk).then_with(|| compare(l, r)))
                .find(|o| o.is_ne())
                .unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (l, r) => rank(l).cmp(&rank(r)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

/// JSON has no NaN; should one come in some other way it sorts last. 0 and -0 are equal.
fn total(l: f64, r: f64) -> Ordering {
    l.partial_cmp(&r)
        .unwrap_or_else(|| l.is_nan().cmp(&r.is_nan()))
}
