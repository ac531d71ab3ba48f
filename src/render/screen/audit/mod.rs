//! `refit audit`: rows of releases by who owns their fields; outliers, slides, gates; one release; two captures.

mod census;
mod difference;
mod kept;
mod release;

pub use census::{AuditScreen, By};
pub use difference::DiffScreen;
pub use kept::{capture_document, read_capture};
