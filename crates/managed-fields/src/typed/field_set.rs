//! What a configuration owns: every leaf that it names, and the items and keys around it that can come and go.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shape::{Form, Shape};
use super::{Errors, TypedValue, ValidationErrors, item, unresolved};
use crate::path::PathElement;
use crate::schema::{Relationship, Resolved, Schema, TypeRef};
use crate::set::FieldSet;

impl TypedValue<'_> {
    /// The fields that an apply of this value would own, before the server takes off metadata and reset fields.
    ///
    /// A scalar, an atomic list or an atomic map is one field. Items of granular lists and keys of maps are fields of
    /// their own besides what is in them; declared fields of structs are not, unless they are null or an empty map.
    pub fn field_set(&self) -> Result<FieldSet, ValidationErrors> {
        let mut walk = Walk {
            schema: self.schema,
            path: Vec::new(),
            set: FieldSet::new(),
        };
        let errors = walk.value(&self.type_ref, &self.value);
        ValidationErrors::check(errors)?;
        Ok(walk.set)
    }
}

struct Walk<'s> {
    schema: &'s Schema,
    path: Vec<PathElement>,
    set: FieldSet,
}

impl Walk<'_> {
    fn insert_here(&mut self) {
        // Validated values are not deep enough for this to fail.
        let _ = self.set.insert(&self.path);
    }

    fn value(&mut self, type_ref: &TypeRef, value: &Value) -> Errors {
        let Some(resolved) = self.schema.resolve(type_ref) else {
            return unresolved(type_ref);
        };
        match Shape::of(resolved, Some(value)).form(type_ref) {
            Ok(Form::Map) if resolved.map_is_atomic() => self.insert_here(),
            Ok(Form::Map) => return self.map(resolved, value),
            Ok(Form::Scalar) => self.insert_here(),
            Ok(Form::List) if resolved.list_relationship() == Relationship::Atomic => {
                self.insert_here();
            }
            Ok(Form::List) => return self.list(resolved, value),
            Err(errors) => return errors,
        }
        Errors::new()
    }

    fn map(&mut self, resolved: Resolved<'_>, value: &Value) -> Errors {
        let mut errors = Errors::new();
        let (Some(schema), Value::Object(map)) = (resolved.map(), value) else {
            return errors;
        };
        for (key, value) in map {
            let (type_ref, declared) = schema.type_of(key);
            self.path.push(PathElement::field(key.as_str()));
            errors.extend(self.value(type_ref, value));
            let empty = match value {
                Value::Null => true,
                Value::Object(map) => map.is_empty(),
                _ => false,
            };
            if empty || !declared {
                self.insert_here();
            }
            self.path.pop();
        }
        errors
    }

    fn list(&mut self, resolved: Resolved<'_>, value: &Value) -> Errors {
        let mut errors = Errors::new();
        let (Some(schema), Value::Array(items)) = (resolved.list(), value) else {
            return errors;
        };
        // Pruned objects may hold items without a name. The server gives those an invalid name, which meets no other.
        let items: Vec<(PathElement, &Value)> = items
            .iter()
            .filter_map(|value| {
                item::element(self.schema, resolved, schema, value)
                    .ok()
                    .map(|element| (element, value))
            })
            .collect();
        let (mut seen, mut duplicates) = (BTreeSet::new(), BTreeSet::new());
        for (element, _) in &items {
            if !seen.insert(element) {
                duplicates.insert(element);
            }
        }
        for (element, value) in &items {
            self.path.push(element.clone());
            // Items of one name are owned together, as one field.
            if !duplicates.contains(element) {
                errors.extend(self.value(&schema.element, value));
            }
            self.insert_here();
            self.path.pop();
        }
        errors
    }
}
