//! `refit show`: a saved plan, or one release of it.

use std::path::PathBuf;

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::plan_file;
use crate::domain::ids::ReleaseId;
use crate::render::Next;
use crate::render::screen::plan::PlanScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # The plan as `refit plan` printed it
  refit show acme.plan.json

  # Why a release is where it is
  refit show acme.plan.json us-1/shop/web

  # What is held, and why
  refit show acme.plan.json --held

  # The releases of a wave, as names
  refit show acme.plan.json --wave 4 -o name";

/// Shows a saved plan. Needs no cluster; 0 writes.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The plan's file
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// Only this release: in which wave and why, or why it is held
    #[arg(value_name = "RELEASE", conflicts_with_all = ["wave", "held", "untested"])]
    pub release: Option<ReleaseId>,

    /// Only the releases of this wave
    #[arg(long, value_name = "N", conflicts_with_all = ["held", "untested"])]
    pub wave: Option<u32>,

    /// Only the releases that the plan holds back, with their reasons
    #[arg(long)]
    pub held: bool,

    /// Only what no canary shows: signatures that a later wave meets first
    #[arg(long, conflicts_with = "held")]
    pub untested: bool,
}

/// Shows the plan.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let plan = plan_file::read(&args.plan)?;
    let file = files::name(&args.plan);
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: Some(&file),
    };
    let document = if let Some(release) = &args.release {
        screen.release(release).ok_or_else(|| {
            CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("{release} is not in {file}"),
            )
            .because(
                "the plan was made for other clusters or namespaces, or before it was installed",
            )
            .next(Next::Show { plan: file.clone() })
        })?
    } else if let Some(wave) = args.wave {
        screen.wave(wave).ok_or_else(|| {
            CliError::usage(format!(
                "{file} has no wave {wave}; it has {}",
                plan.waves.len()
            ))
            .next(Next::Show { plan: file.clone() })
        })?
    } else if args.held {
        screen.held()
    } else if args.untested {
        screen.untested()
    } else {
        screen.document()
    };
    ctx.show(&document)?;
    Ok(ctx.findings(plan.summary.migrate > 0))
}
