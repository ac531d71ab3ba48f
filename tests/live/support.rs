//! The shared control plane, and what every module needs of it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use refit::cluster::kube::KubeCluster;
use refit::domain::ids::Namespace;
use refit::store::Journal as _;
use refit::store::sql::SqlStore;
use serde_json::json;
use testbed::{AuditLog, ControlPlane, Options, Snapshot, snapshot};

/// Granted by tests; each test that needs a user takes one of its own.
pub const USERS: [&str; 2] = ["reader", "nobody"];

/// RBAC, admission policies and CRDs reach the API server's caches within a second or two; this covers a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The control plane of this test binary. Its processes end with the binary; it is never dropped.
pub fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        let options = USERS.into_iter().fold(Options::new("live"), Options::user);
        ControlPlane::start(options).unwrap()
    })
}

/// A namespace that no other test has.
pub fn namespace(purpose: &str) -> Namespace {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let name = format!("{purpose}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let body = json!({"metadata": {"name": name}});
    plane().api().post("/api/v1/namespaces", &body).unwrap();
    Namespace::new(name)
}

/// The adapter, as the admin.
pub async fn admin() -> KubeCluster {
    with_kubeconfig(plane().kubeconfig(testbed::control_plane::ADMIN)).await
}

/// The adapter, as one of [`USERS`].
pub async fn user(name: &str) -> KubeCluster {
    with_kubeconfig(plane().kubeconfig(name)).await
}

/// The adapter, by this kubeconfig's current context.
pub async fn with_kubeconfig(file: PathBuf) -> KubeCluster {
    KubeCluster::connect(Some(&file), None).await.unwrap()
}

/// What refit asked of the API server about a namespace.
pub fn asked(namespace: &Namespace) -> AuditLog {
    let log = plane().audit().unwrap().by_agent("refit/");
    log.filter(|entry| entry.namespace == namespace.as_str())
}

/// Waits until something of the server's own caches has come true.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Walks the journal of a cluster in a store that refit left in `folder`: every hash, every projection.
pub fn verify_journal(folder: &Path, cluster: &str) -> u64 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqlStore::open_existing(&folder.join(".refit/state.db"))
            .await
            .unwrap();
        store.verify(&cluster.into()).await.unwrap()
    })
}

/// Programs of other people that are worth running at once on two cores.
const AT_ONCE: usize = 4;

/// What `work` gives for each item, in the items' order; a few at a time.
pub fn at_once<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    let result = work(item);
                    done.lock().unwrap().push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Nothing that anybody but a controller writes has changed. Status is not in a picture at rest, but its writes count on
/// `resourceVersion`, at any moment: an autoscaler's did so in this very test.
pub fn assert_unmoved(before: &[Snapshot], after: &[Snapshot]) {
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(after) {
        let moved = snapshot::diff(before, after, true);
        assert!(moved.is_empty(), "{}", moved[0]);
    }
}
