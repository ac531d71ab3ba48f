//! The schema's versions, built in, and the one-row table that names the store's own.

use jiff::Timestamp;

use super::sqlite::{self, Connection};

/// Every version's change, in order: tables in plain SQL, then what the dialect must say in its own words.
const MIGRATIONS: [[&str; 2]; 1] = [[include_str!("schema/0001_tables.sql"), sqlite::APPEND_ONLY]];

/// The schema that this build writes: the number of migrations.
pub(super) const CURRENT: i64 = 1;

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The store's uuid.
    pub uuid: String,
    /// Its schema.
    pub schema: i64,
}

/// Reads the store's identity; `None` if the row is missing.
pub(super) async fn identity(connection: &mut Connection) -> sqlx::Result<Option<Identity>> {
    let row: Option<(String, i64)> = sqlx::query_as("SELECT uuid, schema FROM store")
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(uuid, schema)| Identity { uuid, schema }))
}

/// Brings the schema from version `from` (0: nothing there) to [`CURRENT`], inside the caller's transaction.
pub(super) async fn migrate(
    connection: &mut Connection,
    from: i64,
    at: Timestamp,
    fresh_uuid: &str,
) -> sqlx::Result<()> {
    for (version, steps) in (1..=CURRENT).zip(MIGRATIONS) {
        if version <= from {
            continue;
        }
        for step in steps {
            sqlx::raw_sql(step).execute(&mut *connection).await?;
        }
    }
    if from == 0 {
        let insert =
            "INSERT INTO store (uuid, schema, incarnation, created) VALUES ($1, $2, 1, $3)";
        sqlx::query(insert)
            .bind(fresh_uuid)
            .bind(CURRENT)
            .bind(at.to_string())
            .execute(connection)
            .await?;
    } else {
        sqlx::query("UPDATE store SET schema = $1")
            .bind(CURRENT)
            .execute(connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_migration_has_its_number() {
        assert_eq!(i64::try_from(MIGRATIONS.len()), Ok(CURRENT));
    }
}
