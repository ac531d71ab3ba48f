//! `--what-if 'clusters.eu-1.limits.writes_per_second=8'`: what one cluster would have of its own.
//!
//! `[[clusters]]` is a list by contexts, so such an override is no layer of it: it is laid over the clusters that were found, by
//! their names.

use std::borrow::Borrow as _;
use std::collections::BTreeMap;

use toml::de::DeTable;

use super::clusters::{limits_of, timezone_of, windows_of};
use super::schema;
use crate::domain::fleet::FleetCluster;
use crate::domain::fleet::settings::Window;
use crate::toml_file::{ProblemKind, Problems, Section, closest};

/// Does an override speak of one cluster?
pub(super) fn is_of_cluster(text: &str) -> bool {
    text.starts_with("clusters.")
}

/// Lays one override over the clusters. Flaws have their places in the override.
pub(super) fn lay_over(
    clusters: &mut [FleetCluster],
    tree: &DeTable<'_>,
    windows: &BTreeMap<String, Window>,
    problems: &mut Problems,
) {
    let of_clusters = tree.get("clusters").and_then(|it| it.get_ref().as_table());
    for (key, value) in of_clusters.into_iter().flatten() {
        let name: &str = key.get_ref().borrow();
        let place = key.span();
        let mut flaw = |message: String| {
            problems.add(place.clone(), place.clone(), ProblemKind::Invalid(message));
        };
        let names = clusters.iter().map(|it| it.name.as_str());
        let guess =
            closest(name, names).map_or_else(String::new, |it| format!("; did you mean {it}?"));
        let Some(cluster) = clusters.iter_mut().find(|it| it.name.as_str() == name) else {
            flaw(format!("no cluster is named {name}{guess}"));
            continue;
        };
        let Some(table) = value.get_ref().as_table() else {
            flaw("say which setting: limits.writes_per_second, limits.in_flight, windows or timezone".to_owned());
            continue;
        };
        let section = Section::open(table, place, &schema::CLUSTER_WHAT_IF, problems);
        cluster.limits = limits_of(&section, cluster.limits, problems);
        if let Some(windows) = windows_of(&section, windows, problems) {
            cluster.windows = windows;
        }
        if let Some(timezone) = timezone_of(&section, problems) {
            cluster.timezone = Some(timezone);
        }
    }
}
