//! What a real Helm 4 meets on a seeded fleet, release by release, beside what `refit shadow` had said: at an apply of the
//! stored manifest, and at the next upgrade with changed values.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::demo::{Stage, is_ready};
use testbed::helm::Output;
use testbed::{Api, Helm, Seed, SeededRelease, charts};

use crate::support::at_once;

/// The definitions, then one of every chart with every drift there is.
const FLEET: Seed = Seed {
    seed: 13,
    releases: 37,
};

/// A field in somebody's way: object, owner (`manager` or `manager/subresource`), field.
type Obstacle = (String, String, String);

/// `resource namespace/name`; nothing before the slash for objects of the cluster.
fn named(kind: &str, namespace: &str, name: &str) -> String {
    let kind = kind.to_lowercase();
    let resource = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    };
    format!("{resource} {namespace}/{name}")
}

/// What the server told Helm about conflicts.
///
/// `conflict occurred while applying object shop/web apps/v1, Kind=Deployment: Apply failed with 1 conflict: conflict with
/// "kubectl" with subresource "scale" using apps/v1: .spec.replicas`, and so on for more objects, owners and fields.
fn met(output: &Output) -> BTreeSet<Obstacle> {
    let error = output
        .stderr
        .rsplit_once("Error: ")
        .map_or("", |(_, error)| error);
    let mut met = BTreeSet::new();
    for part in error.split("while applying object ").skip(1) {
        let (head, said) = part.split_once(": ").unwrap();
        let (object, kind) = head.split_once(' ').unwrap();
        let (namespace, name) = object.split_once('/').unwrap_or(("", object));
        let kind = kind.rsplit_once("Kind=").unwrap().1;
        let object = named(kind, namespace, name);
        let said = said.replace(" with subresource \"", "\0");
        for conflict in said.split(" with \"").skip(1) {
            let owner = conflict.split('"').next().unwrap();
            let subresource = conflict
                .split_once("\"\0")
                .map(|(_, rest)| rest.split('"').next().unwrap());
            let owner = match subresource {
                Some(subresource) => format!("{owner}/{subresource}"),
                None => owner.to_owned(),
            };
            let fields = conflict
                .split_whitespace()
                .filter(|word| word.starts_with('.') && word.len() > 1);
            met.extend(fields.map(|field| (object.clone(), owner.clone(), field.to_owned())));
        }
    }
    met
}

/// What the forecast lists of these kinds (`active`, `latent`).
fn listed(forecast: &Value, kinds: &[&str]) -> BTreeSet<Obstacle> {
    let mut listed = BTreeSet::new();
    for object in forecast["objects"].as_array().unwrap() {
        let conflicts = kinds
            .iter()
            .flat_map(|kind| object[kind].as_array().into_iter().flatten());
        for conflict in conflicts {
            let text = |key: &str| conflict[key].as_str().unwrap().to_owned();
            listed.insert((object_of(object), text("owner"), text("field")));
        }
    }
    listed
}

fn object_of(forecast: &Value) -> String {
    let text = |key: &str| forecast["object"][key].as_str().unwrap_or_default();
    named(text("kind"), text("namespace"), text("name"))
}

/// Objects of a cluster by [`named`], without what moves at every write of anybody and without status.
fn objects(stage: &Stage) -> BTreeMap<String, Value> {
    let snapshot = stage.planes[0].settled_snapshot().unwrap().at_rest();
    let objects = snapshot.objects.into_iter().map(|(key, mut object)| {
        let mut parts = key.rsplit('/');
        let name = parts.next().unwrap();
        let namespace = parts.next().unwrap().trim_start_matches('-');
        let resource = parts.next().unwrap();
        let meta = object["metadata"].as_object_mut().unwrap();
        meta.remove("resourceVersion");
        (format!("{resource} {namespace}/{name}"), object)
    });
    objects.collect()
}

/// Somebody changes a field there and back: the value stays Helm's, the owner does not.
struct Hand {
    /// Whose entry it makes.
    manager: &'static str,
    /// Object, as in [`named`], but for the namespace.
    resource: &'static str,
    name: String,
    /// API group and version, as in a URL.
    api: &'static str,
    /// JSON pointer to the field.
    pointer: &'static str,
    /// Another value.
    other: Value,
    /// The field as the server names it.
    field: &'static str,
}

