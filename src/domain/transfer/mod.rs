//! From managedFields, apply set and managers to new managedFields, and the way back.
//!
//! Adoption changes who owns fields and nothing else: all main-resource entries of the canonical manager and its
//! aliases go, one `canonical / Apply` entry with exactly the apply set comes, everybody else's entries stay.
//!
//! ```text
//! before  helm/Update {a b d}   kubectl/Update {c}     d: a drop, the manifest has it no more
//! after   helm/Apply  {a b}     kubectl/Update {c}     d is let go, its value stays
//! ```
//!
//! Laws, as property tests: `put_back ∘ adopt = identity`; foreign entries are unchanged; `adopt` is idempotent;
//! managedFields never end up empty.

mod adopt;
mod back;
mod compare;
mod owners;

pub use adopt::{Adoption, ApplySet, Inverse, TransferError, Trimmed, adopt};
pub use back::{BackError, Ours, classify, put_back};
pub use compare::{Difference, same_entries};
pub use owners::{describe, is_own};
