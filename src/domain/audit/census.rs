//! Counting: classes, outliers, totals.

use std::collections::{BTreeMap, BTreeSet};

use super::class::of_release;
use super::gate::one_manager;
use super::groups::{
    Seen, by_chart, by_cluster, by_manager, by_owner, number, odd_of, odd_ones, slid_set,
};
use super::slide::slid_back;
use super::{Audit, AuditedRelease, Capture, Counts, Outlier, Ownership, ReleaseFacts};
use crate::domain::fleet::{AliasInvalid, natural_order, release_order};
use crate::domain::ids::ClusterName;
use crate::domain::release::DrivenBy;

/// Takes the census. `expect` are drivers that are meant to stay: they leave the gates, not the rows. Fails only if an
/// alias is no glob. `O(n log n)` in entries; the order of the releases does not matter.
pub fn audit(capture: &Capture, expect: &BTreeSet<DrivenBy>) -> Result<Audit, AliasInvalid> {
    let ours = capture.managers.matcher()?;
    let mut found: Vec<&ReleaseFacts> = capture.releases.iter().collect();
    found.sort_by(|a, b| release_order(&a.release, &b.release));

    let mut summary = Counts::default();
    let mut releases = Vec::with_capacity(found.len());
    for release in &found {
        let (ownership, objects) = of_release(release, &ours);
        let fields: usize = release.objects.iter().map(|it| it.unowned.len()).sum();
        let unowned_fields = u64::try_from(fields).unwrap_or(u64::MAX);
        summary.add(ownership, unowned_fields);
        releases.push(AuditedRelease {
            release: release.release.clone(),
            chart: release.chart.clone(),
            ownership,
            objects: number(objects),
            unowned_fields,
            driven_by: release.driven_by,
        });
    }
    let slid: Vec<_> = found.iter().filter_map(|it| slid_back(it, &ours)).collect();
    let odd: Vec<BTreeSet<String>> = found.iter().map(|it| odd_of(it, &ours)).collect();
    let slid_ones = slid_set(&slid);
    let seen: Vec<Seen<'_>> = found
        .iter()
        .zip(&releases)
        .zip(&odd)
        .map(|((facts, audited), odd)| Seen {
            slid: slid_ones.contains(&facts.release),
            facts,
            audited,
            odd,
        })
        .collect();
    Ok(Audit {
        clusters: by_cluster(capture, &seen),
        charts: by_chart(&seen),
        owners: by_owner(&seen, &capture.managers.canonical),
        managers: by_manager(&found, &ours),
        summary,
        outliers: outliers(&seen),
        gates: vec![one_manager(capture, expect, &releases, &slid)],
        slid_back: slid,
        releases,
    })
}

impl Counts {
    pub(super) fn add(&mut self, ownership: Ownership, unowned_fields: u64) {
        self.releases += 1;
        self.unowned_fields = self.unowned_fields.saturating_add(unowned_fields);
        *match ownership {
            Ownership::Apply => &mut self.apply,
            Ownership::Unowned => &mut self.unowned,
            Ownership::Update => &mut self.update,
            Ownership::Alias => &mut self.alias,
            Ownership::Foreign => &mut self.foreign,
            Ownership::Unknown => &mut self.unknown,
        } += 1;
    }
}

fn outliers(releases: &[Seen<'_>]) -> Vec<Outlier> {
    let mut clusters: BTreeMap<&ClusterName, Vec<&Seen<'_>>> = BTreeMap::new();
    for release in releases {
        clusters
            .entry(&release.facts.release.cluster)
            .or_default()
            .push(release);
    }
    let mut outliers: Vec<Outlier> = clusters
        .into_iter()
        .flat_map(|(cluster, releases)| {
            let odd = odd_ones(releases.iter().map(|it| (it.odd, it.facts.driven_by)));
            odd.into_iter().map(move |odd| Outlier {
                cluster: cluster.clone(),
                manager: odd.manager,
                releases: odd.releases,
                driven_by: odd.driver,
            })
        })
        .collect();
    // Stable: within a cluster they are in order already.
    outliers.sort_by(|a, b| natural_order(a.cluster.as_str(), b.cluster.as_str()));
    outliers
}
