//! Waiting until the parts of a control plane are of use.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process::Process;
use crate::{Api, Error};

/// On a busy machine with two cores several API servers start at once; one alone needs 3 s.
const PATIENCE: Duration = Duration::from_mins(3);

/// Short beside the 3 s of a start.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until the answer is good, the server has ended or the patience is.
fn until(
    what: &str,
    servers: &mut [&mut Process],
    mut ask: impl FnMut() -> Result<(), String>,
) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        let Err(last) = ask() else { return Ok(()) };
        let ended = servers.iter_mut().position(|server| server.has_ended());
        if ended.is_some() || start.elapsed() > PATIENCE {
            let log = ended
                .or(Some(0))
                .and_then(|at| servers.get(at))
                .map(|server| server.log_tail());
            return Err(Error::NotReady {
                what: what.into(),
                after: start.elapsed(),
                last,
                log: log.unwrap_or_default(),
            });
        }
        std::thread::sleep(PAUSE);
    }
}

/// Until somebody listens on the port.
pub fn listening(port: u16, server: &mut Process) -> Result<(), Error> {
    until("etcd", &mut [server], || {
        TcpStream::connect(("127.0.0.1", port))
            .map(drop)
            .map_err(|error| error.to_string())
    })
}

/// Until the API server says that it is ready and has made its first objects.
pub fn ready(api: &Api, server: &mut Process) -> Result<(), Error> {
    until("kube-apiserver", &mut [server], || {
        for path in ["/readyz", "/api/v1/namespaces/default"] {
            let answer = api
                .send("GET", path, "", &[])
                .map_err(|error| chain(&error))?;
            if answer.status != 200 {
                return Err(format!("{path}: {}", answer.body));
            }
        }
        Ok(())
    })
}

/// Until the controllers work: the default namespace has its service account, and the node is ready.
pub fn useful(api: &Api, workloads: bool, servers: &mut [Process]) -> Result<(), Error> {
    if !workloads {
        return Ok(());
    }
    let mut servers: Vec<&mut Process> = servers.iter_mut().collect();
    until("the controllers", &mut servers, || {
        for path in [
            "/api/v1/namespaces/default/serviceaccounts/default",
            "/api/v1/namespaces/default/configmaps/kube-root-ca.crt",
        ] {
            api.get(path).map_err(|error| chain(&error))?;
        }
        let node = api
            .get("/api/v1/nodes/node-0")
            .map_err(|error| chain(&error))?;
        let conditions = node["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten();
        let ready = conditions
            .filter(|c| c["type"] == "Ready")
            .any(|c| c["status"] == "True");
        if ready && node["spec"]["taints"].is_null() {
            Ok(())
        } else {
            Err(format!("node: {}", node["spec"]))
        }
    })
}

/// An error with its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
