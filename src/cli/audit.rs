//! `refit audit`: who owns the fields of Helm's objects, all over the fleet.

use std::path::PathBuf;

use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::files;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # The census: a row a cluster, outliers named
  refit audit

  # As a gate in CI: exit code 2 unless one manager owns everything
  refit audit --gate one-manager

  # Keep it, to compare later
  refit audit --save acme.audit.json";

/// A condition that the fleet must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Gate {
    /// Every release's fields are owned by the canonical manager, through server-side apply
    OneManager,
}

/// Counts owners of fields, finds releases that slid back, checks gates. Only reads.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Check a condition: exit code 2 if it does not hold
    #[arg(long, value_enum, value_name = "GATE")]
    pub gate: Option<Gate>,

    /// Keep the audit in a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

/// Shows the audit.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let fleet = backend.fleet(&ctx.invocation)?;
    ctx.say_reading(&fleet);
    let mut audit = backend.audit(&ctx.invocation, &fleet).await?;
    if args.gate.is_none() {
        audit.gates.clear();
    }
    let failed = audit.gates.iter().any(|gate| !gate.passed);
    let document = audit.document();
    if let Some(path) = &args.save {
        files::write(path, &document.to_json())?;
    }
    ctx.show(&document)?;
    Ok(if failed { Exit::Findings } else { Exit::Ok })
}
