//! An aggregated API, on a control plane of its own: as long as its server is away, discovery is not whole.

use super::case::Case;

const AWAY: &str = r#"
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.agg-away.example, labels: {tier: "{{ .Values.value }}"}}
spec:
  group: agg-away.example
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 15
  insecureSkipTLSVerify: true
  service: {name: nobody, namespace: agg-away}
"#;

const BESIDE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\ndata: {a: \"{{ .Values.value }}\"}\n";

pub const CASES: &[Case] = &[
    Case::new("agg-away", AWAY),
    Case::new("agg-neighbour", BESIDE),
];
