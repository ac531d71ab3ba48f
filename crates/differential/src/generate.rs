//! Random objects and random changes to them, led by an OpenAPI schema, with few names so that managers meet.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::rng::Rng;

const STRINGS: &[&str] = &[
    "a",
    "b",
    "c",
    "a",
    "b",
    "",
    "<&>\u{2028}",
    "é \"q\"\\\t",
    "8Gi",
    "1",
    "\u{7f}\u{200b}",
];
const KEYS: &[&str] = &["a", "b", "c", "a.b/c", "<k>", "f:x", "."];
const INTS: &[i64] = &[0, 1, 2, 80, 443, 1_000_000, -1];

pub struct Generator<'a> {
    pub schemas: &'a Map<String, Value>,
    /// In so many of 1000 places something is wrong: a kind of scalar, an unknown field, a missing key.
    pub wrong: u64,
    pub duplicates: u64,
    /// In so many of 1000 places there is null.
    pub nulls: u64,
}

impl Generator<'_> {
    fn resolve<'v>(&'v self, model: &'v Value) -> &'v Value {
        let reference = model["$ref"].as_str().or_else(|| {
            model["allOf"]
                .as_array()
                .filter(|all| all.len() == 1)
                .and_then(|all| all[0]["$ref"].as_str())
        });
        match reference {
            Some(reference) => &self.schemas[reference.rsplit('/').next().unwrap()],
            None => model,
        }
    }

    /// A new object of a kind.
    pub fn object(&self, rng: &mut Rng, model: &Value, kind: &Value) -> Value {
        let mut object = json!({"apiVersion": kind["apiVersion"], "kind": kind["kind"], "metadata": {"name": "o", "namespace": "n"}});
        for _ in 0..3 {
            self.change(rng, model, &mut object, 0);
        }
        let roots: Vec<&String> = model["properties"].as_object().unwrap().keys().collect();
        for name in roots {
            if !["apiVersion", "kind", "metadata", "status"].contains(&name.as_str())
                && rng.chance(85)
            {
                let mut value = self.value(rng, &model["properties"][name], 1);
                for _ in 0..rng.below(16) {
                    self.change_at(rng, &model["properties"][name], &mut value, 1);
                }
                object[name] = value;
            }
        }
        self.fix(rng, &mut object, kind);
        object
    }

    /// Changes an object in one to six places.
    pub fn mutate(&self, rng: &mut Rng, model: &Value, object: &mut Value, kind: &Value) {
        for _ in 0..=rng.below(6) {
            self.change(rng, model, object, 0);
        }
        self.fix(rng, object, kind);
    }

    /// Puts back what every object has.
    fn fix(&self, rng: &mut Rng, object: &mut Value, kind: &Value) {
        object["apiVersion"] = kind["apiVersion"].clone();
        object["kind"] = kind["kind"].clone();
        if !(object["metadata"].is_object() || self.wrong > 0 && rng.rare(300)) {
            object["metadata"] = json!({});
        }
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.insert("name".into(), "o".into());
            metadata.insert("namespace".into(), "n".into());
            metadata.remove("managedFields");
            for name in ["uid", "resourceVersion", "generation", "creationTimestamp"] {
                if rng.chance(70) {
                    metadata.remove(name);
                }
            }
        }
    }

    fn change(&self, rng: &mut Rng, model: &Value, object: &mut Value, depth: usize) {
        self.change_at(rng, model, object, depth);
    }

    /// Changes a value somewhere.
    pub fn change_at(&self, rng: &mut Rng, model: &Value, value: &mut Value, depth: usize) {
        let model = self.resolve(model);
        match value {
            Value::Object(map) => {
                let keys: Vec<String> = map.keys().cloned().collect();
                if !keys.is_empty() && rng.chance(72) {
                    let key = rng.pick(&keys);
                    let child = Self::property(model, key);
                    self.change_at(rng, &child, map.get_mut(key).unwrap(), depth + 1);
                } else if !keys.is_empty() && rng.chance(55) {
                    map.remove(rng.pick(&keys));
                } else {
                    self.add_key(rng, model, map, depth);
                }
            }
            Value::Array(items) => {
                if !items.is_empty() && rng.chance(50) {
                    let i = rng.below(items.len());
                    self.change_at(rng, &model["items"], &mut items[i], depth + 1);
                } else if !items.is_empty() && rng.chance(40) {
                    items.remove(rng.below(items.len()));
                } else if items.len() > 1 && rng.chance(40) {
                    let (i, j) = (rng.below(items.len()), rng.below(items.len()));
                    items.swap(i, j);
                } else {
                    let item = self.value(rng, &model["items"], depth + 1);
                    let at = rng.below(items.len() + 1);
                    items.insert(at, item);
                }
                self.unique(rng, model, items);
            }
            other => *other = self.value(rng, model, depth),
        }
    }

    fn property(model: &Value, key: &str) -> Value {
        match model["properties"].get(key) {
            Some(property) => property.clone(),
            None if model["additionalProperties"].is_object() => {
                model["additionalProperties"].clone()
            }
            None => json!({"x-free": true}),
        }
    }

    fn add_key(&self, rng: &mut Rng, model: &Value, map: &mut Map<String, Value>, depth: usize) {
        let properties = model["properties"].as_object();
        let declared = properties.filter(|properties| !properties.is_empty());
        let free = model["additionalProperties"].is_object()
            || model["additionalProperties"] == true
            || model["x-kubernetes-preserve-unknown-fields"] == true
            || (declared.is_none() && model.get("additionalProperties").is_none());
        match declared {
            Some(properties) if !(free && rng.chance(40) || rng.rare(self.wrong)) => {
                let names: Vec<&String> = properties.keys().collect();
                let name = *rng.pick(&names);
                map.insert(name.clone(), self.value(rng, &properties[name], depth + 1));
            }
            _ if free || rng.rare(self.wrong) => {
                let key = *rng.pick(KEYS);
                let child = Self::property(model, key);
                map.insert(key.to_owned(), self.value(rng, &child, depth + 1));
            }
            _ => {}
        }
    }

    /// A new value.
    pub fn value(&self, rng: &mut Rng, model: &Value, depth: usize) -> Value {
        let model = self.resolve(model);
        if rng.rare(self.nulls) {
            return Value::Null;
        }
        if rng.rare(self.wrong) {
            return Self::free(rng, depth);
        }
        if model["x-kubernetes-int-or-string"] == true || model["format"] == "int-or-string" {
            return if rng.chance(50) {
                json!(rng.pick(INTS))
            } else {
                json!(rng.pick(STRINGS))
            };
        }
        match model["type"].as_str() {
            Some("string") => json!(rng.pick(STRINGS)),
            Some("integer") => json!(rng.pick(INTS)),
            Some("number") => [
                json!(1),
                json!(1.0),
                json!(0.5),
                json!(1e-7),
                json!(1e21),
                json!(-2),
            ][rng.below(6)]
            .clone(),
            Some("boolean") => json!(rng.chance(50)),
            Some("object") => {
                let mut map = Map::new();
                if !rng.chance(8) && depth < 12 {
                    for _ in 0..=rng.below(3) {
                        self.add_key(rng, model, &mut map, depth);
                    }
                }
                Value::Object(map)
            }
            Some("array") => {
                let mut items = Vec::new();
                if depth < 12 {
                    for _ in 0..rng.below(4) {
                        items.push(self.value(rng, &model["items"], depth + 1));
                    }
                }
                self.unique(rng, model, &mut items);
                Value::Array(items)
            }
            _ => Self::free(rng, depth),
        }
    }

    /// Any JSON.
    fn free(rng: &mut Rng, depth: usize) -> Value {
        match rng.below(if depth < 10 { 9 } else { 5 }) {
            0 | 1 => json!(rng.pick(STRINGS)),
            2 => json!(rng.pick(INTS)),
            3 => json!(rng.chance(50)),
            4 => [json!(0.5), json!(null), json!({}), json!([])][rng.below(4)].clone(),
            5 => Value::Array(
                (0..rng.below(3))
                    .map(|_| Self::free(rng, depth + 1))
                    .collect(),
            ),
            _ => Value::Object(
                (0..rng.below(4))
                    .map(|_| (rng.pick(KEYS).to_string(), Self::free(rng, depth + 1)))
                    .collect(),
            ),
        }
    }

    /// Gives items of lists of maps their keys, and mostly takes out duplicates.
    fn unique(&self, rng: &mut Rng, model: &Value, items: &mut Vec<Value>) {
        let keys: Vec<String> = match (
            &model["x-kubernetes-list-map-keys"],
            &model["x-kubernetes-patch-merge-key"],
        ) {
            (Value::Array(keys), _) => keys
                .iter()
                .filter_map(|key| key.as_str().map(str::to_owned))
                .collect(),
            (_, Value::String(key)) => vec![key.clone()],
            _ => Vec::new(),
        };
        let set = model["x-kubernetes-list-type"] == "set"
            || model["x-kubernetes-patch-strategy"] == "merge";
        if keys.is_empty() && !set {
            return;
        }
        let item_model = self.resolve(&model["items"]);
        for item in items.iter_mut() {
            if !keys.is_empty() && !item.is_object() && !rng.rare(self.wrong * 3) {
                *item = json!({});
            }
            if let Value::Object(map) = item {
                for key in &keys {
                    let has_default = item_model["properties"][key].get("default").is_some();
                    let spared = map.contains_key(key) || has_default && rng.chance(50);
                    let wanted = !(spared || rng.rare(self.wrong * 3));
                    let null =
                        map.get(key).is_some_and(Value::is_null) && !rng.rare(self.wrong * 3);
                    if wanted || null {
                        let mut value = self.value(rng, &item_model["properties"][key], 99);
                        if value.is_null() {
                            value = json!("a");
                        }
                        map.insert(key.clone(), value);
                    }
                }
            } else if set && (item.is_null() || item.is_array()) && !rng.rare(self.wrong * 3) {
                *item = json!(match item_model["type"].as_str() {
                    Some("integer" | "number") => json!(7),
                    _ => json!("s"),
                });
            }
        }
        if !rng.rare(self.duplicates) {
            let mut seen = BTreeSet::new();
            items.retain(|item| {
                let name = if keys.is_empty() {
                    float_text(item)
                } else {
                    keys.iter()
                        .map(|key| {
                            let default = &item_model["properties"][key]["default"];
                            float_text(item.get(key).unwrap_or(default))
                        })
                        .collect()
                };
                seen.insert(name)
            });
        }
    }
}

fn float_text(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| value.to_string(), |f| format!("{f:?};"))
}
