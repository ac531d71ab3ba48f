//! TOML that users write: typed access with places, all flaws at once, and several files read as one.
//!
//! What fleet.toml and playbooks have in common. Reads no file itself: texts are arguments.

mod layers;
mod problem;
mod read;
pub mod settings;
mod shape;
pub mod values;

pub use layers::{Exclusive, Layer, Layers, parse};
pub use problem::{ConfigInvalid, Problem, ProblemKind, Problems, Source};
pub use read::{Entry, Section, plain_date, whole};
pub use shape::{Shape, closest};
