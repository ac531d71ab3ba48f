//! Why a stored object cannot be used.
use crate::helm::record::RecordError;

/// Why an object is no record of Helm's, or a form of it cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The object lacks something that every stored object has.
    #[error("{kind} {name:?} has no {what}")]
    Missing {
        /// Kind by driver.
        kind: &'static str,
        /// Name of the object, if it has one.
        name: String,
        /// Path of what is missing.
        what: &'static str,
    },
    /// The data key is not base64.
    #[error("data key {key} of {kind} {name} is not base64")]
    Base64 {
        /// Kind by driver.
        kind: &'static str,
        /// Name of the object.
        name: String,
        /// The data key.
        key: &'static str,
    },
    /// The record inside cannot be read, edited or written.
    #[error("release record in {kind} {name}")]
    Record {
        /// Kind by driver.
        kind: &'static str,
        /// Name of the object.
        name: String,
        /// What is wrong with it.
        #[source]
        source: RecordError,
    },
    /// The record belongs under another name: Helm would not find it, or find another.
    #[error("{kind} {name} holds revision {revision} of release {release}")]
    Misplaced {
        /// Kind by driver.
        kind: &'static str,
        /// Name of the object.
        name: String,
        /// Name of the release inside.
        release: String,
        /// Revision inside.
        revision: u32,
    },
    /// A form was asked for that the run protocol does not have.
    #[error("{what}, so this form of {name} cannot be made")]
    Form {
        /// Name of the object.
        name: String,
        /// What speaks against it.
        what: &'static str,
    },
}
