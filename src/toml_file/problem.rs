//! Flaws of a file: each with line, column and the text that it is about.

use std::fmt;
use std::ops::Range;

use super::shape::Shape;

/// Flaws shown at most: past this the file is not a fleet.toml at all.
const MAX_PROBLEMS: usize = 100;

/// Characters of an excerpt shown at most: what fits beside a place and a message.
const MAX_EXCERPT: usize = 60;

/// A file that is refused, with all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigInvalid {
    /// The file, as the user named it.
    pub file: String,
    /// At least one, in the order of their places.
    pub problems: Vec<Problem>,
    /// Flaws beyond those.
    pub more: usize,
}

/// One flaw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key with its value, or the line: on one line, without passwords.
    pub excerpt: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemKind {
    /// No TOML.
    #[error("{0}")]
    Syntax(String),
    /// Nobody knows this key here.
    #[error("unknown key; {hint}")]
    UnknownKey {
        /// What may have been meant, or what there is.
        hint: String,
    },
    /// A key of a later refit.
    #[error("{key} is not supported yet by this version of refit: remove it")]
    NotSupportedYet {
        /// The key, with its section.
        key: String,
    },
    /// Something must be said and is not.
    #[error("{0}")]
    Missing(String),
    /// A kubeconfig could not be read.
    #[error("no contexts: {0}")]
    Kubeconfig(String),
    /// No context of that name, or none that the glob matches.
    #[error("no context matches \"{pattern}\"; {}", near(close, *available, origin))]
    ContextNotFound {
        /// Name or glob.
        pattern: String,
        /// How many contexts there are.
        available: usize,
        /// In which files.
        origin: String,
        /// Those with a similar name, the closest first.
        close: Vec<String>,
    },
    /// A value that cannot be.
    #[error("{0}")]
    Invalid(String),
}

fn near(close: &[String], available: usize, origin: &str) -> String {
    let count = format!("{available} contexts in {origin}");
    if close.is_empty() {
        count
    } else {
        format!("{count}; close: {}", close.join(", "))
    }
}

impl ConfigInvalid {
    /// One flaw of the file as a whole.
    pub fn whole_file(file: &str, message: String) -> Self {
        Self {
            file: file.to_owned(),
            problems: vec![Problem {
                file: file.to_owned(),
                line: 1,
                column: 1,
                excerpt: String::new(),
                kind: ProblemKind::Invalid(message),
            }],
            more: 0,
        }
    }

    /// How many flaws.
    pub fn count(&self) -> usize {
        self.problems.len() + self.more
    }

    /// The stable code: `ContextNotFound` if that is all that is wrong, else `ConfigInvalid`.
    pub fn code(&self) -> &'static str {
        let lost = |problem: &Problem| matches!(problem.kind, ProblemKind::ContextNotFound { .. });
        if self.problems.iter().all(lost) {
            "ContextNotFound"
        } else {
            "ConfigInvalid"
        }
    }

    /// One line a flaw, in three columns: place, excerpt, message.
    pub fn lines(&self) -> Vec<String> {
        let place =
            |problem: &Problem| format!("{}:{}:{}", problem.file, problem.line, problem.column);
        let chars = |text: &str| text.chars().count();
        let places = self.problems.iter().map(|p| chars(&place(p))).max();
        let excerpts = self.problems.iter().map(|p| chars(&p.excerpt)).max();
        let (places, excerpts) = (places.unwrap_or(0), excerpts.unwrap_or(0));
        let mut lines: Vec<String> = self
            .problems
            .iter()
            .map(|problem| {
                format!(
                    "{:places$}  {:excerpts$}  {}",
                    place(problem),
                    problem.excerpt,
                    problem.kind
                )
            })
            .collect();
        if self.more > 0 {
            lines.push(format!("and {} more", self.more));
        }
        lines
    }
}

impl fmt::Display for ConfigInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len() + self.more;
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} error{plural} in {}", self.file)
    }
}

/// Texts of files, to turn offsets into places.
#[derive(Debug, Default)]
pub struct Source<'a> {
    files: Vec<FileText<'a>>,
}

