//! Any bytes as `fieldsV1`: no panic, and what is read is written back as the same set.
#![no_main]

use libfuzzer_sys::fuzz_target;
use managed_fields::fields_v1;

fuzz_target!(|text: &str| {
    if let Ok(set) = fields_v1::decode(text) {
        let canonical = fields_v1::encode(&set);
        assert_eq!(fields_v1::decode(&canonical).map(|set| fields_v1::encode(&set)).ok(), Some(canonical));
    }
    let _ = fields_v1::decode_element(text);
});
