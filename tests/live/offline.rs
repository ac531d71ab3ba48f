//! The offline forecast against the server's own: the same facts for every object, but for those of which it says itself
//! that only the server can tell.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use refit::cluster::kube::KubeCluster;
use refit::domain::fleet::{ManagerMatcher, Managers};
use refit::domain::ids::{ClusterName, ReleaseId};
use refit::domain::object::ObjectRef;
use refit::domain::release::Driver;
use refit::engine::inventory::{Scope, read_each};
use refit::engine::ports::{Clock, Dice};
use refit::engine::shadow::{
    AtHand, Forecaster as _, Library, LiveProbe, Lives, OfflineForecaster, Prepared, Schemas,
    Target, compare as same_facts, holders,
};
use serde_json::{Value, json};
use testbed::demo::Stage;
use testbed::{ControlPlane, Helm, Options, Seed};

use crate::support::assert_unmoved;

struct Now;

impl Clock for Now {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_900_000_000).unwrap()
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl Dice for Counter {
    fn word(&self, _: usize) -> String {
        format!("{:08}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn managers() -> ManagerMatcher {
    let aliases = vec!["Go-http-client".to_owned()];
    let canonical = "helm".to_owned();
    Managers { canonical, aliases }.matcher().unwrap()
}

/// What both said of all releases of a cluster.
#[derive(Default)]
struct Compared {
    releases: usize,
    objects: usize,
    asked: u32,
    /// Dry runs of the probe, and of the offline forecast.
    dry_runs: (u32, u32),
    differences: Vec<String>,
    outcomes: std::collections::BTreeMap<&'static str, usize>,
}

/// Facts and apply sets by refit's own comparison; and the patches, which only this test has with all objects rehearsed.
fn differences(release: &ReleaseId, server: &Prepared, offline: &Prepared) -> Vec<String> {
    let rows = same_facts(offline, server);
    let mut found: Vec<String> = rows.iter().map(|row| json!(row).to_string()).collect();
    for (left, right) in server.objects.iter().zip(&offline.objects) {
        if left.adoption.wish != right.adoption.wish {
            found.push(format!("{release}: wishes for {} differ", left.object));
        }
    }
    if server.objects.len() != offline.objects.len() {
        found.push(format!("{release}: not as many objects to adopt"));
    }
    found
}

async fn compare(plane: &ControlPlane) -> Compared {
    // Why the server is asked shows in the test's output.
    let _ = tracing_subscriber::fmt()
        .with_env_filter("refit::engine::shadow=debug")
        .with_test_writer()
        .try_init();
    let file = plane.kubeconfig(testbed::control_plane::ADMIN);
    let cluster = KubeCluster::connect(Some(&file), None).await.unwrap();
    let managers = managers();
    let dice = Counter::default();
    let probe = || LiveProbe {
        reader: &cluster,
        rehearser: &cluster,
        managers: &managers,
        clock: &Now,
        dice: &dice,
    };
    let scope = Scope {
        driver: Driver::Secret,
        namespaces: Vec::new(),
    };
    let name = ClusterName::new("c");
    let releases = read_each(&cluster, &name, &scope, &mut |_| {})
        .await
        .unwrap();
    let all: Vec<&ObjectRef> = releases
        .iter()
        .flat_map(|release| &release.objects.served)
        .map(|object| &object.object)
        .collect();
    let lives = Lives::list(&cluster, &all).await.unwrap();
    let schemas = Schemas::new(Arc::<Library>::default());
    let offline = OfflineForecaster {
        probe: probe(),
        at_hand: AtHand {
            schemas: &schemas,
            lives: Some(&lives),
            // As a run does: so both have objects to adopt.
            admission: None,
        },
    };
    let holders = holders(releases.iter().flat_map(|release| {
        let objects = &release.objects.served;
        objects
            .iter()
            .map(move |object| (&release.records.id, &object.object))
    }));
    let mut compared = Compared::default();
    for release in &releases {
        let (Ok(last), Some(current)) = (&release.last, release.current()) else {
            continue;
        };
        let target = Target {
            records: &release.records,
            current,
            last,
            holders: &holders,
            kept: &[],
        };
        let server = probe().forecast(&target).await.unwrap();
        let told = offline.forecast(&target).await.unwrap();
        compared.releases += 1;
        compared.objects += told.forecast.objects.len();
        compared.asked += told.asked;
        compared.dry_runs.0 += server.dry_runs;
        compared.dry_runs.1 += told.dry_runs;
        for object in &told.forecast.objects {
            *compared.outcomes.entry(object.outcome.word()).or_default() += 1;
        }
        compared
            .differences
            .extend(differences(&release.records.id, &server, &told));
    }
    for difference in &compared.differences {
        eprintln!("{difference}");
    }
    eprintln!(
        "{} releases, {} objects, {} asked, dry runs {:?}, {:?}",
        compared.releases, compared.objects, compared.asked, compared.dry_runs, compared.outcomes
    );
    compared
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seeded_fleet_is_forecast_as_the_server_would() {
    let refit = std::path::PathBuf::from(env!("CARGO_BIN_EXE_refit"));
    let seed = Seed {
        seed: 11,
        releases: 42,
    };
    let stage = tokio::task::spawn_blocking(move || Stage::build(refit, 1, seed).unwrap())
        .await
        .unwrap();
    let compared = compare(&stage.planes[0]).await;
    assert!(compared.differences.is_empty());
    assert!(compared.objects > 100, "{}", compared.objects);
    // Few: one in twenty.
    assert!(
        compared.asked as usize * 20 <= compared.objects,
        "{} of {} objects were asked about",
        compared.asked,
        compared.objects
    );
    tokio::task::spawn_blocking(move || {
        the_server_confirms_forecasts_and_nothing_is_written(&stage, compared.objects);
        crate::metrics::looking_is_counted_as_reading(&stage);
    })
    .await
    .unwrap();
}

fn the_server_confirms_forecasts_and_nothing_is_written(stage: &Stage, objects: usize) {
    let before = stage.snapshots().unwrap();
    let marks = stage.marks().unwrap();
    let all = stage
        .refit
        .call(&["shadow", "--confirm", "all", "-o", "json"])
        .unwrap();
    let some = stage.refit.call(&["shadow", "--confirm", "5"]).unwrap();
    assert_eq!(stage.requests(&marks).unwrap()[0].writes().len(), 0);
    assert_unmoved(&before, &stage.snapshots().unwrap());
    assert_eq!((all.code, some.code), (0, 0), "{}", some.stderr);
    let confirmed = &all.value["confirmed"];
    assert_eq!(confirmed["disagreements"], json!([]));
    assert_eq!(confirmed["objects"], objects);
    // More than one dry run an object: no forecast was taken for granted.
    assert!(
        confirmed["dryRuns"].as_u64() >= Some(objects as u64),
        "{confirmed:#}"
    );
    assert!(
        some.stderr.contains(" of 5 releases, 0 disagreements"),
        "{}",
        some.stderr
    );
}

/// A chart of one template.
fn chart(folder: &Path, name: &str, template: &str) -> String {
    let chart = folder.join(name);
    std::fs::create_dir_all(chart.join("templates")).unwrap();
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    std::fs::write(chart.join("Chart.yaml"), about).unwrap();
    std::fs::write(chart.join("templates/all.yaml"), template).unwrap();
    chart.display().to_string()
}

/// What somebody does to an object behind Helm's back.
fn meddle(plane: &ControlPlane, release: &str) {
    let api = plane.api();
    let apps = "/apis/apps/v1/namespaces/default/deployments";
    let core = "/api/v1/namespaces/default";
    let container = |more: Value| {
        let mut container = json!({"name": "app", "image": "registry.example/app:1"});
        container
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"spec": {"template": {"spec": {"containers": [container]}}}})
    };
    let patches = [
        (
            format!("{apps}/{release}-texts/scale"),
            "kubectl",
            json!({"spec": {"replicas": 4}}),
        ),
        (
            format!("{apps}/{release}-texts"),
            "kubectl-label",
            json!({"metadata": {"labels": {"app": null, "more": "x"}}}),
        ),
        (
            format!("{apps}/{release}-texts"),
            "kubectl-edit",
            json!({"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}, "terminationGracePeriodSeconds": 30}}}}),
        ),
        (
            format!("{core}/configmaps/{release}-map"),
            "kubectl-edit",
            json!({"data": {"a": "2", "empty": null}}),
        ),
        (
            format!("{core}/secrets/{release}-texts"),
            "kubectl-edit",
            json!({"data": {"password": "eA==", "broken": null}}),
        ),
        (
            format!("{core}/services/{release}-empty"),
            "kubectl-edit",
            json!({"spec": {"sessionAffinity": "ClientIP"}}),
        ),
        (
            format!(
                "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/{release}-policy"
            ),
            "kubectl-edit",
            json!({"spec": {"ingress": [{"ports": [{"port": 81}]}]}}),
        ),
        (
            format!("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/{release}-role"),
            "operator",
            json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]}),
        ),
        (
            format!("/apis/batch/v1/namespaces/default/cronjobs/{release}-cron"),
            "kubectl-patch",
            json!({"spec": {"suspend": true}}),
        ),
        (
            format!("{core}/serviceaccounts/{release}-sa"),
            "kubectl-patch",
            json!({"automountServiceAccountToken": null}),
        ),
    ];
    for (path, manager, patch) in patches {
        api.merge_patch(&format!("{path}?fieldManager={manager}"), &patch)
            .unwrap();
    }
    let strategic = container(
        json!({"env": [{"name": "EMPTY", "value": "x"}, {"name": "OWN", "value": "y"}], "resources": {"limits": {"cpu": "2"}}}),
    );
    let answer = api
        .send(
            "PATCH",
            &format!("{apps}/{release}-texts?fieldManager=kubectl-set"),
            "application/strategic-merge-patch+json",
            strategic.to_string().as_bytes(),
        )
        .unwrap();
    assert!(answer.status < 300, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_the_server_rewrites_are_no_drift() {
    let plane = tokio::task::spawn_blocking(|| {
        let plane = ControlPlane::start(Options::new("offline").api_only()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let traps = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/offline.yaml");
        let chart = chart(
            folder.path(),
            "traps",
            &std::fs::read_to_string(traps).unwrap(),
        );
        let helm = Helm::v3(&plane).unwrap();
        for release in ["clean", "touched"] {
            helm.run("default", ["install", release, &chart]).unwrap();
        }
        meddle(&plane, "touched");
        plane
    })
    .await
    .unwrap();
    let compared = compare(&plane).await;
    assert!(compared.differences.is_empty());
    tokio::task::spawn_blocking(move || drop(plane))
        .await
        .unwrap();
}
