//! Holds `crates/managed-fields` against Kubernetes: random lives of random objects, every step answered by both.
//!
//! | module | gives |
//! |---|---|
//! | [`go`] | lives answered by Kubernetes' own Go library: fast, any object, also such as no server would store |
//! | [`live`] | lives on a running API server: defaulting, validation, subresources and storage are in the way as in real life |
//! | [`report`] | what a run says: its figures, and each disagreement with the request to play it again |
//!
//! One seed gives one life, on every machine.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test tool: what its generators and fixtures promise is not worth an error type, and a broken promise must stop the run"
)]

mod errors;
mod generate;
pub mod go;
pub mod live;
pub mod report;
mod rng;
mod shrink;

use std::path::Path;

use serde_json::Value;

pub use report::{Disagreement, Report};

/// An OpenAPI document of `crates/managed-fields`: its path, and what is in it.
fn fixture(name: &str) -> (String, Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../managed-fields/tests/fixtures")
        .join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    (
        path.to_str().unwrap().to_owned(),
        serde_json::from_str(&text).unwrap(),
    )
}
