//! What happens to releases behind Helm's back, by the tools that do it in life.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Drift, SeededRelease};
use crate::control_plane::hex;
use crate::{ControlPlane, Error, Helm, charts};

/// A controller may write an object's status between our reading and writing it, a few times in a row while pods start.
const ATTEMPTS: usize = 20;

/// Helm writes the pending record within milliseconds of its start.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lets the drift happen.
pub fn make(plane: &ControlPlane, release: &SeededRelease, drift: Drift) -> Result<(), Error> {
    let kubectl = |args: &[&str]| kubectl(plane, release, args, "", None);
    let workload = workload(release);
    match drift {
        Drift::ScaledAway => kubectl(&["scale", &workload, "--replicas=3"])?,
        Drift::ScaledBack => {
            kubectl(&["scale", &workload, "--replicas=3"])?;
            kubectl(&["scale", &workload, "--replicas=2"])?
        }
        Drift::Edited if release.chart == "widgets" => {
            edit(plane, release, "widget", "size: 3", "size: 4")?
        }
        Drift::Edited => edit(
            plane,
            release,
            "configmap",
            "log-level: info",
            "log-level: debug",
        )?,
        Drift::EditedBack => {
            edit(
                plane,
                release,
                "configmap",
                "log-level: info",
                "log-level: debug",
            )?;
            edit(
                plane,
                release,
                "configmap",
                "log-level: debug",
                "log-level: info",
            )?
        }
        Drift::Restarted => kubectl(&["rollout", "restart", &workload])?,
        Drift::LabelAdded => kubectl(&["label", &workload, "cost-centre=4711"])?,
        Drift::LabelChanged => kubectl(&[
            "label",
            "--overwrite",
            &workload,
            "app.kubernetes.io/version=by-hand",
        ])?,
        Drift::ImageSet => {
            kubectl(&["set", "image", &workload, "web=registry.example/web:hotfix"])?
        }
        Drift::ObjectDeleted => kubectl(&["delete", "configmap", &release.name])?,
        // The autoscaler of the chart does it by itself; `settle` waits for it.
        Drift::AutoscalerMoved => String::new(),
        Drift::OldManager => return rename_manager(plane, release),
        Drift::ForeignApplier => {
            let manifest = manifest(plane, release)?;
            let args = [
                "apply",
                "--server-side",
                "--force-conflicts",
                "--field-manager=argocd-controller",
                "-f",
                "-",
            ];
            self::kubectl(plane, release, &args, &manifest, None)?
        }
        Drift::PendingUpgrade => return kill_upgrade(plane, release),
        Drift::TenRevisions => {
            for revision in 2..=10 {
                upgrade(
                    plane,
                    release,
                    &["--set", &format!("greeting=revision-{revision}")],
                )?;
            }
            String::new()
        }
        Drift::LastFailed => {
            // The server refuses the Deployment; nothing else changes.
            match upgrade(plane, release, &["--set", "replicas=-1"]) {
                Err(Error::Command { .. }) => String::new(),
                Err(error) => return Err(error),
                Ok(()) => return Err(unexpected(release, "an upgrade to -1 replicas passed")),
            }
        }
    };
    Ok(())
}

fn unexpected(release: &SeededRelease, what: &str) -> Error {
    Error::Seed {
        release: format!("{}/{}/{}", release.cluster, release.namespace, release.name),
        what: what.into(),
    }
}

/// The release's main workload, as kubectl names it.
fn workload(release: &SeededRelease) -> String {
    let name = &release.name;
    match release.chart.as_str() {
        "database" => format!("statefulset/{name}"),
        "agent" => format!("daemonset/{name}"),
        "platform" => format!("deployment/{name}-front"),
        _ => format!("deployment/{name}"),
    }
}

