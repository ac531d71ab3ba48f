//! `refit unlock`: removes a lock that a run left on a release.

use super::confirm;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::globals::WriteArgs;
use super::release_ref::ReleaseRef;
use crate::render::Next;
use crate::render::screen::unlock::{done_screen, preview_lines};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # A run died for good, and `helm upgrade` says: another operation is in progress
  refit unlock eu-1/payments/ledger

  # On the only cluster in scope
  refit unlock payments/ledger --context acme-eu-1

`refit resume` is the better way while the run's store is there: it knows what the run had done.";

/// Removes the lock of a dead run from one release, so that Helm can work on it again. Writes; asks first.
///
/// The lock is a pending revision that carries refit's mark; another's pending revision is never touched. What the
/// run had moved is shown first, with the side that the release is on.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The release: cluster/namespace/name, or namespace/name where only one cluster is in scope
    #[arg(value_name = "RELEASE")]
    pub release: ReleaseRef,

    /// Answers given beforehand.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Previews, asks, unlocks.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let fleet = backend.fleet(&ctx.invocation)?;
    let release = args.release.resolve(&fleet, &ctx.scope())?;
    ctx.say(&format!("reading {release} ..."));
    let preview = backend
        .prepare_unlock(&ctx.invocation, &fleet, &release)
        .await?;
    let question = confirm::Question::for_clusters(&fleet.name, &preview.prod);
    let release = release.to_string();
    let with_flags = match &question {
        confirm::Question::FleetName(fleet) => Next::UnlockConfirm {
            release,
            fleet: fleet.clone(),
        },
        confirm::Question::Yes(_) => Next::UnlockYes { release },
    };
    let lines = preview_lines(&preview, ctx.now());
    confirm::ask(
        ctx,
        &lines,
        "remove the lock",
        &question,
        &args.write,
        with_flags,
    )?;
    let done = backend.unlock(&ctx.invocation, &fleet, &preview).await?;
    ctx.show(&done_screen(&preview, done.lock, done.deployed, done.side))?;
    Ok(Exit::Ok)
}
