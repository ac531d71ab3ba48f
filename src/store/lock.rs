//! One run a cluster on one machine: a file lock that the operating system frees when its process dies.
//!
//! It is a courtesy between processes that share a folder: the second one can say at once who is first. Safety comes
//! from the claim's epoch in the store, which no lock file is needed for.

use std::fmt::Write as _;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Holder, files};
use crate::domain::ids::ClusterName;

/// Longest cluster name that goes into the lock's file name as it is; keeps the whole name far below 255 bytes.
const PLAIN_NAME_MAX: usize = 64;

/// Longest holder's note that is read back: a run's id, a user, a host and two numbers are far below.
const NOTE_MAX: u64 = 64 * 1024;

/// Why the lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it.
    #[error("{}", held(cluster, holder.as_ref(), *since))]
    Held {
        /// Which cluster.
        cluster: ClusterName,
        /// Who; `None` if the holder's note cannot be read (it is being written, or was tampered with).
        holder: Option<Holder>,
        /// Since when, by the holder's own clock.
        since: Option<Timestamp>,
    },
    /// The file cannot be opened, written or locked.
    #[error("cannot lock {}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn held(cluster: &ClusterName, holder: Option<&Holder>, since: Option<Timestamp>) -> String {
    let Some(Holder { run, who, pid }) = holder else {
        return format!("another run holds {cluster}");
    };
    let mut text = format!("{run} holds {cluster} ({who}, pid {pid}");
    if let Some(since) = since {
        let _ = write!(text, ", since {since}");
    }
    text.push(')');
    text
}

/// Who holds a cluster beside the store at `store`, if a living process does.
///
/// Takes nothing, and creates no file. A dead holder's note stays behind, so the lock itself is tried for an instant.
pub fn holder_of(store: &Path, cluster: &ClusterName) -> Option<Holder> {
    let mut file = File::open(lock_file(store, cluster)).ok()?;
    let note = read_note(&mut file)?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(note.holder),
        // Freed again with the file.
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// What the holder writes into the file for the next one to read.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    #[serde(flatten)]
    holder: Holder,
    since: Timestamp,
}

/// The lock on one cluster; free again when dropped, or when the process dies in whatever way.
#[derive(Debug)]
pub struct RunLock {
    file: File,
}

