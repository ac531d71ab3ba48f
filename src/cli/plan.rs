//! `refit plan`: what would migrate when, and what is held.

use std::path::{Path, PathBuf};

use super::captured;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::files;
use super::plan_file;
use crate::config::override_text;
use crate::domain::plan::{Plan, PlanDiff, PlanRefused};
use crate::render::screen::diff::DiffScreen;
use crate::render::screen::plan::PlanScreen;
use crate::render::{Format, Next, Span, text};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Look at every release, rehearse its migration on the server, and plan the waves
  refit plan --save acme.plan.json

  # Only production in the EU
  refit plan -l env=prod,region=eu --save eu.plan.json

  # Without a cluster, from what was saved: try limits, windows and policies on a laptop
  refit inventory --save acme.inv.json
  refit plan --from acme.inv.json --save acme.plan.json

  # What would another limit, or a shorter soak, change? Nothing is saved
  refit plan --what-if limits.writes_per_second=40 --what-if soak.prod=48h

  # And one cluster's own limits, windows or time zone
  refit plan --what-if clusters.eu-1.limits.writes_per_second=8

  # What has changed since a plan was made; the new plan takes its place
  refit plan --refresh acme.plan.json

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

    /// Plan from a saved inventory (refit inventory --save), without a cluster or kubeconfig; what has changed since, run hands back
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,

    /// Plan with another value of fleet.toml, and show the difference; nothing is saved. Repeatable
    #[arg(
        long,
        value_name = "KEY=VALUE",
        action = clap::ArgAction::Append,
        conflicts_with_all = ["save", "refresh"]
    )]
    pub what_if: Vec<String>,

    /// Plan again after this plan: says what changed, and writes the new plan in its place (or to --save)
    #[arg(long, value_name = "PLAN")]
    pub refresh: Option<PathBuf>,
}

/// Sections that --what-if may change: what a plan is made by. Others change what is forecast, or where things are.
const WHAT_IF: &[&str] = &[
    "limits", "clusters", "waves", "windows", "freezes", "risk", "cost", "budget", "gates", "plan",
];

/// Keys of `[fleet]` that it may change.
const WHAT_IF_FLEET: &[&str] = &["deadline", "timezone", "playbook"];

/// Makes the plan and shows it.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let overrides = overrides(&args.what_if)?;
    let base = match &args.refresh {
        Some(path) => Some(plan_file::read(path)?),
        None => None,
    };
    let (at, fleet) = captured::open(args.from.as_deref(), ctx)?;
    captured::say_reading(&at, &fleet, ctx);
    if !overrides.is_empty() {
        let (plan, what_if) = backend
            .plan_what_if(&ctx.invocation, &fleet, at, &overrides)
            .await?;
        return compare(ctx, ("now", &plan), ("what-if", &what_if));
    }
    let plan = backend.plan(&ctx.invocation, &fleet, at).await?;
    if let (Some(base), Some(path)) = (base, &args.refresh) {
        return refreshed(
            ctx,
            path,
            args.save.as_deref().unwrap_or(path),
            &base,
            &plan,
        );
    }
    let saved = args.save.as_deref().map(files::name);
    let document = PlanScreen {
        plan: &plan,
        saved: saved.as_deref(),
        file: None,
        wide: ctx.invocation.globals.output == Format::Wide,
    }
    .document();
    if let Some(path) = &args.save {
        plan_file::write(path, &plan)?;
    }
    ctx.show(&document)?;
    Ok(ctx.findings(plan.summary.migrate > 0))
}

/// Overrides as TOML, each checked.
fn overrides(given: &[String]) -> Result<Vec<String>, CliError> {
    given
        .iter()
        .map(|text| {
            let made = override_text(text).map_err(CliError::usage)?;
            let mut path = made.split(['.', ' ']);
            let section = path.next().unwrap_or_default();
            let key = path.next().unwrap_or_default();
            let lawful = WHAT_IF.contains(&section)
                || (section == "fleet" && WHAT_IF_FLEET.contains(&key));
            if lawful {
                Ok(made)
            } else {
                Err(CliError::usage(format!(
                    "--what-if does not change {section}.{key}: it plans what is there in another way"
                ))
                .because(format!(
                    "it takes keys of {}, and fleet.{}",
                    WHAT_IF.join(", "),
                    WHAT_IF_FLEET.join(", fleet.")
                )))
            }
        })
        .collect()
}

/// Two plans side by side; nothing is saved.
fn compare(ctx: &mut Ctx, before: (&str, &Plan), after: (&str, &Plan)) -> Result<Exit, CliError> {
    let diff = PlanDiff::of(before.1, after.1);
    let screen = DiffScreen {
        before_name: before.0,
        before: before.1,
        after_name: after.0,
        after: after.1,
        diff: &diff,
        all: ctx.invocation.globals.output == Format::Wide,
    };
    let document = screen
        .document()
        .total([Span::plain("Nothing is saved. 0 writes.")])
        .next(Next::Plan, "with the value in fleet.toml, keeps it");
    ctx.show(&document)?;
    Ok(ctx.findings(!diff.is_empty()))
}

/// What changed since a plan was made; then the new plan is written.
fn refreshed(
    ctx: &mut Ctx,
    old: &Path,
    new: &Path,
    base: &Plan,
    plan: &Plan,
) -> Result<Exit, CliError> {
    let (old_name, new_name) = (files::name(old), files::name(new));
    let after_name = if old == new { "refreshed" } else { &new_name };
    let diff = PlanDiff::of(base, plan);
    let screen = DiffScreen {
        before_name: &old_name,
        before: base,
        after_name,
        after: plan,
        diff: &diff,
        all: ctx.invocation.globals.output == Format::Wide,
    };
    let mut document = screen.document();
    let input = |plan: &Plan| plan.metadata.inputs.get("fleet.toml").cloned();
    document = match (input(base), input(plan)) {
        (Some(was), Some(is)) if was == is => document.text("fleet.toml is as it was."),
        (Some(_), Some(_)) => document.text("fleet.toml has changed."),
        _ => document,
    };
    if let Err(PlanRefused::Edited { place, .. }) =
        base.clone().check(None, &base.metadata.tool, None)
    {
        document = document.warning(format!(
            "{old_name} was edited after it was made, at {place}: it is compared as it is now"
        ));
    }
    plan_file::write(new, plan)?;
    document = document
        .total([Span::plain(format!(
            "Saved the plan to: {new_name}   ({}, to be started before {}). Approvals of the old one do not count. 0 writes.",
            text::short_digest(plan.metadata.digest.as_str()),
            text::minute(plan.metadata.start_before),
        ))])
        .next(Next::Show { plan: new_name.clone() }, "the new plan");
    ctx.show(&document)?;
    Ok(ctx.findings(!diff.is_empty()))
}
