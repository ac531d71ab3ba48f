//! A scripted HTTP server on loopback, for what no real API server does on request.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::KubeCluster;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Answer {
        code: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Reads the request and closes.
    Close,
    /// Promises more bytes than it sends.
    Half { code: u16 },
    /// Reads the request and never answers.
    Hang,
}

impl Reply {
    pub(super) fn json(code: u16, body: &serde_json::Value) -> Self {
        Self::Answer {
            code,
            headers: vec![("Content-Type", "application/json".into())],
            body: body.to_string().into_bytes(),
        }
    }
}

/// A request as it came: first line, headers, body.
pub(super) type Seen = Arc<Mutex<Vec<String>>>;

/// A cluster whose server gives these replies in turn, and then closes every connection.
pub(super) async fn cluster(replies: Vec<Reply>) -> (KubeCluster, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    tokio::spawn(serve(listener, replies, Arc::clone(&seen)));
    (connect(&server).await, seen)
}

/// A cluster at this address, by a kubeconfig.
pub(super) async fn connect(server: &str) -> KubeCluster {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config");
    let config = serde_json::json!({
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "ops", "user": {"token": "t0p-secret"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "ops"}}],
    });
    std::fs::write(&file, config.to_string()).unwrap();
    KubeCluster::connect(Some(&file), Some("c")).await.unwrap()
}

async fn serve(listener: TcpListener, replies: Vec<Reply>, seen: Seen) {
    let replies = Arc::new(Mutex::new(replies.into_iter()));
    while let Ok((stream, _)) = listener.accept().await {
        let (replies, seen) = (Arc::clone(&replies), Arc::clone(&seen));
        tokio::spawn(async move {
            let mut stream = stream;
            while let Some(request) = read(&mut stream).await {
                seen.lock().unwrap().push(request);
                let reply = replies.lock().unwrap().next().unwrap_or(Reply::Close);
                match reply {
                    Reply::Answer {
                        code,
                        headers,
                        body,
                    } => {
                        let mut head =
                            format!("HTTP/1.1 {code} x\r\nContent-Length: {}\r\n", body.len());
                        for (name, value) in headers {
                            write!(head, "{name}: {value}\r\n").unwrap();
                        }
                        head.push_str("\r\n");
                        // A client that gave up closes: not this server's concern.
                        let _ = stream.write_all(head.as_bytes()).await;
                        let _ = stream.write_all(&body).await;
                    }
                    Reply::Half { code } => {
                        let head = format!("HTTP/1.1 {code} x\r\nContent-Length: 100\r\n\r\n{{");
                        let _ = stream.write_all(head.as_bytes()).await;
                        return;
                    }
                    Reply::Close => return,
                    Reply::Hang => std::future::pending().await,
                }
            }
        });
    }
}

async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
