//! Planning: forecasts of all releases, then the planner. Zero writes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::graph::{of_sights, refuse_cycles};
use super::shadow::shadow;
use super::{Desk, look, saved};
use crate::cli::VERSION;
use crate::cli::backend::{LookAt, SavedFleet, Shadow};
use crate::cli::context::Invocation;
use crate::cli::error::{CliError, ErrorCode};
use crate::domain::fleet::Fleet;
use crate::domain::graph::ClusterSight;
use crate::domain::ids::{ClusterName, Digest};
use crate::domain::plan::{Dependencies, Plan, PlanRequest, digest_of, plan as make, start_before};
use crate::render::{Next, text};

/// Makes a plan.
pub async fn plan(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
) -> Result<Plan, CliError> {
    let basis = Basis::new(desk, invocation, fleet, &at)?;
    let forecast = shadow(desk, invocation, fleet, at, &|_| true).await?;
    basis.plan(fleet, forecast)
}

/// Two plans of one forecast: the fleet's, and the one with overrides of fleet.toml.
pub async fn what_if(
    desk: &Desk,
    invocation: &Invocation,
    fleet: &Fleet,
    at: LookAt,
    overrides: &[String],
) -> Result<(Plan, Plan), CliError> {
    // First of all: a wrong override must not cost a forecast.
    let other = match at.saved() {
        Some(file) => saved::fleet(invocation, file, overrides)?,
        None => look::what_if(desk, invocation, overrides)?,
    };
    let basis = Basis::new(desk, invocation, fleet, &at)?;
    let forecast = shadow(desk, invocation, fleet, at, &|_| true).await?;
    let plan = basis.plan(fleet, forecast.clone())?;
    let what_if = basis.plan(&other, forecast)?;
    Ok((plan, what_if))
}

/// What a plan is made of, beside the forecast.
struct Basis<'a> {
    invocation: &'a Invocation,
    now: Timestamp,
    looked_at: Option<Timestamp>,
    inputs: BTreeMap<String, Digest>,
}

impl<'a> Basis<'a> {
    /// Refuses a saved fleet that is so old that its plan could not be started any more.
    fn new(
        desk: &Desk,
        invocation: &'a Invocation,
        fleet: &Fleet,
        at: &LookAt,
    ) -> Result<Self, CliError> {
        let now = desk.adapters.clock().now();
        let saved = at.saved();
        if let Some(saved) = saved {
            fresh(saved, fleet.start_within_seconds, now)?;
        }
        Ok(Self {
            invocation,
            now,
            looked_at: saved.map(|it| it.capture.taken_at),
            inputs: inputs(invocation, saved),
        })
    }

    fn plan(&self, fleet: &Fleet, forecast: Shadow) -> Result<Plan, CliError> {
        let dependencies = dependencies(self.invocation, fleet, forecast.sights, &forecast.unread)?;
        let request = PlanRequest {
            fleet,
            dependencies: &dependencies,
            now: self.now,
            looked_at: self.looked_at,
            tool: VERSION,
            inputs: self.inputs.clone(),
            unread: forecast.unread,
        };
        make(forecast.releases, &request).map_err(|error| CliError::of(ErrorCode::Internal, &error))
    }
}

/// A plan may be started for so long after the fleet was looked at.
fn fresh(saved: &SavedFleet, within_seconds: u32, now: Timestamp) -> Result<(), CliError> {
    let taken_at = saved.capture.taken_at;
    if start_before(taken_at, within_seconds) > now {
        return Ok(());
    }
    let within = text::duration(SignedDuration::from_secs(i64::from(within_seconds)));
    let what = format!(
        "{} is of {}: too old for a plan",
        saved.file,
        text::minute(taken_at)
    );
    Err(CliError::new(ErrorCode::PlanExpired, what)
        .because(format!(
            "a plan is to be started within {within} of the look at the clusters (plan.start_within)"
        ))
        .next(Next::InventorySave {
            inventory: saved.file.clone(),
        }))
}

/// Who waits for whom. A wrong declaration and a cycle are refused with their places, before anything is planned.
fn dependencies(
    invocation: &Invocation,
    fleet: &Fleet,
    sights: Vec<ClusterSight>,
    unread: &BTreeMap<ClusterName, String>,
) -> Result<Dependencies, CliError> {
    let whole = !invocation.scope().narrows_clusters();
    let graph = of_sights(fleet, sights, unread, whole)?;
    refuse_cycles(&graph)?;
    for edge in &graph.cut {
        let name = |at| graph.node(at).map(|node| node.release.to_string());
        tracing::warn!(
            "cut: {} -> {} ({}, {}, {}): it closed a cycle",
            name(edge.from).unwrap_or_default(),
            name(edge.to).unwrap_or_default(),
            edge.kind,
            edge.reason,
            edge.confidence
        );
    }
    graph
        .dependencies()
        .map_err(|error| CliError::of(ErrorCode::Internal, &error))
}

/// Digests of what the plan was made from.
fn inputs(invocation: &Invocation, saved: Option<&SavedFleet>) -> BTreeMap<String, Digest> {
    let mut inputs = BTreeMap::new();
    let file = look::fleet_file(&invocation.globals);
    if let Some(bytes) = file.and_then(|path| std::fs::read(path).ok()) {
        inputs.insert("fleet.toml".to_owned(), digest_of(&bytes));
    }
    if let Some(saved) = saved {
        inputs.insert("inventory".to_owned(), saved.digest.clone());
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests_capture::capture;

    #[test]
    fn a_saved_fleet_that_is_too_old_is_refused_with_its_age() {
        let saved = SavedFleet {
            file: "acme.inv.json".to_owned(),
            digest: digest_of(b""),
            capture: capture(),
        };
        let taken_at = saved.capture.taken_at;
        let within = |hours| taken_at + SignedDuration::from_hours(hours);
        let fresh = |now| fresh(&saved, 7 * 24 * 3600, now);
        assert_eq!(fresh(within(167)), Ok(()));
        let error = fresh(within(168)).unwrap_err();
        assert_eq!(error.code, ErrorCode::PlanExpired);
        let words = format!("{error:?}");
        for word in [
            "acme.inv.json",
            "2026-11-23T10:00Z",
            "7d",
            "plan.start_within",
        ] {
            assert!(words.contains(word), "no {word} in {words}");
        }
    }
}
