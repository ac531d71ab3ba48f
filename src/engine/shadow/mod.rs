//! Forecasts: computed from schema and live object where that is possible, else from the server itself, by a forced dry
//! run of the manifest under a throw-away manager.
//!
//! No write. Before a run stores anything, the adoption patch itself is sent as a dry run, so that admission and the
//! server's own tricks are seen (rule R1).

mod admission;
mod compare;
mod dead;
mod left;
mod lives;
mod neighbours;
mod objects;
mod offline;
mod probe;
mod rehearse;
mod schemas;
mod settled;

pub use admission::Admission;
pub use compare::compare;
pub(super) use left::kept_by;
pub use left::{KEPT_ORPHAN, LEFT_OVER_HOOK, adopted_along};
pub use lives::{Known, Lives};
pub use offline::{AtHand, OfflineForecaster};
pub use schemas::{Library, Schemas};

pub use neighbours::{Holders, holders};
pub use objects::{ManifestObject, Objects, ObjectsError, UnservedKind, objects};
pub use probe::{ForecastError, Forecaster, LiveProbe, Prepared, PreparedObject, Target};
pub use rehearse::{Rehearsal, content_body, patch_body, rehearse, rehearse_content};
pub use settled::{SettledObject, SettledRelease, Settling};
