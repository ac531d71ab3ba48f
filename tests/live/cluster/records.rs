//! Release records: lists without payloads, and the five requests that change them.

use refit::cluster::{ErrorKind, Reader, RecordScope, Writer};
use refit::domain::ids::{Namespace, ReleaseName, ResourceVersion, Uid};
use refit::domain::release::Driver;
use serde_json::{Value, json};

use crate::support::{admin, asked, namespace, plane};

const DRIVERS: [Driver; 2] = [Driver::Secret, Driver::ConfigMap];

fn name(release: &str, revision: usize) -> String {
    format!("sh.helm.release.v1.{release}.v{revision}")
}

/// A record as Helm labels it; the payload is of no matter here.
fn record(driver: Driver, release: &str, revision: usize) -> Value {
    let metadata = json!({"name": name(release, revision), "labels": {
        "owner": "helm", "name": release, "status": "deployed", "version": revision.to_string()}});
    match driver {
        Driver::Secret => json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata,
            "type": "helm.sh/release.v1", "data": {"release": "cGF5bG9hZA=="}}),
        Driver::ConfigMap => {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"release": "payload"}})
        }
    }
}

fn uid(value: &str) -> Uid {
    Uid::new(value)
}

#[tokio::test]
async fn heads_come_sorted_and_of_the_scope_that_was_asked() {
    let cluster = admin().await;
    let (one, two) = (namespace("heads"), namespace("heads"));
    for driver in DRIVERS {
        for (ns, release, revision) in [
            (&two, "web", 1),
            (&one, "web", 2),
            (&one, "web", 1),
            (&one, "db", 1),
        ] {
            cluster
                .create_record(driver, ns, &record(driver, release, revision))
                .await
                .unwrap();
        }
        let names = async |scope: RecordScope| -> Vec<(Namespace, String)> {
            let heads = cluster.record_heads(driver, &scope).await.unwrap();
            let heads = heads
                .into_iter()
                .filter(|head| [&one, &two].contains(&&head.namespace));
            heads.map(|head| (head.namespace, head.name)).collect()
        };
        let of_one = [
            (one.clone(), name("db", 1)),
            (one.clone(), name("web", 1)),
            (one.clone(), name("web", 2)),
        ];
        assert_eq!(names(RecordScope::Namespace(one.clone())).await, of_one);
        assert_eq!(
            names(RecordScope::Release(one.clone(), ReleaseName::new("web"))).await,
            of_one[1..]
        );
        let all: Vec<_> = of_one
            .into_iter()
            .chain([(two.clone(), name("web", 1))])
            .collect();
        assert_eq!(names(RecordScope::All).await, all);
        assert_eq!(
            names(RecordScope::Release(one.clone(), ReleaseName::new("none"))).await,
            []
        );
        let odd = RecordScope::Release(one.clone(), ReleaseName::new("web,status!=deployed"));
        assert_eq!(
            cluster.record_heads(driver, &odd).await.unwrap_err().kind,
            ErrorKind::Invalid
        );
    }
    let head = &cluster
        .record_heads(
            Driver::Secret,
            &RecordScope::Release(two.clone(), ReleaseName::new("web")),
        )
        .await
        .unwrap()[0];
    let whole = cluster
        .record(Driver::Secret, &two, &name("web", 1))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (&head.uid, &head.resource_version),
        (&whole.uid, &whole.resource_version)
    );
    assert_eq!(head.labels["status"], "deployed");
    assert!(head.annotations.is_empty());
}

/// 501 records are two pages.
#[tokio::test]
async fn more_records_than_a_page_are_all_listed_once() {
    const RECORDS: usize = 501;
    let (cluster, ns) = (admin().await, namespace("pages"));
    let path = format!("/api/v1/namespaces/{ns}/secrets");
    std::thread::scope(|threads| {
        for part in 0..4 {
            let path = &path;
            threads.spawn(move || {
                for revision in (part..RECORDS).step_by(4) {
                    plane()
                        .api()
                        .post(path, &record(Driver::Secret, "web", revision))
                        .unwrap();
                }
            });
        }
    });
    let heads = cluster
        .record_heads(Driver::Secret, &RecordScope::Namespace(ns.clone()))
        .await
        .unwrap();
    let mut wanted: Vec<String> = (0..RECORDS).map(|revision| name("web", revision)).collect();
    wanted.sort();
    assert_eq!(
        heads.into_iter().map(|head| head.name).collect::<Vec<_>>(),
        wanted
    );
    assert_eq!(asked(&ns).count("list", "secrets"), 2);
}

