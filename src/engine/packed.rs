//! Objects as compressed text: a small part of what their trees take, while they wait to be looked at (ADR 17).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use zstd::bulk::{Compressor, Decompressor};

use crate::domain::object::LiveObject;

/// The first objects of a kind, so many bytes of them, show what its objects have in common. A longer sample makes each
/// object cost more time and hardly less memory.
const SAMPLE_BYTES: usize = 16 * 1024;
/// zstd's fastest: with a sample, higher levels gain little.
const LEVEL: i32 = 1;

/// All of an object.
pub(super) fn whole(live: &LiveObject) -> String {
    live.json.to_string()
}

/// What names an object and who owns what of it; no value.
pub(super) fn head(live: &LiveObject) -> String {
    json!({
        "apiVersion": live.json.get("apiVersion"),
        "kind": live.json.get("kind"),
        "metadata": live.json.get("metadata"),
    })
    .to_string()
}

/// Packs objects of one kind.
pub(super) struct Packer {
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

/// A live object, or its metadata.
pub(super) struct Packed(Form);

enum Form {
    Text(Box<str>),
    Pressed {
        bytes: Box<[u8]>,
        len: usize,
        sampled: Arc<Sampled>,
    },
}

impl Packer {
    pub(super) const fn new() -> Self {
        Self {
            sample: Vec::new(),
            press: None,
        }
    }

    /// O(n). Where compression fails, which it does not in memory, the text stays as it is.
    pub(super) fn pack(&mut self, text: String) -> Packed {
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
    /// `None` cannot be: the text was packed here. Who gets it all the same reads the object anew.
    pub(super) fn unpack(&self) -> Option<LiveObject> {
        let json: Value = match &self.0 {
            Form::Text(text) => serde_json::from_str(text).ok()?,
            Form::Pressed {
                bytes,
                len,
                sampled,
            } => {
                let mut reader = sampled.0.lock().unwrap_or_else(PoisonError::into_inner);
                let text = reader.decompress(bytes, *len).ok()?;
                drop(reader);
                serde_json::from_slice(&text).ok()?
            }
        };
        LiveObject::new(json).ok()
    }
}

impl fmt::Debug for Packed {
    /// No value: it may be a Secret's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Packed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(number: usize) -> LiveObject {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "data": {"half": 0.1, "big": 1e300, "text": "ü\u{2028}\"".repeat(number % 7), "number": number.to_string()},
            "metadata": {"name": format!("object-{number}"), "namespace": "shop", "uid": format!("u-{number}"), "resourceVersion": "7",
                "managedFields": [{"f": {"f:data": {"f:half": {}, "f:big": {}, "f:text": {}}}}]},
        });
        LiveObject::new(json).unwrap()
    }

    #[test]
    fn what_is_packed_comes_back_as_it_was_and_small() {
        let mut packer = Packer::new();
        let lives: Vec<LiveObject> = (0..1000).map(live).collect();
        let packed: Vec<Packed> = lives.iter().map(|it| packer.pack(whole(it))).collect();
        for (live, packed) in lives.iter().zip(&packed) {
            assert_eq!(packed.unpack().as_ref(), Some(live));
        }
        let mut texts = 0;
        for (live, packed) in lives.iter().zip(&packed) {
            match &packed.0 {
                Form::Text(text) => texts += text.len(),
                Form::Pressed { bytes, .. } => assert!(bytes.len() * 3 < whole(live).len()),
            }
        }
        assert!((SAMPLE_BYTES..SAMPLE_BYTES + whole(&lives[0]).len() * 2).contains(&texts));
    }

    #[test]
    fn a_head_has_owners_and_no_value() {
        let live = live(3);
        let head = Packer::new().pack(head(&live)).unpack().unwrap();
        assert_eq!(head.managed_fields(), live.managed_fields());
        assert_eq!(head.json.get("data"), None);
    }
}
