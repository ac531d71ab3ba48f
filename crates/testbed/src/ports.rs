//! Free ports on loopback, without races between parallel tests and processes.
//!
//! The kernel's own choice (port 0) can be taken again between its release and its use. So ports come from a
//! range below the ephemeral one, and each is held by a file lock for as long as its owner lives.

use std::fs::{self, File};
use std::net::TcpListener;

use crate::{Error, scratch};

/// Below Linux' ephemeral range (32768), so that no outgoing connection takes one of them.
const FIRST: u16 = 21_000;
/// The end, exclusive: 2,000 control planes.
const LAST: u16 = 29_000;

/// A port that is ours until this value is dropped.
#[derive(Debug)]
pub struct Port {
    pub number: u16,
    /// Released by the kernel when the process dies.
    _lock: File,
}

/// A port on 127.0.0.1 that is free now and that no other testbed uses.
pub fn free() -> Result<Port, Error> {
    let dir = scratch::base()?.join("ports");
    fs::create_dir_all(&dir).map_err(Error::file("create", &dir))?;
    for number in FIRST..LAST {
        let path = dir.join(number.to_string());
        let lock = File::create(&path).map_err(Error::file("create", &path))?;
        // A detached control plane holds no lock, but it listens.
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
            return Ok(Port {
                number,
                _lock: lock,
            });
        }
    }
    Err(Error::Ports(FIRST, LAST))
}
