//! Reads kubeconfig files as kubectl does, and says what is wrong with them.
//!
//! kube-rs does the parsing and the merging. Ours are the rules around it: a file of the `KUBECONFIG` list that does not exist
//! is skipped, one that is asked for by name must exist, and no error quotes the text of a file (it holds credentials).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use kube::config::{Kubeconfig, KubeconfigError};

use super::call::error;
use crate::cluster::{Error, ErrorKind, Result};

/// One context of the kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContextInfo {
    /// Its name.
    pub name: String,
    /// The name of its cluster in the kubeconfig.
    pub cluster: String,
    /// That cluster's URL, if the files have the cluster.
    pub server: Option<String>,
    /// The name of its user in the kubeconfig.
    pub user: Option<String>,
    /// Its default namespace.
    pub namespace: Option<String>,
    /// Is it the current context?
    pub current: bool,
}

/// All contexts, by name.
///
/// `None` reads what kubectl reads: the files in `KUBECONFIG`, else `~/.kube/config`. No file at all is an empty list.
///
/// # Errors
/// `Invalid`: the named file does not exist, or a file cannot be read or is no kubeconfig.
pub fn contexts(kubeconfig: Option<&Path>) -> Result<Vec<ContextInfo>> {
    let Some(files) = Files::read(kubeconfig)? else {
        return Ok(Vec::new());
    };
    let config = &files.merged;
    let mut contexts: Vec<ContextInfo> = config
        .contexts
        .iter()
        .filter_map(|named| {
            let context = named.context.as_ref()?;
            Some(ContextInfo {
                name: named.name.clone(),
                cluster: context.cluster.clone(),
                server: server(config, &context.cluster),
                user: context.user.clone().filter(|user| !user.is_empty()),
                namespace: context.namespace.clone().filter(|name| !name.is_empty()),
                current: config.current_context.as_deref() == Some(&named.name),
            })
        })
        .collect();
    contexts.sort();
    Ok(contexts)
}

fn server(config: &Kubeconfig, cluster: &str) -> Option<String> {
    let named = config.clusters.iter().find(|named| named.name == cluster)?;
    let url = named.cluster.as_ref()?.server.as_deref()?;
    Some(without_userinfo(url))
}

/// The URL without `user:password@`.
pub(super) fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// Kubeconfig files, merged.
#[derive(Debug)]
pub(super) struct Files {
    /// Those that were read.
    paths: Vec<PathBuf>,
    /// Their contents: the first file that sets a thing wins.
    pub merged: Kubeconfig,
}

impl Files {
    /// `None`: no file was named and none exists.
    pub(super) fn read(kubeconfig: Option<&Path>) -> Result<Option<Self>> {
        match kubeconfig {
            Some(path) => Self::merge(&[path.to_owned()], false),
            // The adapter's only look at the environment; kube-rs's own would fail at a missing file of the list.
            None => Self::listed(
                std::env::var_os("KUBECONFIG").as_deref(),
                std::env::home_dir(),
            ),
        }
    }

    fn listed(list: Option<&OsStr>, home: Option<PathBuf>) -> Result<Option<Self>> {
        let mut paths: Vec<PathBuf> = std::env::split_paths(list.unwrap_or_default())
            .filter(|path| !path.as_os_str().is_empty())
            .collect();
        if paths.is_empty() {
            paths.extend(home.map(|home| home.join(".kube").join("config")));
        }
        Self::merge(&paths, true)
    }

    fn merge(paths: &[PathBuf], may_be_missing: bool) -> Result<Option<Self>> {
        let mut files: Option<Self> = None;
        for path in paths {
            let next = match Kubeconfig::read_from(path) {
                Ok(next) => next,
                Err(KubeconfigError::ReadConfig(source, _))
                    if may_be_missing && source.kind() == std::io::ErrorKind::NotFound =>
                {
                    continue;
                }
                Err(source) => return Err(unreadable(path, &source)),
            };
            files = Some(match files {
                None => Self {
                    paths: vec![path.clone()],
                    merged: next,
                },
                Some(Self { mut paths, merged }) => {
                    let merged = merged
                        .merge(next)
                        .map_err(|source| unreadable(path, &source))?;
                    paths.push(path.clone());
                    Self { paths, merged }
                }
            });
        }
        Ok(files)
    }

