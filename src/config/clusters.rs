//! `[[clusters]]`: which contexts, under which names, how hard each may be pressed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::de::DeValue;

use super::contexts::{Contexts, KubeContexts, Pattern, cluster_name};
use super::schema;
use crate::domain::fleet::settings::Window;
use crate::domain::fleet::{FleetCluster, Limits, natural_order};
use crate::domain::ids::ClusterName;
use crate::toml_file::{Entry, ProblemKind, Problems, Section, Source, closest, settings, values};

/// The label that `tenant` sets.
const TENANT: &str = "tenant";

/// Names shown of a longer list in one message.
const SHOWN: usize = 3;

/// What clusters are read with.
pub(super) struct Given<'a> {
    /// The fleet's name, if that could be read.
    pub(super) fleet: &'a str,
    /// Hold where a cluster has none.
    pub(super) limits: Limits,
    /// The windows that there are.
    pub(super) windows: &'a BTreeMap<String, Window>,
    pub(super) contexts: &'a Contexts<'a>,
    pub(super) source: &'a Source<'a>,
}

/// Reads all clusters.
pub(super) fn clusters(
    entry: &Entry<'_>,
    given: &Given<'_>,
    problems: &mut Problems,
) -> Vec<FleetCluster> {
    let mut reading = Reading {
        given,
        known: BTreeMap::new(),
        taken: BTreeMap::new(),
        found: Vec::new(),
    };
    for item in entry.array(problems).unwrap_or_default() {
        if let DeValue::Table(table) = item.get_ref() {
            let section = Section::open(table, item.span(), &schema::CLUSTERS, problems);
            reading.one(&section, problems);
        } else {
            entry.flaw_at(problems, item.span(), "write each under [[clusters]]");
        }
    }
    let mut found: Vec<FleetCluster> = reading.found.into_iter().map(|(it, _)| it).collect();
    found.sort_by(|a, b| natural_order(a.name.as_str(), b.name.as_str()));
    found
}

struct Reading<'a> {
    given: &'a Given<'a>,
    /// Contexts by kubeconfig: each is asked for once.
    known: BTreeMap<Option<PathBuf>, Result<KubeContexts, String>>,
    /// Line that took a context.
    taken: BTreeMap<(Option<PathBuf>, String), usize>,
    /// Clusters with their lines.
    found: Vec<(FleetCluster, usize)>,
}

