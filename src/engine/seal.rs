//! Sealing: content that a run must be able to put back lies in the store only encrypted.
//!
//! XChaCha20-Poly1305 under a random data key, which is wrapped by the operator's key (`REFIT_SEAL_KEY`, or the file
//! that `[seal] key_file` names). The wrapped key is an image of its own: dropping it is the end of all that it sealed.
//! The text is bound to cluster, object uid and resourceVersion; its digest is an HMAC under the data key, since a bare
//! hash of a short password can be guessed.

use crate::domain::hex::hex;
use std::fmt;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Length of every key, as the cipher has it.
const KEY_BYTES: usize = 32;
/// Length of a nonce: long enough to be drawn at random.
const NONCE_BYTES: usize = 24;
/// Letters of a key's name: tells keys apart, and nothing about them.
const KEY_NAME: usize = 16;
/// What the wrapping binds: a wrapped key is never taken for a sealed text.
const WRAPPING: &[u8] = b"refit data key 1";

/// How to make a key, for messages.
pub const HOW_TO: &str = "make one with: (umask 077; openssl rand -base64 32 > seal.key); then name it in fleet.toml ([seal] key_file = \"seal.key\") or set REFIT_SEAL_KEY";

/// Why something cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key is set.
    #[error("values can be put back only with a sealing key, and none is set: {HOW_TO}")]
    NoKey,
    /// The key does not read.
    #[error("the sealing key is not 32 bytes in base64: {HOW_TO}")]
    BadKey,
    /// Another key sealed it.
    #[error(
        "its former values were sealed with another key ({sealed}; the one that is set is {set}): set that key and try again"
    )]
    OtherKey {
        /// The key that sealed it.
        sealed: String,
        /// The key that is set.
        set: String,
    },
    /// A key sealed it, and none is set now.
    #[error(
        "its former values were sealed with key {sealed}, and no key is set: name its file in fleet.toml ([seal] key_file) or set REFIT_SEAL_KEY, and try again"
    )]
    KeyGone {
        /// The key that sealed it.
        sealed: String,
    },
    /// The text was changed, or belongs to another object.
    #[error(
        "its former values do not open: the store is damaged, or they belong to another object"
    )]
    Damaged,
    /// The system has no randomness.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl SealError {
    /// Would the right key mend it? Then nothing is decided without it: what was begun stays open.
    pub fn wants_key(&self) -> bool {
        !matches!(self, Self::Damaged)
    }
}

/// What a sealed text belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// Of which cluster.
    pub cluster: String,
    /// uid of the object.
    pub uid: String,
    /// Its resourceVersion when it was sealed.
    pub resource_version: String,
}

/// A sealed text, as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sealed {
    /// Digest of the image that holds the wrapped data key.
    pub data_key: crate::domain::ids::Digest,
    binding: Binding,
    /// HMAC-SHA256 of the text under the data key.
    digest: String,
    nonce: String,
    text: String,
}

/// A wrapped data key, as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrappedKey {
    /// Which key wrapped it.
    key: String,
    nonce: String,
    wrapped: String,
}

impl WrappedKey {
    /// The name of the key that wrapped it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

struct DataKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    wrapped: WrappedKey,
}

/// Seals and opens under the operator's key, with a data key of this process's run.
pub struct Sealer {
    key: Zeroizing<[u8; KEY_BYTES]>,
    name: String,
    data: OnceLock<DataKey>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.name)
    }
}

impl Sealer {
    /// From a key's text: 32 bytes in base64.
    pub fn new(text: &str) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(text.trim())
                .map_err(|_| SealError::BadKey)?,
        );
        let key: [u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| SealError::BadKey)?;
        let key = Zeroizing::new(key);
        let mut named = Sha256::new();
        named.update(b"refit key name 1");
        named.update(key.as_slice());
        let name = hex(&named.finalize()).chars().take(KEY_NAME).collect();
        Ok(Self {
            key,
            name,
            data: OnceLock::new(),
        })
    }

    fn data(&self) -> Result<&DataKey, SealError> {
        if let Some(data) = self.data.get() {
            return Ok(data);
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| SealError::NoRandomness)?;
        let (nonce, wrapped) = encrypt(&self.key, bytes.as_slice(), WRAPPING)?;
        let wrapped = WrappedKey {
            key: self.name.clone(),
            nonce,
            wrapped,
        };
        Ok(self.data.get_or_init(|| DataKey { bytes, wrapped }))
    }

    /// The data key, wrapped: to be stored beside what it seals.
    pub fn wrapped(&self) -> Result<&WrappedKey, SealError> {
        Ok(&self.data()?.wrapped)
    }

    /// Seals a text. `data_key` is the digest of the image that holds [`Sealer::wrapped`].
    pub fn seal(
        &self,
        text: &[u8],
        binding: &Binding,
        data_key: crate::domain::ids::Digest,
    ) -> Result<Sealed, SealError> {
        let key = &self.data()?.bytes;
        let digest = hmac(key, text)?;
        let (nonce, text) = encrypt(key, text, &bound(binding, &digest))?;
        Ok(Sealed {
            data_key,
            binding: binding.clone(),
            digest,
            nonce,
            text,
        })
    }

    /// Opens a text with its wrapped data key.
    pub fn open(
        &self,
        sealed: &Sealed,
        wrapped: &WrappedKey,
        uid: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if wrapped.key != self.name {
            return Err(SealError::OtherKey {
                sealed: wrapped.key.clone(),
                set: self.name.clone(),
            });
        }
        if sealed.binding.uid != uid {
            return Err(SealError::Damaged);
        }
        let data = decrypt(&self.key, &wrapped.nonce, &wrapped.wrapped, WRAPPING)?;
        let data: [u8; KEY_BYTES] = data.as_slice().try_into().map_err(|_| SealError::Damaged)?;
        let data = Zeroizing::new(data);
        let text = decrypt(
            &data,
            &sealed.nonce,
            &sealed.text,
            &bound(&sealed.binding, &sealed.digest),
        )?;
        if hmac(&data, &text)? != sealed.digest {
            return Err(SealError::Damaged);
        }
        Ok(text)
    }
}

