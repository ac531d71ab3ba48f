//! Errors as a user sees them: what, where, why, and what to do next; with a stable code and an exit code.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::exit::Exit;
use crate::render::{Next, text};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident => $exit:ident;)+) => {
        /// A stable word for a kind of error; `refit help CODE` is its page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name,)+
        }

        impl ErrorCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The exit code it ends the process with, unless the place that raises it says otherwise.
            pub const fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)+ }
            }

            /// What it means and what to do.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n",)+),)+ }
            }
        }
    };
}

error_codes! {
    /// The command line is wrong: an unknown verb or flag, or a value that does not parse. Nothing was read or written.
    Usage => Error;
    /// fleet.toml is not valid. All errors are listed at once, each with its place.
    ConfigInvalid => Error;
    /// No context of the kubeconfig, or no cluster of the fleet, matches what was asked for.
    ContextNotFound => Error;
    /// No cluster answered. If only some did not, that is a warning and a row, and the exit code is 0.
    Unreachable => Error;
    /// A cluster refuses a request that refit needs: a role lacks verbs.
    Forbidden => Error;
    /// The clusters answered, and hold no release within the scope. Look at HELM_DRIVER, `-n` and `-l`.
    NothingFound => Error;
    /// A file cannot be read or written.
    FileFailed => Error;
    /// A file is no document of refit, or is damaged.
    FileInvalid => Error;
    /// A file is a document of another kind: a verb was given the output of the wrong stage.
    WrongKind => Error;
    /// The plan's digest does not fit its content: it was edited after it was made.
    PlanEdited => StalePlan;
    /// The plan had to be started earlier. Its facts are too old to act upon.
    PlanExpired => StalePlan;
    /// The plan was made by another version of refit, which may decide differently.
    PlanOfOtherTool => StalePlan;
    /// Another process holds a cluster that this run needs. All claims are taken before the first write, so nothing was written.
    LockHeld => LockHeld;
    /// Another process took a cluster over from this one. This process stopped and leaves everything to the other.
    Fenced => LockHeld;
    /// A question must be answered and there is no terminal to ask on: give `--yes`, and `--confirm FLEET` where the fleet's name is asked for.
    NoTerminal => Error;
    /// The question was not answered with what it asked for. Nothing was written.
    NotConfirmed => Error;
    /// Releases wait for each other: there is no order to migrate them in.
    Cycle => Error;
    /// No run of that name is in the store; or none is open, or several are and one must be named.
    RunNotFound => Error;
    /// No such release in the fleet, the plan or the run.
    ReleaseNotFound => Error;
    /// The state store cannot be used: away, full, damaged, or of another schema.
    StoreFailed => Error;
    /// A cluster failed while it was being read or written. Writes were journaled: `refit resume` goes on.
    ClusterFailed => Error;
    /// Interrupted by the operator, at a safe point.
    Interrupted => Interrupted;
    /// A fault of refit itself. Please report it with the command and its output at `-vv`.
    Internal => Error;
}

/// What to do next, below an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command of refit.
    Refit(Next),
    /// Words, or a command of another tool.
    Words(String),
}

impl From<Next> for Step {
    fn from(next: Next) -> Self {
        Self::Refit(next)
    }
}

impl From<&str> for Step {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Step {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl Step {
    fn text(&self) -> String {
        match self {
            Self::Refit(next) => next.command(),
            Self::Words(words) => words.clone(),
        }
    }
}

/// An error as a user sees it. Never holds values of Secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct CliError {
    /// Its kind.
    pub code: ErrorCode,
    /// The process's exit code.
    pub exit: Exit,
    /// What happened: one line, lower case, no full stop.
    pub what: String,
    /// Where: places in files, objects, clusters; a line each.
    pub place: Vec<String>,
    /// Why.
    pub why: Vec<String>,
    /// What to do next.
    pub next: Vec<Step>,
}

impl CliError {
    /// An error with its code's exit.
    pub fn new(code: ErrorCode, what: impl Into<String>) -> Self {
        Self {
            code,
            exit: code.exit(),
            what: what.into(),
            place: Vec::new(),
            why: Vec::new(),
            next: Vec::new(),
        }
    }

