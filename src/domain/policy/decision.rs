//! What was decided, and by which rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::object::ObjectRef;

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Fields that another manager owns too.
    Conflict,
    /// Fields that only Helm owns.
    Drop,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Own the field alone and keep the live value: the next upgrade sets the chart's.
    AdoptLive,
    /// Leave the field to the other manager: the next upgrade is refused (409) until the chart drops it.
    Yield,
    /// Take the field and set the chart's value now: the live object changes.
    Take,
    /// Keep the release out of the plan until a person decides: the default.
    Hold,
    /// Plan the release; if the conflict is still there when its turn comes, hand it back for a later try.
    Retry,
    /// The release is blocked.
    Fail,
    /// Own the field no more, its value stays: the default.
    LetGo,
    /// Own the field: the next upgrade deletes it.
    PruneNext,
    /// Give the field to a manager of refit's own name: a chart that brings it back is refused (409), on purpose.
    Pin,
    /// Delete the field now: the live object changes.
    Prune,
    /// Own a field no more that the chart is about to drop: its value then stays.
    Shed,
}

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
    pub action: Action,
    /// The rule; none is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// Why it is not done after all: then the conflict is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

impl Action {
    /// All actions: conflicts first.
    pub const ALL: [Self; 11] = [
        Self::AdoptLive,
        Self::Yield,
        Self::Take,
        Self::Hold,
        Self::Retry,
        Self::Fail,
        Self::LetGo,
        Self::PruneNext,
        Self::Pin,
        Self::Prune,
        Self::Shed,
    ];

    /// Its word in fleet.toml and on screens.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AdoptLive => "adopt-live",
            Self::Yield => "yield",
            Self::Take => "take",
            Self::Hold => "hold",
            Self::Retry => "retry",
            Self::Fail => "fail",
            Self::LetGo => "let-go",
            Self::PruneNext => "prune-next",
            Self::Pin => "pin",
            Self::Prune => "prune",
            Self::Shed => "shed",
        }
    }

    /// The action of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// Under which key it stands.
    pub const fn topic(self) -> Topic {
        match self {
            Self::AdoptLive | Self::Yield | Self::Take | Self::Hold | Self::Retry | Self::Fail => {
                Topic::Conflict
            }
            Self::LetGo | Self::PruneNext | Self::Pin | Self::Prune | Self::Shed => Topic::Drop,
        }
    }

    /// Does it change values of live objects?
    pub const fn changes_values(self) -> bool {
        matches!(self, Self::Take | Self::Prune)
    }

    /// Does it change what an adoption writes?
    pub const fn moves_ownership(self) -> bool {
        matches!(
            self,
            Self::AdoptLive | Self::Yield | Self::PruneNext | Self::Pin | Self::Shed
        )
    }

    /// What it means, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::AdoptLive => {
                "own the field alone, keep the live value; the next upgrade sets the chart's"
            }
            Self::Yield => {
                "leave the field to its other owner; the next upgrade is refused (409) until the chart drops it"
            }
            Self::Take => "own the field and set the chart's value now: the live object changes",
            Self::Hold => "keep the release out of the plan until a person decides (the default)",
            Self::Retry => {
                "plan the release; if the conflict is still there at its turn, hand it back for a later try"
            }
            Self::Fail => "block the release",
            Self::LetGo => "own the field no more, its value stays (the default)",
            Self::PruneNext => "own the field; the next upgrade deletes it",
            Self::Pin => {
                "give the field to the manager refit-pin: a chart that brings it back is refused (409)"
            }
            Self::Prune => "delete the field now: the live object changes",
            Self::Shed => {
                "own a field no more that the chart's next version drops; its value then stays"
            }
        }
    }
}

impl Topic {
    /// Its key in fleet.toml.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Drop => "drop",
        }
    }
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

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
