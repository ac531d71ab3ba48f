//! Names the items of associative lists.

use serde_json::Value;

use crate::gotext;
use crate::path::{KeyField, PathElement};
use crate::schema::{List, Relationship, Resolved, Schema};

/// The element that selects `item` in its list, or why there is none.
pub(super) fn element(
    schema: &Schema,
    resolved: Resolved<'_>,
    list: &List,
    item: &Value,
) -> Result<PathElement, String> {
    if resolved.list_relationship() != Relationship::Associative {
        return Err("invalid indexing of non-associative list".to_owned());
    }
    if list.keys.is_empty() {
        of_set(item)
    } else {
        of_map_list(schema, list, item)
    }
}

fn of_map_list(schema: &Schema, list: &List, item: &Value) -> Result<PathElement, String> {
    let item = match item {
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        Value::Object(item) => item,
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let mut fields = Vec::with_capacity(list.keys.len());
    for name in &list.keys {
        let value = match item.get(name) {
            Some(value) => Some(value.clone()),
            None => default_of(schema, list, name)
                .map_err(|why| format!("couldn't find default value for {name}: {why}"))?,
        };
        // A key that is absent and has no default is part of the name by not being there.
        fields.extend(value.map(|value| KeyField {
            name: name.clone(),
            value,
        }));
    }
    if fields.is_empty() {
        let names: Vec<String> = list.keys.iter().map(|name| gotext::quote(name)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    Ok(PathElement::Key(fields.into_iter().collect()))
}

fn default_of(schema: &Schema, list: &List, name: &str) -> Result<Option<Value>, &'static str> {
    let resolved = schema
        .resolve(&list.element)
        .ok_or("invalid elementType for list")?;
    let map = resolved
        .map()
        .ok_or("associative list may not have non-map types")?;
    Ok(map.fields.get(name).and_then(|field| field.default.clone()))
}

fn of_set(item: &Value) -> Result<PathElement, String> {
    match item {
        Value::Object(_) => {
            Err("associative list without keys has an element that's a map type".to_owned())
        }
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => {
            Err("associative list without keys has an element that's an explicit null".to_owned())
        }
        scalar => Ok(PathElement::value(scalar.clone())),
    }
}
