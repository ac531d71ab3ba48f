//! Laws of the upgrade from client-side to server-side apply, on random entries.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use managed_fields::csa::{Flavor, Upgrade, owners_of, upgrade};
use managed_fields::{FieldSet, ManagedFieldsEntry, Operation, Path, Time, entry};
use proptest::prelude::*;
use serde_json::{Value, json};

fn set() -> impl Strategy<Value = FieldSet> {
    let path = prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..3);
    prop::collection::vec(path.prop_map(Path::of_fields), 0..4)
        .prop_map(|paths| FieldSet::of(paths).unwrap())
}

fn any_entry() -> impl Strategy<Value = ManagedFieldsEntry> {
    (
        prop::sample::select(vec!["helm", "old-helm", "hpa"]),
        prop::sample::select(vec![Operation::Apply, Operation::Update, Operation::Update]),
        prop::sample::select(vec!["v1", "v1", "v2"]),
        prop::sample::select(vec!["", "", "status"]),
        prop::option::of(0i64..4),
        set(),
    )
        .prop_map(|(manager, operation, version, subresource, time, fields)| {
            ManagedFieldsEntry::new(manager, operation, version, fields)
                .with_subresource(subresource)
                .with_time(time.map(|t| Time::from_unix(t).unwrap()))
        })
}

/// As a server would have them: each identity once, in its order.
fn entries() -> impl Strategy<Value = Vec<ManagedFieldsEntry>> {
    prop::collection::vec(any_entry(), 0..8).prop_map(|mut entries| {
        let mut seen = BTreeSet::new();
        entries.retain(|entry| seen.insert(entry.identity()));
        entry::sort(&mut entries);
        entries
    })
}

fn names() -> BTreeSet<String> {
    BTreeSet::from(["helm".to_owned(), "old-helm".to_owned()])
}

fn is_concerned(entry: &ManagedFieldsEntry) -> bool {
    let csa = entry.operation() == Operation::Update && names().contains(entry.manager());
    let ssa = entry.operation() == Operation::Apply && entry.manager() == "helm";
    entry.subresource().is_empty() && (csa || ssa)
}

fn owned(entries: &[ManagedFieldsEntry]) -> FieldSet {
    entries
        .iter()
        .filter(|e| is_concerned(e))
        .fold(FieldSet::new(), |set, e| set.union(e.fields()))
}

fn after(flavor: Flavor, entries: &[ManagedFieldsEntry]) -> Vec<ManagedFieldsEntry> {
    Upgrade {
        csa_managers: &names(),
        ssa_manager: "helm",
        subresource: "",
        flavor,
    }
    .entries(entries)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn is_idempotent_and_leaves_others_alone(before in entries(), original in any::<bool>()) {
        let flavor = if original { Flavor::Original } else { Flavor::Fixed };
        let once = after(flavor, &before);
        prop_assert_eq!(after(flavor, &once), once.clone());
        let others = |entries: &[ManagedFieldsEntry]| -> Vec<Value> {
            entries.iter().filter(|e| !is_concerned(e)).map(ManagedFieldsEntry::to_value).collect()
        };
        prop_assert_eq!(others(&once), others(&before));
        prop_assert!(owned(&once).is_subset(&owned(&before)), "nothing is owned that was not owned before");
        let csa = once.iter().filter(|e| is_concerned(e) && e.operation() == Operation::Update).count();
        prop_assert_eq!(csa, 0);
    }

    #[test]
    fn the_fixed_flavor_keeps_what_was_owned(before in entries()) {
        let once = after(Flavor::Fixed, &before);
        prop_assert_eq!(owned(&once), owned(&before));
        prop_assert!(once.iter().filter(|e| is_concerned(e)).count() <= 1);
        let versions: BTreeSet<&str> = before.iter().filter(|e| is_concerned(e)).map(ManagedFieldsEntry::api_version).collect();
        if versions.len() <= 1 {
            prop_assert_eq!(owned(&after(Flavor::Original, &before)), owned(&before));
        }
    }

    #[test]
    fn the_patch_is_the_upgrade(before in entries()) {
        let object = json!({"metadata": {"resourceVersion": "5", "managedFields": entry::encode(&before)}});
        let csa_managers = names();
        let wish = Upgrade { csa_managers: &csa_managers, ssa_manager: "helm", subresource: "", flavor: Flavor::Fixed };
        match upgrade(&object, &wish).unwrap() {
            None => prop_assert_eq!(after(Flavor::Fixed, &before), before),
            Some(patch) => {
                prop_assert_eq!(entry::decode(&patch[0]["value"]).unwrap(), after(Flavor::Fixed, &before));
                prop_assert_eq!(&patch[1]["value"], "5");
            }
        }
    }

    #[test]
    fn owners_own_all(before in entries(), fields in set()) {
        for operation in [Operation::Apply, Operation::Update] {
            let found: Vec<_> = owners_of(&before, operation, &fields).collect();
            for entry in &before {
                let owns = entry.operation() == operation && fields.iter().all(|path| entry.fields().has(&path));
                prop_assert_eq!(found.contains(&entry), owns);
            }
        }
    }
}

/// Upstream takes the oldest entry as the base and drops the fields of other versions.
#[test]
fn where_the_flavors_differ() {
    let entry = |version: &str, second: i64, field: &str| {
        ManagedFieldsEntry::new(
            "helm",
            Operation::Update,
            version,
            FieldSet::of([Path::of_fields([field])]).unwrap(),
        )
        .with_time(Some(Time::from_unix(second).unwrap()))
    };
    let before = [entry("v1", 1, "a"), entry("v2", 2, "b")];
    let [original] = after(Flavor::Original, &before).try_into().unwrap();
    assert_eq!(
        (
            original.api_version(),
            original.fields().to_string().as_str()
        ),
        ("v1", ".a")
    );
    let [fixed] = after(Flavor::Fixed, &before).try_into().unwrap();
    assert_eq!(
        (fixed.api_version(), fixed.fields().to_string().as_str()),
        ("v2", ".a\n.b")
    );
}
