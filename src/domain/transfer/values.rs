//! Values that policies change: which, from what, to what, as a JSON patch forth and back.
//!
//! The content goes first and the owners second, in both directions: the request that changes the content leaves an
//! entry under refit's own name ([`MARK_MANAGER`]), and the adoption or its inverse, which comes next, takes it away.

use std::collections::BTreeMap;

use managed_fields::{FieldSet, ManagedFieldsEntry, Path, PathElement};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adopt::{TransferError, read};
use super::owners::is_own;
use crate::domain::fleet::ManagerMatcher;

/// The field manager of every patch that refit sends: what it changes without naming an owner becomes its own.
pub const MARK_MANAGER: &str = "refit";

/// One step of a path that can be followed in an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Field(String),
    Item(BTreeMap<String, Value>),
}

/// One value that changes. Holds values: lies in the store only sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    at: Vec<Part>,
    /// As it was; `None`: it was not there.
    before: Option<Value>,
    /// As it shall be; `None`: it is taken away.
    after: Option<Value>,
    /// Where in its list an item stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the values that policies set.
    Forth,
    /// To the values before; one that others changed since stays as it is.
    Back,
}

/// Why values cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuesError {
    /// A path through a list of scalars, or by position.
    #[error("{0} is an item of a list without keys: change it by hand, or take the whole list")]
    Unfollowable(String),
    /// The place of a field is not there.
    #[error("{0} has no place in the live object any more")]
    NoPlace(String),
    /// More would change than policies ask for.
    #[error("the patch would also change {0}")]
    More(String),
}

fn parts(path: &Path) -> Result<Vec<Part>, ValuesError> {
    path.iter()
        .map(|element| match element {
            PathElement::Field(name) => Ok(Part::Field(name.to_string())),
            PathElement::Key(key) => Ok(Part::Item(
                key.iter()
                    .map(|field| (field.name.to_string(), field.value.clone()))
                    .collect(),
            )),
            PathElement::Value(_) | PathElement::Index(_) => {
                Err(ValuesError::Unfollowable(path.to_string()))
            }
        })
        .collect()
}

fn text(at: &[Part]) -> String {
    at.iter()
        .map(|part| match part {
            Part::Field(name) => format!(".{name}"),
            Part::Item(keys) => {
                let keys: Vec<_> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("[{}]", keys.join(","))
            }
        })
        .collect()
}

/// Index of an item by its keys.
fn place_of(list: &[Value], keys: &BTreeMap<String, Value>) -> Option<usize> {
    list.iter()
        .position(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
}

fn get<'a>(doc: &'a Value, at: &[Part]) -> Option<&'a Value> {
    at.iter().try_fold(doc, |doc, part| match part {
        Part::Field(name) => doc.get(name),
        Part::Item(keys) => {
            let list = doc.as_array()?;
            list.get(place_of(list, keys)?)
        }
    })
}

/// The JSON pointer of a path whose every step but the last is there; the last one of a list's new item is `place`.
fn pointer(doc: &Value, at: &[Part], place: Option<usize>) -> Option<String> {
    let mut pointer = String::new();
    let mut doc = Some(doc);
    for part in at {
        pointer.push('/');
        match part {
            Part::Field(name) => {
                doc?.as_object()?;
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                doc = doc?.get(name);
            }
            Part::Item(keys) => {
                let list = doc?.as_array()?;
                let found = place_of(list, keys);
                let index = found.unwrap_or_else(|| place.unwrap_or(list.len()).min(list.len()));
                pointer.push_str(&index.to_string());
                doc = found.and_then(|found| list.get(found));
            }
        }
    }
    Some(pointer)
}

