//! What changed between two objects, as field sets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::{Form, Shape, check_scalar};
use super::{Errors, TypedValue, ValidationErrors, below, error, item, unresolved};
use crate::path::PathElement;
use crate::schema::{List, Relationship, Resolved, Schema, TypeRef};
use crate::set::FieldSet;
use crate::value;

/// The difference between two objects. The order of list items does not show in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Fields that only the first one has.
    pub removed: FieldSet,
    /// Fields that both have, with different values.
    pub modified: FieldSet,
    /// Fields that only the second one has.
    pub added: FieldSet,
}

impl Comparison {
    /// The same without the fields of `excluded` and all below them.
    #[must_use]
    pub fn without(&self, excluded: &FieldSet) -> Self {
        Self {
            removed: self.removed.recursive_difference(excluded),
            modified: self.modified.recursive_difference(excluded),
            added: self.added.recursive_difference(excluded),
        }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }
}

impl TypedValue<'_> {
    /// What changed from this value to `other`. Values are compared as [`value::equals`] does.
    pub fn compare(&self, other: &Self) -> Result<Comparison, ValidationErrors> {
        let mut walk = Walk {
            schema: self.schema,
            path: Vec::new(),
            out: Comparison::default(),
        };
        let errors = walk.value(&self.type_ref, Some(&self.value), Some(&other.value));
        ValidationErrors::check(errors)?;
        Ok(walk.out)
    }
}

struct Walk<'s> {
    schema: &'s Schema,
    path: Vec<PathElement>,
    out: Comparison,
}

/// Whether a node was taken as one leaf; if not, a node that is on one side only counts besides what is in it.
#[derive(PartialEq)]
enum Taken {
    Whole,
    Apart,
}

