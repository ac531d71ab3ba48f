//! `cargo xtask differential`: our field ownership against Kubernetes, as many random cases as you like.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use clap::{Args, ValueEnum};
use differential::{go, live};
use serde_json::json;

use crate::Done;

/// Which cases, and who answers.
#[derive(Args)]
pub struct Options {
    /// Who is right: Kubernetes' Go library, or a live API server
    #[arg(long, value_enum, default_value_t = Oracle::Live)]
    oracle: Oracle,
    /// At least so many cases; a life that has begun is lived to its end
    #[arg(long, default_value_t = 2000)]
    cases: usize,
    /// The first life; a life is the same whenever it is lived, so `--cases 1 --seed <seed>` plays one again
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// text, or json: one object on the last line of stdout
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Oracle {
    Go,
    Live,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Plays; an error if an answer differs. Disagreements go to stderr, each with a small request to play it again.
pub fn run(options: &Options) -> Done {
    let start = Instant::now();
    let (name, report) = match options.oracle {
        Oracle::Go => {
            let dir = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target");
            std::fs::create_dir_all(&dir)?;
            ("go", go::run(&dir, options.cases, options.seed))
        }
        Oracle::Live => ("live", live::run(options.cases, options.seed)?),
    };
    for disagreement in &report.disagreements {
        writeln!(io::stderr(), "{disagreement}\n")?;
    }
    let mut figures = report.json();
    figures["oracle"] = json!(name);
    figures["seed"] = json!(options.seed);
    figures["seconds"] = json!(start.elapsed().as_secs());
    let mut stdout = io::stdout().lock();
    match options.output {
        Format::Json => writeln!(stdout, "{figures}")?,
        Format::Text => {
            for (name, figure) in figures.as_object().into_iter().flatten() {
                writeln!(stdout, "{name:<24} {figure}")?;
            }
        }
    }
    match report.disagreements.len() {
        0 => Ok(()),
        n => Err(format!("{n} of {} answers differ", report.cases).into()),
    }
}