impl Reading<'_> {
    fn one(&mut self, section: &Section<'_>, problems: &mut Problems) {
        let labels = section.get("labels");
        let mut labels = labels.map_or_else(BTreeMap::new, |entry| labels_of(&entry, problems));
        tenant(section, &mut labels, problems);
        let windows = windows_of(section, self.given.windows, problems);
        let windows = windows.unwrap_or_default();
        let timezone = timezone_of(section, problems);
        let limits = limits_of(section, self.given.limits, problems);
        let kubeconfig = section.get("kubeconfig");
        let path = kubeconfig
            .as_ref()
            .and_then(|entry| entry.text(problems))
            .map(PathBuf::from);
        let mut name = section.get("name");
        let (entry, pattern) = match (section.get("context"), section.get("contexts")) {
            (Some(entry), None) => {
                let pattern = entry.text(problems).map(Pattern::exact);
                (entry, pattern)
            }
            (None, Some(entry)) => {
                // The rest is read as if it were not there: one flaw, not one a context.
                if let Some(name) = name.take() {
                    let message = "a glob may match many contexts: name goes with context only";
                    problems.add(
                        name.key.clone(),
                        name.span(),
                        ProblemKind::Invalid(message.into()),
                    );
                }
                let pattern = entry.text(problems).map(Pattern::glob);
                let pattern = pattern
                    .and_then(|made| made.map_err(|message| entry.flaw(problems, message)).ok());
                (entry, pattern)
            }
            (Some(_), Some(both)) => {
                let message = "either context or contexts, not both";
                problems.add(
                    both.key.clone(),
                    both.span(),
                    ProblemKind::Invalid(message.into()),
                );
                return;
            }
            (None, None) => {
                let message = "which cluster? add contexts = \"GLOB\" or context = \"NAME\"";
                let span = section.span.clone();
                problems.add(span.clone(), span, ProblemKind::Missing(message.into()));
                return;
            }
        };
        let own_name = name.and_then(|entry| {
            let text = entry.text(problems)?;
            if let Some(flaw) = values::name_flaw(text) {
                entry.flaw(problems, flaw);
                return None;
            }
            Some(ClusterName::new(text))
        });
        let Some(pattern) = pattern else { return };
        let asked = self.given.contexts;
        let available = self
            .known
            .entry(path.clone())
            .or_insert_with(|| asked(path.as_deref()));
        let matched = match available {
            Ok(available) => pattern.find(available),
            Err(reason) => {
                let about = kubeconfig.as_ref().unwrap_or(&entry);
                let kind = ProblemKind::Kubeconfig(reason.clone());
                problems.add(about.key.clone(), about.span(), kind);
                return;
            }
        };
        match matched {
            Err(kind) => problems.add(entry.value_span(), entry.span(), kind),
            Ok(matched) => {
                let made = Made {
                    own_name,
                    labels,
                    limits,
                    path,
                    timezone,
                    windows,
                };
                self.take(&entry, matched, &made, problems);
            }
        }
    }

    /// Takes contexts into the fleet, but none twice and no name twice.
    fn take(
        &mut self,
        entry: &Entry<'_>,
        matched: Vec<String>,
        made: &Made,
        problems: &mut Problems,
    ) {
        let line = self.given.source.place(entry.key.start).0;
        let mut again: Vec<(String, usize)> = Vec::new();
        let mut clashes: Vec<String> = Vec::new();
        for context in matched {
            let key = (made.path.clone(), context.clone());
            if let Some(first) = self.taken.get(&key) {
                again.push((context, *first));
                continue;
            }
            self.taken.insert(key, line);
            let name = match &made.own_name {
                Some(name) => name.clone(),
                None => match cluster_name(&context, self.given.fleet) {
                    Ok(name) => name,
                    Err(message) => {
                        entry.flaw(problems, message);
                        continue;
                    }
                },
            };
            if let Some((other, first)) = self.found.iter().find(|(it, _)| it.name == name) {
                clashes.push(format!(
                    "two clusters are named {name}: contexts {} (line {first}) and {context}",
                    other.context
                ));
                continue;
            }
            let cluster = FleetCluster {
                name,
                context,
                kubeconfig: made.path.clone(),
                labels: made.labels.clone(),
                limits: made.limits,
                timezone: made.timezone.clone(),
                windows: made.windows.clone(),
            };
            self.found.push((cluster, line));
        }
        if let Some((_, first)) = again.first() {
            let names: Vec<&str> = again.iter().map(|(name, _)| name.as_str()).collect();
            let plural = if names.len() == 1 {
                "context is"
            } else {
                "contexts are"
            };
            let message = format!(
                "{} {plural} taken on line {first} already: {}",
                names.len(),
                some(&names)
            );
            entry.flaw(problems, message);
        }
        if let Some(clash) = clashes.first() {
            let more = clashes.len() - 1;
            let rest = if more == 0 {
                String::new()
            } else {
                format!(", and {more} more")
            };
            entry.flaw(problems, format!("{clash}{rest}"));
        }
    }
}

/// What all clusters of one `[[clusters]]` have in common.
struct Made {
    own_name: Option<ClusterName>,
    labels: BTreeMap<String, String>,
    limits: Limits,
    path: Option<PathBuf>,
    timezone: Option<String>,
    windows: Vec<String>,
}

