//! The command line: one file a verb, its flags, help and shell; what the verbs do is the backend's.
//!
//! | decisions (pure) | effects |
//! |---|---|
//! | arguments → [`Cli`]; wrong ones → [`error::CliError`] ([`usage`]) | [`console`]: streams; `files`: documents |
//! | flags, environment, terminal → [`confirm::Decision`], colours, formats | [`context`]: clock; [`mod@env`]: environment |
//! | reports → [`Exit`] | [`backend`]: everything that touches a cluster or the store |

pub mod audit;
mod audit_diff;
pub mod backend;
mod captured;
pub mod completion;
pub mod config;
pub mod confirm;
pub mod console;
pub mod context;
mod desk;
pub mod diff;
pub mod env;
pub mod error;
mod exit;
pub mod fields;
mod files;
mod follow;
pub mod globals;
pub mod graph;
pub mod help;
pub mod inventory;
pub mod object_name;
mod pages;
pub mod plan;
mod plan_file;
pub mod playbook;
pub mod policy;
#[cfg(test)]
mod reference;
pub mod release_ref;
pub mod resume;
pub mod run;
#[cfg(test)]
mod schema;
pub mod scope;
pub mod settle;
pub mod shadow;
mod shadow_next;
pub mod show;
mod simulate;
pub mod since;
pub mod status;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_capture;
mod tests_graph;
mod tests_next;
mod tests_simulate;
mod trace;
pub mod triage;
pub mod undo;
pub mod unlock;
pub mod usage;
mod wire;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use self::backend::Backend;
use self::console::Console;
use self::context::{Ctx, Invocation, clock};
use self::env::Env;
use self::error::CliError;
pub use self::exit::Exit;
use self::globals::Globals;
use crate::domain::fleet::Fleet;
use crate::domain::ids::ClusterName;
use crate::domain::report::{RunReport, RunState, UndoReport};
use crate::domain::run::Outcome;
use crate::render::{Format, format, text};

/// refit's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// refit moves fleets of Helm releases from client-side to server-side apply, and back.
///
/// Only run, resume, undo, unlock and settle write; they show what they would do, and ask. Everything else only reads.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "refit",
    version,
    disable_help_subcommand = true,
    max_term_width = 110
)]
#[command(after_help = "More: refit help exit-codes | outcomes | errors | policy")]
pub struct Cli {
    /// Flags of all verbs.
    #[command(flatten)]
    pub globals: Globals,

    /// The verb.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The verbs, by stage.
#[expect(
    missing_docs,
    reason = "a text here would stand in the help instead of the one at each verb's Args"
)]
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    Inventory(inventory::Args),
    Shadow(shadow::Args),
    Triage(triage::Args),
    Fields(fields::Args),
    Graph(graph::Args),
    Plan(plan::Args),
    Show(show::Args),
    Diff(diff::Args),
    Playbook(playbook::Args),
    Config(config::Args),
    Policy(policy::Args),
    Run(run::Args),
    Resume(resume::Args),
    Status(status::Args),
    #[command(visible_alias = "rollback")]
    Undo(undo::Args),
    Unlock(unlock::Args),
    Settle(settle::Args),
    Audit(audit::Args),
    Completion(completion::Args),
    Help(help::Args),
}

/// The binary.
pub fn main() -> ExitCode {
    let env = Env::of_process();
    call(
        std::env::args_os(),
        env,
        Console::of_process(),
        wire::backend(),
    )
    .into()
}

/// One call of refit, with everything it depends on.
pub fn call(
    args: impl IntoIterator<Item = OsString>,
    env: Env,
    mut console: Console,
    backend: Arc<dyn Backend>,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(refused) => {
            let globals = Globals {
                output: if wants_json(&args) {
                    Format::Json
                } else {
                    Format::Table
                },
                ..Globals::default()
            };
            console.configure(&globals, &env);
            return match usage::error(&refused) {
                Some(error) => fail(&mut console, &globals, &error),
                None => match console.out(&refused.render().to_string()) {
                    Ok(()) => Exit::Ok,
                    Err(error) => error.exit,
                },
            };
        }
    };
    let mut ctx = Ctx::new(Invocation::new(cli.globals, env, clock), console, backend);
    let color = ctx.console.err_frame().color;
    trace::start(
        ctx.invocation.globals.verbose,
        ctx.invocation.env.log.as_deref(),
        color,
    );
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            CliError::internal("no threads could be started").because(error.to_string())
        })
        .and_then(|runtime| runtime.block_on(exec(cli.verb.as_ref(), &mut ctx)));
    match result {
        Ok(exit) => exit,
        Err(error) => {
            let invocation = ctx.invocation.clone();
            fail(&mut ctx.console, &invocation.globals, &error)
        }
    }
}

