//! Runs: one row each.

use sqlx::Row as _;

use super::image::unpack;
use super::read::damaged;
use super::sqlite::{Connection, OrFailure as _, Pool, Row, failure};
use super::work::{NewRun, RunState, Written, refused};
use crate::domain::ids::{Digest, RunId};
use crate::store::{Result, RunRow};

/// Largest plan that is read back: a hundred thousand releases with their objects; bounds damaged bytes.
const PLAN_MAX: usize = 1024 * 1024 * 1024;

const READ: &str = "read the runs";

/// Records a run.
pub(super) async fn create(run: &NewRun, tx: &mut Connection) -> Written<u64> {
    let inserted = sqlx::query(
        "INSERT INTO run (run, fleet, state, holder, started, plan_digest, plan_codec, plan) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&run.run)
    .bind(&run.fleet)
    .bind(&run.state)
    .bind(&run.holder)
    .bind(&run.started)
    .bind(&run.plan_digest)
    .bind(run.plan.codec)
    .bind(&run.plan.bytes)
    .execute(tx)
    .await;
    match inserted {
        Ok(rows) => Ok(rows.rows_affected()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            Err(refused(format!("there is already a run {}", run.run)).into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Changes a run's state.
pub(super) async fn set_state(run: &RunState, tx: &mut Connection) -> Written<u64> {
    let changed =
        sqlx::query("UPDATE run SET state = $1, holder = coalesce($2, holder) WHERE run = $3")
            .bind(&run.state)
            .bind(&run.holder)
            .bind(&run.run)
            .execute(tx)
            .await?;
    match changed.rows_affected() {
        0 => Err(refused(format!("there is no run {}", run.run)).into()),
        rows => Ok(rows),
    }
}

pub(super) async fn one(readers: &Pool, run: &RunId) -> Result<Option<RunRow>> {
    let row = sqlx::query("SELECT * FROM run WHERE run = $1")
        .bind(run.as_str())
        .fetch_optional(readers)
        .await
        .or_failure(READ)?;
    row.as_ref().map(read).transpose()
}

/// All runs, newest first.
pub(super) async fn all(readers: &Pool) -> Result<Vec<RunRow>> {
    let rows = sqlx::query("SELECT * FROM run")
        .fetch_all(readers)
        .await
        .or_failure(READ)?;
    let mut runs: Vec<RunRow> = rows.iter().map(read).collect::<Result<_>>()?;
    // Here and not in SQL: times as text do not sort as times do.
    runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.run.cmp(&b.run)));
    Ok(runs)
}

fn read(row: &Row) -> Result<RunRow> {
    let id: &str = row.try_get("run").map_err(|error| failure(READ, error))?;
    let place = |why: &str| damaged(format!("run {id}: {why}"));
    let get = |column: &str| -> Result<&str> {
        row.try_get(column)
            .map_err(|error: sqlx::Error| place(&error.to_string()))
    };
    let plan: Vec<u8> = row
        .try_get("plan")
        .map_err(|error| place(&error.to_string()))?;
    Ok(RunRow {
        run: RunId::new(id),
        fleet: get("fleet")?.to_owned(),
        state: get("state")?.to_owned(),
        holder: serde_json::from_str(get("holder")?)
            .map_err(|error| place(&format!("its holder does not read back ({error})")))?,
        started: get("started")?
            .parse()
            .map_err(|_| place("its start is no time"))?,
        plan_digest: Digest::new(get("plan_digest")?),
        plan: unpack(
            get("plan_codec")?,
            plan,
            PLAN_MAX,
            &format!("run {id}, its plan"),
        )?,
    })
}
