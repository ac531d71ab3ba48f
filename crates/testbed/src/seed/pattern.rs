//! Which charts a fleet has, and what happened to them.

use super::names::{Dice, NAMESPACES, releases};
use super::{Cause, Drift, Expect, SeededRelease};

struct Case {
    chart: &'static str,
    values: &'static [&'static str],
    drift: &'static [Drift],
    expect: Expect,
}

const fn plain(chart: &'static str) -> Case {
    Case {
        chart,
        values: &[],
        drift: &[],
        expect: Expect::Ready,
    }
}

const fn ready(chart: &'static str, drift: &'static [Drift]) -> Case {
    Case {
        chart,
        values: &[],
        drift,
        expect: Expect::Ready,
    }
}

const fn held(chart: &'static str, drift: &'static [Drift], cause: Cause) -> Case {
    Case {
        chart,
        values: &[],
        drift,
        expect: Expect::Held(cause),
    }
}

/// Comes again and again until the fleet is full; its first half holds every chart and every drift that are the most common.
const PATTERN: [Case; 50] = [
    plain("web"),
    plain("database"),
    held("web", &[Drift::ScaledAway], Cause::ActiveConflict),
    ready("web", &[Drift::ScaledBack]),
    plain("agent"),
    ready("web", &[Drift::OldManager]),
    plain("edge"),
    held("web", &[Drift::Edited], Cause::ActiveConflict),
    plain("batch"),
    ready("web", &[Drift::Restarted, Drift::LabelAdded]),
    plain("platform"),
    held("hooked", &[Drift::PendingUpgrade], Cause::PendingUpgrade),
    plain("hooked"),
    held("web", &[Drift::ForeignApplier], Cause::ForeignApplier),
    plain("vault"),
    plain("gadgets"),
    ready("web", &[Drift::TenRevisions]),
    plain("archive"),
    held("web", &[Drift::LastFailed], Cause::LatestFailed),
    plain("guard"),
    held("doubled", &[], Cause::InvalidManifest),
    plain("widgets"),
    Case {
        chart: "web",
        values: &["autoscaling=true", "replicas=1", "minReplicas=2"],
        drift: &[Drift::AutoscalerMoved],
        expect: Expect::Held(Cause::ActiveConflict),
    },
    Case {
        chart: "web",
        values: &["autoscaling=true", "fixedReplicas=false"],
        drift: &[],
        expect: Expect::Ready,
    },
    ready("web", &[Drift::EditedBack]),
    held("web", &[Drift::LabelChanged], Cause::ActiveConflict),
    ready("web", &[Drift::ObjectDeleted]),
    plain("widgets"),
    held("web", &[Drift::ImageSet], Cause::ActiveConflict),
    ready("database", &[Drift::LabelAdded]),
    ready("edge", &[Drift::OldManager]),
    held("widgets", &[Drift::Edited], Cause::ActiveConflict),
    ready("platform", &[Drift::LabelAdded]),
    Case {
        chart: "web",
        values: &[],
        drift: &[],
        expect: Expect::Done,
    },
    ready("agent", &[Drift::LabelAdded]),
    ready("edge", &[Drift::Restarted]),
    plain("vault"),
    plain("web"),
    plain("database"),
    plain("batch"),
    ready("web", &[Drift::TenRevisions, Drift::Restarted]),
    plain("agent"),
    ready("database", &[Drift::OldManager]),
    plain("edge"),
    plain("gadgets"),
    ready("web", &[Drift::ScaledBack, Drift::EditedBack]),
    plain("archive"),
    plain("hooked"),
    plain("platform"),
    plain("web"),
];

/// Below this many releases a cluster gets no custom resources: their definition would be too large a part of it.
const WORTH_A_DEFINITION: usize = 10;

/// The fleet; see [`super::Seed::plan`].
pub fn plan(seed: u64, count: usize, clusters: &[String]) -> Vec<SeededRelease> {
    let mut dice = Dice(seed);
    if clusters.is_empty() {
        return Vec::new();
    }
    let definitions = count / clusters.len() >= WORTH_A_DEFINITION;
    let crds = plain("widget-crds");
    let first = if definitions { clusters.len() } else { 0 };
    let rest = PATTERN
        .iter()
        .filter(|case| definitions || case.chart != "widgets")
        .cycle();
    let cases = std::iter::repeat_n(&crds, first).chain(rest).take(count);
    // Each cluster gets its share; which one gets which releases is the seed's.
    let mut homes: Vec<&String> = clusters.iter().cycle().take(count).collect();
    if let Some(homes) = homes.get_mut(first..) {
        dice.shuffle(homes);
    }
    let names = releases(&mut dice, count);
    let mut fleet = Vec::with_capacity(count);
    for ((case, home), name) in cases.zip(homes).zip(names) {
        let namespace = if case.chart == "widget-crds" {
            "platform"
        } else {
            NAMESPACES[dice.below(NAMESPACES.len())]
        };
        fleet.push(SeededRelease {
            cluster: home.clone(),
            namespace: namespace.to_owned(),
            name,
            chart: case.chart.to_owned(),
            values: case.values.iter().copied().map(str::to_owned).collect(),
            drift: case.drift.to_vec(),
            expect: case.expect,
        });
    }
    fleet
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn a_seed_decides_everything_and_most_releases_can_be_migrated() {
        let clusters: Vec<String> = (1..=3).map(|n| format!("demo-{n}")).collect();
        let fleet = plan(7, 60, &clusters);
        assert_eq!(fleet, plan(7, 60, &clusters));
        assert_ne!(fleet, plan(8, 60, &clusters));
        assert_eq!(fleet.len(), 60);
        let names: BTreeSet<_> = fleet.iter().map(|r| &r.name).collect();
        assert_eq!(names.len(), 60, "names are unique in the fleet");
        let mut shares = BTreeMap::new();
        for release in &fleet {
            *shares.entry(&release.cluster).or_insert(0) += 1;
        }
        assert_eq!(shares.into_values().collect::<Vec<_>>(), [20, 20, 20]);
        let held = fleet
            .iter()
            .filter(|r| matches!(r.expect, Expect::Held(_)))
            .count();
        assert!((8..=15).contains(&held), "{held} of 60 are held");
        let drifts: BTreeSet<Drift> = fleet.iter().flat_map(|r| r.drift.iter().copied()).collect();
        assert_eq!(drifts.len(), 15, "every drift is there");
        let charts: BTreeSet<&str> = fleet.iter().map(|r| r.chart.as_str()).collect();
        assert_eq!(
            charts,
            BTreeSet::from(crate::charts::ALL),
            "every chart is there"
        );
        for cluster in &clusters {
            let definitions =
                |r: &&SeededRelease| r.cluster == *cluster && r.chart == "widget-crds";
            assert_eq!(fleet.iter().filter(definitions).count(), 1);
        }
    }

    #[test]
    fn more_releases_than_names_and_fewer_than_clusters() {
        let one = ["a".to_owned()];
        let names: BTreeSet<String> = plan(1, 700, &one).into_iter().map(|r| r.name).collect();
        assert_eq!(names.len(), 700);
        let few = plan(1, 2, &["a".into(), "b".into(), "c".into()]);
        assert!(few.len() == 2 && few.iter().all(|r| !r.chart.starts_with("widget")));
        assert!(plan(1, 5, &[]).is_empty());
    }
}
