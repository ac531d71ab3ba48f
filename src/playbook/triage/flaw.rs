//! Flaws of a file of rules, each with its place.

use std::fmt;
use std::ops::Range;

/// Flaws shown at most: past this the file is something else.
const MAX_FLAWS: usize = 100;

/// One flaw.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// A file of rules that is refused, with what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct TriageInvalid {
    /// The file, as the user named it.
    pub file: String,
    /// At least one, in the order of their places.
    pub flaws: Vec<Flaw>,
}

impl fmt::Display for TriageInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.flaws.len() == 1 { "" } else { "s" };
        write!(f, "{} error{plural} in {}", self.flaws.len(), self.file)
    }
}

impl TriageInvalid {
    /// A line a flaw: `triage.toml:12:3  unknown field …`.
    pub fn lines(&self) -> Vec<String> {
        let line = |it: &Flaw| format!("{}:{}:{}  {}", self.file, it.line, it.column, it.message);
        self.flaws.iter().map(line).collect()
    }
}

/// Flaws while they are being found.
pub(super) struct Flaws<'a> {
    file: &'a str,
    text: &'a str,
    found: Vec<Flaw>,
}

impl<'a> Flaws<'a> {
    pub(super) const fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text,
            found: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, at: Range<usize>, message: impl Into<String>) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or("").chars().count() + 1;
        let message = message.into();
        // toml's messages may have several lines: the place is ours to tell.
        let message = message.lines().collect::<Vec<_>>().join("; ");
        self.found.push(Flaw {
            line,
            column,
            message,
        });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn finish(mut self) -> TriageInvalid {
        self.found.sort();
        self.found.dedup();
        self.found.truncate(MAX_FLAWS);
        TriageInvalid {
            file: self.file.to_owned(),
            flaws: self.found,
        }
    }
}
