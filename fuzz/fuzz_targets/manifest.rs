//! Two JSON lines, a live object and a manifest: applying one to the other does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use managed_fields::{FieldManager, Kind, Schema, Time};

fuzz_target!(|text: &str| {
    let Some((live, config)) = text.split_once('\n') else { return };
    let (Ok(live), Ok(config)) = (serde_json::from_str(live), serde_json::from_str(config)) else { return };
    let Ok(now) = Time::from_unix(0) else { return };
    let schema = Schema::deduced();
    let endpoint = FieldManager::new(&schema, Kind::of(&config), "");
    if let Ok(once) = endpoint.apply(Some(&live), &config, "fuzz", true, now) {
        let _ = endpoint.apply(Some(&once.object), &config, "other", false, now);
    }
    let _ = endpoint.update(Some(&live), &config, "fuzz", now);
});
