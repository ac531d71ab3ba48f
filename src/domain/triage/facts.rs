//! What the texts of a rule may name: the same words for a cause, a release and a single finding.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::Finding;
use crate::domain::fleet::natural_order;
use crate::domain::ids::ReleaseId;
use crate::domain::release::ChartRef;

/// A finding of a release: what a cause rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Of which release.
    pub release: ReleaseId,
    /// Its chart, name and version in one word.
    pub chart: String,
    /// Does it hold the release? If not it is a note.
    pub held: bool,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Placeholders of texts. Of several values the singular is the most frequent one, the plural is all of them, the most
/// frequent first; `…_counted` is one text: `reports-1.9.2 (8), media-db-0.3.0 (2)`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Facts {
    /// How many releases.
    pub releases: usize,
    /// On how many clusters.
    pub clusters: usize,
    /// How many objects.
    pub objects: usize,
    /// `eu-1/shop/web`: the first.
    pub release: String,
    /// Its cluster.
    pub cluster: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Charts, name-version.
    pub chart: String,
    /// All of them.
    pub charts: Vec<String>,
    /// With how many releases each.
    pub charts_counted: String,
    /// Kinds of objects.
    pub kind: String,
    /// All of them.
    pub kinds: Vec<String>,
    /// With how many findings each.
    pub kinds_counted: String,
    /// The API group of the first object.
    pub group: String,
    /// The name of the first object.
    pub object: String,
    /// Fields.
    pub field: String,
    /// All of them.
    pub fields: Vec<String>,
    /// With how many findings each.
    pub fields_counted: String,
    /// Owners, with their subresources.
    pub owner: String,
    /// All of them.
    pub owners: Vec<String>,
    /// With how many releases each.
    pub owners_counted: String,
    /// Managers of the release's other conflicts: whom a second applier would meet.
    pub others: Vec<String>,
    /// The forecast's words.
    pub message: String,
}

/// The facts of some evidence, which is in the order of releases.
pub fn facts(evidence: &[&Evidence]) -> Facts {
    let mut releases = BTreeSet::new();
    let mut clusters = BTreeSet::new();
    let mut objects = BTreeSet::new();
    let mut charts = Tally::default();
    let mut kinds = Tally::default();
    let mut fields = Tally::default();
    let mut owners = Tally::default();
    let mut messages = Tally::default();
    for it in evidence {
        clusters.insert(&it.release.cluster);
        if releases.insert(&it.release) {
            charts.add(&it.chart);
        }
        let finding = &it.finding;
        if let Some(object) = &finding.object {
            objects.insert((&it.release.cluster, object));
            kinds.add(&object.kind);
        }
        if let Some(field) = &finding.field {
            fields.add(field);
        }
        if let Some(owner) = &finding.owner {
            owners.add_for(owner, &it.release);
        }
        messages.add(&finding.message);
    }
    let first = evidence.first();
    let object = evidence.iter().find_map(|it| it.finding.object.as_ref());
    let text = |of: fn(&ReleaseId) -> &str| {
        first.map_or_else(String::new, |it| of(&it.release).to_owned())
    };
    Facts {
        releases: releases.len(),
        clusters: clusters.len(),
        objects: objects.len(),
        release: first.map_or_else(String::new, |it| it.release.to_string()),
        cluster: text(|it| it.cluster.as_str()),
        namespace: text(|it| it.namespace.as_str()),
        name: text(|it| it.name.as_str()),
        chart: charts.first(),
        charts: charts.names(),
        charts_counted: charts.counted(),
        kind: kinds.first(),
        kinds: kinds.names(),
        kinds_counted: kinds.counted(),
        group: object.map_or_else(String::new, |it| it.group().to_owned()),
        object: object.map_or_else(String::new, |it| it.name.clone()),
        field: fields.first(),
        fields: fields.names(),
        fields_counted: fields.counted(),
        owner: owners.first(),
        owners: owners.names(),
        owners_counted: owners.counted(),
        others: Vec::new(),
        message: messages.first(),
    }
}

/// The chart of a release in one word.
pub fn chart_word(chart: &ChartRef) -> String {
    format!("{}-{}", chart.name, chart.version)
}

/// Counts names.
#[derive(Default)]
struct Tally<'a> {
    counts: BTreeMap<&'a str, u64>,
    seen: BTreeSet<(&'a str, &'a ReleaseId)>,
}

impl<'a> Tally<'a> {
    fn add(&mut self, name: &'a str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// Once a release.
    fn add_for(&mut self, name: &'a str, release: &'a ReleaseId) {
        if self.seen.insert((name, release)) {
            self.add(name);
        }
    }

    /// The most frequent first, then in natural order.
    fn sorted(&self) -> Vec<(&'a str, u64)> {
        let mut sorted: Vec<_> = self.counts.iter().map(|(name, n)| (*name, *n)).collect();
        sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| natural_order(a.0, b.0)));
        sorted
    }

    fn names(&self) -> Vec<String> {
        let sorted = self.sorted().into_iter();
        sorted.map(|(name, _)| name.to_owned()).collect()
    }

    fn first(&self) -> String {
        self.names().into_iter().next().unwrap_or_default()
    }

    /// Names with their counts; a single one stands alone.
    fn counted(&self) -> String {
        let sorted = self.sorted();
        let one = sorted.len() == 1;
        let words = sorted.into_iter().map(|(name, count)| {
            if one {
                name.to_owned()
            } else {
                format!("{name} ({count})")
            }
        });
        words.collect::<Vec<_>>().join(", ")
    }
}
