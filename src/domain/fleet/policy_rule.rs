//! Rules for conflicts and drops, as fleet.toml and the plan have them; `domain::policy` asks them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyTopic {
    /// Fields that another manager owns too.
    Conflict,
    /// Fields that only Helm owns.
    Drop,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyAction {
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
    /// Take entries of dead versions off a custom resource's managedFields. It cannot be undone.
    Repair,
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

/// A rule, as fleet.toml and the plan have it. An empty list of globs matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// Where it stands: `fleet.toml:20`.
    pub place: String,
    /// Globs over `Kind` and `Kind.group`, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
    /// Patterns over field paths (`domain::policy::FieldPattern`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field: Vec<String>,
    /// Globs over `manager` and `manager/subresource`; `*` stays within one part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owner: Vec<String>,
    /// Globs over the release's namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespace: Vec<String>,
    /// Labels of the cluster, values as globs; all must match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Globs over `name` and `name-version` of the chart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chart: Vec<String>,
    /// What it does.
    pub action: PolicyAction,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl PolicyAction {
    /// All actions: conflicts first.
    pub const ALL: [Self; 12] = [
        Self::AdoptLive,
        Self::Yield,
        Self::Take,
        Self::Hold,
        Self::Retry,
        Self::Fail,
        Self::Repair,
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
            Self::Repair => "repair",
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
    pub const fn topic(self) -> PolicyTopic {
        match self {
            Self::AdoptLive
            | Self::Yield
            | Self::Take
            | Self::Hold
            | Self::Retry
            | Self::Fail
            | Self::Repair => PolicyTopic::Conflict,
            Self::LetGo | Self::PruneNext | Self::Pin | Self::Prune | Self::Shed => {
                PolicyTopic::Drop
            }
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
            Self::AdoptLive | Self::Yield | Self::PruneNext | Self::Pin | Self::Shed | Self::Repair
        )
    }

    /// Is what it does not undone by an undo?
    pub const fn is_irreversible(self) -> bool {
        matches!(self, Self::Repair)
    }

    /// Is it asked wherever the other is? What sheds and what repairs is asked by itself; what holds or blocks is asked
    /// about dead entries too.
    pub fn is_asked_before(self, other: Self) -> bool {
        let apart = |action| matches!(action, Self::Shed | Self::Repair);
        self.topic() == other.topic()
            && (self == other
                || !(apart(self) || apart(other))
                || (matches!(self, Self::Hold | Self::Fail) && other == Self::Repair))
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
            Self::Repair => {
                "take dead versions off a custom resource's managedFields; irreversible: undo leaves its owners so"
            }
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

impl PolicyTopic {
    /// Its key in fleet.toml.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Drop => "drop",
        }
    }
}

impl PolicyRule {
    /// Is it asked the same of the same fields as the other, which stands behind it?
    pub fn asks_like(&self, other: &Self) -> bool {
        self.action.is_asked_before(other.action)
            && (
                &self.kind,
                &self.field,
                &self.owner,
                &self.namespace,
                &self.labels,
                &self.chart,
            ) == (
                &other.kind,
                &other.field,
                &other.owner,
                &other.namespace,
                &other.labels,
                &other.chart,
            )
    }

    /// Does it match whatever it is asked?
    pub fn takes_all(&self) -> bool {
        let any = |globs: &[String]| globs.is_empty() || globs.iter().any(|glob| glob == "*");
        any(&self.kind)
            && any(&self.owner)
            && any(&self.namespace)
            && any(&self.chart)
            && self.labels.is_empty()
            && (self.field.is_empty() || self.field.iter().any(|field| field == ".**"))
    }
}

impl fmt::Display for PolicyAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
