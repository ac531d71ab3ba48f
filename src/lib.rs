//! refit moves fleets of Helm releases from client-side to server-side apply.
pub mod domain;
pub mod helm;
