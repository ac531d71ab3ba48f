//! Forms: labels in step with the JSON, exact restore, nothing lost on the way.
use super::*;
use crate::helm::record::tests::{HELM4, noise};
use crate::helm::storage::RecordHead;

const NOW: &str = "2026-12-01T08:00:00Z";
const NOW_UNIX: i64 = 1_796_112_000;

/// Revision 7 as the API gives it back in a LIST.
fn stored(driver: Driver, json: &str) -> StoredRecord {
    let payload = Record::from_json(json.to_owned())
        .unwrap()
        .encode()
        .unwrap();
    let object = json!({
        "metadata": {
            "name": "sh.helm.release.v1.web.v7", "namespace": "shop", "uid": "u-7", "resourceVersion": "700",
            "creationTimestamp": "2026-11-02T10:00:00Z",
            "labels": {"name": "web", "owner": "helm", "status": "deployed", "version": "7", "createdAt": "1", "modifiedAt": "2", "team": "a"},
            "annotations": {"note": "mine"},
            "managedFields": [{"manager": "Helm", "operation": "Update"}],
        },
        "type": SECRET_TYPE,
        "data": {"release": data_text(driver, payload.as_bytes()), "other": "eA=="},
    });
    StoredRecord::from_api(driver, object).unwrap()
}

/// What the server would store of a body: a new resourceVersion, and a uid if it had none.
fn accepted(driver: Driver, mut body: Value) -> StoredRecord {
    let metadata = body["metadata"].as_object_mut().unwrap();
    metadata.entry("uid").or_insert(json!("u-new"));
    metadata.insert("resourceVersion".into(), json!("701"));
    StoredRecord::from_api(driver, body).unwrap()
}

fn spec(undo_copy: Option<&[u8]>) -> Lock<'_> {
    Lock {
        revision: 8,
        status: &Status::PendingUpgrade,
        token: "s/r/1",
        description: "locked by refit: refit resume",
        now: NOW,
        now_unix: NOW_UNIX,
        undo_copy,
        finalizer: false,
    }
}

const DRIVERS: [Driver; 2] = [Driver::Secret, Driver::ConfigMap];

#[test]
fn a_lock_is_a_pending_copy_that_says_how_n_was_applied() {
    for driver in DRIVERS {
        let n = stored(driver, HELM4);
        let record = n.record().unwrap();
        let body = lock(&n, &record, &spec(Some(b"\x00undo\xff"))).unwrap();
        assert!(body.kept);
        let metadata = &body.object["metadata"];
        assert_eq!(metadata["name"], "sh.helm.release.v1.web.v8");
        assert_eq!(
            metadata["labels"],
            json!({"name": "web", "owner": "helm", "status": "pending-upgrade", "version": "8", "createdAt": NOW_UNIX.to_string(), "team": "a"})
        );
        assert_eq!(metadata["annotations"], json!({"refit.dev/lock": "s/r/1"}));
        assert!(metadata.get("uid").is_none() && metadata.get("resourceVersion").is_none());
        assert_eq!(body.object["kind"], driver.kind());
        assert_eq!(body.object.get("type").is_some(), driver == Driver::Secret);

        let mine = accepted(driver, body.object);
        assert_eq!(
            (mine.token(), mine.undo_copy().unwrap().as_deref()),
            (Some("s/r/1"), Some(&b"\x00undo\xff"[..]))
        );
        let copy = mine.record().unwrap();
        assert!(mine.out_of_step(&copy).is_empty());
        assert_eq!(copy.apply_method, record.apply_method);
        let back = Edit {
            revision: Some(7),
            status: Some(record.status.clone()),
            description: Some(record.info.description.clone()),
            last_deployed: Some(record.info.last_deployed.clone()),
            ..Edit::default()
        };
        let tree = |record: &Record| serde_json::from_str::<Value>(record.json()).unwrap();
        assert_eq!(
            tree(&copy.with(&back).unwrap()),
            tree(&record),
            "nothing else differs"
        );
    }
}

#[test]
fn an_undo_copy_without_room_is_left_out() {
    let n = stored(Driver::Secret, HELM4);
    let record = n.record().unwrap();
    let fits = vec![1; UNDO_COPY_MAX];
    let large = vec![1; UNDO_COPY_MAX + 1];
    assert!(lock(&n, &record, &spec(Some(&fits))).unwrap().kept);
    let body = lock(&n, &record, &spec(Some(&large))).unwrap();
    assert!(!body.kept && body.object["data"].get("refit").is_none());
    assert!(!lock(&n, &record, &spec(None)).unwrap().kept);
    let deployed = Lock {
        status: &Status::Deployed,
        ..spec(None)
    };
    assert!(matches!(
        lock(&n, &record, &deployed),
        Err(StorageError::Form { .. })
    ));
}

