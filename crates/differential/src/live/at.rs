//! Places in objects, in words: `spec.containers[name=a].ports[containerPort=80,protocol=TCP].name`. A name with dots
//! stands in single quotes.

use serde_json::{Map, Value, json};

/// A place in an object.
#[derive(Debug, Clone)]
pub struct Place(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Item(Map<String, Value>),
}

impl Place {
    /// Reads a place; panics at one that is badly written, since all of them are in this crate.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('\'') {
                let (name, after) = quoted.split_once('\'').unwrap();
                steps.push(Step::Field(name.into()));
                rest = after;
            } else if let Some(keys) = rest.strip_prefix('[') {
                let (keys, after) = keys.split_once(']').unwrap();
                let pair = |pair: &str| {
                    let (key, value) = pair.split_once('=').unwrap();
                    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                    (key.to_owned(), value)
                };
                steps.push(Step::Item(keys.split(',').map(pair).collect()));
                rest = after;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                steps.push(Step::Field(rest[..end].into()));
                rest = &rest[end..];
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        Self(steps)
    }

    /// The place below a prefix.
    pub fn below(&self, prefix: &str) -> Self {
        let mut steps = Self::parse(prefix).0;
        steps.extend(self.0.iter().cloned());
        Self(steps)
    }

    /// The name of the first field.
    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(Step::Field(name)) => name,
            _ => "",
        }
    }

    /// Writes a value, and what is missing on the way to it. What is in the way goes.
    pub fn set(&self, object: &mut Value, value: Value) {
        let mut at = object;
        for step in &self.0 {
            at = match step {
                Step::Field(name) => {
                    if !at.is_object() {
                        *at = json!({});
                    }
                    &mut at[name]
                }
                Step::Item(keys) => {
                    if !at.is_array() {
                        *at = json!([]);
                    }
                    let items = at.as_array_mut().unwrap();
                    let i = items.iter().position(|item| is(item, keys));
                    let i = i.unwrap_or_else(|| {
                        items.push(Value::Object(keys.clone()));
                        items.len() - 1
                    });
                    &mut items[i]
                }
            };
        }
        *at = value;
    }

    /// Takes out what is there.
    pub fn remove(&self, object: &mut Value) {
        let Some((last, way)) = self.0.split_last() else {
            return;
        };
        let mut at = object;
        for step in way {
            let next = match step {
                Step::Field(name) => at.get_mut(name),
                Step::Item(keys) => at
                    .as_array_mut()
                    .and_then(|items| items.iter_mut().find(|item| is(item, keys))),
            };
            let Some(next) = next else { return };
            at = next;
        }
        match (last, at) {
            (Step::Field(name), Value::Object(map)) => {
                map.remove(name);
            }
            (Step::Item(keys), Value::Array(items)) => items.retain(|item| !is(item, keys)),
            _ => {}
        }
    }
}

/// Whether an item has these keys. A key that only one side names does not tell them apart.
fn is(item: &Value, keys: &Map<String, Value>) -> bool {
    keys.iter().all(|(key, value)| item.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_can_be_removed() {
        let mut object = json!({"spec": {"c": [{"name": "a"}]}});
        let place = Place::parse("spec.c[name=a].'x.y/z'.p[port=80,protocol=TCP].n");
        place.set(&mut object, json!(1));
        assert_eq!(
            object,
            json!({"spec": {"c": [{"name": "a", "x.y/z": {"p": [{"port": 80, "protocol": "TCP", "n": 1}]}}]}})
        );
        Place::parse("spec.c[name=a].'x.y/z'.p[port=80]").remove(&mut object);
        Place::parse("spec.c[name=b]").remove(&mut object);
        assert_eq!(
            object,
            json!({"spec": {"c": [{"name": "a", "x.y/z": {"p": []}}]}})
        );
    }
}
