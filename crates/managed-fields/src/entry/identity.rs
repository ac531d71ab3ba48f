//! What makes two managed entries the same one.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::gotext;

/// What kind of request made an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply.
    Apply,
    /// Everything else: create, update, the other patches.
    Update,
}

impl Operation {
    /// The word in `managedFields`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What makes two entries the same one.
///
/// An Update entry is known by manager, API version and subresource, an Apply entry by manager and subresource only.
/// The order is that of the server's own key, the JSON text `{"manager":…,"operation":…,"apiVersion":…,"subresource":…}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The server's key, which alone decides equality and order.
    key: Arc<str>,
    operation: Operation,
    manager: Arc<str>,
    api_version: Arc<str>,
    subresource: Arc<str>,
}

impl Identity {
    /// The identity of an entry. `api_version` does not count if the operation is Apply.
    pub fn new(manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Self {
        let api_version = if operation == Operation::Apply {
            ""
        } else {
            api_version
        };
        let mut key = String::from("{");
        let fields = [
            ("manager", manager),
            ("operation", operation.as_str()),
            ("apiVersion", api_version),
            ("subresource", subresource),
        ];
        for (name, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
            if key.len() > 1 {
                key.push(',');
            }
            gotext::push_json_string(&mut key, name);
            key.push(':');
            gotext::push_json_value(&mut key, &Value::from(text));
        }
        key.push('}');
        Self {
            key: key.into(),
            operation,
            manager: manager.into(),
            api_version: api_version.into(),
            subresource: subresource.into(),
        }
    }

    /// The manager's name.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The operation.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The API version of an Update entry; empty for an Apply entry.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The subresource, empty for the main resource.
    pub fn subresource(&self) -> &str {
        &self.subresource
    }

    /// The server's key of this entry, a JSON text.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// As the server names a manager in a conflict: `"helm"`, `"kubectl-edit" using apps/v1`, `"hpa" with subresource "scale" using apps/v1`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&gotext::quote(&self.manager))?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {}", gotext::quote(&self.subresource))?;
        }
        if self.operation == Operation::Update {
            write!(f, " using {}", self.api_version)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}