    /// The context of this name, or the current one: checked, so that what kube-rs makes of it cannot lack a part.
    pub(super) fn context(&self, name: Option<&str>) -> Result<ContextInfo> {
        let config = &self.merged;
        let fail = |message: String| Err(error(&self.operation(), ErrorKind::Invalid, 0, message));
        let Some(name) = name
            .or(config.current_context.as_deref())
            .filter(|name| !name.is_empty())
        else {
            return fail(format!(
                "no current context is set: name one of {}",
                self.names()
            ));
        };
        let found = config.contexts.iter().find(|named| named.name == name);
        let Some(context) = found.and_then(|named| named.context.as_ref()) else {
            return fail(format!(
                "it has no context \"{name}\": it has {}",
                self.names()
            ));
        };
        let cluster = &context.cluster;
        let Some(server) = server(config, cluster) else {
            return fail(format!(
                "context \"{name}\" names cluster \"{cluster}\", which it does not have, or not with a server"
            ));
        };
        let user = context.user.clone().filter(|user| !user.is_empty());
        if let Some(user) = &user
            && !config.auth_infos.iter().any(|named| named.name == *user)
        {
            return fail(format!(
                "context \"{name}\" names user \"{user}\", which it does not have"
            ));
        }
        Ok(ContextInfo {
            name: name.to_owned(),
            cluster: cluster.clone(),
            server: Some(server),
            user,
            namespace: context.namespace.clone().filter(|name| !name.is_empty()),
            current: config.current_context.as_deref() == Some(name),
        })
    }

    /// Does the kubeconfig itself name a proxy for this cluster? Then the environment has no say.
    pub(super) fn has_proxy(&self, cluster: &str) -> bool {
        let mut clusters = self.merged.clusters.iter();
        clusters
            .find(|named| named.name == cluster)
            .and_then(|named| named.cluster.as_ref()?.proxy_url.as_deref())
            .is_some_and(|url| !url.is_empty())
    }

    /// `read kubeconfig a, b`.
    pub(super) fn operation(&self) -> String {
        let paths: Vec<String> = self
            .paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        format!("read kubeconfig {}", paths.join(", "))
    }

