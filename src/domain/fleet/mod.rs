//! The fleet: which clusters, which field manager, how fast, in which waves. Made by `config` from fleet.toml.

mod depends;
mod driver;
mod managers;
mod order;
mod policy_rule;
mod selector;
pub mod settings;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::ClusterName;

pub use depends::{Depends, NotAReleaseGlob, PlacedGlob, ReleaseGlob};
pub use driver::DrivenBy;
pub use managers::{
    AliasInvalid, AliasRefused, ManagerMatcher, Own, STOCK_MANAGER, alias_refused,
    manager_name_flaw,
};
pub use order::{natural_order, release_order};
pub use policy_rule::{PolicyAction, PolicyRule, PolicyTopic};
pub use selector::{NotASelector, Selector, fits};
pub use settings::PlanSettings;
pub use zone::{time_zone, time_zone_names};

/// A validated fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// Its name.
    pub name: String,
    /// The last day: end of Helm 3's security fixes unless fleet.toml says otherwise.
    pub deadline: Date,
    /// IANA name of the zone for times without one.
    pub timezone: String,
    /// Who owns what on every cluster.
    pub managers: Managers,
    /// Where the store is: a path, relative to fleet.toml's folder.
    pub state: PathBuf,
    /// Its clusters, in natural order of their names, at least one.
    pub clusters: Vec<FleetCluster>,
    /// Writes per second for the whole fleet.
    pub writes_per_second: u32,
    /// What the planner is told: waves, canaries, caps, calendar, gates.
    pub planning: PlanSettings,
    /// How long an undo's lock stays, in seconds (run protocol §5, row 27).
    pub undo_dwell_seconds: u32,
    /// Drivers that are meant to stay: the gates of an audit do not ask for their releases.
    pub expect: BTreeSet<DrivenBy>,
    /// How long after it was made a plan may be started, in seconds.
    pub start_within_seconds: u32,
    /// File with the key that seals values, relative to fleet.toml; `None`: only `REFIT_SEAL_KEY` may give one.
    pub seal_key_file: Option<std::path::PathBuf>,
    /// Declared dependencies, in the order of the file.
    pub depends: Vec<Depends>,
    /// May the weakest inferred edge of a cycle be cut? If not, a cycle is refused.
    pub cut_inferred: bool,
    /// Policies for conflicts and drops, in their order: the first that matches decides.
    pub policies: Vec<PolicyRule>,
}

impl Fleet {
    /// The cluster of that name.
    pub fn cluster(&self, name: &ClusterName) -> Option<&FleetCluster> {
        self.clusters.iter().find(|cluster| cluster.name == *name)
    }
}

/// One cluster of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetCluster {
    /// The fleet's name of it.
    pub name: ClusterName,
    /// The context in the kubeconfig.
    pub context: String,
    /// The kubeconfig; `None` is `KUBECONFIG` or the default.
    pub kubeconfig: Option<PathBuf>,
    /// Labels, for `-l`, caps and rules.
    pub labels: BTreeMap<String, String>,
    /// Its limits.
    pub limits: Limits,
    /// IANA name of its own zone; the fleet's if it has none.
    pub timezone: Option<String>,
    /// Names of the windows that are its own: writes are allowed while any of them is open. None: always.
    pub windows: Vec<String>,
}

/// How hard a cluster may be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Writes per second.
    pub writes_per_second: u32,
    /// Releases in flight.
    pub in_flight: u32,
}

/// The canonical manager and the older names of the same owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Managers {
    /// The one name that should own Helm's fields everywhere.
    pub canonical: String,
    /// Globs (`terraform-provider-helm*`) of names Helm wrote under before.
    pub aliases: Vec<String>,
}

/// Sizes of waves: the last repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WaveSizes(pub Vec<WaveSize>);

/// Size of one wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WaveSize {
    /// So many releases, at least 1.
    Count(u32),
    /// So many percent of all releases in the plan, rounded up, 1 to 100.
    Percent(u8),
}
