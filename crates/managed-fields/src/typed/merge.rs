//! Lays a configuration over a live object: the configuration's leaves win, nothing is removed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::{Form, Shape, check_scalar};
use super::{Errors, TypedValue, ValidationErrors, below, error, item, unresolved};
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
        let (out, errors) = merger.value(&self.type_ref, Some(&self.value), Some(&config.value));
        ValidationErrors::check(errors)?;
        Ok(self.with(out.unwrap_or_default()))
    }
}

struct Merger<'s> {
    schema: &'s Schema,
}

/// What a node becomes (`None`: it vanishes), and what was wrong with it.
type Merged = (Option<Value>, Errors);

impl Merger<'_> {
    fn value(&self, type_ref: &TypeRef, lhs: Option<&Value>, rhs: Option<&Value>) -> Merged {
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
        type_ref: &TypeRef,
        resolved: Resolved<'_>,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
    ) -> Merged {
        match shape.form(type_ref) {
            Ok(Form::Map) => self.map(resolved, lhs, rhs),
            Ok(Form::Scalar) => scalar(resolved, lhs, rhs),
            Ok(Form::List) => self.list(resolved, lhs, rhs),
            Err(errors) => (None, errors),
        }
    }

    fn map(&self, resolved: Resolved<'_>, lhs: Option<&Value>, rhs: Option<&Value>) -> Merged {
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
        let mut out = serde_json::Map::new();
        let added = right
            .into_iter()
            .flatten()
            .filter(|(key, _)| left.is_none_or(|left| !left.contains_key(*key)));
        let kept = left
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, Some(value)));
        for (key, lhs) in kept.chain(added.map(|(key, _)| (key, None))) {
            let (merged, wrong) = self.value(
                schema.type_of(key).0,
                lhs,
                right.and_then(|right| right.get(key)),
            );
            if !wrong.is_empty() {
                errors.extend(below(&PathElement::field(key.as_str()), wrong));
            }
            if let Some(value) = merged {
                out.insert(key.clone(), value);
            }
        }
        ((!out.is_empty()).then_some(Value::Object(out)), errors)
    }

    fn list(&self, resolved: Resolved<'_>, lhs: Option<&Value>, rhs: Option<&Value>) -> Merged {
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
        let right = self.index(resolved, schema, right, false, &mut errors);
        let left = self.index(resolved, schema, left, true, &mut errors);
        if !errors.is_empty() {
            return (None, errors);
        }
        let out = self.items(schema, &left, &right);
        (
            (!out.is_empty()).then_some(Value::Array(out)),
            Errors::new(),
        )
    }

    fn index<'v>(
        &self,
        resolved: Resolved<'_>,
        schema: &List,
        items: &'v [Value],
        duplicates: bool,
        errors: &mut Errors,
    ) -> Index<'v> {
        static NULL: Value = Value::Null;
        let mut index = Index {
            items: Vec::with_capacity(items.len()),
            by_element: BTreeMap::new(),
        };
        for (i, value) in items.iter().enumerate() {
            let element = match item::element(self.schema, resolved, schema, value) {
                Ok(element) => element,
                Err(why) => {
                    errors.extend(error(format!("element {i}: {why}")));
                    continue;
                }
            };
            if index.by_element.contains_key(&element) {
                if !duplicates {
                    errors.extend(error(format!("duplicate entries for key {element}")));
                    continue;
                }
                // Items of one name are not merged with the new one: it takes their place.
                index.by_element.insert(element.clone(), &NULL);
            } else {
                index.by_element.insert(element.clone(), value);
            }
            index.items.push((element, value));
        }
        index
    }

    /// Two cursors: items of both lists come in the right one's order, the others as near as possible to where they were.
    fn items(&self, schema: &List, left: &Index<'_>, right: &Index<'_>) -> Vec<Value> {
        let mut out = Vec::with_capacity(left.items.len().max(right.items.len()));
        // The server loses errors inside list items as well; both sides have been validated before.
        let merge =
            |lhs: Option<&Value>, rhs: Option<&Value>| self.value(&schema.element, lhs, rhs).0;
        let mut shared = right
            .items
            .iter()
            .map(|(element, _)| element)
            .filter(|e| left.by_element.contains_key(*e));
        let mut next_shared = shared.next();
        let mut merged = std::collections::BTreeSet::new();
        let (mut l, mut r) = (0, 0);
        loop {
            let (lhs, rhs) = (left.items.get(l), right.items.get(r));
            match (lhs, rhs) {
                (None, None) => return out,
                (Some((element, _)), Some((other, _))) if element == other => {
                    merged.insert(element);
                    out.extend(merge(
                        left.by_element.get(element).copied(),
                        right.by_element.get(element).copied(),
                    ));
                    l += 1;
                    r += 1;
                    next_shared = shared.next();
                    continue;
                }
                (Some((element, _)), Some(_)) => {
                    let wanted_later = next_shared.is_some_and(|next| next != element);
                    if right.by_element.contains_key(element) && wanted_later {
                        l += 1;
                        continue;
                    }
                }
                _ => {}
            }
            if let Some((element, value)) = lhs {
                if !right.by_element.contains_key(element) {
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
                    left.by_element.get(element).copied(),
                    right.by_element.get(element).copied(),
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
struct Index<'v> {
    items: Vec<(PathElement, &'v Value)>,
    by_element: BTreeMap<PathElement, &'v Value>,
}

fn scalar(resolved: Resolved<'_>, lhs: Option<&Value>, rhs: Option<&Value>) -> Merged {
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

/// The right side if it is there (it may be null), else the left one.
fn leaf(lhs: Option<&Value>, rhs: Option<&Value>) -> Option<Value> {
    rhs.or(lhs).cloned()
}
