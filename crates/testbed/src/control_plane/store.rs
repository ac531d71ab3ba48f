//! Writing straight into etcd, past the API server: for what no API server of today would store, and one of long ago did.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Error;

/// Stores an object below a key (`/registry/configmaps/shop/web`). The server reads JSON there as well as protobuf.
pub fn put(port: u16, key: &str, object: &Value) -> Result<(), Error> {
    let fail = |source: ureq::Error| Error::Http {
        method: "POST",
        path: key.into(),
        source: Box::new(source),
    };
    let body = json!({
        "key": STANDARD.encode(key),
        "value": STANDARD.encode(object.to_string()),
    });
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    // etcd's own JSON gateway.
    agent
        .post(format!("http://127.0.0.1:{port}/v3/kv/put"))
        .send(body.to_string())
        .map(drop)
        .map_err(fail)
}
