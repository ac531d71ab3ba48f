//! Lays a configuration over a live object: the configuration's leaves win, nothing is removed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::item::{self, Name};
use super::shape::{Form, Shape, check_scalar};
use super::{Errors, TypedValue, ValidationErrors, below, error, unresolved};
use crate::path::PathElement;
use crate::schema::{List, Relationship, Resolved, Schema, TypeRef};

impl TypedValue<'_> {
    /// This value with `config` laid over it.
    ///
    /// Null in `config` replaces scalars and atomic values and leaves other lists and maps alone. Lists keep their order,
    /// unless `config` names items that are there in another order. An empty result is left out (then null here).
    pub fn merge(&self, config: &Self) -> Result<Self, ValidationErrors> {
        let merger = Merger {
            schema: self.schema,
        };
        let (live, config_value) = (self.value(), config.value());
        let (out, errors) = merger.value(&self.type_ref, Some(live), Some(config_value));
        ValidationErrors::check(errors)?;
        Ok(match out {
            Some(Cow::Borrowed(value)) if std::ptr::eq(value, live) => self.clone(),
            out => self.with(out.map(Cow::into_owned).unwrap_or_default()),
        })
    }
}

struct Merger<'v> {
    schema: &'v Schema,
}

/// What a node becomes (`None`: it vanishes), and what was wrong with it. What is as it was on one side is borrowed from
/// there, so that a configuration that changes nothing copies nothing.
type Merged<'v> = (Option<Cow<'v, Value>>, Errors);

impl<'v> Merger<'v> {
    fn value(
        &self,
        type_ref: &'v TypeRef,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Merged<'v> {
        if lhs.is_none() && rhs.is_none() {
            return (None, error("at least one of lhs and rhs must be provided"));
        }
        let Some(resolved) = self.schema.resolve(type_ref) else {
            return (None, unresolved(type_ref));
        };
        let (left, right) = (Shape::of(resolved, lhs), Shape::of(resolved, rhs));
        if rhs.is_none() {
            return self.shaped(left, type_ref, resolved, lhs, rhs);
        }
        let (out, mut errors) = self.shaped(right, type_ref, resolved, lhs, rhs);
        if lhs.is_some() && left != right {
            // A change of form: the left form is walked for its errors only.
            let (_, mut first) = self.shaped(left, type_ref, resolved, lhs, rhs);
            first.append(&mut errors);
            errors = first;
        }
        (out, errors)
    }

    fn shaped(
        &self,
        shape: Shape,
        type_ref: &'v TypeRef,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Merged<'v> {
        match shape.form(type_ref) {
            Ok(Form::Map) => self.map(resolved, lhs, rhs),
            Ok(Form::Scalar) => scalar(resolved, lhs, rhs),
            Ok(Form::List) => self.list(resolved, lhs, rhs),
            Err(errors) => (None, errors),
        }
    }

    fn map(
        &self,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Merged<'v> {
        let (left, right) = (
            lhs.and_then(Value::as_object),
            rhs.and_then(Value::as_object),
        );
        let empty = left.is_none_or(serde_json::Map::is_empty)
            && right.is_none_or(serde_json::Map::is_empty);
        let Some(schema) = resolved
            .map()
            .filter(|_| !resolved.map_is_atomic() && !empty)
        else {
            return (leaf(lhs, rhs), Errors::new());
        };
        let mut errors = Errors::new();
        let added = right
            .into_iter()
            .flatten()
            .filter(|(key, _)| left.is_none_or(|left| !left.contains_key(*key)));
        let kept = left
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, Some(value)));
        let mut out = Vec::with_capacity(left.or(right).map_or(0, serde_json::Map::len));
        for (key, lhs) in kept.chain(added.map(|(key, _)| (key, None))) {
            let (merged, wrong) = self.value(
                schema.type_of(key).0,
                lhs,
                right.and_then(|right| right.get(key)),
            );
            if !wrong.is_empty() {
                errors.extend(below(&PathElement::field(key.as_str()), wrong));
            }
            out.extend(merged.map(|value| (key, value)));
        }
        if out.is_empty() {
            return (None, errors);
        }
        let is_all_of = |map: &serde_json::Map<String, Value>| {
            let both = map.values().zip(&out);
            map.len() == out.len()
                && both
                    .into_iter()
                    .all(|(value, (_, out))| std::ptr::eq(out.as_ref(), value))
        };
        for (side, map) in [(lhs, left), (rhs, right)] {
            if let (Some(side), Some(map)) = (side, map)
                && is_all_of(map)
            {
                return (Some(Cow::Borrowed(side)), errors);
            }
        }
        let owned = out
            .into_iter()
            .map(|(key, value)| (key.clone(), value.into_owned()));
        (Some(Cow::Owned(Value::Object(owned.collect()))), errors)
    }

    fn list(
        &self,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Merged<'v> {
        let left = lhs
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let right = rhs
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let empty = left.is_empty() && right.is_empty();
        let atomic = resolved.list_relationship() == Relationship::Atomic;
        let Some(schema) = resolved.list().filter(|_| !atomic && !empty) else {
            return (leaf(lhs, rhs), Errors::new());
        };
        let mut errors = Errors::new();
        let from_right = self.named(resolved, schema, right, false, &mut errors);
        let from_left = self.named(resolved, schema, left, true, &mut errors);
        if !errors.is_empty() {
            return (None, errors);
        }
        let out = self.items(schema, &from_left, &from_right);
        if out.is_empty() {
            return (None, errors);
        }
        let is_all_of = |items: &[Value]| {
            let mut both = items.iter().zip(&out);
            items.len() == out.len() && both.all(|(value, out)| std::ptr::eq(out.as_ref(), value))
        };
        for (side, items) in [(lhs, left), (rhs, right)] {
            if let Some(side) = side
                && is_all_of(items)
            {
                return (Some(Cow::Borrowed(side)), errors);
            }
        }
        let owned = out.into_iter().map(Cow::into_owned);
        (Some(Cow::Owned(Value::Array(owned.collect()))), errors)
    }

