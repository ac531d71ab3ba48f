//! The store: one contract for every database, then what is SQLite's own.

mod contract;
mod crash;
mod damage;
mod model;
mod sqlite;

use jiff::Timestamp;
use refit::domain::ids::{AttemptNo, ClusterName, Digest, Epoch, ReleaseId, RunId};
use refit::domain::run::{Direction, Entry, Job, Outcome};
use refit::store::{Append, AttemptRow, Holder, Image, NewEntry, RunRow};
use sha2::{Digest as _, Sha256};

/// Seconds after the epoch.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub fn cluster(name: &str) -> ClusterName {
    ClusterName::new(name)
}

pub fn release(cluster: &str, name: &str) -> ReleaseId {
    format!("{cluster}/shop/{name}").parse().unwrap()
}

pub fn holder(run: &str) -> Holder {
    Holder {
        run: RunId::new(run),
        who: "kim@bastion-1".to_owned(),
        pid: 42,
    }
}

pub fn digest(bytes: &[u8]) -> Digest {
    use std::fmt::Write as _;
    let hash = Sha256::digest(bytes);
    Digest::new(hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    }))
}

pub fn image(bytes: &[u8]) -> Image {
    Image {
        digest: digest(bytes),
        bytes: bytes.to_vec(),
    }
}

pub fn row(release: &ReleaseId, attempt: u32, outcome: Option<Outcome>) -> AttemptRow {
    AttemptRow {
        release: release.clone(),
        attempt: AttemptNo(attempt),
        run: RunId::new("run-1"),
        job: Job::Migrate,
        direction: Direction::Forward,
        stage: "Adopting".to_owned(),
        outcome,
        token: format!("store/run-1/{attempt}"),
    }
}

pub fn entry(release: &ReleaseId, attempt: u32, kind: &str, body: &[u8]) -> NewEntry {
    NewEntry {
        release: Some(release.clone()),
        attempt: Some(AttemptNo(attempt)),
        kind: kind.to_owned(),
        body: body.to_vec(),
    }
}

pub fn append(epoch: Epoch, entries: Vec<NewEntry>, attempt: Option<AttemptRow>) -> Append {
    Append {
        cluster: entries[0].release.as_ref().unwrap().cluster.clone(),
        epoch,
        run: RunId::new("run-1"),
        at: at(7),
        entries,
        images: Vec::new(),
        attempt,
    }
}

/// The first append of an attempt.
pub fn open_attempt(epoch: Epoch, release: &ReleaseId, attempt: u32) -> Append {
    let entries = vec![entry(release, attempt, "Opened", br#"{"kind":"opened"}"#)];
    append(epoch, entries, Some(row(release, attempt, None)))
}

/// One more entry of an open attempt.
pub fn go_on(epoch: Epoch, release: &ReleaseId, attempt: u32, body: &[u8]) -> Append {
    let entries = vec![entry(release, attempt, "Intent", body)];
    append(epoch, entries, Some(row(release, attempt, None)))
}

/// The last append of an attempt.
pub fn close_attempt(epoch: Epoch, release: &ReleaseId, attempt: u32, outcome: Outcome) -> Append {
    let body = serde_json::to_vec(&Entry::Closed {
        outcome: outcome.clone(),
    });
    let entries = vec![entry(release, attempt, "Closed", &body.unwrap())];
    append(epoch, entries, Some(row(release, attempt, Some(outcome))))
}

pub fn run_row(run: &str, started: i64) -> RunRow {
    let plan = br#"{"plan":1}"#.repeat(50);
    RunRow {
        run: RunId::new(run),
        fleet: "acme".to_owned(),
        state: "running".to_owned(),
        holder: holder(run),
        started: at(started),
        plan_digest: digest(&plan),
        plan,
    }
}
