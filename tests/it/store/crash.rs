//! Processes that die at work, disks that fill up, logs that were cut: what was acknowledged is there, and whole.
//!
//! The children are this binary again, asked for one test and told by the environment to act.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use refit::store::lock::{self, RunLock};
use refit::store::sql::SqlStore;
use refit::store::{Error, Holder, Journal as _};

use super::sqlite::open;
use super::{at, cluster, go_on, holder, image, open_attempt, release};

/// Set for a child: the store that it works on.
const CHILD: &str = "REFIT_TEST_STORE";

fn told() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

fn this_binary(test: &str) -> Vec<std::ffi::OsString> {
    let name = format!("store::crash::{test}");
    let exe = std::env::current_exe().unwrap();
    vec![
        exe.into(),
        name.into(),
        "--exact".into(),
        "--nocapture".into(),
    ]
}

fn spawn(mut command: Command, store: &Path) -> Child {
    command.env(CHILD, store).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// The lines that the child says to us, among those of the test harness.
fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out = BufReader::new(child.stdout.take().unwrap());
    out.lines().filter_map(|line| {
        let line = line.unwrap();
        let (_, said) = line.split_once("child: ")?;
        Some(said.to_owned())
    })
}

/// Child: appends for ever, four releases at once, and says each entry that is durable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_appends() {
    let Some(path) = told() else { return };
    let store = Arc::new(open(&path).await.unwrap());
    let eu = cluster("eu-1");
    let epoch = store.claim(&eu, &holder("run-1"), at(1)).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..4 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let mine = release("eu-1", &format!("r{n}"));
            for step in 0_u64.. {
                let mut next = match store.next_attempt(&mine).await.unwrap().0 {
                    1 => open_attempt(epoch, &mine, 1),
                    _ => go_on(epoch, &mine, 1, format!(r#"{{"step":{step}}}"#).as_bytes()),
                };
                next.images = vec![image(format!("image {} of {n}", step % 100).as_bytes())];
                match store.append(next).await {
                    Ok(seq) => println!("child: {seq}"),
                    Err(error) => {
                        println!("child: failed {error:?}");
                        return;
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Still usable for looking: what stands is whole.
    println!("child: verified {}", store.verify(&eu).await.unwrap());
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    const ROUNDS: u64 = 5;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let eu = cluster("eu-1");
    for round in 0..ROUNDS {
        let parts = this_binary("child_appends");
        let mut command = Command::new(&parts[0]);
        command.args(&parts[1..]);
        let mut child = spawn(command, &path);
        let mut said = lines(&mut child);
        let enough = usize::try_from(20 + 37 * round).unwrap();
        let mut last = 0;
        for line in said.by_ref().take(enough) {
            last = last.max(line.parse::<u64>().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Said before it died, read only now.
        for line in said {
            last = last.max(line.parse::<u64>().unwrap_or(0));
        }
        let looker = SqlStore::open_existing(&path).await.unwrap();
        let (head, _) = looker.head(&eu).await.unwrap().unwrap();
        looker.close().await;
        assert!(
            head.0 >= last,
            "round {round}: {last} was acknowledged, {head} is there"
        );
        let store = open(&path).await.unwrap();
        assert_eq!(store.verify(&eu).await.unwrap(), head.0);
        store.verify_images().await.unwrap();
        store.close().await;
    }
}

/// A limit on the size of files, since a full disk takes a device of its own. Writing fails with an error as it does
/// there; the log cannot grow.
#[cfg(unix)]
#[tokio::test]
async fn a_disk_that_fills_up_stops_appends_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    open(&path).await.unwrap().close().await;
    // 512-byte blocks: 400 KiB, about a hundred pages of log.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$@\"", "sh"]);
    command.args(this_binary("child_appends"));
    let mut child = spawn(command, &path);
    let (mut acknowledged, mut failed, mut verified) = (0, 0, None);
    for line in lines(&mut child) {
        if let Some(error) = line.strip_prefix("failed ") {
            assert!(error.starts_with("Database"), "{error}");
            failed += 1;
        } else if let Some(entries) = line.strip_prefix("verified ") {
            verified = Some(entries.parse::<u64>().unwrap());
        } else {
            acknowledged += 1;
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(failed, 4, "every appender was told");
    assert!(acknowledged > 10, "{acknowledged}");
    let entries = Some(acknowledged + 1);
    assert_eq!(verified, entries, "the takeover and what was acknowledged");
    let store = open(&path).await.unwrap();
    let eu = cluster("eu-1");
    assert_eq!(store.verify(&eu).await.ok(), entries);
    // With room again it goes on.
    let epoch = store.claim(&eu, &holder("run-2"), at(2)).await.unwrap();
    let next = go_on(epoch, &release("eu-1", "r0"), 1, b"{}");
    assert_eq!(store.append(next).await.unwrap().0, acknowledged + 3);
}

/// A power failure may leave any part of the log: what is left is a beginning of the journal, and whole.
#[tokio::test]
async fn a_log_cut_anywhere_leaves_a_whole_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let store = open(&path).await.unwrap();
    let web = release("eu-1", "web");
    let epoch = store
        .claim(&web.cluster, &holder("run-1"), at(1))
        .await
        .unwrap();
    store.append(open_attempt(epoch, &web, 1)).await.unwrap();
    for n in 0..10 {
        let mut next = go_on(epoch, &web, 1, format!(r#"{{"n":{n}}}"#).as_bytes());
        next.images = vec![image(&[n])];
        store.append(next).await.unwrap();
    }
    let (main, log) = (
        fs::read(&path).unwrap(),
        fs::read(dir.path().join("state.db-wal")).unwrap(),
    );
    let mut seen = std::collections::BTreeSet::new();
    for kept in (0..log.len()).step_by(1_501).chain([log.len()]) {
        let torn = tempfile::tempdir().unwrap();
        let path = torn.path().join("state.db");
        fs::write(&path, &main).unwrap();
        fs::write(torn.path().join("state.db-wal"), &log[..kept]).unwrap();
        let store = open(&path).await.unwrap();
        let entries = store.verify(&web.cluster).await.unwrap();
        let images = store.verify_images().await.unwrap();
        assert_eq!(
            images,
            entries.saturating_sub(2),
            "images come with their entries"
        );
        seen.insert(entries);
    }
    assert_eq!(seen, (0..=12).collect(), "every beginning was met");
}

/// Child: takes the lock and waits to be killed.
#[test]
fn child_locks() {
    let Some(path) = told() else { return };
    let me = Holder {
        pid: std::process::id(),
        ..holder("run-7k3f")
    };
    let _lock = RunLock::take(&path, &cluster("eu-4"), &me, at(60)).unwrap();
    println!("child: locked");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_lock_names_its_process_and_dies_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.db");
    let eu = cluster("eu-4");
    let parts = this_binary("child_locks");
    let mut command = Command::new(&parts[0]);
    command.args(&parts[1..]);
    let mut child = spawn(command, &path);
    let mut said = lines(&mut child);
    assert_eq!(said.next().as_deref(), Some("locked"));
    let mine = holder("run-2");
    match RunLock::take(&path, &eu, &mine, at(61)).unwrap_err() {
        lock::Error::Held {
            cluster,
            holder: Some(found),
            since,
        } => {
            assert_eq!(cluster, eu);
            assert_eq!((found.run.as_str(), found.pid), ("run-7k3f", child.id()));
            assert_eq!(since, Some(at(60)));
        }
        other => panic!("{other:?}"),
    }
    RunLock::take(&path, &cluster("eu-5"), &mine, at(61)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    RunLock::take(&path, &eu, &mine, at(62)).unwrap();
}

#[test]
fn a_lock_that_cannot_be_made_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let path = file.join("state.db");
    let error = RunLock::take(&path, &cluster("eu-4"), &holder("r"), at(1)).unwrap_err();
    assert!(matches!(&error, lock::Error::File { .. }));
    assert!(error.to_string().contains("state.db.eu-4.lock"), "{error}");
    let error = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(open(&path))
        .unwrap_err();
    assert!(matches!(error, Error::Database { .. }), "{error:?}");
}
