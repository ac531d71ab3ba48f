//! What is lawful, but maybe not meant.

/// A warning about fleet.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, from 1.
    pub line: usize,
    /// What it will mean.
    pub text: String,
    /// What to do if that is not meant.
    pub next: String,
}
