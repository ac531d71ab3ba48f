//! What to do next: state and observation in, entries, requests or reads out.

use jiff::Timestamp;

use super::attempt::Attempt;
use super::entry::{Entry, IntentNo};
use super::observation::Observation;

/// What to read before the next decision. Objects first, then records (rule 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Objects to read, by their place.
    pub objects: Vec<u32>,
    /// Read the payload of these revisions too, if they exist; of all others metadata is enough.
    pub contents: Vec<crate::domain::ids::Revision>,
}

/// What an attempt waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// The undo's lock stays until then.
    Dwell {
        /// When.
        until: Timestamp,
    },
    /// A foreign pending revision above ours.
    Foreign {
        /// Which, and whose, for the screen.
        what: String,
    },
}

/// The next thing to do for an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Read this, then decide again with the view.
    Look(Look),
    /// Append these entries in one transaction, apply them, decide again.
    Append(Vec<Entry>),
    /// Send these open intents, all of which are in the journal; then decide with the replies.
    Send(Vec<IntentNo>),
    /// Wait, then decide again with [`Observation::Nothing`].
    Wait(WaitFor),
    /// The attempt is closed.
    Closed,
}

/// Decides. Pure; costs one pass over the attempt's objects.
pub fn decide(attempt: &Attempt, seen: &Observation) -> Decision {
    let _ = (attempt, seen);
    todo!()
}