#[derive(Debug)]
struct FileText<'a> {
    name: &'a str,
    text: &'a str,
    /// Offset of its first byte.
    base: usize,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// One file.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        let mut source = Self::default();
        source.add(file, text);
        source
    }

    /// One file more; the offset of its first byte.
    pub(super) fn add(&mut self, name: &'a str, text: &'a str) -> usize {
        // The end of a file is a place too, so the next one begins one further.
        let base = self
            .files
            .last()
            .map_or(0, |last| last.base + last.text.len() + 1);
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        self.files.push(FileText {
            name,
            text,
            base,
            line_starts: std::iter::once(0)
                .chain(starts.map(|(at, _)| at + 1))
                .collect(),
        });
        base
    }

    /// The file of an offset.
    fn at(&self, offset: usize) -> Option<&FileText<'a>> {
        let after = self.files.partition_point(|file| file.base <= offset);
        self.files.get(after.saturating_sub(1))
    }

    /// Name of the file of an offset.
    pub fn file(&self, offset: usize) -> &'a str {
        self.at(offset).map_or("", |file| file.name)
    }

    /// Line and column of an offset, both from 1.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let Some(file) = self.at(offset) else {
            return (1, 1);
        };
        let offset = offset - file.base;
        let line = file.line_starts.partition_point(|start| *start <= offset);
        let start = file
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let before = file.text.get(start..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }

    /// The text of a range.
    pub fn text(&self, range: &Range<usize>) -> Option<&'a str> {
        let file = self.at(range.start)?;
        file.text
            .get(range.start - file.base..range.end.checked_sub(file.base)?)
    }

    /// The text of a range if it is one line, else the line where it begins: as for a section's head.
    fn excerpt(&self, range: &Range<usize>) -> String {
        let Some(file) = self.at(range.start) else {
            return String::new();
        };
        let (line, _) = self.place(range.start);
        let whole = file.text.lines().nth(line - 1).unwrap_or("");
        let is_head = whole.trim_start().starts_with('[');
        let within = self
            .text(range)
            .filter(|text| !is_head && !text.is_empty() && !text.contains('\n'));
        let shown = without_passwords(within.unwrap_or(whole).trim());
        if shown.chars().count() > MAX_EXCERPT {
            shown.chars().take(MAX_EXCERPT - 1).chain(['…']).collect()
        } else {
            shown
        }
    }
}

/// Flaws while they are being found. `place` is what the message is about, `shown` what the user sees of the file.
#[derive(Default)]
pub struct Problems {
    found: Vec<(Range<usize>, Range<usize>, ProblemKind)>,
    family: &'static [&'static Shape],
}

impl Problems {
    /// Of a file with these sections: an unknown key may belong into another one.
    pub fn of(family: &'static [&'static Shape]) -> Self {
        Self {
            found: Vec::new(),
            family,
        }
    }

    /// Every section of the file.
    pub(super) fn family(&self) -> &'static [&'static Shape] {
        self.family
    }

    /// One more.
    pub fn add(&mut self, place: Range<usize>, shown: Range<usize>, kind: ProblemKind) {
        self.found.push((place, shown, kind));
    }

    /// A value that cannot be.
    pub fn invalid(
        &mut self,
        place: Range<usize>,
        shown: Range<usize>,
        message: impl Into<String>,
    ) {
        self.add(place, shown, ProblemKind::Invalid(message.into()));
    }

    /// Something must be said and is not.
    pub fn missing(&mut self, place: Range<usize>, message: impl Into<String>) {
        self.add(place.clone(), place, ProblemKind::Missing(message.into()));
    }

    /// None so far?
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them with places. Where the text is not even TOML, what seems to be missing may only not have been read,
    /// and a second flaw on the same line is an echo of the first: neither is told.
    pub fn finish(self, source: &Source<'_>) -> ConfigInvalid {
        let broken: Vec<(&str, usize)> = self
            .found
            .iter()
            .filter(|(_, _, kind)| matches!(kind, ProblemKind::Syntax(_)))
            .map(|(place, _, _)| (source.file(place.start), source.place(place.start).0))
            .collect();
        let mut all: Vec<Problem> = self
            .found
            .into_iter()
            .map(|(place, shown, kind)| {
                let (line, column) = source.place(place.start);
                Problem {
                    file: source.file(place.start).to_owned(),
                    line,
                    column,
                    excerpt: source.excerpt(&shown),
                    kind,
                }
            })
            .filter(|problem| match problem.kind {
                ProblemKind::Syntax(_) => true,
                ProblemKind::Missing(_) => broken.is_empty(),
                _ => !broken.contains(&(problem.file.as_str(), problem.line)),
            })
            .collect();
        // The first file is the one that the user asked for.
        let rank = |problem: &Problem| source.files.iter().position(|it| it.name == problem.file);
        all.sort_by_key(|problem| (rank(problem), problem.line, problem.column));
        all.dedup();
        let more = all.len().saturating_sub(MAX_PROBLEMS);
        all.truncate(MAX_PROBLEMS);
        ConfigInvalid {
            file: source.file(0).to_owned(),
            problems: all,
            more,
        }
    }
}

/// Takes user and password out of every `scheme://user:password@host`.
fn without_passwords(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ','))
            .unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        shown.push_str(before);
        match url.rfind('@') {
            Some(host) => {
                shown.push('…');
                shown.push_str(&url[host..]);
            }
            None => shown.push_str(url),
        }
        rest = tail;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters() {
        let source = Source::new("f", "a\nß = 1\n\nend");
        assert_eq!(source.place(0), (1, 1));
        assert_eq!(source.place(2), (2, 1));
        assert_eq!(source.place(5), (2, 3));
        assert_eq!(source.place(9), (3, 1));
        assert_eq!(source.place(13), (4, 4));
        assert_eq!(source.place(99).0, 4);
    }

    #[test]
    fn a_password_never_shows() {
        assert_eq!(
            without_passwords("state = \"postgres://kim:s3cret@db/refit\" # u://x"),
            "state = \"postgres://…@db/refit\" # u://x"
        );
        assert_eq!(
            without_passwords("postgres://kim:p@ss@db"),
            "postgres://…@db"
        );
    }
}
