//! `refit settle`: looks again at releases that somebody else moved while refit worked on them.

use super::confirm;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::follow;
use super::globals::WriteArgs;
use crate::domain::ids::ReleaseId;
use crate::render::Next;
use crate::render::screen::settle::{preview_lines, report_screen};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # All releases whose end was not settled
  refit settle

  # One of them, once helm is done with it
  refit settle eu-1/payments/ledger";

/// Looks again at releases that ended as MovedOn while somebody's operation was still open. Writes; asks first.
///
/// Removes late locks of refit and supersedes its own revision where a newer one is deployed. Touches no object.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this release: cluster/namespace/name
    #[arg(value_name = "RELEASE")]
    pub release: Option<ReleaseId>,

    /// Answers given beforehand.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Previews, asks, settles, reports.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let fleet = backend.fleet(&ctx.invocation)?;
    ctx.say("reading the journal and the releases ...");
    let preview = backend
        .prepare_settle(&ctx.invocation, &fleet, args.release.as_ref())
        .await?;
    if preview.report.items.is_empty() {
        ctx.show(&report_screen(&preview.report))?;
        return Ok(Exit::Ok);
    }
    let question = confirm::Question::for_clusters(&fleet.name, &preview.prod);
    let with_flags = match &question {
        confirm::Question::FleetName(fleet) => Next::SettleConfirm {
            fleet: fleet.clone(),
        },
        confirm::Question::Yes(_) => Next::SettleYes,
    };
    let lines = preview_lines(&preview.report);
    confirm::ask(
        ctx,
        &lines,
        "settle them",
        &question,
        &args.write,
        with_flags,
    )?;
    let invocation = ctx.invocation.clone();
    let subject = follow::Subject {
        fleet: fleet.name.clone(),
        run: "settle".to_owned(),
        again: Next::SettleAll,
        clusters: fleet
            .clusters
            .iter()
            .map(|cluster| cluster.name.to_string())
            .collect(),
    };
    let report = follow::follow(ctx, &subject, None, |events| async move {
        backend.settle(&invocation, &fleet, &preview, events).await
    })
    .await?;
    ctx.show(&report_screen(&report))?;
    Ok(super::settle_exit(&report))
}
