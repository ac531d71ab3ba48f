//! Control planes that outlive the process that started them, for demos and for trying things out by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::control_plane::merged_kubeconfig;
use crate::seed::{Seed, SeededRelease};
use crate::{ControlPlane, Error, Options};

/// Says that a directory is a fleet's, so that nothing else is ever removed.
const MARKER: &str = "releases.json";

/// A killed process is gone at once; its parent may take a moment to notice.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running fleet.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fleet {
    /// One kubeconfig with the contexts `demo-1`, `demo-2`, ….
    pub kubeconfig: PathBuf,
    /// A fleet.toml that names them.
    pub fleet_toml: PathBuf,
    /// The description of each release, as JSON.
    pub releases_json: PathBuf,
    /// The same.
    pub releases: Vec<SeededRelease>,
}

/// Starts control planes `demo-1` to `demo-<clusters>` in `dir`, grows the seed on them and leaves them running.
/// If anything fails, nothing is left.
pub fn up(dir: &Path, clusters: usize, seed: Seed) -> Result<Fleet, Error> {
    let dir = std::path::absolute(dir).map_err(Error::file("find", dir))?;
    if dir.join(MARKER).exists() {
        let text = format!(
            "a fleet is in {} already; end it with `cargo xtask fleet down`",
            dir.display()
        );
        return Err(Error::Misuse(text));
    }
    fs::create_dir_all(&dir).map_err(Error::file("create", &dir))?;
    write(&dir.join(MARKER), "[]")?;
    start(&dir, clusters, seed).inspect_err(|_| {
        // The first error is the one to tell.
        let _ = down(&dir);
    })
}

fn start(dir: &Path, clusters: usize, seed: Seed) -> Result<Fleet, Error> {
    let planes = ControlPlane::start_all((1..=clusters).map(|number| {
        let name = format!("demo-{number}");
        Options {
            data_dir: Some(dir.join(&name)),
            detached: true,
            ..Options::new(&name)
        }
    }))?;
    let releases = seed.grow(&planes)?;
    let fleet = Fleet {
        kubeconfig: dir.join("kubeconfig"),
        fleet_toml: dir.join("fleet.toml"),
        releases_json: dir.join(MARKER),
        releases,
    };
    write(&fleet.kubeconfig, &merged_kubeconfig(&planes)?)?;
    let kubeconfig = serde_json::Value::from(fleet.kubeconfig.display().to_string());
    write(
        &fleet.fleet_toml,
        &format!(
            "[fleet]\nname = \"acme\"\n\n[[clusters]]\ncontexts = \"demo-*\"\nkubeconfig = {kubeconfig}\n"
        ),
    )?;
    let json = serde_json::to_string_pretty(&fleet.releases).map_err(|source| Error::Json {
        what: "the list of releases".into(),
        source,
    })?;
    write(&fleet.releases_json, &json)?;
    Ok(fleet)
}

/// Ends the fleet in `dir` and removes the directory; the number of ended processes.
pub fn down(dir: &Path) -> Result<usize, Error> {
    let dir = std::path::absolute(dir).map_err(Error::file("find", dir))?;
    if !dir.join(MARKER).exists() {
        return Err(Error::Misuse(format!("no fleet is in {}", dir.display())));
    }
    let mut ended = 0;
    for plane in entries(&dir)? {
        let pids = plane.join("pid");
        if !pids.is_dir() {
            continue;
        }
        for file in entries(&pids)? {
            let text = fs::read_to_string(&file).map_err(Error::file("read", &file))?;
            let id = text.trim().parse().ok().and_then(Pid::from_raw);
            // A number may belong to somebody else after a reboot: only a process that names our directory is ours.
            if let Some(id) = id.filter(|id| is_of(*id, &plane)) {
                // Fails only when it has just ended.
                let _ = kill_process(id, Signal::KILL);
                let start = Instant::now();
                while is_of(id, &plane) && start.elapsed() < PATIENCE {
                    std::thread::sleep(Duration::from_millis(10));
                }
                ended += 1;
            }
        }
    }
    fs::remove_dir_all(&dir).map_err(Error::file("remove", &dir))?;
    Ok(ended)
}

/// Whether this process names the directory in its arguments. A process that has ended has none.
fn is_of(id: Pid, plane: &Path) -> bool {
    let arguments = fs::read(format!("/proc/{}/cmdline", id.as_raw_nonzero())).unwrap_or_default();
    let wanted = plane.as_os_str().as_encoded_bytes();
    arguments
        .windows(wanted.len().max(1))
        .any(|window| window == wanted)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    fs::read_dir(dir)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect()
        })
        .map_err(Error::file("read", dir))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::file("write", path))
}