/// The changes that take `take` from `applied` and take `prune` away, in the live object. Linear in paths times depth.
pub fn changes(
    live: &Value,
    applied: &Value,
    take: &[Path],
    prune: &[Path],
) -> Result<Vec<Change>, ValuesError> {
    let mut all: Vec<Change> = Vec::new();
    for path in take {
        let mut at = parts(path)?;
        // A parent that is missing is set whole, as the apply would.
        while at.len() > 1 && get(live, at.get(..at.len() - 1).unwrap_or_default()).is_none() {
            at.pop();
        }
        let after = get(applied, &at).cloned();
        let before = get(live, &at).cloned();
        let place = list_place(applied, &at).filter(|_| before.is_none());
        all.push(Change {
            at,
            before,
            after,
            place,
        });
    }
    let mut left = live.clone();
    let mut gone = Vec::new();
    for path in prune {
        let at = parts(path)?;
        remove(&mut left, &at);
        gone.push(at);
    }
    for mut at in gone {
        // An item of which nothing is left goes whole.
        for length in (1..at.len()).rev() {
            let is_item = matches!(at.get(length - 1), Some(Part::Item(_)));
            let item = at.get(..length).unwrap_or_default();
            // Its key may be among what went: then it is found in the live object only.
            let empty = get(live, item).is_some()
                && get(&left, item)
                    .is_none_or(|item| item.as_object().is_some_and(serde_json::Map::is_empty));
            if is_item && empty && emptied(live, prune, item) {
                at.truncate(length);
            }
        }
        let before = get(live, &at).cloned();
        let place = list_place(live, &at);
        all.push(Change {
            at,
            before,
            after: None,
            place,
        });
    }
    let mut outer: Vec<Change> = Vec::new();
    for change in &all {
        let covered = all
            .iter()
            .any(|other| other.at.len() < change.at.len() && change.at.starts_with(&other.at));
        if !covered && change.before != change.after && !outer.iter().any(|it| it.at == change.at) {
            outer.push(change.clone());
        }
    }
    Ok(outer)
}

/// Has the live object another value at a path than the applied one?
pub fn differs(live: &Value, applied: &Value, path: &Path) -> bool {
    parts(path).is_ok_and(|at| get(live, &at) != get(applied, &at))
}

/// Would an item be left without any field?
fn emptied(live: &Value, prune: &[Path], item: &[Part]) -> bool {
    let Some(fields) = get(live, item).and_then(Value::as_object) else {
        return false;
    };
    fields.keys().all(|field| {
        prune.iter().any(|path| {
            parts(path).is_ok_and(|at| {
                at.len() == item.len() + 1
                    && at.starts_with(item)
                    && at.last() == Some(&Part::Field(field.clone()))
            })
        })
    })
}

fn list_place(doc: &Value, at: &[Part]) -> Option<usize> {
    let (Part::Item(keys), parent) = at.split_last()? else {
        return None;
    };
    place_of(get(doc, parent)?.as_array()?, keys)
}

fn remove(doc: &mut Value, at: &[Part]) {
    let Some((last, parent)) = at.split_last() else {
        return;
    };
    let Some(found) = pointer(doc, parent, None).and_then(|found| doc.pointer_mut(&found)) else {
        return;
    };
    match last {
        Part::Field(name) => {
            if let Some(map) = found.as_object_mut() {
                map.remove(name);
            }
        }
        Part::Item(keys) => {
            if let Some(list) = found.as_array_mut()
                && let Some(place) = place_of(list, keys)
            {
                list.remove(place);
            }
        }
    }
}

/// Is one of the values there that policies set?
pub fn is_set(doc: &Value, changes: &[Change]) -> bool {
    changes
        .iter()
        .any(|change| get(doc, &change.at) == change.after.as_ref())
}

/// The changes that are still ours to put back: a field that somebody else has taken as its own since, be it with the very
/// value that we set, is theirs (rule R6). Linear in changes times entries.
pub fn unclaimed(
    changes: Vec<Change>,
    managed_fields: &[Value],
    managers: &ManagerMatcher,
) -> Result<Vec<Change>, TransferError> {
    let entries = read(managed_fields).map_err(TransferError::Live)?;
    let foreign: Vec<&ManagedFieldsEntry> = entries
        .iter()
        .filter(|entry| !is_own(entry, managers) && entry.manager() != MARK_MANAGER)
        .collect();
    let claimed = |change: &Change| {
        let path = change.path();
        let holds = |fields: &FieldSet| fields.has(&path) || fields.below(&path).is_some();
        foreign.iter().any(|entry| holds(entry.fields()))
    };
    Ok(changes
        .into_iter()
        .filter(|change| !claimed(change))
        .collect())
}

