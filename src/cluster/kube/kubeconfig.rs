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
