//! `refit audit diff`: what changed between two saved audits.

use std::path::PathBuf;

use super::audit::KIND;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use crate::domain::audit::diff;
use crate::render::screen::audit::{DiffScreen, read_capture};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Fields that changed owner, entries that came and went
  refit audit diff monday.json friday.json

  # Every field by name
  refit audit diff monday.json friday.json -o wide

  # As a check: exit code 2 if anything changed
  refit audit diff monday.json friday.json --detailed-exitcode";

/// Compares two saved audits: fields that changed owner, entries that came or went, releases and objects likewise.
///
/// Reads no cluster. Times are not compared, nor entries of the subresource status. Clusters that one of the two could
/// not read are named and not compared.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The older one; - for stdin
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,

    /// The newer one; - for stdin
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
}

/// Shows the difference.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let before = files::read(&args.before, KIND, read_capture)?;
    let after = files::read(&args.after, KIND, read_capture)?;
    let diff =
        diff(&before, &after).map_err(|error| CliError::of(ErrorCode::FileInvalid, &error))?;
    let screen = DiffScreen {
        before: &before,
        after: &after,
        diff: &diff,
    };
    ctx.show(&screen.document())?;
    Ok(ctx.findings(!diff.is_empty()))
}
