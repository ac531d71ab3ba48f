//! `cargo xtask bench`: how fast things are, beside others in the same run.
//!
//! `plan` measures the planner, `forecast` the forecast, with the objects of `objects`.

mod forecast;
mod objects;
mod plan;

use clap::Subcommand;

use crate::Done;

/// What is measured.
#[derive(Subcommand)]
pub enum Bench {
    /// The offline forecast, beside a server's dry run and Kubernetes' Go library, and the memory of 100,000 objects
    Forecast(forecast::Options),
    /// The planner, its digest and seals included; release build, one process a size
    Plan(plan::Options),
}

/// Measures; an error only if it cannot.
pub fn run(bench: &Bench) -> Done {
    match bench {
        Bench::Forecast(options) => forecast::run(options),
        Bench::Plan(options) => plan::run(options),
    }
}
