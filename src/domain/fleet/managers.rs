//! Which field managers are ours: the canonical name, and globs of the names that Helm wrote under before.

use globset::{GlobBuilder, GlobMatcher};

use super::Managers;

/// The name under which stock Helm 4 writes; no flag changes it.
pub const STOCK_MANAGER: &str = "helm";

/// Flux's controller of Helm releases. It is alive and writes again: never an older name of ours.
const FLUX_MANAGER: &str = "helm-controller";

/// The API server's bound on a field manager's name, in bytes (apimachinery, field manager validation).
const MAX_MANAGER_BYTES: usize = 128;

/// Managers whose fields nobody may fold into Helm's: an alias that matches one of them is refused.
const NEVER_ALIASES: [(&str, &str); 8] = [
    ("kube-controller-manager", "Kubernetes' own controllers"),
    ("kubelet", "the nodes"),
    ("argocd-controller", "Argo CD, which applies again"),
    ("kustomize-controller", "Flux, which applies again"),
    ("kubectl-edit", "a person's change by hand"),
    ("kubectl-set", "a person's change by hand"),
    (
        "before-first-apply",
        "the server's own name, decided object by object",
    ),
    (
        "ancient-changes",
        "the server's own name, decided object by object",
    ),
];

/// Why a manager counts as ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own<'a> {
    /// It is the canonical manager.
    Canonical,
    /// An older name: the glob that says so.
    Alias(&'a str),
}

/// An alias that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alias \"{alias}\" is no glob: {reason}")]
pub struct AliasInvalid {
    /// As it stands in fleet.toml or the plan.
    pub alias: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Why an alias is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasRefused {
    /// Not a glob.
    #[error(transparent)]
    Invalid(AliasInvalid),
    /// It is the canonical manager.
    #[error("\"{0}\" is the manager itself: an alias is an older name of it")]
    Canonical(String),
    /// Flux's controller.
    #[error("helm-controller is never an alias: Flux drives its releases and would write again")]
    Flux,
    /// It takes in a manager that is somebody else.
    #[error("\"{alias}\" takes in {manager}, which is {who}: name the older writer exactly")]
    TooWide {
        /// The alias.
        alias: String,
        /// Whom it takes in.
        manager: &'static str,
        /// Who that is.
        who: &'static str,
    },
}

impl Managers {
    /// Compiles the aliases. Do it once, not for every entry.
    pub fn matcher(&self) -> Result<ManagerMatcher, AliasInvalid> {
        let aliases = self
            .aliases
            .iter()
            .map(|alias| Ok((alias.clone(), glob(alias)?)))
            .collect::<Result<_, _>>()?;
        Ok(ManagerMatcher {
            canonical: self.canonical.clone(),
            aliases,
        })
    }
}

/// [`Managers`], ready to be asked.
#[derive(Debug, Clone)]
pub struct ManagerMatcher {
    canonical: String,
    aliases: Vec<(String, GlobMatcher)>,
}

impl ManagerMatcher {
    /// The canonical manager.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Is this manager ours, and why? `helm-controller` never is, whatever the globs say.
    pub fn own(&self, manager: &str) -> Option<Own<'_>> {
        if manager == FLUX_MANAGER {
            return None;
        }
        if manager == self.canonical {
            return Some(Own::Canonical);
        }
        self.aliases
            .iter()
            .find(|(_, glob)| glob.is_match(manager))
            .map(|(alias, _)| Own::Alias(alias))
    }

    /// Is it an older name of ours?
    pub fn is_alias(&self, manager: &str) -> bool {
        matches!(self.own(manager), Some(Own::Alias(_)))
    }
}

/// Looks at one alias on its own. `Ok(true)`: it is fine, though it would take in `helm-controller`, which it will not.
pub fn alias_refused(alias: &str, canonical: &str) -> Result<bool, AliasRefused> {
    if alias == canonical {
        return Err(AliasRefused::Canonical(alias.to_owned()));
    }
    if alias == FLUX_MANAGER {
        return Err(AliasRefused::Flux);
    }
    let glob = glob(alias).map_err(AliasRefused::Invalid)?;
    for (manager, who) in NEVER_ALIASES {
        if glob.is_match(manager) {
            return Err(AliasRefused::TooWide {
                alias: alias.to_owned(),
                manager,
                who,
            });
        }
    }
    Ok(glob.is_match(FLUX_MANAGER))
}

