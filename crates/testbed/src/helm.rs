//! A real Helm 3 or Helm 4, bound to one cluster, with its own directories.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use crate::control_plane::ADMIN;
use crate::{ControlPlane, Error, Tool, env};

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended with 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A Helm bound to one cluster. It sees nothing of the developer's own Helm or kubeconfig.
#[derive(Debug, Clone)]
pub struct Helm {
    program: PathBuf,
    home: PathBuf,
    kubeconfig: PathBuf,
    context: String,
}

impl Helm {
    /// Helm 3 as the admin.
    pub fn v3(plane: &ControlPlane) -> Result<Self, Error> {
        Self::new(Tool::Helm3, plane)
    }

    /// Helm 4 as the admin.
    pub fn v4(plane: &ControlPlane) -> Result<Self, Error> {
        Self::new(Tool::Helm4, plane)
    }

    fn new(tool: Tool, plane: &ControlPlane) -> Result<Self, Error> {
        Ok(Self {
            program: tool.path()?,
            home: plane.dir().join(tool.name()),
            kubeconfig: plane.kubeconfig(ADMIN),
            context: plane.context().to_owned(),
        })
    }

    /// The same Helm as another user: the file is one of [`ControlPlane::kubeconfig`].
    #[must_use]
    pub fn with_kubeconfig(mut self, kubeconfig: PathBuf) -> Self {
        self.kubeconfig = kubeconfig;
        self
    }

    /// The command with its environment, for callers who need more than [`Helm::run`] (to kill it, for one).
    pub fn command<S: AsRef<OsStr>>(
        &self,
        namespace: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", env::path())
            .env("HOME", &self.home)
            .env("HELM_CACHE_HOME", self.home.join("cache"))
            .env("HELM_CONFIG_HOME", self.home.join("config"))
            .env("HELM_DATA_HOME", self.home.join("data"))
            .env("KUBECONFIG", &self.kubeconfig)
            .args(["--kube-context", &self.context, "--namespace", namespace])
            .args(args);
        command
    }

    /// Runs it and gives its output, whichever way it ended.
    pub fn try_run<S: AsRef<OsStr>>(
        &self,
        namespace: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Output, Error> {
        let output = self
            .command(namespace, args)
            .output()
            .map_err(|source| Error::Start {
                program: self.program.display().to_string(),
                source,
            })?;
        Ok(Output {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it and gives its standard output; an error if it failed.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        namespace: &str,
        args: impl IntoIterator<Item = S>,
    ) -> Result<String, Error> {
        let args: Vec<_> = args
            .into_iter()
            .map(|arg| arg.as_ref().to_owned())
            .collect();
        let output = self.try_run(namespace, &args)?;
        if output.success {
            return Ok(output.stdout);
        }
        let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        Err(Error::Command {
            command: format!("helm -n {namespace} {}", words.join(" ")),
            status: "exit status not 0".into(),
            stderr: output.stderr,
        })
    }
}
