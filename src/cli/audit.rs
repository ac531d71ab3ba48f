//! `refit audit`: who owns the fields of Helm's objects, all over the fleet.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::audit_diff;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::release_ref::ReleaseRef;
use crate::domain::audit::{Capture, GateResult, audit};
use crate::domain::fleet::DrivenBy;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::render::Next;
use crate::render::screen::audit::{AuditScreen, By, capture_document, read_capture};

/// The kind of what `--save` writes.
pub(super) const KIND: &str = "AuditCapture";

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # The census: a row a cluster, outliers named
  refit audit

  # As a gate in CI: exit code 2 unless one manager owns everything
  refit audit --gate one-manager

  # Which programs write to Helm's objects, everywhere
  refit audit --by manager

  # One release: its revisions, its objects' owners, who took it off server-side apply
  refit audit eu-1/shop/checkout

  # What changed between two days
  refit audit --save monday.json
  refit audit --save friday.json
  refit audit diff monday.json friday.json";

/// A condition that the fleet must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Gate {
    /// Every release's fields are owned by the canonical manager, through server-side apply
    OneManager,
}

/// Counts owners of fields, finds releases that slid back to client-side apply and who did it, checks gates.
///
/// Only reads. Releases whose driver stands in `[audit] expect` of fleet.toml leave the gate, not the table.
/// A saved audit holds managedFields, names of fields, and no value of an object.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Instead of a census.
    #[command(subcommand)]
    pub other: Option<Other>,

    /// Only this release, object by object: cluster/namespace/name, or namespace/name if one cluster is in scope
    #[arg(value_name = "RELEASE", conflicts_with_all = ["by", "save", "from"])]
    pub release: Option<ReleaseRef>,

    /// What a row of the table is
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub by: By,

    /// Check a condition: exit code 2 if it does not hold
    #[arg(long, value_enum, value_name = "GATE")]
    pub gate: Option<Gate>,

    /// Keep who owns what in a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Take the census of a saved audit; reads no cluster
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub from: Option<PathBuf>,
}

/// What else the verb does.
#[expect(
    missing_docs,
    reason = "a text here would stand in the help instead of the one at its Args"
)]
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Other {
    Diff(audit_diff::Args),
}

/// Shows the audit.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    if let Some(Other::Diff(args)) = &args.other {
        return audit_diff::exec(args, ctx);
    }
    let mut one = None;
    let (capture, expect) = match &args.from {
        Some(path) => saved(files::read(path, KIND, read_capture)?, ctx)?,
        None => {
            let backend = ctx.backend();
            let mut fleet = backend.fleet(&ctx.invocation)?;
            if let Some(release) = &args.release {
                let release = release.resolve(&fleet, &ctx.scope())?;
                fleet
                    .clusters
                    .retain(|cluster| cluster.name == release.cluster);
                one = Some(release);
            }
            ctx.say_reading(&fleet);
            let capture = backend.audit(&ctx.invocation, &fleet, one.as_ref()).await?;
            (capture, fleet.expect)
        }
    };
    let mut audit =
        audit(&capture, &expect).map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    if args.gate.is_none() {
        audit.gates.clear();
    }
    let failed = audit
        .gates
        .iter()
        .any(|gate| gate.result == GateResult::Fail);
    if let Some(path) = &args.save {
        files::write_compact(path, &capture_document(&capture, super::VERSION).to_json())?;
    }
    let screen = AuditScreen {
        capture: &capture,
        audit: &audit,
        by: args.by,
        expect: &expect,
        saved: args.save.as_deref().map(files::name),
    };
    let document = match &one {
        Some(release) => screen
            .release(release)
            .ok_or_else(|| not_found(release, &capture))?,
        None => screen.document(),
    };
    ctx.show(&document)?;
    Ok(if failed { Exit::Findings } else { Exit::Ok })
}

/// A release that is not there, or whose cluster was not read.
fn not_found(release: &ReleaseId, capture: &Capture) -> CliError {
    if let Some(Some(why)) = capture.clusters.get(&release.cluster) {
        return CliError::new(
            ErrorCode::Unreachable,
            format!("{} was not read", release.cluster),
        )
        .because(why.clone());
    }
    CliError::new(
        ErrorCode::ReleaseNotFound,
        format!("there is no release {release}"),
    )
    .next(Next::InventoryCluster {
        cluster: release.cluster.to_string(),
    })
}

/// What the scope leaves of a saved capture, and whom the fleet's file expects. No file, no expectation.
fn saved(mut capture: Capture, ctx: &Ctx) -> Result<(Capture, BTreeSet<DrivenBy>), CliError> {
    let fleet = match ctx.backend().fleet(&ctx.invocation) {
        Ok(fleet) => Some(fleet),
        Err(error) if error.code == ErrorCode::ContextNotFound => None,
        Err(error) => return Err(error),
    };
    let scope = ctx.scope();
    if !scope.is_everything() {
        let has = |name: &ClusterName| fleet.as_ref().is_some_and(|it| it.cluster(name).is_some());
        capture.clusters.retain(|name, _| has(name));
        capture
            .releases
            .retain(|it| has(&it.release.cluster) && scope.has_release(&it.release));
    }
    Ok((capture, fleet.map(|fleet| fleet.expect).unwrap_or_default()))
}
