//! Which user of the kubeconfig speaks, so that a refused login can say what to renew.

use std::fmt;

use kube::config::AuthInfo;

/// How a user of a kubeconfig proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing: the server takes us for anonymous.
    None,
    Token,
    TokenFile(String),
    Certificate,
    Password,
    /// A credential plugin, by its command.
    Exec(String),
    /// A built-in provider (`oidc`, `gcp`).
    Provider(String),
    /// The service account of the pod that we run in.
    Pod,
}

/// A user and its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    user: Option<String>,
    proof: Proof,
}

impl Credentials {
    pub(super) fn pod() -> Self {
        Self {
            user: None,
            proof: Proof::Pod,
        }
    }

    pub(super) fn of(user: Option<&str>, auth: &AuthInfo) -> Self {
        // The order is kube-rs's own.
        let proof = if let Some(provider) = &auth.auth_provider {
            Proof::Provider(provider.name.clone())
        } else if auth.username.is_some() && auth.password.is_some() {
            Proof::Password
        } else if auth.token.is_some() {
            Proof::Token
        } else if let Some(file) = &auth.token_file {
            Proof::TokenFile(file.clone())
        } else if let Some(exec) = &auth.exec {
            Proof::Exec(exec.command.clone().unwrap_or_default())
        } else if auth.client_certificate.is_some() || auth.client_certificate_data.is_some() {
            Proof::Certificate
        } else {
            Proof::None
        };
        Self {
            user: user.map(str::to_owned),
            proof,
        }
    }

    pub(super) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// What a 401 means here, and what to do.
    pub(super) fn refused(&self, server: &str) -> String {
        let next = match &self.proof {
            Proof::None => "give the context a user with a token, a certificate or a login command",
            Proof::Token | Proof::Password => "put a new one into the kubeconfig",
            Proof::TokenFile(_) | Proof::Pod => "renew the file",
            Proof::Certificate => "renew the certificate",
            Proof::Exec(_) | Proof::Provider(_) => "log in again",
        };
        match self.proof {
            Proof::None => format!("{self} carries no credentials: {next} ({server})"),
            _ => format!("{self} is expired or unknown to the cluster: {next} ({server})"),
        }
    }
}

impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proof {
            Proof::None => {}
            Proof::Token => f.write_str("the token of ")?,
            Proof::TokenFile(file) => write!(f, "the token in {file} of ")?,
            Proof::Certificate => f.write_str("the client certificate of ")?,
            Proof::Password => f.write_str("the password of ")?,
            Proof::Exec(command) => write!(f, "the token that {command} gave for ")?,
            Proof::Provider(name) => write!(f, "the {name} token of ")?,
            Proof::Pod => return f.write_str("the service account token of this pod"),
        }
        match &self.user {
            Some(user) => write!(f, "kubeconfig user \"{user}\""),
            None => f.write_str("the context (it names no user)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_names_the_user_and_the_way_out() {
        let auth: AuthInfo = serde_json::from_value(serde_json::json!({"token": "t0p"})).unwrap();
        let text = Credentials::of(Some("ops"), &auth).refused("Unauthorized");
        assert_eq!(
            text,
            "the token of kubeconfig user \"ops\" is expired or unknown to the cluster: put a new one into the kubeconfig (Unauthorized)"
        );
        let none = Credentials::of(None, &AuthInfo::default()).refused("Unauthorized");
        assert!(none.contains("carries no credentials"), "{none}");
    }
}
