//! The Go program that links Kubernetes' own library: built on first use, asked line by line.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The running program.
pub struct Oracle {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the program, built into `dir`.
    pub fn start(dir: &Path) -> Self {
        static BINARY: OnceLock<PathBuf> = OnceLock::new();
        let binary = BINARY.get_or_init(|| build(dir));
        let mut child = Command::new(binary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            stdin,
            stdout,
        }
    }

    /// The answer to one request.
    pub fn ask(&mut self, request: &Value) -> Value {
        let mut line = request.to_string();
        line.push('\n');
        self.stdin
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        line.clear();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line)
            .unwrap_or_else(|e| panic!("the oracle answered {line:?} ({e}) to {request}"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.stdin.take();
        let _ = self.child.wait();
    }
}

fn build(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/oracle");
    let binary = dir.join("ownership-oracle");
    let output = Command::new("go")
        .arg("build")
        .arg("-o")
        .arg(&binary)
        .arg(".")
        .current_dir(&source)
        .output();
    let output = output.unwrap_or_else(|error| {
        panic!(
            "the differential test compares with Kubernetes' own Go library and needs the Go toolchain (1.26 or newer): \
             cannot run `go`: {error}. Install Go from your distribution or go.dev and put `go` into PATH."
        )
    });
    assert!(
        output.status.success(),
        "`go build` of {} failed (the first build downloads Go modules):\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    binary
}
