//! A fleet as it was read: what a forecast asks of its clusters, kept in a file, and answered from there.
//!
//! | room | holds |
//! |---|---|
//! | `answers`, `refusal` | what is kept: requests, and the answers that they got |
//! | `hide`, `record` | values of Secrets become keyed digests; records lose values, notes and templates |
//! | `recorder` | a cluster that keeps what it answers |
//! | `saved` | a cluster that answers from what was kept |
//! | `file` | format, digests, what is refused |
//!
//! A capture is made by making the forecast: so it holds what the forecast asks for, dry runs included, and nothing else of
//! the cluster. From it the same code makes the same forecast.

mod answers;
mod file;
mod hide;
mod record;
mod recorder;
mod refusal;
mod saved;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use answers::{Answers, Text};
pub use file::{CaptureError, FORMAT, MEMBER, Members};
pub use hide::{Hider, KEY_BYTES};
pub use recorder::{Documents, Recorder};
pub use saved::{NOT_CAPTURED, Saved};

use super::chain::chain;
use super::inventory::Scope;
use super::plan::{Planned, collect};
use super::ports::{Clock, Dice};
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::{Fleet, Limits, ManagerMatcher};
use crate::domain::ids::{ClusterName, Namespace, ReleaseId};
use crate::domain::policy::Book;
use crate::domain::release::Driver;

/// What was read of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetCapture {
    /// When the reading began; the forecast's new entries carry this time.
    pub taken_at: Timestamp,
    /// The fleet's name.
    pub fleet: String,
    /// What of it was read.
    pub scope: Taken,
    /// Its clusters.
    pub clusters: BTreeMap<ClusterName, HeldCluster>,
    /// OpenAPI documents by their digest: clusters of one version share them.
    pub documents: BTreeMap<String, Text>,
}

/// Which releases were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Taken {
    /// Which driver's records.
    pub driver: Driver,
    /// Only these namespaces; empty is all.
    pub namespaces: Vec<Namespace>,
}

/// A cluster of a capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeldCluster {
    /// Its context, for fleet.toml's patterns.
    pub context: String,
    /// The name of its kubeconfig's file, if fleet.toml or a flag names one: contexts of two may be named alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it answered, or why it was not read.
    pub answers: Result<Answers, String>,
}

impl FleetCapture {
    /// The clusters, to be forecast as if they were there. None can be written to.
    pub fn into_planned(
        self,
        limits: Limits,
        labels: &dyn Fn(&ClusterName) -> BTreeMap<String, String>,
    ) -> Vec<Planned> {
        let documents = Arc::new(self.documents);
        let planned = self.clusters.into_iter().map(|(name, held)| {
            let reader = held.answers.map(|answers| {
                let saved = Arc::new(Saved::new(answers, Arc::clone(&documents)));
                let reader: Arc<dyn Reader> = Arc::<Saved>::clone(&saved);
                let rehearser: Arc<dyn Rehearser> = saved;
                (reader, rehearser)
            });
            Planned {
                labels: labels(&name),
                name,
                reader,
                limits,
            }
        });
        planned.collect()
    }
}

/// A clock that stands still: what was captured at one time is forecast at that time.
pub struct At(pub Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// What a capture needs beside clusters.
pub struct Means<'a> {
    /// Contexts and labels of the clusters.
    pub fleet: &'a Fleet,
    /// Where records are.
    pub scope: &'a Scope,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// Policies: under some, other dry runs are sent.
    pub book: &'a Book,
    /// When it begins.
    pub now: Timestamp,
    /// Names throw-away managers.
    pub dice: &'a dyn Dice,
}

/// The system has no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("values of Secrets cannot be hidden: the system gives no random numbers")]
pub struct NoRandomness;

/// Captures the fleet: makes the forecast, and keeps what it asked. Zero writes. Cancel safe.
///
/// Values are hidden under a random key that ends with this call: nobody can try guesses against what is kept.
pub async fn capture(
    clusters: &[Planned],
    means: &Means<'_>,
) -> Result<FleetCapture, NoRandomness> {
    let mut key = Zeroizing::new([0_u8; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| NoRandomness)?;
    let documents = Documents::default();
    let mut recorders = BTreeMap::new();
    let mut recorded = Vec::new();
    for cluster in clusters {
        let reader = cluster.reader.as_ref().map_err(Clone::clone);
        let reader = reader.map(|(reader, rehearser)| {
            let hider = Hider::new(key.clone(), cluster.name.as_str());
            let (reader, rehearser) = (Arc::clone(reader), Arc::clone(rehearser));
            let recorder = Recorder::new(reader, rehearser, documents.clone(), hider);
            let recorder = Arc::new(recorder);
            recorders.insert(cluster.name.clone(), Arc::clone(&recorder));
            let reader: Arc<dyn Reader> = Arc::<Recorder>::clone(&recorder);
            let rehearser: Arc<dyn Rehearser> = recorder;
            (reader, rehearser)
        });
        recorded.push(Planned {
            name: cluster.name.clone(),
            reader,
            limits: cluster.limits,
            labels: cluster.labels.clone(),
        });
    }
    let everything = |_: &ReleaseId| true;
    let collected = collect(
        &recorded,
        means.scope,
        means.managers,
        means.book,
        &At(means.now),
        means.dice,
        &everything,
    )
    .await;
    let unread: BTreeMap<ClusterName, String> = collected.unread.into_iter().collect();
    let mut kept = BTreeMap::new();
    for cluster in clusters {
        let answers = match (unread.get(&cluster.name), recorders.get(&cluster.name)) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(recorder)) => recorder.take().map_err(|error| chain(&error)),
            (None, None) => Err("it was not read".to_owned()),
        };
        let known = means.fleet.cluster(&cluster.name);
        let kubeconfig = known.and_then(|it| it.kubeconfig.as_deref()?.file_name());
        let held = HeldCluster {
            context: known.map(|it| it.context.clone()).unwrap_or_default(),
            kubeconfig: kubeconfig.map(|it| it.to_string_lossy().into_owned()),
            labels: cluster.labels.clone(),
            answers,
        };
        kept.insert(cluster.name.clone(), held);
    }
    Ok(FleetCapture {
        taken_at: means.now,
        fleet: means.fleet.name.clone(),
        scope: Taken {
            driver: means.scope.driver,
            namespaces: means.scope.namespaces.clone(),
        },
        clusters: kept,
        documents: documents.take(),
    })
}
