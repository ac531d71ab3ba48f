//! Contexts of kubeconfigs: what matches a glob, how the cluster is named after it, and fleets without a fleet.toml.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::Defaults;
use crate::domain::fleet::{Fleet, FleetCluster, Managers, natural_order};
use crate::domain::ids::ClusterName;
use crate::toml_file::{ConfigInvalid, Problem, ProblemKind, values};

/// Contexts named as close to one that is not there.
const CLOSE_CONTEXTS: usize = 3;

/// Likeness from which a context counts as close.
const CLOSE: f64 = 0.6;

/// The contexts of one kubeconfig, or of all files of `KUBECONFIG`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubeContexts {
    /// Their names.
    pub names: Vec<String>,
    /// Where they are from, in words: `2 files of KUBECONFIG`.
    pub origin: String,
}

/// Says which contexts a kubeconfig offers; `None` is `KUBECONFIG` or the default. A path is as fleet.toml has it:
/// relative to fleet.toml's folder. An error is a text without secrets.
pub type Contexts<'a> = dyn Fn(Option<&Path>) -> Result<KubeContexts, String> + 'a;

/// A name of a context, or a glob over them; `*` takes in every character. A context of exactly that name matches too,
/// so that names with brackets need no escapes.
pub(super) struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl Pattern {
    pub(super) fn exact(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            glob: None,
        }
    }

    pub(super) fn glob(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text)
            .literal_separator(false)
            .build()
            .map_err(|error| format!("\"{text}\" is no glob: {}", error.kind()))?;
        Ok(Self {
            text: text.to_owned(),
            glob: Some(glob.compile_matcher()),
        })
    }

    /// All contexts that match, in natural order; an error names close ones.
    pub(super) fn find(&self, contexts: &KubeContexts) -> Result<Vec<String>, ProblemKind> {
        let is_match = |name: &&String| {
            **name == self.text || self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
        };
        let mut found: Vec<String> = contexts.names.iter().filter(is_match).cloned().collect();
        found.sort_by(|a, b| natural_order(a, b));
        found.dedup();
        if found.is_empty() {
            Err(ProblemKind::ContextNotFound {
                pattern: self.text.clone(),
                available: contexts.names.len(),
                origin: contexts.origin.clone(),
                close: self.close(contexts),
            })
        } else {
            Ok(found)
        }
    }

    fn close(&self, contexts: &KubeContexts) -> Vec<String> {
        let plain = self.text.replace(['*', '?'], "");
        let mut close: Vec<(f64, &String)> = contexts
            .names
            .iter()
            .map(|name| (strsim::normalized_damerau_levenshtein(&plain, name), name))
            .filter(|(likeness, _)| *likeness >= CLOSE)
            .collect();
        close.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| natural_order(a.1, b.1)));
        close.dedup_by(|a, b| a.1 == b.1);
        let names = close.into_iter().map(|(_, name)| name.clone());
        names.take(CLOSE_CONTEXTS).collect()
    }
}

/// A cluster's name: the context less the fleet's name and a dash. Of a context with slashes (an EKS ARN) the last
/// part counts, as a name stands in `cluster/namespace/name`.
pub(super) fn cluster_name(context: &str, fleet: &str) -> Result<ClusterName, String> {
    let last = context.rsplit('/').next().unwrap_or(context);
    let rest = last
        .strip_prefix(fleet)
        .and_then(|rest| rest.strip_prefix('-'));
    let name = rest.filter(|rest| !rest.is_empty()).unwrap_or(last);
    match values::name_flaw(name) {
        None => Ok(ClusterName::new(name)),
        Some(flaw) => Err(format!(
            "context \"{}\" makes no name of a cluster: {flaw}; name it with name and context",
            context.escape_debug()
        )),
    }
}

/// A fleet for the looking verbs, without a fleet.toml: the contexts that any of `patterns` matches, with defaults.
/// `file` in the error is `--context`.
pub fn from_contexts(
    name: &str,
    patterns: &[String],
    kubeconfig: Option<&Path>,
    contexts: &Contexts<'_>,
) -> Result<Fleet, ConfigInvalid> {
    let defaults = Defaults::built_in()?;
    let mut problems = Vec::new();
    let mut flaw = |pattern: &str, kind: ProblemKind| {
        problems.push(Problem {
            file: "--context".to_owned(),
            line: 1,
            column: 1,
            excerpt: pattern.to_owned(),
            kind,
        });
    };
    if patterns.is_empty() {
        let message = "no context: name one with --context, or set the current context";
        flaw("", ProblemKind::Missing(message.to_owned()));
    }
    let available = contexts(kubeconfig).unwrap_or_else(|reason| {
        flaw("", ProblemKind::Kubeconfig(reason));
        KubeContexts::default()
    });
    let mut clusters: Vec<FleetCluster> = Vec::new();
    for text in patterns {
        let found = matching(text, &available).unwrap_or_else(|kind| {
            flaw(text, kind);
            Vec::new()
        });
        for context in found {
            if clusters.iter().any(|cluster| cluster.context == context) {
                continue;
            }
            let named = cluster_name(&context, name).and_then(|named| {
                match clusters.iter().find(|cluster| cluster.name == named) {
                    None => Ok(named),
                    Some(other) => Err(format!(
                        "contexts {} and {context} would both be named {named}",
                        other.context
                    )),
                }
            });
            match named {
                Err(message) => flaw(text, ProblemKind::Invalid(message)),
                Ok(named) => clusters.push(FleetCluster {
                    name: named,
                    context,
                    kubeconfig: kubeconfig.map(Path::to_path_buf),
                    labels: BTreeMap::new(),
                    limits: defaults.limits,
                    timezone: None,
                    windows: Vec::new(),
                }),
            }
        }
    }
    if !problems.is_empty() {
        return Err(ConfigInvalid {
            file: "--context".to_owned(),
            problems,
            more: 0,
        });
    }
    clusters.sort_by(|a, b| natural_order(a.name.as_str(), b.name.as_str()));
    Ok(Fleet {
        name: name.to_owned(),
        deadline: defaults.deadline,
        timezone: defaults.timezone,
        managers: Managers {
            canonical: defaults.manager,
            aliases: defaults.aliases,
        },
        state: PathBuf::from(defaults.state),
        clusters,
        writes_per_second: defaults.writes_per_second,
        planning: defaults.planning,
        undo_dwell_seconds: defaults.undo_dwell_seconds,
        expect: BTreeSet::new(),
        start_within_seconds: defaults.start_within_seconds,
        seal_key_file: None,
        depends: Vec::new(),
        cut_inferred: defaults.cut_inferred,
        policies: Vec::new(),
    })
}

/// The contexts that a text names: the one of exactly that name, even if it is no glob, else those that it matches.
fn matching(text: &str, available: &KubeContexts) -> Result<Vec<String>, ProblemKind> {
    if available.names.iter().any(|name| name == text) {
        return Ok(vec![text.to_owned()]);
    }
    let pattern = Pattern::glob(text).map_err(ProblemKind::Invalid)?;
    pattern.find(available)
}
