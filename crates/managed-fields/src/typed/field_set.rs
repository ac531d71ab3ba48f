//! What a configuration owns: every leaf that it names, and the items and keys around it that can come and go.

use std::collections::BTreeSet;

use serde_json::Value;

use super::item::{self, Name};
use super::shape::{Form, Shape};
use super::{Errors, TypedValue, ValidationErrors, unresolved};
use crate::path::PathElement;
use crate::schema::{Relationship, Resolved, Schema, TypeRef};
use crate::set::FieldSet;

impl TypedValue<'_> {
    /// The fields that an apply of this value would own, before the server takes off metadata and reset fields.
    ///
    /// A scalar, an atomic list or an atomic map is one field. Items of granular lists and keys of maps are fields of
    /// their own besides what is in them; declared fields of structs are not, unless they are null or an empty map.
    pub fn field_set(&self) -> Result<FieldSet, ValidationErrors> {
        let walk = Walk {
            schema: self.schema,
        };
        let mut errors = Errors::new();
        let owned = walk.value(&self.type_ref, self.value(), &mut errors);
        ValidationErrors::check(errors)?;
        Ok(owned.below)
    }
}

struct Walk<'s> {
    schema: &'s Schema,
}

/// What is owned at and below a node.
#[derive(Default)]
struct Node {
    itself: bool,
    below: FieldSet,
}

impl Node {
    const WHOLE: Self = Self {
        itself: true,
        below: FieldSet::new(),
    };

    fn put_into(self, set: &mut FieldSet, element: PathElement) {
        let below = !self.below.has_no_nodes();
        match (self.itself, below) {
            (true, false) => drop(set.insert_member(element)),
            (true, true) => {
                set.insert_member(element.clone());
                set.replace_child(element, self.below);
            }
            (false, true) => set.replace_child(element, self.below),
            (false, false) => {}
        }
    }
}

impl Walk<'_> {
    fn value(&self, type_ref: &TypeRef, value: &Value, errors: &mut Errors) -> Node {
        let Some(resolved) = self.schema.resolve(type_ref) else {
            errors.extend(unresolved(type_ref));
            return Node::default();
        };
        match Shape::of(resolved, Some(value)).form(type_ref) {
            Ok(Form::Map) if resolved.map_is_atomic() => Node::WHOLE,
            Ok(Form::Map) => self.map(resolved, value, errors),
            Ok(Form::Scalar) => Node::WHOLE,
            Ok(Form::List) if resolved.list_relationship() == Relationship::Atomic => Node::WHOLE,
            Ok(Form::List) => self.list(resolved, value, errors),
            Err(wrong) => {
                errors.extend(wrong);
                Node::default()
            }
        }
    }

    fn map(&self, resolved: Resolved<'_>, value: &Value, errors: &mut Errors) -> Node {
        let mut here = Node::default();
        let (Some(schema), Value::Object(map)) = (resolved.map(), value) else {
            return here;
        };
        for (key, value) in map {
            let (type_ref, declared) = schema.type_of(key);
            let mut node = self.value(type_ref, value, errors);
            let empty = match value {
                Value::Null => true,
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            node.itself |= empty || !declared;
            node.put_into(&mut here.below, PathElement::field(key.as_str()));
        }
        here
    }

    fn list(&self, resolved: Resolved<'_>, value: &Value, errors: &mut Errors) -> Node {
        let mut here = Node::default();
        let (Some(schema), Value::Array(items)) = (resolved.list(), value) else {
            return here;
        };
        // Pruned objects may hold items without a name. The server gives those an invalid name, which meets no other.
        let items: Vec<(Name<'_>, &Value)> = items
            .iter()
            .filter_map(|value| {
                let name = item::name(self.schema, resolved, schema, value);
                name.ok().map(|name| (name, value))
            })
            .collect();
        let duplicates = duplicates(&items);
        for (name, value) in &items {
            let node = if duplicates.contains(name) {
                // Items of one name are owned together, as one field.
                Node::WHOLE
            } else {
                let node = self.value(&schema.element, value, errors);
                Node {
                    itself: true,
                    ..node
                }
            };
            node.put_into(&mut here.below, name.element());
        }
        here
    }
}

/// The names that several items have.
fn duplicates<'n, 'v>(items: &'n [(Name<'v>, &Value)]) -> BTreeSet<&'n Name<'v>> {
    if !item::has_duplicates(items) {
        return BTreeSet::new();
    }
    let mut seen = BTreeSet::new();
    let names = items.iter().map(|(name, _)| name);
    names.filter(|name| !seen.insert(*name)).collect()
}
