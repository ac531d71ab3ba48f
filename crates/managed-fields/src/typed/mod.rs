//! Values with a schema, and what the server computes with them.
//!
//! One file an operation: `validate`, `field_set` (what a configuration owns), `merge`, `compare`, `remove`, `reconcile`
//! (old sets under a newer schema), `named` (parents that go without saying); `item` names list items; `shape` picks
//! which of a type's forms a value takes.

mod compare;
mod field_set;
mod item;
mod merge;
mod named;
mod reconcile;
mod remove;
mod shape;
mod validate;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::path::PathElement;
use crate::schema::{Kind, Schema, TypeRef};
use crate::set::FieldSet;

pub use compare::Comparison;

/// A value that fits its schema. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TypedValue<'s> {
    schema: &'s Schema,
    type_ref: TypeRef,
    held: Held<'s>,
}

/// Objects are large and most steps only read them, so a value may stay where it is.
#[derive(Clone, Debug)]
enum Held<'v> {
    Borrowed(&'v Value),
    Shared(Arc<Value>),
}

/// Whether list items may share a key: the server allows it in stored objects and refuses it in configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// As in stored objects and in updates.
    Allowed,
    /// As in what is applied.
    Refused,
}

/// One thing that does not fit a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValidationError {
    /// The path of the value, as text; empty for the object itself.
    pub path: String,
    /// What is wrong, in the server's words.
    pub message: String,
}

/// All that does not fit a schema. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationErrors(Vec<ValidationError>);

/// Why an object cannot be given its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypedError {
    /// The schema does not describe this kind.
    #[error("no corresponding type for {0}")]
    UnknownKind(Kind),
    /// The object does not fit its schema.
    #[error(transparent)]
    Invalid(#[from] ValidationErrors),
}

impl Schema {
    /// Gives an object the type of its `apiVersion` and `kind`, if it fits. Linear in the object's size.
    ///
    /// This finds what client-side apply let pass and server-side apply refuses: fields that are not declared,
    /// duplicate list keys, scalars of the wrong kind.
    ///
    /// ```
    /// use managed_fields::schema::{Kind, Schema};
    /// use managed_fields::typed::Duplicates;
    /// use serde_json::json;
    ///
    /// let schema = Schema::deduced();
    /// let object = json!({"apiVersion": "v1", "kind": "Box", "lid": {"open": true}, "sizes": [1, 2]});
    /// let typed = schema.typed(object, Duplicates::Refused)?;
    /// assert_eq!(typed.field_set()?.to_string(), ".apiVersion\n.kind\n.lid\n.sizes\n.lid.open");
    /// # Ok::<(), managed_fields::typed::TypedError>(())
    /// ```
    pub fn typed(
        &self,
        object: Value,
        duplicates: Duplicates,
    ) -> Result<TypedValue<'_>, TypedError> {
        let kind = Kind::of(&object);
        self.typed_as(&kind, object, duplicates)
    }

    /// Gives an object the type of `kind`, whatever it says itself.
    pub fn typed_as(
        &self,
        kind: &Kind,
        object: Value,
        duplicates: Duplicates,
    ) -> Result<TypedValue<'_>, TypedError> {
        self.typed_held(kind, Held::Shared(Arc::new(object)), duplicates)
    }

    /// [`Schema::typed`] without taking the object.
    pub fn typed_ref<'v>(
        &'v self,
        object: &'v Value,
        duplicates: Duplicates,
    ) -> Result<TypedValue<'v>, TypedError> {
        self.typed_held(&Kind::of(object), Held::Borrowed(object), duplicates)
    }

    fn typed_held<'v>(
        &'v self,
        kind: &Kind,
        held: Held<'v>,
        duplicates: Duplicates,
    ) -> Result<TypedValue<'v>, TypedError> {
        let type_ref = self
            .type_of(kind)
            .ok_or_else(|| TypedError::UnknownKind(kind.clone()))?;
        let typed = TypedValue {
            schema: self,
            type_ref,
            held,
        };
        typed.validate(duplicates)?;
        Ok(typed)
    }
}

impl<'s> TypedValue<'s> {
    /// The schema that has its type.
    pub fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// The value itself.
    pub fn value(&self) -> &Value {
        match &self.held {
            Held::Borrowed(value) => value,
            Held::Shared(value) => value,
        }
    }

    /// The value itself, without a copy if this was the only holder.
    pub fn into_value(self) -> Value {
        match self.held {
            Held::Borrowed(value) => value.clone(),
            Held::Shared(value) => Arc::unwrap_or_clone(value),
        }
    }

    fn with(&self, value: Value) -> Self {
        Self {
            schema: self.schema,
            type_ref: self.type_ref.clone(),
            held: Held::Shared(Arc::new(value)),
        }
    }

    /// Whether both hold one and the same value, not just equal ones: then nothing changed from one to the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.value(), other.value())
    }
}

/// The errors met so far; empty if none.
type Errors = Vec<ValidationError>;

fn error(message: impl Into<String>) -> Errors {
    vec![ValidationError {
        path: String::new(),
        message: message.into(),
    }]
}

/// Puts `element` before the path of each error.
fn below(element: &PathElement, mut errors: Errors) -> Errors {
    for error in &mut errors {
        error.path.insert_str(0, &element.to_string());
    }
    errors
}

fn unresolved(type_ref: &TypeRef) -> Errors {
    error(format!(
        "schema error: no type found matching: {}",
        type_ref.name()
    ))
}

impl ValidationErrors {
    fn check(errors: Errors) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(errors))
        }
    }

    /// The single errors.
    pub fn iter(&self) -> impl Iterator<Item = &ValidationError> {
        self.0.iter()
    }
}

impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// The server's text: one error as it is, more on a line each below `errors:`.
impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return only.fmt(f);
        }
        f.write_str("errors:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ValidationErrors {}

/// Whether a set holds anything below an element.
fn subset<'a>(set: &'a FieldSet, element: &PathElement) -> Option<&'a FieldSet> {
    set.child(element).filter(|set| !set.is_empty())
}
