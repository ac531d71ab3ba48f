//! Nulls in custom resources (rule R5): client-side apply lets the server prune them, server-side apply is refused.

use serde_json::Value;

use crate::domain::object::ObjectRef;

/// The server's refusal, if a null stands where the schema has none: neither nullable, nor with a default, nor below
/// something that keeps unknown fields. Linear in the object's size.
pub(super) fn refused(object: &ObjectRef, model: &Value, applied: &Value) -> Option<String> {
    let mut path = String::new();
    let kind = find(model, applied, &mut path)?;
    let group = match object.group() {
        "" => String::new(),
        group => format!(".{group}"),
    };
    let field = path.trim_start_matches('.');
    Some(format!(
        "{}{group} \"{}\" is invalid: {field}: Invalid value: \"null\": {field} in body must be of type {kind}: \"null\"",
        object.kind, object.name
    ))
}

/// The type of the first field that must not be null and is; its path is in `path` then.
fn find<'a>(model: &'a Value, value: &Value, path: &mut String) -> Option<&'a str> {
    if is_true(model, "x-kubernetes-preserve-unknown-fields") {
        return None;
    }
    let length = path.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                // The server's own schema holds for these, and its types drop nulls.
                if path.is_empty() && matches!(key.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                let property = model.get("properties").and_then(|all| all.get(key));
                let Some(model) = property.or_else(|| model.get("additionalProperties")) else {
                    continue;
                };
                path.push('.');
                path.push_str(key);
                if value.is_null() {
                    if !may_be_null(model) {
                        return Some(
                            model
                                .get("type")
                                .and_then(Value::as_str)
                                .unwrap_or("object"),
                        );
                    }
                } else if let Some(found) = find(model, value, path) {
                    return Some(found);
                }
                path.truncate(length);
            }
        }
        Value::Array(items) => {
            let model = model.get("items")?;
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                if let Some(found) = find(model, item, path) {
                    return Some(found);
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
    None
}

fn may_be_null(model: &Value) -> bool {
    is_true(model, "nullable")
        || model.get("default").is_some()
        || is_true(model, "x-kubernetes-preserve-unknown-fields")
        || model.get("type").is_none()
}

fn is_true(model: &Value, key: &str) -> bool {
    model.get(key) == Some(&Value::Bool(true))
}
