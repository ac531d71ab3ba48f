//! A fleet as it was read: what a forecast asks of its clusters, kept in a file, and answered from there.
//!
//! | room | holds |
//! |---|---|
//! | `answers` | what is kept: requests, and the answers that they got |
//! | `hide` | values of Secrets become keyed digests; records lose values, notes and templates |
//! | `recorder` | a cluster that keeps what it answers |
//! | `saved` | a cluster that answers from what was kept |
//!
//! A capture is made by making the forecast: so it holds what the forecast asks for, dry runs included, and nothing else of
//! the cluster. From it the same code makes the same forecast.

mod answers;
mod hide;
mod recorder;
mod saved;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub use answers::{Answer, Answers, Refusal};
pub use hide::{Hider, KEY_BYTES};
pub use recorder::{Documents, Recorder};
pub use saved::Saved;

use super::chain::chain;
use super::inventory::Scope;
use super::plan::{Planned, collect};
use super::ports::{Clock, Dice};
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::{Limits, ManagerMatcher};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::policy::Book;

/// What was read of a fleet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FleetCapture {
    /// When the reading began; the forecast's new entries carry this time.
    pub taken_at: Timestamp,
    /// Each cluster, or why it was not read.
    pub clusters: BTreeMap<ClusterName, Result<Answers, String>>,
    /// OpenAPI documents by their digest: clusters of one version share them.
    pub documents: BTreeMap<String, Value>,
}

/// A capture that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// It does not read.
    #[error("{place} does not read: {why}")]
    Unreadable {
        /// Where: a JSON pointer.
        place: String,
        /// What the reader says.
        why: String,
    },
    /// A part is not what its digest says.
    #[error(
        "{place} was changed after it was written: its digest is {found}, and {written} is written down"
    )]
    Edited {
        /// Where: a JSON pointer.
        place: String,
        /// The digest of what is there.
        found: String,
        /// The digest in the file.
        written: String,
    },
}

impl CaptureError {
    /// Where in the file: a JSON pointer.
    pub fn place(&self) -> &str {
        match self {
            Self::Unreadable { place, .. } | Self::Edited { place, .. } => place,
        }
    }
}

/// A capture in its file: each part with its digest, so that an edit has a place.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    taken_at: Timestamp,
    digests: BTreeMap<String, String>,
    clusters: BTreeMap<String, Value>,
    documents: BTreeMap<String, Value>,
}

/// `sha256:…` of a value as it is printed: keys are sorted in this build's maps.
fn digest(value: &Value) -> String {
    let hash = Sha256::digest(value.to_string().as_bytes());
    format!("sha256:{}", answers::hex(&hash))
}

impl FleetCapture {
    /// As it goes into a file.
    pub fn to_json(&self) -> serde_json::Result<Value> {
        let mut kept = Kept {
            taken_at: self.taken_at,
            digests: BTreeMap::new(),
            clusters: BTreeMap::new(),
            documents: self.documents.clone(),
        };
        for (name, answers) in &self.clusters {
            let value = serde_json::to_value(answers)?;
            kept.digests
                .insert(format!("/clusters/{name}"), digest(&value));
            kept.clusters.insert(name.to_string(), value);
        }
        for (name, document) in &self.documents {
            kept.digests
                .insert(format!("/documents/{name}"), digest(document));
        }
        serde_json::to_value(kept)
    }

    /// Reads it back, and refuses one that is not as it was written.
    pub fn read(value: &Value) -> Result<Self, CaptureError> {
        let unreadable = |place: &str, error: &serde_json::Error| CaptureError::Unreadable {
            place: place.to_owned(),
            why: error.to_string(),
        };
        let kept = Kept::deserialize(value).map_err(|error| unreadable("/capture", &error))?;
        let clusters = kept.clusters.iter().map(|it| ("clusters", it));
        let documents = kept.documents.iter().map(|it| ("documents", it));
        for (part, (name, value)) in clusters.chain(documents) {
            let place = format!("/{part}/{name}");
            let found = digest(value);
            let written = kept.digests.get(&place).cloned().unwrap_or_default();
            if found != written {
                return Err(CaptureError::Edited {
                    place: format!("/capture{place}"),
                    found,
                    written,
                });
            }
        }
        if kept.digests.len() != kept.clusters.len() + kept.documents.len() {
            return Err(CaptureError::Unreadable {
                place: "/capture/digests".to_owned(),
                why: "a part that it names is missing".to_owned(),
            });
        }
        let mut clusters = BTreeMap::new();
        for (name, value) in kept.clusters {
            let answers = Result::<Answers, String>::deserialize(value)
                .map_err(|error| unreadable(&format!("/capture/clusters/{name}"), &error))?;
            clusters.insert(ClusterName::new(name), answers);
        }
        Ok(Self {
            taken_at: kept.taken_at,
            clusters,
            documents: kept.documents,
        })
    }

    /// The clusters, to be forecast as if they were there. None can be written to.
    pub fn into_planned(
        self,
        limits: Limits,
        labels: &dyn Fn(&ClusterName) -> BTreeMap<String, String>,
    ) -> Vec<Planned> {
        let documents = Arc::new(self.documents);
        let planned = self.clusters.into_iter().map(|(name, answers)| {
            let reader = answers.map(|answers| {
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
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(key.as_mut_slice()).map_err(|_| NoRandomness)?;
    let documents = Documents::default();
    let mut recorders = BTreeMap::new();
    let mut recorded = Vec::new();
    for cluster in clusters {
        let reader = cluster.reader.as_ref().map_err(Clone::clone);
        let reader = reader.map(|(reader, rehearser)| {
            let recorder =
                Recorder::new(Arc::clone(reader), Arc::clone(rehearser), documents.clone());
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
            (None, Some(recorder)) => {
                let hider = Hider::new(*key, cluster.name.as_str());
                hider
                    .answers(recorder.take())
                    .map_err(|error| chain(&error))
            }
            (None, None) => Err("it was not read".to_owned()),
        };
        kept.insert(cluster.name.clone(), answers);
    }
    Ok(FleetCapture {
        taken_at: means.now,
        clusters: kept,
        documents: documents.take(),
    })
}