    /// An error from a library's: its words, and its sources as the why, each once.
    pub fn of(code: ErrorCode, error: &dyn std::error::Error) -> Self {
        let mut made = Self::new(code, error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            let words = cause.to_string();
            if made.why.last() != Some(&words) {
                made.why.push(words);
            }
            source = cause.source();
        }
        made
    }

    /// Wrong usage.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(ErrorCode::Usage, what)
    }

    /// A fault of refit itself.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, what)
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place.push(place.into());
        self
    }

    /// Adds a reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Adds a next step.
    #[must_use]
    pub fn next(mut self, step: impl Into<Step>) -> Self {
        self.next.push(step.into());
        self
    }

    /// Another exit code than its kind's.
    #[must_use]
    pub fn exits(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// For people. `width` is the terminal's: the code stands at its right edge if it fits there.
    pub fn text(&self, width: Option<usize>) -> String {
        let what = format!("error: {}", text::one_line(&self.what));
        let code = format!("{}, exit {}", self.code.word(), self.exit.code());
        let used = text::width(&what) + text::width(&code);
        let gap = width.map_or(3, |columns| columns.saturating_sub(used).max(3));
        let mut out = format!("{what}{}{code}\n", " ".repeat(gap));
        let next: Vec<String> = self.next.iter().map(Step::text).collect();
        for (label, lines) in [
            ("where:", &self.place),
            ("why:", &self.why),
            ("next:", &next),
        ] {
            for (row, line) in lines.iter().flat_map(|words| words.lines()).enumerate() {
                let label = if row == 0 { label } else { "" };
                let _ = writeln!(out, "{label:<7}{}", text::one_line(line));
            }
        }
        out
    }

    /// For programs: `kind: Error`.
    pub fn json(&self) -> Value {
        let mut map = Map::new();
        map.insert("apiVersion".into(), json!(crate::render::API_VERSION));
        map.insert("kind".into(), json!("Error"));
        map.insert("code".into(), json!(self.code.word()));
        map.insert("message".into(), json!(self.what));
        map.insert("exitCode".into(), json!(self.exit.code()));
        if !self.place.is_empty() {
            map.insert("where".into(), json!(self.place));
        }
        if !self.why.is_empty() {
            map.insert("why".into(), json!(self.why.join(": ")));
        }
        if !self.next.is_empty() {
            let next: Vec<String> = self.next.iter().map(Step::text).collect();
            map.insert("next".into(), json!(next));
        }
        Value::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_why_and_next() {
        let error = CliError::new(ErrorCode::ConfigInvalid, "2 errors in fleet.toml")
            .at("fleet.toml:20:1   unknown key")
            .at("fleet.toml:23:17  no such day: Thr")
            .because("keys are snake_case")
            .next(Next::Inventory);
        assert_eq!(
            error.text(None),
            "error: 2 errors in fleet.toml   ConfigInvalid, exit 1\n\
             where: fleet.toml:20:1   unknown key\n       fleet.toml:23:17  no such day: Thr\n\
             why:   keys are snake_case\nnext:  refit inventory\n"
        );
        let first = error.text(Some(60)).lines().next().unwrap().to_owned();
        assert_eq!(first.len(), 60);
        assert!(first.ends_with("ConfigInvalid, exit 1"));
        assert_eq!(
            error.json()["where"][1],
            "fleet.toml:23:17  no such day: Thr"
        );
        assert_eq!(error.json()["exitCode"], 1);
    }

    #[test]
    fn a_foreign_text_cannot_draw_on_the_terminal() {
        let error =
            CliError::new(ErrorCode::Internal, "a\u{1b}[31mb\nc").because("x\u{7}y\nsecond line");
        let text = error.text(None);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn sources_become_the_why_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("the store failed to append")]
        struct Outer(#[source] std::io::Error);
        let error = CliError::of(
            ErrorCode::StoreFailed,
            &Outer(std::io::Error::other("disk full")),
        );
        assert_eq!(error.why, ["disk full"]);
    }
}
