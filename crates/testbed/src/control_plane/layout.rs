//! Where the files of one control plane are.

use std::path::PathBuf;

/// The paths below its data directory.
#[derive(Debug, Clone)]
pub struct Layout {
    pub dir: PathBuf,
}

impl Layout {
    pub fn pki(&self) -> PathBuf {
        self.dir.join("pki")
    }

    pub fn tokens(&self) -> PathBuf {
        self.dir.join("tokens.csv")
    }

    pub fn audit_policy(&self) -> PathBuf {
        self.dir.join("audit-policy.json")
    }

    pub fn audit_log(&self) -> PathBuf {
        self.dir.join("audit.jsonl")
    }

    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.join(format!("{user}.kubeconfig"))
    }
}
