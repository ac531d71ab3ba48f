//! The main job from end to end, with figures: a seeded fleet, refit's verbs, Helm 4 afterwards.
//!
//! Every figure is read off the servers (audit logs, snapshots) or counted from what programs said; none is refit's
//! own claim.

mod compare;
mod figures;
mod refit;
mod upgrade;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

pub use compare::{Changes, changes, is_record};
pub use figures::Figures;
pub use refit::{Answer, Refit};
pub use upgrade::{Upgrade, upgrade_all};

use crate::seed::Expect;
use crate::{AuditLog, ControlPlane, Error, Helm, Options, Seed, SeededRelease, Snapshot};

/// refit's name for itself in audit logs.
const AGENT: &str = "refit/";

/// What to play.
pub struct Demo<'a> {
    /// The refit binary.
    pub refit: PathBuf,
    /// Number of control planes.
    pub clusters: usize,
    /// The releases.
    pub seed: Seed,
    /// Told what happens, line by line.
    pub say: &'a dyn Fn(&str),
}

/// A fleet with refit beside it.
pub struct Stage {
    /// The clusters.
    pub planes: Vec<ControlPlane>,
    /// The releases, as they were made.
    pub releases: Vec<SeededRelease>,
    /// refit, in a folder with a fleet.toml.
    pub refit: Refit,
}

impl Stage {
    /// Starts control planes, grows the fleet, writes a fleet.toml with high limits and a short dwell.
    pub fn build(refit: PathBuf, clusters: usize, seed: Seed) -> Result<Self, Error> {
        let options = (1..=clusters).map(|number| Options::new(&format!("demo-{number}")));
        let planes = ControlPlane::start_all(options)?;
        let releases = seed.grow(&planes)?;
        let refit = Refit::beside(refit, &planes)?;
        Ok(Self {
            planes,
            releases,
            refit,
        })
    }

    /// Every object of every cluster, once nothing moves by itself any more; without status, which is controllers'.
    pub fn snapshots(&self) -> Result<Vec<Snapshot>, Error> {
        self.planes
            .iter()
            .map(|plane| Ok(plane.settled_snapshot()?.at_rest()))
            .collect()
    }

    /// How far each cluster's audit log is.
    pub fn marks(&self) -> Result<Vec<usize>, Error> {
        self.planes
            .iter()
            .map(|plane| Ok(plane.audit()?.len()))
            .collect()
    }

    /// refit's requests since the marks.
    pub fn requests(&self, marks: &[usize]) -> Result<Vec<AuditLog>, Error> {
        self.planes
            .iter()
            .zip(marks)
            .map(|(plane, mark)| Ok(plane.audit()?.since(*mark).by_agent(AGENT)))
            .collect()
    }

    /// The plane of a context.
    pub fn plane(&self, context: &str) -> Option<&ControlPlane> {
        self.planes.iter().find(|plane| plane.context() == context)
    }

    /// A release by the name that refit gives it (`cluster/namespace/name`; clusters lose the fleet's name).
    pub fn release(&self, id: &str) -> Option<&SeededRelease> {
        let name = id.rsplit('/').next()?;
        self.releases.iter().find(|release| release.name == name)
    }
}

impl Demo<'_> {
    /// Plays it. The figures of writes are those of the first run.
    pub fn play(&self) -> Result<Figures, Error> {
        let say = self.say;
        say(&format!(
            "starting {} control planes, installing {} releases with Helm 3.22, letting them drift ...",
            self.clusters, self.seed.releases
        ));
        let stage = Stage::build(self.refit.clone(), self.clusters, self.seed)?;
        let refit = &stage.refit;

        let looking = stage.marks()?;
        say("refit inventory");
        say(&refit.text(&["inventory"])?);
        say("refit plan --save demo.plan.json");
        let plan_text = refit.text(&["plan", "--save", "demo.plan.json"])?;
        say(&plan_text);
        let plan = refit.json(&["show", "demo.plan.json", "-o", "json"])?.value;
        let mut figures = Figures::of_plan(&plan, &stage);

        refit.json(&["audit", "-o", "json"])?;
        figures.looking_writes = stage
            .requests(&looking)?
            .iter()
            .map(|log| log.writes().len())
            .sum();

        let before = stage.snapshots()?;
        let marks = stage.marks()?;
        say("refit run demo.plan.json --yes");
        let run = refit
            .json(&["run", "demo.plan.json", "--yes", "-o", "json"])?
            .value;
        figures.count_requests(&stage.requests(&marks)?);
        figures.count_run(&run);
        let after = stage.snapshots()?;
        for (left, right) in before.iter().zip(&after) {
            figures.count_changes(&changes(left, right));
        }
        let name = text(&run, "/metadata/run");
        say(&format!(
            "  {} migrated, {} handed back",
            figures.migrated, figures.handed_back
        ));

        say("helm v3 list, status: does Helm 3.22 still read what refit wrote?");
        for id in &figures.migrated_ids {
            let Some(release) = stage.release(id) else {
                continue;
            };
            let Some(plane) = stage.plane(&release.cluster) else {
                continue;
            };
            let helm = Helm::v3(plane)?;
            let listed = helm.run(
                &release.namespace,
                ["list", "-q", "--filter", &format!("^{}$", release.name)],
            )?;
            let shown = helm.try_run(&release.namespace, ["status", &release.name])?;
            figures.helm3_shown += usize::from(listed.trim() == release.name && shown.success);
        }

        say(&format!("refit undo {name} --yes"));
        let undone = refit.json(&["undo", &name, "--yes", "-o", "json"])?;
        say(&undone.stderr_tail());
        let back = stage.snapshots()?;
        figures.count_undo(&before, &after, &back);
        say(&format!(
            "  {} objects and records as before, byte for byte; {} different",
            figures.undo_equal, figures.undo_different
        ));

        say("refit plan, refit run: once more");
        refit.json(&["plan", "--save", "again.plan.json", "-o", "json"])?;
        let again_plan = refit
            .json(&["show", "again.plan.json", "-o", "json"])?
            .value;
        let again = refit
            .json(&["run", "again.plan.json", "--yes", "-o", "json"])?
            .value;
        let second = text(&again, "/metadata/run");
        let migrated = figures::ids(&again, "Done");
        figures.again = migrated.len();

        say(&format!(
            "helm v4 upgrade of {} migrated releases, one value changed, no --force-conflicts",
            migrated.len()
        ));
        let latent = figures::latent(&again_plan);
        for done in upgrade_all(&stage, &migrated)? {
            figures.count_upgrade(&done, &latent);
        }
        let marks = stage.marks()?;
        let moved = refit.json(&["undo", &second, "--yes", "-o", "json"])?.value;
        figures.moved_on = count_moved(&moved, &migrated);
        figures.writes_after_moved_on = stage
            .requests(&marks)?
            .iter()
            .map(|log| log.writes().len())
            .sum();
        say(&format!(
            "refit undo {second}: {} of {} moved on, {} writes",
            figures.moved_on,
            migrated.len(),
            figures.writes_after_moved_on
        ));
        Ok(figures)
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn count_moved(report: &Value, migrated: &BTreeSet<String>) -> usize {
    let items = report
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    items
        .filter(|item| {
            migrated.contains(&text(item, "/release")) && text(item, "/state") == "MovedOn"
        })
        .count()
}

/// Is a release made to be migrated?
pub fn is_ready(release: &SeededRelease) -> bool {
    release.expect == Expect::Ready
}
