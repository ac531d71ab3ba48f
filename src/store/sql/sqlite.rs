//! Everything that only SQLite says so: the other files speak SQL that Postgres understands too.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::{Error, Result};

/// One connection.
pub(super) type Connection = SqliteConnection;
/// Connections for reading.
pub(super) type Pool = SqlitePool;
/// One row.
pub(super) type Row = SqliteRow;

/// Begins a transaction that writes: it waits for its turn now, so what it reads is still true when it writes.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// Begins a transaction that reads one state of the store throughout.
pub(super) const BEGIN_SNAPSHOT: &str = "BEGIN DEFERRED";

/// Entries are never changed or removed; not by `REPLACE` either, which fires no trigger for what it removes.
pub(super) const APPEND_ONLY: &str = "
    CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry
        WHEN EXISTS (SELECT 1 FROM entry WHERE cluster = new.cluster AND seq = new.seq)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
";

/// Marks the file as a store of refit (`PRAGMA application_id`): "rfit".
const APPLICATION_ID: i32 = 0x7266_6974;

/// The mark, as a statement of the first migration.
const MARK: &str = "PRAGMA application_id = 1919314292";

/// How a SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How long a writer waits for another process' transaction. Half of the 20 s after which a run that cannot renew its
/// Lease stops by itself, and far more than any batch or checkpoint takes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often and how long the change to the write-ahead log is tried again: SQLite does not wait there by itself.
const WAL_TRIES: u32 = 200;
const WAL_PAUSE: Duration = Duration::from_millis(50);

/// Readers at once: recovery and a second terminal; each costs a thread.
const READERS: u32 = 4;

/// What the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// No table at all.
    Nothing,
    /// A store, of whatever schema.
    Store,
    /// Something of somebody else's.
    Foreign,
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging()
}

/// Does the file begin as SQLite's do? An empty one counts: SQLite leaves it so until the first table.
pub(super) fn looks_right(start: &[u8]) -> bool {
    start.is_empty() || start.starts_with(MAGIC)
}

/// Opens the connection that writes. Changes nothing in the file.
pub(super) async fn connect(path: &Path) -> sqlx::Result<Connection> {
    options(path).connect().await
}

/// Opens connections that refuse to write.
///
/// They are not read-only in SQLite's sense: such a connection leaves `-wal` and `-shm` files behind.
pub(super) async fn readers(path: &Path) -> sqlx::Result<Pool> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options(path).pragma("query_only", "ON"))
        .await
}

/// What is in the file? Both looks see one state: another process may be creating the store just now.
pub(super) async fn content(connection: &mut Connection) -> sqlx::Result<Content> {
    let mut tx = connection.begin().await?;
    let mark: i32 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(&mut *tx)
        .await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master")
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(match (mark, tables) {
        (APPLICATION_ID, 1..) => Content::Store,
        (0, 0) => Content::Nothing,
        _ => Content::Foreign,
    })
}

/// Marks the file as a store; part of the first migration's transaction.
pub(super) async fn mark(connection: &mut Connection) -> sqlx::Result<()> {
    sqlx::raw_sql(MARK).execute(connection).await?;
    Ok(())
}

/// Turns the write-ahead log on; it stays on in the file.
pub(super) async fn write_ahead(connection: &mut Connection) -> sqlx::Result<()> {
    let mut tries = 1;
    loop {
        let mode = sqlx::query_scalar("PRAGMA journal_mode = WAL")
            .fetch_one(&mut *connection)
            .await;
        match mode {
            Ok::<String, _>(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(sqlx::Error::Configuration(
                    format!(
                        "the journal mode stays {mode}: this file system has no shared memory for a write-ahead log"
                    )
                    .into(),
                ));
            }
            Err(error) if primary_code(&error) == Some(BUSY) && tries < WAL_TRIES => {
                tries += 1;
                tokio::time::sleep(WAL_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// SQLite's result codes that mean something to us.
const BUSY: i32 = 5;
const CORRUPT: i32 = 11;
const NOT_A_DATABASE: i32 = 26;

/// SQLite's result code without its detail (the upper bits).
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Says what a failure means: bytes that do not read back, or a database that cannot.
pub(super) fn failure(operation: &'static str, error: impl Into<Arc<sqlx::Error>>) -> Error {
    let error = error.into();
    let unreadable = matches!(
        *error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    );
    if unreadable || matches!(primary_code(&error), Some(CORRUPT | NOT_A_DATABASE)) {
        return Error::Damaged {
            what: format!("failed to {operation}: {error}"),
        };
    }
    Error::Database {
        operation,
        source: Box::new(error),
    }
}

/// [`failure`] for a result.
pub(super) trait OrFailure<T> {
    /// Names the operation in the error.
    fn or_failure(self, operation: &'static str) -> Result<T>;
}

impl<T> OrFailure<T> for sqlx::Result<T> {
    fn or_failure(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| failure(operation, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_writer_syncs_each_commit_and_readers_do_not_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "").unwrap();
        let mut writer = connect(&path).await.unwrap();
        write_ahead(&mut writer).await.unwrap();
        let asked: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut writer)
            .await
            .unwrap();
        assert_eq!(asked, 2, "FULL");
        let create = "CREATE TABLE t (a TEXT)";
        let readers = readers(&path).await.unwrap();
        assert!(sqlx::raw_sql(create).execute(&readers).await.is_err());
        sqlx::raw_sql(create).execute(&mut writer).await.unwrap();
    }

    #[tokio::test]
    async fn the_mark_is_the_one_that_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "").unwrap();
        let mut writer = connect(&path).await.unwrap();
        assert_eq!(content(&mut writer).await.unwrap(), Content::Nothing);
        mark(&mut writer).await.unwrap();
        let foreign = content(&mut writer).await.unwrap();
        assert_eq!(foreign, Content::Foreign, "marked, and no table");
        let create = "CREATE TABLE t (a TEXT)";
        sqlx::raw_sql(create).execute(&mut writer).await.unwrap();
        assert_eq!(content(&mut writer).await.unwrap(), Content::Store);
    }
}