#[tokio::test]
async fn a_record_is_created_replaced_patched_and_deleted() {
    let (cluster, ns) = (admin().await, namespace("record"));
    for driver in DRIVERS {
        let id = name("web", 1);
        assert_eq!(cluster.record(driver, &ns, &id).await.unwrap(), None);
        let first = cluster
            .create_record(driver, &ns, &record(driver, "web", 1))
            .await
            .unwrap();
        let again = cluster
            .create_record(driver, &ns, &record(driver, "web", 1))
            .await
            .unwrap_err();
        assert_eq!(
            (again.kind.clone(), again.code),
            (ErrorKind::AlreadyExists, 409),
            "{again}"
        );
        assert!(again.message.contains(&id), "{again}");

        let mut body = first.json.clone();
        body["metadata"]["labels"]["status"] = "superseded".into();
        let second = cluster.replace_record(driver, &ns, &body).await.unwrap();
        assert_eq!(second.json["metadata"]["labels"]["status"], "superseded");
        let stale = cluster
            .replace_record(driver, &ns, &body)
            .await
            .unwrap_err();
        assert_eq!(
            (stale.kind.clone(), stale.code),
            (ErrorKind::Conflict, 409),
            "{stale}"
        );
        let mut other = second.json.clone();
        other["metadata"]["uid"] = "11111111-2222-3333-4444-555555555555".into();
        let other = cluster
            .replace_record(driver, &ns, &other)
            .await
            .unwrap_err();
        assert_eq!(
            (other.kind.clone(), other.code),
            (ErrorKind::Conflict, 409),
            "{other}"
        );
        let mut gone = second.json.clone();
        gone["metadata"]["name"] = name("web", 9).into();
        let gone = cluster
            .replace_record(driver, &ns, &gone)
            .await
            .unwrap_err();
        assert!(
            matches!(gone.kind, ErrorKind::NotFound | ErrorKind::Conflict),
            "{gone:?}"
        );
        let nameless = cluster
            .replace_record(driver, &ns, &json!({}))
            .await
            .unwrap_err();
        assert_eq!((nameless.kind, nameless.code), (ErrorKind::Invalid, 0));

        let patch = super::guarded(second.uid.as_str(), second.resource_version.as_str(), "1");
        let third = cluster
            .patch_record(driver, &ns, &id, &patch)
            .await
            .unwrap();
        let stale = cluster
            .patch_record(driver, &ns, &id, &patch)
            .await
            .unwrap_err();
        assert_eq!(stale.kind, ErrorKind::Conflict, "{stale}");
        let patch = super::guarded("another", third.resource_version.as_str(), "1");
        assert_eq!(
            cluster
                .patch_record(driver, &ns, &id, &patch)
                .await
                .unwrap_err()
                .kind,
            ErrorKind::WrongUid
        );
        assert_eq!(
            cluster.record(driver, &ns, &id).await.unwrap(),
            Some(third.clone())
        );

        let rv = third.resource_version.clone();
        for (uid, rv) in [
            (uid("another"), rv.clone()),
            (third.uid.clone(), ResourceVersion::new("1")),
        ] {
            let kept = cluster
                .delete_record(driver, &ns, &id, &uid, &rv)
                .await
                .unwrap_err();
            assert_eq!(
                (kept.kind.clone(), kept.code),
                (ErrorKind::Conflict, 409),
                "{kept}"
            );
        }
        assert_eq!(
            cluster
                .delete_record(driver, &ns, &id, &third.uid, &rv)
                .await
                .unwrap(),
            None
        );
        let gone = cluster
            .delete_record(driver, &ns, &id, &third.uid, &rv)
            .await
            .unwrap_err();
        assert_eq!((gone.kind, gone.code), (ErrorKind::NotFound, 404));
    }
    let writes = asked(&ns).writes();
    assert_eq!(
        writes.len(),
        2 * 4,
        "create, replace, patch and delete of each driver, once: {writes:#?}"
    );
    assert!(
        writes
            .entries
            .iter()
            .all(|entry| entry.uri.contains("timeout=10s"))
    );
    let managers = writes.filter(|entry| entry.verb != "delete");
    assert!(
        managers
            .entries
            .iter()
            .all(|entry| entry.uri.contains("fieldManager=refit"))
    );
}

#[tokio::test]
async fn a_finalizer_keeps_the_record() {
    let (cluster, ns) = (admin().await, namespace("finalizer"));
    let mut body = record(Driver::Secret, "web", 1);
    body["metadata"]["finalizers"] = json!(["refit.dev/lock"]);
    let stored = cluster
        .create_record(Driver::Secret, &ns, &body)
        .await
        .unwrap();
    let id = name("web", 1);
    let kept = cluster
        .delete_record(
            Driver::Secret,
            &ns,
            &id,
            &stored.uid,
            &stored.resource_version,
        )
        .await
        .unwrap()
        .unwrap();
    assert!(kept.is_being_deleted());
    assert_eq!(kept.json["kind"], "Secret");
    let mut freed = kept.json.clone();
    freed["metadata"]["finalizers"] = json!([]);
    let last = cluster
        .replace_record(Driver::Secret, &ns, &freed)
        .await
        .unwrap();
    assert_eq!(last.uid, stored.uid);
    assert_eq!(
        cluster.record(Driver::Secret, &ns, &id).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_namespace_that_is_not_there() {
    let (cluster, ns) = (admin().await, Namespace::new("no-such-namespace"));
    let error = cluster
        .create_record(Driver::Secret, &ns, &record(Driver::Secret, "web", 1))
        .await
        .unwrap_err();
    assert_eq!((error.kind, error.code), (ErrorKind::NotFound, 404));
    assert_eq!(
        cluster
            .record_heads(Driver::Secret, &RecordScope::Namespace(ns))
            .await
            .unwrap(),
        []
    );
}
