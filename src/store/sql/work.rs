//! What the journal task is asked to write: checked, encoded and compressed by the asker, so that the one task that
//! writes has little left to do and nothing left to refuse but what only the database knows.

use jiff::Timestamp;
use serde_json::json;
use sqlx::Connection as _;

use super::append::Tips;
use super::image::{Packed, PackedImage, pack};
use super::sqlite::Connection;
use super::{append, claim, runs};
use crate::domain::ids::{ClusterName, ReleaseId, RunId};
use crate::domain::run::{Direction, Job};
use crate::store::{self, AttemptRow, Error, Holder, Result, RunRow};

/// One request to write: all of it or nothing.
#[derive(Debug)]
pub(super) enum Work {
    Append(Append),
    Claim(Claim),
    NewRun(NewRun),
    RunState(RunState),
}

impl Work {
    /// For errors.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Append(_) => "append to the journal",
            Self::Claim(_) => "take the claim",
            Self::NewRun(_) => "record the run",
            Self::RunState(_) => "change the run's state",
        }
    }

    /// Writes it inside the batch's transaction. Returns its number (an append's last place, a claim's epoch).
    ///
    /// The outer error fails the whole batch; the inner one this work alone, which then has left nothing behind.
    pub async fn perform(&self, tx: &mut Connection, tips: &mut Tips) -> sqlx::Result<Result<u64>> {
        let mut savepoint = tx.begin().await?;
        let written = match self {
            Self::Append(append) => append::write(append, &mut savepoint, tips).await,
            Self::Claim(claim) => claim::write(claim, &mut savepoint, tips).await,
            Self::NewRun(run) => runs::create(run, &mut savepoint).await,
            Self::RunState(state) => runs::set_state(state, &mut savepoint).await,
        };
        match written {
            Ok(number) => savepoint.commit().await.map(|()| Ok(number)),
            Err(Failure::Alone(error)) => savepoint.rollback().await.map(|()| Err(error)),
            Err(Failure::Batch(error)) => Err(error),
        }
    }
}

/// Whom a failure concerns.
#[derive(Debug)]
pub(super) enum Failure {
    /// The work that was asked for: it is fenced, or contradicts what is stored.
    Alone(Error),
    /// The database: nothing in the transaction can be kept.
    Batch(sqlx::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Alone(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Batch(error)
    }
}

/// What writing one work comes to. A [`Tips`] may be moved only by the last thing that can fail.
pub(super) type Written<T> = std::result::Result<T, Failure>;

/// [`store::Append`], made ready.
#[derive(Debug)]
pub(super) struct Append {
    pub cluster: ClusterName,
    pub epoch: i64,
    pub run: String,
    pub at: String,
    pub entries: Vec<Entry>,
    pub images: Vec<PackedImage>,
    pub projection: Option<Projection>,
}

/// An entry, made ready.
#[derive(Debug)]
pub(super) struct Entry {
    pub release: Option<String>,
    pub attempt: Option<i64>,
    pub kind: String,
    pub body: Vec<u8>,
}

/// The projection's row, made ready.
#[derive(Debug)]
pub(super) struct Projection {
    pub release_id: ReleaseId,
    pub release: String,
    pub attempt: i64,
    pub run: String,
    pub job: &'static str,
    pub direction: &'static str,
    pub stage: String,
    pub outcome: Option<String>,
    pub token: String,
}

impl Append {
    pub fn new(append: store::Append) -> Result<Self> {
        let cluster = append.cluster;
        if append.entries.is_empty() {
            return Err(refused("an append without entries".to_owned()));
        }
        let entries = append.entries.into_iter().map(|entry| {
            if entry.attempt.is_some() && entry.release.is_none() {
                return Err(refused(format!(
                    "entry {}: an attempt without its release",
                    entry.kind
                )));
            }
            Ok(Entry {
                release: entry
                    .release
                    .map(|release| release_text(&cluster, &release))
                    .transpose()?,
                attempt: entry.attempt.map(|attempt| i64::from(attempt.0)),
                kind: entry.kind,
                body: entry.body,
            })
        });
        Ok(Self {
            entries: entries.collect::<Result<_>>()?,
            epoch: number(append.epoch.0)?,
            run: append.run.as_str().to_owned(),
            at: append.at.to_string(),
            images: append
                .images
                .iter()
                .map(PackedImage::new)
                .collect::<Result<_>>()?,
            projection: append
                .attempt
                .map(|row| Projection::new(&cluster, row))
                .transpose()?,
            cluster,
        })
    }
}

impl Projection {
    fn new(cluster: &ClusterName, row: AttemptRow) -> Result<Self> {
        Ok(Self {
            release: release_text(cluster, &row.release)?,
            release_id: row.release,
            attempt: i64::from(row.attempt.0),
            run: row.run.as_str().to_owned(),
            job: job_word(row.job),
            direction: direction_word(row.direction),
            stage: row.stage,
            outcome: row.outcome.as_ref().map(to_json).transpose()?,
            token: row.token,
        })
    }
}

/// A takeover, made ready.
#[derive(Debug)]
pub(super) struct Claim {
    pub cluster: ClusterName,
    pub holder: Holder,
    pub holder_json: String,
    pub at: String,
}

impl Claim {
    pub fn new(cluster: &ClusterName, holder: &Holder, at: Timestamp) -> Result<Self> {
        Ok(Self {
            cluster: cluster.clone(),
            holder: holder.clone(),
            holder_json: to_json(holder)?,
            at: at.to_string(),
        })
    }

