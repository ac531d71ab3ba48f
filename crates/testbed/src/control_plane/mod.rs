//! One running control plane: etcd, API server, controllers, scheduler, and a node whose pods kwok runs.
//!
//! Dropping a [`ControlPlane`] stops its processes and removes its data; if the owner is killed, the kernel stops
//! them and the next process that uses the testbed removes the data. The drop takes milliseconds, nothing is saved.

mod args;
mod kubeconfig;
mod layout;
mod options;
mod store;
mod wait;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use options::{Options, User};

use self::kubeconfig::Entry;
use self::layout::Layout;
use crate::pki::Pki;
use crate::ports::{self, Port};
use crate::process::{Lifetime, Process};
use crate::scratch::Scratch;
use crate::{Api, AuditLog, Error, Snapshot, Tool, env, manifests, pki, snapshot, tools};

/// The user who may do everything.
pub const ADMIN: &str = "admin";

/// Longer than a controller needs from one write to the next that follows from it.
const QUIET: Duration = Duration::from_secs(1);

/// How long a cluster may take to come to rest.
const PATIENCE: Duration = Duration::from_mins(2);

const VOLUMES: &str = "/api/v1/persistentvolumes";

/// One running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    // Fields drop in this order: first the clients of the API server, then it, then its store, then the files.
    workers: Vec<Process>,
    apiserver: Process,
    etcd: Process,
    /// Client and peer port of etcd, the API server's, kwok's if it runs.
    ports: Vec<Port>,
    options: Options,
    layout: Layout,
    pki: Pki,
    api: Api,
    _data: Scratch,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is of use. Builds the binaries if they are nowhere.
    pub fn start(options: Options) -> Result<Self, Error> {
        let data = match (&options.data_dir, options.detached) {
            (Some(dir), true) => Scratch::kept(absolute(dir)?)?,
            (Some(dir), false) => Scratch::owned(absolute(dir)?)?,
            (None, true) => {
                return Err(Error::Misuse(
                    "a detached control plane needs a data directory".into(),
                ));
            }
            (None, false) => Scratch::new(&options.name)?,
        };
        let lifetime = lifetime(&options);
        let layout = Layout {
            dir: data.path().to_owned(),
        };
        let pki = pki::make(&layout.pki())?;
        let tokens = tokens(&pki, &options)?;
        let start = |tool: Tool, args: &[String]| {
            Process::start(tool.name(), &tool.path()?, args, &layout.dir, lifetime)
        };

        let [client, peer, secure] = [ports::free()?, ports::free()?, ports::free()?];
        let mut etcd = start(Tool::Etcd, &args::etcd(&layout, client.number, peer.number))?;
        let server = format!("https://127.0.0.1:{}", secure.number);
        let list: Vec<String> = tokens
            .iter()
            .map(|(user, token, groups)| format!("{token},{user},{user},\"{groups}\""))
            .collect();
        write(&layout.tokens(), &list.join("\n"))?;
        write(
            &layout.audit_policy(),
            &manifests::audit_policy().to_string(),
        )?;
        for (user, token, _) in &tokens {
            let entry = Entry {
                name: &options.name,
                server: &server,
                ca: &pki.ca,
                token,
            };
            write(
                &layout.kubeconfig(user),
                &kubeconfig::of(&[entry]).to_string(),
            )?;
        }
        wait::listening(client.number, &mut etcd)?;
        let mut apiserver = start(
            Tool::KubeApiserver,
            &args::apiserver(&layout, &pki, client.number, secure.number),
        )?;
        let api = Api::new(&server, &pki.ca_pem, &admin_token(&pki)?)?;
        wait::ready(&api, &mut apiserver)?;

        let mut workers = Vec::new();
        let mut ports = vec![client, peer, secure];
        if options.workloads {
            let kwok = Tool::Kwok.path()?;
            let port = ports::free()?;
            workers.push(start(
                Tool::KubeControllerManager,
                &args::controller_manager(&layout, &pki),
            )?);
            workers.push(start(Tool::KubeScheduler, &args::scheduler(&layout))?);
            workers.push(start(
                Tool::Kwok,
                &args::kwok(&layout, &tools::kwok_stages(&kwok), port.number),
            )?);
            ports.push(port);
            api.post("/api/v1/nodes", &manifests::node("node-0"))?;
        }
        for number in 0..options.volumes {
            api.post(VOLUMES, &manifests::volume(&format!("testbed-{number}")))?;
        }
        wait::useful(&api, options.workloads, &mut workers)?;
        Ok(Self {
            workers,
            apiserver,
            etcd,
            ports,
            options,
            layout,
            pki,
            api,
            _data: data,
        })
    }

    /// Starts several at once; takes little longer than one.
    pub fn start_all(options: impl IntoIterator<Item = Options>) -> Result<Vec<Self>, Error> {
        let threads: Vec<_> = options
            .into_iter()
            .map(|options| std::thread::spawn(move || Self::start(options)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(Error::Misuse("a starting thread panicked".into())))
            })
            .collect()
    }

    /// The name of its context in every kubeconfig that it writes.
    pub fn context(&self) -> &str {
        &self.options.name
    }

    /// The kubeconfig of a user: [`ADMIN`], or one of [`Options::users`].
    pub fn kubeconfig(&self, user: &str) -> PathBuf {
        self.layout.kubeconfig(user)
    }

    /// A kubeconfig with any token, as for one that the server does not know (any more): every request is 401.
    pub fn kubeconfig_with_token(&self, file: &str, token: &str) -> Result<PathBuf, Error> {
        let path = self.layout.kubeconfig(file);
        let entry = Entry {
            name: self.context(),
            server: self.api.server(),
            ca: &self.pki.ca,
            token,
        };
        write(&path, &kubeconfig::of(&[entry]).to_string())?;
        Ok(path)
    }

    /// Allows a user of [`Options::users`] what these RBAC rules say (`[{apiGroups, resources, verbs}, ..]`), cluster-wide.
    pub fn grant(&self, user: &str, rules: &Value) -> Result<(), Error> {
        let [role, binding] = manifests::grant(user, rules);
        let group = "/apis/rbac.authorization.k8s.io/v1";
        self.api.post(&format!("{group}/clusterroles"), &role)?;
        self.api
            .post(&format!("{group}/clusterrolebindings"), &binding)?;
        Ok(())
    }

    /// One more volume that a claim can bind to; a name that no other volume has.
    pub fn add_volume(&self, name: &str) -> Result<(), Error> {
        self.api.post(VOLUMES, &manifests::volume(name)).map(drop)
    }

    /// Stores an object past the API server, straight in etcd, below a key such as `/registry/configmaps/shop/web`.
    pub fn plant(&self, key: &str, object: &Value) -> Result<(), Error> {
        let [client, ..] = self.ports.as_slice() else {
            return Err(Error::Misuse("a control plane without ports".into()));
        };
        store::put(client.number, key, object)
    }

    /// A client of the admin.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// A client of another user.
    pub fn api_as(&self, user: &str) -> Result<Api, Error> {
        Api::new(
            self.api.server(),
            &self.pki.ca_pem,
            &token(&self.pki, user)?,
        )
    }

    /// The real kubectl, as the admin, with nothing of the developer's environment.
    pub fn kubectl(&self) -> Result<Command, Error> {
        let mut command = Command::new(Tool::Kubectl.path()?);
        command
            .env_clear()
            .env("PATH", env::path())
            .env("HOME", &self.layout.dir)
            .env("KUBECONFIG", self.kubeconfig(ADMIN));
        Ok(command)
    }

    /// Every object that there is now.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        Snapshot::take(&self.api)
    }

    /// Every object, once nothing moves any more: two pictures a second apart that are equal to the last byte.
    pub fn settled_snapshot(&self) -> Result<Snapshot, Error> {
        let start = Instant::now();
        let mut last = self.snapshot()?;
        loop {
            std::thread::sleep(QUIET);
            let next = self.snapshot()?;
            let moved = snapshot::diff(&last, &next, false);
            let Some(difference) = moved.first() else {
                return Ok(next);
            };
            if start.elapsed() > PATIENCE {
                return Err(Error::NotReady {
                    what: format!("a quiet moment on {}", self.context()),
                    after: start.elapsed(),
                    last: difference.to_string(),
                    log: String::new(),
                });
            }
            last = next;
        }
    }

    /// Kills the API server: requests fail until [`ControlPlane::start_apiserver`]. The data stays in etcd.
    pub fn stop_apiserver(&mut self) {
        self.apiserver.kill();
    }

    /// Starts the API server again, at the same address, and waits until it is ready.
    pub fn start_apiserver(&mut self) -> Result<(), Error> {
        self.apiserver.kill();
        let [client, _, secure, ..] = self.ports.as_slice() else {
            return Err(Error::Misuse("a control plane without ports".into()));
        };
        let args = args::apiserver(&self.layout, &self.pki, client.number, secure.number);
        let tool = Tool::KubeApiserver;
        let lifetime = lifetime(&self.options);
        self.apiserver = Process::start(
            tool.name(),
            &tool.path()?,
            &args,
            &self.layout.dir,
            lifetime,
        )?;
        wait::ready(&self.api, &mut self.apiserver)
    }

    /// The requests that the API server has answered until now.
    pub fn audit(&self) -> Result<AuditLog, Error> {
        AuditLog::read(&self.layout.audit_log(), &self.api)
    }

    /// Where the audit log is: one JSON event a line.
    pub fn audit_path(&self) -> PathBuf {
        self.layout.audit_log()
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        &self.layout.dir
    }

    /// The process ids of its servers.
    pub fn process_ids(&self) -> Vec<u32> {
        self.workers
            .iter()
            .chain([&self.apiserver, &self.etcd])
            .map(Process::id)
            .collect()
    }
}

