//! What `run` asks between waves and how much may fail: carried in the plan, decided by the run.

use serde::{Deserialize, Serialize};

/// What must hold after a wave before the next one starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// Its name, in plans and waits.
    pub name: String,
    /// After which waves, by name or with `*`; empty is after each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// What is asked.
    pub check: GateCheck,
}

/// What a gate asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum GateCheck {
    /// Every workload of the wave is ready.
    #[serde(rename_all = "camelCase")]
    Health {
        /// Within so many seconds.
        within_seconds: u32,
    },
    /// The conflict rate of the wave.
    #[serde(rename_all = "camelCase")]
    ConflictRate {
        /// In hundredths of a percent.
        at_most: u16,
    },
    /// After the soak nobody took fields back.
    Ownership,
    /// An HTTP GET answers with this status.
    Http {
        /// Where.
        url: String,
        /// Wanted.
        status: u16,
    },
    /// A Prometheus query gives a result that is not empty and not 0.
    Prometheus {
        /// Server.
        url: String,
        /// PromQL.
        query: String,
    },
    /// A command ends with 0.
    #[serde(rename_all = "camelCase")]
    Command {
        /// Program and arguments.
        argv: Vec<String>,
        /// It is stopped after so many seconds.
        timeout_seconds: u32,
    },
    /// A plugin says yes.
    Plugin {
        /// Which.
        name: String,
    },
}

/// How much may fail in a wave. `None` is no bound; 3 allowed means that the 4th spends it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Budget {
    /// Releases failed or stuck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<u32>,
    /// Releases undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<u32>,
    /// Conflict rate of the wave, in hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_rate: Option<u16>,
    /// What happens when it is spent.
    pub spent: OnSpent,
}

/// What happens when a budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnSpent {
    /// No release is begun any more.
    #[default]
    Stop,
    /// And the cluster's releases of this wave are undone.
    UndoCluster,
    /// And the whole wave is undone.
    UndoWave,
}
