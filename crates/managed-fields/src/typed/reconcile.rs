//! Old sets under a newer schema: what has become atomic is owned as one whole.

use super::shape::{Form, Shape};
use super::{Errors, TypedValue, ValidationErrors, error};
use crate::path::PathElement;
use crate::schema::{Map, Relationship, Resolved, Scalar, Schema, TypeRef, UNTYPED_DEDUCED};
use crate::set::FieldSet;

impl TypedValue<'_> {
    /// The set as this value's schema wants it; `None` if it is fine as it is.
    ///
    /// Where a list or map was owned in parts and is atomic now, whoever owned a part owns the whole.
    /// The other way round nothing needs to be done.
    pub fn reconcile(&self, set: &FieldSet) -> Result<Option<FieldSet>, ValidationErrors> {
        let mut walk = Walk {
            schema: self.schema,
            path: Vec::new(),
            whole: None,
        };
        let errors = walk.node(&self.type_ref, Some(set), false);
        ValidationErrors::check(errors)?;
        Ok(walk
            .whole
            .map(|whole| set.recursive_difference(&whole).union(&whole)))
    }
}

struct Walk<'s> {
    schema: &'s Schema,
    path: Vec<PathElement>,
    /// The paths of which only the whole can be owned.
    whole: Option<FieldSet>,
}

impl Walk<'_> {
    fn node(&mut self, type_ref: &TypeRef, set: Option<&FieldSet>, is_whole: bool) -> Errors {
        let Some(resolved) = self.schema.resolve(type_ref) else {
            return error(format!("could not resolve {}", type_ref.name()));
        };
        match Shape::of(resolved, None).form(type_ref) {
            Ok(Form::Map) => self.map(resolved, set, is_whole),
            Ok(Form::Scalar) => Errors::new(),
            Ok(Form::List) => self.list(resolved, set, is_whole),
            Err(errors) => errors,
        }
    }

    fn make_whole(&mut self) {
        // Sets are not deep enough for this to fail.
        let _ = self.whole.get_or_insert_default().insert(&self.path);
    }

    fn map(&mut self, resolved: Resolved<'_>, set: Option<&FieldSet>, is_whole: bool) -> Errors {
        let Some(map) = resolved.map().filter(|map| !is_free_form(map)) else {
            return Errors::new();
        };
        if !is_whole && resolved.map_is_atomic() {
            if set.is_some_and(|set| !set.is_empty()) {
                self.make_whole();
            }
            return Errors::new();
        }
        self.children(set, |element| match element {
            PathElement::Field(name) => {
                Some(map.type_of(name).0).filter(|type_ref| type_ref.is_declared())
            }
            _ => Some(&map.element).filter(|type_ref| type_ref.is_declared()),
        })
    }

    fn list(&mut self, resolved: Resolved<'_>, set: Option<&FieldSet>, is_whole: bool) -> Errors {
        let Some(list) = resolved.list() else {
            return Errors::new();
        };
        if !is_whole && resolved.list_relationship() == Relationship::Atomic {
            self.make_whole();
            return Errors::new();
        }
        self.children(set, |_| Some(&list.element))
    }

    fn children<'t>(
        &mut self,
        set: Option<&FieldSet>,
        type_of: impl Fn(&PathElement) -> Option<&'t TypeRef>,
    ) -> Errors {
        let mut errors = Errors::new();
        let Some(set) = set else {
            return errors;
        };
        let only_children = set
            .children()
            .map(|(element, _)| element)
            .filter(|element| !set.has_member(element));
        let members = set.members().map(|element| (element, true));
        for (element, is_member) in only_children.map(|element| (element, false)).chain(members) {
            let Some(type_ref) = type_of(element) else {
                continue;
            };
            let below = set.child(element);
            self.path.push(element.clone());
            errors.extend(self.node(type_ref, below, is_member && below.is_none()));
            self.path.pop();
        }
        errors
    }
}

/// Maps without declared fields whose keys may be anything are never looked into.
fn is_free_form(map: &Map) -> bool {
    let untyped = match &map.element {
        TypeRef::Undeclared => false,
        TypeRef::Inline(atom) => atom.scalar == Some(Scalar::Untyped),
        TypeRef::Named { name, .. } => &**name == UNTYPED_DEDUCED,
    };
    untyped && map.fields.is_empty()
}
