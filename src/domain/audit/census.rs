//! Counting: a row a cluster, outliers, totals.

use std::collections::{BTreeMap, BTreeSet};

use super::class::{of_entry, of_release, owners};
use super::gate::one_manager;
use super::slide::slid_back;
use super::{
    Audit, AuditInput, AuditedRelease, ClusterRow, Counts, Outlier, Ownership, ReleaseFacts,
};
use crate::domain::fleet::{AliasInvalid, ManagerMatcher, Own, natural_order, release_order};
use crate::domain::ids::ClusterName;
use crate::domain::release::DrivenBy;

/// Takes the census. Fails only if an alias is no glob. `O(n log n)` in entries; the order of the input does not matter.
pub fn audit(input: &AuditInput) -> Result<Audit, AliasInvalid> {
    let ours = input.managers.matcher()?;
    let mut found: Vec<&ReleaseFacts> = input.releases.iter().collect();
    found.sort_by(|a, b| release_order(&a.release, &b.release));

    let mut releases = Vec::with_capacity(found.len());
    let mut rows: BTreeMap<&ClusterName, Counts> = BTreeMap::new();
    for cluster in input.clusters.keys() {
        rows.entry(cluster).or_default();
    }
    let mut summary = Counts::default();
    for release in &found {
        let (ownership, objects) = of_release(release, &ours);
        rows.entry(&release.release.cluster)
            .or_default()
            .add(ownership);
        summary.add(ownership);
        releases.push(AuditedRelease {
            release: release.release.clone(),
            ownership,
            objects: u32::try_from(objects).unwrap_or(u32::MAX),
            driven_by: release.driven_by,
        });
    }
    let slid: Vec<_> = found.iter().filter_map(|it| slid_back(it, &ours)).collect();
    let mut clusters: Vec<ClusterRow> = rows
        .into_iter()
        .map(|(cluster, counts)| ClusterRow {
            cluster: cluster.clone(),
            counts,
            unreachable: input.clusters.get(cluster).cloned().flatten(),
        })
        .collect();
    clusters.sort_by(|a, b| natural_order(a.cluster.as_str(), b.cluster.as_str()));
    let gates = vec![one_manager(input, &releases, &slid)];
    Ok(Audit {
        clusters,
        summary,
        outliers: outliers(&found, &ours),
        slid_back: slid,
        releases,
        gates,
    })
}

impl Counts {
    fn add(&mut self, ownership: Ownership) {
        self.releases += 1;
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

/// Which releases a manager is on, and who drives them.
#[derive(Default)]
struct Seen {
    releases: u32,
    drivers: BTreeSet<Option<DrivenBy>>,
}

fn outliers(releases: &[&ReleaseFacts], ours: &ManagerMatcher) -> Vec<Outlier> {
    let mut seen: BTreeMap<(&ClusterName, String), Seen> = BTreeMap::new();
    for release in releases {
        let mut here: BTreeSet<String> = BTreeSet::new();
        for object in &release.objects {
            // Where nobody applies, those who hold the fields anyway are the odd ones.
            let no_applier = owners(object).all(|entry| of_entry(entry, ours).is_none());
            for entry in owners(object) {
                match (ours.own(&entry.head.manager), of_entry(entry, ours)) {
                    (Some(Own::Alias(glob)), _) => {
                        here.insert(glob.to_owned());
                    }
                    (None, class) if no_applier || class == Some(Ownership::Foreign) => {
                        here.insert(entry.head.manager.clone());
                    }
                    _ => {}
                }
            }
        }
        for manager in here {
            let seen = seen.entry((&release.release.cluster, manager)).or_default();
            seen.releases += 1;
            seen.drivers.insert(release.driven_by);
        }
    }
    let mut outliers: Vec<Outlier> = seen
        .into_iter()
        .map(|((cluster, manager), seen)| Outlier {
            cluster: cluster.clone(),
            manager,
            releases: seen.releases,
            driven_by: match seen.drivers.len() {
                1 => seen.drivers.into_iter().next().flatten(),
                _ => None,
            },
        })
        .collect();
    outliers.sort_by(|a, b| {
        natural_order(a.cluster.as_str(), b.cluster.as_str())
            .then_with(|| b.releases.cmp(&a.releases))
            .then_with(|| a.manager.cmp(&b.manager))
    });
    outliers
}