impl RunLock {
    /// Takes the lock on `cluster` beside the store at `store`, without waiting.
    ///
    /// The file stays after the lock is freed: removing it would let two processes lock two files of one name.
    pub fn take(
        store: &Path,
        cluster: &ClusterName,
        holder: &Holder,
        since: Timestamp,
    ) -> Result<Self, Error> {
        let path = lock_file(store, cluster);
        let failed = |source| Error::File {
            path: path.clone(),
            source,
        };
        files::folder_of(&path).map_err(failed)?;
        let mut file = files::open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let note = read_note(&mut file);
                return Err(Error::Held {
                    cluster: cluster.clone(),
                    since: note.as_ref().map(|note| note.since),
                    holder: note.map(|note| note.holder),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let note = Note {
            holder: holder.clone(),
            since,
        };
        write_note(&mut file, &note).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // So that a taker's contender in the instant before its own note does not read ours.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn write_note(file: &mut File, note: &Note) -> io::Result<()> {
    let text = serde_json::to_vec(note)?;
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)
}

fn read_note(file: &mut File) -> Option<Note> {
    let mut text = Vec::new();
    file.take(NOTE_MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// `<store>.<cluster>.lock`. Names that could leave the folder, clash on a file system that ignores case, or grow too
/// long (contexts hold `/`, `:`, `@`) keep their harmless characters and gain a digest after an `@`.
fn lock_file(store: &Path, cluster: &ClusterName) -> PathBuf {
    let name = cluster.as_str();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let mut file = store.file_name().unwrap_or_default().to_os_string();
    if !name.is_empty() && name.len() <= PLAIN_NAME_MAX && name.chars().all(plain) {
        file.push(format!(".{name}.lock"));
    } else {
        let mut safe: String = name
            .chars()
            .take(PLAIN_NAME_MAX)
            .map(|c| if plain(c) { c } else { '_' })
            .collect();
        safe.push('@');
        for byte in &Sha256::digest(name.as_bytes())[..8] {
            let _ = write!(safe, "{byte:02x}");
        }
        file.push(format!(".{safe}.lock"));
    }
    store.with_file_name(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(run: &str) -> Holder {
        Holder {
            run: run.into(),
            who: "kim@bastion-1".to_owned(),
            pid: 42,
        }
    }

    #[test]
    fn the_second_taker_learns_who_is_first_and_gets_it_after_the_drop() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join(".refit/state.db");
        let cluster = ClusterName::new("eu-4");
        let first = RunLock::take(&store, &cluster, &holder("run-7k3f"), Timestamp::UNIX_EPOCH);
        let first = first.unwrap();
        let second = RunLock::take(&store, &cluster, &holder("run-2"), Timestamp::UNIX_EPOCH);
        let error = second.unwrap_err();
        assert_eq!(
            error.to_string(),
            "run-7k3f holds eu-4 (kim@bastion-1, pid 42, since 1970-01-01T00:00:00Z)"
        );
        assert!(matches!(error, Error::Held { holder: Some(h), .. } if h == holder("run-7k3f")));
        let other = ClusterName::new("eu-5");
        RunLock::take(&store, &other, &holder("run-2"), Timestamp::UNIX_EPOCH).unwrap();
        drop(first);
        RunLock::take(&store, &cluster, &holder("run-2"), Timestamp::UNIX_EPOCH).unwrap();
    }

    #[test]
    fn the_holder_is_known_while_it_lives_and_its_note_alone_is_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("state.db");
        let cluster = ClusterName::new("eu-4");
        assert_eq!(holder_of(&store, &cluster), None);
        assert!(!lock_file(&store, &cluster).exists(), "asking made a file");
        let mine = holder("run-7k3f");
        let lock = RunLock::take(&store, &cluster, &mine, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(holder_of(&store, &cluster), Some(mine.clone()));
        drop(lock);
        // A process that was killed leaves its note, and no lock.
        let since = Timestamp::UNIX_EPOCH;
        let mut file = files::open(&lock_file(&store, &cluster)).unwrap();
        let note = Note {
            holder: mine,
            since,
        };
        write_note(&mut file, &note).unwrap();
        drop(file);
        assert_eq!(holder_of(&store, &cluster), None);
        RunLock::take(&store, &cluster, &holder("run-2"), since).unwrap();
    }

    #[test]
    fn each_cluster_has_its_own_file_inside_the_folder() {
        let store = Path::new("/f/state.db");
        let long = "x".repeat(5_000);
        let names = [
            "eu-4",
            "EU-4",
            "Eu-4",
            "..",
            "",
            "/",
            "../../etc/passwd",
            "arn:aws:eks:eu-west-1:1:cluster/prod",
            "arn:aws:eks:eu-west-1:1:cluster_prod",
            "kim@corp",
            "kim_corp",
            "ä\0\n",
            &long,
        ];
        let files: std::collections::BTreeSet<PathBuf> = names
            .iter()
            .map(|name| lock_file(store, &ClusterName::new(*name)))
            .collect();
        assert_eq!(files.len(), names.len());
        for file in &files {
            assert_eq!(file.parent(), Some(Path::new("/f")));
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(name.is_ascii() && name.len() < 255 && name.starts_with("state.db."));
            assert!(name.chars().all(|c| !c.is_control()));
        }
        let file = lock_file(store, &ClusterName::new("eu-4"));
        assert_eq!(file, Path::new("/f/state.db.eu-4.lock"));
    }

    #[test]
    fn a_note_that_cannot_be_read_still_means_held() {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("state.db");
        let cluster = ClusterName::new("eu-4");
        let _first = RunLock::take(&store, &cluster, &holder("r"), Timestamp::UNIX_EPOCH).unwrap();
        std::fs::write(lock_file(&store, &cluster), "not json").unwrap();
        let error = RunLock::take(&store, &cluster, &holder("r2"), Timestamp::UNIX_EPOCH);
        assert_eq!(error.unwrap_err().to_string(), "another run holds eu-4");
    }
}