/// What is wrong with a name as a field manager, if anything: the server's own rule.
pub fn manager_name_flaw(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("the manager is empty".to_owned())
    } else if name.len() > MAX_MANAGER_BYTES {
        Some(format!(
            "the manager has {} bytes; the API server takes at most {MAX_MANAGER_BYTES}",
            name.len()
        ))
    } else if name == FLUX_MANAGER {
        Some("helm-controller is Flux: its releases are migrated over there".to_owned())
    } else {
        name.chars()
            .find(|c| c.is_control() || (c.is_whitespace() && *c != ' ') || is_invisible(*c))
            .map(|c| {
                format!(
                    "the manager holds {}, which does not print",
                    c.escape_unicode()
                )
            })
    }
}

/// Characters that Go's `unicode.IsPrint` refuses and that a person could paste by mistake.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}')
}

/// Compiles a glob over manager names; `*` takes in every character.
fn glob(alias: &str) -> Result<GlobMatcher, AliasInvalid> {
    let invalid = |reason: String| AliasInvalid {
        alias: alias.to_owned(),
        reason,
    };
    if alias.is_empty() {
        return Err(invalid("it is empty".to_owned()));
    }
    GlobBuilder::new(alias)
        .literal_separator(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| invalid(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn managers(aliases: &[&str]) -> ManagerMatcher {
        Managers {
            canonical: "helm".into(),
            aliases: aliases.iter().map(|&alias| alias.into()).collect(),
        }
        .matcher()
        .unwrap()
    }

    #[test]
    fn aliases_are_globs_over_whole_names() {
        let ours = managers(&["Go-http-client", "terraform-provider-helm*"]);
        assert_eq!(ours.own("helm"), Some(Own::Canonical));
        assert_eq!(
            ours.own("terraform-provider-helm_v2.13.0_x5"),
            Some(Own::Alias("terraform-provider-helm*"))
        );
        assert_eq!(
            ours.own("Go-http-client"),
            Some(Own::Alias("Go-http-client"))
        );
        for other in ["Helm", "helm2", "Go-http-client/2", "terraform", ""] {
            assert_eq!(ours.own(other), None, "{other}");
        }
    }

    #[test]
    fn helm_controller_is_never_ours() {
        let ours = managers(&["helm*", "*"]);
        assert_eq!(ours.own("helm-controller"), None);
        assert_eq!(ours.own("helmfile"), Some(Own::Alias("helm*")));
        assert_eq!(
            alias_refused("helm-controller", "helm"),
            Err(AliasRefused::Flux)
        );
        assert_eq!(alias_refused("helm*", "helm"), Ok(true));
    }

    #[test]
    fn an_alias_takes_in_nobody_else() {
        for wide in ["*", "kube*", "*-controller", "kubectl-*", "ancient-changes"] {
            assert!(
                matches!(
                    alias_refused(wide, "helm"),
                    Err(AliasRefused::TooWide { .. })
                ),
                "{wide}"
            );
        }
        assert!(matches!(
            alias_refused("helm", "helm"),
            Err(AliasRefused::Canonical(_))
        ));
        assert!(matches!(
            alias_refused("a[", "helm"),
            Err(AliasRefused::Invalid(_))
        ));
        assert!(matches!(
            alias_refused("", "helm"),
            Err(AliasRefused::Invalid(_))
        ));
        assert_eq!(alias_refused("kubectl-create", "helm"), Ok(false));
    }

    #[test]
    fn a_manager_is_what_the_server_takes() {
        assert_eq!(manager_name_flaw("acme deployer"), None);
        assert_eq!(manager_name_flaw(&"a".repeat(128)), None);
        for bad in [
            "",
            "a\tb",
            "a\u{200b}b",
            "helm-controller",
            &"a".repeat(129),
        ] {
            assert!(manager_name_flaw(bad).is_some(), "{bad:?}");
        }
    }
}
