//! Reading back what was written; every entry and image is compared with its hash on the way.

use sqlx::Row as _;

use super::chain::{self, Hash, Link};
use super::image;
use super::sqlite::{OrFailure as _, Pool, Row, failure};
use super::work::{read_direction, read_job, read_release, release_text};
use crate::domain::hex::hex;
use crate::domain::ids::{AttemptNo, ClusterName, Digest, Epoch, ReleaseId, RunId, Seq};
use crate::store::{AttemptRow, Error, Holder, Result, StoredEntry};

/// An entry with its links.
#[derive(Debug)]
pub(super) struct Linked {
    pub entry: StoredEntry,
    pub prev: Vec<u8>,
    pub hash: Hash,
}

pub(super) fn damaged(what: String) -> Error {
    Error::Damaged { what }
}

/// Reads a row of `entry` and compares it with its hash.
pub(super) fn linked(row: &Row) -> Result<Linked> {
    const READ: &str = "read the journal";
    let fail = |error| failure(READ, error);
    let cluster: &str = row.try_get("cluster").map_err(fail)?;
    let seq: i64 = row.try_get("seq").map_err(fail)?;
    let place = |why: &str| damaged(format!("cluster {cluster}, entry {seq}: {why}"));
    let fields = || -> sqlx::Result<_> {
        let link = Link {
            prev: row.try_get("prev")?,
            cluster,
            seq,
            run: row.try_get("run")?,
            release: row.try_get("release")?,
            attempt: row.try_get("attempt")?,
            epoch: row.try_get("epoch")?,
            kind: row.try_get("kind")?,
            body: row.try_get("body")?,
            at: row.try_get("at")?,
        };
        let hash: &[u8] = row.try_get("hash")?;
        Ok((link, hash))
    };
    let (link, stored) = fields().map_err(|error| place(&error.to_string()))?;
    let hash = link.hash();
    if hash != *stored {
        return Err(place(
            "its content has another hash than the one stored with it",
        ));
    }
    let cluster = ClusterName::new(cluster);
    let release = match link.release {
        None => None,
        Some(text) => {
            Some(read_release(&cluster, text).ok_or_else(|| place("its release is no release"))?)
        }
    };
    let attempt = match link.attempt.map(u32::try_from).transpose() {
        Ok(attempt) => attempt.map(AttemptNo),
        Err(_) => return Err(place("its attempt is no attempt")),
    };
    Ok(Linked {
        entry: StoredEntry {
            seq: Seq(u64::try_from(seq).map_err(|_| place("its place is below zero"))?),
            run: RunId::new(link.run),
            release,
            attempt,
            epoch: Epoch(u64::try_from(link.epoch).map_err(|_| place("its epoch is below zero"))?),
            kind: link.kind.to_owned(),
            body: link.body.to_vec(),
            at: link.at.parse().map_err(|_| place("its time is no time"))?,
            cluster: cluster.clone(),
        },
        prev: link.prev.to_vec(),
        hash,
    })
}

/// A row of `attempt`, with the place of its last entry.
pub(super) fn attempt_row(row: &Row) -> Result<(AttemptRow, Seq)> {
    let fail = |error| failure("read the attempts", error);
    let cluster = ClusterName::new(row.try_get::<&str, _>("cluster").map_err(fail)?);
    let text: &str = row.try_get("release").map_err(fail)?;
    let attempt: i64 = row.try_get("attempt").map_err(fail)?;
    let place = |why: &str| {
        damaged(format!(
            "cluster {cluster}, attempt {attempt} at {text}: {why}"
        ))
    };
    let get = |column: &str| -> Result<&str> {
        row.try_get(column)
            .map_err(|error: sqlx::Error| place(&error.to_string()))
    };
    let outcome: Option<&str> = row
        .try_get("outcome")
        .map_err(|error| place(&error.to_string()))?;
    let last_seq: i64 = row
        .try_get("last_seq")
        .map_err(|error| place(&error.to_string()))?;
    let read = AttemptRow {
        release: read_release(&cluster, text).ok_or_else(|| place("its release is no release"))?,
        attempt: u32::try_from(attempt)
            .map(AttemptNo)
            .map_err(|_| place("its number is no number of an attempt"))?,
        run: RunId::new(get("run")?),
        job: read_job(get("job")?).ok_or_else(|| place("its job is unknown"))?,
        direction: read_direction(get("direction")?)
            .ok_or_else(|| place("its direction is unknown"))?,
        stage: get("stage")?.to_owned(),
        outcome: outcome
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| place(&format!("its outcome does not read back ({error})")))?,
        token: get("token")?.to_owned(),
    };
    let last_seq =
        u64::try_from(last_seq).map_err(|_| place("its last entry's place is below zero"))?;
    Ok((read, Seq(last_seq)))
}

