//! `refit shadow`: what a migration would meet, release by release.

use std::path::PathBuf;

use super::backend::Share;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::release_ref::ReleaseRef;
use super::{captured, shadow_next, triage};
use crate::render::Next;
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

  # Read the fleet once, forecast it anywhere: no cluster is asked, no value of a Secret is in the file
  refit inventory --save acme.inv.json
  refit shadow --from acme.inv.json
  refit shadow --from acme.inv.json eu-1/shop/checkout

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
    #[arg(value_name = "RELEASE", conflicts_with = "summary")]
    pub release: Option<ReleaseRef>,

    /// Forecast Helm's next server-side upgrade with this manifest, as helm template prints it, of the releases that RELEASE
    /// names; - is stdin. Conflicts (409), refusals, objects and fields that come and go
    #[arg(long, value_name = "FILE", requires = "release", conflicts_with_all = ["summary", "confirm"])]
    pub manifest: Option<PathBuf>,

    /// Print the totals only, on stdout
    #[arg(long)]
    pub summary: bool,

    /// Keep the forecast in a file
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Forecast from a saved inventory (refit inventory --save): the same forecast, without a cluster or kubeconfig
    #[arg(long, value_name = "FILE", conflicts_with = "confirm")]
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
        let (from, save) = (args.from.as_deref(), args.save.as_deref());
        return shadow_next::exec(manifest, release, from, save, ctx).await;
    }
    let backend = ctx.backend();
    let (at, mut fleet) = captured::open(args.from.as_deref(), ctx)?;
    let one = match &args.release {
        Some(release) => Some(release.resolve(&fleet, &ctx.scope())?),
        None => None,
    };
    if let Some(one) = &one {
        fleet.clusters.retain(|cluster| cluster.name == one.cluster);
    }
    let only = one.clone().map(|one| vec![one]);
    let started = ctx.now();
    let taken_at = captured::taken_at(&at, ctx);
    captured::say_reading(&at, &fleet, ctx);
    let mut shadow = backend.shadow(&ctx.invocation, &fleet, at, only).await?;
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
        taken_at,
        releases: &shadow.releases,
        unread: &shadow.unread,
        clusters: fleet.clusters.len(),
        from: args.from.as_deref().map(files::name),
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
