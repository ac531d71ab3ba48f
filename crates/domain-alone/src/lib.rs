//! refit's pure core, compiled by itself.
//!
//! `src/domain` belongs to the main package. This crate compiles the same files with only the crates that the core may
//! use, under a `clippy.toml` of its own that bans clock, environment, files, processes, threads and hash maps. So
//! purity is a matter of what compiles, not of good will: a `use crate::cluster` or `use tokio` in `src/domain` builds
//! in the main package and fails here.

#[path = "../../../src/domain/mod.rs"]
pub mod domain;
