//! refit moves fleets of Helm releases from client-side to server-side apply, and back again.
//!
//! This page is the map of the code. What must stay true, and why things are as they are, is in `docs/architecture.md`
//! and `docs/adr/`; how one release is migrated is in `docs/run-protocol.md`.
//!
//! # The way of the data
//!
//! ```text
//! fleet.toml ─► inventory ─► shadow ─► triage ─► plan ─► run ─► audit
//!  clusters     releases,    outcome   causes,   waves   journal,  who owns
//!               records      of each   fixes             undo      what now
//! ```
//!
//! | stage | its value (pure) | who collects or performs | writes |
//! |---|---|---|---|
//! | fleet | [`domain::fleet::Fleet`] | [`config::load`] | |
//! | inventory | [`domain::release::Inventory`] | [`engine::inventory`] | |
//! | shadow | [`domain::shadow::Forecast`] | [`engine::shadow`], by dry runs | |
//! | triage | [`domain::triage::Triage`] | rules of [`playbook::triage`] | |
//! | plan | [`domain::plan::Plan`] | [`engine::plan`] | |
//! | run | [`domain::run::Attempt`], its [`Entry`](domain::run::Entry) and [`Outcome`](domain::run::Outcome) | [`engine::run`] | yes |
//! | undo | the same, the other way | [`engine::undo`] | yes |
//! | audit | [`domain::audit`] | [`engine::audit`] | |
//!
//! # Who decides and who acts
//!
//! | decisions: [`domain`] | effects: [`engine`] |
//! |---|---|
//! | [`transfer::adopt`](domain::transfer::adopt), [`transfer::put_back`](domain::transfer::put_back): managedFields → managedFields | reads objects, rehearses and sends the patches |
//! | [`shadow::judge`](domain::shadow::judge): facts about objects → outcome of a release; [`offline`](domain::shadow::offline): manifest and live object → facts | [`Forecaster`](engine::shadow::Forecaster): lists, computes, asks the server for the rest |
//! | [`run::decide`](domain::run::decide()): state and what was seen → entries, requests, looks | [`drive`](engine::run::drive()): appends, sends, looks, waits |
//! | [`Attempt::apply`](domain::run::Attempt::apply): entry → state, live and in recovery | [`Ledger`](engine::run::Ledger): durable, fenced appends |
//!
//! # Around them
//!
//! - [`cluster`]: what a cluster is to refit, from harmless to not: [`Reader`](cluster::Reader), [`Rehearser`](cluster::Rehearser)
//!   and [`Writer`](cluster::Writer), which only [`engine::run`] and [`engine::undo`] may name. [`cluster::kube`] is the real one.
//! - [`helm`]: Helm's formats. Bytes in, values out: [`helm::record`], [`helm::storage`], [`helm::manifest`], [`helm::yaml`], and
//!   the record requests of the protocol in [`helm::forms`].
//! - [`store`]: [`Journal`](store::Journal) and [`State`](store::State); [`store::sql`] is SQLite; [`store::lock`] is one run a
//!   cluster on one machine.
//! - [`playbook`]: what refit does by data: rules of triage.
//! - [`config`]: `fleet.toml`, with all its errors at once. [`render`]: tables, JSON, YAML, progress.
//! - [`cli`]: one file a verb. Its `desk` turns a verb into the engine's work, and its `wire` is the one file that names concrete
//!   clusters, stores and locks.
//! - [`managed_fields`]: the algebra of field ownership, a library of its own.
//!
//! Who may name whom is a test, `tests/architecture`; the graph as it is stands in `docs/module-graph.txt`.

pub mod cli;
pub mod cluster;
pub mod config;
pub mod domain;
pub mod engine;
pub mod helm;
pub mod playbook;
pub mod render;
pub mod store;
pub mod toml_file;