impl Change {
    fn path(&self) -> Path {
        self.at
            .iter()
            .map(|part| match part {
                Part::Field(name) => PathElement::field(name.as_str()),
                Part::Item(keys) => {
                    let keys = keys
                        .iter()
                        .map(|(key, value)| (key.as_str(), value.clone()));
                    PathElement::key(keys)
                }
            })
            .collect::<Vec<_>>()
            .into()
    }
}

/// Is every value as it was before?
pub fn is_before(doc: &Value, changes: &[Change]) -> bool {
    changes
        .iter()
        .all(|change| get(doc, &change.at) == change.before.as_ref())
}

/// The operations of a JSON patch, and the object as they leave it.
pub fn patch(
    doc: &Value,
    changes: &[Change],
    way: Way,
) -> Result<(Vec<Value>, Value), ValuesError> {
    let mut doc = doc.clone();
    let mut operations = Vec::new();
    let ordered: Vec<&Change> = match way {
        Way::Forth => changes.iter().collect(),
        Way::Back => inverse_order(changes),
    };
    for change in ordered {
        let (from, to) = match way {
            Way::Forth => (&change.before, &change.after),
            Way::Back => (&change.after, &change.before),
        };
        let now = get(&doc, &change.at);
        if now == to.as_ref() || (way == Way::Back && now != from.as_ref()) {
            continue;
        }
        let no_place = || ValuesError::NoPlace(text(&change.at));
        let is_there = now.is_some();
        let operation = match to {
            None => {
                let at = pointer(&doc, &change.at, None).ok_or_else(no_place)?;
                json!({ "op": "remove", "path": at })
            }
            Some(value) => {
                let (at, value) = addressed(&doc, change, value).ok_or_else(no_place)?;
                json!({ "op": if is_there { "replace" } else { "add" }, "path": at, "value": value })
            }
        };
        doc = patched(doc, std::slice::from_ref(&operation));
        operations.push(operation);
    }
    Ok((operations, doc))
}

/// The order in which each item finds its own place again: what was added goes first, then what was taken away comes back,
/// the foremost item of a list before the next one.
fn inverse_order(changes: &[Change]) -> Vec<&Change> {
    let (mut added, mut others): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.before.is_none());
    others.sort_by_key(|change| change.place);
    added.reverse();
    added.extend(others);
    added
}

/// Where a value goes; with its map or list around it, if the server dropped that when it became empty.
fn addressed(doc: &Value, change: &Change, value: &Value) -> Option<(String, Value)> {
    let (last, parent) = change.at.split_last()?;
    if parent.is_empty() || get(doc, parent).is_some() {
        return Some((pointer(doc, &change.at, change.place)?, value.clone()));
    }
    let around = match last {
        Part::Field(name) => json!({ name: value }),
        Part::Item(_) => json!([value]),
    };
    get(doc, parent.split_last()?.1)?;
    Some((pointer(doc, parent, None)?, around))
}

