//! refit moves fleets of Helm releases from client-side to server-side apply.
pub mod cli;
pub mod cluster;
pub mod config;
pub mod domain;
pub mod engine;
pub mod helm;
pub mod render;
pub mod store;
