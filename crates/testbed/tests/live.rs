//! The testbed proves itself on real control planes.

use std::path::Path;

use testbed::{ControlPlane, Helm, Options, charts, snapshot};

#[test]
fn a_release_runs_is_counted_pictured_and_all_is_gone_after_drop() {
    let plane = ControlPlane::start(Options::new("live").user("reader")).unwrap();
    let before = plane.audit().unwrap().len();
    let helm = Helm::v3(&plane).unwrap();
    let chart = charts::path("web");
    let args = [
        "install",
        "shop",
        chart.to_str().unwrap(),
        "--wait",
        "--create-namespace",
    ];
    helm.run("shop", args).unwrap();

    // Helm waited for ready pods, and the log has exactly its writes.
    let deployment = plane
        .api()
        .get("/apis/apps/v1/namespaces/shop/deployments/shop")
        .unwrap();
    assert_eq!(deployment["status"]["readyReplicas"], 2);
    let log = plane.audit().unwrap().since(before);
    let helms = log.by_agent("Helm/3.22").writes();
    assert_eq!(helms.count("create", "deployments"), 1);
    assert_eq!(helms.count("create", "secrets"), 1, "the release record");
    assert_eq!(
        helms.count("", ""),
        7,
        "namespace, record created and updated, four objects: {helms:#?}"
    );
    assert!(
        plane
            .audit()
            .unwrap()
            .by_agent("testbed")
            .count("create", "nodes")
            == 1
    );

    // Two pictures without a write between them are equal, and one write shows.
    let first = plane.snapshot().unwrap().namespace("shop");
    let path = "/api/v1/namespaces/shop/configmaps/shop";
    assert_eq!(
        snapshot::diff(&first, &plane.snapshot().unwrap().namespace("shop"), false),
        []
    );
    plane
        .api()
        .merge_patch(path, &serde_json::json!({"data": {"greeting": "ahoy"}}))
        .unwrap();
    let differences = snapshot::diff(&first, &plane.snapshot().unwrap().namespace("shop"), true);
    assert!(
        differences.iter().any(|d| d.pointer == "/data/greeting"),
        "{differences:?}"
    );
    assert!(
        differences
            .iter()
            .any(|d| d.pointer == "/metadata/managedFields"),
        "{differences:?}"
    );

    // A user may nothing, then what was granted, and not more; an unknown token is nobody.
    let reader = plane.api_as("reader").unwrap();
    assert_eq!(reader.get(path).unwrap_err().status(), Some(403));
    plane.grant("reader", &serde_json::json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}])).unwrap();
    let start = std::time::Instant::now();
    while reader.get(path).is_err() && start.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    reader.get(path).unwrap();
    assert_eq!(reader.delete(path).unwrap_err().status(), Some(403));
    let stale = plane
        .kubeconfig_with_token("stale", "no-such-token")
        .unwrap();
    let refused = helm
        .with_kubeconfig(stale)
        .try_run("shop", ["list"])
        .unwrap();
    assert!(
        !refused.success && refused.stderr.contains("provide credentials"),
        "{refused:?}"
    );

    let (processes, dir) = (plane.process_ids(), plane.dir().to_owned());
    assert_eq!(processes.len(), 5);
    drop(plane);
    for id in processes {
        assert!(
            !Path::new(&format!("/proc/{id}")).exists(),
            "process {id} lives"
        );
    }
    assert!(!dir.exists());
}
