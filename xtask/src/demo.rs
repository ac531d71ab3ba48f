//! `cargo xtask demo`: the main job from end to end on real control planes, with figures at the end.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

use clap::{Args, ValueEnum};
use testbed::Seed;
use testbed::demo::{Demo, Figures};

use crate::Done;

/// How large, and how it is told.
#[derive(Args)]
pub struct Options {
    /// Number of control planes; each takes about 0.5 GB
    #[arg(long, default_value_t = 3)]
    clusters: usize,
    /// Decides names and distribution of the releases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of releases over all clusters
    #[arg(long, default_value_t = 63)]
    releases: usize,
    /// Play with this refit instead of building the checkout's
    #[arg(long, value_name = "FILE")]
    refit: Option<PathBuf>,
    /// text, or json: one object on the last line of stdout
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// What stands on stdout at the end.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Builds refit, plays, prints; an error if a figure is not as it must be.
pub fn run(options: &Options) -> Done {
    let refit = match &options.refit {
        Some(path) => std::path::absolute(path)?,
        None => build()?,
    };
    let say = |line: &str| {
        // Nothing is left to do if stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{}", line.trim_end());
    };
    let demo = Demo {
        refit,
        clusters: options.clusters,
        seed: Seed {
            seed: options.seed,
            releases: options.releases,
        },
        say: &say,
    };
    let figures = demo.play()?;
    print(options.output, &figures)?;
    let failures = figures.failures();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

fn print(format: Format, figures: &Figures) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match format {
        Format::Json => writeln!(stdout, "{}", figures.json()),
        Format::Text => figures
            .lines()
            .iter()
            .try_for_each(|line| writeln!(stdout, "{line}")),
    }
}

/// The refit of this checkout, unoptimised: the control planes set the pace, and `cargo test` uses the same build.
fn build() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--package",
            "refit",
            "--bin",
            "refit",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err("refit does not build".into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let built = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let path = built
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .find(|path| path.file_name().is_some_and(|name| name == "refit"));
    path.ok_or_else(|| "cargo did not say where refit is".into())
}
