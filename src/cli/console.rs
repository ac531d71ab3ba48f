//! The three streams of the process, and what is known of the terminal behind them.

use std::io::{self, BufRead, IsTerminal, Write};

use super::env::Env;
use super::error::{CliError, ErrorCode};
use super::globals::Globals;
use crate::render::paint::is_colored;
use crate::render::{Format, Frame};

/// An output stream.
struct Stream {
    to: Box<dyn Write + Send>,
    terminal: bool,
    width: Option<usize>,
    color: bool,
}

/// stdin, stdout, stderr.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Console {
    input: Box<dyn BufRead + Send>,
    input_terminal: bool,
    stdout: Stream,
    stderr: Stream,
    no_tty: bool,
    utf8: bool,
    heads: bool,
    wide: bool,
}

/// How the process's streams look, for a test to say otherwise.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminals {
    /// stdin is a terminal.
    pub stdin: bool,
    /// Width of stdout's terminal.
    pub stdout: Option<usize>,
    /// Width of stderr's terminal.
    pub stderr: Option<usize>,
}

/// A terminal that does not tell its width is taken to be so wide.
const DEFAULT_WIDTH: usize = 80;

impl Terminals {
    /// Those of the process.
    pub fn of_process() -> Self {
        let width = |size: Option<(terminal_size::Width, terminal_size::Height)>| {
            size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
        };
        Self {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout()
                .is_terminal()
                .then(|| width(terminal_size::terminal_size_of(io::stdout()))),
            stderr: io::stderr()
                .is_terminal()
                .then(|| width(terminal_size::terminal_size_of(io::stderr()))),
        }
    }
}

impl Console {
    /// The process's streams.
    pub fn of_process() -> Self {
        Self::new(
            Box::new(io::BufReader::new(io::stdin())),
            Box::new(io::stdout()),
            Box::new(io::stderr()),
            Terminals::of_process(),
        )
    }

    /// Any streams.
    pub fn new(
        input: Box<dyn BufRead + Send>,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        terminals: Terminals,
    ) -> Self {
        let stream = |to, width: Option<usize>| Stream {
            to,
            terminal: width.is_some(),
            width,
            color: false,
        };
        Self {
            input,
            input_terminal: terminals.stdin,
            stdout: stream(stdout, terminals.stdout),
            stderr: stream(stderr, terminals.stderr),
            no_tty: false,
            utf8: true,
            heads: true,
            wide: false,
        }
    }

    /// Heeds flags and environment.
    pub fn configure(&mut self, globals: &Globals, env: &Env) {
        self.no_tty = globals.no_tty;
        self.utf8 = env.utf8;
        self.heads = !globals.no_headers;
        self.wide = globals.output == Format::Wide;
        for stream in [&mut self.stdout, &mut self.stderr] {
            stream.color = is_colored(globals.color, env.color, stream.terminal && !globals.no_tty);
        }
    }

    /// Can a question be asked?
    pub const fn is_interactive(&self) -> bool {
        self.input_terminal && self.stderr.terminal && !self.no_tty
    }

    /// Can lines on stderr be rewritten?
    pub const fn is_live(&self) -> bool {
        self.stderr.terminal && !self.no_tty
    }

    /// What stdout is drawn on.
    pub const fn out_frame(&self) -> Frame {
        Frame {
            width: if self.no_tty || self.wide {
                None
            } else {
                self.stdout.width
            },
            wide: self.wide,
            heads: self.heads,
            utf8: self.utf8,
            color: self.stdout.color,
        }
    }

    /// What stderr is drawn on.
    pub const fn err_frame(&self) -> Frame {
        Frame {
            width: if self.no_tty { None } else { self.stderr.width },
            wide: false,
            heads: true,
            utf8: self.utf8,
            color: self.stderr.color,
        }
    }

    /// Writes data. A closed pipe (`| head`) is no error: the reader has what it wants.
    pub fn out(&mut self, text: &str) -> Result<(), CliError> {
        let written = self
            .stdout
            .to
            .write_all(text.as_bytes())
            .and_then(|()| self.stdout.to.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::new(
                ErrorCode::FileFailed,
                "stdout cannot be written",
            )
            .because(error.to_string())),
            _ => Ok(()),
        }
    }

    /// Writes everything else. If stderr is gone there is nobody to tell.
    pub fn err(&mut self, text: &str) {
        let _ = self.stderr.to.write_all(text.as_bytes());
        let _ = self.stderr.to.flush();
    }

    /// stdin, for a verb that takes data there.
    pub fn input(&mut self) -> &mut dyn BufRead {
        self.input.as_mut()
    }

    /// Reads an answer: a line without its end; `None` at the end of the input.
    pub fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim().to_owned()),
        }
    }
}
