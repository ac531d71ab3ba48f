//! Kubernetes managedFields: the field-set algebra of server-side apply, as pure functions.
//!
//! The Kubernetes API server keeps, in `metadata.managedFields`, which manager owns which field of an object.
//! This crate reads and writes those entries, computes with them, and says what the server would answer:
//! it is a port of the semantics of `sigs.k8s.io/structured-merge-diff` v6 (as Kubernetes 1.36 links it)
//! and of the field-manager chain of `k8s.io/apimachinery`. No network, no clock, no kube types:
//! [`serde_json::Value`] goes in, [`serde_json::Value`] comes out.
//!
//! | you have | you want | look at |
//! |---|---|---|
//! | `metadata.managedFields` | its entries | [`entry::decode`], [`ManagedFieldsEntry`] |
//! | a `fieldsV1` | a set of paths | [`fields_v1`], [`FieldSet`] |
//! | two sets | what they share, what not | [`FieldSet::union`], [`FieldSet::difference`], … |
//! | `/openapi/v3` documents | a schema | [`Schema::from_openapi`] |
//! | a manifest | the fields that applying it owns | [`FieldManager::apply_set`] |
//! | a live object and a manifest | the server's answer: conflicts, new object, new owners | [`FieldManager::apply`] |
//! | an object managed by client-side apply | its entries for server-side apply | [`csa::upgrade`] |
//!
//! ```
//! use managed_fields::{FieldSet, Path, fields_v1};
//!
//! let helm = fields_v1::decode(r#"{"f:spec":{"f:replicas":{},"f:paused":{}}}"#)?;
//! let kubectl = fields_v1::decode(r#"{"f:spec":{"f:replicas":{}}}"#)?;
//!
//! let shared = helm.intersection(&kubectl);
//! assert_eq!(shared.to_string(), ".spec.replicas");
//! assert!(helm.difference(&kubectl).has(&Path::of_fields(["spec", "paused"])));
//! # Ok::<(), managed_fields::fields_v1::FieldsV1Error>(())
//! ```
//!
//! # Bounds
//!
//! Nothing here panics, whatever the input. Paths, sets and values deeper than [`MAX_DEPTH`] are refused with an error.

pub mod conflict;
pub mod convert;
pub mod csa;
pub mod entry;
pub mod fields_v1;
mod gotext;
pub mod manager;
mod path;
pub mod schema;
mod set;
mod time;
pub mod typed;
pub mod updater;
pub mod value;

pub use conflict::{Conflict, Conflicts};
pub use entry::{Identity, ManagedFieldsEntry, Operation};
pub use manager::FieldManager;
pub use path::{Key, KeyField, Path, PathElement};
pub use schema::{Kind, Schema};
pub use set::{FieldSet, TooDeep};
pub use time::{Time, TimeError};

/// How deep a path, a field set or a value may be.
///
/// It is the depth at which `serde_json` stops parsing, so whatever was parsed can be walked, and every recursion
/// here fits in a small thread's stack.
pub const MAX_DEPTH: usize = 128;
