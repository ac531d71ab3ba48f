//! Whatever changes behind the store's back, `verify` finds and names.

use std::fs;
use std::path::Path;

use refit::domain::ids::AttemptNo;
use refit::domain::run::Outcome;
use refit::store::{Error, Journal as _};
use sqlx::Connection as _;

use super::sqlite::{open, raw};
use super::{at, close_attempt, cluster, digest, go_on, holder, image, open_attempt, release};

const EU: &str = "eu-1";

/// A store with a takeover (1), a closed attempt (2, 3, 4), another takeover (5), and an open attempt (6, 7).
async fn fill(path: &Path) {
    let store = open(path).await.unwrap();
    let (web, api) = (release(EU, "web"), release(EU, "api"));
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    let mut opened = open_attempt(epoch, &web, 1);
    opened.images = vec![image(&b"an image ".repeat(100)), image(b"short")];
    store.append(opened).await.unwrap();
    store
        .append(go_on(epoch, &web, 1, br#"{"findme":"aaaa"}"#))
        .await
        .unwrap();
    store
        .append(close_attempt(epoch, &web, 1, Outcome::Done))
        .await
        .unwrap();
    let epoch = store
        .claim(&web.cluster, &holder("run-2"), at(2))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &api, 1)).await.unwrap();
    store.append(go_on(epoch, &api, 1, b"{}")).await.unwrap();
    assert_eq!(store.verify(&web.cluster).await.unwrap(), 7);
    assert_eq!(store.verify_images().await.unwrap(), 2);
    store.close().await;
}

async fn tamper(path: &Path, sql: &'static str) -> sqlx::Result<()> {
    let mut connection = raw(path).await;
    let result = sqlx::raw_sql(sql).execute(&mut connection).await;
    connection.close().await.unwrap();
    result.map(|_| ())
}

const NO_TRIGGERS: &str =
    "DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; DROP TRIGGER entry_no_replace";

