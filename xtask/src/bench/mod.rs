//! `cargo xtask bench`: how fast things are, beside others in the same run.
//!
//! `forecast` measures, `objects` are what it measures with.

mod forecast;
mod objects;

use clap::Subcommand;

use crate::Done;

/// What is measured.
#[derive(Subcommand)]
pub enum Bench {
    /// The offline forecast, beside a server's dry run and Kubernetes' Go library, and the memory of 100,000 objects
    Forecast(forecast::Options),
}

/// Measures; an error only if it cannot.
pub fn run(bench: &Bench) -> Done {
    match bench {
        Bench::Forecast(options) => forecast::run(options),
    }
}
