//! `stringData` of a Secret: the server turns it into `data` and forgets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Does to `stringData` what the server does: each text becomes bytes in `data`, over what stood there.
pub(super) fn expand(applied: &mut Value) {
    let Some(secret) = applied.as_object_mut() else {
        return;
    };
    let Some(texts) = secret.remove("stringData") else {
        return;
    };
    let Value::Object(texts) = texts else {
        return;
    };
    if texts.is_empty() {
        return;
    }
    let data = secret
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    if let Value::Object(data) = data {
        for (key, text) in texts {
            let text = text.as_str().unwrap_or_default();
            data.insert(key, Value::from(STANDARD.encode(text)));
        }
    }
}

/// Is it the same to a server that decodes the base64 and writes it anew? Line breaks in between mean nothing.
pub(super) fn same_bytes(left: &str, right: &str) -> bool {
    let letters = |text: &'_ str| {
        let bytes: Vec<u8> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'\n' | b'\r'))
            .collect();
        bytes
    };
    letters(left) == letters(right)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_become_bytes_over_what_stood_there() {
        let mut secret =
            json!({"data": {"a": "eA==", "b": "eQ=="}, "stringData": {"b": "hunter2", "c": ""}});
        expand(&mut secret);
        assert_eq!(
            secret,
            json!({"data": {"a": "eA==", "b": "aHVudGVyMg==", "c": ""}})
        );
        let mut secret = json!({"stringData": {"a": "1"}, "data": null});
        expand(&mut secret);
        assert_eq!(secret, json!({"data": {"a": "MQ=="}}));
        let mut secret = json!({"stringData": {}});
        expand(&mut secret);
        assert_eq!(secret, json!({}));
    }

    #[test]
    fn line_breaks_mean_nothing() {
        assert!(same_bytes("YWJj\n", "YWJj"));
        assert!(!same_bytes("YWJk", "YWJj"));
    }
}
