//! The refit binary, called as a user calls it: in a folder with a fleet.toml, no terminal, nothing of the
//! developer's environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::control_plane::merged_kubeconfig;
use crate::scratch::Scratch;
use crate::{ControlPlane, Error};

/// Limits of the demo's fleet: loopback servers take far more than the defaults, which are made for production.
const LIMITS: &str = "limits = { writes_per_second = 200, in_flight = 4 }";

/// refit and the folder that it works in.
pub struct Refit {
    program: PathBuf,
    folder: Scratch,
}

/// What a call said.
pub struct Answer {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// The document on stdout; null if there is none.
    pub value: Value,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Answer {
    /// The last lines of standard error.
    pub fn stderr_tail(&self) -> String {
        let lines: Vec<&str> = self.stderr.lines().collect();
        lines
            .get(lines.len().saturating_sub(TAIL)..)
            .unwrap_or_default()
            .join("\n")
    }
}

/// Lines of a tail: enough for totals and the next command.
const TAIL: usize = 4;

/// Exit code 3: some releases were handed back; lawful in a demo with drift.
const SOME_NOT_DONE: i32 = 3;

impl Refit {
    /// In a folder of its own, with a fleet.toml over these control planes.
    pub fn beside(program: PathBuf, planes: &[ControlPlane]) -> Result<Self, Error> {
        let folder = Scratch::new("refit")?;
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))
        };
        file("kubeconfig", &merged_kubeconfig(planes)?)?;
        file(
            "fleet.toml",
            &format!(
                "[fleet]\nname = \"acme\"\n\n[[clusters]]\ncontexts = \"demo-*\"\nkubeconfig = \"kubeconfig\"\n{LIMITS}\n\n\
                 [limits]\nwrites_per_second = 1000\n\n[undo]\ndwell = \"2s\"\n"
            ),
        )?;
        Ok(Self { program, folder })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A call, to be changed and started by the caller.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder())
            .env("USER", "demo")
            .stdin(std::process::Stdio::null());
        command
    }

    /// Calls it and takes whatever comes.
    pub fn call(&self, args: &[&str]) -> Result<Answer, Error> {
        let output = self.command(args).output().map_err(|source| Error::Start {
            program: self.program.display().to_string(),
            source,
        })?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Answer {
            code: output.status.code().unwrap_or(-1),
            value: serde_json::from_str(&stdout).unwrap_or(Value::Null),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            stdout,
        })
    }

    /// Calls it; only 0 and 3 are fine.
    pub fn json(&self, args: &[&str]) -> Result<Answer, Error> {
        let answer = self.call(args)?;
        if answer.code == 0 || answer.code == SOME_NOT_DONE {
            return Ok(answer);
        }
        Err(Error::Misuse(format!(
            "refit {} ended with {}:\n{}",
            args.join(" "),
            answer.code,
            answer.stderr
        )))
    }

    /// Calls it for people: what stands on stdout, and the totals below it.
    pub fn text(&self, args: &[&str]) -> Result<String, Error> {
        let answer = self.json(args)?;
        Ok(format!("{}{}", answer.stdout, answer.stderr))
    }
}
