//! Real clusters, through kube-rs.
//!
//! kube-rs reads kubeconfigs, logs in and speaks TLS; the requests are built here, because the run protocol needs exact control
//! over URL, query, time-outs, status codes and the causes in a Status body, and must know that nothing is sent twice.
//!
//! | file | idea |
//! |---|---|
//! | `kubeconfig`, `credentials`, `proxy`, `connect` | from files to a client, with errors that teach |
//! | `call`, `path`, `records`, `objects` | requests as data |
//! | `send` | sends one, once; tells what never left from what may have arrived |
//! | `refusal`, `redact` | from a refusal to an [`Error`] kind, without values of Secrets |
//! | `discovery`, `openapi`, `list` | what is served; its schemas; pages |
//! | `reader`, `rehearser`, `writer` | the three traits |

mod call;
mod connect;
mod credentials;
mod discovery;
mod kubeconfig;
mod limits;
mod list;
mod objects;
mod openapi;
mod path;
mod proxy;
mod reader;
mod records;
mod redact;
mod refusal;
mod rehearser;
mod send;
#[cfg(test)]
mod testing;
mod writer;

pub use kubeconfig::{ContextInfo, contexts};

use super::{Error, ErrorKind};

/// `User-Agent` of every request.
const USER_AGENT_VALUE: &str = concat!("refit/", env!("CARGO_PKG_VERSION"));

/// A cluster behind a context of the kubeconfig. It is cheap to share behind an `Arc`, and drops its connections with itself.
pub struct KubeCluster {
    client: kube::Client,
    context: Option<String>,
    server: String,
    credentials: credentials::Credentials,
    discovery: discovery::Discovery,
}

impl KubeCluster {
    /// The context's name; `None` inside a pod without a kubeconfig.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The API server's URL, without credentials.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The kubeconfig's name of the user. Who that is to the cluster tells [`identity`](super::Reader::identity).
    pub fn user(&self) -> Option<&str> {
        self.credentials.user()
    }
}

impl std::fmt::Debug for KubeCluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubeCluster")
            .field("context", &self.context)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// A name that cannot stand in a URL: the request will never pass.
fn invalid_name(operation: &str, source: &path::NotAName) -> Error {
    call::error(operation, ErrorKind::Invalid, 0, source.to_string())
}
