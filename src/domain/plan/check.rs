//! May this plan be run? A checked plan is a type of its own.

use jiff::Timestamp;

use super::Plan;
use super::digest::Sums;
use super::lint::{Finding, structure};
use crate::domain::ids::Digest;

/// A plan that is as refit made it. Only [`Plan::check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPlan(Plan);

impl CheckedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// Its digest, which is its content's.
    pub fn digest(&self) -> &Digest {
        &self.0.metadata.digest
    }
}

/// Why a plan is refused (exit code 5).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// Another version of refit made it, and may have meant something else.
    #[error("the plan was made by refit {made_by}; this is {ours}")]
    ForeignTool {
        /// Its maker.
        made_by: String,
        /// This one.
        ours: String,
    },
    /// Its content is not what it was.
    #[error("the plan was edited after it was made")]
    Edited {
        /// JSON pointer of the first part that is not as it was.
        place: String,
        /// Digest that the file states.
        stated: Digest,
        /// Digest of its content.
        content: Digest,
    },
    /// A whole plan, but not the one that was asked for: approved, or begun.
    #[error("this is another plan than the one asked for")]
    OtherPlan {
        /// Asked for.
        expected: Digest,
        /// Found.
        found: Digest,
    },
    /// Too old.
    #[error("the plan had to be started before {start_before}")]
    Expired {
        /// The last moment was before this.
        start_before: Timestamp,
    },
    /// Its digest is right, but it breaks rules that every plan keeps: not refit's work.
    #[error("the plan breaks {} rules of plans", findings.len())]
    Broken {
        /// Which.
        findings: Vec<Finding>,
    },
}

impl Plan {
    /// Checks that the plan is whole, ours and in time. `expected` is the digest that was approved or begun, if there is
    /// one; `now` is `None` for a run that has started already. Linear in the plan.
    pub fn check(
        self,
        expected: Option<&Digest>,
        tool: &str,
        now: Option<Timestamp>,
    ) -> Result<CheckedPlan, PlanRefused> {
        if self.metadata.tool != tool {
            return Err(PlanRefused::ForeignTool {
                made_by: self.metadata.tool,
                ours: tool.to_owned(),
            });
        }
        // A plan that cannot be written has no digest, so it cannot be the stated one.
        let sums = Sums::of(&self).ok();
        let content = sums
            .as_ref()
            .map_or_else(|| Digest::new(""), |sums| sums.digest.clone());
        let sealed = sums.as_ref().is_some_and(|sums| sums.seals == self.seals);
        if content != self.metadata.digest || !sealed {
            return Err(PlanRefused::Edited {
                place: edited_place(&self, sums.as_ref()),
                stated: self.metadata.digest,
                content,
            });
        }
        if let Some(expected) = expected.filter(|expected| **expected != content) {
            return Err(PlanRefused::OtherPlan {
                expected: expected.clone(),
                found: content,
            });
        }
        let start_before = self.metadata.start_before;
        if now.is_some_and(|now| now >= start_before) {
            return Err(PlanRefused::Expired { start_before });
        }
        let findings = structure(&self);
        if findings.is_empty() {
            Ok(CheckedPlan(self))
        } else {
            Err(PlanRefused::Broken { findings })
        }
    }
}

fn edited_place(plan: &Plan, sums: Option<&Sums>) -> String {
    let Some(sums) = sums else {
        return String::new();
    };
    if sums.digest == plan.metadata.digest {
        return "/seals".to_owned();
    }
    plan.seals
        .first_difference(&sums.seals)
        .unwrap_or_else(|| "/metadata/digest".to_owned())
}
