//! `refit inventory`: what the fleet holds.

use std::path::PathBuf;

use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use crate::render::Next;
use crate::render::screen::inventory::{InventoryScreen, read_inventory};

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Every release of the clusters in fleet.toml
  refit inventory

  # Without fleet.toml: all contexts that match
  refit inventory --context 'acme-*'

  # Keep it, and look at it later without a cluster
  refit inventory --save acme.inv.json
  refit inventory --from acme.inv.json -o wide --sort-by .updated

  # Releases that Helm 3 wrote last
  refit inventory -o json | jq '.items[] | select(.applyMethod == null) | .name'";

/// Lists every release of the fleet: revision, status, apply method, owners of its fields, who else drives it.
///
/// Only reads. A cluster that does not answer is a row with `?`, a warning, and exit code 0; 1 if none answers.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Keep the inventory in a file, for --from
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
    let (inventory, deadline) = if let Some(path) = &args.from {
        (files::read(path, "ReleaseList", read_inventory)?, None)
    } else {
        let fleet = backend.fleet(&ctx.invocation)?;
        ctx.say_reading(&fleet);
        let inventory = backend.inventory(&ctx.invocation, &fleet).await?;
        (inventory, Some(fleet.deadline))
    };
    let screen = InventoryScreen {
        inventory: &inventory,
        now: ctx.now(),
        took: args
            .from
            .is_none()
            .then(|| ctx.now().duration_since(started)),
        deadline,
        saved: args.save.as_deref().map(files::name),
        tool: super::VERSION,
    };
    let document = screen.document();
    if let Some(path) = &args.save {
        files::write_text(path, &document.json_text())?;
    }
    ctx.show(&document)?;
    let unread = inventory
        .clusters
        .iter()
        .filter(|cluster| cluster.unreachable.is_some())
        .count();
    if unread == inventory.clusters.len() && unread > 0 {
        return Err(
            CliError::new(ErrorCode::Unreachable, "no cluster could be read").because(
                inventory
                    .clusters
                    .iter()
                    .filter_map(|cluster| {
                        Some(format!(
                            "{}: {}",
                            cluster.name,
                            cluster.unreachable.as_ref()?
                        ))
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        );
    }
    if inventory.releases.is_empty() {
        return Err(ctx.nothing_found(&inventory).next(Next::Help {
            topic: "inventory".into(),
        }));
    }
    Ok(ctx.findings(unread > 0))
}
