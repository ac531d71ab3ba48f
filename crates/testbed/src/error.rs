//! What can go wrong, one variant an operation.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A failure of the testbed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A binary is neither there nor buildable.
    #[error(
        "{tool} {version} is not here and cannot be built: there is no `go` on PATH; \
         install Go 1.26 or newer (package golang, or go.dev/dl), then run `cargo xtask tools`"
    )]
    NoGo {
        /// Name of the binary.
        tool: &'static str,
        /// The version that is wanted.
        version: &'static str,
    },
    /// `go build` failed.
    #[error("building {tool} {version} failed; the end of go's output:\n{output}")]
    Build {
        /// Name of the binary.
        tool: &'static str,
        /// The version that is wanted.
        version: &'static str,
        /// The last lines of its output.
        output: String,
    },
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as a verb: "read", "create".
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A process could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// Keys or certificates could not be made.
    #[error("cannot make keys and certificates")]
    Keys(#[source] rcgen::Error),
    /// No free port in the testbed's range.
    #[error("no free port on 127.0.0.1 between {0} and {1}")]
    Ports(u16, u16),
    /// Something did not come up in time.
    #[error("{what} was not ready after {} s: {last}\n{log}", after.as_secs())]
    NotReady {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// What was seen last.
        last: String,
        /// The end of the server's log, if there is one.
        log: String,
    },
    /// A request did not get an answer.
    #[error("{method} {path} got no answer")]
    Http {
        /// The HTTP method.
        method: &'static str,
        /// Path and query.
        path: String,
        /// Why not.
        source: Box<ureq::Error>,
    },
    /// A request was refused.
    #[error("{method} {path} answered {status}: {message}")]
    Refused {
        /// The HTTP method.
        method: &'static str,
        /// Path and query.
        path: String,
        /// The HTTP status.
        status: u16,
        /// The server's message.
        message: String,
    },
    /// A command ended with an error.
    #[error("`{command}` failed ({status}): {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// Its standard error.
        stderr: String,
    },
    /// A text is not the JSON that was expected.
    #[error("{what} is not the JSON that was expected")]
    Json {
        /// Which text.
        what: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// A program of the operating system is missing.
    #[error("{program} is not on PATH; install {package}")]
    NoProgram {
        /// The program.
        program: &'static str,
        /// The package that has it.
        package: &'static str,
    },
    /// The call does not fit the state of things.
    #[error("{0}")]
    Misuse(String),
    /// A seeded release did not become what it should.
    #[error("seeding {release}: {what}")]
    Seed {
        /// Cluster, namespace and name.
        release: String,
        /// What happened instead.
        what: String,
    },
}

impl Error {
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}
