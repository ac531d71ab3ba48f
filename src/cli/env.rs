//! The environment, read once.

use std::path::PathBuf;

use super::error::CliError;
use crate::domain::release::Driver;
use crate::render::paint::ColorEnv;

/// What the environment says. Everything else of refit takes it from here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// `NO_COLOR`, `CLICOLOR_FORCE`, `TERM`.
    pub color: ColorEnv,
    /// The terminal shows UTF-8 (`LC_ALL`, `LC_CTYPE`, `LANG`; yes if none is set).
    pub utf8: bool,
    /// The files of `KUBECONFIG`, in order; empty if it is not set.
    pub kubeconfig: Vec<PathBuf>,
    /// `HELM_NAMESPACE`: never narrows a fleet, but is mentioned.
    pub helm_namespace: Option<String>,
    /// Who works here: `USER@HOSTNAME`, for the store and for other operators. Proves nothing.
    pub who: String,
    /// `REFIT_LOG`: filter of the log in `tracing`'s syntax; wins over `-v`.
    pub log: Option<String>,
    /// `REFIT_SEAL_KEY`: 32 bytes in base64, seals values that a run must be able to put back; wins over the key file.
    pub seal_key: Option<SealText>,
    helm_driver: Option<String>,
}

/// A key's text: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SealText(pub String);

impl std::fmt::Debug for SealText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealText")
    }
}

impl Env {
    /// From any source of variables; empty ones are as if not set.
    pub fn of(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let locale = get("LC_ALL")
            .or_else(|| get("LC_CTYPE"))
            .or_else(|| get("LANG"));
        let kubeconfig = get("KUBECONFIG").map_or_else(Vec::new, |list| {
            std::env::split_paths(&list)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        });
        let user = get("USER")
            .or_else(|| get("LOGNAME"))
            .unwrap_or_else(|| "unknown".to_owned());
        let host = get("HOSTNAME")
            .or_else(hostname)
            .unwrap_or_else(|| "unknown".to_owned());
        Self {
            color: ColorEnv {
                no_color: get("NO_COLOR").is_some(),
                force: get("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
                dumb: get("TERM").is_some_and(|term| term == "dumb"),
            },
            utf8: locale.is_none_or(|name| {
                let name = name.to_ascii_lowercase();
                name.contains("utf-8") || name.contains("utf8")
            }),
            kubeconfig,
            helm_namespace: get("HELM_NAMESPACE"),
            who: format!("{user}@{host}"),
            log: get("REFIT_LOG"),
            seal_key: get("REFIT_SEAL_KEY").map(SealText),
            helm_driver: get("HELM_DRIVER"),
        }
    }

    /// The process's environment.
    pub fn of_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that reads the environment"
        )]
        Self::of(|name| std::env::var(name).ok())
    }

    /// Where Helm keeps its records, by `HELM_DRIVER`; Secrets if it is not set.
    pub fn driver(&self) -> Result<Driver, CliError> {
        match self.helm_driver.as_deref() {
            None | Some("secret" | "secrets") => Ok(Driver::Secret),
            Some("configmap" | "configmaps") => Ok(Driver::ConfigMap),
            Some(other) => Err(CliError::usage(format!("HELM_DRIVER={other} is not supported"))
                .because("refit works on records in Secrets (secret, the default) and ConfigMaps (configmap)")
                .next("unset HELM_DRIVER, or set it to secret or configmap")),
        }
    }

    /// `HELM_DRIVER` as it is set, for messages.
    pub fn helm_driver(&self) -> Option<&str> {
        self.helm_driver.as_deref()
    }
}

/// The host's name where the shell does not export it.
fn hostname() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(text.trim().to_owned()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(|name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn drivers() {
        assert_eq!(env(&[]).driver(), Ok(Driver::Secret));
        assert_eq!(
            env(&[("HELM_DRIVER", "configmap")]).driver(),
            Ok(Driver::ConfigMap)
        );
        assert_eq!(env(&[("HELM_DRIVER", "")]).driver(), Ok(Driver::Secret));
        assert!(env(&[("HELM_DRIVER", "sql")]).driver().is_err());
    }

    #[test]
    fn locale_and_paths() {
        assert!(env(&[]).utf8);
        assert!(env(&[("LANG", "de_DE.UTF-8")]).utf8);
        assert!(!env(&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")]).utf8);
        assert_eq!(
            env(&[("KUBECONFIG", "/a:/b:")]).kubeconfig,
            [PathBuf::from("/a"), PathBuf::from("/b")]
        );
        assert_eq!(
            env(&[("USER", "kim"), ("HOSTNAME", "bastion-1")]).who,
            "kim@bastion-1"
        );
    }
}
