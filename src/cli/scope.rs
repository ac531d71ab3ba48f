//! Scope: which clusters and namespaces a verb is about. Globs as in a shell, selectors as in kubectl.

use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};

use super::globals::Globals;
pub use crate::domain::fleet::Selector;

use crate::domain::fleet::FleetCluster;
use crate::domain::ids::ReleaseId;

/// A glob over names: `*`, `?`, `[a-c]`, `{a,b}`.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
}

impl Glob {
    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the whole name match?
    pub fn matches(&self, name: &str) -> bool {
        self.matcher.is_match(name)
    }
}

/// A text that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no glob: {why}")]
pub struct NotAGlob {
    text: String,
    why: String,
}

impl FromStr for Glob {
    type Err = NotAGlob;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why: String| NotAGlob {
            text: text.to_owned(),
            why,
        };
        if text.is_empty() {
            return Err(refuse("it is empty".into()));
        }
        let glob = GlobBuilder::new(text)
            .build()
            .map_err(|error| refuse(error.kind().to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
        })
    }
}

/// What a verb is about. An empty list narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    contexts: Vec<Glob>,
    clusters: Vec<Glob>,
    namespaces: Vec<String>,
    selector: Option<Selector>,
}

impl Scope {
    /// The scope that the flags name.
    pub fn of(globals: &Globals) -> Self {
        Self {
            contexts: globals.contexts.clone(),
            clusters: globals.clusters.clone(),
            namespaces: if globals.all_namespaces {
                Vec::new()
            } else {
                globals.namespaces.clone()
            },
            selector: globals.selector.clone(),
        }
    }

    /// Is the cluster in it?
    pub fn has_cluster(&self, cluster: &FleetCluster) -> bool {
        matches_any(&self.contexts, &cluster.context)
            && matches_any(&self.clusters, cluster.name.as_str())
            && self
                .selector
                .as_ref()
                .is_none_or(|selector| selector.matches(&cluster.labels))
    }

    /// Is the context in it? For building a fleet without fleet.toml.
    pub fn has_context(&self, context: &str) -> bool {
        matches_any(&self.contexts, context)
    }

    /// Is the namespace in it?
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace)
    }

    /// Is the release in it, as far as names can tell (cluster globs and namespaces)?
    pub fn has_release(&self, release: &ReleaseId) -> bool {
        matches_any(&self.clusters, release.cluster.as_str())
            && self.has_namespace(release.namespace.as_str())
    }

    /// Does it leave clusters of the fleet out?
    pub fn narrows_clusters(&self) -> bool {
        !self.contexts.is_empty() || !self.clusters.is_empty() || self.selector.is_some()
    }

    /// Does it narrow anything?
    pub fn is_everything(&self) -> bool {
        self.contexts.is_empty()
            && self.clusters.is_empty()
            && self.namespaces.is_empty()
            && self.selector.is_none()
    }

    /// The globs over contexts, as written, for messages.
    pub fn context_globs(&self) -> impl Iterator<Item = &str> {
        self.contexts.iter().map(Glob::as_str)
    }

    /// The namespaces, for requests that can be narrowed; empty is all.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }
}

fn matches_any(globs: &[Glob], name: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.matches(name))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn labels(text: &str) -> BTreeMap<String, String> {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn holds(selector: &str, on: &str) -> bool {
        selector.parse::<Selector>().unwrap().matches(&labels(on))
    }

    #[test]
    fn selectors_mean_what_kubectl_means() {
        assert!(holds("env=prod", "env=prod,region=us"));
        assert!(holds("env==prod,region!=eu", "env=prod,region=us"));
        assert!(holds("region!=eu", "env=prod"));
        assert!(holds("region in (us, eu),env", "env=prod,region=us"));
        assert!(!holds("region notin (us,eu)", "region=us"));
        assert!(holds("region notin (us,eu)", "env=prod"));
        assert!(holds("!legacy", "env=prod"));
        assert!(!holds("legacy", "env=prod"));
        assert!(holds("env=", "env="));
        for wrong in ["", "a b", "a=b,,c", "region in us", "=x", "!", "a=b=c"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn globs_match_whole_names() {
        let glob: Glob = "acme-*".parse().unwrap();
        assert!(glob.matches("acme-eu-1"));
        assert!(glob.matches("acme-team/eu-1"));
        assert!(!glob.matches("x-acme-eu-1"));
        assert!("".parse::<Glob>().is_err());
        assert!("[".parse::<Glob>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Selector>();
            let _ = text.parse::<Glob>();
        }

        #[test]
        fn equal_and_unequal_are_opposites(key in "[a-z]{1,4}", value in "[a-z]{0,4}", on in "[a-z]{1,2}=[a-z]{0,2}") {
            prop_assert_ne!(holds(&format!("{key}={value}"), &on), holds(&format!("{key}!={value}"), &on));
        }
    }
}
