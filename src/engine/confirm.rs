//! Forecasts confirmed by the server: each object of some releases is asked about by dry runs, whatever could be
//! computed. Zero writes.
//!
//! Releases are read anew, so that both sides see the same objects. A release that moved in between is looked at once
//! more, both sides one right after the other.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;

use super::bounded::bounded;
use super::chain::chain;
use super::gathered::Gathered;
use super::inventory::{ReleaseRead, Scope};
use super::plan::Planned;
use super::ports::{Clock, Dice};
use super::shadow::{
    AtHand, ForecastError, Forecaster as _, Library, LiveProbe, OfflineForecaster, Prepared,
    Target, compare,
};
use crate::cluster::{Reader, Rehearser};
use crate::domain::fleet::ManagerMatcher;
use crate::domain::ids::{ClusterName, ReleaseId};
use crate::domain::shadow::Confirmed;

/// What a confirmation needs beside clusters.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Where records are.
    pub scope: &'a Scope,
    /// Whose entries are Helm's own.
    pub managers: &'a ManagerMatcher,
    /// The time of new entries.
    pub clock: &'a dyn Clock,
    /// Names throw-away managers.
    pub dice: &'a dyn Dice,
}

/// Compares the forecasts of the `chosen` releases with live dry runs, clusters side by side, each within its limit of
/// requests in flight. Beside it: clusters that could not be asked, and why. Cancel safe.
pub async fn confirm(
    clusters: &[Planned],
    means: Means<'_>,
    chosen: &BTreeSet<ReleaseId>,
) -> (Confirmed, Vec<(ClusterName, String)>) {
    let library = Arc::<Library>::default();
    let with_chosen: Vec<&Planned> = clusters
        .iter()
        .filter(|cluster| chosen.iter().any(|it| it.cluster == cluster.name))
        .collect();
    let all = with_chosen
        .iter()
        .map(|cluster| one(cluster, means, chosen, &library));
    let all = join_all(all).await;
    let mut sum = Confirmed::default();
    let mut unread = Vec::new();
    for (cluster, found) in with_chosen.iter().zip(all) {
        match found {
            Ok(found) => add(&mut sum, found),
            Err(why) => unread.push((cluster.name.clone(), why)),
        }
    }
    (sum, unread)
}

fn add(sum: &mut Confirmed, one: Confirmed) {
    sum.releases += one.releases;
    sum.objects += one.objects;
    sum.dry_runs += one.dry_runs;
    sum.again += one.again;
    sum.disagreements.extend(one.disagreements);
}

async fn one(
    cluster: &Planned,
    means: Means<'_>,
    chosen: &BTreeSet<ReleaseId>,
    library: &Arc<Library>,
) -> Result<Confirmed, String> {
    let (reader, rehearser) = cluster.reader.as_ref().map_err(Clone::clone)?;
    let (reader, rehearser) = (reader.as_ref(), rehearser.as_ref());
    let chosen = |release: &ReleaseId| chosen.contains(release);
    let see = &mut |_: &ReleaseRead| {};
    let gathered = Gathered::read(reader, &cluster.name, means.scope, library, &chosen, see);
    let gathered = gathered.await.map_err(|error| chain(&error))?;
    let looks = &Looks {
        reader,
        rehearser,
        means,
        at_hand: gathered.at_hand(),
    };
    let targets = gathered.chosen().filter_map(|it| gathered.target(it));
    let mut comparisons = Vec::new();
    for target in targets {
        comparisons.push(async move { looks.release(&target).boxed().await }.boxed());
    }
    let limit = cluster.limits.in_flight.max(1) as usize;
    let mut sum = Confirmed::default();
    for found in bounded(limit, comparisons).await {
        let found = found.map_err(|ForecastError::Cluster(error)| chain(&error))?;
        add(&mut sum, found);
    }
    Ok(sum)
}

struct Looks<'a> {
    reader: &'a dyn Reader,
    rehearser: &'a dyn Rehearser,
    means: Means<'a>,
    at_hand: AtHand<'a>,
}

impl Looks<'_> {
    async fn release(&self, target: &Target<'_>) -> Result<Confirmed, ForecastError> {
        let mut found = Confirmed::default();
        let (mut forecast, mut server) = self.both(target, self.at_hand, &mut found).await?;
        let mut disagreements = compare(&forecast, &server);
        if !disagreements.is_empty() {
            // What was listed may be older than what the server was asked about.
            let fresh = AtHand {
                lives: None,
                ..self.at_hand
            };
            (forecast, server) = self.both(target, fresh, &mut found).await?;
            disagreements = compare(&forecast, &server);
            found.again = 1;
        }
        found.releases = 1;
        found.objects = server.forecast.objects.len() as u64;
        found.disagreements = disagreements;
        Ok(found)
    }

    async fn both(
        &self,
        target: &Target<'_>,
        at_hand: AtHand<'_>,
        found: &mut Confirmed,
    ) -> Result<(Prepared, Prepared), ForecastError> {
        let offline = OfflineForecaster {
            probe: self.probe(),
            at_hand,
        };
        let forecast = offline.forecast(target).await?;
        let server = self.probe().forecast(target).await?;
        for prepared in [&forecast, &server] {
            found.dry_runs += u64::from(prepared.dry_runs + prepared.repeats);
        }
        Ok((forecast, server))
    }

    fn probe(&self) -> LiveProbe<'_> {
        LiveProbe {
            reader: self.reader,
            rehearser: self.rehearser,
            managers: self.means.managers,
            clock: self.means.clock,
            dice: self.means.dice,
        }
    }
}
