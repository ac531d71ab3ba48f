//! From a context of the kubeconfig to a client. Sends nothing to the cluster.

use std::path::Path;
use std::sync::Once;

use http::HeaderValue;
use http::header::USER_AGENT;
use hyper_util::client::proxy::matcher::Matcher;
use kube::client::{AuthError, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::call::error;
use super::credentials::Credentials;
use super::discovery::Discovery;
use super::kubeconfig::{ContextInfo, Files, without_userinfo};
use super::limits::{CONNECT_WITHIN, CREDENTIALS_WITHIN};
use super::send::root_cause;
use super::{KubeCluster, USER_AGENT_VALUE, proxy};
use crate::cluster::{Error, ErrorKind, Result};

/// How much of a plugin's complaint is repeated.
const PLUGIN_CHARS: usize = 300;

impl KubeCluster {
    /// Prepares a client of the named context, or of the current one. `kubeconfig` is one file; `None` reads what kubectl
    /// reads (the files in `KUBECONFIG`, else `~/.kube/config`), and inside a pod, where there is none, its service account.
    ///
    /// Sends nothing to the cluster; a credential plugin that the context names is run.
    ///
    /// # Errors
    /// `Invalid`: the kubeconfig or the context cannot be used. `Unauthorized`: the credential plugin failed or gave no
    /// credentials.
    ///
    /// # Cancel safety
    /// A dropped call leaves a started plugin to end by itself.
    pub async fn connect(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Self> {
        let Some(files) = Files::read(kubeconfig)? else {
            return Self::in_pod(context);
        };
        let found = files.context(context)?;
        let operation = format!("connect to context {}", found.name);
        let options = KubeConfigOptions {
            context: Some(found.name.clone()),
            ..KubeConfigOptions::default()
        };
        let credentials = credentials(&files.merged, &found);
        let own_proxy = files.has_proxy(&found.cluster);
        let mut config = Config::from_custom_kubeconfig(files.merged.clone(), &options)
            .await
            .map_err(|source| unusable(&files.operation(), &source))?;
        if !own_proxy && proxy::goes_direct(&config.cluster_url, &Matcher::from_env()) {
            config.proxy_url = None;
        }
        let building = tokio::task::spawn_blocking(move || client(config));
        let Ok(built) = tokio::time::timeout(CREDENTIALS_WITHIN, building).await else {
            let message = format!(
                "no credentials within {} s: {credentials} did not come",
                CREDENTIALS_WITHIN.as_secs()
            );
            return Err(error(&operation, ErrorKind::Unauthorized, 0, message));
        };
        let client = built
            .map_err(|_| {
                error(
                    &operation,
                    ErrorKind::Invalid,
                    0,
                    "it was given up on the way",
                )
            })?
            .map_err(|source| not_built(&operation, &credentials, &source))?;
        Ok(Self {
            client,
            context: Some(found.name),
            server: found.server.unwrap_or_default(),
            credentials,
            discovery: Discovery::default(),
        })
    }

    fn in_pod(context: Option<&str>) -> Result<Self> {
        let operation = "find a kubeconfig";
        if let Some(context) = context {
            let message = format!(
                "there is none to find context \"{context}\" in: give --kubeconfig, or set KUBECONFIG"
            );
            return Err(error(operation, ErrorKind::Invalid, 0, message));
        }
        let config = Config::incluster().map_err(|_| {
            let message = "there is none: give --kubeconfig, set KUBECONFIG, or write ~/.kube/config (and this is no pod with a service account)";
            error(operation, ErrorKind::Invalid, 0, message)
        })?;
        let server = without_userinfo(&config.cluster_url.to_string());
        let credentials = Credentials::pod();
        let client = client(config)
            .map_err(|source| not_built("connect from inside the pod", &credentials, &source))?;
        Ok(Self {
            client,
            context: None,
            server,
            credentials,
            discovery: Discovery::default(),
        })
    }
}

/// kube-rs's stack without its retries: it would send a write again behind the journal's back.
///
/// Blocks while a credential plugin runs.
fn client(mut config: Config) -> kube::Result<Client> {
    install_crypto_provider();
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT_WITHIN);
    // The one deadline for the whole exchange stands in `send`; this one would count a pooled connection's idle time.
    config.read_timeout = None;
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(USER_AGENT_VALUE)));
    Ok(ClientBuilder::try_from(config)?.build())
}

/// rustls refuses to guess when features of two providers meet in one build.
fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that somebody else in this process installed one first: that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

fn credentials(config: &Kubeconfig, context: &ContextInfo) -> Credentials {
    let auth = context
        .user
        .as_ref()
        .and_then(|user| config.auth_infos.iter().find(|named| named.name == *user))
        .and_then(|named| named.auth_info.clone())
        .unwrap_or_default();
    Credentials::of(context.user.as_deref(), &auth)
}

