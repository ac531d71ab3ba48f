//! Why the server would refuse a request, in its words.

use std::error::Error;

use crate::conflict::Conflicts;
use crate::entry::DecodeError;
use crate::schema::Kind;
use crate::typed::{TypedError, ValidationErrors};
use crate::updater::UpdaterError;

/// Why a request fails. Together with its sources it says what the server says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// Other managers own fields that the apply would change: the server's 409.
    #[error(transparent)]
    Conflicts(Conflicts),
    /// The live object's entries cannot be read.
    #[error("failed to decode managed fields")]
    Decode(#[from] DecodeError),
    /// The object is of another kind or version than the endpoint.
    #[error("invalid object type: {found}")]
    WrongKind {
        /// What the object says it is.
        found: Box<Kind>,
        /// What the endpoint takes.
        expected: Box<Kind>,
    },
    /// A configuration must not say who owns it.
    #[error("metadata.managedFields must be nil")]
    ManagedFieldsInConfig,
    /// The configuration does not fit the schema.
    #[error("failed to create typed patch object ({object})")]
    Config {
        /// Namespace, name and kind.
        object: String,
        /// What does not fit.
        source: TypedError,
    },
    /// The live object does not fit the schema.
    #[error("failed to create typed live object ({object})")]
    Live {
        /// Namespace, name and kind.
        object: String,
        /// What does not fit.
        source: TypedError,
    },
    /// The object before an update does not fit the schema.
    #[error("failed to convert live object ({object}) to smd typed")]
    Old {
        /// Namespace, name and kind.
        object: String,
        /// What does not fit.
        source: TypedError,
    },
    /// The new object does not fit the schema.
    #[error("failed to convert new object ({object}) to smd typed")]
    New {
        /// Namespace, name and kind.
        object: String,
        /// What does not fit.
        source: TypedError,
    },
    /// The fields that a configuration owns cannot be said.
    #[error("failed to get field set")]
    FieldSet(#[from] ValidationErrors),
    /// The first entry of an object that had none cannot be made.
    #[error("failed to create manager for existing fields")]
    BeforeFirstApply(#[source] Box<ManagerError>),
    /// The computation itself fails.
    #[error(transparent)]
    Updater(UpdaterError),
    /// Nothing is left of the object.
    #[error("nothing is left of the object")]
    NothingLeft,
}

impl From<UpdaterError> for ManagerError {
    fn from(error: UpdaterError) -> Self {
        match error {
            UpdaterError::Conflicts(conflicts) => Self::Conflicts(conflicts),
            other => Self::Updater(other),
        }
    }
}

impl ManagerError {
    /// The conflicts, if that is why.
    pub fn conflicts(&self) -> Option<&Conflicts> {
        match self {
            Self::Conflicts(conflicts) => Some(conflicts),
            _ => None,
        }
    }

    /// The message with its sources, as the server puts it in its answer.
    pub fn server_message(&self) -> String {
        let mut out = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            out.push_str(": ");
            out.push_str(&error.to_string());
            source = error.source();
        }
        out
    }
}
