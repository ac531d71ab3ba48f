//! The plan's digest and its seals, in one walk over its content.
//!
//! The digest is SHA-256 of the plan's canonical JSON ([`super::canonical`]) with the digest's own field empty, and without
//! `apiVersion`, `kind` and the seals, which follow from the rest. It is rendered piece by piece, each piece once: a plan
//! of a million releases as one text would take half a gigabyte.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Plan, PlanMetadata, Seals, Wave, canonical};
use crate::domain::hex::{hex, push_hex};
use crate::domain::ids::Digest;

/// Hex digits of one seal. 32 bits find the place of an edit; against an attacker stands the digest alone.
pub(super) const SEAL: usize = 8;

/// How a wave's releases stand in its head's JSON, which is rendered without them.
const NO_RELEASES: &[u8] = b"\"releases\":[]";

/// SHA-256 of bytes, in lower-case hex: of an input's file, for [`PlanMetadata::inputs`].
pub fn digest_of(bytes: &[u8]) -> Digest {
    Digest::new(hex(&Sha256::digest(bytes)))
}

/// What a plan's content hashes to, whatever its own digest and seals say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sums {
    /// Of all.
    pub(super) digest: Digest,
    /// Of the parts.
    pub(super) seals: Seals,
}

impl Sums {
    /// Hashes a plan. Linear, in memory for one release.
    pub(super) fn of(plan: &Plan) -> serde_json::Result<Self> {
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
            seals: _,
        } = plan;
        let mut hash = Canonical::default();
        let mut seals = Seals::default();
        let mut times = BTreeMap::new();
        // Keys in their order, by hand for what may be long.
        hash.text("{");
        if let Some(calendar) = calendar {
            hash.text("\"calendar\":");
            times.insert("calendar", hash.part(calendar)?);
            hash.text(",");
        }
        hash.text("\"done\":");
        seals.done = hash.list(done)?;
        hash.text(",\"held\":");
        seals.held = hash.list(held)?;
        hash.text(",\"metadata\":");
        seals.metadata = hash.part(&without_digest(metadata))?;
        if !relaxations.is_empty() {
            hash.text(",\"relaxations\":");
            times.insert("relaxations", hash.part(relaxations)?);
        }
        hash.text(",\"summary\":");
        seals.summary = hash.part(summary)?;
        hash.text(",\"unread\":");
        seals.unread = hash.part(unread)?;
        if !untested.is_empty() {
            hash.text(",\"untested\":");
            times.insert("untested", hash.part(untested)?);
        }
        hash.text(",\"waves\":[");
        for (at, wave) in waves.iter().enumerate() {
            if at > 0 {
                hash.text(",");
            }
            let mut sums = hash.wave_opens(wave)?;
            sums += &hash.list(&wave.releases)?;
            hash.wave_closes();
            seals.waves.push(sums);
        }
        hash.text("]}");
        let place = |name: &str| times.get(name).cloned().unwrap_or_default();
        seals.calendar = place("calendar");
        seals.relaxations = place("relaxations");
        seals.untested = place("untested");
        let digest = Digest::new(hex(&hash.hash.finalize()));
        Ok(Self { digest, seals })
    }
}

/// The metadata as they are hashed.
fn without_digest(metadata: &PlanMetadata) -> PlanMetadata {
    PlanMetadata {
        digest: Digest::new(""),
        ..metadata.clone()
    }
}

/// Everything of a wave but its releases.
fn head(wave: &Wave) -> Wave {
    let Wave {
        number,
        name,
        stage,
        part,
        lane,
        after,
        starts,
        ends,
        soak,
        approval,
        coverage,
        waits_for,
        spans,
        releases: _,
    } = wave;
    Wave {
        number: *number,
        name: name.clone(),
        stage: *stage,
        part: *part,
        lane: lane.clone(),
        after: after.clone(),
        starts: *starts,
        ends: *ends,
        soak: *soak,
        approval: *approval,
        coverage: *coverage,
        waits_for: waits_for.clone(),
        spans: spans.clone(),
        releases: Vec::new(),
    }
}

/// SHA-256 of canonical JSON that is given part by part, and of each part by itself.
#[derive(Default)]
struct Canonical {
    hash: Sha256,
    /// Text of one part: kept, as a hasher takes one long piece faster than many short ones.
    buffer: Vec<u8>,
    /// What follows a wave's releases.
    tail: Vec<u8>,
}

impl Canonical {
    /// Hashes a part; gives its seal.
    fn part<T: Serialize + ?Sized>(&mut self, part: &T) -> serde_json::Result<String> {
        let mut seal = String::with_capacity(SEAL);
        self.sealed(part, &mut seal)?;
        Ok(seal)
    }

    fn sealed<T: Serialize + ?Sized>(
        &mut self,
        part: &T,
        seals: &mut String,
    ) -> serde_json::Result<()> {
        self.buffer.clear();
        canonical::write(&mut self.buffer, part)?;
        self.hash.update(&self.buffer);
        seal(&self.buffer, seals);
        Ok(())
    }

    /// Hashes a list; gives the seals of its items, one after the other.
    fn list<T: Serialize>(&mut self, items: &[T]) -> serde_json::Result<String> {
        let mut seals = String::with_capacity(items.len() * SEAL);
        self.text("[");
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text(",");
            }
            self.sealed(item, &mut seals)?;
        }
        self.text("]");
        Ok(seals)
    }

    /// Hashes a wave up to its releases; gives the seal of all but them.
    fn wave_opens(&mut self, wave: &Wave) -> serde_json::Result<String> {
        self.buffer.clear();
        canonical::write(&mut self.buffer, &head(wave))?;
        let mut sum = String::with_capacity(SEAL * (wave.releases.len() + 1));
        seal(&self.buffer, &mut sum);
        // A text cannot hold the pattern: its quotes would be escaped.
        let pieces = self.buffer.windows(NO_RELEASES.len());
        let at = pieces.into_iter().position(|piece| piece == NO_RELEASES);
        let opens = at.map_or(0, |at| at + NO_RELEASES.len() - 2);
        let (before, after) = self.buffer.split_at(opens);
        self.hash.update(before);
        self.tail.clear();
        self.tail
            .extend_from_slice(after.get(2..).unwrap_or_default());
        Ok(sum)
    }

    fn wave_closes(&mut self) {
        self.hash.update(&self.tail);
    }

    fn text(&mut self, text: &str) {
        self.hash.update(text.as_bytes());
    }
}

/// Appends the seal of a text.
fn seal(text: &[u8], seals: &mut String) {
    let sum = Sha256::digest(text);
    push_hex(seals, sum.get(..SEAL / 2).unwrap_or_default());
}

/// The canonical JSON of a tree, as the tests compute it.
#[cfg(test)]
pub(super) fn write_value(out: &mut Vec<u8>, value: &serde_json::Value) -> serde_json::Result<()> {
    use serde_json::Value;
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
