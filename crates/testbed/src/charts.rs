//! The charts of this crate, one shape each.

use std::path::{Path, PathBuf};

/// The directory of a chart.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("charts")
        .join(name)
}