/// What hands there are in a release of this chart: each at a field that [`changed_values`] changes.
fn hands(release: &SeededRelease) -> Vec<Hand> {
    const IMAGE: &str = "/spec/template/spec/containers/0/image";
    let image = |resource, field, suffix: &str| Hand {
        manager: "kubectl-set",
        resource,
        name: format!("{}{suffix}", release.name),
        api: "apis/apps/v1",
        pointer: IMAGE,
        other: json!("registry.example/other:1"),
        field,
    };
    let edit = |resource, api, pointer, field, other| Hand {
        manager: "kubectl-edit",
        resource,
        name: release.name.clone(),
        api,
        pointer,
        other,
        field,
    };
    match release.chart.as_str() {
        "web" => vec![
            Hand {
                manager: "kubectl-label",
                pointer: "/metadata/labels/app.kubernetes.io~1version",
                other: json!("by-hand"),
                field: ".metadata.labels.app.kubernetes.io/version",
                ..image("deployments", "", "")
            },
            image(
                "deployments",
                ".spec.template.spec.containers[name=\"web\"].image",
                "",
            ),
            edit(
                "configmaps",
                "api/v1",
                "/data/greeting",
                ".data.greeting",
                json!("by hand"),
            ),
        ],
        "database" => vec![image(
            "statefulsets",
            ".spec.template.spec.containers[name=\"database\"].image",
            "",
        )],
        "agent" => vec![image(
            "daemonsets",
            ".spec.template.spec.containers[name=\"agent\"].image",
            "",
        )],
        "edge" => vec![image(
            "deployments",
            ".spec.template.spec.containers[name=\"proxy\"].image",
            "",
        )],
        "hooked" => vec![image(
            "deployments",
            ".spec.template.spec.containers[name=\"app\"].image",
            "",
        )],
        "platform" => vec![
            edit(
                "configmaps",
                "api/v1",
                "/data/environment",
                ".data.environment",
                json!("by hand"),
            ),
            Hand {
                pointer: "/spec/template/spec/containers/0/env/0/value",
                other: json!("by hand"),
                ..image(
                    "deployments",
                    ".spec.template.spec.containers[name=\"part\"].env[name=\"ENVIRONMENT\"].value",
                    "-back",
                )
            },
        ],
        "batch" => vec![Hand {
            name: format!("{}-yearly", release.name),
            ..edit(
                "cronjobs",
                "apis/batch/v1",
                "/spec/jobTemplate/spec/template/spec/containers/0/image",
                ".spec.jobTemplate.spec.template.spec.containers[name=\"job\"].image",
                json!("registry.example/other:1"),
            )
        }],
        "vault" => vec![Hand {
            name: format!("{}-session", release.name),
            ..edit(
                "secrets",
                "api/v1",
                "/data/key",
                ".data.key",
                json!("b3RoZXI="),
            )
        }],
        "archive" => vec![edit(
            "configmaps",
            "api/v1",
            "/data/retention",
            ".data.retention",
            json!("1y"),
        )],
        "gadgets" => vec![
            edit(
                "gadgets",
                "apis/testbed.example/v1",
                "/spec/size",
                ".spec.size",
                json!(7),
            ),
            image(
                "deployments",
                ".spec.template.spec.containers[name=\"operator\"].image",
                "-operator",
            ),
        ],
        "widgets" => vec![edit(
            "widgets",
            "apis/testbed.example/v1",
            "/spec/options/colour",
            ".spec.options.colour",
            json!("grey"),
        )],
        "guard" => vec![edit(
            "mutatingwebhookconfigurations",
            "apis/admissionregistration.k8s.io/v1",
            "/webhooks/0/timeoutSeconds",
            ".webhooks[name=\"mutating.testbed.example\"].timeoutSeconds",
            json!(3),
        )],
        other => panic!("{other} is never in anybody's hands"),
    }
}

/// Every value of a chart that may change, changed.
fn changed_values(chart: &str) -> &'static str {
    match chart {
        "web" => "image.tag=2.0,replicas=5,greeting=bye,labels.team=x",
        "platform" => {
            "image.tag=2.0,global.environment=live,front.image.tag=2.0,front.replicas=2,back.replicas=3"
        }
        "gadgets" => "image.tag=2.0,size=9,colour=green",
        "widgets" => "size=9,colour=green",
        "archive" => "retention=20y",
        "guard" => "timeout=2",
        "widget-crds" => "minimum=2",
        // A new password at each upgrade.
        "vault" => "unused=changed",
        _ => "image.tag=2.0",
    }
}