#[test]
fn the_commit_leaves_an_ordinary_record() {
    for driver in DRIVERS {
        let n = stored(driver, HELM4);
        let pinned = Lock {
            finalizer: true,
            ..spec(Some(b"undo"))
        };
        let mine = accepted(
            driver,
            lock(&n, &n.record().unwrap(), &pinned).unwrap().object,
        );
        let done = StoredRecord::from_api(driver, commit(&mine, "migrated", NOW_UNIX + 9).unwrap())
            .unwrap();
        assert_eq!(
            (done.uid(), done.resource_version()),
            (mine.uid(), mine.resource_version()),
            "guarded"
        );
        assert_eq!((done.token(), done.undo_copy().unwrap()), (None, None));
        assert_eq!(done.object()["metadata"]["finalizers"], json!([]));
        let record = done.record().unwrap();
        assert_eq!(
            (&record.status, &record.apply_method),
            (&Status::Deployed, &Some(ApplyMethod::ServerSide))
        );
        assert_eq!(
            (
                record.info.description.as_str(),
                record.info.last_deployed.as_str()
            ),
            ("migrated", NOW)
        );
        assert_eq!(
            record.facts().identity,
            mine.record().unwrap().facts().identity
        );
        assert!(done.out_of_step(&record).is_empty());
        let labels = done.labels();
        assert_eq!(
            (labels["createdAt"].clone(), labels["modifiedAt"].clone()),
            (NOW_UNIX.to_string(), (NOW_UNIX + 9).to_string())
        );
        assert!(
            !done.object().contains_key("binaryData"),
            "no empty part is left"
        );
    }
}

#[test]
fn supersede_and_restore_are_inverse() {
    for driver in DRIVERS {
        let n = stored(driver, HELM4);
        let body = supersede(&n, NOW_UNIX).unwrap();
        assert!(body.kept);
        let marked = accepted(driver, body.object);
        let record = marked.record().unwrap();
        assert_eq!(
            (&record.status, &record.apply_method),
            (&Status::Superseded, &Some(ApplyMethod::ServerSide))
        );
        assert_eq!(
            record.facts().identity,
            n.record().unwrap().facts().identity
        );
        assert!(marked.out_of_step(&record).is_empty());
        assert_eq!(marked.labels()["createdAt"], "1");
        assert_eq!(marked.before().unwrap().unwrap(), n.payload().unwrap());
        assert!(marked.object()["metadata"].get("managedFields").is_none());

        let mut restored = restore(&marked, &n.image(), None).unwrap();
        assert_eq!(restored["metadata"]["resourceVersion"], "701");
        // Besides what the server sets, the object is the former one.
        restored["metadata"]["resourceVersion"] = json!("700");
        restored["metadata"]["managedFields"] = json!(n.image().managed_fields);
        let mut before = Value::Object(n.object().clone());
        before["kind"] = json!(driver.kind());
        before["apiVersion"] = json!("v1");
        assert_eq!(restored, before);
    }
}

#[test]
fn a_former_record_without_room_is_left_to_the_store() {
    let n = stored(
        Driver::Secret,
        &HELM4.replace("hunter2", &noise(ENCODED_MAX / 3 * 2)),
    );
    let body = supersede(&n, NOW_UNIX).unwrap();
    assert!(!body.kept && body.object["data"].get("refit.before").is_none());
    let marked = accepted(Driver::Secret, body.object);
    assert!(matches!(
        restore(&marked, &n.image(), None),
        Err(StorageError::Form { .. })
    ));
    let restored = restore(&marked, &n.image(), Some(&n.payload().unwrap())).unwrap();
    assert_eq!(restored["data"]["release"], n.object()["data"]["release"]);
}

