//! The run protocol, checked: the real `decide` and `apply` against a small world.
//!
//! `world` is the API server, the network and the engine's loop; `actors` are Helm, controllers, people; `search` looks
//! at every interleaving of a configuration. Each counterexample that shaped the protocol is a test, and so is the proof
//! that its guard is needed: the same search with that guard taken away finds a violation.

mod actors;
mod answers;
mod configurations;
mod counterexamples;
mod engine;
mod invariants;
mod refusals;
mod schedules;
mod search;
mod words;
mod world;