impl Hand {
    /// Changes the field and changes it back. Controllers write to the object meanwhile: a JSON patch has no version.
    fn meddle(&self, api: &Api, namespace: &str) -> Obstacle {
        let of_cluster = self.resource == "mutatingwebhookconfigurations";
        let (folder, namespace) = if of_cluster {
            (String::new(), "")
        } else {
            (format!("/namespaces/{namespace}"), namespace)
        };
        let path = format!("/{}{folder}/{}/{}", self.api, self.resource, self.name);
        let before = api.get(&path).unwrap().pointer(self.pointer).cloned();
        for value in [&self.other, &before.unwrap()] {
            let patch = json!([{"op": "replace", "path": self.pointer, "value": value}]);
            let path = format!("{path}?fieldManager={}", self.manager);
            api.json_patch(&path, &patch).unwrap();
        }
        (
            format!("{} {namespace}/{}", self.resource, self.name),
            self.manager.to_owned(),
            self.field.to_owned(),
        )
    }
}

/// Lets people meddle with every second release of each chart that will be migrated; which field is in whose hands then.
fn meddle(stage: &Stage) -> BTreeMap<String, Obstacle> {
    let api = stage.planes[0].api();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut meddled = BTreeMap::new();
    let free = |release: &&SeededRelease| is_ready(release) && release.chart != "widget-crds";
    for release in stage.releases.iter().filter(free) {
        let count = seen.entry(&release.chart).or_default();
        let hands = hands(release);
        if count.is_multiple_of(2) {
            let hand = &hands[*count / 2 % hands.len()];
            let obstacle = hand.meddle(api, &release.namespace);
            meddled.insert(id(release), obstacle);
        }
        *count += 1;
    }
    meddled
}

fn id(release: &SeededRelease) -> String {
    format!("{}/{}/{}", release.cluster, release.namespace, release.name)
}

/// The stored manifest of the deployed revision, applied by Helm 4's server-side apply: no template is rendered anew.
fn apply_stored(stage: &Stage, release: &SeededRelease) -> Output {
    let plane = &stage.planes[0];
    let records = format!(
        "/api/v1/namespaces/{}/secrets?labelSelector=owner%3Dhelm,status%3Ddeployed,name%3D{}",
        release.namespace, release.name
    );
    let records = plane.api().get(&records).unwrap();
    let deployed = records["items"][0]["metadata"]["labels"]["version"].clone();
    let args = [
        "rollback",
        &release.name,
        deployed.as_str().unwrap(),
        "--server-side=true",
        "--no-hooks",
    ];
    Helm::v4(plane)
        .unwrap()
        .try_run(&release.namespace, args)
        .unwrap()
}

fn upgrade(stage: &Stage, release: &SeededRelease) -> Output {
    let chart = charts::path(&release.chart).display().to_string();
    let changed = changed_values(&release.chart);
    let args = [
        "upgrade",
        &release.name,
        &chart,
        "--reuse-values",
        "--set",
        changed,
    ];
    Helm::v4(&stage.planes[0])
        .unwrap()
        .try_run(&release.namespace, args)
        .unwrap()
}

