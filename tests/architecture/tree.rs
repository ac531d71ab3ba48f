//! The source files of the workspace, found and parsed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A module of the crate: `["engine", "run"]`; empty is the crate's root.
pub type Module = Vec<String>;

/// A parsed file of `src/`.
pub struct Source {
    /// From the workspace's root, with slashes.
    pub path: String,
    /// The module that it is.
    pub module: Module,
    /// What is in it.
    pub ast: syn::File,
}

/// All files of `src/`, with the modules that they make up.
pub struct Tree {
    /// Sorted by path.
    pub sources: Vec<Source>,
    /// Every module that is a file.
    pub modules: BTreeSet<Module>,
}

/// Reads and parses `src/`.
pub fn tree() -> Tree {
    let sources: Vec<Source> = rust_files("src")
        .into_iter()
        .map(|path| Source {
            module: module_of(&path),
            ast: parse(&path),
            path,
        })
        .collect();
    let modules = sources.iter().map(|s| s.module.clone()).collect();
    Tree { sources, modules }
}

/// Parses one file.
pub fn parse(path: &str) -> syn::File {
    syn::parse_file(&read(path)).unwrap_or_else(|error| panic!("{path} does not parse: {error}"))
}

/// Reads a file of the workspace.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Rust files below a folder, from the workspace's root, sorted. A folder that is not there has none.
pub fn rust_files(folder: &str) -> Vec<String> {
    files(folder, "rs")
}

/// Files below a folder by their extension. Hidden folders, `target` and vendored trees are left out.
pub fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                let relative = path.strip_prefix(root()).expect("below the root");
                found.push(relative.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found.sort();
    found
}

/// `src/engine/run/mod.rs` is `engine::run`; `src/lib.rs` is the root; `src/main.rs` is `main`, a crate of its own.
fn module_of(path: &str) -> Module {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    match inner {
        "lib" => Vec::new(),
        _ => inner.split('/').map(str::to_owned).collect(),
    }
}

/// `engine::run`, or `the crate's root`.
pub fn shown(module: &[String]) -> String {
    if module.is_empty() {
        "the crate's root".to_owned()
    } else {
        module.join("::")
    }
}

/// Whether `module` is `place` (`"engine::run"`) or below it.
pub fn within(module: &[String], place: &str) -> bool {
    let mut segments = module.iter();
    place
        .split("::")
        .all(|s| segments.next().is_some_and(|m| m == s))
}
