//! Totals of many forecasts: outcomes, and where conflicts are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Forecast, ReleaseOutcome};
use crate::domain::fleet::natural_order;

/// How many releases of a group have an active conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// The cluster, chart or kind.
    pub name: String,
    /// Releases with an active conflict; of a kind: in an object of that kind.
    pub conflicted: u64,
    /// All releases that were forecast; of a kind: those that have an object of it.
    pub releases: u64,
}

/// How many fields an owner holds against us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerCount {
    /// Who, as people read it: `kube-controller-manager/scale`.
    pub owner: String,
    /// Active conflicts with it.
    pub active: u64,
    /// Releases that have one.
    pub conflicted: u64,
}

/// Totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Releases by outcome; every outcome is there.
    pub outcomes: BTreeMap<ReleaseOutcome, u64>,
    /// All releases, those that could not be read included.
    pub releases: u64,
    /// Objects of them.
    pub objects: u64,
    /// Active conflicts.
    pub active: u64,
    /// Latent ones.
    pub latent: u64,
    /// Fields that would be let go.
    pub drops: u64,
    /// Releases with an active conflict.
    pub conflicted: u64,
    /// Clusters, the highest rate first.
    pub clusters: Vec<Rate>,
    /// Charts with their versions, the highest rate first.
    pub charts: Vec<Rate>,
    /// Kinds, the highest rate first.
    pub kinds: Vec<Rate>,
    /// Owners, the most conflicts first.
    pub owners: Vec<OwnerCount>,
}

/// Sums up forecasts, each with its chart's name and version in one word. O(n log n).
pub fn summary<'a>(forecasts: impl IntoIterator<Item = (&'a Forecast, String)>) -> Summary {
    let all = [
        ReleaseOutcome::Blocked,
        ReleaseOutcome::NeedsChoice,
        ReleaseOutcome::Ready,
        ReleaseOutcome::Done,
    ];
    let mut summary = Summary {
        outcomes: all.map(|outcome| (outcome, 0)).into(),
        releases: 0,
        objects: 0,
        active: 0,
        latent: 0,
        drops: 0,
        conflicted: 0,
        clusters: Vec::new(),
        charts: Vec::new(),
        kinds: Vec::new(),
        owners: Vec::new(),
    };
    let mut clusters = BTreeMap::new();
    let mut charts = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    let mut owners: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (forecast, chart) in forecasts {
        let mut active = 0;
        // Each once, however many objects of the release it is about.
        let mut of_kinds: BTreeMap<&str, bool> = BTreeMap::new();
        let mut against = BTreeSet::new();
        for object in &forecast.objects {
            summary.objects += 1;
            active += object.active.len() as u64;
            summary.latent += object.latent.len() as u64;
            summary.drops += object.drops.len() as u64;
            *of_kinds.entry(&object.object.kind).or_default() |= !object.active.is_empty();
            for conflict in &object.active {
                let (fields, releases) = owners.entry(&conflict.owner).or_default();
                *fields += 1;
                *releases += u64::from(against.insert(&*conflict.owner));
            }
        }
        for (kind, conflicted) in of_kinds {
            count(&mut kinds, kind.to_owned(), u64::from(conflicted));
        }
        let conflicted = u64::from(active > 0);
        summary.releases += 1;
        summary.active += active;
        summary.conflicted += conflicted;
        *summary.outcomes.entry(forecast.outcome).or_default() += 1;
        count(
            &mut clusters,
            forecast.release.cluster.to_string(),
            conflicted,
        );
        count(&mut charts, chart, conflicted);
    }
    summary.clusters = rates(clusters);
    summary.charts = rates(charts);
    summary.kinds = rates(kinds);
    let mut owners: Vec<OwnerCount> = owners
        .into_iter()
        .map(|(owner, (active, conflicted))| OwnerCount {
            owner: owner.to_owned(),
            active,
            conflicted,
        })
        .collect();
    owners.sort_by(|a, b| b.active.cmp(&a.active).then_with(|| a.owner.cmp(&b.owner)));
    summary.owners = owners;
    summary
}

fn count(groups: &mut BTreeMap<String, (u64, u64)>, name: String, conflicted: u64) {
    let (with, of) = groups.entry(name).or_default();
    *with += conflicted;
    *of += 1;
}

