//! SQLite: the contract, and opening files.

use std::path::Path;
use std::sync::Arc;

use refit::store::Error;
use refit::store::sql::SqlStore;
use tempfile::TempDir;

use super::{at, contract};

pub async fn open(path: &Path) -> Result<SqlStore, Error> {
    SqlStore::open(path, at(0), "uuid-1".to_owned()).await
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
