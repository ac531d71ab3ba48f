//! From a path to a store, or the reason why not.

use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use sqlx::Connection as _;

use super::SqlStore;
use super::journal::{Queue, Writer};
use super::schema::{self, CURRENT, Identity};
use super::sqlite::{self, Connection, Content, OrFailure as _};
use crate::store::{Error, Result, files};

const OPEN: &str = "open its file";

impl SqlStore {
    /// Opens the store at `path`; creates folder, file and tables where they are missing, and brings an older schema
    /// up to date. `at` and `fresh_uuid` become a new store's birth and identity.
    ///
    /// Must be called inside a tokio runtime: the store's journal task lives there.
    pub async fn open(path: &Path, at: Timestamp, fresh_uuid: String) -> Result<Self> {
        if path.is_dir() {
            return Err(unusable(path, "it is a folder"));
        }
        create(path).map_err(|source| file_failure("create its file", source))?;
        check_start(path)?;
        let mut connection = sqlite::connect(path).await.or_failure(OPEN)?;
        check_content(path, &mut connection).await?;
        sqlite::write_ahead(&mut connection)
            .await
            .or_failure("turn its write-ahead log on")?;
        let uuid = bring_up(path, &mut connection, at, &fresh_uuid).await?;
        let readers = sqlite::readers(path).await.or_failure(OPEN)?;
        let queue = Queue::start(Writer::new(path, connection));
        Ok(Self {
            uuid,
            queue,
            readers,
        })
    }

    /// Opens a store to look at. Creates and changes nothing; [`Error::NoStore`] if there is none. Whatever writes
    /// fails.
    pub async fn open_existing(path: &Path) -> Result<Self> {
        let no_store = || Error::NoStore {
            path: path.display().to_string(),
        };
        if path.is_dir() {
            return Err(unusable(path, "it is a folder"));
        }
        match path.metadata() {
            Ok(file) if file.len() == 0 => return Err(no_store()),
            Ok(_) => check_start(path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_store()),
            Err(source) => return Err(file_failure(OPEN, source)),
        }
        let readers = sqlite::readers(path).await.or_failure(OPEN)?;
        let mut connection = readers.acquire().await.or_failure(OPEN)?;
        if check_content(path, &mut connection).await? == Content::Nothing {
            return Err(no_store());
        }
        let identity = schema::identity(&mut connection)
            .await
            .or_failure("read its identity")?;
        drop(connection);
        let identity = check_identity(path, identity)?;
        if identity.schema < CURRENT {
            return Err(unusable(
                path,
                &format!(
                    "it has schema {}, this refit reads {CURRENT}: a verb that writes (`refit run`, `refit resume`) brings it up to date",
                    identity.schema
                ),
            ));
        }
        Ok(Self {
            uuid: identity.uuid,
            queue: Queue::refusing(),
            readers,
        })
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::Unusable {
        path: path.display().to_string(),
        why: why.to_owned(),
    }
}

fn file_failure(operation: &'static str, source: io::Error) -> Error {
    Error::Database {
        operation,
        source: Box::new(source),
    }
}

fn create(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    files::folder_of(path)?;
    files::open(path)?.sync_all()?;
    files::sync_folder_of(path)
}

/// Looks at the file before SQLite does: it would be recovered, and its log removed, whatever it is.
fn check_start(path: &Path) -> Result<()> {
    let mut start = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut start))
        .map_err(|source| file_failure(OPEN, source))?;
    if sqlite::looks_right(&start) {
        return Ok(());
    }
    Err(unusable(path, "it is no SQLite file"))
}

async fn check_content(path: &Path, connection: &mut Connection) -> Result<Content> {
    match sqlite::content(connection).await.or_failure(OPEN)? {
        Content::Foreign => Err(unusable(
            path,
            "it is another program's database: choose another path for the store",
        )),
        content => Ok(content),
    }
}

fn check_identity(path: &Path, identity: Option<Identity>) -> Result<Identity> {
    match identity {
        None => Err(unusable(path, "its identity is missing")),
        Some(found) if found.schema > CURRENT => Err(unusable(
            path,
            &format!(
                "it has schema {}, this refit knows schemas up to {CURRENT}: use the newer refit that wrote it",
                found.schema
            ),
        )),
        Some(found) => Ok(found),
    }
}

/// Creates or migrates the tables in one transaction, and returns the store's uuid. Two processes may try at once:
/// the second finds the work done.
async fn bring_up(
    path: &Path,
    connection: &mut Connection,
    at: Timestamp,
    fresh_uuid: &str,
) -> Result<String> {
    const MIGRATE: &str = "bring its schema up to date";
    let mut tx = connection
        .begin_with(sqlite::BEGIN_WRITE)
        .await
        .or_failure(MIGRATE)?;
    if check_content(path, &mut tx).await? == Content::Nothing {
        sqlite::mark(&mut tx).await.or_failure(MIGRATE)?;
        schema::migrate(&mut tx, 0, at, fresh_uuid)
            .await
            .or_failure(MIGRATE)?;
        tx.commit().await.or_failure(MIGRATE)?;
        return Ok(fresh_uuid.to_owned());
    }
    let identity = schema::identity(&mut tx).await.or_failure(MIGRATE)?;
    let identity = check_identity(path, identity)?;
    if identity.schema < CURRENT {
        schema::migrate(&mut tx, identity.schema, at, fresh_uuid)
            .await
            .or_failure(MIGRATE)?;
    }
    tx.commit().await.or_failure(MIGRATE)?;
    Ok(identity.uuid)
}
