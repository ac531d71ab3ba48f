//! The same releases in other orders: by cluster, chart, owner; and every manager with what it holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::class::{of_entry, owners};
use super::{AuditedRelease, Capture, Counts, EntryFacts, Ownership, ReleaseFacts, SlidBack};
use crate::domain::fleet::{ManagerMatcher, Own, natural_order};
use crate::domain::ids::ClusterName;
use crate::domain::release::DrivenBy;

/// A chart whose record does not read.
const NO_CHART: &str = "unknown";

/// Releases that belong together: on one cluster, of one chart, of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRow {
    /// The cluster, the chart, or the owner.
    pub name: String,
    /// Its releases. Of a cluster that was not read they are unknown, which is not zero.
    #[serde(flatten)]
    pub counts: Counts,
    /// On how many clusters.
    pub clusters: u32,
    /// What stands out, each in a few words: `Go-http-client on 2`, `payments/ledger slid back to CSA`.
    pub outliers: Vec<String>,
    /// Why the cluster was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
}

/// What a manager is to Helm's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ManagerClass {
    /// The canonical manager.
    Canonical,
    /// An older name of it.
    Alias,
    /// Another tool that applies.
    Applier,
    /// Anybody else: holds single fields.
    CoOwner,
}

/// A manager, over the whole fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagerRow {
    /// As people read it: `helm`, `kube-controller-manager/scale`.
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// What it is.
    pub class: ManagerClass,
    /// Releases with an object of which it holds fields.
    pub releases: u32,
    /// Clusters of these.
    pub clusters: u32,
    /// Objects of which it holds fields.
    pub objects: u32,
    /// The fields.
    pub fields: u64,
}

impl ManagerClass {
    /// As it stands in a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Canonical => "canonical",
            Self::Alias => "alias",
            Self::Applier => "applier",
            Self::CoOwner => "co-owner",
        }
    }
}

/// A release with everything that a row needs of it.
pub(super) struct Seen<'a> {
    pub facts: &'a ReleaseFacts,
    pub audited: &'a AuditedRelease,
    /// Managers that should not be there; of aliases their globs.
    pub odd: &'a BTreeSet<String>,
    pub slid: bool,
}

