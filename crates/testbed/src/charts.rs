//! The charts of this crate, one shape each. Their images are names only: kwok runs the pods.

use std::path::{Path, PathBuf};

/// Every chart, with the shape that it is there for in its `Chart.yaml`.
pub const ALL: [&str; 14] = [
    "agent",
    "archive",
    "batch",
    "database",
    "doubled",
    "edge",
    "gadgets",
    "guard",
    "hooked",
    "platform",
    "vault",
    "web",
    "widget-crds",
    "widgets",
];

/// The directory of a chart.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("charts")
        .join(name)
}

#[cfg(test)]
mod tests {
    use super::{ALL, path};

    #[test]
    fn the_list_is_the_directory() {
        let entries = path("").read_dir().unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ALL);
    }
}
