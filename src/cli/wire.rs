//! The one place where the command line meets the engine: the only file that names concrete adapters.

use std::sync::Arc;

use super::backend::Backend;

/// The backend of this build.
pub fn backend() -> Arc<dyn Backend> {
    Arc::new(super::unwired::Unwired)
}