/// Names of `[windows]`; `None` if nothing is said.
pub(super) fn windows_of(
    section: &Section<'_>,
    known: &BTreeMap<String, Window>,
    problems: &mut Problems,
) -> Option<Vec<String>> {
    let entry = section.get("windows")?;
    let mut names: Vec<String> = Vec::new();
    for (name, place) in entry.texts(problems).unwrap_or_default() {
        if !known.contains_key(name) {
            let hint = closest(name, known.keys().map(String::as_str)).map_or_else(
                || format!("add it under [windows]: {name} = {{ days = \"Mon-Fri\", from = \"09:00\", to = \"17:00\" }}"),
                |guess| format!("did you mean {guess}?"),
            );
            entry.flaw_at(
                problems,
                place,
                format!("no window is named {name}; {hint}"),
            );
        } else if names.iter().any(|other| other == name) {
            entry.flaw_at(problems, place, format!("{name} stands here twice"));
        } else {
            names.push(name.to_owned());
        }
    }
    Some(names)
}

/// A cluster's own zone.
pub(super) fn timezone_of(section: &Section<'_>, problems: &mut Problems) -> Option<String> {
    let entry = section.get("timezone")?;
    let zone = entry.text(problems)?;
    if let Some(flaw) = values::timezone_flaw(zone) {
        entry.flaw(problems, flaw);
    }
    Some(zone.to_owned())
}

/// A cluster's own limits, over those that hold without them.
pub(super) fn limits_of(section: &Section<'_>, without: Limits, problems: &mut Problems) -> Limits {
    let own = section
        .get("limits")
        .and_then(|entry| entry.section(&schema::CLUSTER_LIMITS, problems));
    let mut number = |key: &str, default: u32| {
        own.as_ref()
            .and_then(|own| own.get(key))
            .and_then(|entry| entry.number(problems, &settings::LIMIT_BOUNDS))
            .unwrap_or(default)
    };
    Limits {
        writes_per_second: number("writes_per_second", without.writes_per_second),
        in_flight: number("in_flight", without.in_flight),
    }
}

/// `tenant` is the label of that name: caps and rules see it.
fn tenant(section: &Section<'_>, labels: &mut BTreeMap<String, String>, problems: &mut Problems) {
    let Some(entry) = section.get("tenant") else {
        return;
    };
    let Some(text) = entry.text(problems) else {
        return;
    };
    if let Some(flaw) = label_flaw(text, LABEL_VALUE_BYTES) {
        entry.flaw(problems, flaw);
    } else if labels.insert(TENANT.to_owned(), text.to_owned()).is_some() {
        entry.flaw_at(
            problems,
            entry.key.clone(),
            "there is a label tenant too: keep one",
        );
    }
}

fn labels_of(entry: &Entry<'_>, problems: &mut Problems) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    for (key, value) in entry.entries(problems) {
        let Some(text) = value.any_text(problems) else {
            continue;
        };
        let flaw = label_flaw(key, LABEL_KEY_BYTES).or_else(|| {
            if text.is_empty() {
                None
            } else {
                label_flaw(text, LABEL_VALUE_BYTES)
            }
        });
        match flaw {
            Some(flaw) => value.flaw(problems, flaw),
            None => {
                labels.insert(key.to_owned(), text.to_owned());
            }
        }
    }
    labels
}

/// Kubernetes' bounds on labels: 253 bytes of prefix, a slash and 63 of name; 63 of value.
const LABEL_KEY_BYTES: usize = 253 + 1 + 63;
const LABEL_VALUE_BYTES: usize = 63;

/// Labels are asked for with `-l`, so they hold what a selector can say.
fn label_flaw(text: &str, most: usize) -> Option<String> {
    let lawful = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let ends = |c: char| c.is_ascii_alphanumeric();
    let fine = text.len() <= most
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(lawful);
    (!fine).then(|| {
        format!(
            "\"{}\" is no label: letters, digits and - _ . within, at most {most}",
            text.escape_debug()
        )
    })
}

fn some(names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown}, …")
    } else {
        shown
    }
}