    fn names(&self) -> String {
        let mut names: Vec<&str> = self
            .merged
            .contexts
            .iter()
            .map(|named| named.name.as_str())
            .collect();
        names.sort_unstable();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}

fn unreadable(path: &Path, source: &KubeconfigError) -> Error {
    let operation = format!("read kubeconfig {}", path.display());
    let message = match source {
        KubeconfigError::ReadConfig(source, _) => source.to_string(),
        // The parser's own words quote the lines around the error, tokens and all.
        KubeconfigError::Parse(source) => {
            let place = source
                .location()
                .map(|place| format!(" (line {}, column {})", place.line(), place.column()));
            format!("it is no kubeconfig in YAML{}", place.unwrap_or_default())
        }
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            "its kind or apiVersion differs from that of the files before it".to_owned()
        }
        other => other.to_string(),
    };
    error(&operation, ErrorKind::Invalid, 0, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "apiVersion: v1
kind: Config
current-context: eu
clusters:
- {name: c1, cluster: {server: 'https://me:hunter2@eu.example:6443/k8s'}}
users:
- {name: ops, user: {token: hunter2}}
contexts:
- {name: us, context: {cluster: gone, user: ops}}
- {name: eu, context: {cluster: c1, user: ops, namespace: shop}}
- {name: no-user, context: {cluster: c1, user: nobody}}
";
    const TWO: &str = "current-context: other
contexts:
- {name: eu, context: {cluster: ignored}}
- {name: ap, context: {cluster: c1}}
";

    fn files(texts: &[(&str, &str)]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let dir = tempfile::tempdir().unwrap();
        let paths = texts
            .iter()
            .map(|(name, text)| {
                let path = dir.path().join(name);
                std::fs::write(&path, text).unwrap();
                path
            })
            .collect();
        (dir, paths)
    }

    #[test]
    fn contexts_are_listed_by_name() {
        let (_dir, paths) = files(&[("one", ONE)]);
        let contexts = contexts(Some(&paths[0])).unwrap();
        let names: Vec<&str> = contexts
            .iter()
            .map(|context| context.name.as_str())
            .collect();
        assert_eq!(names, ["eu", "no-user", "us"]);
        assert_eq!(
            contexts[0],
            ContextInfo {
                name: "eu".into(),
                cluster: "c1".into(),
                server: Some("https://eu.example:6443/k8s".into()),
                user: Some("ops".into()),
                namespace: Some("shop".into()),
                current: true,
            }
        );
        assert_eq!(contexts[2].server, None);
    }

    #[test]
    fn the_first_file_of_the_list_wins_and_a_missing_one_is_skipped() {
        let (dir, paths) = files(&[("one", ONE), ("two", TWO)]);
        let list = std::env::join_paths([
            dir.path().join("none"),
            PathBuf::new(),
            paths[0].clone(),
            paths[1].clone(),
        ])
        .unwrap();
        let files = Files::listed(Some(&list), None).unwrap().unwrap();
        assert_eq!(files.paths, paths);
        assert_eq!(files.context(None).unwrap().name, "eu");
        assert_eq!(files.context(Some("eu")).unwrap().cluster, "c1");
        assert_eq!(files.context(Some("ap")).unwrap().user, None);
    }

    #[test]
    fn without_a_list_the_home_directory_is_read_and_without_that_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            Files::listed(None, Some(dir.path().to_owned()))
                .unwrap()
                .is_none()
        );
        std::fs::create_dir(dir.path().join(".kube")).unwrap();
        std::fs::write(dir.path().join(".kube/config"), ONE).unwrap();
        let files = Files::listed(Some(OsStr::new("")), Some(dir.path().to_owned()));
        assert_eq!(files.unwrap().unwrap().merged.contexts.len(), 3);
        assert!(Files::listed(None, None).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_named_must_exist() {
        let error = contexts(Some(Path::new("/no/such/kubeconfig"))).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert_eq!(
            error.to_string(),
            "read kubeconfig /no/such/kubeconfig: No such file or directory (os error 2)"
        );
    }

    #[test]
    fn a_broken_file_is_told_by_its_place_and_not_by_its_text() {
        for text in [
            "users:\n- name: ops\n  user: {token: hunter2\n",
            "users:\n- name: ops\n  user: [hunter2]\n",
            "contexts: hunter2\n",
            "\t- hunter2: [",
        ] {
            let (_dir, paths) = files(&[("bad", text)]);
            let error = contexts(Some(&paths[0])).unwrap_err();
            assert!(
                error
                    .message
                    .starts_with("it is no kubeconfig in YAML (line "),
                "{error}"
            );
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_context_that_lacks_a_part_is_explained() {
        let (_dir, paths) = files(&[("one", ONE)]);
        let files = Files::read(Some(&paths[0])).unwrap().unwrap();
        for (name, wanted) in [
            ("xx", "it has no context \"xx\": it has eu, no-user, us"),
            (
                "us",
                "context \"us\" names cluster \"gone\", which it does not have, or not with a server",
            ),
            (
                "no-user",
                "context \"no-user\" names user \"nobody\", which it does not have",
            ),
        ] {
            assert_eq!(files.context(Some(name)).unwrap_err().message, wanted);
        }
        let (_dir, paths) = self::files(&[("two", "contexts: []\n")]);
        let empty = Files::read(Some(&paths[0])).unwrap().unwrap();
        assert_eq!(
            empty.context(None).unwrap_err().message,
            "no current context is set: name one of none"
        );
    }
}
