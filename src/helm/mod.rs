//! Helm as refit meets it: release records, stored manifests and the order of installation. Bytes in, values out.
//!
//! | room | holds |
//! |---|---|
//! | [`inflate`] | the one place that decompresses foreign gzip, with a cap |
//! | [`record`] | a release record: decode, read, edit without touching any other byte, encode |
//! | [`storage`] | the Secret or ConfigMap around a record: names, labels, what refit keeps in it |
//! | [`manifest`] | the objects of a stored manifest, what Helm adds to them, in which order it applies them |
//! | [`yaml`] | YAML in Helm's dialect |
//! | [`chart`] | the chart inside a record: charts that it lists, definitions in its `crds/` |
//! | [`forms`] | the requests of the run protocol: lock, commit, supersede, restore, retire |
//!
//! Invariant: nothing here reads a clock, a file or the network; times are arguments.
//! Invariant: no error and no `Debug` text shows a value out of a record, only names, sizes and places.
pub mod chart;
pub mod forms;
pub mod inflate;
mod json_text;
pub mod manifest;
pub mod packed;
pub mod record;
pub mod storage;
pub mod yaml;

pub use json_text::JsonFault;
pub use record::{ApplyMethod, Edit, Record, RecordError, RecordFacts, Status};
pub use storage::{
    LOCK_ANNOTATION, LOCK_FINALIZER, OWNER_SELECTOR, RecordImage, StorageError, StoredRecord,
    object_name, parse_object_name,
};
