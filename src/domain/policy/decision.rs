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
}

impl Subject {
    /// Its word on screens and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Latent => "latent",
            Self::Drop => "drop",
            Self::Owned => "owned",
        }
    }
}

impl Decision {
    /// Is it done, and does it change what an adoption writes?
    pub fn is_in_force(&self) -> bool {
        self.refused.is_none() && self.action.moves_ownership()
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
