//! Real Kubernetes control planes, Helm binaries and seeded fleets on loopback, for tests and demos.
//!
//! | module | gives |
//! |---|---|
//! | [`tools`] | the binaries (etcd, kube-apiserver, …, helm 3 and 4): found, or built once from their Go modules |
//! | [`control_plane`] | one running control plane with kwok nodes, gone when its owner is gone |
//! | [`api`] | a small blocking HTTPS client of one control plane |
//! | [`snapshot`] | every object of a cluster as JSON, and the differences of two such pictures |
//! | [`audit`] | which requests reached the API server |
//! | [`helm`] | a real Helm 3 or Helm 4 bound to one cluster |
//! | [`charts`] | the charts of this crate |
//! | [`seed`] | a fleet of releases with the drift of everyday life |
//! | [`json_schema`] | what a value has against a JSON Schema |
//! | [`fleet`] | several control planes that outlive the process that started them |
//!
//! Linux only: children are tied to their owner by `setpriv --pdeathsig` (util-linux).
//! Everything listens on 127.0.0.1 and nothing reads the developer's own kubeconfig.

pub mod api;
pub mod audit;
pub mod charts;
pub mod control_plane;
pub mod demo;
mod env;
pub mod error;
pub mod fleet;
pub mod helm;
pub mod json_schema;
mod manifests;
mod pki;
mod ports;
mod process;
mod scratch;
pub mod seed;
pub mod snapshot;
pub mod tools;

pub use api::Api;
pub use audit::AuditLog;
pub use control_plane::{ControlPlane, Options, User};
pub use error::Error;
pub use helm::Helm;
pub use seed::{Seed, SeededRelease};
pub use snapshot::Snapshot;
pub use tools::Tool;
