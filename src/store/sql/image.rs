//! Images: bytes named by their SHA-256, compressed where that helps.

use sha2::{Digest as _, Sha256};

use super::chain::{self, Hash};
use crate::domain::ids::Digest;
use crate::store::{Error, Image, Result};

/// Largest image, uncompressed. An object is at most 3 MiB where a cluster allows that much, its managedFields and
/// record a part of it; the bound also keeps damaged bytes from growing without end.
const IMAGE_MAX: usize = 32 * 1024 * 1024;

/// zstd's default: field sets shrink about tenfold, higher levels gain little.
const LEVEL: i32 = 3;

const ZSTD: &str = "zstd";
const PLAIN: &str = "plain";

/// Bytes as they lie in the store.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    pub codec: &'static str,
    pub bytes: Vec<u8>,
}

/// Compresses, where that makes the bytes fewer.
pub(super) fn pack(bytes: &[u8]) -> Packed {
    match zstd::bulk::compress(bytes, LEVEL) {
        Ok(small) if small.len() < bytes.len() => Packed {
            codec: ZSTD,
            bytes: small,
        },
        _ => Packed {
            codec: PLAIN,
            bytes: bytes.to_vec(),
        },
    }
}

/// The inverse of [`pack`]; `what` names the bytes in the error. At most `max` bytes.
pub(super) fn unpack(codec: &str, bytes: Vec<u8>, max: usize, what: &str) -> Result<Vec<u8>> {
    let damaged = |why: &str| Error::Damaged {
        what: format!("{what}: {why}"),
    };
    match codec {
        PLAIN => Ok(bytes),
        ZSTD => zstd::bulk::decompress(&bytes, max)
            .map_err(|error| damaged(&format!("its bytes do not decompress ({error})"))),
        other => Err(damaged(&format!("its codec \"{other}\" is unknown"))),
    }
}

/// An image ready to be written.
#[derive(Debug)]
pub(super) struct PackedImage {
    pub digest: Vec<u8>,
    pub packed: Packed,
}

impl PackedImage {
    /// Checks and compresses an image.
    pub fn new(image: &Image) -> Result<Self> {
        let hash = check(image.digest.as_str(), &image.bytes)?;
        if image.bytes.len() > IMAGE_MAX {
            return Err(super::work::refused(format!(
                "image {} has {} bytes, more than the {IMAGE_MAX} that an image may have",
                image.digest,
                image.bytes.len()
            )));
        }
        Ok(Self {
            digest: hash.to_vec(),
            packed: pack(&image.bytes),
        })
    }
}

/// Reads a stored image back.
pub(super) fn open(digest: &Digest, codec: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let bytes = unpack(codec, bytes, IMAGE_MAX, &format!("image {digest}"))?;
    check(digest.as_str(), &bytes)?;
    Ok(bytes)
}

fn check(digest: &str, bytes: &[u8]) -> Result<Hash> {
    let hash: Hash = Sha256::digest(bytes).into();
    if chain::from_hex(digest) == Some(hash) {
        return Ok(hash);
    }
    Err(Error::Damaged {
        what: format!("image {digest}: its bytes have another digest"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_is_lossless_and_never_grows() {
        for bytes in [
            Vec::new(),
            vec![7],
            b"f:metadata".repeat(1_000),
            (0..=255).collect(),
        ] {
            let packed = pack(&bytes);
            assert!(packed.bytes.len() <= bytes.len());
            let back = unpack(packed.codec, packed.bytes, IMAGE_MAX, "x").unwrap();
            assert_eq!(back, bytes);
        }
    }

    #[test]
    fn bytes_that_grow_too_much_are_refused() {
        let packed = pack(&vec![0; 100_000]);
        assert!(unpack(packed.codec, packed.bytes.clone(), 100_000, "x").is_ok());
        assert!(unpack(packed.codec, packed.bytes, 99_999, "x").is_err());
    }
}
