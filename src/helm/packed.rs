//! Texts that are much alike, such as a kind's objects, compressed one by one by what they have in common (ADR 17).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::bulk::{Compressor, Decompressor};

/// The first objects of a kind, so many bytes of them, show what its objects have in common. A longer sample makes each
/// object cost more time and hardly less memory.
const SAMPLE_BYTES: usize = 16 * 1024;
/// zstd's fastest: with a sample, higher levels gain little.
const LEVEL: i32 = 1;

/// Packs texts of one kind.
#[derive(Default)]
pub struct Packer {
    sample: Vec<u8>,
    /// Made when the sample is whole.
    press: Option<Press>,
}

struct Press {
    compressor: Compressor<'static>,
    reader: Arc<Sampled>,
}

/// Reads what was packed with one sample.
struct Sampled(Mutex<Decompressor<'static>>);

/// A packed text.
pub struct Packed(Form);

enum Form {
    Text(Box<str>),
    Pressed {
        bytes: Box<[u8]>,
        len: usize,
        sampled: Arc<Sampled>,
    },
}

impl Packer {
    /// O(n). Where compression fails, which it does not in memory, the text stays as it is.
    pub fn pack(&mut self, text: String) -> Packed {
        if let Some(pressed) = self.press.as_mut().and_then(|press| press.press(&text)) {
            return Packed(pressed);
        }
        if self.press.is_none() {
            let room = SAMPLE_BYTES.saturating_sub(self.sample.len());
            let some = text.as_bytes().iter().take(room);
            self.sample.extend(some);
            if self.sample.len() == SAMPLE_BYTES {
                self.press = Press::new(&self.sample).ok();
                self.sample = Vec::new();
            }
        }
        Packed(Form::Text(text.into_boxed_str()))
    }
}

impl Press {
    fn new(sample: &[u8]) -> std::io::Result<Self> {
        Ok(Self {
            compressor: Compressor::with_dictionary(LEVEL, sample)?,
            reader: Arc::new(Sampled(Mutex::new(Decompressor::with_dictionary(sample)?))),
        })
    }

    fn press(&mut self, text: &str) -> Option<Form> {
        let bytes = self.compressor.compress(text.as_bytes()).ok()?;
        Some(Form::Pressed {
            bytes: bytes.into_boxed_slice(),
            len: text.len(),
            sampled: Arc::clone(&self.reader),
        })
    }
}

impl Packed {
    /// The text. `None` cannot be: it was packed here.
    pub fn unpack(&self) -> Option<String> {
        match &self.0 {
            Form::Text(text) => Some(text.to_string()),
            Form::Pressed {
                bytes,
                len,
                sampled,
            } => {
                let mut reader = sampled.0.lock().unwrap_or_else(PoisonError::into_inner);
                String::from_utf8(reader.decompress(bytes, *len).ok()?).ok()
            }
        }
    }
}

impl fmt::Debug for Packed {
    /// No text: it may be a Secret's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Packed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_as_it_was_and_small() {
        let mut packer = Packer::default();
        let text = |number: usize| {
            let odd = "ü\u{2028}\"".repeat(number % 7);
            format!(
                "{{\"metadata\":{{\"name\":\"object-{number}\",\"namespace\":\"shop\",\"labels\":{{\"a\":\"{odd}\"}}}},\"kind\":\"ConfigMap\"}}"
            )
        };
        let texts: Vec<String> = (0..1000).map(text).collect();
        let packed: Vec<Packed> = texts.iter().map(|it| packer.pack(it.clone())).collect();
        let mut plain = 0;
        for (text, packed) in texts.iter().zip(&packed) {
            assert_eq!(packed.unpack().as_ref(), Some(text));
            match &packed.0 {
                Form::Text(text) => plain += text.len(),
                Form::Pressed { bytes, .. } => assert!(bytes.len() * 2 < text.len()),
            }
        }
        assert!((SAMPLE_BYTES..SAMPLE_BYTES + 400).contains(&plain));
    }
}
