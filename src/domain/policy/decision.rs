//! What was decided, and by which rule.

use serde::{Deserialize, Serialize};

use crate::domain::fleet::PolicyAction;
use crate::domain::object::ObjectRef;

/// What a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// A conflict with another value.
    Active,
    /// A field of two owners with the same value.
    Latent,
    /// A field that Helm owns and the manifest does not name.
    Drop,
    /// A field of the manifest.
    Owned,
    /// A field of the manifest whose live value is another, which nobody else owns.
    Drift,
    /// Entries of dead versions in managedFields.
    Dead,
}

/// The rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleRef {
    /// Where it stands: `fleet.toml:20`.
    pub place: String,
    /// Why it stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A decision about one field of one object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The object.
    pub object: ObjectRef,
    /// About what.
    pub subject: Subject,
    /// Its path, as the forecast writes it.
    pub field: String,
    /// The other owner, of a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is done.
    pub action: PolicyAction,
    /// The rule; none is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// Why it is not done after all: then the conflict is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// It is done, and no undo takes it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub irreversible: bool,
}

impl Subject {
    /// Its word on screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Latent => "latent",
            Self::Drop => "drop",
            Self::Owned => "owned",
            Self::Drift => "drift",
            Self::Dead => "dead",
        }
    }
}

impl Decision {
    /// Is it done, and does it change what a run writes?
    pub fn is_in_force(&self) -> bool {
        self.refused.is_none() && (self.action.moves_ownership() || self.action.changes_values())
    }

    /// Is it done, and does it change a value of the live object?
    pub fn changes_a_value(&self) -> bool {
        self.refused.is_none() && self.action.changes_values()
    }

    /// Refuses it.
    pub fn refuse(&mut self, why: impl Into<String>) {
        self.refused = Some(why.into());
        self.irreversible = false;
    }

    /// The words behind a verdict: `fleet.toml:20: autoscaled`, or `by default`.
    pub fn by(&self) -> String {
        match &self.rule {
            None => "by default".to_owned(),
            Some(RuleRef { place, why: None }) => place.clone(),
            Some(RuleRef {
                place,
                why: Some(why),
            }) => format!("{place}: {why}"),
        }
    }
}
