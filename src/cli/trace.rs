//! The log: on stderr, off unless asked for.

use tracing_subscriber::EnvFilter;

/// The filter for a number of `-v`: warnings, then refit's own steps, then requests, then everything.
pub fn filter(verbose: u8) -> &'static str {
    match verbose {
        0 => "refit=warn",
        1 => "warn,refit=info",
        2 => "info,refit=debug",
        _ => "trace",
    }
}

/// Turns the log on. `wish` (`REFIT_LOG`) wins over `-v`; a wish that does not parse is as if not given.
pub fn start(verbose: u8, wish: Option<&str>, color: bool) {
    let filter = wish
        .and_then(|wish| EnvFilter::try_new(wish).ok())
        .unwrap_or_else(|| EnvFilter::new(filter(verbose)));
    // A second start (in tests) keeps the first log: that is no fault.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color)
        .with_target(verbose > 1)
        .try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_parses() {
        for verbose in 0..5 {
            assert!(EnvFilter::try_new(filter(verbose)).is_ok());
        }
    }
}