pub(super) async fn claimed_by(
    readers: &Pool,
    cluster: &ClusterName,
) -> Result<Option<(Epoch, Holder)>> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT epoch, holder FROM claim WHERE cluster = $1")
            .bind(cluster.as_str())
            .fetch_optional(readers)
            .await
            .or_failure("read the claim")?;
    let Some((epoch, holder)) = row else {
        return Ok(None);
    };
    let place = |why: &str| damaged(format!("cluster {cluster}: its claim's {why}"));
    let holder = serde_json::from_str(&holder)
        .map_err(|error| place(&format!("holder does not read back ({error})")))?;
    let epoch = u64::try_from(epoch).map_err(|_| place("epoch is below zero"))?;
    Ok(Some((Epoch(epoch), holder)))
}

pub(super) async fn attempt_entries(
    readers: &Pool,
    release: &ReleaseId,
    attempt: AttemptNo,
) -> Result<Vec<StoredEntry>> {
    let rows = sqlx::query(
        "SELECT cluster, seq, run, release, attempt, epoch, kind, body, prev, hash, at FROM entry \
         WHERE cluster = $1 AND release = $2 AND attempt = $3 ORDER BY seq",
    )
    .bind(release.cluster.as_str())
    .bind(release_text(&release.cluster, release)?)
    .bind(i64::from(attempt.0))
    .fetch_all(readers)
    .await
    .or_failure("read the journal")?;
    rows.iter()
        .map(|row| linked(row).map(|linked| linked.entry))
        .collect()
}

pub(super) async fn attempts(readers: &Pool, run: Option<&RunId>) -> Result<Vec<AttemptRow>> {
    let query = match run {
        Some(run) => sqlx::query("SELECT * FROM attempt WHERE run = $1").bind(run.as_str()),
        None => sqlx::query("SELECT * FROM attempt"),
    };
    let rows = query
        .fetch_all(readers)
        .await
        .or_failure("read the attempts")?;
    let read = rows.iter().map(|row| Ok(attempt_row(row)?.0));
    let mut attempts: Vec<AttemptRow> = read.collect::<Result<_>>()?;
    // Here and not in SQL: databases differ in how they sort text.
    attempts.sort_by(|a, b| (&a.release, a.attempt).cmp(&(&b.release, b.attempt)));
    Ok(attempts)
}

pub(super) async fn next_attempt(readers: &Pool, release: &ReleaseId) -> Result<AttemptNo> {
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(attempt) FROM attempt WHERE cluster = $1 AND release = $2")
            .bind(release.cluster.as_str())
            .bind(release_text(&release.cluster, release)?)
            .fetch_one(readers)
            .await
            .or_failure("read the attempts")?;
    let last = u32::try_from(last.unwrap_or(0)).map_err(|_| {
        damaged(format!(
            "release {release}: an attempt's number is no number"
        ))
    })?;
    Ok(AttemptNo(last).next())
}

pub(super) async fn image(readers: &Pool, digest: &Digest) -> Result<Option<Vec<u8>>> {
    let Some(hash) = chain::from_hex(digest.as_str()) else {
        return Ok(None);
    };
    let row: Option<(String, Vec<u8>)> =
        sqlx::query_as("SELECT codec, bytes FROM image WHERE digest = $1")
            .bind(&hash[..])
            .fetch_optional(readers)
            .await
            .or_failure("read an image")?;
    row.map(|(codec, bytes)| image::open(digest, &codec, bytes))
        .transpose()
}

pub(super) async fn head(readers: &Pool, cluster: &ClusterName) -> Result<Option<(Seq, Digest)>> {
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, hash FROM entry WHERE cluster = $1 ORDER BY seq DESC LIMIT 1")
            .bind(cluster.as_str())
            .fetch_optional(readers)
            .await
            .or_failure("read the journal")?;
    Ok(row.map(|(seq, hash)| (Seq(seq.unsigned_abs()), Digest::new(hex(&hash)))))
}
