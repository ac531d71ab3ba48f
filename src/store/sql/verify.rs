//! Looking for damage: bytes that changed, entries that are gone, a projection that says something else.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use sqlx::Row as _;

use super::chain::{GENESIS, Hash};
use super::image;
use super::read::{attempt_row, damaged, linked};
use super::sqlite::{self, Connection, OrFailure as _, Pool, failure};
use super::work::TAKEOVER;
use crate::domain::hex::hex;
use crate::domain::ids::{AttemptNo, ClusterName, Digest, ReleaseId, Seq};
use crate::domain::run::{Entry, Outcome};
use crate::store::{AttemptRow, Error, HANDED_BACK, Result, StoredEntry};

const READ: &str = "read the journal";

/// The kind of an attempt's last entry.
const CLOSED: &str = "Closed";

/// What the entries say of an attempt.
#[derive(Debug)]
struct Seen {
    last: Seq,
    outcome: Option<Outcome>,
}

/// The chain as far as it was walked.
#[derive(Debug)]
struct Walk {
    count: u64,
    epoch: u64,
    hash: Hash,
    attempts: BTreeMap<(ReleaseId, AttemptNo), Seen>,
}

/// Walks one cluster's chain and compares claim and attempts with it. Returns the number of entries.
///
/// O(entries) time, O(attempts) memory. All is read in one snapshot, so a run under way does no harm.
pub(super) async fn cluster(readers: &Pool, cluster: &ClusterName) -> Result<u64> {
    let mut tx = readers
        .begin_with(sqlite::BEGIN_SNAPSHOT)
        .await
        .or_failure(READ)?;
    let walk = chain(&mut tx, cluster).await?;
    claim(&mut tx, cluster, &walk).await?;
    attempts(&mut tx, cluster, &walk).await?;
    tx.rollback().await.or_failure(READ)?;
    Ok(walk.count)
}

async fn chain(tx: &mut Connection, cluster: &ClusterName) -> Result<Walk> {
    let mut walk = Walk {
        count: 0,
        epoch: 0,
        hash: GENESIS,
        attempts: BTreeMap::new(),
    };
    let mut rows = sqlx::query(
        "SELECT cluster, seq, run, release, attempt, epoch, kind, body, prev, hash, at FROM entry \
         WHERE cluster = $1 ORDER BY seq",
    )
    .bind(cluster.as_str())
    .fetch(tx);
    while let Some(row) = rows.try_next().await.or_failure(READ)? {
        let next = linked(&row)?;
        let place = |why: String| {
            damaged(format!(
                "cluster {cluster}, entry {}: {why}",
                next.entry.seq
            ))
        };
        if next.entry.seq.0 != walk.count + 1 {
            return Err(place(format!("it follows entry {}", walk.count)));
        }
        if next.prev != walk.hash {
            return Err(place("it does not follow the entry before it".to_owned()));
        }
        walk.step(&next.entry).map_err(place)?;
        walk.hash = next.hash;
    }
    Ok(walk)
}

impl Walk {
    fn step(&mut self, entry: &StoredEntry) -> std::result::Result<(), String> {
        self.count += 1;
        if entry.kind == TAKEOVER && entry.release.is_none() {
            self.epoch += 1;
        }
        if entry.epoch.0 != self.epoch {
            return Err(format!(
                "its epoch is {}, that of the takeover before it {}",
                entry.epoch, self.epoch
            ));
        }
        let (Some(release), Some(attempt)) = (&entry.release, entry.attempt) else {
            return Ok(());
        };
        let seen = self
            .attempts
            .entry((release.clone(), attempt))
            .or_insert(Seen {
                last: entry.seq,
                outcome: None,
            });
        seen.last = entry.seq;
        // An end that more entries follow was no end: settling went on after it.
        seen.outcome = None;
        if entry.kind == HANDED_BACK {
            match serde_json::from_slice(&entry.body) {
                Ok(outcome) => seen.outcome = Some(outcome),
                Err(_) => return Err("it is called HandedBack and its body is not".to_owned()),
            }
        }
        if entry.kind == CLOSED {
            match serde_json::from_slice(&entry.body) {
                Ok(Entry::Closed { outcome }) => seen.outcome = Some(outcome),
                _ => return Err("it is called Closed and its body is not".to_owned()),
            }
        }
        Ok(())
    }
}

async fn claim(tx: &mut Connection, cluster: &ClusterName, walk: &Walk) -> Result<()> {
    let epoch: Option<i64> = sqlx::query_scalar("SELECT epoch FROM claim WHERE cluster = $1")
        .bind(cluster.as_str())
        .fetch_optional(tx)
        .await
        .or_failure("read the claim")?;
    let epoch = epoch.unwrap_or(0);
    if u64::try_from(epoch) == Ok(walk.epoch) {
        return Ok(());
    }
    Err(damaged(format!(
        "cluster {cluster}: its claim has epoch {epoch}, its journal {} takeovers",
        walk.epoch
    )))
}

async fn attempts(tx: &mut Connection, cluster: &ClusterName, walk: &Walk) -> Result<()> {
    let rows = sqlx::query("SELECT * FROM attempt WHERE cluster = $1")
        .bind(cluster.as_str())
        .fetch_all(tx)
        .await
        .or_failure("read the attempts")?;
    let mut projected = BTreeMap::new();
    for row in &rows {
        let (row, last) = attempt_row(row)?;
        projected.insert((row.release.clone(), row.attempt), (row, last));
    }
    for (key @ (release, attempt), seen) in &walk.attempts {
        let place = |why: String| damaged(format!("attempt {attempt} at {release}: {why}"));
        let Some((row, last)) = projected.remove(key) else {
            return Err(place("it has entries and no row".to_owned()));
        };
        compare(&row, last, seen).map_err(place)?;
    }
    match projected.into_keys().next() {
        None => Ok(()),
        Some((release, attempt)) => Err(damaged(format!(
            "attempt {attempt} at {release}: it has a row and no entries"
        ))),
    }
}

fn compare(row: &AttemptRow, last: Seq, seen: &Seen) -> std::result::Result<(), String> {
    if last != seen.last {
        return Err(format!(
            "its row ends at entry {last}, its entries at {}",
            seen.last
        ));
    }
    if row.outcome != seen.outcome {
        let word = |outcome: &Option<Outcome>| outcome.as_ref().map_or("open", Outcome::word);
        return Err(format!(
            "its row says {}, its entries {}",
            word(&row.outcome),
            word(&seen.outcome)
        ));
    }
    Ok(())
}

/// Reads every image. Returns how many there are.
pub(super) async fn images(readers: &Pool) -> Result<u64> {
    const READ: &str = "read the images";
    let mut count = 0;
    let mut rows =
        sqlx::query("SELECT digest, codec, bytes FROM image WHERE key_id IS NULL").fetch(readers);
    while let Some(row) = rows.try_next().await.or_failure(READ)? {
        let fail = |error: sqlx::Error| -> Error { failure(READ, error) };
        let digest: &[u8] = row.try_get("digest").map_err(fail)?;
        let codec: &str = row.try_get("codec").map_err(fail)?;
        let bytes: Vec<u8> = row.try_get("bytes").map_err(fail)?;
        image::open(&Digest::new(hex(digest)), codec, bytes)?;
        count += 1;
    }
    Ok(count)
}
