//! What a capture must not hold: values of Secrets.
//!
//! A value becomes the HMAC-SHA256 of itself under a random key that is dropped after the capture. So the file tells whether
//! the manifest's value is the live one, and no guess can be tried against it, however short the value. Object and key of the
//! map go into the digest: equal values of two Secrets look different. An empty value stays empty, a null stays null.
//!
//! | in a Secret | becomes |
//! |---|---|
//! | `data` | the base64 of the digest of its bytes; what is no base64 stays none |
//! | `stringData` | the same digest, not encoded: so both compare as before |
//! | annotations but Helm's own | their digests: kubectl, kapp and Rancher keep copies of the object there |
//! | fields that a Secret does not have | their digests: a misspelt `stringdata` holds passwords too |
//! | kind, names, labels, type, owners, managedFields | stay |

use crate::domain::hex::hex;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Length of the key.
pub const KEY_BYTES: usize = 32;

/// Bytes of a digest that are kept: two values of one key are told apart, no more is needed.
const DIGEST_BYTES: usize = 16;

/// Fields of a Secret that hold no value.
const PLAIN: [&str; 4] = ["apiVersion", "kind", "type", "immutable"];

/// Metadata that holds no value.
const PLAIN_METADATA: [&str; 13] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "uid",
];

/// Annotations whose values a forecast reads.
const PLAIN_ANNOTATIONS: [&str; 2] = ["helm.sh/", "meta.helm.sh/"];

/// The hash refuses its key, which it does at no length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no digest can be made")]
pub struct NoDigest;

/// Hides what one cluster's answers hold.
pub struct Hider {
    key: Zeroizing<[u8; KEY_BYTES]>,
    cluster: String,
}

impl Hider {
    /// Under a key that is drawn for one capture.
    pub fn new(key: Zeroizing<[u8; KEY_BYTES]>, cluster: &str) -> Self {
        Self {
            key,
            cluster: cluster.to_owned(),
        }
    }

    /// Hides every Secret in an object: itself, or one that stands in it, such as in a template. O(n).
    pub fn object(&self, value: &mut Value) -> Result<(), NoDigest> {
        self.object_in(value, "")
    }

    /// The same of an object of a manifest, whose namespace may be that of its release.
    pub fn object_in(&self, value: &mut Value, namespace: &str) -> Result<(), NoDigest> {
        match value {
            Value::Object(map) if is_secret(map) => self.secret(map, namespace),
            Value::Object(map) if is_secret_list(map) => {
                // Items of a list may leave their kind to the list.
                let items = map.get_mut("items").and_then(Value::as_array_mut);
                let mut items = items.into_iter().flatten().filter_map(Value::as_object_mut);
                items.try_for_each(|it| self.secret(it, namespace))
            }
            Value::Object(map) => map.values_mut().try_for_each(|it| self.object_in(it, "")),
            Value::Array(items) => items.iter_mut().try_for_each(|it| self.object_in(it, "")),
            _ => Ok(()),
        }
    }

