//! PURE: decisions as functions over data. No async, no I/O, no clock, no randomness.
pub mod audit;
pub mod fields;
pub mod fleet;
pub mod graph;
pub mod hex;
pub mod ids;
pub mod object;
pub mod plan;
pub mod policy;
pub mod release;
pub mod report;
pub mod run;
pub mod run_event;
pub mod shadow;
pub mod transfer;
pub mod triage;
