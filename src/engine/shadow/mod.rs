//! Forecasts from the server itself: a forced dry run of each manifest under a throw-away manager.
//!
//! Two dry runs an object, no write: the apply that shows the apply set, and the adoption patch itself, so that
//! admission and the server's own tricks are seen before anything is stored (rule R1).

mod neighbours;
mod objects;
mod probe;
mod rehearse;
mod settled;

pub use neighbours::{Holders, holders};
pub use objects::{ManifestObject, Objects, ObjectsError, UnservedKind, objects};
pub use probe::{ForecastError, Forecaster, LiveProbe, Prepared, PreparedObject, Target};
pub use rehearse::{Rehearsal, patch_body, rehearse};
pub use settled::{SettledObject, SettledRelease, Settling};