/// A document after operations as [`patch`] makes them: add, replace and remove at places that are there.
pub fn patched(mut doc: Value, operations: &[Value]) -> Value {
    for operation in operations {
        let (Some(op), Some(path)) = (
            operation.get("op").and_then(Value::as_str),
            operation.get("path").and_then(Value::as_str),
        ) else {
            continue;
        };
        let Some((parent, last)) = path.rsplit_once('/') else {
            continue;
        };
        let value = operation.get("value").cloned().unwrap_or(Value::Null);
        match doc.pointer_mut(parent) {
            Some(Value::Object(map)) => {
                let name = last.replace("~1", "/").replace("~0", "~");
                if op == "remove" {
                    map.remove(&name);
                } else {
                    map.insert(name, value);
                }
            }
            Some(Value::Array(list)) => {
                let Ok(index) = last.parse::<usize>() else {
                    continue;
                };
                match op {
                    "remove" if index < list.len() => drop(list.remove(index)),
                    "add" => list.insert(index.min(list.len()), value),
                    _ => {
                        if let Some(item) = list.get_mut(index) {
                            *item = value;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    doc
}

/// An object's content without what any write moves.
pub fn still(content: &Value) -> Value {
    let mut content = content.clone();
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(key);
        }
    }
    content
}

/// The changes as a dry run showed that they will be: the server puts a default where a value was taken away, and
/// writes a quantity in its own form. Whatever else it would change is an error.
pub fn as_rehearsed(
    live: &Value,
    answer: &Value,
    changes: Vec<Change>,
) -> Result<Vec<Change>, ValuesError> {
    let changes: Vec<Change> = changes
        .into_iter()
        .map(|change| Change {
            after: get(answer, &change.at).cloned(),
            ..change
        })
        .filter(|change| change.before != change.after)
        .collect();
    let (_, wished) = patch(live, &changes, Way::Forth)?;
    only_wished(&wished, answer).map_err(ValuesError::More)?;
    Ok(changes)
}

/// Is an answer what was wished? Else the fields that would change besides.
pub fn only_wished(wished: &Value, answer: &Value) -> Result<(), String> {
    let (wished, answer) = (still(wished), still(answer));
    if wished == answer {
        return Ok(());
    }
    Err(crate::domain::object::changed_paths(&wished, &answer).join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn live() -> Value {
        json!({"metadata": {"labels": {"a/b": "1"}}, "spec": {"replicas": 5, "containers": [
            {"name": "app", "image": "x:2", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        ]}})
    }

    fn env(name: &str, field: &str) -> Path {
        let mut path = Path::of_fields(["spec", "containers"]);
        path.push(PathElement::key([("name", "app")]));
        path.push(PathElement::field("env"));
        path.push(PathElement::key([("name", name)]));
        path.push(PathElement::field(field));
        path
    }

    #[test]
    fn back_is_the_inverse_of_forth() {
        let mut applied = live();
        applied["spec"]["replicas"] = json!(2);
        applied["metadata"]["labels"]["new"] = json!("n");
        applied["spec"]["containers"][0]["env"] =
            json!([{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]);
        let take = [
            Path::of_fields(["spec", "replicas"]),
            Path::of_fields(["metadata", "labels", "new"]),
            env("C", "name"),
            env("C", "value"),
        ];
        let prune = [
            env("A", "name"),
            env("A", "value"),
            Path::of_fields(["metadata", "labels", "a/b"]),
        ];
        let changes = changes(&live(), &applied, &take, &prune).unwrap();
        assert!(is_before(&live(), &changes) && !is_set(&live(), &changes));
        let (_, after) = patch(&live(), &changes, Way::Forth).unwrap();
        assert_eq!(after["spec"]["replicas"], 2);
        assert_eq!(
            after["spec"]["containers"][0]["env"],
            json!([{"name": "C", "value": "3"}, {"name": "B", "value": "2"}])
        );
        assert_eq!(after["metadata"]["labels"], json!({"new": "n"}));
        assert!(is_set(&after, &changes) && !is_before(&after, &changes));
        let (operations, back) = patch(&after, &changes, Way::Back).unwrap();
        assert_eq!(back, live());
        assert_eq!(patched(after.clone(), &operations), live());
        // What somebody changed since stays.
        let mut theirs = after;
        theirs["spec"]["replicas"] = json!(9);
        let (_, back) = patch(&theirs, &changes, Way::Back).unwrap();
        assert_eq!(back["spec"]["replicas"], 9);
        assert_eq!(back["metadata"], live()["metadata"]);
    }

    fn items(names: &[&str]) -> Value {
        let items: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "value": format!("of {name}")}))
            .collect();
        json!({"spec": {"env": items, "replicas": 1}})
    }

    fn item(name: &str, field: &str) -> Path {
        let mut path = Path::of_fields(["spec", "env"]);
        path.push(PathElement::key([("name", name)]));
        path.push(PathElement::field(field));
        path
    }

    proptest! {
        // Items are taken away and added at any places of a list: all come back where they were.
        #[test]
        fn a_list_comes_back_in_its_order(
            here in Just(vec!["a", "b", "c", "d", "e", "f"]).prop_shuffle(),
            gone in prop::sample::subsequence(vec!["a", "b", "c", "d", "e", "f"], 0..=6),
            new in prop::sample::subsequence(vec!["x", "y", "z"], 0..=3),
            at in 0_usize..7,
        ) {
            let doc = items(&here);
            let mut wanted = here.clone();
            for name in &new {
                wanted.insert(at.min(wanted.len()), name);
            }
            let both = |names: &[&'static str]| -> Vec<Path> {
                names.iter().flat_map(|name| [item(name, "name"), item(name, "value")]).collect()
            };
            let changes = changes(&doc, &items(&wanted), &both(&new), &both(&gone)).unwrap();
            let (_, after) = patch(&doc, &changes, Way::Forth).unwrap();
            let (_, back) = patch(&after, &changes, Way::Back).unwrap();
            prop_assert_eq!(back, doc);
        }
    }

    #[test]
    fn a_field_that_somebody_took_since_is_not_put_back() {
        let doc = items(&["a"]);
        let take = [Path::of_fields(["spec", "replicas"]), item("a", "value")];
        let mut applied = doc.clone();
        applied["spec"]["replicas"] = json!(3);
        applied["spec"]["env"][0]["value"] = json!("ours");
        let changes = changes(&doc, &applied, &take, &[]).unwrap();
        let entry = |manager: &str, fields: Value| {
            json!({"manager": manager, "operation": "Update", "apiVersion": "v1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields})
        };
        let managers = crate::domain::fleet::Managers {
            canonical: "helm".to_owned(),
            aliases: Vec::new(),
        };
        let managers = managers.matcher().unwrap();
        let replicas = json!({"f:spec": {"f:replicas": {}}});
        let value = json!({"f:spec": {"f:env": {"k:{\"name\":\"a\"}": {"f:value": {}}}}});
        let left = |live: &[Value]| {
            let left = unclaimed(changes.clone(), live, &managers).unwrap();
            left.iter()
                .map(|it| it.path().to_string())
                .collect::<Vec<_>>()
        };
        // Our own entry, and the trace of our own request, claim nothing.
        let own = [
            entry("helm", replicas.clone()),
            entry(MARK_MANAGER, value.clone()),
        ];
        assert_eq!(left(&own).len(), 2);
        assert_eq!(
            left(&[entry("scaler", replicas)]),
            [".spec.env[name=\"a\"].value"]
        );
        assert_eq!(left(&[entry("operator", value)]), [".spec.replicas"]);
    }

    #[test]
    fn the_last_item_of_a_list_that_the_server_dropped_comes_back() {
        let doc = json!({"spec": {"env": [{"name": "A", "value": "1"}]}});
        let path = |field: &str| {
            let mut path = Path::of_fields(["spec", "env"]);
            path.push(PathElement::key([("name", "A")]));
            path.push(PathElement::field(field));
            path
        };
        let changes = changes(&doc, &doc, &[], &[path("name"), path("value")]).unwrap();
        let (_, back) = patch(&json!({"spec": {}}), &changes, Way::Back).unwrap();
        assert_eq!(back, doc);
    }

    #[test]
    fn a_dry_run_that_changes_more_is_refused() {
        let take = [Path::of_fields(["spec", "replicas"])];
        let mut answer = live();
        answer["spec"]["replicas"] = json!(2);
        let wished = changes(&live(), &answer, &take, &[]).unwrap();
        assert_eq!(
            as_rehearsed(&live(), &answer, wished.clone()).unwrap(),
            wished
        );
        answer["metadata"]["labels"]["x"] = json!("y");
        assert_eq!(
            as_rehearsed(&live(), &answer, wished),
            Err(ValuesError::More(".metadata.labels.x".to_owned()))
        );
    }
}