    /// The entry that says so.
    pub fn entry(&self, epoch: i64, from: Option<&Holder>) -> Entry {
        let body =
            json!({ "kind": "takeover", "epoch": epoch, "from": from, "holder": self.holder });
        Entry {
            release: None,
            attempt: None,
            kind: TAKEOVER.to_owned(),
            body: body.to_string().into_bytes(),
        }
    }
}

/// The kind of a claim's entry.
pub(super) const TAKEOVER: &str = "Takeover";

/// A run's row, made ready.
#[derive(Debug)]
pub(super) struct NewRun {
    pub run: String,
    pub fleet: String,
    pub state: String,
    pub holder: String,
    pub started: String,
    pub plan_digest: String,
    pub plan: Packed,
}

impl NewRun {
    pub fn new(row: &RunRow) -> Result<Self> {
        Ok(Self {
            run: row.run.as_str().to_owned(),
            fleet: row.fleet.clone(),
            state: row.state.clone(),
            holder: to_json(&row.holder)?,
            started: row.started.to_string(),
            plan_digest: row.plan_digest.as_str().to_owned(),
            plan: pack(&row.plan),
        })
    }
}

/// A change of a run's state, made ready.
#[derive(Debug)]
pub(super) struct RunState {
    pub run: String,
    pub state: String,
    pub holder: Option<String>,
}

impl RunState {
    pub fn new(run: &RunId, state: &str, holder: Option<&Holder>) -> Result<Self> {
        Ok(Self {
            run: run.as_str().to_owned(),
            state: state.to_owned(),
            holder: holder.map(to_json).transpose()?,
        })
    }
}

/// What the store will not write, whoever asks: a fault of the caller's, said before anything is written.
pub(super) fn refused(why: String) -> Error {
    Error::Database {
        operation: "accept what it was given",
        source: why.into(),
    }
}

/// A number as the database holds it.
pub(super) fn number(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| refused(format!("the number {number} is too large")))
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| refused(error.to_string()))
}

/// `namespace/name`. Kubernetes allows no `/` in either; one in the namespace would make two releases one.
pub(super) fn release_text(cluster: &ClusterName, release: &ReleaseId) -> Result<String> {
    if release.cluster != *cluster {
        return Err(refused(format!(
            "release {release} is not of cluster {cluster}"
        )));
    }
    if release.namespace.as_str().contains('/') {
        return Err(refused(format!(
            "the namespace of {release} contains a slash"
        )));
    }
    Ok(format!("{}/{}", release.namespace, release.name))
}

/// The inverse of [`release_text`].
pub(super) fn read_release(cluster: &ClusterName, text: &str) -> Option<ReleaseId> {
    let (namespace, name) = text.split_once('/')?;
    Some(ReleaseId {
        cluster: cluster.clone(),
        namespace: namespace.into(),
        name: name.into(),
    })
}

fn job_word(job: Job) -> &'static str {
    match job {
        Job::Migrate => "migrate",
        Job::Undo => "undo",
    }
}

/// The inverse of `job_word`.
pub(super) fn read_job(word: &str) -> Option<Job> {
    [Job::Migrate, Job::Undo]
        .into_iter()
        .find(|job| job_word(*job) == word)
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Back => "back",
    }
}

/// The inverse of `direction_word`.
pub(super) fn read_direction(word: &str) -> Option<Direction> {
    [Direction::Forward, Direction::Back]
        .into_iter()
        .find(|direction| direction_word(*direction) == word)
}
