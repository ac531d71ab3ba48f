//! Where two objects differ: paths, never values.

use std::collections::BTreeSet;

use serde_json::Value;

/// What every apply may move, below `metadata`.
const MOVING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// Paths at which two objects differ, without what every apply may move; never a value. Linear in their size.
pub fn changed_paths(before: &Value, after: &Value) -> Vec<String> {
    let mut paths = BTreeSet::new();
    walk(before, after, &mut String::new(), &mut paths);
    paths.into_iter().collect()
}

fn walk(before: &Value, after: &Value, path: &mut String, paths: &mut BTreeSet<String>) {
    // Most of two objects is the same, and said so without naming any of it.
    if before == after {
        return;
    }
    let length = path.len();
    match (before, after) {
        (Value::Object(left), Value::Object(right)) => {
            let new = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(new) {
                if path == ".metadata" && MOVING.contains(&key.as_str()) {
                    continue;
                }
                path.push('.');
                path.push_str(key);
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => walk(left, right, path, paths),
                    _ => drop(paths.insert(path.clone())),
                }
                path.truncate(length);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(left, right, path, paths);
                path.truncate(length);
            }
        }
        _ => drop(paths.insert(path.clone())),
    }
}
