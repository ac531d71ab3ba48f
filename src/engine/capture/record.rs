//! What is kept of a release record: identity, state, hooks and manifest. Values, notes, templates, descriptions and what
//! refit itself puts into it are left out; values of Secrets in manifests are hidden.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answers::{Inside, RecordRow, Text};
use super::hide::{Hider, NoDigest};
use crate::domain::release::Driver;
use crate::engine::chain::chain;
use crate::helm::manifest::{self, ManifestError, Place};
use crate::helm::{Record, RecordError, StorageError, StoredRecord};

/// Where the payload stands in its object.
const PAYLOAD: &str = "/data/release";

/// Members of a record that a forecast reads, beside hooks and manifest.
const MEMBERS: [&str; 5] = ["name", "namespace", "version", "apply_method", "labels"];

/// The same of its `info`.
const INFO: [&str; 4] = ["first_deployed", "last_deployed", "deleted", "status"];

/// So many bytes of a text are made up for the sake of an error's words.
const NEAR: usize = 1024;

/// Bytes of a gzip's head, which say nothing of what is in it.
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Why a record cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Its object is none.
    #[error("a release record cannot be kept")]
    Storage(#[from] StorageError),
    /// What is inside cannot be made smaller.
    #[error("a release record cannot be kept")]
    Record(#[from] RecordError),
    /// It cannot be printed.
    #[error("an answer cannot be kept")]
    Text(#[from] serde_json::Error),
    /// It cannot be hidden.
    #[error("an answer cannot be kept")]
    Hide(#[from] NoDigest),
}

/// A record as it may be written down.
pub fn keep(hider: &Hider, driver: Driver, object: &Value) -> Result<RecordRow, KeepError> {
    let stored = StoredRecord::from_api(driver, object.clone())?;
    let metadata = |key: &str| -> Value {
        let metadata = object.get("metadata");
        metadata
            .and_then(|it| it.get(key))
            .cloned()
            .unwrap_or_default()
    };
    let bare = json!({"metadata": {
        "name": metadata("name"), "namespace": metadata("namespace"), "uid": metadata("uid"),
        "resourceVersion": metadata("resourceVersion"), "labels": metadata("labels"),
    }});
    let inside = match stored.record() {
        Ok(record) => Inside::Record(Text::of(&small(hider, &record)?)?),
        Err(error) => unreadable(driver, &bare, object, &error)?,
    };
    Ok(RecordRow {
        object: Text::of(&bare)?,
        inside,
    })
}

/// The record's object again.
pub fn again(driver: Driver, row: &RecordRow) -> Result<Value, KeepError> {
    let bare = row.object.read()?;
    Ok(match &row.inside {
        Inside::Record(text) => {
            let payload = Record::from_json(text.as_str().to_owned())?.encode()?;
            let stored = StoredRecord::from_api(driver, bare)?.with_payload(payload.as_bytes())?;
            Value::Object(stored.object().clone())
        }
        Inside::Unreadable(payload) => with(&bare, payload.as_deref()),
    })
}

fn with(bare: &Value, payload: Option<&str>) -> Value {
    let mut object = bare.clone();
    if let (Some(object), Some(payload)) = (object.as_object_mut(), payload) {
        object.insert("data".to_owned(), json!({ "release": payload }));
    }
    object
}

/// A payload that does not read either, in the same words if one of a few does it; else one that is no base64.
fn unreadable(
    driver: Driver,
    bare: &Value,
    object: &Value,
    error: &StorageError,
) -> Result<Inside, KeepError> {
    let of = |payload: &[u8]| -> Result<Option<String>, KeepError> {
        let stored = StoredRecord::from_api(driver, bare.clone())?.with_payload(payload)?;
        let made = Value::Object(stored.object().clone());
        Ok(made
            .pointer(PAYLOAD)
            .and_then(Value::as_str)
            .map(str::to_owned))
    };
    let no_base64 = of(b"!")?;
    let candidates = [
        None,
        Some("!".to_owned()),
        no_base64.clone(),
        of(STANDARD.encode(GZIP_HEAD).as_bytes())?,
        of(STANDARD.encode(not_utf8(error)).as_bytes())?,
        of(b"")?,
        of(b"{}")?,
        of(b"{")?,
    ];
    let words = chain(error);
    let same = |candidate: &Option<String>| {
        let stored = StoredRecord::from_api(driver, with(bare, candidate.as_deref()));
        let read = stored.and_then(|stored| stored.record());
        read.is_err_and(|error| chain(&error) == words)
    };
    // Without a payload there is nothing to hide.
    if object.pointer(PAYLOAD).is_none() {
        return Ok(Inside::Unreadable(None));
    }
    let found = candidates.into_iter().find(same);
    Ok(Inside::Unreadable(found.unwrap_or(no_base64)))
}

/// Bytes that are no text from the same byte on, if that is near.
fn not_utf8(error: &StorageError) -> Vec<u8> {
    let fine = match error {
        StorageError::Record {
            source: RecordError::Utf8 { valid },
            ..
        } => *valid,
        _ => 0,
    };
    let mut bytes = vec![b' '; fine.min(NEAR)];
    bytes.push(u8::MAX);
    bytes
}

fn small(hider: &Hider, record: &Record) -> Result<Value, KeepError> {
    let whole: Value = serde_json::from_str(record.json())?;
    let only = |value: Option<&Value>, keys: &[&str]| -> Map<String, Value> {
        let all = value.and_then(Value::as_object).into_iter().flatten();
        let kept = all.filter(|(key, _)| keys.contains(&key.as_str()));
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let mut small = only(Some(&whole), &MEMBERS);
    small.insert(
        "info".to_owned(),
        Value::Object(only(whole.get("info"), &INFO)),
    );
    if record.chart.is_some() {
        let metadata = only(whole.pointer("/chart/metadata"), &["name", "version"]);
        small.insert("chart".to_owned(), json!({ "metadata": metadata }));
    }
    let namespace = &record.namespace;
    if !record.manifest.is_empty() {
        let manifest = hidden_manifest(hider, &record.manifest, namespace)?;
        small.insert("manifest".to_owned(), Value::from(manifest));
    }
    let mut hooks = Vec::new();
    for hook in &record.hooks {
        hooks.push(json!({
            "name": hook.name, "kind": hook.kind, "path": hook.path, "events": hook.events, "weight": hook.weight,
            "delete_policies": hook.delete_policies, "manifest": hidden_manifest(hider, &hook.manifest, namespace)?,
        }));
    }
    if !hooks.is_empty() {
        small.insert("hooks".to_owned(), Value::Array(hooks));
    }
    Ok(Value::Object(small))
}

/// The objects of a manifest without values of Secrets, and without its comments: those may hold what was commented out. One
/// that does not read is replaced by a text that does not read in the same words.
fn hidden_manifest(hider: &Hider, text: &str, namespace: &str) -> Result<String, KeepError> {
    let mut objects = match manifest::objects(text) {
        Ok(objects) => objects,
        Err(error) => return Ok(broken(&error)),
    };
    let mut made = String::new();
    for object in &mut objects {
        hider.object_in(&mut object.body, namespace)?;
        separate(&mut made, &object.place);
        made.push_str(&yaml_line(&object.body));
        made.push('\n');
    }
    Ok(made)
}

fn separate(made: &mut String, place: &Place) {
    made.push_str("---\n");
    if let Some(source) = &place.source {
        made.push_str("# Source: ");
        made.push_str(source);
        made.push('\n');
    }
}

/// JSON is YAML, but for some characters that YAML takes for the end of a line or for nothing at all.
fn yaml_line(value: &Value) -> String {
    let mut made = String::new();
    for letter in value.to_string().chars() {
        let odd = matches!(
            letter,
            '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        );
        if odd {
            made.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            made.push(letter);
        }
    }
    made
}

/// A manifest that does not read in the same words.
fn broken(error: &ManifestError) -> String {
    let (place, document) = match error {
        ManifestError::Separator { place } => (place, "{}\n---no".to_owned()),
        ManifestError::Yaml { place, .. } => (place, "[".to_owned()),
        ManifestError::NotAnObject { place } => (place, "[]".to_owned()),
        ManifestError::Items { place } => (place, json!({"kind": "List", "items": 1}).to_string()),
        ManifestError::Missing { place, field } => {
            let mut object =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
            if let Some(map) = object.as_object_mut() {
                map.remove(field.split('.').next().unwrap_or(field));
            }
            (place, object.to_string())
        }
        ManifestError::GenerateName { place } => {
            let object =
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a"}});
            (place, object.to_string())
        }
    };
    let mut made = String::new();
    for _ in 1..place.document {
        made.push_str("---\n{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"a\"}}\n");
    }
    separate(&mut made, place);
    made.push_str(&document);
    made.push('\n');
    made
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::hide::tests::hider;
    use super::*;

    const SECRET: &str =
        "apiVersion: v1\nkind: Secret\n# hunter2\nmetadata: {name: a}\nstringData: {p: hunter2}\n";

    fn stored(json: &Value) -> Value {
        let name = format!(
            "sh.helm.release.v1.{}.v{}",
            json["name"].as_str().unwrap(),
            json["version"]
        );
        let bare = json!({"metadata": {"name": name, "namespace": "shop", "uid": "u", "resourceVersion": "1",
            "labels": {"status": "deployed"}, "annotations": {"refit.dev/lock": "hunter2"}}});
        let payload = Record::from_json(json.to_string())
            .unwrap()
            .encode()
            .unwrap();
        let stored = StoredRecord::from_api(Driver::Secret, bare).unwrap();
        let stored = stored.with_payload(payload.as_bytes()).unwrap();
        Value::Object(stored.object().clone())
    }

    #[test]
    fn what_a_forecast_needs_comes_back_and_no_value_does() {
        let json = json!({
            "name": "web", "namespace": "shop", "version": 3, "apply_method": "ssa", "config": {"p": "hunter2"},
            "manifest": format!("# hunter2\n---\n# Source: web/a.yaml\n{SECRET}---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {{name: b}}\n  data: {{p: aHVudGVyMg==}}\n"),
            "info": {"status": "deployed", "notes": "it is hunter2", "description": "hunter2", "last_deployed": "2026-01-01T00:00:00Z"},
            "chart": {"metadata": {"name": "web", "version": "1.0.0", "description": "hunter2"}, "values": {"p": "hunter2"}},
            "hooks": [{"name": "h", "kind": "Secret", "path": "x", "events": ["pre-upgrade"], "manifest": SECRET, "delete_policies": ["hook-failed"]}],
        });
        let row = keep(&hider(), Driver::Secret, &stored(&json)).unwrap();
        let text = serde_json::to_string(&row).unwrap();
        assert!(
            !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
            "{text}"
        );
        let object = again(Driver::Secret, &row).unwrap();
        let made = StoredRecord::from_api(Driver::Secret, object).unwrap();
        let small = made.record().unwrap();
        let record = Record::from_json(json.to_string()).unwrap();
        assert_eq!(
            (small.revision, &small.apply_method, &small.status),
            (3, &record.apply_method, &record.status)
        );
        assert_eq!(
            (&small.chart, &small.info.last_deployed),
            (&record.chart, &record.info.last_deployed)
        );
        assert_eq!(
            (small.hooks.len(), &small.hooks[0].delete_policies),
            (1, &record.hooks[0].delete_policies)
        );
        let objects = manifest::objects(&small.manifest).unwrap();
        let names: Vec<&str> = objects.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(objects[0].place.source.as_deref(), Some("web/a.yaml"));
    }

    #[test]
    fn what_does_not_read_does_not_read_in_the_same_words() {
        let good = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        for bad in [
            "# Source: web/b.yaml\na: hunter2: [",
            "- hunter2",
            "kind: List\nitems: hunter2",
            "kind: A\nmetadata: {name: hunter2}",
            "apiVersion: v1\nmetadata: {name: hunter2}",
            "apiVersion: v1\nkind: A",
            "apiVersion: v1\nkind: A\nmetadata: {generateName: hunter2}",
            "a: b\n---hunter2\n",
        ] {
            let text = format!("{good}---\n{bad}\n");
            let error = manifest::objects(&text).unwrap_err();
            let made = hidden_manifest(&hider(), &text, "shop").unwrap();
            assert!(!made.contains("hunter2"), "{made}");
            assert_eq!(
                manifest::objects(&made).unwrap_err().to_string(),
                error.to_string(),
                "{bad}"
            );
        }
        let whole = stored(&json!({"name": "web", "version": 1, "info": {"status": "deployed"}}));
        let payload = |text: Value| {
            let mut object = whole.clone();
            object["data"]["release"] = text;
            object
        };
        let encoded = |bytes: &[u8]| Value::from(STANDARD.encode(STANDARD.encode(bytes)));
        let mut none = whole.clone();
        none.as_object_mut().unwrap().remove("data");
        for object in [
            none,
            payload(json!("hunter2!")),
            payload(json!(STANDARD.encode("hunter2!"))),
            encoded(b"\x1f\x8bhunter2").pipe(payload),
        ] {
            let words = |object: &Value| {
                let stored = StoredRecord::from_api(Driver::Secret, object.clone()).unwrap();
                chain(&stored.record().unwrap_err())
            };
            let row = keep(&hider(), Driver::Secret, &object).unwrap();
            assert!(!serde_json::to_string(&row).unwrap().contains("hunter2"));
            let made = again(Driver::Secret, &row).unwrap();
            assert_eq!(words(&made), words(&object));
        }
    }

    trait Pipe: Sized {
        fn pipe<T>(self, to: impl FnOnce(Self) -> T) -> T {
            to(self)
        }
    }

    impl Pipe for Value {}

    fn value() -> impl Strategy<Value = Value> {
        let number = any::<f64>().prop_filter_map("JSON has no such number", |it| {
            serde_json::Number::from_f64(it).map(Value::Number)
        });
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            number,
            any::<String>().prop_map(Value::from),
            "[\u{80}-\u{a0}\u{2028}\u{2029}\u{feff}\u{fffe}'\": #-]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_object_comes_back_as_it_was(spec in value()) {
            let body = json!({"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"}, "spec": spec});
            // Reading makes some numbers whole ones; what was read is read again as it is.
            let read = manifest::objects(&yaml_line(&body)).unwrap();
            let again = manifest::objects(&yaml_line(&read[0].body)).unwrap();
            prop_assert_eq!(&again[0].body, &read[0].body);
            let text = Text::of(&body).unwrap();
            prop_assert_eq!(text.read().unwrap(), body);
        }
    }
}
