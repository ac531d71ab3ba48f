//! Directories that go away: at drop, or, after a kill, when the next process comes by.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// Held locked for as long as its directory is in use.
const ALIVE: &str = "alive.lock";

/// A directory of one owner.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// The lock that says the owner lives; `None` for a directory that outlives its process.
    alive: Option<File>,
}

impl Scratch {
    /// A new directory below the testbed's own; sweeps away those whose owners are dead.
    pub fn new(name: &str) -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let base = base()?;
        // Nobody sweeps between the making of a directory and its locking.
        let gate_path = base.join("gate.lock");
        let gate = File::create(&gate_path).map_err(Error::file("create", &gate_path))?;
        gate.lock().map_err(Error::file("lock", &gate_path))?;
        sweep(&base);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        let lock_path = path.join(ALIVE);
        let alive = File::create(&lock_path).map_err(Error::file("create", &lock_path))?;
        alive.lock().map_err(Error::file("lock", &lock_path))?;
        Ok(Self {
            path,
            alive: Some(alive),
        })
    }

    /// A given directory that stays when this value is dropped.
    pub fn kept(path: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&path).map_err(Error::file("create", &path))?;
        Ok(Self { path, alive: None })
    }

    /// A given directory that goes when this value is dropped.
    pub fn owned(path: PathBuf) -> Result<Self, Error> {
        let mut scratch = Self::kept(path)?;
        let lock_path = scratch.path.join(ALIVE);
        scratch.alive = Some(File::create(&lock_path).map_err(Error::file("create", &lock_path))?);
        Ok(scratch)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.alive.is_some() {
            // A directory that cannot be removed now is swept by the next process.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The testbed's own directory for temporary files, one per user.
pub fn base() -> Result<PathBuf, Error> {
    let uid = rustix::process::getuid().as_raw();
    let base = std::env::temp_dir().join(format!("refit-testbed-{uid}"));
    // Tokens are in it: nobody else's business.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&base)
        .map_err(Error::file("create", &base))?;
    Ok(base)
}

/// Removes directories whose lock nobody holds. What cannot be removed stays for the next sweep.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let lock = File::open(entry.path().join(ALIVE));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_owners_directory_is_swept_and_a_living_ones_is_not() {
        let living = Scratch::new("sweep").unwrap();
        let mut dead = Scratch::new("sweep").unwrap();
        let dead_path = dead.path().to_owned();
        // What a kill leaves: the directory, and a lock that nobody holds.
        dead.alive = None;
        drop(dead);
        assert!(dead_path.is_dir());
        let _next = Scratch::new("sweep").unwrap();
        assert!(!dead_path.exists());
        assert!(living.path().is_dir());
    }
}