/// One kubeconfig with the admin's context of each of these control planes; the first is current.
pub fn merged_kubeconfig(planes: &[ControlPlane]) -> Result<String, Error> {
    let tokens: Vec<String> = planes
        .iter()
        .map(|plane| admin_token(&plane.pki))
        .collect::<Result<_, _>>()?;
    let entries: Vec<Entry<'_>> = planes
        .iter()
        .zip(&tokens)
        .map(|(plane, token)| Entry {
            name: plane.context(),
            server: plane.api.server(),
            ca: &plane.pki.ca,
            token,
        })
        .collect();
    Ok(kubeconfig::of(&entries).to_string())
}

fn lifetime(options: &Options) -> Lifetime {
    if options.detached {
        Lifetime::Detached
    } else {
        Lifetime::Owner
    }
}

fn admin_token(pki: &Pki) -> Result<String, Error> {
    token(pki, ADMIN)
}

/// A token that nobody guesses: a digest of a fresh private key and the user's name.
fn token(pki: &Pki, user: &str) -> Result<String, Error> {
    let key = fs::read(&pki.accounts_key).map_err(Error::file("read", &pki.accounts_key))?;
    let digest = Sha256::new()
        .chain_update(key)
        .chain_update(user)
        .finalize();
    Ok(hex(&digest))
}

/// User, token and groups of everybody whom the server shall know.
fn tokens(pki: &Pki, options: &Options) -> Result<Vec<(String, String, String)>, Error> {
    let mut all = vec![(
        ADMIN.to_owned(),
        admin_token(pki)?,
        "system:masters".to_owned(),
    )];
    for user in &options.users {
        all.push((
            user.name.clone(),
            token(pki, &user.name)?,
            user.groups.join(","),
        ));
    }
    Ok(all)
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(Error::file("write", path))
}

fn absolute(dir: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(dir).map_err(Error::file("find", dir))
}