/// What the cipher binds: no two bindings give the same bytes, since lengths go along.
fn bound(binding: &Binding, digest: &str) -> Vec<u8> {
    let parts = [
        binding.cluster.as_str(),
        &binding.uid,
        &binding.resource_version,
        digest,
    ];
    let mut bytes = b"refit sealed 1".to_vec();
    for part in parts {
        bytes.extend(part.len().to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn hmac(key: &[u8; KEY_BYTES], text: &[u8]) -> Result<String, SealError> {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).map_err(|_| SealError::Damaged)?;
    mac.update(text);
    Ok(hex(&mac.finalize().into_bytes()))
}

fn encrypt(key: &[u8; KEY_BYTES], text: &[u8], aad: &[u8]) -> Result<(String, String), SealError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: text, aad })
        .map_err(|_| SealError::Damaged)?;
    Ok((STANDARD.encode(nonce), STANDARD.encode(sealed)))
}

fn decrypt(
    key: &[u8; KEY_BYTES],
    nonce: &str,
    text: &str,
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| SealError::Damaged);
    let nonce: [u8; NONCE_BYTES] = decode(nonce)?
        .as_slice()
        .try_into()
        .map_err(|_| SealError::Damaged)?;
    let text = decode(text)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher
        .decrypt(&XNonce::from(nonce), Payload { msg: &text, aad })
        .map(Zeroizing::new)
        .map_err(|_| SealError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Digest;

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&STANDARD.encode([byte; KEY_BYTES])).unwrap()
    }

    fn binding(uid: &str) -> Binding {
        Binding {
            cluster: "eu-1".into(),
            uid: uid.into(),
            resource_version: "7".into(),
        }
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let ours = sealer(1);
        let digest = Digest::new("k");
        let sealed = ours.seal(b"hunter2", &binding("u"), digest).unwrap();
        let wrapped = ours.wrapped().unwrap().clone();
        // A later process has the same key, and another data key.
        let later = sealer(1);
        assert_eq!(
            later.open(&sealed, &wrapped, "u").unwrap().as_slice(),
            b"hunter2"
        );
        let stored = serde_json::to_string(&(&sealed, &wrapped)).unwrap();
        assert!(!stored.contains("hunter2") && !stored.contains(&STANDARD.encode("hunter2")));
        assert!(matches!(
            sealer(2).open(&sealed, &wrapped, "u"),
            Err(SealError::OtherKey { .. })
        ));
        assert_eq!(later.open(&sealed, &wrapped, "v"), Err(SealError::Damaged));
    }

    #[test]
    fn whatever_is_changed_does_not_open() {
        let ours = sealer(1);
        let sealed = ours
            .seal(b"hunter2", &binding("u"), Digest::new("k"))
            .unwrap();
        let wrapped = ours.wrapped().unwrap().clone();
        let mut other = sealed.clone();
        other.binding.resource_version = "8".into();
        assert_eq!(ours.open(&other, &wrapped, "u"), Err(SealError::Damaged));
        let mut other = sealed.clone();
        other.digest.replace_range(
            0..1,
            if sealed.digest.starts_with('0') {
                "1"
            } else {
                "0"
            },
        );
        assert_eq!(ours.open(&other, &wrapped, "u"), Err(SealError::Damaged));
        let mut other = sealed;
        other.text = STANDARD.encode("short");
        assert_eq!(ours.open(&other, &wrapped, "u"), Err(SealError::Damaged));
    }

    #[test]
    fn a_key_is_thirty_two_bytes_in_base64() {
        assert!(matches!(Sealer::new("x"), Err(SealError::BadKey)));
        assert!(matches!(
            Sealer::new(&STANDARD.encode([0; 31])),
            Err(SealError::BadKey)
        ));
        assert!(Sealer::new(&format!("{}\n", STANDARD.encode([0; 32]))).is_ok());
        assert!(!format!("{:?}", sealer(3)).contains(&STANDARD.encode([3; 32])));
    }
}
