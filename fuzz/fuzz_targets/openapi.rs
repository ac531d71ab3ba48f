//! Any JSON as an OpenAPI document, with an object of the first kind that it describes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use managed_fields::typed::Duplicates;
use managed_fields::Schema;
use serde_json::json;

fuzz_target!(|text: &str| {
    let Ok(document) = serde_json::from_str(text) else { return };
    let Ok(schema) = Schema::from_openapi([&document]) else { return };
    for kind in schema.kinds().take(3) {
        let _ = schema.faults_of(kind);
        let object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "a": [{"a": null}], "b": {"a": 1}});
        if let Ok(typed) = schema.typed(object, Duplicates::Allowed) {
            let _ = typed.field_set();
        }
    }
});
