//! Child processes that die with their owner.
//!
//! `setpriv --pdeathsig KILL` asks the kernel to kill the child when its parent *thread* ends. A test's thread ends
//! before its process does, so all children are started by one thread that lives as long as the process.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::{Error, env};

/// How much of a log an error carries.
const LOG_LINES: usize = 25;

/// Starts wait for each other anyway: forking takes a millisecond.
const QUEUE: usize = 1;

/// Who a process belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// It is killed when this process ends, whichever way.
    Owner,
    /// It stays until somebody ends it by its pid file.
    Detached,
}

/// A running server.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    lifetime: Lifetime,
}

impl Process {
    /// Starts `program` with its output in `<dir>/log/<name>.log` and its process id in `<dir>/pid/<name>`.
    pub fn start(
        name: &str,
        program: &Path,
        args: &[String],
        dir: &Path,
        lifetime: Lifetime,
    ) -> Result<Self, Error> {
        let (logs, pids) = (dir.join("log"), dir.join("pid"));
        for dir in [&logs, &pids] {
            fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
        }
        let log = logs.join(format!("{name}.log"));
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(Error::file("create", &log))?;
        let err = out.try_clone().map_err(Error::file("open", &log))?;
        let mut command = match lifetime {
            Lifetime::Detached => Command::new(program),
            Lifetime::Owner => {
                let setpriv = env::on_path("setpriv").ok_or_else(|| Error::NoProgram {
                    program: "setpriv",
                    package: "util-linux",
                })?;
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
        };
        // A group of its own: Ctrl-C in the terminal ends the owner, who then stops its children in order.
        command
            .args(args)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0);
        let child = spawn(command).map_err(|source| Error::Start {
            program: name.into(),
            source,
        })?;
        let pid = pids.join(name);
        fs::write(&pid, child.id().to_string()).map_err(Error::file("write", &pid))?;
        Ok(Self {
            child,
            log,
            lifetime,
        })
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.len().saturating_sub(LOG_LINES);
        format!(
            "the end of {}:\n{}",
            self.log.display(),
            lines[tail..].join("\n")
        )
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it and waits until it is gone. Its data is thrown away, so nothing needs a gentle end.
    pub fn kill(&mut self) {
        // Fails only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Owner {
            self.kill();
        }
    }
}

type Request = (Command, SyncSender<io::Result<Child>>);

/// Spawns from the one thread that lives as long as the process.
fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<SyncSender<Request>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, receiver) = sync_channel::<Request>(QUEUE);
        std::thread::spawn(move || {
            for (mut command, answer) in receiver {
                // Nobody waits any more: the child is dropped, and ends with us.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    });
    let gone = || io::Error::other("the spawning thread is gone");
    let (answer, result) = sync_channel(QUEUE);
    let request = (command, answer);
    spawner
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(request)
        .map_err(|_| gone())?;
    result.recv().map_err(|_| gone())?
}