    /// The items with their names. A name that occurs twice is an error, unless `duplicates` are allowed.
    fn named(
        &self,
        resolved: Resolved<'v>,
        schema: &'v List,
        items: &'v [Value],
        duplicates: bool,
        errors: &mut Errors,
    ) -> Vec<(Name<'v>, &'v Value)> {
        let mut named = Vec::with_capacity(items.len());
        let mut seen = BTreeSet::new();
        for (i, value) in items.iter().enumerate() {
            let name = match item::name(self.schema, resolved, schema, value) {
                Ok(name) => name,
                Err(why) => {
                    errors.extend(error(format!("element {i}: {why}")));
                    continue;
                }
            };
            if !duplicates && !seen.insert(name.clone()) {
                let element = name.element();
                errors.extend(error(format!("duplicate entries for key {element}")));
                continue;
            }
            named.push((name, value));
        }
        named
    }

    fn items(
        &self,
        schema: &'v List,
        left: &[(Name<'v>, &'v Value)],
        right: &[(Name<'v>, &'v Value)],
    ) -> Vec<Cow<'v, Value>> {
        // The usual case. (The right names are all different, so the left ones are too.)
        let in_step =
            left.len() == right.len() && left.iter().zip(right).all(|((l, _), (r, _))| l == r);
        if in_step {
            let both = left.iter().zip(right);
            return both
                .filter_map(|((_, lhs), (_, rhs))| {
                    self.value(&schema.element, Some(lhs), Some(rhs)).0
                })
                .collect();
        }
        self.interleaved(schema, &Index::of(left), &Index::of(right))
    }

    /// Two cursors: items of both lists come in the right one's order, the others as near as possible to where they were.
    fn interleaved(
        &self,
        schema: &'v List,
        left: &Index<'_, 'v>,
        right: &Index<'_, 'v>,
    ) -> Vec<Cow<'v, Value>> {
        let mut out = Vec::with_capacity(left.items.len().max(right.items.len()));
        // The server loses errors inside list items as well; both sides have been validated before.
        let merge = |lhs: Option<&'v Value>, rhs: Option<&'v Value>| {
            self.value(&schema.element, lhs, rhs).0
        };
        let mut shared = right
            .items
            .iter()
            .map(|(element, _)| element)
            .filter(|e| left.by_name.contains_key(*e));
        let mut next_shared = shared.next();
        let mut merged = BTreeSet::new();
        let (mut l, mut r) = (0, 0);
        loop {
            let (lhs, rhs) = (left.items.get(l), right.items.get(r));
            match (lhs, rhs) {
                (None, None) => return out,
                (Some((element, _)), Some((other, _))) if element == other => {
                    merged.insert(element);
                    out.extend(merge(
                        left.by_name.get(element).copied(),
                        right.by_name.get(element).copied(),
                    ));
                    l += 1;
                    r += 1;
                    next_shared = shared.next();
                    continue;
                }
                (Some((element, _)), Some(_)) => {
                    let wanted_later = next_shared.is_some_and(|next| next != element);
                    if right.by_name.contains_key(element) && wanted_later {
                        l += 1;
                        continue;
                    }
                }
                _ => {}
            }
            if let Some((element, value)) = lhs {
                if !right.by_name.contains_key(element) {
                    // By position: of items with one name each stays.
                    out.extend(merge(Some(value), None));
                    l += 1;
                    continue;
                }
                if merged.contains(element) {
                    l += 1;
                }
            }
            if let Some((element, _)) = rhs {
                merged.insert(element);
                out.extend(merge(
                    left.by_name.get(element).copied(),
                    right.by_name.get(element).copied(),
                ));
                r += 1;
                if next_shared == Some(element) {
                    next_shared = shared.next();
                }
            }
        }
    }
}

/// A list's items with their names, in order and by name.
struct Index<'n, 'v> {
    items: &'n [(Name<'v>, &'v Value)],
    by_name: BTreeMap<&'n Name<'v>, &'v Value>,
}

impl<'n, 'v> Index<'n, 'v> {
    fn of(items: &'n [(Name<'v>, &'v Value)]) -> Self {
        static NULL: Value = Value::Null;
        let mut by_name = BTreeMap::new();
        for (name, value) in items {
            by_name
                .entry(name)
                // Items of one name are not merged with the new one: it takes their place.
                .and_modify(|value| *value = &NULL)
                .or_insert(*value);
        }
        Self { items, by_name }
    }
}

fn scalar<'v>(
    resolved: Resolved<'v>,
    lhs: Option<&'v Value>,
    rhs: Option<&'v Value>,
) -> Merged<'v> {
    if let Some(scalar) = resolved.scalar() {
        let (mut left, right) = (
            check_scalar(scalar, lhs, "lhs: "),
            check_scalar(scalar, rhs, "rhs: "),
        );
        if !left.is_empty() && !right.is_empty() {
            left.extend(right);
            return (None, left);
        }
    }
    (leaf(lhs, rhs), Errors::new())
}

/// The right side if it is there (it may be null), else the left one; the left one too if the right one is no other.
fn leaf<'v>(lhs: Option<&'v Value>, rhs: Option<&'v Value>) -> Option<Cow<'v, Value>> {
    let leaf = if lhs == rhs { lhs } else { rhs.or(lhs) };
    leaf.map(Cow::Borrowed)
}
