//! `cargo xtask`: control planes, demo and checks of this workspace. One file a subcommand.

mod bench;
mod demo;
mod differential;
mod fleet;
mod tools;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find or build every binary that tests and demo need, and say where they are
    Tools,
    /// The main job from end to end on real control planes, with figures
    Demo(demo::Options),
    /// Hold our field ownership against Kubernetes: random cases, answered by both
    Differential(differential::Options),
    /// Time and memory of the planner, on generated fleets
    #[command(subcommand)]
    Bench(bench::Bench),
    /// A fleet of control planes with seeded releases
    #[command(subcommand)]
    Fleet(fleet::Fleet),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Tools => tools::run(),
        Task::Demo(options) => demo::run(&options),
        Task::Differential(options) => differential::run(&options),
        Task::Bench(bench) => bench::run(&bench),
        Task::Fleet(fleet) => fleet::run(&fleet),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

/// What a task can end with.
type Done = Result<(), Box<dyn Error>>;

/// Prints an error with its causes.
fn complain(error: &dyn Error) {
    let mut stderr = io::stderr().lock();
    // Nothing is left to do if stderr is closed.
    let _ = writeln!(stderr, "error: {error}");
    let mut next = error.source();
    while let Some(source) = next {
        let _ = writeln!(stderr, "  because: {source}");
        next = source.source();
    }
}
