//! Whether a request left the owners that its dry run left.

use std::collections::BTreeMap;

use managed_fields::{FieldSet, fields_v1};
use serde_json::Value;

use super::judge::timeless;

/// The same entries in any order, for that is the order of their times.
///
/// Of more than ten entries of updates the server folds the oldest, and sorts those of one second by name. A second that
/// turns between the two requests therefore chooses others to fold: then both must own the same by updates of a version.
pub fn same(dry: &Value, real: &Value) -> bool {
    let (dry, real) = (entries(dry), entries(real));
    if sorted(&dry) == sorted(&real) {
        return true;
    }
    let (dry_updates, dry_others) = split(&dry);
    let (real_updates, real_others) = split(&real);
    newest(&dry) != newest(&real)
        && sorted(&dry_others) == sorted(&real_others)
        && owned(&dry_updates).is_some_and(|owned_dry| Some(owned_dry) == owned(&real_updates))
}

fn entries(object: &Value) -> Vec<Value> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.cloned().unwrap_or_default()
}

fn sorted(entries: &[Value]) -> Vec<String> {
    let timeless = timeless(&Value::Array(entries.to_vec()));
    let texts = timeless.as_array().into_iter().flatten();
    let mut texts: Vec<String> = texts.map(Value::to_string).collect();
    texts.sort();
    texts
}

/// Entries of updates, and the others.
fn split(entries: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let all = entries.iter().cloned();
    all.partition(|entry| entry["operation"] == "Update")
}

/// Times are texts that sort as they follow each other.
fn newest(entries: &[Value]) -> Option<&str> {
    entries
        .iter()
        .filter_map(|entry| entry["time"].as_str())
        .max()
}

/// What all of these own together, by version; `None` if one does not read.
fn owned(entries: &[Value]) -> Option<BTreeMap<&str, FieldSet>> {
    let mut owned = BTreeMap::<&str, FieldSet>::new();
    for entry in entries {
        let fields = fields_v1::decode_value(&entry["fieldsV1"]).ok()?;
        let version = owned.entry(entry["apiVersion"].as_str()?).or_default();
        *version = version.union(&fields);
    }
    Some(owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(entries: &[(&str, &str, u32, &[&str])]) -> Value {
        let entry = |(manager, operation, second, fields): &(&str, &str, u32, &[&str])| {
            let fields: serde_json::Map<_, _> = fields
                .iter()
                .map(|name| (format!("f:{name}"), json!({})))
                .collect();
            json!({
                "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
                "time": format!("2026-11-23T04:08:{second}Z"), "fieldsV1": fields,
            })
        };
        json!({"metadata": {"managedFields": entries.iter().map(entry).collect::<Vec<_>>()}})
    }

    #[test]
    fn order_and_times_are_nothing() {
        let dry = object(&[("a", "Update", 19, &["x"]), ("b", "Apply", 19, &["y"])]);
        let real = object(&[("b", "Apply", 20, &["y"]), ("a", "Update", 19, &["x"])]);
        assert!(same(&dry, &real));
    }

    /// Seed 80 of 2026-11-23, step 19: u1 was folded by the dry run, u12 by the write a second later.
    #[test]
    fn a_second_that_turns_folds_others() {
        let dry = object(&[
            ("ancient-changes", "Update", 19, &["c", "l0"]),
            ("u12", "Update", 19, &["l1"]),
            ("app", "Apply", 19, &["y"]),
        ]);
        let folded = |second| {
            object(&[
                ("ancient-changes", "Update", 19, &["c", "l1"]),
                ("app", "Apply", 19, &["y"]),
                ("u1", "Update", second, &["l0"]),
            ])
        };
        assert!(same(&dry, &folded(20)));
        assert!(!same(&dry, &folded(19)), "no second turned");
        let lost = object(&[
            ("ancient-changes", "Update", 19, &["c"]),
            ("app", "Apply", 19, &["y"]),
            ("u1", "Update", 20, &["l0"]),
        ]);
        assert!(!same(&dry, &lost), "nobody owns l1");
        let other = object(&[
            ("ancient-changes", "Update", 19, &["c", "l1"]),
            ("app", "Apply", 19, &["z"]),
            ("u1", "Update", 20, &["l0"]),
        ]);
        assert!(!same(&dry, &other), "applies are never folded");
    }
}