/// What verify says.
async fn verdict(path: &Path) -> Result<u64, String> {
    let store = open(path).await.unwrap();
    let result = store.verify(&cluster(EU)).await;
    store.close().await;
    match result {
        Ok(entries) => Ok(entries),
        Err(Error::Damaged { what }) => Err(what),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn entries_cannot_be_changed_by_accident() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    fill(&path).await;
    for sql in [
        "UPDATE entry SET body = X'00' WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 7",
        "REPLACE INTO entry SELECT cluster, seq, 'run-9', release, attempt, epoch, kind, body, prev, hash, at FROM entry WHERE seq = 3",
    ] {
        let error = tamper(&path, sql).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(verdict(&path).await, Ok(7));
}

#[tokio::test]
async fn what_was_changed_on_purpose_is_found_and_named() {
    let cases = [
        (
            "UPDATE entry SET body = X'7B7D' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET run = 'run-9' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET release = NULL WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET release = 'shop/api' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET attempt = 2 WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET epoch = 2 WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET kind = 'Closed' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET at = '1970-01-01T00:00:08Z' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET prev = X'00' WHERE seq = 3",
            "entry 3: its content",
        ),
        (
            "UPDATE entry SET hash = X'00' WHERE seq = 3",
            "entry 3: its content",
        ),
        ("UPDATE entry SET body = 12 WHERE seq = 3", "entry 3: "),
        (
            "UPDATE entry SET seq = 8 WHERE seq = 3",
            "entry 4: it follows entry 2",
        ),
        (
            "DELETE FROM entry WHERE seq = 1",
            "entry 2: it follows entry 0",
        ),
        (
            "DELETE FROM entry WHERE seq = 3",
            "entry 4: it follows entry 2",
        ),
        (
            "DELETE FROM entry WHERE seq = 7",
            "attempt 1 at eu-1/shop/api: its row ends at entry 7",
        ),
        (
            "DELETE FROM entry WHERE seq >= 6",
            "attempt 1 at eu-1/shop/api: it has a row and no entries",
        ),
        (
            "DELETE FROM entry WHERE seq >= 5; DELETE FROM attempt WHERE release = 'shop/api'",
            "its claim has epoch 2",
        ),
        ("DELETE FROM entry", "its claim has epoch 2"),
        ("UPDATE claim SET epoch = 1", "its claim has epoch 1"),
        ("DELETE FROM claim", "its claim has epoch 0"),
        (
            "UPDATE attempt SET outcome = NULL WHERE release = 'shop/web'",
            "attempt 1 at eu-1/shop/web: its row says open, its entries Done",
        ),
        (
            "UPDATE attempt SET outcome = '{\"outcome\":\"done\"}' WHERE release = 'shop/api'",
            "attempt 1 at eu-1/shop/api: its row says Done, its entries open",
        ),
        (
            "UPDATE attempt SET outcome = 'x' WHERE release = 'shop/api'",
            "attempt 1 at shop/api: its outcome does not read back",
        ),
        (
            "UPDATE attempt SET last_seq = 6 WHERE release = 'shop/api'",
            "its row ends at entry 6, its entries at 7",
        ),
        (
            "UPDATE attempt SET release = 'shop/apo' WHERE release = 'shop/api'",
            "attempt 1 at eu-1/shop/api: it has entries and no row",
        ),
        (
            "UPDATE attempt SET job = 'x' WHERE release = 'shop/api'",
            "its job is unknown",
        ),
        (
            "DELETE FROM attempt WHERE release = 'shop/api'",
            "attempt 1 at eu-1/shop/api: it has entries and no row",
        ),
    ];
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good.db");
    fill(&good).await;
    let path = dir.path().join("state.db");
    for (sql, place) in cases {
        fs::copy(&good, &path).unwrap();
        tamper(&path, NO_TRIGGERS).await.unwrap();
        assert_eq!(
            verdict(&path).await,
            Ok(7),
            "without triggers it is still whole"
        );
        tamper(&path, sql).await.unwrap();
        let what = verdict(&path).await.unwrap_err();
        assert!(what.contains(place), "{sql}: {what}");
    }
}

#[tokio::test]
async fn an_entry_that_was_replaced_hash_and_all_breaks_the_link() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one.db"), dir.path().join("two.db"));
    fill(&one).await;
    // Another store's entries 2 to 7: each whole in itself, but after another takeover.
    let store = open(&two).await.unwrap();
    store
        .claim(&cluster(EU), &holder("run-other"), at(1))
        .await
        .unwrap();
    store.close().await;
    tamper(&one, NO_TRIGGERS).await.unwrap();
    let mut connection = raw(&one).await;
    let attach = "ATTACH $1 AS other";
    sqlx::query(attach)
        .bind(two.to_str().unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::raw_sql("DELETE FROM entry WHERE seq = 1; INSERT INTO entry SELECT * FROM other.entry")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let what = verdict(&one).await.unwrap_err();
    assert!(what.contains("entry 2: it does not follow"), "{what}");
}

/// The encoding of an entry's hash, written down a second time: length and text, big-endian numbers, marks for what
/// may be missing.
fn hash_of_takeover(prev: &[u8], seq: i64, epoch: i64, body: &[u8]) -> Vec<u8> {
    use sha2::{Digest as _, Sha256};
    let mut bytes = Vec::new();
    let text = |bytes: &mut Vec<u8>, part: &[u8]| {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    };
    text(&mut bytes, b"refit journal entry v1");
    text(&mut bytes, prev);
    text(&mut bytes, EU.as_bytes());
    bytes.extend(seq.to_be_bytes());
    text(&mut bytes, b"run-9");
    for _ in ["release", "attempt"] {
        bytes.push(0);
        bytes.extend([0; 8]);
    }
    bytes.extend(epoch.to_be_bytes());
    text(&mut bytes, b"Takeover");
    text(&mut bytes, body);
    text(&mut bytes, b"1970-01-01T00:00:09Z");
    Sha256::digest(bytes).to_vec()
}

/// An entry that was linked in under any but the next epoch, with a hash as it should be.
#[tokio::test]
async fn an_entry_of_a_wrong_epoch_is_found_though_its_hash_is_right() {
    for (epoch, found) in [
        (1, Err("entry 8: its epoch is 1")),
        (2, Err("entry 8: its epoch is 2")),
        (3, Ok(8)),
        (4, Err("entry 8: its epoch is 4")),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        fill(&path).await;
        let mut connection = raw(&path).await;
        let prev: Vec<u8> = sqlx::query_scalar("SELECT hash FROM entry WHERE seq = 7")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO entry (cluster, seq, run, epoch, kind, body, prev, hash, at) \
             VALUES ('eu-1', 8, 'run-9', $1, 'Takeover', X'7B7D', $2, $3, '1970-01-01T00:00:09Z')",
        )
        .bind(epoch)
        .bind(&prev)
        .bind(hash_of_takeover(&prev, 8, epoch, b"{}"))
        .execute(&mut connection)
        .await
        .unwrap();
        sqlx::raw_sql("UPDATE claim SET epoch = 3")
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        match (verdict(&path).await, found) {
            (Ok(entries), Ok(expected)) => assert_eq!(entries, expected),
            (Err(what), Err(expected)) => assert!(what.contains(expected), "{what}"),
            (got, _) => panic!("epoch {epoch}: {got:?}"),
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    fill(&path).await;
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(4).position(|four| four == b"aaaa").unwrap();
    bytes[place] ^= 1;
    fs::write(&path, bytes).unwrap();
    let what = verdict(&path).await.unwrap_err();
    assert!(what.contains("entry 3"), "{what}");
    // And on the way of a resume, without verify.
    let store = open(&path).await.unwrap();
    let read = store
        .attempt_entries(&release(EU, "web"), AttemptNo(1))
        .await;
    assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
}

#[tokio::test]
async fn a_file_cut_short_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    fill(&path).await;
    let bytes = fs::read(&path).unwrap();
    for kept in [bytes.len() / 2, 4096, 100] {
        fs::write(&path, &bytes[..kept]).unwrap();
        let found = match open(&path).await {
            Ok(store) => store.verify(&cluster(EU)).await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(
            matches!(found, Err(Error::Damaged { .. })),
            "{kept}: {found:?}"
        );
    }
}

#[tokio::test]
async fn damaged_images_are_found_and_not_handed_out() {
    let long = b"an image ".repeat(100);
    for sql in [
        "UPDATE image SET bytes = X'00'",
        "UPDATE image SET bytes = X''",
        "UPDATE image SET codec = 'rot13'",
        "UPDATE image SET bytes = (SELECT bytes FROM image ORDER BY length(bytes) LIMIT 1), codec = 'plain' WHERE codec = 'zstd'",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        fill(&path).await;
        tamper(&path, sql).await.unwrap();
        let store = open(&path).await.unwrap();
        let all = store.verify_images().await;
        assert!(matches!(all, Err(Error::Damaged { .. })), "{sql}: {all:?}");
        let one = store.image(&digest(&long)).await;
        assert!(matches!(one, Err(Error::Damaged { .. })), "{sql}: {one:?}");
    }
}