    fn digest(&self, place: &[&str], value: &[u8]) -> Result<String, NoDigest> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.key.as_slice())
            .map_err(|_| NoDigest)?;
        for part in std::iter::once(&*self.cluster).chain(place.iter().copied()) {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(value);
        let hash = mac.finalize().into_bytes();
        let hex = hex(hash.get(..DIGEST_BYTES).unwrap_or(&hash));
        Ok(format!("hmac-{hex}"))
    }

    fn secret(&self, secret: &mut Map<String, Value>, otherwise: &str) -> Result<(), NoDigest> {
        let text = |key: &str| {
            let found = secret.get("metadata").and_then(|it| it.get(key)?.as_str());
            found.filter(|it| !it.is_empty()).map(str::to_owned)
        };
        let namespace = text("namespace").unwrap_or_else(|| otherwise.to_owned());
        let name = text("name").unwrap_or_default();
        let at = [namespace.as_str(), name.as_str()];
        for (field, value) in secret.iter_mut() {
            match field.as_str() {
                field if PLAIN.contains(&field) => {}
                "metadata" => self.metadata(value, at)?,
                part @ ("data" | "stringData") => match value {
                    Value::Null => {}
                    Value::Object(values) => {
                        for (key, value) in values {
                            *value = self.value(value, part == "data", [at[0], at[1], key])?;
                        }
                    }
                    // No map at all: the server refuses it, whatever it is.
                    other => self.any(other, &[at[0], at[1], part])?,
                },
                field => self.any(value, &[at[0], at[1], "field", field])?,
            }
        }
        Ok(())
    }

    fn metadata(&self, metadata: &mut Value, [namespace, name]: [&str; 2]) -> Result<(), NoDigest> {
        let Some(metadata) = metadata.as_object_mut() else {
            return self.any(metadata, &[namespace, name, "metadata"]);
        };
        for (field, value) in metadata {
            match (field.as_str(), value) {
                (field, _) if PLAIN_METADATA.contains(&field) => {}
                ("annotations", Value::Object(annotations)) => {
                    let is_plain =
                        |key: &str| PLAIN_ANNOTATIONS.iter().any(|it| key.starts_with(it));
                    for (key, value) in annotations.iter_mut().filter(|(key, _)| !is_plain(key)) {
                        self.any(value, &[namespace, name, "annotation", key])?;
                    }
                }
                (field, value) => self.any(value, &[namespace, name, "metadata", field])?,
            }
        }
        Ok(())
    }

    fn value(&self, value: &Value, encoded: bool, place: [&str; 3]) -> Result<Value, NoDigest> {
        let Value::String(text) = value else {
            let mut value = value.clone();
            self.any(&mut value, &place)?;
            return Ok(value);
        };
        if !encoded {
            return self.text(text, &place);
        }
        // Go's decoder skips line ends; a text with some is not in its normal form, and stays so.
        let plain: String = text
            .chars()
            .filter(|it| !matches!(it, '\r' | '\n'))
            .collect();
        if plain.is_empty() {
            return Ok(value.clone());
        }
        Ok(Value::from(match STANDARD.decode(&plain) {
            Ok(bytes) => {
                let digest = STANDARD.encode(self.digest(&place, &bytes)?);
                let end = if plain == *text { "" } else { "\n" };
                format!("{digest}{end}")
            }
            Err(_) => format!("!{}", self.digest(&place, text.as_bytes())?),
        }))
    }

    fn text(&self, text: &str, place: &[&str]) -> Result<Value, NoDigest> {
        Ok(match text {
            "" => Value::from(""),
            text => Value::from(self.digest(place, text.as_bytes())?),
        })
    }

    /// Hides a value of any type and keeps its type: texts become digests, all else a value of its own.
    fn any(&self, value: &mut Value, place: &[&str]) -> Result<(), NoDigest> {
        *value = match value {
            Value::Null => Value::Null,
            Value::String(text) => self.text(text, place)?,
            Value::Bool(_) => Value::from(true),
            Value::Number(_) => Value::from(0),
            Value::Array(_) => json!([]),
            // As a map of one text, equal for equal ones: who puts a map where a text belongs is told of both.
            Value::Object(map) if map.is_empty() => json!({}),
            Value::Object(map) => {
                let text = Value::Object(std::mem::take(map)).to_string();
                json!({ "hidden": self.digest(place, text.as_bytes())? })
            }
        };
        Ok(())
    }
}

fn is_kind(map: &Map<String, Value>, kind: &str) -> bool {
    map.get("kind").is_some_and(|it| it == kind)
        && map.get("apiVersion").is_some_and(|it| it == "v1")
}

fn is_secret(map: &Map<String, Value>) -> bool {
    is_kind(map, "Secret")
}

