//! Draws the live view on a terminal. The only file here with effects.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// indicatif's own brake. The caller redraws four times a second; this only has to let each of its frames through.
const FRAMES_PER_SECOND: u8 = 20;

/// The live view on stderr: lines that are rewritten in place, all at once.
#[derive(Debug)]
pub struct LiveScreen {
    // One bar with one message of many lines: several bars would be drawn one after the other, and tear.
    bar: ProgressBar,
}

impl LiveScreen {
    /// An empty view on stderr.
    pub fn stderr() -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND);
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// Shows these lines instead of the last ones. None may be wider than the terminal.
    pub fn draw(&self, lines: &[String]) {
        self.bar.set_message(lines.join("\n"));
    }

    /// Prints a line above the view, where it stays.
    pub fn above(&self, line: &str) {
        self.bar.println(line);
    }

    /// Takes the view off the terminal.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