#[test]
fn helm_4_meets_what_was_listed_and_nothing_else() {
    let refit = PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let stage = Stage::build(refit, 1, FLEET).unwrap();
    let drifts: BTreeSet<_> = stage.releases.iter().flat_map(|it| &it.drift).collect();
    assert_eq!(drifts.len(), 15, "every drift is there: {drifts:?}");
    let meddled = meddle(&stage);
    objects(&stage);

    let shadow = stage.refit.json(&["shadow", "-o", "json"]).unwrap().value;
    let forecasts: BTreeMap<String, &Value> = shadow["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["release"].as_str().unwrap().to_owned(), item))
        .collect();
    assert_eq!(forecasts.len(), stage.releases.len());
    let call = |args: &[&str]| stage.refit.json(args).unwrap().value;
    call(&["plan", "--save", "p.json", "-o", "json"]);
    let run = call(&["run", "p.json", "--yes", "-o", "json"]);
    let items = run["items"].as_array().unwrap().iter();
    let migrated: BTreeSet<String> = items
        .filter(|item| item["state"] == "Done")
        .map(|item| item["release"].as_str().unwrap().to_owned())
        .collect();
    let ready = stage.releases.iter().filter(|it| is_ready(it)).map(id);
    assert_eq!(migrated, ready.collect());

    let counts = stored_manifests(&stage, &forecasts, &migrated);
    eprintln!("{counts}");
    let counts = changed_manifests(&stage, &forecasts, &migrated, &meddled);
    eprintln!("{counts}");
}

/// Helm 4 applies what is stored, for every release there is.
fn stored_manifests(
    stage: &Stage,
    forecasts: &BTreeMap<String, &Value>,
    migrated: &BTreeSet<String>,
) -> String {
    let before = objects(stage);
    let outputs = at_once(&stage.releases, |release| apply_stored(stage, release));
    let after = objects(stage);
    let (mut refused, mut conflicts, mut untouched) = (0, 0, 0);
    for (release, output) in stage.releases.iter().zip(&outputs) {
        let (id, said) = (id(release), &output.stderr);
        let forecast = forecasts[&id];
        let wanted = listed(forecast, &["active"]);
        assert_eq!(met(output), wanted, "{id}: {said}");
        conflicts += wanted.len();
        let mut fits = wanted.is_empty();
        for object in forecast["objects"].as_array().unwrap() {
            let name = object_of(object);
            let outcome = object["outcome"]["type"].as_str().unwrap();
            fits &= outcome != "invalid";
            match outcome {
                "missing" => {
                    assert!(
                        !before.contains_key(&name) && after.contains_key(&name),
                        "{id} {name}"
                    );
                    continue;
                }
                "ownershipOnly" | "migrated" | "conflict" | "invalid" | "foreignApplier" => {}
                _ => panic!("{id} {name}: {outcome}"),
            }
            let (left, right) = (&before[&name], &after[&name]);
            if migrated.contains(&id) || outcome == "migrated" {
                assert_eq!(left, right, "{id} {name}: applied, and not the same");
                untouched += 1;
            } else {
                assert_eq!(unowned(left), unowned(right), "{id} {name}: another value");
            }
        }
        assert_eq!(output.success, fits, "{id}: {said}");
        refused += usize::from(!fits);
    }
    assert!(refused > 0 && conflicts > 0 && untouched > migrated.len());
    format!(
        "stored manifests: {} releases applied by Helm 4, {refused} refused as forecast, {conflicts} conflicts, all as forecast; \
         {untouched} objects that refit had migrated were not changed, to the byte",
        stage.releases.len()
    )
}

fn unowned(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    object
}

/// Helm 4 upgrades every migrated release with changed values.
fn changed_manifests(
    stage: &Stage,
    forecasts: &BTreeMap<String, &Value>,
    migrated: &BTreeSet<String>,
    meddled: &BTreeMap<String, Obstacle>,
) -> String {
    let all: Vec<&SeededRelease> = stage
        .releases
        .iter()
        .filter(|release| migrated.contains(&id(release)))
        .collect();
    let outputs = at_once(&all, |release| upgrade(stage, release));
    let (mut passed, mut collided, mut conflicts, mut unlisted) = (0, 0, 0, Vec::new());
    for (release, output) in all.iter().zip(&outputs) {
        let (id, said) = (id(release), &output.stderr);
        let listed = listed(forecasts[&id], &["active", "latent"]);
        let met = met(output);
        // Whatever Helm fails for is a conflict, so none hides behind another error.
        assert_eq!(output.success, met.is_empty(), "{id}: {said}");
        unlisted.extend(met.difference(&listed).map(|it| (id.clone(), it.clone())));
        if let Some(obstacle) = meddled.get(&id) {
            assert!(
                met.contains(obstacle),
                "{id}: {obstacle:?} is not in {met:?}"
            );
        }
        passed += usize::from(output.success);
        collided += usize::from(!output.success);
        conflicts += met.len();
    }
    assert!(unlisted.is_empty(), "not listed: {unlisted:#?}");
    assert!(collided >= meddled.len() && passed > 0);
    format!(
        "changed values: {} migrated releases upgraded by Helm 4, {passed} passed, {collided} met {conflicts} conflicts, \
         0 that the forecast did not list",
        all.len()
    )
}
