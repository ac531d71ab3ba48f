//! Forecasts of releases, for `shadow` and for `plan`. Zero writes.

use std::collections::BTreeSet;

use super::ground::{ground, planned};
use super::{Desk, scope};
use crate::cli::backend::{LookAt, Shadow, Share};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::{Fleet, ManagerMatcher, release_order};
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::policy::Book;
use crate::domain::shadow::{Confirmed, evenly};
use crate::engine::confirm::{Means, confirm as ask_server};
use crate::engine::plan::collect;

/// Forecasts every release in scope that is `wanted`. An error if no cluster answers.
pub async fn shadow(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
    wanted: &(dyn Fn(&ReleaseId) -> bool + Send + Sync),
) -> Result<Shadow, CliError> {
    let (managers, book) = rules(invocation, fleet)?;
    let ground = ground(desk, invocation, fleet, at).await?;
    let dice = desk.adapters.dice();
    let collected = collect(
        &ground.clusters,
        &ground.scope,
        &managers,
        &book,
        ground.clock.as_ref(),
        dice.as_ref(),
        wanted,
    )
    .await;
    let shadow = Shadow {
        releases: collected.candidates,
        unread: collected.unread.into_iter().collect(),
        dry_runs: collected.dry_runs,
        sights: collected.sights,
        asked: collected.asked,
        confirmed: None,
    };
    if shadow.unread.len() < ground.clusters.len() {
        return Ok(shadow);
    }
    Err(none_answered(&shadow.unread))
}

/// Whose entries are Helm's own, and the policies.
pub(super) fn rules(
    invocation: &Invocation,
    fleet: &Fleet,
) -> Result<(ManagerMatcher, Book), CliError> {
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let book = Book::new(&fleet.policies)
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?
        .with_values(super::claims::sealer(invocation, fleet)?.is_some());
    Ok((managers, book))
}

/// The error of a fleet that does not answer at all.
pub(super) fn none_answered<'a>(
    unread: impl IntoIterator<Item = (&'a ClusterName, &'a String)>,
) -> CliError {
    let unread: Vec<(&ClusterName, &String)> = unread.into_iter().collect();
    let words = format!("none of {} clusters answered", unread.len());
    let mut made = CliError::new(ErrorCode::Unreachable, words);
    for (cluster, why) in unread {
        made = made.at(format!("{cluster}: {why}"));
    }
    made
}

/// Compares a share of forecasts with live dry runs. A cluster that does not answer any more is an error: a
/// confirmation that is not whole is none.
pub async fn confirm(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    shadow: &Shadow,
    share: Share,
) -> Result<Confirmed, CliError> {
    let managers = fleet
        .managers
        .matcher()
        .map_err(|error| CliError::of(ErrorCode::ConfigInvalid, &error))?;
    let mut all: Vec<&ReleaseId> = shadow
        .releases
        .iter()
        .filter(|it| !it.forecast.objects.is_empty())
        .map(|it| &it.forecast.release)
        .collect();
    all.sort_by(|a, b| release_order(a, b));
    let some = match share {
        Share::All => all.len(),
        Share::Some(some) => usize::try_from(some.get()).unwrap_or(usize::MAX),
    };
    let chosen: BTreeSet<ReleaseId> = evenly(some, all.len())
        .filter_map(|place| all.get(place).copied().cloned())
        .collect();
    let clusters = planned(desk, fleet).await;
    let (clock, dice) = (desk.adapters.clock(), desk.adapters.dice());
    let scope = scope(invocation)?;
    let means = Means {
        scope: &scope,
        managers: &managers,
        clock: clock.as_ref(),
        dice: dice.as_ref(),
    };
    let (confirmed, unread) = ask_server(&clusters, means, &chosen).await;
    if unread.is_empty() {
        return Ok(confirmed);
    }
    let mut made = CliError::new(
        ErrorCode::Unreachable,
        "forecasts could not be confirmed on every cluster",
    );
    for (cluster, why) in unread {
        made = made.at(format!("{cluster}: {why}"));
    }
    Err(made)
}
