//! `refit show`: a saved plan, or one release of it.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::plan_file;
use crate::domain::ids::ReleaseId;
use crate::domain::plan::{Plan, PlanRefused};
use crate::render::page::page;
use crate::render::screen::plan::PlanScreen;
use crate::render::screen::requests::requests;
use crate::render::{Document, Format, Next, Span};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # The plan as `refit plan` printed it
  refit show acme.plan.json

  # Why a release is where it is
  refit show acme.plan.json us-1/shop/web

  # What is held, and why
  refit show acme.plan.json --held

  # What no canary shows
  refit show acme.plan.json --untested

  # What each API server is asked
  refit show acme.plan.json --requests

  # A page to read, print and send around: acme.plan.html
  refit show acme.plan.json --html

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

    /// Only what the run asks of each cluster: reads, dry runs, writes, and how long at the limits
    #[arg(long, conflicts_with_all = ["release", "wave", "held", "untested"])]
    pub requests: bool,

    /// The plan as one HTML page, for a browser or for paper; without FILE beside the plan
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        conflicts_with_all = ["release", "wave", "held", "untested", "requests"]
    )]
    pub html: Option<Option<PathBuf>>,
}

/// Shows the plan.
pub fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let plan = plan_file::read(&args.plan)?;
    let file = files::name(&args.plan);
    let screen = PlanScreen {
        plan: &plan,
        saved: None,
        file: Some(&file),
        wide: ctx.invocation.globals.output == Format::Wide,
    };
    if let Some(page) = &args.html {
        let page = page
            .clone()
            .unwrap_or_else(|| args.plan.with_extension("html"));
        // A page is to be signed: one of an edited plan is made for nobody.
        if let Err(edited @ (PlanRefused::Edited { .. } | PlanRefused::Broken { .. })) =
            plan.clone().check(None, &plan.metadata.tool, None)
        {
            return Err(plan_file::refused(&edited, &file));
        }
        let document = html(&plan, &file, &page)?;
        ctx.show(&document)?;
        return Ok(Exit::Ok);
    }
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
    } else if args.requests {
        requests(&plan)
    } else {
        screen.document()
    };
    let document = match plan_file::doubt(&plan, &file) {
        Some(doubt) => document.warning(doubt),
        None => document,
    };
    ctx.show(&document)?;
    Ok(ctx.findings(plan.summary.migrate > 0))
}

/// Writes the page: kind `PlanPage`.
fn html(plan: &Plan, file: &str, to: &Path) -> Result<Document, CliError> {
    let text = page(plan, file).map_err(|error| CliError::of(ErrorCode::Internal, &error))?;
    files::write_text(to, &text)?;
    let name = files::name(to);
    Ok(Document::new("PlanPage")
        .field("file", name.clone())
        .field("planDigest", json!(plan.metadata.digest))
        .field("bytes", text.len())
        .names([name.clone()])
        .total([Span::plain(format!("Saved the page to: {name}"))]))
}
