//! Adds the struct fields to a set that are owned without being said.

use crate::path::PathElement;
use crate::schema::{Resolved, Schema, TypeRef};
use crate::set::FieldSet;

use super::TypedValue;

impl TypedValue<'_> {
    /// The set with every declared struct field below which it has something. Map keys and list items are not added.
    #[must_use]
    pub fn with_named_parents(&self, set: &FieldSet) -> FieldSet {
        with_named(self.schema, &self.type_ref, set)
    }
}

fn with_named(schema: &Schema, type_ref: &TypeRef, set: &FieldSet) -> FieldSet {
    let resolved = schema.resolve(type_ref);
    let (map, list) = (
        resolved.and_then(Resolved::map),
        resolved.and_then(Resolved::list),
    );
    let mut out = FieldSet::new();
    for member in set.members() {
        out.insert_member(member.clone());
    }
    for (element, below) in set.children() {
        let child = match (element, map, list) {
            (PathElement::Field(name), Some(map), _) => {
                let (type_ref, declared) = map.type_of(name);
                if declared {
                    out.insert_member(element.clone());
                }
                type_ref
            }
            (PathElement::Key(_), _, Some(list)) => &list.element,
            _ => &TypeRef::Undeclared,
        };
        out.replace_child(element.clone(), with_named(schema, child, below));
    }
    out
}