/// Carries a verb out.
async fn exec(verb: Option<&Verb>, ctx: &mut Ctx) -> Result<Exit, CliError> {
    match verb {
        None => {
            ctx.console.out(pages::SUMMARY)?;
            Ok(Exit::Ok)
        }
        Some(Verb::Inventory(args)) => inventory::exec(args, ctx).await,
        Some(Verb::Shadow(args)) => shadow::exec(args, ctx).await,
        Some(Verb::Triage(args)) => triage::exec(args, ctx).await,
        Some(Verb::Fields(args)) => fields::exec(args, ctx).await,
        Some(Verb::Graph(args)) => graph::exec(args, ctx).await,
        Some(Verb::Plan(args)) => plan::exec(args, ctx).await,
        Some(Verb::Show(args)) => show::exec(args, ctx),
        Some(Verb::Diff(args)) => diff::exec(args, ctx),
        Some(Verb::Playbook(args)) => playbook::exec(args, ctx),
        Some(Verb::Config(args)) => config::exec(args, ctx),
        Some(Verb::Policy(args)) => policy::exec(args, ctx).await,
        Some(Verb::Run(args)) => run::exec(args, ctx).await,
        Some(Verb::Resume(args)) => resume::exec(args, ctx).await,
        Some(Verb::Status(args)) => status::exec(args, ctx).await,
        Some(Verb::Undo(args)) => undo::exec(args, ctx).await,
        Some(Verb::Unlock(args)) => unlock::exec(args, ctx).await,
        Some(Verb::Settle(args)) => settle::exec(args, ctx).await,
        Some(Verb::Audit(args)) => audit::exec(args, ctx).await,
        Some(Verb::Completion(args)) => completion::exec(args, ctx),
        Some(Verb::Help(args)) => help::exec(args, ctx),
    }
}

/// Prints an error: JSON with `-o json`.
fn fail(console: &mut Console, globals: &Globals, error: &CliError) -> Exit {
    let text = if globals.output == Format::Json {
        format::json(&error.json())
    } else {
        error.text(console.err_frame().width)
    };
    console.err(&text);
    error.exit
}

/// Did arguments that do not parse ask for JSON?
fn wants_json(args: &[OsString]) -> bool {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).collect();
    words
        .windows(2)
        .any(|pair| matches!(pair, ["-o" | "--output", "json"]))
        || words
            .iter()
            .any(|word| matches!(*word, "-ojson" | "-o=json" | "--output=json"))
}

/// The exit code of a run: its state, and how its releases ended.
fn outcome_exit(report: &RunReport) -> Exit {
    let state = match report.state {
        RunState::Running | RunState::Complete => Exit::Ok,
        RunState::Waiting => Exit::Waiting,
        // Stopped by an error has its own error; stopped with work left over is not done.
        RunState::Stopped => Exit::SomeNotDone,
        RunState::Interrupted => Exit::Interrupted,
        RunState::BudgetSpent => Exit::BudgetSpent,
        RunState::LockLost => Exit::LockHeld,
    };
    let releases = if report.totals().not_done() > 0 {
        Exit::SomeNotDone
    } else {
        Exit::Ok
    };
    Exit::worst([state, releases])
}

/// The exit code of an undo: put back is its wished end.
fn undo_exit(report: &UndoReport) -> Exit {
    let state = match report.state {
        RunState::Waiting => Exit::Waiting,
        RunState::Interrupted => Exit::Interrupted,
        RunState::LockLost => Exit::LockHeld,
        RunState::BudgetSpent => Exit::BudgetSpent,
        RunState::Running | RunState::Complete | RunState::Stopped => Exit::Ok,
    };
    let left = report
        .items
        .iter()
        .any(|item| !matches!(item.end, Some(Outcome::Undone { .. })));
    Exit::worst([state, if left { Exit::SomeNotDone } else { Exit::Ok }])
}

/// The exit code of a settling: every release must have settled.
fn settle_exit(report: &UndoReport) -> Exit {
    let unsettled = |end: &Option<Outcome>| {
        matches!(
            end,
            None | Some(Outcome::MovedOn { settled: false, .. } | Outcome::Stuck { .. })
        )
    };
    let left = report.items.iter().any(|item| unsettled(&item.end));
    if left { Exit::SomeNotDone } else { Exit::Ok }
}

/// How many releases of each cluster of the fleet are concerned.
fn releases_by_cluster(fleet: &Fleet, report: &UndoReport) -> BTreeMap<ClusterName, u32> {
    let names = fleet
        .clusters
        .iter()
        .map(|cluster| (cluster.name.clone(), 0));
    let mut counts: BTreeMap<ClusterName, u32> = names.collect();
    for item in report.items.iter().filter(|item| item.end.is_none()) {
        *counts.entry(item.release.cluster.clone()).or_default() += 1;
    }
    counts
}

/// `put 23 releases on 1 cluster back`.
fn put_back_purpose(report: &UndoReport) -> String {
    let concerned = report.items.iter().filter(|item| item.end.is_none());
    let clusters: std::collections::BTreeSet<_> = concerned
        .clone()
        .map(|item| &item.release.cluster)
        .collect();
    format!(
        "put {} on {} back",
        text::counted(
            u64::try_from(concerned.count()).unwrap_or(u64::MAX),
            "release"
        ),
        text::counted(u64::try_from(clusters.len()).unwrap_or(u64::MAX), "cluster"),
    )
}
