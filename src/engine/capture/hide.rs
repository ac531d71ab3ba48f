//! What a capture must not hold: values of Secrets, and what records carry beside their manifests.
//!
//! A value becomes the HMAC-SHA256 of itself under a random key that is dropped after the capture. So the file tells whether
//! the manifest's value is the live one, and no guess can be tried against it, however short the value. Object and key of the
//! map go into the digest: equal values of two Secrets look different. An empty value stays empty, a null stays null.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::answers::{Answer, Answers, hex};
use crate::domain::release::Driver;
use crate::helm::{Record, RecordError, StorageError, StoredRecord, manifest};

/// Length of the key.
pub const KEY_BYTES: usize = 32;

/// Bytes of a digest that are kept: two values of one key are told apart, no more is needed.
const DIGEST_BYTES: usize = 16;

/// kubectl keeps a copy of the whole object here.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Why something cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum HideError {
    /// A record cannot be made smaller.
    #[error("a release record cannot be kept")]
    Storage(#[from] StorageError),
    /// The same, of what is inside.
    #[error("a release record cannot be kept")]
    Record(#[from] RecordError),
    /// The hash refuses its key.
    #[error("no digest can be made")]
    Digest,
}

/// Hides what one cluster's answers hold.
pub struct Hider {
    key: [u8; KEY_BYTES],
    cluster: String,
}

impl Hider {
    /// Under a key that is drawn for one capture.
    pub fn new(key: [u8; KEY_BYTES], cluster: &str) -> Self {
        Self {
            key,
            cluster: cluster.to_owned(),
        }
    }

    /// The answers as they may be written down. Linear in their size.
    pub fn answers(&self, mut answers: Answers) -> Result<Answers, HideError> {
        let mut records = BTreeMap::new();
        for (key, record) in std::mem::take(&mut answers.records) {
            let driver = if record.get("type").is_some() || key.starts_with("Secret") {
                Driver::Secret
            } else {
                Driver::ConfigMap
            };
            records.insert(key, self.record(driver, record)?);
        }
        answers.records = records;
        for (key, answer) in &mut answers.lists {
            if let (Answer::Ok(objects), "v1 Secret") = (answer, key.as_str()) {
                for object in objects {
                    self.secret(object)?;
                }
            }
        }
        for (key, answer) in &mut answers.objects {
            if let (Answer::Ok(Some(object)), true) = (answer, key.starts_with("v1 Secret ")) {
                self.secret(object)?;
            }
        }
        for (key, answer) in &mut answers.rehearsals {
            let about = key.split_once(' ').map_or("", |(_, about)| about);
            if let (Answer::Ok(object), true) = (answer, about.starts_with("v1 Secret ")) {
                self.secret(object)?;
            }
        }
        Ok(answers)
    }

    fn digest(&self, place: &[&str], value: &[u8]) -> Result<String, HideError> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.key)
            .map_err(|_| HideError::Digest)?;
        for part in std::iter::once(&*self.cluster).chain(place.iter().copied()) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(value);
        let hash = mac.finalize().into_bytes();
        let hex = hex(hash.get(..DIGEST_BYTES).unwrap_or(&hash));
        Ok(format!("hmac-{hex}"))
    }

    fn secret(&self, secret: &mut Value) -> Result<(), HideError> {
        let text = |pointer: &str| {
            let found = secret.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        self.secret_of(secret, &namespace, &name)
    }

    /// Replaces every value: `data` by the base64 of its digest, `stringData` by the digest, so that both still mean the same.
    fn secret_of(&self, secret: &mut Value, namespace: &str, name: &str) -> Result<(), HideError> {
        let copy = secret
            .pointer_mut("/metadata/annotations")
            .and_then(Value::as_object_mut);
        if let Some(copy) = copy.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) {
            let digest = self.digest(
                &[namespace, name, LAST_APPLIED],
                copy.to_string().as_bytes(),
            )?;
            *copy = Value::from(digest);
        }
        for (part, encoded) in [("data", true), ("stringData", false)] {
            match secret.get_mut(part) {
                None | Some(Value::Null) => {}
                Some(Value::Object(values)) => {
                    for (key, value) in values {
                        *value = self.value(value, encoded, [namespace, name, key])?;
                    }
                }
                // No map at all: the server refuses it, whatever it is.
                Some(other) => *other = Value::from("hidden"),
            }
        }
        Ok(())
    }

    fn value(&self, value: &Value, encoded: bool, place: [&str; 3]) -> Result<Value, HideError> {
        Ok(match value {
            Value::Null => Value::Null,
            Value::String(text) if text.is_empty() => Value::from(""),
            Value::String(text) if encoded => {
                // Go's decoder skips line ends; a text with some is not in its normal form, and stays so.
                let plain: String = text
                    .chars()
                    .filter(|it| !matches!(it, '\r' | '\n'))
                    .collect();
                match STANDARD.decode(&plain) {
                    Ok(bytes) => {
                        let digest = STANDARD.encode(self.digest(&place, &bytes)?);
                        let end = if STANDARD.encode(&bytes) == *text {
                            ""
                        } else {
                            "\n"
                        };
                        Value::from(format!("{digest}{end}"))
                    }
                    Err(_) => Value::from(format!("!{}", self.digest(&place, text.as_bytes())?)),
                }
            }
            Value::String(text) => Value::from(self.digest(&place, text.as_bytes())?),
            // The server refuses it for its type.
            Value::Bool(_) => Value::from(true),
            Value::Number(_) => Value::from(0),
            Value::Array(_) => json!([]),
            Value::Object(_) => json!({}),
        })
    }

    /// The same manifest with the values of its Secrets hidden; unchanged if it has none. `namespace` is the release's. One that
    /// does not read is replaced by a text that does not read either.
    fn manifest(&self, text: &str, namespace: &str) -> Result<String, HideError> {
        let Ok(mut objects) = manifest::objects(text) else {
            return Ok("hidden: [\n".to_owned());
        };
        let is_secret =
            |it: &manifest::ManifestObject| it.kind == "Secret" && it.api_version == "v1";
        if !objects.iter().any(is_secret) {
            return Ok(text.to_owned());
        }
        let mut made = String::new();
        for object in &mut objects {
            if is_secret(object) {
                let within = object.namespace.clone();
                let within = within.as_deref().unwrap_or(namespace);
                let name = object.name.clone();
                self.secret_of(&mut object.body, within, &name)?;
            }
            // JSON is YAML, and a text that was read is read again as the same.
            made.push_str("---\n");
            made.push_str(&object.body.to_string());
            made.push('\n');
        }
        Ok(made)
    }

    /// The record's object with what a forecast needs of it: identity, state, hooks and manifest. Values, notes, templates
    /// and what refit itself keeps there are left out.
    fn record(&self, driver: Driver, object: Value) -> Result<Value, HideError> {
        let stored = StoredRecord::from_api(driver, object)?;
        let text = |key: &str| -> Value {
            let metadata = stored.object().get("metadata");
            metadata
                .and_then(|it| it.get(key))
                .cloned()
                .unwrap_or_default()
        };
        let head = json!({
            "metadata": {
                "name": text("name"), "namespace": text("namespace"), "uid": text("uid"),
                "resourceVersion": text("resourceVersion"), "labels": text("labels"),
            },
            "data": {},
        });
        let head = StoredRecord::from_api(driver, head)?;
        let small = match stored.record() {
            Ok(record) => self.small(&record)?,
            // It stays one that does not read.
            Err(_) => String::new(),
        };
        let head = head.with_payload(small.as_bytes())?;
        Ok(Value::Object(head.object().clone()))
    }

    fn small(&self, record: &Record) -> Result<String, HideError> {
        let whole: Value = serde_json::from_str(record.json()).unwrap_or_default();
        let mut small = Map::new();
        for key in ["name", "namespace", "version", "apply_method", "labels"] {
            if let Some(value) = whole.get(key) {
                small.insert(key.to_owned(), value.clone());
            }
        }
        let only = |value: Option<&Value>, keys: &[&str]| -> Value {
            let all = value.and_then(Value::as_object);
            let all = all.into_iter().flatten();
            let kept = all.filter(|(key, _)| keys.contains(&key.as_str()));
            Value::Object(
                kept.map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            )
        };
        let times = ["first_deployed", "last_deployed", "deleted", "status"];
        small.insert("info".to_owned(), only(whole.get("info"), &times));
        if record.chart.is_some() {
            let metadata = only(whole.pointer("/chart/metadata"), &["name", "version"]);
            small.insert("chart".to_owned(), json!({"metadata": metadata}));
        }
        let namespace = &record.namespace;
        if !record.manifest.is_empty() {
            let manifest = self.manifest(&record.manifest, namespace)?;
            small.insert("manifest".to_owned(), Value::from(manifest));
        }
        let mut hooks = Vec::new();
        for hook in &record.hooks {
            hooks.push(json!({
                "name": hook.name, "kind": hook.kind, "path": hook.path, "events": hook.events, "weight": hook.weight,
                "delete_policies": hook.delete_policies, "manifest": self.manifest(&hook.manifest, namespace)?,
            }));
        }
        if !hooks.is_empty() {
            small.insert("hooks".to_owned(), Value::Array(hooks));
        }
        Ok(Record::from_json(Value::Object(small).to_string())?.encode()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hider() -> Hider {
        Hider::new([7; KEY_BYTES], "eu-1")
    }

    fn hidden(secret: &Value) -> Value {
        let mut secret = secret.clone();
        hider().secret(&mut secret).unwrap();
        secret
    }

    #[test]
    fn equal_values_stay_equal_through_both_ways_of_writing_them() {
        let at = json!({"namespace": "shop", "name": "db"});
        let live = hidden(
            &json!({"kind": "Secret", "metadata": at, "data": {"p": "aHVudGVyMg==", "e": "", "n": null}}),
        );
        let manifest =
            hidden(&json!({"kind": "Secret", "metadata": at, "stringData": {"p": "hunter2"}}));
        let text = manifest["stringData"]["p"].as_str().unwrap();
        assert_eq!(live["data"]["p"], STANDARD.encode(text));
        assert_eq!(
            (&live["data"]["e"], &live["data"]["n"]),
            (&json!(""), &Value::Null)
        );
        let other = hidden(
            &json!({"kind": "Secret", "metadata": {"namespace": "shop", "name": "db2"}, "data": {"p": "aHVudGVyMg=="}}),
        );
        assert_ne!(live["data"]["p"], other["data"]["p"]);
        let lines =
            hidden(&json!({"kind": "Secret", "metadata": at, "data": {"p": "aHVu\ndGVyMg=="}}));
        assert_eq!(
            lines["data"]["p"],
            format!("{}\n", live["data"]["p"].as_str().unwrap())
        );
    }

    #[test]
    fn no_value_is_left_anywhere() {
        let copy = "{\"data\":{\"p\":\"aHVudGVyMg==\"}}";
        let secret = json!({"kind": "Secret", "data": {"p": "aHVudGVyMg==", "bad": "hunter2!"}, "stringData": {"q": "hunter2"},
            "metadata": {"name": "a", "annotations": {(LAST_APPLIED): copy}}});
        let made = hidden(&secret).to_string();
        assert!(
            !made.contains("hunter2") && !made.contains("aHVudGVyMg"),
            "{made}"
        );
        let text = "apiVersion: v1\nkind: Secret\n# hunter2\nmetadata: {name: a}\nstringData: {p: hunter2}\n";
        let json = json!({
            "name": "web", "namespace": "shop", "version": 3, "config": {"p": "hunter2"}, "manifest": text,
            "info": {"status": "deployed", "notes": "it is hunter2", "description": "hunter2"},
            "chart": {"metadata": {"name": "web", "version": "1.0.0", "description": "hunter2"}, "values": {"p": "hunter2"}},
            "hooks": [{"name": "h", "kind": "Secret", "path": "x", "events": ["pre-upgrade"], "manifest": text}],
        });
        let small = hider()
            .small(&Record::from_json(json.to_string()).unwrap())
            .unwrap();
        let small = Record::decode(small.as_bytes()).unwrap();
        assert!(!small.json().contains("hunter2"), "{}", small.json());
        assert_eq!((small.revision, small.hooks.len()), (3, 1));
        let objects = manifest::objects(&small.manifest).unwrap();
        assert_eq!(objects[0].name, "a");
        let unread = hider().manifest("a: hunter2: [", "shop").unwrap();
        assert!(manifest::objects(&unread).is_err() && !unread.contains("hunter2"));
    }
}
