//! Triage: why releases are held, grouped into causes, each with who decides and what the fix is.
//!
//! Rules are data ([`Rules`]): the first that takes a finding names its cause. A held release counts once, under its
//! gravest cause: what blocks before what needs a choice; then what is done elsewhere, in the chart, on the cluster,
//! by an answer, and last by a rule. So a release that counts under a rule's cause is settled by rules alone.

mod cause;
mod facts;
mod finding;
mod group;
mod pattern;
mod rule;
mod worded;

#[cfg(test)]
mod tests;

pub use cause::{Answer, Cause, Patch, PrintedRule, Question, ReleaseCause, Totals, Triage};
pub use facts::{Evidence, Facts};
pub use finding::{Finding, Subject, Weight, findings};
pub use group::{gravest, triage};
pub use pattern::Pattern;
pub use rule::{
    Decides, Matcher, OptionTemplate, PatchTemplate, PolicyTemplate, QuestionTemplate, Rule, Rules,
};
pub use worded::{TriageError, Wording};