#[test]
fn restore_refuses_what_is_not_n() {
    let n = stored(Driver::Secret, HELM4);
    let marked = accepted(Driver::Secret, supersede(&n, NOW_UNIX).unwrap().object);
    let other = RecordImage {
        uid: "u-8".into(),
        ..n.image()
    };
    assert!(matches!(
        restore(&marked, &other, None),
        Err(StorageError::Form { .. })
    ));
    let foreign = Record::from_json(HELM4.replace(r#""version":7"#, r#""version":6"#))
        .unwrap()
        .encode()
        .unwrap();
    assert!(matches!(
        restore(&marked, &n.image(), Some(foreign.as_bytes())),
        Err(StorageError::Misplaced { revision: 6, .. })
    ));
    assert!(matches!(
        restore(&marked, &n.image(), Some(b"rubbish")),
        Err(StorageError::Record { .. })
    ));
}

#[test]
fn a_pruned_record_is_made_again_as_it_was() {
    for driver in DRIVERS {
        let n = stored(driver, HELM4);
        let again =
            StoredRecord::from_api(driver, recreate(&n.image(), &n.payload().unwrap())).unwrap();
        assert_eq!((again.uid(), again.resource_version()), ("", ""));
        assert_eq!(
            (
                again.labels(),
                again.annotations(),
                again.payload().unwrap()
            ),
            (n.labels(), n.annotations(), n.payload().unwrap())
        );
    }
}

#[test]
fn the_undo_lock_retires_or_is_unpinned() {
    let n = stored(Driver::Secret, HELM4);
    let before = n.record().unwrap();
    let spec = Lock {
        revision: 9,
        status: &Status::PendingRollback,
        finalizer: true,
        ..spec(None)
    };
    let mine = accepted(Driver::Secret, lock(&n, &before, &spec).unwrap().object);
    assert_eq!(mine.labels()["status"], "pending-rollback");
    let unpinned = unpin(&mine).unwrap();
    assert_eq!(unpinned["metadata"]["finalizers"], json!([]));
    assert_eq!(
        unpinned["metadata"]["annotations"],
        json!({"refit.dev/lock": "s/r/1"})
    );
    assert_eq!(
        unpin(&StoredRecord::from_api(Driver::Secret, unpinned).unwrap()),
        None
    );
    let retired =
        StoredRecord::from_api(Driver::Secret, retire(&mine, "put back", NOW_UNIX).unwrap())
            .unwrap();
    let record = retired.record().unwrap();
    assert_eq!(
        (
            &record.status,
            retired.labels()["status"].as_str(),
            retired.token()
        ),
        (&Status::Failed, "failed", None)
    );
    assert_eq!(
        (record.info.description.as_str(), &record.apply_method),
        ("put back", &before.apply_method)
    );
    assert_eq!(retired.object()["metadata"]["finalizers"], json!([]));
}

#[test]
fn restate_and_mark_change_one_thing_each() {
    let n = stored(Driver::Secret, HELM4);
    let demoted = StoredRecord::from_api(
        Driver::Secret,
        restate(&n, &Status::Superseded, NOW_UNIX).unwrap(),
    )
    .unwrap()
    .record()
    .unwrap();
    assert_eq!(
        (&demoted.status, &demoted.apply_method),
        (&Status::Superseded, &Some(ApplyMethod::ClientSide))
    );
    let marked = StoredRecord::from_api(Driver::Secret, mark(&n, NOW_UNIX).unwrap().object)
        .unwrap()
        .record()
        .unwrap();
    assert_eq!(
        (&marked.status, &marked.apply_method),
        (&Status::Deployed, &Some(ApplyMethod::ServerSide))
    );
}

#[test]
fn labels_out_of_step_and_misplaced_records_are_told() {
    let n = stored(Driver::Secret, HELM4);
    let mut object = Value::Object(n.object().clone());
    object["metadata"]["labels"]["status"] = json!("failed");
    object["metadata"]["labels"]["version"] = Value::Null;
    let odd = StoredRecord::from_api(Driver::Secret, object.clone()).unwrap();
    assert_eq!(
        odd.out_of_step(&odd.record().unwrap()),
        ["status", "version"]
    );
    object["metadata"]["name"] = json!("sh.helm.release.v1.web.v6");
    let odd = StoredRecord::from_api(Driver::Secret, object.clone()).unwrap();
    assert!(matches!(
        odd.record(),
        Err(StorageError::Misplaced { revision: 7, .. })
    ));
    object["data"] = json!({"release": "hunter2!"});
    let odd = StoredRecord::from_api(Driver::Secret, object).unwrap();
    assert_eq!(
        odd.record().unwrap_err().to_string(),
        "data key release of Secret sh.helm.release.v1.web.v6 is not base64"
    );
    assert!(!format!("{n:?}").contains("H4s"), "no data in Debug");
}

#[test]
fn a_head_is_read_from_metadata_alone() {
    let n = stored(Driver::Secret, HELM4);
    let mine = accepted(
        Driver::Secret,
        lock(&n, &n.record().unwrap(), &spec(None)).unwrap().object,
    );
    let head = RecordHead::from_metadata(&json!({"metadata": mine.object()["metadata"]})).unwrap();
    assert_eq!(
        (head.release.as_str(), head.revision, head.status.as_str()),
        ("web", 8, "pending-upgrade")
    );
    assert_eq!(
        (head.token.as_deref(), head.uid.as_str(), head.deleting),
        (Some("s/r/1"), "u-new", false)
    );
    assert_eq!(
        RecordHead::from_metadata(&json!({"metadata": {"name": "other"}})),
        None
    );
}