/// A row a cluster; also of those without a release, and of those that were not read.
pub(super) fn by_cluster(capture: &Capture, releases: &[Seen<'_>]) -> Vec<GroupRow> {
    let mut rows = grouped(releases, |it| it.facts.release.cluster.to_string(), false);
    for (cluster, unreachable) in &capture.clusters {
        match rows.iter_mut().find(|row| row.name == cluster.as_str()) {
            Some(row) => row.unreachable.clone_from(unreachable),
            None => rows.push(GroupRow {
                name: cluster.to_string(),
                counts: Counts::default(),
                clusters: 1,
                outliers: Vec::new(),
                unreachable: unreachable.clone(),
            }),
        }
    }
    sorted(rows)
}

/// A row a chart.
pub(super) fn by_chart(releases: &[Seen<'_>]) -> Vec<GroupRow> {
    let name = |it: &Seen<'_>| {
        let chart = it.facts.chart.as_ref();
        chart.map_or_else(|| NO_CHART.to_owned(), |chart| chart.name.clone())
    };
    sorted(grouped(releases, name, true))
}

/// A row an owner: the driver, or the canonical manager where nobody else drives.
pub(super) fn by_owner(releases: &[Seen<'_>], canonical: &str) -> Vec<GroupRow> {
    let name = |it: &Seen<'_>| {
        let driver = it.facts.driven_by;
        driver.map_or_else(|| canonical.to_owned(), |driver| driver.to_string())
    };
    sorted(grouped(releases, name, true))
}

fn sorted(mut rows: Vec<GroupRow>) -> Vec<GroupRow> {
    rows.sort_by(|a, b| natural_order(&a.name, &b.name));
    rows
}

fn grouped(releases: &[Seen<'_>], name: impl Fn(&Seen<'_>) -> String, far: bool) -> Vec<GroupRow> {
    let mut groups: BTreeMap<String, Vec<&Seen<'_>>> = BTreeMap::new();
    for release in releases {
        groups.entry(name(release)).or_default().push(release);
    }
    groups
        .into_iter()
        .map(|(name, releases)| {
            let mut counts = Counts::default();
            for release in &releases {
                counts.add(release.audited.ownership, release.audited.unowned_fields);
            }
            let clusters: BTreeSet<&ClusterName> = releases
                .iter()
                .map(|it| &it.facts.release.cluster)
                .collect();
            GroupRow {
                name,
                counts,
                clusters: number(clusters.len()),
                outliers: words(&releases, far),
                unreachable: None,
            }
        })
        .collect()
}

/// Managers with their numbers of releases, then releases that slid back; with their clusters if rows span several.
fn words(releases: &[&Seen<'_>], far: bool) -> Vec<String> {
    let odd = odd_ones(releases.iter().map(|it| (it.odd, it.facts.driven_by)));
    let managers = odd.into_iter().map(|odd| {
        let driver = odd
            .driver
            .map_or_else(String::new, |driver| format!(" ({driver})"));
        format!("{} on {}{driver}", odd.manager, odd.releases)
    });
    let slid = releases.iter().filter(|it| it.slid).map(|it| {
        let id = &it.facts.release;
        if far {
            format!("{id} slid back to CSA")
        } else {
            format!("{}/{} slid back to CSA", id.namespace, id.name)
        }
    });
    managers.chain(slid).collect()
}

/// A manager that should not be there, with the releases on which it is.
pub(super) struct Odd {
    pub manager: String,
    pub releases: u32,
    /// The driver of all of them, if it is one and the same.
    pub driver: Option<DrivenBy>,
}

/// Odd managers of releases, most releases first.
pub(super) fn odd_ones<'a>(
    releases: impl Iterator<Item = (&'a BTreeSet<String>, Option<DrivenBy>)>,
) -> Vec<Odd> {
    let mut seen: BTreeMap<&String, (u32, BTreeSet<Option<DrivenBy>>)> = BTreeMap::new();
    for (managers, driver) in releases {
        for manager in managers {
            let seen = seen.entry(manager).or_default();
            seen.0 += 1;
            seen.1.insert(driver);
        }
    }
    let mut odd: Vec<Odd> = seen
        .into_iter()
        .map(|(manager, (releases, drivers))| Odd {
            manager: manager.clone(),
            releases,
            driver: (drivers.len() == 1)
                .then(|| drivers.into_iter().next().flatten())
                .flatten(),
        })
        .collect();
    odd.sort_by(|a, b| {
        b.releases
            .cmp(&a.releases)
            .then_with(|| a.manager.cmp(&b.manager))
    });
    odd
}

/// Managers of a release that should not own Helm's fields; of aliases their globs.
pub(super) fn odd_of(release: &ReleaseFacts, ours: &ManagerMatcher) -> BTreeSet<String> {
    let mut odd = BTreeSet::new();
    for object in &release.objects {
        // Where nobody applies, those who hold the fields anyway are the odd ones.
        let no_applier = owners(object).all(|entry| of_entry(entry, ours).is_none());
        for entry in owners(object) {
            match (ours.own(&entry.head.manager), of_entry(entry, ours)) {
                (Some(Own::Alias(glob)), _) => {
                    odd.insert(glob.to_owned());
                }
                (None, class) if no_applier || class == Some(Ownership::Foreign) => {
                    odd.insert(entry.head.manager.clone());
                }
                _ => {}
            }
        }
    }
    odd
}

/// Every manager that holds fields, status writers left out; most releases first.
pub(super) fn by_manager(releases: &[&ReleaseFacts], ours: &ManagerMatcher) -> Vec<ManagerRow> {
    #[derive(Default)]
    struct Tally<'a> {
        clusters: BTreeSet<&'a ClusterName>,
        releases: u32,
        objects: u32,
        fields: u64,
        applies_helms: bool,
    }
    let mut rows: BTreeMap<(String, &str, &str), Tally<'_>> = BTreeMap::new();
    for release in releases {
        let mut here = BTreeSet::new();
        for object in &release.objects {
            let mut on_object = BTreeSet::new();
            for entry in object
                .entries
                .iter()
                .filter(|it| it.head.subresource != "status")
            {
                let head = &entry.head;
                let key = (label(entry), head.operation.as_str(), head.manager.as_str());
                let tally = rows.entry(key.clone()).or_default();
                tally.fields += u64::try_from(entry.fields.leaves().len()).unwrap_or(u64::MAX);
                tally.applies_helms |= of_entry(entry, ours) == Some(Ownership::Foreign);
                if on_object.insert(key.clone()) {
                    tally.objects += 1;
                }
                if here.insert(key) {
                    tally.releases += 1;
                    tally.clusters.insert(&release.release.cluster);
                }
            }
        }
    }
    let mut rows: Vec<ManagerRow> = rows
        .into_iter()
        .map(|((label, operation, manager), tally)| ManagerRow {
            manager: label,
            operation: operation.to_owned(),
            class: match ours.own(manager) {
                Some(Own::Canonical) => ManagerClass::Canonical,
                Some(Own::Alias(_)) => ManagerClass::Alias,
                None if tally.applies_helms => ManagerClass::Applier,
                None => ManagerClass::CoOwner,
            },
            releases: tally.releases,
            clusters: number(tally.clusters.len()),
            objects: tally.objects,
            fields: tally.fields,
        })
        .collect();
    // Stable: the map's order decides between equals.
    rows.sort_by_key(|row| std::cmp::Reverse(row.releases));
    rows
}

/// `kube-controller-manager/scale` for a subresource, `helm` else.
fn label(entry: &EntryFacts) -> String {
    match entry.head.subresource.as_str() {
        "" => entry.head.manager.clone(),
        subresource => format!("{}/{subresource}", entry.head.manager),
    }
}

/// Who slid, for quick lookup.
pub(super) fn slid_set(slid: &[SlidBack]) -> BTreeSet<&crate::domain::ids::ReleaseId> {
    slid.iter().map(|it| &it.release).collect()
}

pub(super) fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}
