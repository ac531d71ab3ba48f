//! Conversion of objects between the versions of their API.
//!
//! Field sets are written in paths of one version. To hold an object against a set of another version the server
//! converts the object. Custom resources without a conversion webhook only change `apiVersion` ([`Relabel`]); built-in
//! kinds have code in the server that is not here, so an object with entries of another version is better asked of the
//! server itself.

use std::fmt;

use serde_json::Value;

use crate::schema::Kind;
use crate::typed::{Duplicates, TypedError, TypedValue};

/// Brings objects from one API version to another.
pub trait Converter: fmt::Debug {
    /// The object at `api_version`; the object itself if it is there already.
    fn convert<'v>(
        &self,
        object: &TypedValue<'v>,
        api_version: &str,
    ) -> Result<TypedValue<'v>, ConvertError>;
}

/// Why an object cannot be had at a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// There is no such version. Entries of it are dropped at the next write.
    #[error("no corresponding type for {0}")]
    MissingVersion(Kind),
    /// The object does not fit the schema of that version.
    #[error("the object does not fit {kind}: {errors}")]
    Invalid {
        /// The kind at that version.
        kind: Kind,
        /// What does not fit.
        errors: String,
    },
    /// The value is no object any more: all of it has been pruned.
    #[error("failed to convert value to unstructured for type {0}")]
    NotAnObject(&'static str),
    /// Some other converter's reason.
    #[error("{0}")]
    Other(String),
}

impl ConvertError {
    /// Whether the version is unknown, which the server takes lightly.
    pub fn is_missing_version(&self) -> bool {
        matches!(self, Self::MissingVersion(_))
    }
}

/// The conversion strategy `None` of custom resources: only `apiVersion` changes. The object's own schema must have the
/// types of all served versions.
///
/// For built-in kinds it is right as long as all versions have the same fields.
#[derive(Clone, Copy, Debug)]
pub struct Relabel;

impl Converter for Relabel {
    fn convert<'v>(
        &self,
        object: &TypedValue<'v>,
        api_version: &str,
    ) -> Result<TypedValue<'v>, ConvertError> {
        let Value::Object(map) = object.value() else {
            return Err(ConvertError::NotAnObject(crate::gotext::type_name(
                object.value(),
            )));
        };
        let from = Kind::of(object.value());
        let kind = Kind::new(api_version, &from.kind);
        if kind == from {
            return Ok(object.clone());
        }
        let mut map = map.clone();
        map.insert("apiVersion".to_owned(), Value::from(api_version));
        object
            .schema()
            .typed(Value::Object(map), Duplicates::Refused)
            .map_err(|error| match error {
                TypedError::UnknownKind(kind) => ConvertError::MissingVersion(kind),
                TypedError::Invalid(errors) => ConvertError::Invalid {
                    kind,
                    errors: errors.to_string(),
                },
            })
    }
}
