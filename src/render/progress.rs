//! Draws the live view on a terminal, at most four times a second. The only file here with effects.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Redraws a second: more flickers over a slow line.
const REDRAWS_PER_SECOND: u8 = 4;

/// The live view on stderr: a number of lines that are rewritten in place.
#[derive(Debug)]
pub struct LiveScreen {
    all: MultiProgress,
    lines: Vec<ProgressBar>,
}

impl LiveScreen {
    /// An empty view on stderr.
    pub fn stderr() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(
                REDRAWS_PER_SECOND,
            )),
            lines: Vec::new(),
        }
    }

    /// Shows these lines instead of the last ones.
    pub fn draw(&mut self, lines: &[String]) {
        while self.lines.len() > lines.len() {
            if let Some(bar) = self.lines.pop() {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
        }
        while self.lines.len() < lines.len() {
            // The length is not shown; one line is one message.
            let bar = self.all.add(ProgressBar::no_length());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            self.lines.push(bar);
        }
        for (bar, line) in self.lines.iter().zip(lines) {
            bar.set_message(line.clone());
        }
    }

    /// Prints a line above the view, where it stays.
    pub fn above(&self, line: &str) {
        // The terminal is gone: there is nobody to tell.
        let _ = self.all.println(line);
    }

    /// Takes the view off the terminal.
    pub fn clear(&mut self) {
        for bar in self.lines.drain(..) {
            bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }
}
