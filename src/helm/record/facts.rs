//! The state of a record beside an identity that survives a change of that state.
use crate::domain::hex::hex;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ApplyMethod, Record, Status};

/// The state of a record beside an identity that does not depend on it.
///
/// Helm rewrites a record to change its status (and Helm 3 drops the apply method as it does so); the identity is a SHA-256
/// over {name, namespace, version, info.first_deployed, info.last_deployed, chart name, chart version}, so a record of which
/// only the state moved is known again. It holds nothing secret. Times count as Go would print them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFacts {
    /// Number of the revision.
    pub revision: u32,
    /// State of the revision.
    pub status: Status,
    /// How it was applied; none means client-side.
    pub apply_method: Option<ApplyMethod>,
    /// 64 hexadecimal digits.
    pub identity: String,
}

impl Record {
    /// What tells this revision from any other, and its state. See [`RecordFacts`].
    pub fn facts(&self) -> RecordFacts {
        let chart = self.chart.clone().unwrap_or_default();
        let revision = self.revision.to_string();
        let first = go_time(&self.info.first_deployed);
        let last = go_time(&self.info.last_deployed);
        let mut hash = Sha256::new_with_prefix(b"refit record identity 1");
        for part in [
            &self.name,
            &self.namespace,
            &revision,
            &first,
            &last,
            &chart.name,
            &chart.version,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        RecordFacts {
            revision: self.revision,
            status: self.status.clone(),
            apply_method: self.apply_method.clone(),
            identity: hex(&hash.finalize()),
        }
    }
}

/// An RFC 3339 time as Go prints it after reading it: no zeros at the end of the fraction, `Z` for no offset, and nothing
/// for the zero time, which Helm 3 writes as an empty string and Helm 4 leaves out.
fn go_time(text: &str) -> String {
    let (clock, offset) = match text
        .char_indices()
        .skip(19)
        .find(|(_, c)| matches!(c, 'Z' | '+' | '-'))
    {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    };
    let clock = if clock.contains('.') {
        clock.trim_end_matches('0').trim_end_matches('.')
    } else {
        clock
    };
    let offset = if matches!(offset, "+00:00" | "-00:00") {
        "Z"
    } else {
        offset
    };
    match (clock, offset) {
        ("0001-01-01T00:00:00", "Z") => String::new(),
        _ => format!("{clock}{offset}"),
    }
}
