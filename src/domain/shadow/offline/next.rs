//! One object of Helm's next server-side upgrade: what the apply of another manifest under Helm's own name would meet.
//!
//! A release that was applied client-side goes through `csaupgrade` first, as Helm does it: entries of its own name, and
//! only those, become one Apply entry (upstream client-go `util/csaupgrade/upgrade.go`). So entries of aliases are in
//! conflict here, which an adoption by refit would have taken over.

use managed_fields::csa::{self, Flavor, Upgrade};
use managed_fields::manager::ManagerError;
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation};
use serde_json::Value;

use super::{Api, EPOCH, Entries, Unknown, nulls, restore, settle, unknown};
use crate::domain::fields::{text_at, value_at};
use crate::domain::object::{LiveObject, ObjectRef, changed_paths};
use crate::domain::shadow::{Conflict, NextObject, NextOutcome};
use crate::domain::transfer::describe;

/// What one object's forecast needs.
#[derive(Debug, Clone, Copy)]
pub struct NextInput<'a> {
    /// The object.
    pub object: &'a ObjectRef,
    /// What Helm will apply: the new manifest, its namespace, Helm's label and annotations.
    pub body: &'a Value,
    /// As it is, at the new manifest's apiVersion; `None` if it is not there.
    pub live: Option<&'a LiveObject>,
    /// What the cluster publishes of the manifest's group-version.
    pub api: &'a Api,
    /// Helm's name.
    pub manager: &'a str,
    /// Does Helm move its own client-side entries first? It does if the deployed revision does not say `ssa`.
    pub upgrades_csa: bool,
}

/// Forecasts one object. Linear in the sizes of manifest and live object.
pub fn next(input: &NextInput<'_>) -> Result<NextObject, Unknown> {
    let object = input.object;
    let made = |outcome| Ok(NextObject::plain(object.clone(), outcome));
    let refused = |reason| NextOutcome::Invalid { reason };
    let Some(endpoint) = input.api.endpoint(&object.kind) else {
        return Err(unknown(format!(
            "the cluster publishes no usable schema of {} {}",
            object.api_version, object.kind
        )));
    };
    let Some(live) = input.live else {
        let created = endpoint
            .manager
            .apply(None, input.body, input.manager, false, EPOCH);
        return match created {
            Ok(_) => made(NextOutcome::Created),
            Err(error) => made(refused(error.server_message())),
        };
    };
    let uid = input.body.pointer("/metadata/uid").and_then(Value::as_str);
    if uid.is_some_and(|uid| !uid.is_empty() && uid != live.uid.as_str()) {
        return made(refused(
            "metadata.uid is in the manifest, and is not the live object's".to_owned(),
        ));
    }
    let upgraded = if input.upgrades_csa {
        after_csa_upgrade(live, input.manager)?
    } else {
        None
    };
    let live = upgraded.as_ref().unwrap_or(live);
    let Entries { all, here, .. } = Entries::of(live, object)?;
    let apply = |force| {
        endpoint.manager.apply_to_entries(
            &live.json,
            &here,
            input.body,
            input.manager,
            force,
            EPOCH,
        )
    };
    let read = |error: ManagerError| match error {
        ManagerError::Config { .. } | ManagerError::ManagedFieldsInConfig => {
            Ok(error.server_message())
        }
        error => Err(unknown(format!(
            "the live object does not fit the published schema: {}",
            error.server_message()
        ))),
    };
    let (mut applied, after) = match apply(true) {
        Ok(merged) => (merged.object, merged.entries),
        Err(error) => return made(refused(read(error)?)),
    };
    let mut met = NextObject::plain(object.clone(), NextOutcome::Unchanged);
    if let Err(error) = apply(false) {
        match error.conflicts() {
            Some(conflicts) => {
                for conflict in conflicts.iter() {
                    let owner = all.iter().find(|it| it.identity() == conflict.owner);
                    let since = owner.and_then(ManagedFieldsEntry::time);
                    let since = since.map(managed_fields::Time::as_unix);
                    met.conflicts.push(Conflict {
                        field: conflict.field(),
                        owner: owner.map_or_else(|| conflict.owner.manager().to_owned(), describe),
                        since: since.and_then(|at| jiff::Timestamp::from_second(at).ok()),
                        theirs: text_at(&live.json, &conflict.path),
                        ours: text_at(&applied, &conflict.path),
                    });
                }
            }
            None => return made(refused(read(error)?)),
        }
    }
    for field in &endpoint.reset {
        restore(&mut applied, &live.json, field);
    }
    if let Some(model) = endpoint.model
        && let Some(reason) = nulls::refused(object, model, &applied)
    {
        return made(refused(reason));
    }
    // A doubt about the server's normal forms concerns values that change, never who owns them.
    let _ = settle::settle(object, &mut applied, &live.json, endpoint.view);
    met.changes = changed_paths(&live.json, &applied);
    let own = own_fields(&all, input.manager);
    let gone = own.difference(&own_fields(&after, input.manager));
    met.drops = gone
        .leaves()
        .iter()
        .filter(|path| value_at(&live.json, path).is_some() && value_at(&applied, path).is_none())
        .map(|path| path.to_string())
        .collect();
    met.outcome = if !met.conflicts.is_empty() {
        NextOutcome::Conflict
    } else if met.changes.is_empty() {
        NextOutcome::Unchanged
    } else {
        NextOutcome::Changed
    };
    Ok(met)
}

