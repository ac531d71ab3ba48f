//! The seeded fleet is what its description says, judged by a real server-side apply of every release.
#![expect(clippy::unwrap_used, reason = "a test with helpers")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use testbed::seed::{Cause, Drift, Expect, SeededRelease};
use testbed::{ControlPlane, Helm, Options, Seed};

/// What the server says to a dry-run apply of the release's deployed manifest under Helm's name.
fn apply(plane: &ControlPlane, release: &SeededRelease) -> String {
    let helm = Helm::v3(plane).unwrap();
    // Under a failed revision lies the deployed one.
    let revision = if release.drift.contains(&Drift::LastFailed) {
        "1"
    } else {
        "0"
    };
    let get = ["get", "manifest", &release.name, "--revision", revision];
    let file = plane.dir().join(format!("{}.yaml", release.name));
    fs::write(&file, helm.run(&release.namespace, get).unwrap()).unwrap();
    let mut kubectl: Command = plane.kubectl().unwrap();
    kubectl.args([
        "apply",
        "--server-side",
        "--dry-run=server",
        "--field-manager=helm",
        "--namespace",
    ]);
    let output = kubectl
        .arg(&release.namespace)
        .arg("-f")
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether somebody else than Helm is in the way. Helm's own earlier entry may be: a list that is owned as a whole and
/// gets defaults (`volumeClaimTemplates`) differs from the manifest. Adoption takes that entry away.
fn has_foreign_conflict(said: &str) -> bool {
    let owners = said
        .split("with \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    owners
        .into_iter()
        .any(|owner| !["helm", "Go-http-client"].contains(&owner))
}

fn statuses(plane: &ControlPlane, release: &SeededRelease) -> Vec<String> {
    let args = ["history", &release.name, "-o", "json"];
    let text = Helm::v3(plane)
        .unwrap()
        .run(&release.namespace, args)
        .unwrap();
    let list: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
    list.iter()
        .map(|revision| revision["status"].as_str().unwrap().to_owned())
        .collect()
}

fn managers(plane: &ControlPlane, release: &SeededRelease) -> Vec<String> {
    let objects = plane.snapshot().unwrap().filter(|key| {
        let mut parts = key.rsplit('/');
        parts
            .next()
            .is_some_and(|name| name.starts_with(&release.name))
            && parts.next() == Some(&release.namespace)
    });
    let entries = objects
        .objects
        .into_iter()
        .filter(|(key, _)| !key.contains("/pods/") && !key.contains("/jobs/"));
    entries
        .flat_map(|(_, object)| {
            object["metadata"]["managedFields"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|entry| entry["manager"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_release_is_what_it_is_said_to_be() {
    let planes = ControlPlane::start_all(["left", "right"].map(Options::new)).unwrap();
    let releases = Seed {
        seed: 11,
        releases: 52,
    }
    .grow(&planes)
    .unwrap();
    assert_eq!(releases.len(), 52);
    for release in &releases {
        let plane = planes
            .iter()
            .find(|plane| plane.context() == release.cluster)
            .unwrap();
        let said = apply(plane, release);
        let conflict = has_foreign_conflict(&said);
        match release.expect {
            Expect::Held(Cause::ActiveConflict) => assert!(conflict, "{release:?}: {said}"),
            Expect::Held(Cause::InvalidManifest) => {
                assert!(said.contains("duplicate entries"), "{release:?}: {said}");
            }
            _ => assert!(
                !conflict && !said.contains("duplicate"),
                "{release:?}: {said}"
            ),
        }
        let history = statuses(plane, release);
        let last = history.last().unwrap();
        match release.expect {
            Expect::Held(Cause::PendingUpgrade) => {
                assert_eq!(last, "pending-upgrade", "{release:?}");
            }
            Expect::Held(Cause::LatestFailed) => assert_eq!(last, "failed", "{release:?}"),
            _ => assert_eq!(last, "deployed", "{release:?}"),
        }
        for drift in &release.drift {
            let managers = managers(plane, release);
            let has = |name: &str| managers.iter().any(|manager| manager == name);
            match drift {
                Drift::OldManager => assert!(
                    has("Go-http-client") && !has("helm"),
                    "{release:?}: {managers:?}"
                ),
                Drift::ForeignApplier => assert!(has("argocd-controller"), "{release:?}"),
                Drift::ScaledBack => assert!(has("kubectl"), "{release:?}"),
                Drift::EditedBack => assert!(has("kubectl-edit"), "{release:?}"),
                Drift::Restarted => assert!(has("kubectl-rollout"), "{release:?}"),
                Drift::LabelAdded => assert!(has("kubectl-label"), "{release:?}"),
                Drift::TenRevisions => assert_eq!(history.len(), 10, "{release:?}"),
                _ => {}
            }
        }
    }
    // The fleet has come to rest: pictures of it can be compared to the last byte.
    for plane in &planes {
        assert!(plane.settled_snapshot().unwrap().objects.len() > 300);
    }
}
