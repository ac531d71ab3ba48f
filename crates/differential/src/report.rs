//! What a run says at its end.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

/// The figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests that both sides answered.
    pub cases: usize,
    /// Cases that got past ownership on both sides, and that the server then refused for a reason that no field set
    /// can know: validation, immutability, quota. They are among [`Report::cases`] and count as no agreement.
    pub refused_by_server_only: usize,
    /// How many cases there were of each interesting sort.
    pub sorts: BTreeMap<&'static str, usize>,
    /// Every case in which the answers differ.
    pub disagreements: Vec<Disagreement>,
}

/// A case in which the answers differ.
#[derive(Debug, Clone)]
pub struct Disagreement {
    /// The life in which it happened.
    pub seed: u64,
    /// At which of its steps.
    pub step: usize,
    /// What differs.
    pub what: String,
    /// The request as `refit fields simulate --jsonl` reads it.
    pub request: Value,
    /// Kubernetes' answer.
    pub theirs: Value,
    /// Ours.
    pub ours: Value,
}

impl Report {
    /// One more case of a sort.
    pub(crate) fn count(&mut self, sort: &'static str) {
        *self.sorts.entry(sort).or_default() += 1;
    }

    pub(crate) fn count_if(&mut self, sort: &'static str, is_it: bool) {
        *self.sorts.entry(sort).or_default() += usize::from(is_it);
    }

    /// How many cases of a sort there were.
    pub fn of(&self, sort: &str) -> usize {
        self.sorts.get(sort).copied().unwrap_or_default()
    }

    /// The figures of two runs as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.cases += other.cases;
        self.refused_by_server_only += other.refused_by_server_only;
        for (sort, n) in other.sorts {
            *self.sorts.entry(sort).or_default() += n;
        }
        self.disagreements.extend(other.disagreements);
        self
    }

    /// Figures alone, for machines. Names of sorts become keys.
    pub fn json(&self) -> Value {
        let mut out = json!({
            "cases": self.cases,
            "refused_by_server_only": self.refused_by_server_only,
            "disagreements": self.disagreements.len(),
        });
        for (sort, n) in &self.sorts {
            out[*sort] = json!(n);
        }
        out
    }
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} step {}: {}\nrequest {}\nKubernetes {}\nours {}",
            self.seed, self.step, self.what, self.request, self.theirs, self.ours
        )
    }
}
