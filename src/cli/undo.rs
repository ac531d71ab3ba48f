//! `refit undo` (alias `rollback`): puts releases back as they were.

use super::backend::UndoScope;
use super::confirm;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::follow;
use super::globals::WriteArgs;
use super::since;
use crate::domain::ids::{ReleaseId, RunId};
use crate::render::Next;
use crate::render::screen::undo::{preview_lines, preview_screen, report_screen};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # What would be put back, and what has moved on since; 0 writes
  refit undo run-7k3f --dry-run

  # One cluster, one wave, some releases, or what was migrated since five past two
  refit undo run-7k3f --cluster ap-2
  refit undo run-7k3f --wave 4
  refit undo run-7k3f eu-1/shop/web eu-1/shop/cart
  refit undo run-7k3f --since 14:05

This is not `helm rollback`: that one renders an older revision and changes the workload. `refit undo` puts back who
owns the fields, and the release records, byte for byte; no value changes and no pod restarts.";

/// Puts releases of a run back as they were before it. Writes; asks first.
///
/// A release that somebody upgraded since is left alone and named (MovedOn). Scopes narrow each other: run, --wave,
/// --cluster, -n, -l, --since, releases. Reverse order of the migration; keeps to the limits.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run
    #[arg(value_name = "RUN")]
    pub run: RunId,

    /// Only these releases: cluster/namespace/name
    #[arg(value_name = "RELEASE")]
    pub releases: Vec<ReleaseId>,

    /// Only releases of this wave
    #[arg(long, value_name = "N")]
    pub wave: Option<u32>,

    /// Only releases migrated since: 14:05, 2h, 2026-12-02T14:05, 2026-12-02T13:05Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<since::Since>,

    /// Show what would be put back; 0 writes
    #[arg(long)]
    pub dry_run: bool,

    /// Answers given beforehand.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Previews, asks, puts back, reports.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let fleet = backend.fleet(&ctx.invocation)?;
    let since = match &args.since {
        Some(since) => {
            let at = since.resolve(ctx.now(), &fleet.timezone)?;
            ctx.say(&format!("since {}", since::echo(at, &fleet.timezone)));
            Some(at)
        }
        None => None,
    };
    let scope = UndoScope {
        run: args.run.clone(),
        releases: args.releases.clone(),
        wave: args.wave,
        since,
    };
    ctx.say("reading the journal and the releases ...");
    let preview = backend
        .prepare_undo(&ctx.invocation, &fleet, &scope)
        .await?;
    if args.dry_run {
        ctx.show(&preview_screen(&preview.report, preview.writes_per_second))?;
        return Ok(ctx.findings(!preview.report.items.is_empty()));
    }
    let question = confirm::Question::for_clusters(&fleet.name, &preview.prod);
    let run = args.run.to_string();
    let with_flags = match &question {
        confirm::Question::FleetName(fleet) => Next::UndoConfirm {
            run,
            fleet: fleet.clone(),
        },
        confirm::Question::Yes(_) => Next::UndoYes { run },
    };
    if preview.report.items.iter().all(|item| item.end.is_some()) {
        ctx.say("nothing to put back; 0 writes");
        ctx.show(&preview_screen(&preview.report, preview.writes_per_second))?;
        return Ok(super::undo_exit(&preview.report));
    }
    let lines = preview_lines(&preview.report, preview.writes_per_second);
    let purpose = super::put_back_purpose(&preview.report);
    confirm::ask(ctx, &lines, &purpose, &question, &args.write, with_flags)?;
    let invocation = ctx.invocation.clone();
    let subject = follow::Subject {
        fleet: fleet.name.clone(),
        run: args.run.to_string(),
        again: Next::Undo {
            run: args.run.to_string(),
        },
        clusters: fleet
            .clusters
            .iter()
            .map(|cluster| cluster.name.to_string())
            .collect(),
    };
    let report = follow::follow(ctx, &subject, None, |events| async move {
        backend.undo(&invocation, &preview, events).await
    })
    .await?;
    ctx.show(&report_screen(&report))?;
    Ok(super::undo_exit(&report))
}
