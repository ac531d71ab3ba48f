//! `refit status`: where runs are.

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use crate::domain::ids::RunId;
use crate::render::Next;
use crate::render::screen::status::{list_screen, run_screen};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # All runs of the fleet
  refit status

  # One run: its waves, what it waits for, what was not migrated and why
  refit status run-7k3f

  # In a script: 0 complete, 3 some not migrated, 4 waiting, 6 budget spent
  refit status run-7k3f -o json > run.json; echo $?";

/// Says where runs are, what they wait for, and until when. Reads the state store only; 0 writes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this run, in detail; ends with the exit code that the run would
    #[arg(value_name = "RUN")]
    pub run: Option<RunId>,
}

/// Shows runs.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let runs = ctx
        .backend()
        .runs(&ctx.invocation, args.run.as_ref())
        .await?;
    let Some(wanted) = &args.run else {
        ctx.show(&list_screen(&runs, ctx.now()))?;
        return Ok(Exit::Ok);
    };
    let run = runs.iter().find(|run| run.run == *wanted).ok_or_else(|| {
        CliError::new(
            ErrorCode::RunNotFound,
            format!("no run {wanted} in the store"),
        )
        .next(Next::StatusAll)
    })?;
    ctx.show(&run_screen(run, ctx.now()))?;
    Ok(super::outcome_exit(run))
}