fn unusable(operation: &str, source: &KubeconfigError) -> Error {
    // Its causes name files and formats, never the data.
    error(operation, ErrorKind::Invalid, 0, source.to_string())
}

fn not_built(operation: &str, credentials: &Credentials, source: &kube::Error) -> Error {
    match source {
        kube::Error::Auth(auth) => no_credentials(operation, credentials, auth),
        other => {
            let message = format!("no client can be made of it: {}", root_cause(other));
            error(operation, ErrorKind::Invalid, 0, message)
        }
    }
}

/// A credential plugin or token file that failed. Never the source itself: kube-rs prints the plugin's output, which may hold a token.
pub(super) fn no_credentials(
    operation: &str,
    credentials: &Credentials,
    auth: &AuthError,
) -> Error {
    let why = match auth {
        AuthError::AuthExecRun { out, .. } => {
            let words = String::from_utf8_lossy(&out.stderr);
            let first = words
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("");
            let first: String = first.trim().chars().take(PLUGIN_CHARS).collect();
            if first.is_empty() {
                format!("it ended with {}", out.status)
            } else {
                format!("it ended with {}: {first}", out.status)
            }
        }
        AuthError::AuthExecStart(source) => format!("it cannot be started: {source}"),
        AuthError::AuthExecParse(_) | AuthError::ExecPluginFailed => {
            "it did not print an ExecCredential with a status".to_owned()
        }
        AuthError::ReadTokenFile(source, path) => format!("{}: {source}", path.display()),
        AuthError::MissingCommand => "the exec section names no command".to_owned(),
        AuthError::UnrefreshableTokenResponse => "it gave no token at the refresh".to_owned(),
        AuthError::MalformedTokenExpirationDate(_) => "it gave a malformed expiry".to_owned(),
        _ => "log in again".to_owned(),
    };
    error(
        operation,
        ErrorKind::Unauthorized,
        0,
        format!("no credentials: {credentials} did not come: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn connect(user: Value, cluster: Value) -> Result<KubeCluster> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        let config = json!({
            "current-context": "eu",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "ops", "user": user}],
            "contexts": [{"name": "eu", "context": {"cluster": "c", "user": "ops"}}],
        });
        std::fs::write(&file, config.to_string()).unwrap();
        KubeCluster::connect(Some(&file), None).await
    }

    fn exec(script: &str) -> Value {
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script], "interactiveMode": "Never"}})
    }

    #[tokio::test]
    async fn connecting_needs_no_server() {
        let cluster = connect(
            json!({"token": "t"}),
            json!({"server": "https://u:hunter2@127.0.0.1:1/x"}),
        )
        .await
        .unwrap();
        assert_eq!(cluster.context(), Some("eu"));
        assert_eq!(cluster.server(), "https://127.0.0.1:1/x");
        assert_eq!(cluster.user(), Some("ops"));
        assert!(!format!("{cluster:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_failing_plugin_is_told_without_what_it_printed() {
        let server = json!({"server": "https://127.0.0.1:1"});
        for (script, wanted) in [
            (
                "echo hunter2; echo 'no session, run: cloud login' >&2; exit 3",
                "it ended with exit status: 3: no session, run: cloud login",
            ),
            (
                "echo hunter2",
                "it did not print an ExecCredential with a status",
            ),
            (
                "echo '{\"kind\": \"ExecCredential\", \"hunter2\": 1}'",
                "it did not print an ExecCredential with a status",
            ),
        ] {
            let error = connect(exec(script), server.clone()).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unauthorized);
            assert_eq!(
                error.to_string(),
                format!(
                    "connect to context eu: no credentials: the token that sh gave for kubeconfig user \"ops\" did not come: {wanted}"
                )
            );
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        let gone = json!({"exec": {"command": "no-such-plugin"}});
        let error = connect(gone, server.clone()).await.unwrap_err();
        assert!(error.message.contains("it cannot be started"), "{error}");
        let file = json!({"tokenFile": "/no/such/token"});
        let error = connect(file, server).await.unwrap_err();
        assert!(error.message.contains("/no/such/token"), "{error}");
    }

    #[tokio::test]
    async fn parts_that_cannot_be_read_are_named() {
        let cluster =
            json!({"server": "https://127.0.0.1:1", "certificate-authority": "/no/such/ca.pem"});
        let error = connect(json!({}), cluster).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains("/no/such/ca.pem"), "{error}");
        let user =
            json!({"client-certificate-data": "aHVudGVyMg==", "client-key-data": "aHVudGVyMg=="});
        let error = connect(user, json!({"server": "https://127.0.0.1:1"}))
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
        assert!(
            error.message.starts_with("no client can be made of it"),
            "{error}"
        );
        assert!(
            !format!("{error:?}").contains("hunter2") && !format!("{error:?}").contains("aHVudGVy")
        );
    }
}