/// Runs kubectl in the release's namespace and gives its standard output.
fn kubectl(
    plane: &ControlPlane,
    release: &SeededRelease,
    args: &[&str],
    input: &str,
    editor: Option<&str>,
) -> Result<String, Error> {
    let start = |source| Error::Start {
        program: "kubectl".into(),
        source,
    };
    let mut command = plane.kubectl()?;
    command.args(["--namespace", &release.namespace]).args(args);
    if let Some(editor) = editor {
        command.env("KUBE_EDITOR", editor);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A kubectl that ends early says why on stderr.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(start)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::Command {
        command: format!("kubectl -n {} {}", release.namespace, args.join(" ")),
        status: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// `kubectl edit` with an editor that replaces a text.
fn edit(
    plane: &ControlPlane,
    release: &SeededRelease,
    kind: &str,
    from: &str,
    to: &str,
) -> Result<String, Error> {
    let script = plane
        .dir()
        .join(format!("edit-{}-{}.sh", release.name, hex(to.as_bytes())));
    fs::write(
        &script,
        format!("#!/bin/sh\nexec sed -i 's/{from}/{to}/' \"$1\"\n"),
    )
    .and_then(|()| fs::set_permissions(&script, fs::Permissions::from_mode(0o755)))
    .map_err(Error::file("write", &script))?;
    let said = kubectl(
        plane,
        release,
        &["edit", kind, &release.name],
        "",
        script.to_str(),
    )?;
    if said.contains("edited") {
        Ok(said)
    } else {
        Err(unexpected(release, &format!("kubectl edit said: {said}")))
    }
}

fn manifest(plane: &ControlPlane, release: &SeededRelease) -> Result<String, Error> {
    Helm::v3(plane)?.run(&release.namespace, ["get", "manifest", &release.name])
}

fn upgrade(plane: &ControlPlane, release: &SeededRelease, more: &[&str]) -> Result<(), Error> {
    let chart = charts::path(&release.chart).display().to_string();
    let mut args = vec!["upgrade", &release.name, &chart, "--reuse-values"];
    args.extend(more);
    Helm::v3(plane)?.run(&release.namespace, args).map(drop)
}

/// Renames `helm`'s entries to the name under which older Helms wrote.
fn rename_manager(plane: &ControlPlane, release: &SeededRelease) -> Result<(), Error> {
    let manifest = manifest(plane, release)?;
    for _ in 0..ATTEMPTS {
        let get = ["get", "-f", "-", "-o", "json", "--show-managed-fields"];
        let text = kubectl(plane, release, &get, &manifest, None)?;
        let list: Value = serde_json::from_str(&text).map_err(|source| Error::Json {
            what: "kubectl's list".into(),
            source,
        })?;
        let mut left = 0;
        for object in list["items"].as_array().into_iter().flatten() {
            left += usize::from(!rename_in(plane, release, object)?);
        }
        if left == 0 {
            return Ok(());
        }
    }
    Err(unexpected(release, "its objects did not stay still"))
}

/// Whether the object has no entry of `helm` any more; `false` if it moved meanwhile.
fn rename_in(plane: &ControlPlane, release: &SeededRelease, object: &Value) -> Result<bool, Error> {
    let meta = &object["metadata"];
    let mut entries = meta["managedFields"].clone();
    let mut renamed = 0;
    for entry in entries
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter(|entry| entry["manager"] == "helm")
    {
        entry["manager"] = json!("Go-http-client");
        renamed += 1;
    }
    if renamed == 0 {
        return Ok(true);
    }
    let patch = json!([
        { "op": "replace", "path": "/metadata/managedFields", "value": entries },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"] },
    ]);
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = format!(
        "{}.{version}.{group}",
        object["kind"].as_str().unwrap_or_default()
    );
    let (name, patch) = (meta["name"].as_str().unwrap_or_default(), patch.to_string());
    match kubectl(
        plane,
        release,
        &["patch", &kind, name, "--type=json", "-p", &patch],
        "",
        None,
    ) {
        Ok(_) => Ok(true),
        Err(Error::Command { stderr, .. }) if stderr.contains("the object has been modified") => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Kills Helm in the middle of an upgrade: while its pre-upgrade hook runs, so no object has changed yet.
fn kill_upgrade(plane: &ControlPlane, release: &SeededRelease) -> Result<(), Error> {
    let chart = charts::path(&release.chart).display().to_string();
    let mut helm = Helm::v3(plane)?
        .command(
            &release.namespace,
            ["upgrade", &release.name, &chart, "--reuse-values"],
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| Error::Start {
            program: "helm".into(),
            source,
        })?;
    let record = format!(
        "/api/v1/namespaces/{}/secrets/sh.helm.release.v1.{}.v2",
        release.namespace, release.name
    );
    let start = Instant::now();
    while plane.api().get(&record).is_err() && start.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Fails only when it has ended, and then the record says so.
    let _ = helm.kill();
    let _ = helm.wait();
    let status = plane.api().get(&record)?["metadata"]["labels"]["status"].clone();
    if status == "pending-upgrade" {
        Ok(())
    } else {
        Err(unexpected(release, &format!("the upgrade is {status}")))
    }
}
