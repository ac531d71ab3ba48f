//! The command lines of the servers.

use std::path::Path;

use super::layout::Layout;
use crate::pki::Pki;

/// `--name=path`
fn file(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// etcd. Its data dies with it, so it need not sync: that halves the time of every write.
pub fn etcd(layout: &Layout, client: u16, peer: u16) -> Vec<String> {
    vec![
        file("data-dir", &layout.dir.join("etcd")),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ]
}

/// kube-apiserver. The request limits are out of the way: tests measure their own pacing, not the server's.
pub fn apiserver(layout: &Layout, pki: &Pki, etcd: u16, port: u16) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        file("tls-cert-file", &pki.serving_cert),
        file("tls-private-key-file", &pki.serving_key),
        file("token-auth-file", &layout.tokens()),
        "--authorization-mode=RBAC".into(),
        file("service-account-key-file", &pki.accounts_public),
        file("service-account-signing-key-file", &pki.accounts_key),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--allow-privileged=true".into(),
        // Pods would wait for their service account's token, which nobody here uses.
        "--disable-admission-plugins=ServiceAccount".into(),
        "--max-requests-inflight=2000".into(),
        "--max-mutating-requests-inflight=1000".into(),
        file("audit-policy-file", &layout.audit_policy()),
        file("audit-log-path", &layout.audit_log()),
        // Megabytes: one file for the whole life, because a reader of a rotated log would count too little.
        "--audit-log-maxsize=1000000".into(),
    ]
}

/// kube-controller-manager.
pub fn controller_manager(layout: &Layout, pki: &Pki) -> Vec<String> {
    let kubeconfig = layout.kubeconfig("admin");
    vec![
        file("kubeconfig", &kubeconfig),
        file("authentication-kubeconfig", &kubeconfig),
        file("authorization-kubeconfig", &kubeconfig),
        file("service-account-private-key-file", &pki.accounts_key),
        file("root-ca-file", &pki.ca),
        "--use-service-account-credentials=false".into(),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
    ]
}

/// kube-scheduler.
pub fn scheduler(layout: &Layout) -> Vec<String> {
    let kubeconfig = layout.kubeconfig("admin");
    vec![
        file("kubeconfig", &kubeconfig),
        file("authentication-kubeconfig", &kubeconfig),
        file("authorization-kubeconfig", &kubeconfig),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
    ]
}

/// kwok: makes every node ready and every pod run.
pub fn kwok(layout: &Layout, stages: &Path, port: u16) -> Vec<String> {
    vec![
        file("kubeconfig", &layout.kubeconfig("admin")),
        file("config", stages),
        "--manage-all-nodes=true".into(),
        "--node-lease-duration-seconds=40".into(),
        format!("--server-address=127.0.0.1:{port}"),
    ]
}
