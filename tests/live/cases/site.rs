//! Where a case plays: its namespace, its chart, and the tools bound to both.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::helm::Output;
use testbed::{Api, ControlPlane, Helm};

/// Caches of the server follow within a second or two; this covers a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A case's place.
pub struct Site<'a> {
    pub plane: &'a ControlPlane,
    folder: PathBuf,
    pub name: &'static str,
}

impl<'a> Site<'a> {
    /// A case's place, whose chart is there already.
    pub fn at(plane: &'a ControlPlane, base: &Path, name: &'static str) -> Self {
        Self {
            plane,
            folder: base.join("cases").join(name),
            name,
        }
    }

    /// With a chart of one template in a folder of its own.
    pub fn new(plane: &'a ControlPlane, base: &Path, name: &'static str, template: &str) -> Self {
        let site = Self::at(plane, base, name);
        std::fs::create_dir_all(site.folder.join("templates")).unwrap();
        let about = "apiVersion: v2\nname: case\nversion: 1.0.0\n";
        std::fs::write(site.folder.join("Chart.yaml"), about).unwrap();
        std::fs::write(site.folder.join("values.yaml"), "value: a\n").unwrap();
        site.template(template);
        site
    }

    /// Another template for the next Helm.
    pub fn template(&self, text: &str) {
        std::fs::write(self.folder.join("templates/all.yaml"), text).unwrap();
    }

    /// A file of the chart.
    pub fn chart_file(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn chart(&self) -> String {
        self.folder.display().to_string()
    }

    pub fn api(&self) -> &Api {
        self.plane.api()
    }

    /// `/api/v1/namespaces/<case>/<rest>`
    pub fn core(&self, rest: &str) -> String {
        format!("/api/v1/namespaces/{}/{rest}", self.name)
    }

    /// `/apis/<group/version>/namespaces/<case>/<rest>`
    pub fn group(&self, group: &str, rest: &str) -> String {
        format!("/apis/{group}/namespaces/{}/{rest}", self.name)
    }

    fn args<'b>(&self, verb: &'b str, chart: &'b str, more: &[&'b str]) -> Vec<&'b str> {
        [&[verb, self.name, chart][..], more].concat()
    }

    /// Helm 3's install.
    pub fn install(&self, more: &[&str]) {
        let out = self.try_install(more);
        assert!(out.success, "{}: helm install: {}", self.name, out.stderr);
    }

    /// Helm 3's install, whichever way it ends.
    pub fn try_install(&self, more: &[&str]) -> Output {
        let chart = self.chart();
        let args = self.args("install", &chart, more);
        let helm = Helm::v3(self.plane).unwrap();
        helm.try_run(self.name, [&args[..], &["--create-namespace"]].concat())
            .unwrap()
    }

    /// Helm 3's upgrade with the chart as it is now.
    pub fn upgrade3(&self, more: &[&str]) {
        let out = self.try_upgrade3(more);
        assert!(out.success, "{}: helm upgrade: {}", self.name, out.stderr);
    }

    pub fn try_upgrade3(&self, more: &[&str]) -> Output {
        let chart = self.chart();
        let args = self.args("upgrade", &chart, more);
        Helm::v3(self.plane)
            .unwrap()
            .try_run(self.name, args)
            .unwrap()
    }

    /// Helm 4's upgrade with the chart as it is now.
    pub fn upgrade4(&self, more: &[&str]) -> Output {
        let chart = self.chart();
        let args = self.args("upgrade", &chart, more);
        self.helm4(&args)
    }

    /// Helm 4.
    pub fn helm4(&self, args: &[&str]) -> Output {
        Helm::v4(self.plane)
            .unwrap()
            .try_run(self.name, args)
            .unwrap()
    }

    /// Helm 3.
    pub fn helm3(&self, args: &[&str]) -> Output {
        Helm::v3(self.plane)
            .unwrap()
            .try_run(self.name, args)
            .unwrap()
    }

    /// kubectl in the case's namespace.
    pub fn kubectl(&self, args: &[&str]) -> String {
        kubectl(
            self.plane,
            &[&["--namespace", self.name][..], args].concat(),
            "",
        )
    }

    /// kubectl with an input.
    pub fn kubectl_with(&self, args: &[&str], input: &str) -> String {
        kubectl(
            self.plane,
            &[&["--namespace", self.name][..], args].concat(),
            input,
        )
    }

    /// Writes an object as somebody: a merge patch under a manager's name.
    pub fn patched_by(&self, manager: &str, path: &str, patch: &Value) {
        self.api()
            .merge_patch(&format!("{path}?fieldManager={manager}"), patch)
            .unwrap();
    }

    /// Rewrites managedFields; other writers may come between reading and writing.
    pub fn owners(&self, path: &str, change: impl Fn(&mut Vec<Value>)) {
        let started = Instant::now();
        loop {
            let live = self.api().get(path).unwrap();
            let meta = &live["metadata"];
            let mut entries = meta["managedFields"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            change(&mut entries);
            let wish = if entries.is_empty() {
                json!([{}])
            } else {
                json!(entries)
            };
            let patch = json!([
                { "op": "replace", "path": "/metadata/managedFields", "value": wish },
                { "op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"] },
            ]);
            match self.api().json_patch(path, &patch) {
                Ok(_) => return,
                Err(error) => {
                    let busy = error.status() == Some(409) && started.elapsed() < PATIENCE;
                    assert!(busy, "{}: {error}", self.name);
                }
            }
        }
    }

    /// Stores an object again with other managedFields, past the API server: with entries that it would not take.
    pub fn plant(&self, resource: &str, path: &str, change: impl Fn(&mut Vec<Value>)) {
        let mut live = self.api().get(path).unwrap();
        let metadata = live["metadata"].as_object_mut().unwrap();
        metadata.remove("resourceVersion");
        change(metadata["managedFields"].as_array_mut().unwrap());
        let name = metadata["name"].as_str().unwrap().to_owned();
        let wished = metadata["managedFields"].clone();
        let key = format!("/registry/{resource}/{}/{name}", self.name);
        self.plane.plant(&key, &live).unwrap();
        self.until("what was planted", || {
            self.api().get(path).unwrap()["metadata"]["managedFields"] == wished
        });
    }

    /// Waits for something of the server's own caches.
    pub fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(
                started.elapsed() < PATIENCE,
                "{}: {what} did not come true",
                self.name
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The managers of an object: `helm/Apply`, `kubectl-scale/Update/scale`, …; status writers left out.
    pub fn managers(&self, path: &str) -> Vec<String> {
        let live = self.api().get(path).unwrap();
        let entries = live["metadata"]["managedFields"].as_array().cloned();
        let mut names: Vec<String> = entries
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry["subresource"] != "status")
            .map(|entry| {
                let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
                format!("{}/{}", text("manager"), text("operation"))
            })
            .collect();
        names.sort();
        names
    }
}

/// kubectl; panics with what it said if it fails.
pub fn kubectl(plane: &ControlPlane, args: &[&str], input: &str) -> String {
    let mut child = plane
        .kubectl()
        .unwrap()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A kubectl that ends early says why on stderr.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "kubectl {}: {}",
        args.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
