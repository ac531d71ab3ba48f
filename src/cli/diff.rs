//! `refit diff`: what differs between two saved plans.

use std::path::PathBuf;

use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::files;
use super::plan_file;
use crate::domain::plan::PlanDiff;
use crate::render::screen::diff::DiffScreen;
use crate::render::{Format, Next};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # What changed between Monday's plan and today's
  refit diff monday.plan.json today.plan.json

  # Releases that stand elsewhere, as names
  refit diff monday.plan.json today.plan.json -o name

  # In CI: exit code 2 if the plans differ
  refit diff committed.plan.json new.plan.json --detailed-exitcode";

/// Compares two saved plans: waves, releases that moved, what is held or done, settings. Needs no cluster; 0 writes.
///
/// A wave is known by its name: one that is put in between renumbers the later ones, and moves no release.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The earlier plan
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,

    /// The later plan
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
}

/// Shows the difference.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let (before, after) = (
        plan_file::read(&args.before)?,
        plan_file::read(&args.after)?,
    );
    let (before_name, after_name) = (files::name(&args.before), files::name(&args.after));
    let diff = PlanDiff::of(&before, &after);
    let screen = DiffScreen {
        before_name: &before_name,
        before: &before,
        after_name: &after_name,
        after: &after,
        diff: &diff,
        all: ctx.invocation.globals.output == Format::Wide,
    };
    let mut document = screen.document();
    if before.metadata.fleet != after.metadata.fleet {
        document = document.warning(format!(
            "these are plans of two fleets, {} and {}",
            before.metadata.fleet, after.metadata.fleet
        ));
    }
    for (plan, name) in [(&before, &before_name), (&after, &after_name)] {
        if let Some(doubt) = plan_file::doubt(plan, name) {
            document = document.warning(doubt);
        }
    }
    if !diff.is_empty() {
        document = document.next(
            Next::Show {
                plan: after_name.clone(),
            },
            "the later plan",
        );
    }
    ctx.show(&document)?;
    Ok(ctx.findings(!diff.is_empty()))
}
