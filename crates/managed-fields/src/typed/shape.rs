//! Which of a type's forms — map, scalar, list — applies to a value, and whether a scalar is one.

use serde_json::Value;

use super::{Errors, error};
use crate::gotext;
use crate::schema::{Resolved, Scalar, TypeRef};

/// The forms that are left of a type when it is held against a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    map: bool,
    scalar: bool,
    list: bool,
}

/// The form to handle a value as.
pub(super) enum Form {
    Map,
    Scalar,
    List,
}

impl Shape {
    /// A value of a form that the type has leaves that form only; anything else, null and absent too, leaves all.
    pub(super) fn of(resolved: Resolved<'_>, value: Option<&Value>) -> Self {
        let all = Self {
            map: resolved.map().is_some(),
            scalar: resolved.scalar().is_some(),
            list: resolved.list().is_some(),
        };
        let none = Self {
            map: false,
            scalar: false,
            list: false,
        };
        match value {
            Some(Value::Number(_) | Value::String(_) | Value::Bool(_)) if all.scalar => Self {
                scalar: true,
                ..none
            },
            Some(Value::Array(_)) if all.list => Self { list: true, ..none },
            Some(Value::Object(_)) if all.map => Self { map: true, ..none },
            _ => all,
        }
    }

    /// The first form that is left, in the server's order.
    pub(super) fn form(self, type_ref: &TypeRef) -> Result<Form, Errors> {
        if self.map {
            Ok(Form::Map)
        } else if self.scalar {
            Ok(Form::Scalar)
        } else if self.list {
            Ok(Form::List)
        } else {
            let name = match type_ref {
                TypeRef::Named { name, .. } => format!("named type: {name}"),
                _ => "inlined".to_owned(),
            };
            Err(error(format!("schema error: invalid atom: {name}")))
        }
    }
}

/// Checks a scalar; null and absent are fine.
pub(super) fn check_scalar(scalar: Scalar, value: Option<&Value>, prefix: &str) -> Errors {
    let Some(value) = value else {
        return Errors::new();
    };
    let fits = matches!(
        (scalar, value),
        (_, Value::Null)
            | (Scalar::Numeric | Scalar::Untyped, Value::Number(_))
            | (Scalar::String | Scalar::Untyped, Value::String(_))
            | (Scalar::Boolean | Scalar::Untyped, Value::Bool(_))
    );
    if fits {
        return Errors::new();
    }
    error(match scalar {
        Scalar::Numeric => format!(
            "{prefix}expected numeric (int or float), got {}",
            gotext::type_name(value)
        ),
        Scalar::String => format!(
            "{prefix}expected string, got {}",
            gotext::wrapped_syntax(value)
        ),
        Scalar::Boolean => format!("{prefix}expected boolean, got {}", gotext::wrapped(value)),
        Scalar::Untyped => format!(
            "{prefix}expected any scalar, got {}",
            gotext::wrapped(value)
        ),
    })
}

/// The map in a value; null is an empty one.
pub(super) fn as_map(value: &Value) -> Result<Option<&serde_json::Map<String, Value>>, Errors> {
    match value {
        Value::Null => Ok(None),
        Value::Object(map) => Ok(Some(map)),
        other => Err(error(format!(
            "expected map, got {}",
            gotext::wrapped(other)
        ))),
    }
}

/// The list in a value; null is an empty one.
pub(super) fn as_list(value: &Value) -> Result<Option<&[Value]>, Errors> {
    match value {
        Value::Null => Ok(None),
        Value::Array(items) => Ok(Some(items)),
        other => Err(error(format!(
            "expected list, got {}",
            gotext::wrapped(other)
        ))),
    }
}
