//! `refit shadow`: what a migration would meet, release by release.

use std::path::PathBuf;

use super::backend::Share;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::release_ref::ReleaseRef;
use super::{shadow_next, triage};
use crate::domain::ids::ReleaseId;
use crate::render::Next;
use crate::render::screen::inventory::read_inventory;
use crate::render::screen::shadow::ShadowScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # What server-side apply would meet, everywhere
  refit shadow

  # One release: each field in conflict, its owner, both values
  refit shadow eu-1/shop/checkout

  # Only the totals: outcomes, conflict rates by cluster, chart, kind and owner
  refit shadow --summary

  # Owners of fields in conflict, from the saved forecast
  refit shadow --save acme.shadow.json
  jq -r '.items[].objects[].active[]?.owner' acme.shadow.json | sort | uniq -c

  # Is the forecast right? The server is asked about each object of 20 releases
  refit shadow --confirm 20

  # Would the next helm upgrade pass, on every cluster? (--show-only, hooks and crds/ apart)
  helm template checkout ./checkout -n shop -f prod.yaml | refit shadow --manifest - '*/shop/checkout'

  # In CI: exit code 2 if anything is held
  refit shadow --detailed-exitcode > /dev/null";

/// Forecasts each release: Ready, NeedsChoice, Blocked or Done, with conflicts, drops and drift of its objects.
///
/// Reads, one list a kind; asks by a dry run, which stores nothing, only where the server alone can tell, or where
/// admission looks at the adoption. 0 writes. Values of Secrets are hidden. Latent conflicts (same value today, owned by two) are counted and hold nothing.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this release, field by field: cluster/namespace/name, or namespace/name if one cluster is in scope; with
    /// --manifest a glob over releases, like '*/shop/checkout'
    #[arg(value_name = "RELEASE", conflicts_with_all = ["from", "summary"])]
    pub release: Option<ReleaseRef>,

    /// Forecast Helm's next server-side upgrade with this manifest, as helm template prints it, of the releases that RELEASE
    /// names; - is stdin. Conflicts (409), refusals, objects and fields that come and go
    #[arg(long, value_name = "FILE", requires = "release", conflicts_with_all = ["from", "summary", "confirm"])]
    pub manifest: Option<PathBuf>,

    /// Print the totals only, on stdout
    #[arg(long)]
    pub summary: bool,

    /// Keep the forecast in a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Forecast only the releases of a saved inventory
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,

    /// Ask the server about every object of so many releases, evenly chosen, or of all, and compare: exit code 2 if it
    /// says anything else
    #[arg(long, value_name = "N|all", value_parser = share)]
    pub confirm: Option<Share>,
}

fn share(text: &str) -> Result<Share, String> {
    if text == "all" {
        return Ok(Share::All);
    }
    let some = text.parse().map(Share::Some);
    some.map_err(|_| "write a number of releases from 1 on, or all".to_owned())
}

/// Makes the forecast and shows it.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    if let (Some(manifest), Some(release)) = (&args.manifest, &args.release) {
        return shadow_next::exec(manifest, release, args.save.as_deref(), ctx).await;
    }
    let backend = ctx.backend();
    let from = match &args.from {
        Some(path) => Some(files::read(path, "ReleaseList", read_inventory)?),
        None => None,
    };
    let mut fleet = backend.fleet(&ctx.invocation)?;
    let one = match &args.release {
        Some(release) => Some(release.resolve(&fleet, &ctx.scope())?),
        None => None,
    };
    if let Some(one) = &one {
        fleet.clusters.retain(|cluster| cluster.name == one.cluster);
    }
    let only: Option<Vec<ReleaseId>> = match (one.clone(), from) {
        (Some(one), _) => Some(vec![one]),
        (None, Some(inventory)) => Some(
            inventory
                .releases
                .iter()
                .map(|release| release.id.clone().into())
                .collect(),
        ),
        (None, None) => None,
    };
    ctx.say_reading(&fleet);
    let started = ctx.now();
    let mut shadow = backend.shadow(&ctx.invocation, &fleet, only).await?;
    if let Some(share) = args.confirm {
        let confirmed = backend
            .confirm(&ctx.invocation, &fleet, &shadow, share)
            .await?;
        shadow.confirmed = Some(confirmed);
    }
    let rules = triage::rules(None, ctx)?;
    let causes = triage::gravest_of(&shadow.releases, &rules);
    let screen = ShadowScreen {
        fleet: &fleet.name,
        taken_at: started,
        releases: &shadow.releases,
        unread: &shadow.unread,
        clusters: fleet.clusters.len(),
        causes: &causes,
        dry_runs: shadow.dry_runs,
        asked: shadow.asked,
        confirmed: shadow.confirmed.as_ref(),
        now: ctx.now(),
        took: ctx.now().duration_since(started),
        tool: super::VERSION,
    };
    let document = match &one {
        Some(release) => screen.release(release).ok_or_else(|| {
            CliError::new(
                ErrorCode::ReleaseNotFound,
                format!("there is no release {release}"),
            )
            .next(Next::InventoryCluster {
                cluster: release.cluster.to_string(),
            })
        })?,
        None if args.summary => screen.totals(),
        None => screen.document(),
    };
    if let Some(path) = &args.save {
        let whole = if one.is_some() {
            document.json_text()
        } else {
            screen.document().json_text()
        };
        files::write_text(path, &whole)?;
    }
    ctx.show(&document)?;
    if screen.has_disagreements() {
        return Ok(Exit::Findings);
    }
    Ok(ctx.findings(screen.has_findings()))
}
