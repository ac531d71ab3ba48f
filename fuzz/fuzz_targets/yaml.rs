//! Any text as a stored manifest: Helm's YAML and its documents do not panic, and what is read fits in JSON's depth.
#![no_main]

use libfuzzer_sys::fuzz_target;
use refit::helm::{manifest, yaml};

fuzz_target!(|text: &str| {
    if let Ok(value) = yaml::read(text) {
        let written = serde_json::to_string(&value).unwrap_or_default();
        assert!(serde_json::from_str::<serde_json::Value>(&written).is_ok(), "{written}");
    }
    if let Ok(objects) = manifest::objects(text) {
        let _ = manifest::repeats(&objects, "default");
    }
});
