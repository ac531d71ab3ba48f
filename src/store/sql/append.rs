//! How entries are written: fenced by the epoch, linked to the entry before, with images and projection.

use std::collections::BTreeMap;

use super::chain::{GENESIS, Hash, Link};
use super::sqlite::Connection;
use super::work::{Append, Entry, Projection, Written, refused};
use crate::domain::ids::{ClusterName, Epoch};
use crate::store::Error;

/// Where a cluster's chain stands, and under which epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tip {
    pub epoch: i64,
    pub seq: i64,
    pub hash: Hash,
}

/// The tips that one transaction has read or moved. True for as long as it lasts, since it alone may write.
#[derive(Debug, Default)]
pub(super) struct Tips(BTreeMap<ClusterName, Tip>);

impl Tips {
    /// A cluster's tip.
    pub async fn of(&mut self, tx: &mut Connection, cluster: &ClusterName) -> Written<Tip> {
        if let Some(tip) = self.0.get(cluster) {
            return Ok(*tip);
        }
        let epoch: Option<i64> = sqlx::query_scalar("SELECT epoch FROM claim WHERE cluster = $1")
            .bind(cluster.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let last: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT seq, hash FROM entry WHERE cluster = $1 ORDER BY seq DESC LIMIT 1",
        )
        .bind(cluster.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let (seq, hash) = match last {
            None => (0, GENESIS),
            Some((seq, bytes)) => {
                let what = || format!("cluster {cluster}, entry {seq}: its hash is no hash");
                let hash = Hash::try_from(bytes).map_err(|_| Error::Damaged { what: what() })?;
                (seq, hash)
            }
        };
        let tip = Tip {
            epoch: epoch.unwrap_or(0),
            seq,
            hash,
        };
        self.0.insert(cluster.clone(), tip);
        Ok(tip)
    }

    /// The transaction moved a cluster's tip.
    pub fn moved(&mut self, cluster: &ClusterName, tip: Tip) {
        self.0.insert(cluster.clone(), tip);
    }
}

/// Writes an append; returns its last entry's place.
pub(super) async fn write(append: &Append, tx: &mut Connection, tips: &mut Tips) -> Written<u64> {
    let cluster = &append.cluster;
    let tip = tips.of(tx, cluster).await?;
    if tip.epoch != append.epoch {
        return Err(Error::Fenced {
            cluster: cluster.clone(),
            held: Epoch(append.epoch.unsigned_abs()),
            current: Epoch(tip.epoch.unsigned_abs()),
        }
        .into());
    }
    project(append, tx, tip.seq).await?;
    for image in &append.images {
        sqlx::query(
            "INSERT INTO image (digest, codec, bytes) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(&image.digest)
        .bind(image.packed.codec)
        .bind(&image.packed.bytes)
        .execute(&mut *tx)
        .await?;
    }
    let mut moved = tip;
    for entry in &append.entries {
        moved = link(tx, cluster, &append.run, &append.at, moved, entry).await?;
    }
    tips.moved(cluster, moved);
    Ok(moved.seq.unsigned_abs())
}

/// Writes one entry after `tip` and returns the new tip.
pub(super) async fn link(
    tx: &mut Connection,
    cluster: &ClusterName,
    run: &str,
    at: &str,
    tip: Tip,
    entry: &Entry,
) -> sqlx::Result<Tip> {
    let seq = tip.seq.saturating_add(1);
    let link = Link {
        prev: &tip.hash,
        cluster: cluster.as_str(),
        seq,
        run,
        release: entry.release.as_deref(),
        attempt: entry.attempt,
        epoch: tip.epoch,
        kind: &entry.kind,
        body: &entry.body,
        at,
    };
    let hash = link.hash();
    sqlx::query(
        "INSERT INTO entry (cluster, seq, run, release, attempt, epoch, kind, body, prev, hash, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(link.cluster)
    .bind(link.seq)
    .bind(link.run)
    .bind(link.release)
    .bind(link.attempt)
    .bind(link.epoch)
    .bind(link.kind)
    .bind(link.body)
    .bind(link.prev)
    .bind(&hash[..])
    .bind(link.at)
    .execute(tx)
    .await?;
    Ok(Tip { seq, hash, ..tip })
}

/// Brings the projection to where it will be after the append: the given row, and the last place of every attempt
/// that an entry belongs to. An entry after the end takes a row that opens its attempt again, so that row and entries
/// agree on what `verify` compares.
async fn project(append: &Append, tx: &mut Connection, before: i64) -> Written<()> {
    let cluster = &append.cluster;
    let mut last: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for (seq, entry) in (before.saturating_add(1)..).zip(&append.entries) {
        if let (Some(release), Some(attempt)) = (&entry.release, entry.attempt) {
            last.insert((release, attempt), seq);
        }
    }
    if let Some(row) = &append.projection {
        let seq = last.remove(&(&row.release, row.attempt)).ok_or_else(|| {
            let (attempt, release) = (row.attempt, &row.release_id);
            refused(format!(
                "attempt {attempt} at {release} without an entry of it"
            ))
        })?;
        upsert(tx, cluster, row, seq).await?;
    }
    for ((release, attempt), seq) in last {
        let changed = sqlx::query(
            "UPDATE attempt SET last_seq = $1 WHERE cluster = $2 AND release = $3 AND attempt = $4 AND outcome IS NULL",
        )
        .bind(seq)
        .bind(cluster.as_str())
        .bind(release)
        .bind(attempt)
        .execute(&mut *tx)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(refused(format!(
                "an entry of attempt {attempt} at {cluster}/{release}, which is not open"
            ))
            .into());
        }
    }
    Ok(())
}

/// Only the index `one_open` can refuse this as not unique.
async fn upsert(
    tx: &mut Connection,
    cluster: &ClusterName,
    row: &Projection,
    last_seq: i64,
) -> Written<()> {
    let written = sqlx::query(
        "INSERT INTO attempt (cluster, release, attempt, run, job, direction, stage, outcome, token, last_seq) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (cluster, release, attempt) DO UPDATE SET run = excluded.run, job = excluded.job, \
         direction = excluded.direction, stage = excluded.stage, outcome = excluded.outcome, \
         token = excluded.token, last_seq = excluded.last_seq",
    )
    .bind(cluster.as_str())
    .bind(&row.release)
    .bind(row.attempt)
    .bind(&row.run)
    .bind(row.job)
    .bind(row.direction)
    .bind(&row.stage)
    .bind(&row.outcome)
    .bind(&row.token)
    .bind(last_seq)
    .execute(tx)
    .await;
    match written {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            let release = row.release_id.clone();
            Err(Error::AttemptOpen { release }.into())
        }
        Err(error) => Err(error.into()),
    }
}