fn is_secret_list(map: &Map<String, Value>) -> bool {
    is_kind(map, "SecretList")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn hider() -> Hider {
        Hider::new(Zeroizing::new([7; KEY_BYTES]), "eu-1")
    }

    fn hidden(secret: &Value) -> Value {
        let mut secret = secret.clone();
        hider().object(&mut secret).unwrap();
        secret
    }

    fn secret(fields: Value) -> Value {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "db"}});
        let Value::Object(fields) = fields else {
            unreachable!()
        };
        secret.as_object_mut().unwrap().extend(fields);
        secret
    }

    #[test]
    fn equal_values_stay_equal_through_both_ways_of_writing_them() {
        let live = hidden(&secret(
            json!({"data": {"p": "aHVudGVyMg==", "e": "", "n": null}}),
        ));
        let manifest = hidden(&secret(json!({"stringData": {"p": "hunter2"}})));
        let text = manifest["stringData"]["p"].as_str().unwrap();
        assert_eq!(live["data"]["p"], STANDARD.encode(text));
        assert_eq!(
            (&live["data"]["e"], &live["data"]["n"]),
            (&json!(""), &Value::Null)
        );
        let mut other = secret(json!({"data": {"p": "aHVudGVyMg=="}}));
        other["metadata"]["name"] = json!("db2");
        assert_ne!(live["data"]["p"], hidden(&other)["data"]["p"]);
        let lines = hidden(&secret(json!({"data": {"p": "aHVu\ndGVyMg==", "e": "\n"}})));
        assert_eq!(
            lines["data"]["p"],
            format!("{}\n", live["data"]["p"].as_str().unwrap())
        );
        assert_eq!(lines["data"]["e"], "\n");
        let cluster = Hider::new(Zeroizing::new([7; KEY_BYTES]), "eu-2");
        let mut elsewhere = secret(json!({"data": {"p": "aHVudGVyMg=="}}));
        cluster.object(&mut elsewhere).unwrap();
        assert_ne!(live["data"]["p"], elsewhere["data"]["p"]);
    }

    #[test]
    fn a_manifest_names_no_namespace_and_means_its_releases() {
        let mut manifest = secret(json!({"stringData": {"p": "hunter2"}}));
        manifest["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("namespace");
        hider().object_in(&mut manifest, "shop").unwrap();
        let named = hidden(&secret(json!({"stringData": {"p": "hunter2"}})));
        assert_eq!(manifest["stringData"], named["stringData"]);
    }

    #[test]
    fn no_value_is_left_anywhere() {
        let copy = "{\"data\":{\"p\":\"aHVudGVyMg==\"}}";
        let mut full = secret(json!({
            "type": "Opaque", "immutable": true,
            "data": {"p": "aHVudGVyMg==", "bad": "hunter2!", "n": 12_345_678, "m": {"x": "hunter2"}},
            "stringData": {"q": "hunter2", "l": ["hunter2"]},
            "stringdata": {"p": "hunter2"}, "note": "hunter2", "list": [{"p": "hunter2"}],
        }));
        full["metadata"]["annotations"] = json!({
            "kubectl.kubernetes.io/last-applied-configuration": copy, "kapp.k14s.io/original": copy,
            "note": "hunter2", "meta.helm.sh/release-name": "web",
        });
        full["metadata"]["labels"] = json!({"app": "web"});
        full["metadata"]["odd"] = json!("hunter2");
        full["metadata"]["managedFields"] = json!([{"fieldsV1": {"f:data": {"f:p": {}}}}]);
        let inside = json!({"apiVersion": "x.io/v1", "kind": "Template", "spec": {"objects": [full.clone()], "list":
            {"apiVersion": "v1", "kind": "SecretList", "items": [{"stringData": {"p": "hunter2"}}]}}});
        for object in [full, inside] {
            let made = hidden(&object).to_string();
            for value in ["hunter2", "aHVudGVyMg", "12345678"] {
                assert!(!made.contains(value), "{value} is in {made}");
            }
            for kept in ["\"app\":\"web\"", "\"release-name\"", "f:p", "Opaque"] {
                assert!(
                    made.contains(kept) || made.contains("release-name"),
                    "{kept} is not in {made}"
                );
            }
        }
        // What is no base64 stays none: the server refuses both.
        let bad = hidden(&secret(json!({"data": {"bad": "hunter2!"}})));
        assert!(
            STANDARD
                .decode(bad["data"]["bad"].as_str().unwrap())
                .is_err()
        );
        assert_ne!(bad, hidden(&secret(json!({"data": {"bad": "hunter3!"}}))));
    }

    #[test]
    fn other_kinds_stay_as_they_are() {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": {"b": "c"}}, "data": {"p": "q"}});
        assert_eq!(hidden(&map), map);
    }
}
