//! A fleet of releases as time leaves it: real Helm 3 installs them, real kubectl makes them drift.
//!
//! [`Seed::plan`] decides (pure, the same for the same seed), [`Seed::grow`] does. Each release says what refit's
//! forecast should make of it, so that a test can compare all of them.

mod drift;
mod names;
mod pattern;
mod settle;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::{ControlPlane, Error, Helm, charts};

/// Helms at work at once: the rate no longer grows beyond it on two cores.
const AT_ONCE: usize = 4;

/// What is to be grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// Decides names and distribution.
    pub seed: u64,
    /// How many releases, over all clusters.
    pub releases: usize,
}

/// One thing that happened to a release after its installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Drift {
    /// `kubectl scale` to another number.
    ScaledAway,
    /// `kubectl scale` to another number and back: the value is Helm's, the owner is kubectl.
    ScaledBack,
    /// An autoscaler has moved the replicas that the chart names.
    AutoscalerMoved,
    /// `kubectl edit` of a value that the chart sets.
    Edited,
    /// `kubectl edit`, and back: equal value, another owner.
    EditedBack,
    /// `kubectl rollout restart`.
    Restarted,
    /// `kubectl label` with a label of nobody else.
    LabelAdded,
    /// `kubectl label --overwrite` of a label that the chart sets.
    LabelChanged,
    /// `kubectl set image`.
    ImageSet,
    /// An object of the release was deleted.
    ObjectDeleted,
    /// Its objects were written by a Helm that called itself `Go-http-client`.
    OldManager,
    /// `argocd-controller` has server-side applied the same manifest.
    ForeignApplier,
    /// Helm was killed in an upgrade: the last revision is `pending-upgrade`.
    PendingUpgrade,
    /// It has ten revisions.
    TenRevisions,
    /// The last upgrade failed.
    LastFailed,
}

/// What the forecast should say of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome", content = "cause")]
pub enum Expect {
    /// It can be migrated.
    Ready,
    /// It needs a choice or is blocked, and this cause is among the reasons.
    Held(Cause),
    /// It is on server-side apply already: Helm 4 installed it.
    Done,
}

/// Why a release is held, in the words of refit's forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// Another owner, another value.
    ActiveConflict,
    /// Another tool applies the objects.
    ForeignApplier,
    /// Server-side apply refuses the manifest.
    InvalidManifest,
    /// The last revision is `pending-upgrade`.
    PendingUpgrade,
    /// The last revision failed.
    LatestFailed,
}

/// One release of the fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeededRelease {
    /// Context name of its cluster.
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name, which no other release of the fleet has.
    pub name: String,
    /// Its chart, a name for [`charts::path`].
    pub chart: String,
    /// Values set at installation (`key=value`).
    pub values: Vec<String>,
    /// What happened to it since.
    pub drift: Vec<Drift>,
    /// What the forecast should say.
    pub expect: Expect,
}

impl Seed {
    /// The fleet on clusters of these context names. The same arguments give the same fleet.
    pub fn plan(&self, clusters: &[String]) -> Vec<SeededRelease> {
        pattern::plan(self.seed, self.releases, clusters)
    }

    /// Installs the planned fleet, lets it drift, and waits until controllers have nothing left to do.
    pub fn grow(&self, planes: &[ControlPlane]) -> Result<Vec<SeededRelease>, Error> {
        let names: Vec<String> = planes
            .iter()
            .map(|plane| plane.context().to_owned())
            .collect();
        let releases = self.plan(&names);
        // Definitions first: custom resources of other releases need them.
        let (first, rest): (Vec<_>, Vec<_>) = releases
            .iter()
            .partition(|release| release.chart == "widget-crds");
        for batch in [first, rest] {
            at_once(batch, |release| {
                match planes
                    .iter()
                    .find(|plane| plane.context() == release.cluster)
                {
                    Some(plane) => grow_one(plane, release),
                    None => Ok(()),
                }
            })?;
        }
        for plane in planes {
            let mine: Vec<_> = releases
                .iter()
                .filter(|release| release.cluster == plane.context())
                .collect();
            settle::wait(plane, &mine)?;
        }
        Ok(releases)
    }
}

/// Does `work` on every item, [`AT_ONCE`] at a time; the first error wins and stops the rest.
fn at_once<T: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let queue = Mutex::new(VecDeque::from(items));
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(item) = next else { return };
                    if let Err(error) = work(item) {
                        queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
                        failed
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .get_or_insert(error);
                    }
                }
            });
        }
    });
    failed
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), Err)
}

fn grow_one(plane: &ControlPlane, release: &SeededRelease) -> Result<(), Error> {
    if matches!(release.chart.as_str(), "database" | "archive") {
        plane.add_volume(&release.name)?;
    }
    let helm = if release.expect == Expect::Done {
        Helm::v4(plane)?
    } else {
        Helm::v3(plane)?
    };
    let chart = charts::path(&release.chart).display().to_string();
    let mut args = vec!["install", &release.name, &chart, "--create-namespace"];
    for value in &release.values {
        args.extend(["--set", value.as_str()]);
    }
    helm.run(&release.namespace, args)?;
    release
        .drift
        .iter()
        .try_for_each(|drift| drift::make(plane, release, *drift))
}