fn rates(groups: BTreeMap<String, (u64, u64)>) -> Vec<Rate> {
    let rate = |(name, (conflicted, releases))| Rate {
        name,
        conflicted,
        releases,
    };
    let mut rates: Vec<Rate> = groups.into_iter().map(rate).collect();
    rates.sort_by(by_rate);
    rates
}

/// The higher share first, without a division; equal ones by name.
fn by_rate(a: &Rate, b: &Rate) -> Ordering {
    let (left, right) = (
        u128::from(a.conflicted) * u128::from(b.releases),
        u128::from(b.conflicted) * u128::from(a.releases),
    );
    right
        .cmp(&left)
        .then_with(|| natural_order(&a.name, &b.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::object::ObjectRef;
    use crate::domain::shadow::{Conflict, ObjectForecast, ObjectOutcome};

    fn forecast(release: &str, owners: &[&str]) -> Forecast {
        let conflict = |owner: &&str| Conflict {
            field: ".spec.replicas".into(),
            owner: (*owner).into(),
            since: None,
            theirs: None,
            ours: None,
        };
        Forecast {
            release: release.parse().unwrap(),
            outcome: if owners.is_empty() {
                ReleaseOutcome::Ready
            } else {
                ReleaseOutcome::NeedsChoice
            },
            reasons: vec![],
            notes: vec![],
            objects: vec![ObjectForecast {
                object: ObjectRef {
                    api_version: "apps/v1".into(),
                    kind: "Deployment".into(),
                    namespace: None,
                    name: "web".into(),
                },
                outcome: ObjectOutcome::OwnershipOnly,
                active: owners.iter().map(conflict).collect(),
                latent: vec![],
                drops: vec![".a".into()],
                drift: vec![],
                values: BTreeMap::new(),
            }],
        }
    }

    #[test]
    fn rates_are_shares_of_releases_and_owners_count_fields() {
        let all = [
            forecast("eu-10/shop/a", &["hpa/scale", "hpa/scale", "kubectl-edit"]),
            forecast("eu-10/shop/b", &[]),
            forecast("eu-2/shop/a", &["kubectl-edit"]),
            forecast("eu-1/shop/a", &[]),
            forecast("eu-3/shop/a", &[]),
        ];
        let made = summary(all.iter().map(|it| (it, format!("{}-1", it.release.name))));
        assert_eq!(
            (made.releases, made.active, made.conflicted, made.drops),
            (5, 4, 2, 5)
        );
        assert_eq!(made.outcomes[&ReleaseOutcome::Ready], 3);
        assert_eq!(made.outcomes[&ReleaseOutcome::Done], 0);
        let names: Vec<(&str, u64, u64)> = made
            .clusters
            .iter()
            .map(|rate| (rate.name.as_str(), rate.conflicted, rate.releases))
            .collect();
        assert_eq!(
            names,
            [
                ("eu-2", 1, 1),
                ("eu-10", 1, 2),
                ("eu-1", 0, 1),
                ("eu-3", 0, 1)
            ]
        );
        assert_eq!(made.charts[0].name, "a-1");
        let owners: Vec<(&str, u64, u64)> = made
            .owners
            .iter()
            .map(|it| (it.owner.as_str(), it.active, it.conflicted))
            .collect();
        assert_eq!(owners, [("hpa/scale", 2, 1), ("kubectl-edit", 2, 2)]);
    }

    #[test]
    fn a_kind_counts_the_releases_that_have_it_each_once() {
        let mut both = forecast("eu-1/shop/a", &["kubectl-edit"]);
        let mut service = both.objects[0].clone();
        service.object.kind = "Service".into();
        service.active.clear();
        both.objects.extend([service.clone(), service.clone()]);
        let mut plain = forecast("eu-1/shop/b", &[]);
        plain.objects.push(service);
        let made = summary([(&both, "a-1".to_owned()), (&plain, "b-1".to_owned())]);
        let kinds: Vec<(&str, u64, u64)> = made
            .kinds
            .iter()
            .map(|rate| (rate.name.as_str(), rate.conflicted, rate.releases))
            .collect();
        assert_eq!(kinds, [("Deployment", 1, 2), ("Service", 0, 2)]);
    }
}
