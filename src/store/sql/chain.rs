//! The hash chain: one a cluster, each entry's hash covers all of it and the hash of the entry before.

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// What the first entry of a cluster follows.
pub(super) const GENESIS: Hash = [0; 32];

/// Keeps these hashes apart from every other use of SHA-256, and names the encoding below.
const DOMAIN: &[u8] = b"refit journal entry v1";

/// All that an entry's hash covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub prev: &'a [u8],
    pub cluster: &'a str,
    pub seq: i64,
    pub run: &'a str,
    pub release: Option<&'a str>,
    pub attempt: Option<i64>,
    pub epoch: i64,
    pub kind: &'a str,
    pub body: &'a [u8],
    pub at: &'a str,
}

impl Link<'_> {
    /// SHA-256 of the fields in the order of this struct. Texts carry their length and options a mark, so that no two
    /// entries share an encoding.
    pub fn hash(&self) -> Hash {
        let mut hasher = Encoder(Sha256::new());
        hasher.bytes(DOMAIN);
        hasher.bytes(self.prev);
        hasher.bytes(self.cluster.as_bytes());
        hasher.number(self.seq);
        hasher.bytes(self.run.as_bytes());
        hasher.mark(self.release.is_some());
        hasher.bytes(self.release.unwrap_or_default().as_bytes());
        hasher.mark(self.attempt.is_some());
        hasher.number(self.attempt.unwrap_or_default());
        hasher.number(self.epoch);
        hasher.bytes(self.kind.as_bytes());
        hasher.bytes(self.body);
        hasher.bytes(self.at.as_bytes());
        hasher.0.finalize().into()
    }
}

struct Encoder(Sha256);

impl Encoder {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn mark(&mut self, present: bool) {
        self.0.update([u8::from(present)]);
    }
}

/// The bytes of lower-case hex of a SHA-256; `None` for anything else.
pub(super) fn from_hex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = GENESIS;
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != hash.len() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hex::hex;

    const LINK: Link<'static> = Link {
        prev: &GENESIS,
        cluster: "eu-1",
        seq: 1,
        run: "run-1",
        release: Some("shop/web"),
        attempt: Some(1),
        epoch: 1,
        kind: "Opened",
        body: b"{}",
        at: "1970-01-01T00:00:00Z",
    };

    #[test]
    fn every_field_counts_and_none_runs_into_the_next() {
        let links = [
            LINK,
            Link {
                prev: &[1; 32],
                ..LINK
            },
            Link {
                cluster: "eu-2",
                ..LINK
            },
            Link { seq: 2, ..LINK },
            Link {
                run: "run-2",
                ..LINK
            },
            Link {
                release: None,
                ..LINK
            },
            Link {
                release: Some(""),
                ..LINK
            },
            Link {
                attempt: None,
                ..LINK
            },
            Link {
                attempt: Some(0),
                ..LINK
            },
            Link { epoch: 2, ..LINK },
            Link {
                kind: "Openedx",
                ..LINK
            },
            Link {
                kind: "Opene",
                body: b"d{}",
                ..LINK
            },
            Link { body: b"", ..LINK },
            Link {
                at: "1970-01-01T00:00:01Z",
                ..LINK
            },
        ];
        let hashes: std::collections::BTreeSet<Hash> = links.iter().map(Link::hash).collect();
        assert_eq!(hashes.len(), links.len());
    }

    #[test]
    fn the_encoding_stays_as_it_is() {
        let golden = "c23b9bfc0dc050bc9e37f564b25bef01a94f04b2087696cde02bfead0ecb4282";
        assert_eq!(hex(&LINK.hash()), golden);
    }

    #[test]
    fn hex_reads_what_it_writes_and_nothing_else() {
        let hash = LINK.hash();
        assert_eq!(from_hex(&hex(&hash)), Some(hash));
        for wrong in [
            "",
            "00",
            &"0".repeat(63),
            &"0".repeat(65),
            &"A".repeat(64),
            &"é".repeat(32),
        ] {
            assert_eq!(from_hex(wrong), None);
        }
    }
}
