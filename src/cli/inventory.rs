//! `refit inventory`: what the fleet holds.

use std::path::PathBuf;

use super::captured;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use crate::domain::release::Inventory;
use crate::render::Next;
use crate::render::screen::inventory::{InventoryScreen, read_inventory};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Every release of the clusters in fleet.toml
  refit inventory

  # Without fleet.toml: all contexts that match
  refit inventory --context 'acme-*'

  # Keep it, and look at it or forecast it later, elsewhere, without a cluster
  refit inventory --save acme.inv.json
  refit inventory --from acme.inv.json -o wide --sort-by .updated
  refit shadow --from acme.inv.json

  # Releases that Helm 3 wrote last
  refit inventory -o json | jq '.items[] | select(.applyMethod == null) | .name'";

/// Lists every release of the fleet: revision, status, apply method, owners of its fields, who else drives it.
///
/// Only reads. A cluster that does not answer is a row with `?`, a warning, and exit code 0; 1 if none answers.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Keep it in a file (mode 0600) with all that a forecast needs: manifests, live objects, schemas. No value of a Secret
    /// is in it, only digests under a key that is thrown away
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,

    /// Show a saved inventory instead of reading clusters
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub from: Option<PathBuf>,
}

/// Shows the inventory.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let started = ctx.now();
    let backend = ctx.backend();
    let mut capture = None;
    let (inventory, deadline) = if let Some(path) = &args.from {
        (files::read(path, "ReleaseList", read_inventory)?, None)
    } else {
        let fleet = backend.fleet(&ctx.invocation)?;
        ctx.say_reading(&fleet);
        let inventory = backend.inventory(&ctx.invocation, &fleet).await?;
        if args.save.is_some() {
            capture = Some(backend.capture(&ctx.invocation, &fleet).await?);
        }
        (inventory, Some(fleet.deadline))
    };
    let fatal = fatal(&inventory, ctx);
    let saved = args.save.as_deref().filter(|_| fatal.is_none());
    let screen = InventoryScreen {
        inventory: &inventory,
        now: ctx.now(),
        took: args
            .from
            .is_none()
            .then(|| ctx.now().duration_since(started)),
        deadline,
        saved: saved.map(files::name),
        tool: super::VERSION,
    };
    let document = screen.document();
    if let (Some(path), Some(capture)) = (saved, &capture) {
        captured::write(path, &document, capture)?;
    }
    ctx.show(&document)?;
    match fatal {
        Some(error) => Err(error),
        None => Ok(ctx.findings(inventory.clusters.iter().any(|it| it.unreachable.is_some()))),
    }
}

/// An inventory of nothing: it is shown, is an error, and overwrites no file.
fn fatal(inventory: &Inventory, ctx: &Ctx) -> Option<CliError> {
    let away = inventory.clusters.iter().filter_map(|cluster| {
        let why = cluster.unreachable.as_ref()?;
        Some(format!("{}: {why}", cluster.name))
    });
    let away: Vec<String> = away.collect();
    if away.len() == inventory.clusters.len() && !away.is_empty() {
        let error = CliError::new(ErrorCode::Unreachable, "no cluster could be read");
        return Some(error.because(away.join("\n")));
    }
    inventory.releases.is_empty().then(|| {
        ctx.nothing_found(inventory).next(Next::Help {
            topic: "inventory".into(),
        })
    })
}
