//! Helm's next upgrade with a manifest, for `shadow --manifest`. Zero writes.

use super::ground::{Ground, ground};
use super::{Desk, shadow};
use crate::cli::backend::LookAt;
use crate::cli::context::Invocation;
use crate::cli::error::CliError;
use crate::domain::fleet::{Fleet, ReleaseGlob};
use crate::domain::ids::ReleaseId;
use crate::engine::next::{Foretold, Means, Rendered, foretell};

/// Forecasts the next upgrade of the releases that match. An error if no cluster answers.
pub async fn next_upgrades(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
    rendered: &Rendered,
    glob: &ReleaseGlob,
) -> Result<Foretold, CliError> {
    let saved = at.saved().is_some();
    let Ground {
        clusters, scope, ..
    } = ground(desk, invocation, fleet, at).await?;
    let wanted = |release: &ReleaseId| glob.matches(release);
    let means = Means {
        scope: &scope,
        manager: &fleet.managers.canonical,
        rendered,
        saved,
        wanted: &wanted,
    };
    let told = foretell(&clusters, means).await;
    if told.unread.len() < fleet.clusters.len() {
        return Ok(told);
    }
    let unread = told.unread.iter().map(|(cluster, why)| (cluster, why));
    Err(shadow::none_answered(unread))
}
