//! Records of real Helm, on a real control plane: refit reads what Helm 3 and 4 wrote, and they read what refit wrote.
use refit::domain::release::Driver;
use refit::helm::forms::{self, Lock};
use refit::helm::storage::OWNER_SELECTOR;
use refit::helm::{ApplyMethod, Record, RecordHead, Status, StoredRecord, manifest, object_name};
use serde_json::{Value, json};
use testbed::{ControlPlane, Helm, Options, charts};

const NOW: &str = "2026-12-01T08:00:00.25Z";
const NOW_UNIX: i64 = 1_796_112_000;

struct Site<'a> {
    plane: &'a ControlPlane,
    driver: Driver,
    namespace: &'static str,
}

impl Site<'_> {
    fn path(&self) -> String {
        let resource = self.driver.resource();
        format!("/api/v1/namespaces/{}/{resource}", self.namespace)
    }

    fn stored(&self, revision: u32) -> StoredRecord {
        let path = format!("{}/{}", self.path(), object_name("web", revision));
        StoredRecord::from_api(self.driver, self.plane.api().get(&path).unwrap()).unwrap()
    }

    fn put(&self, body: &Value) -> Value {
        let name = body["metadata"]["name"].as_str().unwrap();
        self.plane
            .api()
            .put(&format!("{}/{name}", self.path()), body)
            .unwrap()
    }

    /// Runs Helm; true if it succeeded, with what it said.
    fn helm(&self, helm: &Helm, args: &[&str]) -> (bool, String) {
        let mut command = helm.command(self.namespace, args);
        if self.driver == Driver::ConfigMap {
            command.env("HELM_DRIVER", "configmap");
        }
        let output = command.output().unwrap();
        let text = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    fn ok(&self, helm: &Helm, args: &[&str]) -> String {
        let (success, text) = self.helm(helm, args);
        assert!(success, "helm {args:?}: {text}");
        text
    }

    fn history(&self, helm: &Helm) -> Vec<(u64, String)> {
        let text = self.ok(helm, &["history", "web", "-o", "json"]);
        let list: Vec<Value> = serde_json::from_str(&text).unwrap();
        list.iter()
            .map(|one| {
                (
                    one["revision"].as_u64().unwrap(),
                    one["status"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }

    fn metadata(&self, helm: &Helm) -> Value {
        serde_json::from_str(&self.ok(helm, &["get", "metadata", "web", "-o", "json"])).unwrap()
    }
}

fn same_but_for_the_server(before: &StoredRecord, after: &StoredRecord) {
    let content = |stored: &StoredRecord| {
        let mut object = Value::Object(stored.object().clone());
        object["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        object
    };
    assert_eq!(content(before), content(after));
}

fn a_release_goes_there_and_back(site: &Site<'_>, helm3: &Helm, helm4: &Helm) {
    let chart = charts::path("web");
    let chart = chart.to_str().unwrap();
    site.ok(
        helm3,
        &[
            "install",
            "web",
            chart,
            "--create-namespace",
            "--labels",
            "team=a",
        ],
    );
    site.ok(helm3, &["upgrade", "web", chart, "--set", "greeting=ahoy"]);

    // What Helm 3 wrote.
    let list = site
        .plane
        .api()
        .get(&format!("{}?labelSelector={OWNER_SELECTOR}", site.path()))
        .unwrap();
    let heads: Vec<RecordHead> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(RecordHead::from_metadata)
        .collect();
    assert_eq!(
        heads
            .iter()
            .map(|head| (head.revision, head.status.as_str()))
            .collect::<Vec<_>>(),
        [(1, "superseded"), (2, "deployed")]
    );
    let n = site.stored(2);
    let before = n.record().unwrap();
    assert_eq!(
        (
            before.name.as_str(),
            before.namespace.as_str(),
            before.revision
        ),
        ("web", site.namespace, 2)
    );
    assert_eq!(
        (&before.status, &before.apply_method),
        (&Status::Deployed, &None)
    );
    assert!(n.out_of_step(&before).is_empty());
    assert_eq!(
        Record::decode(before.encode().unwrap().as_bytes()).unwrap(),
        before
    );
    let text = site.ok(helm3, &["get", "manifest", "web"]);
    assert_eq!(text.trim_end(), before.manifest.trim_end());
    let objects = manifest::objects(&before.manifest).unwrap();
    assert!(
        objects.len() >= 2 && objects.iter().all(|object| object.place.source.is_some()),
        "{objects:?}"
    );
    let order: Vec<_> = objects
        .iter()
        .map(|object| manifest::install_order(&object.kind))
        .collect();
    assert!(
        order.is_sorted(),
        "Helm stores its order of installation: {objects:?}"
    );

    // The lock: Helm sees it and keeps away.
    let spec = Lock {
        revision: 3,
        status: &Status::PendingUpgrade,
        token: "s/r/1",
        description: "locked by refit",
        now: NOW,
        now_unix: NOW_UNIX,
        undo_copy: Some(b"\x00\xff"),
        finalizer: false,
    };
    let body = forms::lock(&n, &before, &spec).unwrap();
    site.plane.api().post(&site.path(), &body.object).unwrap();
    for helm in [helm3, helm4] {
        assert_eq!(
            site.history(helm).last().unwrap(),
            &(3, "pending-upgrade".to_owned())
        );
        let (success, text) = site.helm(helm, &["upgrade", "web", chart]);
        assert!(!success && text.contains("another operation"), "{text}");
    }
    assert_eq!(
        site.stored(3).undo_copy().unwrap().as_deref(),
        Some(&b"\x00\xff"[..])
    );

    // The commit, then N.
    site.put(&forms::commit(&site.stored(3), "migrated", NOW_UNIX).unwrap());
    let body = forms::supersede(&n, NOW_UNIX).unwrap();
    assert!(body.kept);
    site.put(&body.object);
    for helm in [helm3, helm4] {
        let statuses = [
            (1, "superseded".to_owned()),
            (2, "superseded".to_owned()),
            (3, "deployed".to_owned()),
        ];
        assert_eq!(site.history(helm), statuses);
        assert_eq!(
            site.ok(helm, &["get", "manifest", "web"]).trim_end(),
            before.manifest.trim_end()
        );
        assert!(site.ok(helm, &["get", "values", "web"]).contains("ahoy"));
    }
    let metadata = site.metadata(helm4);
    assert_eq!(
        (
            &metadata["applyMethod"],
            &metadata["revision"],
            &metadata["labels"]["team"]
        ),
        (&json!("ssa"), &json!(3), &json!("a"))
    );

    // Back, byte for byte.
    let marked = site.stored(2);
    assert_eq!(
        marked.record().unwrap().facts().identity,
        before.facts().identity
    );
    site.put(&forms::restore(&marked, &n.image(), None).unwrap());
    let restored = site.stored(2);
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": n.image().managed_fields},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": restored.resource_version()},
    ]);
    site.plane
        .api()
        .json_patch(&format!("{}/{}", site.path(), n.name()), &patch)
        .unwrap();
    site.plane
        .api()
        .delete(&format!("{}/{}", site.path(), object_name("web", 3)))
        .unwrap();
    same_but_for_the_server(&n, &site.stored(2));
    assert_eq!(site.metadata(helm4).get("applyMethod"), None);

    // Helm's own rewrites: N keeps its identity whichever Helm supersedes it.
    site.ok(
        helm4,
        &[
            "upgrade",
            "web",
            chart,
            "--server-side=true",
            "--force-conflicts",
        ],
    );
    let rewritten = site.stored(2).record().unwrap();
    assert_eq!(
        (&rewritten.status, rewritten.facts().identity),
        (&Status::Superseded, before.facts().identity)
    );
    let by_helm4 = site.stored(3).record().unwrap();
    assert_eq!(
        (&by_helm4.status, &by_helm4.apply_method),
        (&Status::Deployed, &Some(ApplyMethod::ServerSide))
    );
    site.ok(helm3, &["upgrade", "web", chart]);
    let rewritten = site.stored(3).record().unwrap();
    assert_eq!(
        (&rewritten.status, &rewritten.apply_method),
        (&Status::Superseded, &None),
        "Helm 3 drops the method"
    );
    assert_eq!(rewritten.facts().identity, by_helm4.facts().identity);

    // And an own record that Helm rewrites: the time that refit gave it counts as the same.
    let n = site.stored(4);
    let lock = Lock {
        revision: 5,
        ..spec
    };
    site.plane
        .api()
        .post(
            &site.path(),
            &forms::lock(&n, &n.record().unwrap(), &lock).unwrap().object,
        )
        .unwrap();
    site.put(&forms::commit(&site.stored(5), "migrated", NOW_UNIX).unwrap());
    site.put(&forms::restate(&n, &Status::Superseded, NOW_UNIX).unwrap());
    let ours = site.stored(5).record().unwrap().facts();
    site.ok(helm3, &["upgrade", "web", chart]);
    assert_eq!(
        site.stored(5).record().unwrap().facts().identity,
        ours.identity
    );
    assert_eq!(site.stored(5).token(), None);
}

#[test]
fn records_of_real_helm() {
    let plane = ControlPlane::start(Options::new("records")).unwrap();
    let (helm3, helm4) = (Helm::v3(&plane).unwrap(), Helm::v4(&plane).unwrap());
    for (driver, namespace) in [
        (Driver::Secret, "secrets"),
        (Driver::ConfigMap, "configmaps"),
    ] {
        a_release_goes_there_and_back(
            &Site {
                plane: &plane,
                driver,
                namespace,
            },
            &helm3,
            &helm4,
        );
    }
}
