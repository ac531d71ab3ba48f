//! `refit run`: carries a plan out.

use std::path::PathBuf;

use jiff::SignedDuration;

use super::confirm;
use super::context::Ctx;
use super::error::CliError;
use super::exit::Exit;
use super::files;
use super::follow;
use super::globals::WriteArgs;
use super::plan_file;
use crate::domain::fleet::PlanSettings;
use crate::domain::fleet::settings::Budget;
use crate::render::Next;
use crate::render::live::Subject;
use crate::render::screen::run::{RunPreviewScreen, report_screen};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Show the targets, ask, migrate wave by wave
  refit run acme.plan.json

  # From a pipeline: no questions, production named, events kept
  refit run acme.plan.json --yes --confirm acme --events run.ndjson

  # Do not stay for waits over a minute: exit code 4 says when to call refit resume
  refit run acme.plan.json --yes --max-wait 1m";

/// Flags of `run` and `resume`.
#[derive(Debug, Clone, clap::Args)]
pub struct RunFlags {
    /// Also write every event to a file, one JSON document a line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,

    /// End with exit code 4 at the first wait that is longer [default: 5m; on a terminal: no end]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub max_wait: Option<SignedDuration>,
}

/// Carries a plan out, wave by wave. Writes; asks first.
///
/// Changes only who owns fields (metadata.managedFields) and Helm's release records: no value, no generation, no
/// pod; but the values that the plan counts as value changes (policies take and prune, mode enforce). Each release is migrated whole or put back as it was, whatever dies in between. Ctrl-C finishes the releases
/// in hand and stops; `refit resume` goes on; `refit undo` goes back.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The plan's file, made by `refit plan --save`
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,

    /// Flags shared with resume.
    #[command(flatten)]
    pub flags: RunFlags,

    /// Answers given beforehand.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// What a plan asks for between its waves, and a run does not do yet: said, so that nobody relies on it.
fn unkept(settings: &PlanSettings) -> Vec<&'static str> {
    [
        ("windows", !settings.windows.is_empty()),
        ("freezes", !settings.freezes.is_empty()),
        ("soak", !settings.soak.is_empty()),
        ("gates", !settings.gates.is_empty()),
        ("approvals", !settings.approvals.is_empty()),
        ("budget", settings.budget != Budget::default()),
    ]
    .into_iter()
    .filter_map(|(name, asked)| asked.then_some(name))
    .collect()
}

/// Previews, asks, runs, reports.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let plan = plan_file::read(&args.plan)?;
    let file = files::name(&args.plan);
    ctx.say(&format!(
        "checking {} releases of {file} ...",
        plan.summary.migrate
    ));
    let preview = ctx
        .backend()
        .prepare_run(&ctx.invocation, plan, &file)
        .await?;
    let question = confirm::Question::for_clusters(&preview.plan.metadata.fleet, &preview.prod);
    let screen = RunPreviewScreen {
        preview: &preview,
        file: Some(&file),
        verb: "run",
    };
    let with_flags = match &question {
        confirm::Question::FleetName(fleet) => Next::RunConfirm {
            plan: file.clone(),
            fleet: fleet.clone(),
        },
        confirm::Question::Yes(_) => Next::RunYes { plan: file.clone() },
    };
    if preview.work.releases == 0 {
        ctx.say(&format!("{file} has nothing to migrate; 0 writes"));
        return Ok(Exit::Ok);
    }
    let unkept = unkept(&preview.plan.metadata.settings);
    if !unkept.is_empty() {
        ctx.say(&format!(
            "warning: this refit does not keep to {} of the plan yet: one wave follows the other at once",
            unkept.join(", ")
        ));
    }
    confirm::ask(
        ctx,
        &screen.lines(),
        "start",
        &question,
        &args.write,
        with_flags,
    )?;
    perform(ctx, &preview, &args.flags).await
}

/// The common end of `run` and `resume`.
pub(super) async fn perform(
    ctx: &mut Ctx,
    preview: &super::backend::RunPreview,
    flags: &RunFlags,
) -> Result<Exit, CliError> {
    let backend = ctx.backend();
    let invocation = ctx.invocation.clone();
    let max_wait = flags.max_wait.or_else(|| {
        (!ctx.console.is_interactive()).then(|| SignedDuration::from_secs(DEFAULT_MAX_WAIT_SECONDS))
    });
    let subject = Subject {
        fleet: preview.plan.metadata.fleet.clone(),
        title: preview.run.to_string(),
        forward: true,
        clusters: preview
            .plan
            .metadata
            .limits
            .keys()
            .map(|name| (name.clone(), 0))
            .collect(),
        note: None,
        again: Next::Resume {
            run: preview.run.to_string(),
        },
    };
    let report = follow::follow(ctx, subject, flags.events.as_deref(), |events| async move {
        backend.run(&invocation, preview, max_wait, events).await
    })
    .await?;
    ctx.show(&report_screen(&report))?;
    Ok(super::outcome_exit(&report))
}

/// Without a terminal nobody sees a wait: after five minutes a pipeline had better be called again.
const DEFAULT_MAX_WAIT_SECONDS: i64 = 300;

/// A length of time such as `90s`, `5m`, `1h30m`.
fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(time) if !time.is_negative() => Ok(time),
        Ok(_) => Err("a wait cannot be negative".to_owned()),
        Err(_) => Err("write a length of time: 90s, 5m, 1h30m".to_owned()),
    }
}
