//! The environment, read in this one place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The directory that holds built binaries: `REFIT_TOOLS_CACHE`, else `refit/tools` in the user's cache directory.
pub fn tools_cache() -> PathBuf {
    if let Some(dir) = var("REFIT_TOOLS_CACHE") {
        return PathBuf::from(dir);
    }
    let cache = var("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| var("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    cache.join("refit/tools")
}

/// The directory with control plane binaries that envtest users set.
pub fn kubebuilder_assets() -> Option<PathBuf> {
    var("KUBEBUILDER_ASSETS").map(PathBuf::from)
}

/// The search path, to hand on to children.
pub fn path() -> OsString {
    var("PATH").unwrap_or_default()
}

/// The first executable file of this name on the search path.
pub fn on_path(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&path())
        .map(|dir| dir.join(name))
        .find(|file| is_executable(file))
}

/// Whether the file is there and somebody may execute it.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
