//! `cargo xtask tools`: all binaries, found or built.

use std::io::{self, Write};

use testbed::Tool;

use crate::Done;

/// Prints `<name> <wanted version> <path>` for each.
pub fn run() -> Done {
    for tool in Tool::ALL {
        let path = tool.path()?;
        writeln!(
            io::stdout(),
            "{:<24} {:<8} {}",
            tool.name(),
            tool.version(),
            path.display()
        )?;
    }
    Ok(())
}
