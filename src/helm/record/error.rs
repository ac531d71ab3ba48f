//! Why a record cannot be used.
use super::ENCODED_MAX;
use crate::helm::inflate::InflateError;
use crate::helm::json_text::JsonFault;

/// Why a record could not be read, edited or written. Shows places and sizes, never a value.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The stored text is longer than a cluster can hold.
    #[error("release record holds {len} bytes of text, more than {ENCODED_MAX}")]
    EncodedTooLarge {
        /// Its length in bytes.
        len: usize,
    },
    /// The stored text is not base64.
    #[error("release record is not base64")]
    Base64,
    /// The gzip inside is damaged or inflates past [`crate::helm::inflate::INFLATED_MAX`].
    #[error("release record cannot be decompressed")]
    Inflate(#[source] InflateError),
    /// The JSON inside is not UTF-8.
    #[error("release record is not UTF-8 after byte {valid}")]
    Utf8 {
        /// How many bytes were fine.
        valid: usize,
    },
    /// The text inside is not a JSON object.
    #[error("release record is not a JSON object")]
    Json(#[source] JsonFault),
    /// A field has another shape than Helm gives it.
    #[error("field {field} of the release record cannot be read")]
    Field {
        /// Its path, such as `info.status`.
        field: &'static str,
        /// Where inside of the field.
        #[source]
        fault: JsonFault,
    },
    /// A field without which a record means nothing is missing or empty.
    #[error("release record has no {field}")]
    Missing {
        /// Its path.
        field: &'static str,
    },
    /// Two spellings of one field: Helm would read either as the field, so an edit of one could be undone by the other.
    #[error(
        "release record has a field that differs from one of Helm's in letter case only: {key}"
    )]
    Lookalike {
        /// The odd key.
        key: String,
    },
    /// Compression failed, which writing to memory does not.
    #[error("release record cannot be compressed")]
    Compress(#[source] std::io::Error),
}
