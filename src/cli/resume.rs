//! `refit resume`: goes on with a run.

use super::confirm;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::globals::WriteArgs;
use super::run::RunFlags;
use crate::domain::ids::RunId;
use crate::render::Next;
use crate::render::screen::run::RunPreviewScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Go on where the run stopped, waited or died
  refit resume run-7k3f

  # From cron, as often as you like: exit code 4 while it waits
  refit resume run-7k3f --yes --confirm acme --max-wait 1m

  # The machine that ran it is gone
  refit resume run-7k3f --take-over";

/// Goes on with a run that stopped, waited, or died with its process. Writes; asks first.
///
/// First settles what the last process left open: every journaled request is sent again under its guard, so that it
/// takes effect once or not at all.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run; may be left out if only one is open
    #[arg(value_name = "RUN")]
    pub run: Option<RunId>,

    /// Take its clusters over from a process that still holds them and is gone; that one can write no more
    #[arg(long)]
    pub take_over: bool,

    /// Flags shared with run.
    #[command(flatten)]
    pub flags: RunFlags,

    /// Answers given beforehand.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Previews, asks, goes on, reports.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    ctx.say("reading the journal ...");
    let preview = ctx
        .backend()
        .prepare_resume(&ctx.invocation, args.run.as_ref(), args.take_over)
        .await?;
    let question = confirm::Question::for_clusters(&preview.plan.metadata.fleet, &preview.prod);
    let screen = RunPreviewScreen {
        preview: &preview,
        file: None,
        verb: "resume",
    };
    let run = preview.run.to_string();
    let with_flags = match &question {
        confirm::Question::FleetName(fleet) => Next::ResumeConfirm {
            run,
            fleet: fleet.clone(),
        },
        confirm::Question::Yes(_) => Next::ResumeYes { run },
    };
    confirm::ask(
        ctx,
        &screen.lines(),
        "go on",
        &question,
        &args.write,
        with_flags,
    )?;
    super::run::perform(ctx, &preview, &args.flags).await
}
