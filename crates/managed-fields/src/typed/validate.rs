//! Does a value fit its schema?

use std::collections::BTreeSet;

use serde_json::Value;

use super::shape::{Form, Shape, as_list, as_map, check_scalar};
use super::{Duplicates, Errors, TypedValue, ValidationErrors, below, error, item, unresolved};
use crate::MAX_DEPTH;
use crate::path::PathElement;
use crate::schema::{Relationship, Resolved, Schema, TypeRef};

impl TypedValue<'_> {
    pub(super) fn validate(&self, duplicates: Duplicates) -> Result<(), ValidationErrors> {
        let validator = Validator {
            schema: self.schema,
            duplicates,
        };
        ValidationErrors::check(validator.value(&self.type_ref, self.value(), 0))
    }
}

struct Validator<'s> {
    schema: &'s Schema,
    duplicates: Duplicates,
}

impl Validator<'_> {
    fn value(&self, type_ref: &TypeRef, value: &Value, depth: usize) -> Errors {
        if depth > MAX_DEPTH {
            return error(format!("deeper than {MAX_DEPTH} levels"));
        }
        let Some(resolved) = self.schema.resolve(type_ref) else {
            return unresolved(type_ref);
        };
        match Shape::of(resolved, Some(value)).form(type_ref) {
            Ok(Form::Map) => self.map(resolved, value, depth),
            Ok(Form::Scalar) => resolved
                .scalar()
                .map(|s| check_scalar(s, Some(value), ""))
                .unwrap_or_default(),
            Ok(Form::List) => self.list(resolved, value, depth),
            Err(errors) => errors,
        }
    }

    fn map(&self, resolved: Resolved<'_>, value: &Value, depth: usize) -> Errors {
        let (Some(schema), map) = (resolved.map(), as_map(value)) else {
            return Errors::new();
        };
        let map = match map {
            Ok(map) => map,
            Err(errors) => return errors,
        };
        let mut errors = Errors::new();
        let Some(map) = map else {
            return errors;
        };
        // In the order of their names; maps mostly have them so.
        let mut keys: Vec<(&String, &Value)>;
        let in_order: &mut dyn Iterator<Item = (&String, &Value)> = if map.keys().is_sorted() {
            &mut map.iter()
        } else {
            keys = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            &mut keys.into_iter()
        };
        for (key, value) in in_order {
            let (type_ref, _) = schema.type_of(key);
            let wrong = if type_ref.is_declared() {
                self.value(type_ref, value, depth + 1)
            } else {
                error("field not declared in schema")
            };
            if !wrong.is_empty() {
                errors.extend(below(&PathElement::field(key.as_str()), wrong));
            }
            // The server stops at the first such field too; which one it meets first is random there.
            if !type_ref.is_declared() {
                break;
            }
        }
        errors
    }

    fn list(&self, resolved: Resolved<'_>, value: &Value, depth: usize) -> Errors {
        let (Some(schema), list) = (resolved.list(), as_list(value)) else {
            return Errors::new();
        };
        let list = match list {
            Ok(list) => list.unwrap_or_default(),
            Err(errors) => return errors,
        };
        let mut errors = Errors::new();
        let mut seen = BTreeSet::new();
        let associative = resolved.list_relationship() == Relationship::Associative;
        for (i, value) in list.iter().enumerate() {
            let name = if associative {
                match item::name(self.schema, resolved, schema, value) {
                    Ok(name) => Some(name),
                    // Without a name nothing below can be named, and the server looks no further in this list.
                    Err(why) => {
                        errors.extend(error(format!("element {i}: {why}")));
                        return errors;
                    }
                }
            } else {
                None
            };
            if self.duplicates == Duplicates::Refused
                && let Some(name) = &name
                && !seen.insert(name.clone())
            {
                let element = name.element();
                errors.extend(error(format!("duplicate entries for key {element}")));
            }
            let wrong = self.value(&schema.element, value, depth + 1);
            if !wrong.is_empty() {
                let element = name.map_or_else(
                    || PathElement::Index(i64::try_from(i).unwrap_or(i64::MAX)),
                    |name| name.element(),
                );
                errors.extend(below(&element, wrong));
            }
        }
        errors
    }
}
