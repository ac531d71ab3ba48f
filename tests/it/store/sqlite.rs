//! SQLite: the contract, and what becomes of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use refit::domain::ids::{AttemptNo, Epoch, Seq};
use refit::store::sql::SqlStore;
use refit::store::{Error, Journal as _, State as _};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::{at, cluster, contract, go_on, holder, open_attempt, release, run_row};

pub async fn open(path: &Path) -> Result<SqlStore, Error> {
    SqlStore::open(path, at(0), "uuid-1".to_owned()).await
}

/// The file, past the store's own code.
pub async fn raw(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options.create_if_missing(true))
        .await
        .unwrap()
}

async fn fresh() -> (Arc<SqlStore>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("state.db")).await.unwrap();
    (Arc::new(store), dir)
}

macro_rules! run {
    ($($case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (store, _dir) = fresh().await;
                contract::$case(store).await;
            }
        )*
    };
}
contract::cases!(run);

/// Names and contents of a folder.
fn listing(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|file| {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        (name, fs::read(file.path()).unwrap_or_default())
    });
    files.collect()
}

#[cfg(unix)]
#[tokio::test]
async fn what_it_creates_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("fleet/.refit");
    let store = open(&folder.join("state.db")).await.unwrap();
    store.create_run(&run_row("run-1", 1)).await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    let files = listing(&folder);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["state.db", "state.db-shm", "state.db-wal"]);
    for name in names {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_store_keeps_its_identity() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let store = open(&path).await.unwrap();
    store.create_run(&run_row("run-1", 1)).await.unwrap();
    store.close().await;
    assert!(
        store.create_run(&run_row("run-2", 1)).await.is_err(),
        "closed"
    );
    assert_eq!(
        listing(dir.path()).len(),
        1,
        "the log is gone after an orderly end"
    );
    let again = SqlStore::open(&path, at(9), "uuid-2".to_owned())
        .await
        .unwrap();
    assert_eq!(again.uuid().await.unwrap(), "uuid-1");
    assert_eq!(again.runs().await.unwrap(), [run_row("run-1", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_create_it_together_agree() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let mut tasks = Vec::new();
    for n in 0..8 {
        let path = path.clone();
        tasks.push(tokio::spawn(async move {
            let store = SqlStore::open(&path, at(0), format!("uuid-{n}"))
                .await
                .unwrap();
            store.uuid().await.unwrap()
        }));
    }
    let mut uuids = std::collections::BTreeSet::new();
    for task in tasks {
        uuids.insert(task.await.unwrap());
    }
    assert_eq!(uuids.len(), 1, "{uuids:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_share_a_store_and_fence_each_other() {
    const EACH: u32 = 100;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let (one, two) = (open(&path).await.unwrap(), open(&path).await.unwrap());
    // Each on its own cluster, at the same time.
    let work = async |store: &SqlStore, name: &str| {
        let web = release(name, "web");
        let epoch = store
            .claim(&web.cluster, &holder("run-1"), at(1))
            .await
            .unwrap();
        store.append(open_attempt(epoch, &web, 1)).await.unwrap();
        for _ in 0..EACH {
            store.append(go_on(epoch, &web, 1, b"{}")).await.unwrap();
        }
        epoch
    };
    let (epoch, _) = tokio::join!(work(&one, "eu-1"), work(&two, "us-1"));
    for name in ["eu-1", "us-1"] {
        let entries = one.verify(&cluster(name)).await.unwrap();
        assert_eq!(entries, u64::from(EACH) + 2);
    }
    // The second takes the first one's cluster over.
    let web = release("eu-1", "web");
    two.claim(&web.cluster, &holder("run-2"), at(2))
        .await
        .unwrap();
    let late = one.append(go_on(epoch, &web, 1, b"{}")).await;
    assert!(matches!(
        late,
        Err(Error::Fenced {
            current: Epoch(2),
            ..
        })
    ));
    let (seq, _) = one.head(&web.cluster).await.unwrap().unwrap();
    assert_eq!(seq, Seq(u64::from(EACH) + 3));
}

#[tokio::test]
async fn looking_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".refit/state.db");
    let missing = SqlStore::open_existing(&path).await;
    assert!(matches!(missing, Err(Error::NoStore { .. })));
    let empty = dir.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    let missing = SqlStore::open_existing(&empty).await;
    assert!(matches!(missing, Err(Error::NoStore { .. })));
    let files = listing(dir.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["empty.db"]);
}

#[tokio::test]
async fn looking_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let store = open(&path).await.unwrap();
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &web, 1)).await.unwrap();
    store.create_run(&run_row("run-1", 1)).await.unwrap();
    // While another writes.
    let looker = SqlStore::open_existing(&path).await.unwrap();
    assert_eq!(looker.verify(&web.cluster).await.unwrap(), 2);
    store.append(go_on(epoch, &web, 1, b"{}")).await.unwrap();
    assert_eq!(looker.verify(&web.cluster).await.unwrap(), 3);
    looker.close().await;
    store.close().await;
    // And alone.
    let before = listing(dir.path());
    let looker = SqlStore::open_existing(&path).await.unwrap();
    assert_eq!(looker.uuid().await.unwrap(), "uuid-1");
    assert_eq!(looker.runs().await.unwrap(), [run_row("run-1", 1)]);
    assert_eq!(looker.next_attempt(&web).await.unwrap(), AttemptNo(2));
    assert!(looker.append(go_on(epoch, &web, 1, b"{}")).await.is_err());
    assert!(
        looker
            .claim(&web.cluster, &holder("r"), at(1))
            .await
            .is_err()
    );
    assert!(looker.create_run(&run_row("run-2", 1)).await.is_err());
    looker.close().await;
    assert_eq!(listing(dir.path()), before);
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text.db");
    fs::write(&text, "name = \"acme\"\nclusters = []\n").unwrap();
    let short = dir.path().join("short.db");
    fs::write(&short, "SQLite").unwrap();
    let foreign = dir.path().join("foreign.db");
    let mut connection = raw(&foreign).await;
    sqlx::raw_sql("CREATE TABLE store (uuid TEXT, schema INT)")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let folder = dir.path().join("folder.db");
    fs::create_dir(&folder).unwrap();
    let before = listing(dir.path());
    for (path, why) in [
        (text, "no SQLite file"),
        (short, "no SQLite file"),
        (foreign, "another program's"),
        (folder, "a folder"),
    ] {
        let opened = [open(&path).await, SqlStore::open_existing(&path).await];
        for result in opened {
            match result.unwrap_err() {
                error @ Error::Unusable { .. } => {
                    let text = error.to_string();
                    assert!(text.contains(why), "{text}");
                    assert!(text.contains(path.to_str().unwrap()), "{text}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(listing(dir.path()), before);
}

#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    fs::write(&path, "").unwrap();
    let store = open(&path).await.unwrap();
    assert_eq!(store.uuid().await.unwrap(), "uuid-1");
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    open(&path).await.unwrap().close().await;
    let mut connection = raw(&path).await;
    sqlx::raw_sql("UPDATE store SET schema = 99")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    for result in [open(&path).await, SqlStore::open_existing(&path).await] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Unusable { .. }));
        let text = error.to_string();
        assert!(
            text.contains("schema 99") && text.contains("newer refit"),
            "{text}"
        );
    }
}
