//! Draws the live view on a terminal, at most four times a second. The only file here with effects.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Redraws a second: more flickers over a slow line.
const REDRAWS_PER_SECOND: u8 = 4;

/// The live view on stderr: lines that are rewritten in place.
#[derive(Debug)]
pub struct LiveScreen {
    // One bar with many lines: bars of one line each leave lines behind when their number changes.
    view: ProgressBar,
}

impl LiveScreen {
    /// An empty view on stderr.
    pub fn stderr() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
        let view = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            view.set_style(style);
        }
        Self { view }
    }

    /// Shows these lines instead of the last ones.
    pub fn draw(&mut self, lines: &[String]) {
        self.view.set_message(lines.join("\n"));
    }

    /// Prints a line above the view, where it stays.
    pub fn above(&self, line: &str) {
        self.view.println(line);
    }

    /// Takes the view off the terminal.
    pub fn clear(&mut self) {
        self.view.finish_and_clear();
    }
}