impl Walk<'_> {
    fn value(&mut self, type_ref: &TypeRef, lhs: Option<&Value>, rhs: Option<&Value>) -> Errors {
        if lhs.is_none() && rhs.is_none() {
            return error("at least one of lhs and rhs must be provided");
        }
        let Some(resolved) = self.schema.resolve(type_ref) else {
            return unresolved(type_ref);
        };
        let (left, right) = (Shape::of(resolved, lhs), Shape::of(resolved, rhs));
        let mut errors = Errors::new();
        let taken = if rhs.is_none() {
            self.shaped(left, type_ref, resolved, lhs, rhs, &mut errors)
        } else {
            if lhs.is_some() && left != right {
                // A change of form counts in both forms.
                self.shaped(left, type_ref, resolved, lhs, rhs, &mut errors);
            }
            self.shaped(right, type_ref, resolved, lhs, rhs, &mut errors)
        };
        if taken == Taken::Apart {
            if lhs.is_none() {
                insert(&mut self.out.added, &self.path);
            } else if rhs.is_none() {
                insert(&mut self.out.removed, &self.path);
            }
        }
        errors
    }

    fn shaped(
        &mut self,
        shape: Shape,
        type_ref: &TypeRef,
        resolved: Resolved<'_>,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
        errors: &mut Errors,
    ) -> Taken {
        match shape.form(type_ref) {
            Ok(Form::Map) => self.map(resolved, lhs, rhs, errors),
            Ok(Form::Scalar) => self.scalar(resolved, lhs, rhs, errors),
            Ok(Form::List) => self.list(resolved, lhs, rhs, errors),
            Err(wrong) => {
                errors.extend(wrong);
                Taken::Apart
            }
        }
    }

    fn leaf(&mut self, lhs: Option<&Value>, rhs: Option<&Value>) -> Taken {
        match (lhs, rhs) {
            (None, _) => insert(&mut self.out.added, &self.path),
            (_, None) => insert(&mut self.out.removed, &self.path),
            (Some(lhs), Some(rhs)) if !value::equals(lhs, rhs) => {
                insert(&mut self.out.modified, &self.path);
            }
            _ => {}
        }
        Taken::Whole
    }

    fn scalar(
        &mut self,
        resolved: Resolved<'_>,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
        errors: &mut Errors,
    ) -> Taken {
        if let Some(scalar) = resolved.scalar() {
            let (left, right) = (
                check_scalar(scalar, lhs, "lhs: "),
                check_scalar(scalar, rhs, "rhs: "),
            );
            if !left.is_empty() && !right.is_empty() {
                errors.extend(left);
                errors.extend(right);
                return Taken::Apart;
            }
        }
        self.leaf(lhs, rhs)
    }

    fn map(
        &mut self,
        resolved: Resolved<'_>,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
        errors: &mut Errors,
    ) -> Taken {
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
            return self.leaf(lhs, rhs);
        };
        let added = right
            .into_iter()
            .flatten()
            .filter(|(key, _)| left.is_none_or(|left| !left.contains_key(*key)));
        let kept = left
            .into_iter()
            .flatten()
            .map(|(key, value)| (key, Some(value)));
        for (key, lhs) in kept.chain(added.map(|(key, _)| (key, None))) {
            let rhs = right.and_then(|right| right.get(key));
            errors.extend(self.child(
                PathElement::field(key.as_str()),
                schema.type_of(key).0,
                lhs,
                rhs,
            ));
        }
        Taken::Apart
    }

    fn child(
        &mut self,
        element: PathElement,
        type_ref: &TypeRef,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
    ) -> Errors {
        self.path.push(element);
        let errors = self.value(type_ref, lhs, rhs);
        match self.path.pop() {
            Some(element) if !errors.is_empty() => below(&element, errors),
            _ => errors,
        }
    }

    fn list(
        &mut self,
        resolved: Resolved<'_>,
        lhs: Option<&Value>,
        rhs: Option<&Value>,
        errors: &mut Errors,
    ) -> Taken {
        let left = lhs
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let right = rhs
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let atomic = resolved.list_relationship() == Relationship::Atomic;
        let empty = left.is_empty() && right.is_empty();
        let Some(schema) = resolved.list().filter(|_| !atomic && !empty) else {
            return self.leaf(lhs, rhs);
        };
        let mut items: BTreeMap<PathElement, (Vec<&Value>, Vec<&Value>)> = BTreeMap::new();
        for (element, value) in self.named(resolved, schema, left, errors) {
            items.entry(element).or_default().0.push(value);
        }
        for (element, value) in self.named(resolved, schema, right, errors) {
            items.entry(element).or_default().1.push(value);
        }
        for (element, (left, right)) in items {
            self.item(schema, element, &left, &right, errors);
        }
        Taken::Apart
    }

    fn named<'v>(
        &self,
        resolved: Resolved<'_>,
        schema: &List,
        items: &'v [Value],
        errors: &mut Errors,
    ) -> Vec<(PathElement, &'v Value)> {
        let mut named = Vec::with_capacity(items.len());
        for (i, value) in items.iter().enumerate() {
            match item::element(self.schema, resolved, schema, value) {
                Ok(element) => named.push((element, value)),
                Err(why) => errors.extend(error(format!("element {i}: {why}"))),
            }
        }
        named
    }

    /// Items of one name, on either side: one on each at most is the usual case, more are compared as one whole.
    fn item(
        &mut self,
        schema: &List,
        element: PathElement,
        left: &[&Value],
        right: &[&Value],
        errors: &mut Errors,
    ) {
        match (left, right) {
            ([] | [_], [] | [_]) => {
                errors.extend(self.child(
                    element,
                    &schema.element,
                    left.first().copied(),
                    right.first().copied(),
                ));
            }
            ([_, _, ..], [_, _, ..]) => {
                let equal = left.len() == right.len()
                    && left.iter().zip(right).all(|(l, r)| value::equals(l, r));
                if !equal {
                    self.mark(element, |out| &mut out.modified);
                }
            }
            ([_, _, ..], _) => {
                if let Some(single) = right.first() {
                    errors.extend(self.child(element.clone(), &schema.element, None, Some(single)));
                }
                self.mark(element, |out| &mut out.removed);
            }
            (_, [_, _, ..]) => {
                if let Some(single) = left.first() {
                    errors.extend(self.child(element.clone(), &schema.element, Some(single), None));
                }
                self.mark(element, |out| &mut out.added);
            }
        }
    }

    fn mark(&mut self, element: PathElement, set: impl Fn(&mut Comparison) -> &mut FieldSet) {
        self.path.push(element);
        insert(set(&mut self.out), &self.path);
        self.path.pop();
    }
}

fn insert(set: &mut FieldSet, path: &[PathElement]) {
    // Validated values are not deep enough for this to fail.
    let _ = set.insert(path);
}
