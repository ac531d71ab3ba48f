//! A conversion webhook: `spec.old` of v1alpha1 is `spec.a` of v1.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use testbed::ControlPlane;

/// Nobody listens there.
pub const DOWN: u16 = 1;

/// The `conversion` of a CRD that asks the webhook at this port.
pub fn conversion(plane: &ControlPlane, port: u16) -> Value {
    let ca = std::fs::read(pki(plane).join("ca.crt")).unwrap();
    json!({
        "strategy": "Webhook",
        "webhook": {
            "conversionReviewVersions": ["v1"],
            "clientConfig": { "url": format!("https://127.0.0.1:{port}/"), "caBundle": STANDARD.encode(ca) },
        },
    })
}

/// The webhook's port; it lives as long as the process.
pub fn port(plane: &ControlPlane) -> u16 {
    static PORT: OnceLock<u16> = OnceLock::new();
    *PORT.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config(&pki(plane)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let config = Arc::clone(&config);
                // A client that goes away is none of our business.
                std::thread::spawn(move || answer(stream, config));
            }
        });
        port
    })
}

fn pki(plane: &ControlPlane) -> std::path::PathBuf {
    plane.dir().join("pki")
}

fn config(pki: &Path) -> ServerConfig {
    let certs = CertificateDer::pem_file_iter(pki.join("serving.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(pki.join("serving.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certs.map(Result::unwrap).collect(), key)
        .unwrap()
}

/// One request a connection.
fn answer(stream: TcpStream, config: Arc<ServerConfig>) -> Option<()> {
    let mut stream = StreamOwned::new(ServerConnection::new(config).ok()?, stream);
    let mut text = Vec::new();
    let mut piece = [0; 16 * 1024];
    let body = loop {
        let length = stream.read(&mut piece).ok()?;
        text.extend_from_slice(piece.get(..length)?);
        let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length?.trim().parse().ok()?;
        if let Some(body) = text.get(end + 4..end + 4 + length) {
            break body.to_vec();
        }
    };
    let review: Value = serde_json::from_slice(&body).ok()?;
    let reply = converted(&review["request"]).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(
        stream,
        "{head}\r\nContent-Length: {}\r\n\r\n{reply}",
        reply.len()
    )
    .ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

fn converted(request: &Value) -> Value {
    let version = request["desiredAPIVersion"].as_str().unwrap_or_default();
    let (from, to) = if version.ends_with("/v1") {
        ("old", "a")
    } else {
        ("a", "old")
    };
    let objects = request["objects"].as_array().cloned().unwrap_or_default();
    let objects: Vec<Value> = objects
        .into_iter()
        .map(|mut object| {
            object["apiVersion"] = json!(version);
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
                && let Some(value) = spec.remove(from)
            {
                spec.insert(to.to_owned(), value);
            }
            object
        })
        .collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "ConversionReview",
        "response": {
            "uid": request["uid"], "result": { "status": "Success" }, "convertedObjects": objects,
        },
    })
}
