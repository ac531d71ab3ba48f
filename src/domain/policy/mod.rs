//! Policies: who decides, and how, where a forecast finds a conflict or a drop.
//!
//! Rules stand in fleet.toml in an order; for each conflict and each drop the first one that matches decides. What no
//! rule decides has a default: a conflict with another value is held for a person, a drop is let go.
//!
//! | decisions (pure) | effects |
//! |---|---|
//! | [`decide()`]: an object's findings → [`Decision`]s; [`settle()`]: a release's forecast → its outcome under them | none |
//! | [`terms`]: decisions → the transfer's inputs | none |

mod book;
mod decide;
mod decision;
mod field;
mod scalers;
mod settle;

#[cfg(test)]
mod tests;

pub use book::{Book, Case, RuleInvalid};
pub use decide::{MANAGED_FIELDS, decide, terms};
pub use decision::{Decision, RuleRef, Subject};
pub use field::{FieldPattern, PatternInvalid};
pub use scalers::{SCALER_KINDS, ScaleTargets};
pub use settle::{Settled, settle, unplanned, with_defaults};
