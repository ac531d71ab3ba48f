//! The stored text of a record: base64 of gzip of JSON.
use std::io::Write;

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Record, RecordError};
use crate::helm::inflate::{INFLATED_MAX, inflate};

/// The longest stored text that is decoded or written, in bytes: what the API server allows for all data of one Secret
/// or ConfigMap together (`MaxSecretSize`), so nothing longer can have come from a cluster or go back there.
pub const ENCODED_MAX: usize = 1024 * 1024;

/// The first bytes of gzip. Text that does not start with them is taken for plain JSON.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

/// base64 as Go's `StdEncoding` reads it: padding needed, stray bits in the last symbol not minded.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

impl Record {
    /// Decodes the stored text, as it stands in a ConfigMap or, after the API's own base64, in a Secret.
    pub fn decode(stored: &[u8]) -> Result<Self, RecordError> {
        if stored.len() > ENCODED_MAX {
            return Err(RecordError::EncodedTooLarge { len: stored.len() });
        }
        // Go's decoder skips line ends.
        let symbols: Vec<u8> = stored
            .iter()
            .copied()
            .filter(|byte| !matches!(byte, b'\r' | b'\n'))
            .collect();
        let mut bytes = GO_BASE64.decode(symbols).map_err(|_| RecordError::Base64)?;
        if bytes.len() > GZIP_MAGIC.len() && bytes.starts_with(&GZIP_MAGIC) {
            bytes = inflate(&bytes, INFLATED_MAX).map_err(RecordError::Inflate)?;
        }
        let json = String::from_utf8(bytes).map_err(|error| RecordError::Utf8 {
            valid: error.utf8_error().valid_up_to(),
        })?;
        Self::from_json(json)
    }

    /// The stored text: base64 of gzip of the JSON. Equal records give equal text (the gzip header holds no time).
    /// One that let its JSON go is refused.
    pub fn encode(&self) -> Result<String, RecordError> {
        if self.json.is_empty() {
            return Err(RecordError::Missing { field: "JSON" });
        }
        let mut writer = GzEncoder::new(Vec::new(), Compression::best());
        writer
            .write_all(self.json.as_bytes())
            .map_err(RecordError::Compress)?;
        let text = STANDARD.encode(writer.finish().map_err(RecordError::Compress)?);
        if text.len() > ENCODED_MAX {
            return Err(RecordError::EncodedTooLarge { len: text.len() });
        }
        Ok(text)
    }
}
