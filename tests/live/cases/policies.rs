//! Conflicts that a rule decides.

use super::case::{Case, Same};
use super::site::Site;

/// For fleet.toml.
pub const RULES: &str = r#"
[[policy]]
namespace = "pol-adopt-*"
field = ".spec.replicas"
conflict = "adopt-live"
why = "scaled by hand, once"

[[policy]]
namespace = "pol-yield"
field = ".spec.replicas"
conflict = "yield"
why = "the next chart leaves them to the scaler"

[[policy]]
namespace = "cr-repaired-*"
kind = "Thing"
conflict = "repair"
why = "v1alpha1 is not coming back"
"#;

const WEB: &str = deployment!("replicas: 1", "env: []");

const SCALER: &str = concat!(
    deployment!("replicas: 1", "env: []"),
    "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\nspec: {minReplicas: 1, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n"
);

fn scale(site: &Site<'_>) {
    site.kubectl(&["scale", "deployment/web", "--replicas=2"]);
}

fn replicas(site: &Site<'_>) -> i64 {
    let live = site
        .api()
        .get(&site.group("apps/v1", "deployments/web"))
        .unwrap();
    live["spec"]["replicas"].as_i64().unwrap()
}

pub const CASES: &[Case] = &[
    Case::new("pol-adopt-live", WEB)
        .drift(scale)
        .noted(&["adopt-live"])
        .same(Same::Writes("it sets the chart's value, as Helm 3 did"))
        .afterwards(|site| assert_eq!(replicas(site), 1)),
    // It would take them back at its next write.
    Case::new("pol-adopt-scaler", SCALER)
        .drift(scale)
        .held(&["active-conflict"]),
    // Refused until the chart drops the field; then the value stays.
    Case::new("pol-yield", WEB)
        .drift(scale)
        .noted(&["yield"])
        .same(Same::Refused("conflict"))
        .afterwards(|site| {
            site.template(deployment!("revisionHistoryLimit: 10", "env: []"));
            let done = site.upgrade4(&[]);
            assert!(done.success, "{}", done.stderr);
            assert_eq!(replicas(site), 2);
        }),
];
