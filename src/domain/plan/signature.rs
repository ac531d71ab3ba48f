//! Signatures: what makes the migrations of two objects alike. Interned, so that a release carries one number.
//!
//! A signature is chart and version, kind, Kubernetes minor, outcome, managers, admission. Managers and admission are
//! known for the release, not for each object: two releases that differ there share no signature.

use super::Candidate;
use super::index::Index;
use crate::domain::release::ChartRef;
use crate::domain::shadow::{ObjectForecast, ObjectOutcome};

/// A set of signatures, by number.
pub(super) type SetId = u32;

/// Chart, apiVersion, kind, server, outcome, managers, admission, each by number.
type Key = [u32; 7];

/// All signatures of a plan, and the sets that releases have.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    charts: Index<ChartRef>,
    texts: Index<String>,
    lists: Index<Vec<String>>,
    keys: Index<Key>,
    sets: Index<Vec<u32>>,
    /// Kept between releases.
    buffer: Vec<u32>,
}

impl Signatures {
    /// Number of the candidate's chart, and of its set of signatures.
    pub(super) fn of(&mut self, candidate: &Candidate) -> (u32, SetId) {
        let facts = &candidate.facts;
        let chart = self
            .charts
            .number(&candidate.chart, || candidate.chart.clone());
        let server = self
            .texts
            .number(facts.server.as_str(), || facts.server.clone());
        let managers = self
            .lists
            .number(facts.managers.as_slice(), || facts.managers.clone());
        let admission = self
            .lists
            .number(facts.admission.as_slice(), || facts.admission.clone());
        self.buffer.clear();
        for object in &candidate.forecast.objects {
            let Some(class) = class(object) else {
                continue;
            };
            let reference = &object.object;
            let version = reference.api_version.as_str();
            let version = self.texts.number(version, || version.to_owned());
            let kind = reference.kind.as_str();
            let kind = self.texts.number(kind, || kind.to_owned());
            let key = [chart, version, kind, server, class, managers, admission];
            let number = self.keys.number(&key, || key);
            self.buffer.push(number);
        }
        self.buffer.sort_unstable();
        self.buffer.dedup();
        let set = self
            .sets
            .number(self.buffer.as_slice(), || self.buffer.clone());
        (chart, set)
    }

    /// The chart of a number.
    pub(super) fn chart(&self, number: u32) -> Option<&ChartRef> {
        self.charts.get(number)
    }

    /// How many charts there are, each version counted.
    pub(super) fn charts(&self) -> usize {
        self.charts.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many different sets there are.
    pub(super) fn sets(&self) -> usize {
        self.sets.len()
    }

    /// The signatures of a set, ascending by number.
    pub(super) fn set(&self, set: SetId) -> &[u32] {
        self.sets.get(set).map_or(&[], Vec::as_slice)
    }

    /// What a person reads.
    pub(super) fn text(&self, number: u32) -> String {
        let Some([chart, version, kind, server, class, managers, admission]) =
            self.keys.get(number).copied()
        else {
            return String::new();
        };
        let text = |number| self.texts.get(number).map_or("", String::as_str);
        let list = |number| {
            self.lists
                .get(number)
                .map_or_else(String::new, |it| it.join("+"))
        };
        let mut parts = vec![
            self.charts
                .get(chart)
                .map_or_else(String::new, |it| format!("{} {}", it.name, it.version)),
            format!("{} {}", text(version), text(kind)),
        ];
        if !text(server).is_empty() {
            parts.push(format!("Kubernetes {}", text(server)));
        }
        parts.push(class_words(class));
        for (word, names) in [("owned by", list(managers)), ("admission", list(admission))] {
            if !names.is_empty() {
                parts.push(format!("{word} {names}"));
            }
        }
        parts.join(", ")
    }
}

const LATENT: u32 = 1 << 8;
const DROPS: u32 = 1 << 9;
const DRIFT: u32 = 1 << 10;

/// Outcome and what is reported beside it; none for objects that nothing is written to.
fn class(object: &ObjectForecast) -> Option<u32> {
    let place = WORDS
        .iter()
        .position(|word| *word == object.outcome.word())?;
    let flag = |set: bool, bit: u32| if set { bit } else { 0 };
    Some(
        u32::try_from(place).ok()?
            | flag(!object.latent.is_empty(), LATENT)
            | flag(!object.drops.is_empty(), DROPS)
            | flag(
                !object.drift.is_empty() && object.outcome != ObjectOutcome::Drift,
                DRIFT,
            ),
    )
}

fn class_words(class: u32) -> String {
    let mut words = (*WORDS.get((class & 0xff) as usize).unwrap_or(&"")).to_owned();
    for (bit, word) in [(LATENT, "latent"), (DROPS, "drops"), (DRIFT, "drift")] {
        if class & bit != 0 {
            words = words + " with " + word;
        }
    }
    words
}

/// Outcomes of objects that are written to.
const WORDS: [&str; 11] = [
    "OwnershipOnly",
    "Drift",
    "Conflict",
    "Invalid",
    "Shared",
    "DeadEntries",
    "MisfitEntries",
    "ForeignApplier",
    "BeingDeleted",
    "Admission",
    "Unknown",
];
