//! `refit plan`: what would migrate when, and what is held.

use std::path::PathBuf;

use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::files;
use super::plan_file;
use crate::render::screen::inventory::read_inventory;
use crate::render::screen::plan::PlanScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Look at every release, rehearse its migration on the server, and plan the waves
  refit plan --save acme.plan.json

  # Only production in the EU
  refit plan -l env=prod,region=eu --save eu.plan.json

  # Only what an inventory lists
  refit plan --from acme.inv.json --save acme.plan.json

  # In CI: exit code 2 if anything is left to migrate
  refit plan --detailed-exitcode > /dev/null";

/// Forecasts every release and plans waves. Reads, and sends requests that store nothing (dry runs); 0 writes.
///
/// The plan is a value with a digest: what it says is what runs, or it is refused. Releases that need a choice or
/// are blocked are held, each with its reason.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Keep the plan in a file, for run
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Plan only for the releases of a saved inventory
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// Makes the plan and shows it.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let from = match &args.from {
        Some(path) => Some(files::read(path, "ReleaseList", read_inventory)?),
        None => None,
    };
    let fleet = backend.fleet(&ctx.invocation)?;
    ctx.say_reading(&fleet);
    let plan = backend.plan(&ctx.invocation, &fleet, from).await?;
    let saved = args.save.as_deref().map(files::name);
    let document = PlanScreen {
        plan: &plan,
        saved: saved.as_deref(),
        file: None,
    }
    .document();
    if let Some(path) = &args.save {
        plan_file::write(path, &plan)?;
    }
    ctx.show(&document)?;
    Ok(ctx.findings(plan.summary.migrate > 0))
}
