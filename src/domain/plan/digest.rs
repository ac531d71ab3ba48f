//! The plan's digest: SHA-256 of its canonical JSON, with the digest's own field empty.
//!
//! Canonical: no blanks, keys in the order of their bytes, without `apiVersion` and `kind`. It is written piece by
//! piece, as a plan of a million releases as one JSON tree would take gigabytes.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Plan, PlanMetadata};
use crate::domain::ids::Digest;

/// SHA-256 of bytes, in lower-case hex: of an input's file, for [`PlanMetadata::inputs`].
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(hex(&Sha256::digest(bytes)))
}

/// Digest of a plan's content, whatever its digest field says.
pub(super) fn content_digest(plan: &Plan) -> serde_json::Result<Digest> {
    let Plan {
        metadata,
        waves,
        held,
        done,
        unread,
        untested,
        calendar,
        relaxations,
        summary,
        seals,
    } = plan;
    // Keys in their order, by hand for what may be long.
    let mut hash = Canonical::default();
    hash.text("{");
    if let Some(calendar) = calendar {
        hash.text("\"calendar\":");
        hash.part(calendar)?;
        hash.text(",");
    }
    hash.text("\"done\":");
    hash.list(done)?;
    hash.text(",\"held\":");
    hash.list(held)?;
    hash.text(",\"metadata\":");
    hash.part(&without_digest(metadata))?;
    if !relaxations.is_empty() {
        hash.text(",\"relaxations\":");
        hash.part(relaxations)?;
    }
    hash.text(",\"seals\":");
    hash.part(seals)?;
    hash.text(",\"summary\":");
    hash.part(summary)?;
    hash.text(",\"unread\":");
    hash.part(unread)?;
    if !untested.is_empty() {
        hash.text(",\"untested\":");
        hash.part(untested)?;
    }
    hash.text(",\"waves\":[");
    for (at, wave) in waves.iter().enumerate() {
        if at > 0 {
            hash.text(",");
        }
        hash.part(wave)?;
    }
    hash.text("]}");
    Ok(Digest::new(hex(&hash.finish())))
}

/// The metadata as they are hashed.
pub(super) fn without_digest(metadata: &PlanMetadata) -> PlanMetadata {
    PlanMetadata {
        digest: Digest::new(""),
        ..metadata.clone()
    }
}

/// SHA-256 of canonical JSON that is given part by part.
#[derive(Default)]
pub(super) struct Canonical {
    hash: Sha256,
    /// Text of one part: kept, as a hasher takes one long piece faster than many short ones.
    buffer: Vec<u8>,
}

impl Canonical {
    pub(super) fn part<T: Serialize + ?Sized>(&mut self, part: &T) -> serde_json::Result<()> {
        self.buffer.clear();
        write_value(&mut self.buffer, &serde_json::to_value(part)?)?;
        self.hash.update(&self.buffer);
        Ok(())
    }

    fn list<T: Serialize>(&mut self, items: &[T]) -> serde_json::Result<()> {
        self.text("[");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text(",");
            }
            self.part(item)?;
        }
        self.text("]");
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.hash.update(text.as_bytes());
    }

    /// The hash so far; begins anew.
    pub(super) fn finish(&mut self) -> [u8; 32] {
        self.hash.finalize_reset().into()
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Sorts keys itself: `serde_json`'s own order depends on a feature that any dependency may switch on.
pub(super) fn write_value(out: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push(b'{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                serde_json::to_writer(&mut *out, key)?;
                out.push(b':');
                write_value(out, value)?;
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(out, item)?;
            }
            out.push(b']');
        }
        scalar => serde_json::to_writer(out, scalar)?,
    }
    Ok(())
}
