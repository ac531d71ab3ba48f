//! Whether refit hands a release over as Helm 4 itself would: ownership beside that of a twin that Helm 4 moved, and Helm 4's
//! next upgrade against what the forecast listed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Refit, Stage, changes};
use testbed::{ControlPlane, Helm, Options, Snapshot, charts};

/// Releases of the same charts and drift live in both.
const OURS: &str = "ours";
const TWIN: &str = "twin";

/// Charts of namespaced objects, and one changed value of each.
const CHARTS: [(&str, &str); 4] = [
    ("web", "image.tag=2.0"),
    ("edge", "image.tag=2.0"),
    ("batch", "image.tag=2.0"),
    ("vault", "unused=changed"),
];

/// Helm 3 installs, people do what they do: one label, replicas there and back.
fn grow(plane: &ControlPlane, namespace: &str) {
    let helm = Helm::v3(plane).unwrap();
    for (chart, _) in CHARTS {
        let path = charts::path(chart).display().to_string();
        helm.run(namespace, ["install", chart, &path, "--create-namespace"])
            .unwrap();
    }
    let api = plane.api();
    let all = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    for deployment in api.get(&all).unwrap()["items"].as_array().unwrap() {
        let path = format!("{all}/{}", deployment["metadata"]["name"].as_str().unwrap());
        let label = json!({"metadata": {"labels": {"cost-centre": "7"}}});
        api.merge_patch(&format!("{path}?fieldManager=kubectl-label"), &label)
            .unwrap();
        let before = deployment["spec"]["replicas"].as_u64().unwrap();
        for replicas in [before + 3, before] {
            let scale = json!({"spec": {"replicas": replicas}});
            api.merge_patch(&format!("{path}/scale?fieldManager=kubectl"), &scale)
                .unwrap();
        }
    }
}

/// Helm's objects of a namespace, by what is the same in the twin's.
fn objects(plane: &ControlPlane, namespace: &str) -> Snapshot {
    let mut all = plane.snapshot().unwrap().at_rest().namespace(namespace);
    all.objects.retain(|_, object| {
        let label = object.pointer("/metadata/labels/app.kubernetes.io~1managed-by");
        label.is_some_and(|label| label == "Helm")
    });
    all
}

/// Who owns what, without times; without the order of entries, which is that of times.
fn owners(object: &Value) -> BTreeSet<String> {
    let entries = object["metadata"]["managedFields"].as_array();
    entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let mut entry = entry.clone();
            entry.as_object_mut().unwrap().remove("time");
            entry.to_string()
        })
        .collect()
}

fn migrated(stage: &Stage) -> BTreeSet<String> {
    stage
        .refit
        .json(&["plan", "--save", "p.json", "-o", "json"])
        .unwrap();
    let run = stage
        .refit
        .json(&["run", "p.json", "--yes", "-o", "json"])
        .unwrap()
        .value;
    let items = run["items"].as_array().unwrap();
    items
        .iter()
        .filter(|item| item["state"] == "Done")
        .map(|item| item["release"].as_str().unwrap().to_owned())
        .collect()
}

/// Fields that the forecast of a release lists as owned by others.
fn listed(shadow: &Value, release: &str) -> BTreeSet<String> {
    let items = shadow["items"].as_array().unwrap();
    let item = items.iter().find(|item| {
        item["release"]
            .as_str()
            .is_some_and(|name| name.ends_with(&format!("{OURS}/{release}")))
    });
    let objects = item.unwrap()["objects"].as_array().unwrap();
    objects
        .iter()
        .flat_map(|object| [&object["active"], &object["latent"]])
        .flat_map(|conflicts| conflicts.as_array().into_iter().flatten())
        .map(|conflict| conflict["field"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn ownership_is_as_after_helm_4s_own_way_and_its_next_upgrade_meets_what_was_listed() {
    let planes = vec![ControlPlane::start(Options::new("demo-1").api_only()).unwrap()];
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let refit = Refit::beside(refit, &planes).unwrap();
    let stage = Stage {
        planes,
        releases: Vec::new(),
        refit,
    };
    let plane = &stage.planes[0];
    grow(plane, OURS);
    let shadow = stage.refit.call(&["shadow", "-o", "json"]).unwrap().value;
    let done = migrated(&stage);
    assert_eq!(done.len(), CHARTS.len(), "{done:?}");

    // The twins come after the run, which is why the run leaves them alone.
    grow(plane, TWIN);
    let before = objects(plane, TWIN);
    let helm = Helm::v4(plane).unwrap();
    for (chart, _) in CHARTS {
        let path = charts::path(chart).display().to_string();
        let args = [
            "upgrade",
            chart,
            &path,
            "--reuse-values",
            "--server-side=true",
        ];
        helm.run(TWIN, args).unwrap();
    }
    let (ours, twins) = (objects(plane, OURS), objects(plane, TWIN));
    let moved = changes(&before, &twins).content;
    let mut equal = 0;
    for (key, twin) in twins.objects.iter().filter(|(key, _)| !moved.contains(key)) {
        let ours = &ours.objects[&key.replace(&format!("/{TWIN}/"), &format!("/{OURS}/"))];
        assert_eq!(owners(ours), owners(twin), "{key}");
        equal += 1;
    }
    eprintln!("{equal} objects owned alike; Helm 4 changed values of {moved:?}");
    assert!(equal >= 2 * CHARTS.len());

    for (chart, change) in CHARTS {
        let path = charts::path(chart).display().to_string();
        let args = ["upgrade", chart, &path, "--reuse-values", "--set", change];
        let output = helm.try_run(OURS, args).unwrap();
        let listed = listed(&shadow, chart);
        // The server's words end with the fields: `conflict with "kubectl" using apps/v1: .spec.replicas`, or one a line.
        let met: Vec<&str> = output
            .stderr
            .split_whitespace()
            .filter(|word| word.starts_with('.') && word.len() > 1)
            .collect();
        assert_eq!(output.success, met.is_empty(), "{chart}: {}", output.stderr);
        for field in met {
            assert!(
                listed.contains(field),
                "{chart}: {field} is not in {listed:?}"
            );
        }
    }
    // The forecast is no empty promise: it lists the replicas that kubectl holds.
    assert!(listed(&shadow, "web").contains(".spec.replicas"));
}
