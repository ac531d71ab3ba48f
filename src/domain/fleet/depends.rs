//! `[[depends]]` of fleet.toml: which releases wait for which others, as globs over `cluster/namespace/name`.

use globset::{GlobBuilder, GlobMatcher};

use crate::domain::ids::ReleaseId;

/// One `[[depends]]`: every release that matches `release` waits for every one that matches `on`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depends {
    /// Who waits.
    pub release: PlacedGlob,
    /// For whom.
    pub on: PlacedGlob,
}

/// A glob over releases with its place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedGlob {
    /// `*/shop/*`, as it was written.
    pub glob: String,
    /// `fleet.toml:34:11`: file, line, and column of the value.
    pub place: String,
}

/// A text that is no glob over releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAReleaseGlob {
    /// Not three parts.
    #[error("\"{0}\" is no glob over releases: write cluster/namespace/name, like */shop/*")]
    Parts(String),
    /// A part is no glob.
    #[error("\"{part}\" is no glob: {why}")]
    Glob {
        /// The part.
        part: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A glob over releases, ready to be asked: three globs, one a part of `cluster/namespace/name`.
#[derive(Debug, Clone)]
pub struct ReleaseGlob {
    text: String,
    cluster: Part,
    namespace: Part,
    name: Part,
}

impl ReleaseGlob {
    /// Compiles a glob. Do it once, not for every release.
    pub fn parse(text: &str) -> Result<Self, NotAReleaseGlob> {
        let parts: Vec<&str> = text.split('/').collect();
        let [cluster, namespace, name] = parts.as_slice() else {
            return Err(NotAReleaseGlob::Parts(text.to_owned()));
        };
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotAReleaseGlob::Parts(text.to_owned()));
        }
        Ok(Self {
            text: text.to_owned(),
            cluster: Part::parse(cluster)?,
            namespace: Part::parse(namespace)?,
            name: Part::parse(name)?,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the whole id match?
    pub fn matches(&self, release: &ReleaseId) -> bool {
        self.cluster.matches(release.cluster.as_str())
            && self.namespace.matches(release.namespace.as_str())
            && self.name.matches(release.name.as_str())
    }

    /// Does the cluster's name match?
    pub fn matches_cluster(&self, cluster: &str) -> bool {
        self.cluster.matches(cluster)
    }

    /// Do both speak of one cluster at a time? They do if the text in the cluster's place is the same: `*/shop/*` on
    /// `*/ingress/nginx` stays within each cluster, `eu-*/shop/*` on `{eu-*}/ingress/nginx` does not.
    pub fn same_cluster(&self, other: &Self) -> bool {
        let place = |glob: &Self| glob.text.split('/').next().map(str::to_owned);
        place(self) == place(other)
    }
}

/// One part of the glob. Most parts are plain names or a lone star, which need no matcher.
#[derive(Debug, Clone)]
enum Part {
    Any,
    Name(String),
    Glob(Box<GlobMatcher>),
}

impl Part {
    fn parse(part: &str) -> Result<Self, NotAReleaseGlob> {
        if part == "*" {
            return Ok(Self::Any);
        }
        let built = GlobBuilder::new(part).literal_separator(false).build();
        let glob = built.map_err(|error| NotAReleaseGlob::Glob {
            part: part.to_owned(),
            why: error.kind().to_string(),
        })?;
        Ok(if part.contains(['*', '?', '[', '{', '\\']) {
            Self::Glob(Box::new(glob.compile_matcher()))
        } else {
            Self::Name(part.to_owned())
        })
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Name(own) => own == name,
            Self::Glob(glob) => glob.is_match(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(text: &str) -> ReleaseGlob {
        ReleaseGlob::parse(text).unwrap()
    }

    #[test]
    fn each_part_is_a_glob_of_its_own() {
        let web: ReleaseId = "eu-1/shop/web".parse().unwrap();
        for yes in [
            "*/*/*",
            "eu-1/shop/web",
            "eu-*/sh?p/{web,api}",
            "**/shop/*",
            "[e]u-1/*/w*",
        ] {
            assert!(glob(yes).matches(&web), "{yes}");
        }
        for no in ["eu/shop/web", "eu-1/shop/we", "*/shop", "EU-1/shop/web"] {
            assert!(
                !ReleaseGlob::parse(no).is_ok_and(|glob| glob.matches(&web)),
                "{no}"
            );
        }
        for wrong in ["", "*", "a/b", "a/b/c/d", "a//c", "[/b/c", "a/b/{c"] {
            assert!(ReleaseGlob::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_text_means_the_same_cluster() {
        assert!(glob("*/shop/*").same_cluster(&glob("*/ingress/nginx")));
        assert!(glob("eu-*/shop/*").same_cluster(&glob("eu-*/ingress/nginx")));
        assert!(!glob("*/shop/*").same_cluster(&glob("**/ingress/nginx")));
        assert!(!glob("*/shop/*").same_cluster(&glob("hub/auth/dex")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = ReleaseGlob::parse(&text);
        }
    }
}
