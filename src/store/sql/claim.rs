//! How a cluster is taken over: the next epoch, and the entry that says from whom.

use super::append::{Tip, Tips, link};
use super::sqlite::Connection;
use super::work::{Claim, Written};
use crate::store::{Error, Holder};

/// Takes the claim; returns the new epoch. From its commit on, every append under an older epoch is refused.
pub(super) async fn write(claim: &Claim, tx: &mut Connection, tips: &mut Tips) -> Written<u64> {
    let cluster = &claim.cluster;
    let tip = tips.of(tx, cluster).await?;
    let from: Option<String> = sqlx::query_scalar("SELECT holder FROM claim WHERE cluster = $1")
        .bind(cluster.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let from = from.as_deref().map(serde_json::from_str::<Holder>);
    let from = from.transpose().map_err(|error| Error::Damaged {
        what: format!("cluster {cluster}: its claim's holder does not read back ({error})"),
    })?;
    let epoch: i64 = sqlx::query_scalar(
        "INSERT INTO claim (cluster, epoch, run, holder) VALUES ($1, 1, $2, $3) \
         ON CONFLICT (cluster) DO UPDATE SET epoch = claim.epoch + 1, run = excluded.run, holder = excluded.holder \
         RETURNING epoch",
    )
    .bind(cluster.as_str())
    .bind(claim.holder.run.as_str())
    .bind(&claim.holder_json)
    .fetch_one(&mut *tx)
    .await?;
    let entry = claim.entry(epoch, from.as_ref());
    let run = claim.holder.run.as_str();
    let under = Tip { epoch, ..tip };
    let moved = link(tx, cluster, run, &claim.at, under, &entry).await?;
    tips.moved(cluster, moved);
    Ok(epoch.unsigned_abs())
}
