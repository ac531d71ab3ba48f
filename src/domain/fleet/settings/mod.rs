//! What a playbook and fleet.toml tell the planner: shape of waves, canaries, caps, calendar, gates.
//!
//! [`PlanSettings::default`] is a fleet that sets nothing: waves by size, no caps, no windows, no soak.

mod calendar;
mod cron;
mod guard;
mod shape;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Selector, WaveSizes};

pub use calendar::{Cost, Freeze, NotWeekdays, SoakRule, Weekdays, Window, WindowRule, ZoneRule};
pub use cron::{Cron, NotACron};
pub use guard::{Budget, Gate, GateCheck, OnSpent};
pub use shape::{
    CanaryRule, Cap, Counted, Cut, HeldDependency, Key, Lanes, PeerRule, Peers, RiskOrder,
    RiskRule, RiskWeights, Stage,
};

/// Everything that the planner can be told, beside the fleet itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PlanSettings {
    /// The playbook's name; empty if there is none.
    pub playbook: String,
    /// Stages in their order. A release belongs to the first whose selector it satisfies; one that satisfies none
    /// comes in a last stage `rest`. One stage without a name is a plan by sizes alone.
    pub stages: Vec<Stage>,
    /// How the first releases are chosen.
    pub canary: CanaryRule,
    /// Upper bounds of what one wave holds.
    pub caps: Vec<Cap>,
    /// Releases that never share a wave.
    pub peers: Vec<Peers>,
    /// What waits for what: the whole fleet for each wave, or each lane for its own.
    pub lanes: Lanes,
    /// How risk is counted, and what it decides.
    pub risk: RiskRule,
    /// What becomes of a release whose dependency this plan does not migrate.
    pub held_dependency: HeldDependency,
    /// Maintenance windows by name; clusters name those that are theirs.
    pub windows: BTreeMap<String, Window>,
    /// When nothing is written, by name.
    pub freezes: BTreeMap<String, Freeze>,
    /// How long a wave is watched before the next: the longest that a release of the wave asks for. A release asks by the
    /// first rule that it satisfies.
    pub soak: Vec<SoakRule>,
    /// What must hold before the next wave: carried in the plan, asked by `run`.
    pub gates: Vec<Gate>,
    /// Waves, by name or with `*`, that somebody other than the author approves before they start.
    pub approvals: Vec<String>,
    /// How much may fail in a wave.
    pub budget: Budget,
    /// What a write costs.
    pub cost: Cost,
    /// Seed of every choice that is arbitrary, so that the same fleet can be cut in another way.
    pub seed: u64,
}

impl PlanSettings {
    /// Waves of these sizes and nothing else.
    pub fn of_sizes(sizes: WaveSizes) -> Self {
        Self {
            stages: vec![Stage {
                name: String::new(),
                selector: Selector::all(),
                cut: Cut::Sizes(sizes),
            }],
            ..Self::default()
        }
    }
}
