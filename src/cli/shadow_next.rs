//! `refit shadow --manifest`: would Helm's next upgrade pass?

use std::path::Path;

use super::captured;
use super::context::Ctx;
use super::error::{CliError, ErrorCode};
use super::exit::Exit;
use super::files;
use super::release_ref::ReleaseRef;
use crate::domain::fleet::ReleaseGlob;
use crate::engine::chain::chain;
use crate::engine::next::Rendered;
use crate::render::Next;
use crate::render::screen::next::NextScreen;

/// Forecasts the next upgrade of the releases that a glob names.
pub async fn exec(
    manifest: &Path,
    release: &ReleaseRef,
    from: Option<&Path>,
    save: Option<&Path>,
    ctx: &mut Ctx,
) -> Result<Exit, CliError> {
    let file = files::name(manifest);
    let rendered = rendered(&file, ctx)?;
    let glob = glob(release)?;
    let backend = ctx.backend();
    let (at, mut fleet) = captured::open(from, ctx)?;
    let known = fleet.clusters.len();
    fleet
        .clusters
        .retain(|cluster| glob.matches_cluster(cluster.name.as_str()));
    if fleet.clusters.is_empty() {
        return Err(CliError::new(
            ErrorCode::ContextNotFound,
            format!("no cluster in scope matches {}", glob.as_str()),
        )
        .because(format!("{known} are in scope")));
    }
    captured::say_reading(&at, &fleet, ctx);
    let started = ctx.now();
    let taken_at = captured::taken_at(&at, ctx);
    let told = backend
        .next_upgrades(&ctx.invocation, &fleet, at, &rendered, &glob)
        .await?;
    if told.upgrades.is_empty() && told.unread.is_empty() {
        return Err(CliError::new(
            ErrorCode::ReleaseNotFound,
            format!("no release matches {}", glob.as_str()),
        )
        .next(Next::Inventory));
    }
    let unread = told.unread.into_iter().collect();
    let screen = NextScreen {
        fleet: &fleet.name,
        manifest: &file,
        hooks: rendered.hooks,
        taken_at,
        upgrades: &told.upgrades,
        unread: &unread,
        clusters: fleet.clusters.len(),
        dry_runs: told.dry_runs,
        took: ctx.now().duration_since(started),
        from: from.map(files::name),
        tool: super::VERSION,
    };
    let document = screen.document();
    if let Some(path) = save {
        files::write(path, &document.to_json())?;
    }
    ctx.show(&document)?;
    Ok(ctx.findings(screen.has_findings()))
}

/// The manifest. One without an object is refused: Helm would delete the whole release, and a pipe that broke looks the same.
fn rendered(file: &str, ctx: &mut Ctx) -> Result<Rendered, CliError> {
    let text = files::text(file, &mut ctx.console)?;
    let refused = |why: String| {
        CliError::new(
            ErrorCode::FileInvalid,
            format!("{file} is not a manifest as helm template prints it"),
        )
        .because(why)
    };
    let rendered = Rendered::read(text).map_err(|error| refused(chain(&error)))?;
    if rendered.objects == 0 {
        return Err(refused("it has no object".to_owned()).next(
            "helm template RELEASE CHART -n NAMESPACE | refit shadow --manifest - CLUSTER/NAMESPACE/RELEASE",
        ));
    }
    Ok(rendered)
}

/// `namespace/name` is on every cluster in scope.
fn glob(release: &ReleaseRef) -> Result<ReleaseGlob, CliError> {
    let text = release.to_string();
    let text = match text.split('/').count() {
        2 => format!("*/{text}"),
        _ => text,
    };
    ReleaseGlob::parse(&text).map_err(|error| CliError::usage(error.to_string()))
}
