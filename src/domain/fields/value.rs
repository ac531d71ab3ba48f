//! The value at a path, and how it may be shown: of a Secret never.

use managed_fields::{PathElement, value};
use serde_json::Value;

/// Stands for a value that is not shown.
pub const HIDDEN: &str = "<hidden>";

/// Whether values of an object may be shown.
pub(super) struct Values {
    hidden: bool,
}

impl Values {
    /// Of an object. Of a Secret nothing is shown, not only its data: annotations such as `last-applied-configuration`
    /// repeat it.
    pub(super) fn of(object: &Value) -> Self {
        Self {
            hidden: object["kind"] == "Secret",
        }
    }

    /// The value as it may be shown.
    pub(super) fn shown(&self, value: &Value) -> Value {
        if self.hidden {
            Value::from(HIDDEN)
        } else {
            value.clone()
        }
    }
}

/// One step down. O(length of a list) for items.
pub(super) fn child<'a>(at: &'a Value, step: &PathElement) -> Option<&'a Value> {
    match step {
        PathElement::Field(name) => at.get(&**name),
        PathElement::Key(key) => at.as_array()?.iter().find(|item| {
            key.iter().all(|field| {
                let found = item.get(field.name.as_str());
                found.is_some_and(|found| value::equals(found, &field.value))
            })
        }),
        PathElement::Value(wanted) => {
            let mut items = at.as_array()?.iter();
            items.find(|item| value::equals(item, wanted))
        }
        PathElement::Index(index) => at.get(usize::try_from(*index).ok()?),
    }
}

/// The value at a path, to compare; what may be shown is [`text_at`].
pub fn value_at<'a>(object: &'a Value, path: &[PathElement]) -> Option<&'a Value> {
    path.iter().try_fold(object, |at, step| child(at, step))
}

/// The value at a path as a text: texts as they are, else JSON; [`HIDDEN`] in a Secret.
pub fn text_at(object: &Value, path: &[PathElement]) -> Option<String> {
    let values = Values::of(object);
    let found = value_at(object, path)?;
    Some(match values.shown(found) {
        Value::String(text) => text,
        other => other.to_string(),
    })
}
