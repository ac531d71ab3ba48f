//! `refit policy`: which rule decides, and why.

use std::path::PathBuf;

use super::captured;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::release_ref::ReleaseRef;
use crate::domain::fleet::{PolicyAction as Action, PolicyTopic};
use crate::render::Next;
use crate::render::screen::policy::DecisionsScreen;

/// Examples below the help.
pub const EXAMPLES: &str = "\
Examples:
  # Each conflict and drop of a release: what is done with it, by which rule, and why
  refit policy explain eu-1/shop/checkout

  # Rules are tried out without a cluster: change fleet.toml, and look again
  refit policy explain eu-1/shop/checkout --from acme.inv.json

  # What is left for a person to decide
  refit policy explain eu-1/shop/checkout -o json | jq '.items[] | select(.action == \"hold\")'

  # What the actions mean, and how rules are written
  refit help policy";

/// Says what the `[[policy]]` rules of fleet.toml decide.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What the verb does.
#[expect(
    missing_docs,
    reason = "a text here would stand in the help instead of the one at its Args"
)]
#[derive(Debug, Clone, clap::Subcommand)]
pub enum What {
    Explain(ExplainArgs),
}

/// Shows for each conflict and drop of a release which rule decides, and why.
///
/// Reads, and sends requests that store nothing (dry runs); 0 writes. Where no rule matches the default stands: a
/// conflict is held, a drop is let go.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ExplainArgs {
    /// The release: cluster/namespace/name, or namespace/name if one cluster is in scope
    #[arg(value_name = "RELEASE")]
    pub release: ReleaseRef,

    /// Look at a saved inventory (refit inventory --save) instead of the clusters
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// Explains.
pub async fn exec(args: &Args, ctx: &mut Ctx) -> Result<Exit, CliError> {
    let What::Explain(args) = &args.what;
    let backend = ctx.backend();
    let (at, mut fleet) = captured::open(args.from.as_deref(), ctx)?;
    let release = args.release.resolve(&fleet, &ctx.scope())?;
    fleet
        .clusters
        .retain(|cluster| cluster.name == release.cluster);
    captured::say_reading(&at, &fleet, ctx);
    let only = Some(vec![release.clone()]);
    let shadow = backend.shadow(&ctx.invocation, &fleet, at, only).await?;
    let found = shadow
        .releases
        .iter()
        .find(|it| it.forecast.release == release);
    let Some(candidate) = found else {
        return Err(CliError::new(
            ErrorCode::ReleaseNotFound,
            format!("there is no release {release}"),
        )
        .next(Next::InventoryCluster {
            cluster: release.cluster.to_string(),
        }));
    };
    let screen = DecisionsScreen {
        candidate,
        rules: fleet.policies.len(),
        tool: super::VERSION,
    };
    ctx.show(&screen.document())?;
    Ok(ctx.findings(screen.has_findings()))
}

/// The page of `refit help policy`.
pub fn page() -> String {
    let mut out = String::from(HEAD);
    for (title, conflict) in [("conflict =", true), ("\ndrop =", false)] {
        out.push_str(title);
        out.push('\n');
        for action in Action::ALL {
            if (action.topic() == PolicyTopic::Conflict) == conflict {
                out.push_str(&format!("  {action:<11} {}\n", action.meaning()));
            }
        }
    }
    out.push_str(TAIL);
    out
}

const HEAD: &str = "\
Policies decide what a migration does with fields that are not Helm's alone (conflicts) and with fields that Helm owns
and the chart no longer has (drops). They stand in fleet.toml, and the first rule that matches decides:

    [[policy]]
    kind = \"Deployment\"                  # Kind or Kind.group
    field = \".spec.replicas\"             # the field and all below it
    owner = \"*/scale\"                    # manager, or manager/subresource
    namespace = \"shop*\"                  # of the release
    chart = \"web-4.*\"                    # name, or name-version
    labels = { env = \"prod\" }            # of the cluster
    conflict = \"yield\"                   # or drop = \"…\"
    why = \"autoscaled; charts drop replicas by Q1\"

Every key may be left out and then matches everything; kind, field, owner, namespace and chart take one glob or an array
of them. In field, `*` stands for any text within a step, `[*]` for any item of a list, `[name=app]` for the items with
this key, `**` for any number of steps.

";

const TAIL: &str = "
A field with the same value on both sides (latent) is adopted by adopt-live; every other action leaves it shared.
adopt-live is refused on replicas that an autoscaler targets: it would take them back.
take and prune change live values: they need a sealing key, and undo puts the values back.
repair is about custom resources with managedFields of versions that their CRD has no more (cause dead-entries). It is
irreversible: an undo leaves the owners of such an object, and names what is gone. hold and fail decide about these too.
A plan carries its decisions; a run does at most what they say. Undo puts every other owner back.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_every_action() {
        let page = page();
        for action in Action::ALL {
            assert!(page.contains(&format!("  {action:<11} ")), "{action}");
        }
    }
}
