//! PURE: decisions as functions over data. No async, no I/O, no clock, no randomness.
pub mod ids;
pub mod object;
pub mod run;
