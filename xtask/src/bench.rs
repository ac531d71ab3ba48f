//! `cargo xtask bench`: how long the planner takes, and how much memory, on generated fleets.

use std::env;
use std::io::{self, Write};
use std::process::Command;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::Done;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// The planner, its digest and seals included; release build, one process a size
    Plan(Options),
}

/// Which fleets.
#[derive(Args)]
pub struct Options {
    /// Numbers of releases; 200 on each cluster, three edges for each
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    releases: Vec<u64>,
    /// How waves are shaped: stages with canaries by coverage, caps and windows; sizes alone; or shares
    #[arg(long, value_enum, default_value_t = Shape::Stages)]
    shape: Shape,
    /// Runs of each size; the quickest counts, as others may use the machine too
    #[arg(long, default_value_t = 3)]
    best_of: u32,
    /// text, or json: one object a line, one line a size
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shape {
    Stages,
    Sizes,
    Shares,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Measures, and prints a line a size.
pub fn run(bench: &Bench) -> Done {
    let Bench::Plan(options) = bench;
    let shape = options.shape.to_possible_value();
    let shape = shape.as_ref().map_or("stages", |it| it.get_name());
    let mut stdout = io::stdout().lock();
    if options.output == Format::Text {
        writeln!(
            stdout,
            "RELEASES   CLUSTERS   EDGES     SECONDS   PEAK MIB   MICROSECONDS A RELEASE"
        )?;
    }
    for releases in &options.releases {
        let mut best: Option<Value> = None;
        for _ in 0..options.best_of.max(1) {
            let line = once(*releases, shape)?;
            let seconds = |line: &Value| line["seconds"].as_f64().unwrap_or(f64::MAX);
            if best
                .as_ref()
                .is_none_or(|best| seconds(&line) < seconds(best))
            {
                best = Some(line);
            }
        }
        let Some(line) = best else {
            continue;
        };
        match options.output {
            Format::Json => writeln!(stdout, "{line}")?,
            Format::Text => {
                let seconds = line["seconds"].as_f64().unwrap_or_default();
                let number = |key: &str| line[key].as_u64().unwrap_or_default();
                #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
                let each = seconds * 1e6 / number("releases").max(1) as f64;
                writeln!(
                    stdout,
                    "{:<10} {:<10} {:<9} {seconds:<9.3} {:<10} {each:.2}",
                    number("releases"),
                    number("clusters"),
                    number("edges"),
                    number("peak_mib"),
                )?;
            }
        }
        stdout.flush()?;
    }
    Ok(())
}

/// One size in a process of its own: its memory is that of this size.
fn once(releases: u64, shape: &str) -> Result<Value, Box<dyn std::error::Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "bench",
        "--quiet",
        "--package",
        "domain-alone",
        "--bench",
        "plan",
        "--",
    ]);
    let output = command
        .args([&releases.to_string(), shape])
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "the bench of {releases} releases ended with {}",
            output.status
        )
        .into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
