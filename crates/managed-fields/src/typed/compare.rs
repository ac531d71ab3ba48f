//! What changed between two objects, as field sets.

use std::collections::BTreeMap;

use serde_json::Value;

use super::item::{self, Name};
use super::shape::{Form, Shape, check_scalar};
use super::{Errors, TypedValue, ValidationErrors, below, error, unresolved};
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
        if self.is_same(other) {
            return Ok(Comparison::default());
        }
        let mut walk = Walk {
            schema: self.schema,
            path: Vec::new(),
            out: Comparison::default(),
        };
        let errors = walk.value(&self.type_ref, Some(self.value()), Some(other.value()));
        ValidationErrors::check(errors)?;
        Ok(walk.out)
    }
}

struct Walk<'v> {
    schema: &'v Schema,
    path: Vec<Step<'v>>,
    out: Comparison,
}

/// A step of the path here, borrowed: only where something changed it becomes a path element.
enum Step<'v> {
    Field(&'v str),
    Item(Name<'v>),
}

impl Step<'_> {
    fn element(&self) -> PathElement {
        match self {
            Self::Field(name) => PathElement::field(*name),
            Self::Item(name) => name.element(),
        }
    }
}

/// Whether a node was taken as one leaf; if not, a node that is on one side only counts besides what is in it.
#[derive(PartialEq)]
enum Taken {
    Whole,
    Apart,
}

impl<'v> Walk<'v> {
    fn value(
        &mut self,
        type_ref: &'v TypeRef,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Errors {
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
                self.mark(|out| &mut out.added);
            } else if rhs.is_none() {
                self.mark(|out| &mut out.removed);
            }
        }
        errors
    }

    fn shaped(
        &mut self,
        shape: Shape,
        type_ref: &'v TypeRef,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
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

    fn leaf(&mut self, lhs: Option<&'v Value>, rhs: Option<&'v Value>) -> Taken {
        match (lhs, rhs) {
            (None, _) => self.mark(|out| &mut out.added),
            (_, None) => self.mark(|out| &mut out.removed),
            (Some(lhs), Some(rhs)) if !value::equals(lhs, rhs) => {
                self.mark(|out| &mut out.modified);
            }
            _ => {}
        }
        Taken::Whole
    }

    fn scalar(
        &mut self,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
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
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
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
            errors.extend(self.child(Step::Field(key), schema.type_of(key).0, lhs, rhs));
        }
        Taken::Apart
    }

    fn child(
        &mut self,
        step: Step<'v>,
        type_ref: &'v TypeRef,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
    ) -> Errors {
        self.path.push(step);
        let errors = self.value(type_ref, lhs, rhs);
        match self.path.pop() {
            Some(step) if !errors.is_empty() => below(&step.element(), errors),
            _ => errors,
        }
    }

    fn list(
        &mut self,
        resolved: Resolved<'v>,
        lhs: Option<&'v Value>,
        rhs: Option<&'v Value>,
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
        // Names are dear, and most lists are as they were. (One more look at a list for each list that it is in.)
        if let (Some(lhs), Some(rhs)) = (lhs, rhs)
            && value::equals(lhs, rhs)
        {
            return Taken::Apart;
        }
        let mut items: BTreeMap<Name<'v>, (Vec<&'v Value>, Vec<&'v Value>)> = BTreeMap::new();
        for (name, value) in self.named(resolved, schema, left, errors) {
            items.entry(name).or_default().0.push(value);
        }
        for (name, value) in self.named(resolved, schema, right, errors) {
            items.entry(name).or_default().1.push(value);
        }
        for (name, (left, right)) in items {
            self.item(schema, name, &left, &right, errors);
        }
        Taken::Apart
    }

    fn named(
        &self,
        resolved: Resolved<'v>,
        schema: &'v List,
        items: &'v [Value],
        errors: &mut Errors,
    ) -> Vec<(Name<'v>, &'v Value)> {
        let mut named = Vec::with_capacity(items.len());
        for (i, value) in items.iter().enumerate() {
            match item::name(self.schema, resolved, schema, value) {
                Ok(name) => named.push((name, value)),
                Err(why) => errors.extend(error(format!("element {i}: {why}"))),
            }
        }
        named
    }

    /// Items of one name, on either side: one on each at most is the usual case, more are compared as one whole.
    fn item(
        &mut self,
        schema: &'v List,
        name: Name<'v>,
        left: &[&'v Value],
        right: &[&'v Value],
        errors: &mut Errors,
    ) {
        let item = &schema.element;
        match (left, right) {
            ([] | [_], [] | [_]) => {
                let (left, right) = (left.first().copied(), right.first().copied());
                errors.extend(self.child(Step::Item(name), item, left, right));
            }
            ([_, _, ..], [_, _, ..]) => {
                let equal = left.len() == right.len()
                    && left.iter().zip(right).all(|(l, r)| value::equals(l, r));
                if !equal {
                    self.mark_item(name, |out| &mut out.modified);
                }
            }
            ([_, _, ..], _) => {
                if let Some(single) = right.first() {
                    errors.extend(self.child(Step::Item(name.clone()), item, None, Some(single)));
                }
                self.mark_item(name, |out| &mut out.removed);
            }
            (_, [_, _, ..]) => {
                if let Some(single) = left.first() {
                    errors.extend(self.child(Step::Item(name.clone()), item, Some(single), None));
                }
                self.mark_item(name, |out| &mut out.added);
            }
        }
    }

    fn mark_item(&mut self, name: Name<'v>, set: impl Fn(&mut Comparison) -> &mut FieldSet) {
        self.path.push(Step::Item(name));
        self.mark(set);
        self.path.pop();
    }

    fn mark(&mut self, set: impl Fn(&mut Comparison) -> &mut FieldSet) {
        let path: Vec<PathElement> = self.path.iter().map(Step::element).collect();
        // Validated values are not deep enough for this to fail.
        let _ = set(&mut self.out).insert(&path);
    }
}
