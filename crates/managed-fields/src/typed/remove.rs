//! Takes fields out of a value.

use serde_json::Value;

use super::shape::{Form, Shape};
use super::{TypedValue, item, subset};
use crate::path::PathElement;
use crate::schema::{Relationship, Resolved, Schema, TypeRef};
use crate::set::FieldSet;

impl TypedValue<'_> {
    /// This value without the items and keys of `fields`.
    ///
    /// As on the server: a list or map that is left empty, and an atomic one of which a part is to go, becomes null.
    #[must_use]
    pub fn remove(&self, fields: &FieldSet) -> Self {
        self.with(value(self.schema, &self.type_ref, self.value(), fields))
    }
}

fn value(schema: &Schema, type_ref: &TypeRef, value: &Value, fields: &FieldSet) -> Value {
    let Some(resolved) = schema.resolve(type_ref) else {
        return Value::Null;
    };
    match Shape::of(resolved, Some(value)).form(type_ref) {
        Ok(Form::Map) => map(schema, resolved, value, fields),
        Ok(Form::Scalar) => value.clone(),
        Ok(Form::List) => list(schema, resolved, value, fields),
        Err(_) => Value::Null,
    }
}

fn list(schema: &Schema, resolved: Resolved<'_>, list: &Value, fields: &FieldSet) -> Value {
    let (Some(list_schema), Value::Array(items)) = (resolved.list(), list) else {
        return Value::Null;
    };
    if resolved.list_relationship() == Relationship::Atomic {
        return Value::Null;
    }
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let name = item::name(schema, resolved, list_schema, item).ok();
        let element = name.map(|name| name.element());
        if element
            .as_ref()
            .is_some_and(|element| fields.has_member(element))
        {
            continue;
        }
        out.push(match element.and_then(|element| subset(fields, &element)) {
            Some(below) => value(schema, &list_schema.element, item, below),
            None => item.clone(),
        });
    }
    if out.is_empty() {
        Value::Null
    } else {
        Value::Array(out)
    }
}

fn map(schema: &Schema, resolved: Resolved<'_>, map: &Value, fields: &FieldSet) -> Value {
    let (Some(map_schema), Value::Object(map)) = (resolved.map(), map) else {
        return Value::Null;
    };
    if resolved.map_is_atomic() {
        return Value::Null;
    }
    let mut out = serde_json::Map::new();
    for (key, item) in map {
        let element = PathElement::field(key.as_str());
        if fields.has_member(&element) {
            continue;
        }
        let kept = match subset(fields, &element) {
            Some(below) => value(schema, map_schema.type_of(key).0, item, below),
            None => item.clone(),
        };
        out.insert(key.clone(), kept);
    }
    if out.is_empty() {
        Value::Null
    } else {
        Value::Object(out)
    }
}