/// The object after Helm moved its own client-side entries; `None` if there are none.
fn after_csa_upgrade(live: &LiveObject, manager: &str) -> Result<Option<LiveObject>, Unknown> {
    let upgrade = Upgrade {
        csa_managers: &[manager.to_owned()].into(),
        ssa_manager: manager,
        subresource: "",
        flavor: Flavor::Original,
    };
    let patch = csa::upgrade(&live.json, &upgrade)
        .map_err(|error| unknown(format!("the live managedFields do not read: {error}")))?;
    Ok(patch.and_then(|patch| {
        let entries = patch.pointer("/0/value")?.clone();
        let mut upgraded = live.clone();
        let metadata = upgraded.json.get_mut("metadata")?.as_object_mut()?;
        metadata.insert("managedFields".to_owned(), entries);
        Some(upgraded)
    }))
}

/// What a manager's Apply entry owns.
fn own_fields(entries: &[ManagedFieldsEntry], manager: &str) -> FieldSet {
    let own = entries.iter().find(|it| {
        it.manager() == manager && it.operation() == Operation::Apply && it.subresource().is_empty()
    });
    own.map(|it| it.fields().clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Some built-in kinds of Kubernetes 1.36, as the server publishes them.
    const BUILT_IN: &str =
        include_str!("../../../../crates/managed-fields/tests/fixtures/builtin.json");

    fn api() -> Api {
        Api::read("v1", &serde_json::from_str(BUILT_IN).unwrap()).unwrap()
    }

    fn live(entries: &Value, data: &Value) -> LiveObject {
        let json = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "data": data,
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1", "managedFields": entries},
        });
        LiveObject::new(json).unwrap()
    }

    fn entry(manager: &str, operation: &str, keys: &[&str]) -> Value {
        let keys: serde_json::Map<String, Value> = keys
            .iter()
            .map(|key| (format!("f:{key}"), json!({})))
            .collect();
        json!({
            "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2026-11-22T10:00:00Z", "fieldsV1": {"f:data": keys},
        })
    }

    fn ask(live: Option<&LiveObject>, data: &Value, upgrades_csa: bool) -> NextObject {
        let object = ObjectRef {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: Some("n".into()),
            name: "a".into(),
        };
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data});
        let api = api();
        next(&NextInput {
            object: &object,
            body: &body,
            live,
            api: &api,
            manager: "helm",
            upgrades_csa,
        })
        .unwrap()
    }

    #[test]
    fn a_client_side_release_meets_others_and_not_itself() {
        let entries = json!([
            entry("helm", "Update", &["a", "gone"]),
            entry("kubectl-edit", "Update", &["b"]),
        ]);
        let live = live(&entries, &json!({"a": "1", "b": "theirs", "gone": "x"}));
        let met = ask(Some(&live), &json!({"a": "2", "b": "ours"}), true);
        assert_eq!(met.outcome, NextOutcome::Conflict);
        let only = &met.conflicts[0];
        assert_eq!(
            (
                met.conflicts.len(),
                &*only.field,
                &*only.owner,
                only.theirs.as_deref(),
                only.ours.as_deref()
            ),
            (1, ".data.b", "kubectl-edit", Some("theirs"), Some("ours"))
        );
        assert_eq!(met.drops, [".data.gone"]);
        // A revision that says ssa is not upgraded: what it left as an update is in its own way.
        let met = ask(Some(&live), &json!({"a": "2"}), false);
        assert_eq!((met.conflicts.len(), &*met.conflicts[0].owner), (1, "helm"));
    }

    #[test]
    fn what_is_equal_or_nobodys_passes() {
        let entries = json!([
            entry("helm", "Apply", &["a"]),
            entry("other", "Update", &["b"])
        ]);
        let live = live(&entries, &json!({"a": "1", "b": "2"}));
        assert_eq!(
            ask(Some(&live), &json!({"a": "1", "b": "2"}), false).outcome,
            NextOutcome::Unchanged
        );
        let met = ask(Some(&live), &json!({"a": "3"}), false);
        assert_eq!(
            (met.outcome, met.changes),
            (NextOutcome::Changed, vec![".data.a".to_owned()])
        );
    }

    #[test]
    fn a_manifest_that_the_schema_refuses_is_told_before_and_after_creation() {
        let wrong = json!({"a": {"no": "text"}});
        let live = live(&json!([entry("helm", "Apply", &["a"])]), &json!({"a": "1"}));
        for live in [None, Some(&live)] {
            let met = ask(live, &wrong, false);
            assert!(
                matches!(met.outcome, NextOutcome::Invalid { .. }),
                "{met:?}"
            );
        }
        assert_eq!(
            ask(None, &json!({"a": "1"}), false).outcome,
            NextOutcome::Created
        );
    }
}
