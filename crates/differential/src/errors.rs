//! Whether two refusals are the same.

use managed_fields::manager::ManagerError;
use serde_json::{Value, json};

/// `conflicts` are Kubernetes' causes, `theirs` is its message. The same conflicts with the same message; other errors word for
/// word where the order of errors is not random.
pub fn same(conflicts: &Value, theirs: &str, ours: &ManagerError) -> Result<(), String> {
    let text = |conflict: &Value, key: &str| conflict[key].as_str().unwrap_or_default().to_owned();
    let mut expected: Vec<_> = conflicts
        .as_array()
        .into_iter()
        .flatten()
        .map(|conflict| (text(conflict, "message"), text(conflict, "field")))
        .collect();
    let mut found: Vec<_> = ours
        .conflicts()
        .into_iter()
        .flat_map(|c| {
            c.iter()
                .map(|c| (c.message(), c.field()))
                .collect::<Vec<_>>()
        })
        .collect();
    expected.sort();
    found.sort();
    let message = ours.server_message();
    let several = theirs.contains("\n  ")
        || message.contains("\n  ")
        || theirs.contains("field not declared in schema");
    // Go walks maps in random order, also when it prints one inside a path.
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    // What goes wrong inside the computation is told in other words; that it goes wrong is what counts.
    let inside = matches!(
        ours,
        ManagerError::Updater(_) | ManagerError::BeforeFirstApply(_)
    );
    let loose = ours.conflicts().is_none();
    let same_text =
        theirs == message || loose && (inside || several || letters(theirs) == letters(&message));
    if expected != found {
        Err("conflicts".into())
    } else if !same_text {
        Err("message".into())
    } else {
        Ok(())
    }
}

/// A refusal of ours as the oracles tell theirs.
pub fn told(error: &ManagerError) -> Value {
    let conflicts: Vec<Value> = error
        .conflicts()
        .into_iter()
        .flat_map(|all| {
            all.iter()
                .map(|c| json!({"message": c.message(), "field": c.field()}))
                .collect::<Vec<_>>()
        })
        .collect();
    json!({"error": error.server_message(), "conflicts": conflicts})
}
