//! The sweep: a lock whose POST landed after its attempt was closed. It is the one write that no guard can stop, since
//! nothing occupies the name; so it is looked for and removed.

use std::collections::BTreeSet;

use super::attempt::Attempt;
use super::entry::Token;
use super::observation::RecordSeen;
use super::outcome::Outcome;
use super::records::is_pending;

/// The pending records whose token belongs to a closed attempt of this store: each is to be deleted with its uid and
/// resourceVersion, so that nobody's newer record is hit. `closed` holds what [`Attempt::sweep_token`] gives.
pub fn sweepable<'a>(records: &'a [RecordSeen], closed: &BTreeSet<Token>) -> Vec<&'a RecordSeen> {
    records
        .iter()
        .filter(|record| is_pending(record))
        .filter(|record| {
            record
                .token
                .as_ref()
                .is_some_and(|token| closed.contains(token))
        })
        .collect()
}

impl Attempt {
    /// The token under which a late lock of this attempt is swept: that of a closed attempt, but not of a stuck one,
    /// whose lock stays until a person has decided.
    pub fn sweep_token(&self) -> Option<&Token> {
        match &self.outcome {
            None | Some(Outcome::Stuck { .. }) => None,
            Some(_) => Some(&self.opened.token),
        }
    }
}
