//! What holds where fleet.toml says nothing: the data file `playbooks/defaults.toml`, built in.

use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::fleet::{Limits, PlanSettings};
use crate::toml_file::{
    ConfigInvalid, Problems, Section, Source, parse, plain_date, settings, values,
};

use super::schema;

/// The built-in file.
pub(super) const DEFAULTS: &str = include_str!("../../playbooks/defaults.toml");

/// Its name in messages.
pub(super) const DEFAULTS_FILE: &str = "playbooks/defaults.toml";

/// Values of every setting that fleet.toml may leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// End of Helm 3's security fixes.
    pub deadline: Date,
    /// Zone of times without one.
    pub timezone: String,
    /// The canonical manager.
    pub manager: String,
    /// Older names of the same owner.
    pub aliases: Vec<String>,
    /// Where the store is.
    pub state: String,
    /// Of the whole fleet.
    pub writes_per_second: u32,
    /// Of one cluster.
    pub limits: Limits,
    /// What the planner is told.
    pub planning: PlanSettings,
    /// How long an undo's lock stays, in seconds.
    pub undo_dwell_seconds: u32,
    /// How long a plan may wait for its start, in seconds.
    pub start_within_seconds: u32,
    /// May a cycle of releases be cut at its weakest inferred edge?
    pub cut_inferred: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fleet: FileFleet,
    limits: FileLimits,
    undo: FileUndo,
    plan: FilePlan,
    graph: FileGraph,
    /// Read by [`settings`].
    #[serde(rename = "waves")]
    _waves: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFleet {
    deadline: toml::value::Datetime,
    timezone: String,
    manager: String,
    aliases: Vec<String>,
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLimits {
    writes_per_second: u32,
    cluster_writes_per_second: u32,
    in_flight: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileUndo {
    dwell: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FilePlan {
    start_within: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileGraph {
    cut_inferred: bool,
}

impl Defaults {
    /// The built-in ones. An error is a flaw of this build, not of the user's file; a test parses it.
    pub fn built_in() -> Result<Self, ConfigInvalid> {
        Self::parse(DEFAULTS)
    }

    fn parse(text: &str) -> Result<Self, ConfigInvalid> {
        let refuse = |message: &str| ConfigInvalid::whole_file(DEFAULTS_FILE, message.to_owned());
        let file: File = toml::from_str(text).map_err(|error| refuse(error.message()))?;
        let seconds = |text: &str| values::seconds(text).map_err(|error| refuse(&error));
        Ok(Self {
            deadline: plain_date(&file.fleet.deadline)
                .ok_or_else(|| refuse("deadline is no date"))?,
            timezone: file.fleet.timezone,
            manager: file.fleet.manager,
            aliases: file.fleet.aliases,
            state: file.fleet.state,
            writes_per_second: file.limits.writes_per_second,
            limits: Limits {
                writes_per_second: file.limits.cluster_writes_per_second,
                in_flight: file.limits.in_flight,
            },
            planning: planning(text)?,
            undo_dwell_seconds: seconds(&file.undo.dwell)?,
            start_within_seconds: seconds(&file.plan.start_within)?,
            cut_inferred: file.graph.cut_inferred,
        })
    }
}

fn planning(text: &str) -> Result<PlanSettings, ConfigInvalid> {
    let mut problems = Problems::of(schema::ALL);
    let root = parse(text, 0, &mut problems);
    let top = Section::open(&root, 0..0, &schema::TOP, &mut problems);
    let planning = settings::settings(&top, "", &mut problems);
    if problems.is_empty() {
        Ok(planning)
    } else {
        Err(problems.finish(&Source::new(DEFAULTS_FILE, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fleet::{WaveSize, WaveSizes, alias_refused, manager_name_flaw};

    #[test]
    fn the_built_in_defaults_hold_what_the_design_says() {
        let defaults = Defaults::built_in().unwrap();
        assert_eq!(defaults.deadline, Date::constant(2027, 2, 10));
        assert_eq!(defaults.writes_per_second, 20);
        assert_eq!(
            defaults.limits,
            Limits {
                writes_per_second: 4,
                in_flight: 4
            }
        );
        assert_eq!(
            defaults.planning,
            PlanSettings::of_sizes(WaveSizes(vec![
                WaveSize::Count(1),
                WaveSize::Count(5),
                WaveSize::Percent(20)
            ]))
        );
        assert_eq!(defaults.undo_dwell_seconds, 30);
        assert_eq!(defaults.start_within_seconds, 7 * 24 * 3_600);
        assert_eq!(values::timezone_flaw(&defaults.timezone), None);
        assert_eq!(manager_name_flaw(&defaults.manager), None);
        for alias in &defaults.aliases {
            assert_eq!(alias_refused(alias, &defaults.manager), Ok(false));
        }
    }

    #[test]
    fn a_broken_default_is_an_error() {
        assert!(Defaults::parse(&DEFAULTS.replace("20%", "120%")).is_err());
        assert!(Defaults::parse(&DEFAULTS.replace("dwell", "dwel")).is_err());
    }
}
