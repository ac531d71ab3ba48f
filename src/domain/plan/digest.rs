//! The plan's digest: SHA-256 of its canonical JSON, with the digest's own field empty.
//!
//! Canonical: no blanks, keys in the order of their bytes, without `apiVersion` and `kind`. It is written piece by
//! piece, as a plan of a million releases as one JSON tree would take gigabytes.

use std::fmt::Write as _;
use std::io;

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
    let mut hash = Hash(Sha256::new());
    write_plan(&mut hash, plan)?;
    Ok(Digest::new(hex(&hash.0.finalize())))
}

/// The metadata as they are hashed.
pub(super) fn without_digest(metadata: &PlanMetadata) -> PlanMetadata {
    PlanMetadata {
        digest: Digest::new(""),
        ..metadata.clone()
    }
}

/// Writes any small part canonically.
pub(super) fn write_canonical<T: Serialize + ?Sized>(
    out: &mut dyn io::Write,
    part: &T,
) -> serde_json::Result<()> {
    write_value(out, &serde_json::to_value(part)?)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A hasher that can be written to.
pub(super) struct Hash(pub(super) Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn raw(out: &mut dyn io::Write, text: &str) -> serde_json::Result<()> {
    out.write_all(text.as_bytes())
        .map_err(serde_json::Error::io)
}

/// Keys in their order, by hand for what may be long.
fn write_plan(out: &mut dyn io::Write, plan: &Plan) -> serde_json::Result<()> {
    let Plan {
        metadata,
        waves,
        held,
        done,
        unread,
        summary,
        seals,
    } = plan;
    raw(out, "{\"done\":")?;
    write_list(out, done, |out, release| write_canonical(out, release))?;
    raw(out, ",\"held\":")?;
    write_list(out, held, |out, release| write_canonical(out, release))?;
    raw(out, ",\"metadata\":")?;
    write_canonical(out, &without_digest(metadata))?;
    raw(out, ",\"seals\":")?;
    write_canonical(out, seals)?;
    raw(out, ",\"summary\":")?;
    write_canonical(out, summary)?;
    raw(out, ",\"unread\":")?;
    write_canonical(out, unread)?;
    raw(out, ",\"waves\":")?;
    write_list(out, waves, |out, wave| {
        raw(out, "{\"name\":")?;
        write_canonical(out, &wave.name)?;
        raw(out, ",\"number\":")?;
        write_canonical(out, &wave.number)?;
        raw(out, ",\"releases\":")?;
        write_list(out, &wave.releases, |out, release| {
            write_canonical(out, release)
        })?;
        raw(out, "}")
    })?;
    raw(out, "}")
}

fn write_list<T>(
    out: &mut dyn io::Write,
    items: &[T],
    mut write: impl FnMut(&mut dyn io::Write, &T) -> serde_json::Result<()>,
) -> serde_json::Result<()> {
    raw(out, "[")?;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            raw(out, ",")?;
        }
        write(out, item)?;
    }
    raw(out, "]")
}

/// Sorts keys itself: `serde_json`'s own order depends on a feature that any dependency may switch on.
pub(super) fn write_value(out: &mut dyn io::Write, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            raw(out, "{")?;
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    raw(out, ",")?;
                }
                serde_json::to_writer(&mut *out, key)?;
                raw(out, ":")?;
                write_value(out, value)?;
            }
            raw(out, "}")
        }
        Value::Array(items) => write_list(out, items, |out, item| write_value(out, item)),
        scalar => serde_json::to_writer(out, scalar),
    }
}
